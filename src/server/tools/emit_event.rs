//! `emit_event`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::views::ExecutionView;
use crate::{
    domain::{Hinted as _, Outcome, RunStatus},
    library::{LibraryError, Services, Triggered, runs::Refused},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Runs what an event calls for.
pub struct EmitEvent;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What happened, such as `meeting_ended`.
    event_type: String,
    /// Its fields.
    #[serde(default)]
    payload: Map<String, Value>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    #[schemars(with = "Vec<Map<String, Value>>")]
    runs: Vec<RunView>,
}

#[derive(Debug, Serialize)]
struct RunView {
    procedure_id: i64,
    name: String,
    #[serde(flatten)]
    end: RunEnd,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct RunEnd {
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<RunStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<String>,
}

impl From<Triggered> for RunView {
    fn from(triggered: Triggered) -> Self {
        let Triggered { procedure_id, name, execution } = triggered;
        match execution {
            Ok(execution) => {
                let view = ExecutionView::from(execution);
                let error_code = view.error_code();
                let end = RunEnd {
                    run_id: Some(view.run_id),
                    outcome: Some(view.outcome),
                    status: Some(view.status),
                    result: view.result,
                    output: view.output,
                    waiting_for: view.waiting_for,
                };
                Self { procedure_id, name, end, error_code, error: view.error }
            }
            Err(Refused { error, run_id }) => Self {
                procedure_id,
                name,
                end: RunEnd { run_id, ..RunEnd::default() },
                error_code: Some(error.code()),
                error: Some(error.in_full()),
            },
        }
    }
}

impl Answer for Output {}

impl Tool for EmitEvent {
    const NAME: &'static str = "emit_event";
    const DESCRIPTION: &'static str = "Say that something happened: runs procedures whose trigger fits.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Executes;
    const BY_DEFAULT: bool = false;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<Output, LibraryError> {
        let active = context.active(services).await?;
        let runs = services.emit_event(params.event_type, params.payload, &active);
        let runs: Vec<RunView> = context.watch_run(&active, runs).await?.into_iter().map(RunView::from).collect();
        Ok(Output { count: runs.len(), runs })
    }
}
