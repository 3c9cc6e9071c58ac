//! `cancel_run`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    library::{LibraryError, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Stops a run.
pub struct CancelRun;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    run_id: String,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    run_id: String,
}

impl Answer for Output {}

impl Tool for CancelRun {
    const NAME: &'static str = "cancel_run";
    const DESCRIPTION: &'static str = "Stop a run that is executing or paused.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        services.engine().cancel(&params.run_id).await?;
        Ok(Output { run_id: params.run_id })
    }
}
