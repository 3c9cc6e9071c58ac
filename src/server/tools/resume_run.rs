//! `resume_run`

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::views::ExecutionView;
use crate::{
    library::{LibraryError, Services, runs::Decision},
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
    run_id: String,
    /// Without one a step counts as done; a question is put to your user.
    decision: Option<Choice>,
    /// What the step gave, the answer, or why it is rejected.
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
    const DESCRIPTION: &'static str = "Go on with a paused run once its step is done. What it asks, your user decides.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Executes;
    type Params = Params;
    type Output = ExecutionView;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<ExecutionView, LibraryError> {
        let Params { run_id, decision, value } = params;
        let active = context.active(services).await?;
        let run = Box::pin(async {
            let (engine, agent, active) = (services.engine(), context.agent(), active.clone());
            let decision = match decision {
                Some(Choice::Approve) => Decision::Approve(value),
                Some(Choice::Reject) => Decision::Reject(value.map(|reason| match reason {
                    Value::String(text) => text,
                    other => other.to_string(),
                })),
                None => return engine.resume_undecided(&run_id, value, agent, active).await,
            };
            engine.resume(&run_id, decision, agent, active).await
        });
        Ok(ExecutionView::from(context.watch_run(&active, run).await?).advised(services, context))
    }
}
