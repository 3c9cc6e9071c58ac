//! `list_inbox`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{arguments::limit, views::MAX_PART_CHARS};
use crate::{
    domain::ItemKind,
    library::{InboxEntry, InboxFilter, LibraryError, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        reply::window,
        tool::{Effect, Tool, Toolset},
    },
};

/// Of each text in the list.
const MAX_BODY_CHARS: usize = 1000;

/// Lists what is for the user.
pub struct ListInbox;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    kind: Option<ItemKind>,
    #[serde(default)]
    include_resolved: bool,
    limit: Option<u32>,
    /// Only this item, with a longer `body`.
    item_id: Option<i64>,
    /// Of that body.
    offset: Option<usize>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    items: Vec<Map<String, Value>>,
}

impl Answer for Output {}

impl Tool for ListInbox {
    const NAME: &'static str = "list_inbox";
    const DESCRIPTION: &'static str = "List notifications, tasks, drafts and runs that wait for your user.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let limit = limit(params.limit, 20, 100)?;
        let filter = InboxFilter { kind: params.kind, include_resolved: params.include_resolved };
        let (offset, most) = match params.item_id {
            Some(_) => (params.offset.unwrap_or(0), MAX_PART_CHARS),
            None => (0, MAX_BODY_CHARS),
        };
        let entries = services
            .blocking(move |library| match params.item_id {
                Some(id) => Ok(vec![InboxEntry::Item(library.inbox_item(id)?)]),
                None => library.inbox(&filter, limit),
            })
            .await?;
        let items: Vec<_> = entries.iter().map(|entry| cut(entry.fields(), offset, most)).collect();
        Ok(Output { count: items.len(), items })
    }
}

fn cut(mut item: Map<String, Value>, offset: usize, most: usize) -> Map<String, Value> {
    if let Some(Value::String(body)) = item.get_mut("body") {
        let (part, next) = window(body, offset, most);
        *body = part;
        if let Some(next) = next {
            item.insert("next_offset".to_owned(), json!(next));
        }
    }
    item
}
