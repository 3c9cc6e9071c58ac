//! `complete_workflow`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    domain::{learning::Ended, workflow::Counts},
    library::{LibraryError, OutcomeDraft, Services, outcome_id},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Stores how a run ended.
pub struct CompleteWorkflow;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    workflow_id: String,
    run_id: String,
    outcome: Ended,
    duration_ms: i64,
    node_count: i64,
    nodes_succeeded: i64,
    nodes_failed: i64,
    /// If so.
    error_message: Option<String>,
    /// Names or objects.
    #[serde(default)]
    artifacts: Vec<Value>,
    /// False: learn nothing from it.
    extract: Option<bool>,
    /// False: keep the checkpoints.
    cleanup_checkpoints: Option<bool>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    outcome_id: String,
    /// False: the same was stored before, and nothing changed.
    is_new: bool,
    learnings_extracted: usize,
    /// For `review_candidate`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidate_ids: Vec<i64>,
    checkpoints_deleted: usize,
}

impl Answer for Output {}

impl Tool for CompleteWorkflow {
    const NAME: &'static str = "complete_workflow";
    const DESCRIPTION: &'static str = "Store how a run ended, once, and learn from it; its checkpoints go.";
    const TOOLSET: Toolset = Toolset::Checkpoints;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let outcome_id = outcome_id(&params.run_id);
        let draft = OutcomeDraft {
            workflow_id: params.workflow_id,
            run_id: params.run_id,
            ended: params.outcome,
            counts: Counts {
                duration_ms: params.duration_ms,
                node_count: params.node_count,
                nodes_succeeded: params.nodes_succeeded,
                nodes_failed: params.nodes_failed,
            },
            error_message: params.error_message,
            artifacts: params.artifacts,
            extract: params.extract.unwrap_or(true),
            cleanup_checkpoints: params.cleanup_checkpoints.unwrap_or(true),
        };
        let completed = services.blocking(move |library| library.complete_workflow(&draft)).await?;
        Ok(Output {
            outcome_id,
            is_new: completed.is_new,
            learnings_extracted: completed.candidates.len(),
            candidate_ids: completed.candidates,
            checkpoints_deleted: completed.checkpoints_deleted,
        })
    }
}
