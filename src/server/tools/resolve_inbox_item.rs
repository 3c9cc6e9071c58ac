//! `resolve_inbox_item`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    library::{LibraryError, Services, rfc3339_ms},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Takes an item out of the inbox.
pub struct ResolveInboxItem;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// `id` from `list_inbox`.
    item_id: i64,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    item_id: i64,
    resolved_at: String,
    resolved_by: String,
}

impl Answer for Output {}

impl Tool for ResolveInboxItem {
    const NAME: &'static str = "resolve_inbox_item";
    const DESCRIPTION: &'static str = "Take an item out of the inbox once it is seen or done.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<Output, LibraryError> {
        let by = context.agent();
        let row = services.blocking(move |library| library.resolve_inbox_item(params.item_id, &by)).await?;
        Ok(Output {
            item_id: row.id,
            resolved_at: rfc3339_ms(row.resolved_at.unwrap_or_default()),
            resolved_by: row.resolved_by.unwrap_or_default(),
        })
    }
}
