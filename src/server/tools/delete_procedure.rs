//! `delete_procedure`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::ProcedureArgument;
use crate::{
    library::{LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Removes a procedure.
pub struct DeleteProcedure;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    procedure_id: ProcedureArgument,
    /// Refused if no longer current.
    expected_version: Option<u32>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: i64,
    name: String,
    /// Its history and stats stay readable; remembering the same name brings it back.
    last_version: u32,
}

impl Answer for Output {}

impl Tool for DeleteProcedure {
    const NAME: &'static str = "delete_procedure";
    const DESCRIPTION: &'static str = "Remove a procedure. Its history and stats stay.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let wanted = ProcedureRef::from(params.procedure_id);
        let row = services.blocking(move |library| library.delete(&wanted, params.expected_version)).await?;
        Ok(Output { procedure_id: row.id, name: row.definition.name.to_string(), last_version: row.version })
    }
}
