//! `recall_procedures`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    arguments::{limit, share},
    memory_view::{OutcomeView, outcome_item, procedure_item, shown, token_limit},
    views::{ProcedureView, rounded},
};
use crate::{
    domain::scope::Level,
    library::{Group, LibraryError, OutcomeQuery, RecallFilter, RecallScope, Section, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Finds procedures by words.
pub struct RecallProcedures;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What you want to do, in a few words.
    query: String,
    limit: Option<u32>,
    category: Option<String>,
    tag: Option<String>,
    /// Of the code, 0 to 1.
    min_confidence: Option<f64>,
    /// False: only your own.
    include_shared: Option<bool>,
    #[serde(default)]
    include_code: bool,
    /// By default the innermost id, else `tenant`. Below, `query` may be empty.
    scope: Option<Level>,
    workflow_id: Option<String>,
    run_id: Option<String>,
    node_id: Option<String>,
    /// And how runs ended.
    #[serde(default)]
    include_workflow_outcomes: bool,
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
    procedures: Option<Vec<ProcedureView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<serde_json::Map<String, serde_json::Value>>>")]
    outcomes: Option<Vec<OutcomeView>>,
    prompt: Option<String>,
    /// Did not fit.
    left_out: Option<usize>,
}

impl Answer for Output {}

impl Tool for RecallProcedures {
    const NAME: &'static str = "recall_procedures";
    const DESCRIPTION: &'static str =
        "Look for a known procedure before you work something out yourself. Best match first, or none.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Reads;
    const RARE: &'static [&'static str] = &[
        "include_shared",
        "scope",
        "workflow_id",
        "run_id",
        "node_id",
        "include_workflow_outcomes",
        "as_prompt",
        "max_tokens",
    ];
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let limit = limit(params.limit, 5, 50)? as usize;
        let min_confidence = params.min_confidence.map(|least| share("min_confidence", least)).transpose()?;
        let max_tokens = token_limit(params.max_tokens)?;
        let own_only = params.include_shared == Some(false);
        let filter = RecallFilter { category: params.category, tag: params.tag, min_confidence, own_only, only: None };
        let Params { query, scope, workflow_id, run_id, node_id, include_code, .. } = params;
        let scope = RecallScope { level: scope, workflow_id, run_id, node_id };
        let with_outcomes = params.include_workflow_outcomes;
        let (found, outcomes) = services
            .blocking(move |library| {
                let found = library.recall_within(&scope, &query, limit, filter)?;
                let most = u32::try_from(limit).unwrap_or(u32::MAX);
                let query = OutcomeQuery { text: Some(query), scope: scope.or_tenant(), ended: None, limit: most };
                let outcomes = with_outcomes.then(|| library.recall_outcomes(&query)).transpose()?;
                Ok((found, outcomes))
            })
            .await?;
        if params.as_prompt {
            let known = Group { heading: "Known procedures", items: found.iter().map(procedure_item).collect() };
            let past = outcomes.iter().flatten().map(outcome_item).collect();
            let section = Section::of(&[known, Group { heading: "Past runs", items: past }], max_tokens);
            let count = section.count;
            let (prompt, left_out) = shown(section);
            return Ok(Output { count, procedures: None, outcomes: None, prompt, left_out });
        }
        let procedures: Vec<ProcedureView> = found
            .into_iter()
            .map(|found| {
                let code = found.procedure.code.clone().filter(|_| include_code);
                ProcedureView { code, score: Some(rounded(found.score)), ..ProcedureView::from(found.procedure) }
            })
            .collect();
        let outcomes = outcomes.map(|outcomes| outcomes.into_iter().map(OutcomeView::from).collect());
        Ok(Output { count: procedures.len(), procedures: Some(procedures), outcomes, prompt: None, left_out: None })
    }
}
