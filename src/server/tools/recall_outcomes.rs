//! `recall_outcomes`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    arguments::limit,
    memory_view::{OutcomeView, outcome_item, shown, token_limit},
};
use crate::{
    domain::{learning::Ended, scope::Level},
    library::{Group, LibraryError, OutcomeQuery, RecallScope, Section, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Finds outcomes.
pub struct RecallOutcomes;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Words; the newest without.
    query: Option<String>,
    /// By default the innermost id, else `user`.
    scope: Option<Level>,
    workflow_id: Option<String>,
    run_id: Option<String>,
    node_id: Option<String>,
    /// Only these.
    outcome: Option<Ended>,
    limit: Option<u32>,
    /// As Markdown in `prompt`.
    #[serde(default)]
    as_prompt: bool,
    /// Of it; 2000 by default.
    max_tokens: Option<u32>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcomes: Option<Vec<OutcomeView>>,
    prompt: Option<String>,
    /// Did not fit.
    left_out: Option<usize>,
}

impl Answer for Output {}

impl Tool for RecallOutcomes {
    const NAME: &'static str = "recall_outcomes";
    const DESCRIPTION: &'static str = "See how earlier runs ended before you start one.";
    const TOOLSET: Toolset = Toolset::Checkpoints;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let max_tokens = token_limit(params.max_tokens)?;
        let Params { scope, workflow_id, run_id, node_id, .. } = params;
        let query = OutcomeQuery {
            text: params.query,
            scope: RecallScope { level: scope, workflow_id, run_id, node_id },
            ended: params.outcome,
            limit: limit(params.limit, 10, 100)?,
        };
        let found = services.blocking(move |library| library.recall_outcomes(&query)).await?;
        if params.as_prompt {
            let items = found.iter().map(outcome_item).collect();
            let section = Section::of(&[Group { heading: "Past runs", items }], max_tokens);
            let count = section.count;
            let (prompt, left_out) = shown(section);
            return Ok(Output { count, outcomes: None, prompt, left_out });
        }
        let outcomes: Vec<OutcomeView> = found.into_iter().map(OutcomeView::from).collect();
        Ok(Output { count: outcomes.len(), outcomes: Some(outcomes), prompt: None, left_out: None })
    }
}
