//! `resume_run`

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::views::ExecutionView;
use crate::{
    library::{
        LibraryError, Services,
        runs::{Active, Decision},
    },
    server::{
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Goes on with a paused run.
pub struct ResumeRun;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// From `execute_procedure` or `list_runs`.
    run_id: String,
    /// `approve` (the default): the step is done. `reject`: it won't be; the code sees an error.
    decision: Option<Choice>,
    /// What the step gave, or why it was rejected. Any JSON value.
    value: Option<Value>,
}

/// Whether the step was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Choice {
    Approve,
    Reject,
}

impl Tool for ResumeRun {
    const NAME: &'static str = "resume_run";
    const DESCRIPTION: &'static str = "Go on with a paused run after you, or your user, did what it waits for.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Executes;
    type Params = Params;
    type Output = ExecutionView;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<ExecutionView, LibraryError> {
        let decision = match (params.decision, params.value) {
            (Some(Choice::Reject), reason) => Decision::Reject(reason.map(|reason| match reason {
                Value::String(text) => text,
                other => other.to_string(),
            })),
            (_, value) => Decision::Approve(value.unwrap_or_default()),
        };
        let active = Active::default();
        let run = services.engine().resume(&params.run_id, decision, active.clone());
        Ok(context.watch_run(&active, run).await?.into())
    }
}
