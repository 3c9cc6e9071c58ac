//! `list_procedures`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    arguments::limit,
    views::{BrokenView, ProcedureView},
};
use crate::{
    domain::{ProcedureFilter, Status},
    library::{LibraryError, Pending, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Lists procedures.
pub struct ListProcedures;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    limit: Option<u32>,
    #[serde(default)]
    offset: u32,
    category: Option<String>,
    tag: Option<String>,
    status: Option<Status>,
    /// False: only your own.
    include_shared: Option<bool>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    total: u64,
    /// The `offset` of the next page.
    next_offset: Option<u64>,
    procedures: Vec<ProcedureView>,
    /// What was pushed and can't be used, by name; a procedure stays as it was.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "Map<String, Value>")]
    broken: BTreeMap<String, BrokenView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<WaitingView>,
}

/// What waits for the user, where anything does.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct WaitingView {
    #[serde(skip_serializing_if = "is_zero")]
    candidates: u64,
    #[serde(skip_serializing_if = "is_zero")]
    inbox: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<Pending> for WaitingView {
    fn from(Pending { candidates, inbox }: Pending) -> Self {
        Self { candidates, inbox }
    }
}

impl Answer for Output {}

impl Tool for ListProcedures {
    const NAME: &'static str = "list_procedures";
    const DESCRIPTION: &'static str = "List procedures. For a task, use recall_procedures.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Reads;
    const RARE: &'static [&'static str] = &["include_shared"];
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let (limit, offset) = (limit(params.limit, 50, 200)?, params.offset);
        let (rows, total, broken, pending) = services
            .blocking(move |library| {
                let filter = ProcedureFilter {
                    category: params.category.as_deref(),
                    tag: params.tag.as_deref(),
                    status: params.status,
                    own_only: params.include_shared == Some(false),
                    ..ProcedureFilter::default()
                };
                let (rows, total) = library.list(&filter, limit, offset)?;
                Ok((rows, total, library.all_broken()?, library.pending()?))
            })
            .await?;
        let end = u64::from(offset) + rows.len() as u64;
        Ok(Output {
            count: rows.len(),
            total,
            next_offset: (end < total && !rows.is_empty()).then_some(end),
            procedures: rows.into_iter().map(ProcedureView::from).collect(),
            broken: broken.into_iter().map(|(name, broken)| (name, broken.into())).collect(),
            waiting: (pending != Pending::default()).then(|| pending.into()),
        })
    }
}
