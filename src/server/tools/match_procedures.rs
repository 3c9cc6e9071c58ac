//! `match_procedures`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{arguments::limit, views::ProcedureView};
use crate::{
    library::{LibraryError, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Finds procedures by their triggers.
pub struct MatchProcedures;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What is the case; of an event its `event_type`.
    context: Map<String, Value>,
    limit: Option<u32>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    #[schemars(with = "Vec<Map<String, Value>>")]
    procedures: Vec<ProcedureView>,
}

impl Answer for Output {}

impl Tool for MatchProcedures {
    const NAME: &'static str = "match_procedures";
    const DESCRIPTION: &'static str = "Find procedures whose trigger fits a situation.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Reads;
    const BY_DEFAULT: bool = false;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let limit = limit(params.limit, 10, 50)? as usize;
        let found = services.blocking(move |library| library.match_procedures(&params.context, limit)).await?;
        Ok(Output { count: found.len(), procedures: found.into_iter().map(ProcedureView::from).collect() })
    }
}
