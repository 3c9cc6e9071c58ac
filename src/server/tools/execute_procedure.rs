//! `execute_procedure`

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{arguments::ProcedureArgument, views::ExecutionView};
use crate::{
    library::{LibraryError, ProcedureRef, Services},
    server::{
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Executes a procedure.
pub struct ExecuteProcedure;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    procedure_id: ProcedureArgument,
    /// Its parameters by name.
    #[serde(default)]
    parameters: Map<String, Value>,
    /// What its trigger would say.
    context: Option<Map<String, Value>>,
}

impl Tool for ExecuteProcedure {
    const NAME: &'static str = "execute_procedure";
    const DESCRIPTION: &'static str = "Run a procedure. When the outcome is `paused`, do what \
        `waiting_for` says and call resume_run.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Executes;
    const RARE: &'static [&'static str] = &["context"];
    type Params = Params;
    type Output = ExecutionView;

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<ExecutionView, LibraryError> {
        let (wanted, active) = (ProcedureRef::from(params.procedure_id), context.active(services).await?);
        // Boxed, because the state of a whole run is large.
        let run = Box::pin(services.run_now(&wanted, params.parameters, params.context, active.clone()));
        Ok(ExecutionView::from(context.watch_run(&active, run).await?).advised(services, context))
    }
}
