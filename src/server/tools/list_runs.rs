//! `list_runs`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    arguments::{ProcedureArgument, limit},
    views::RunSummary,
};
use crate::{
    domain::{RunFilter, RunStatus},
    library::{LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Lists runs.
pub struct ListRuns;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Only of this procedure, by number or name.
    procedure_id: Option<ProcedureArgument>,
    status: Option<RunStatus>,
    limit: Option<u32>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    count: usize,
    runs: Vec<RunSummary>,
}

impl Answer for Output {}

impl Tool for ListRuns {
    const NAME: &'static str = "list_runs";
    const DESCRIPTION: &'static str = "List the latest runs; with status `paused`, those that wait for you.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let limit = limit(params.limit, 20, 100)?;
        let wanted = params.procedure_id.map(ProcedureRef::from);
        let runs = services
            .blocking(move |library| {
                let procedure = wanted.map(|wanted| library.procedure_or_removed(&wanted)).transpose()?;
                let filter = RunFilter { procedure_id: procedure.map(|row| row.id), status: params.status };
                library.runs(&filter, limit)
            })
            .await?;
        Ok(Output { count: runs.len(), runs: runs.into_iter().map(RunSummary::from).collect() })
    }
}
