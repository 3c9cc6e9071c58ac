//! `update_procedure`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::ProcedureArgument;
use crate::{
    library::{DefinitionPatch, LibraryError, ProcedureRef, Services},
    server::{
        progress::CallContext,
        tool::{Answer, Effect, Tool, Toolset},
    },
};

/// Changes fields of a definition.
pub struct UpdateProcedure;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Params {
    /// Number or name.
    procedure_id: ProcedureArgument,
    /// The version that you read; the update is refused if it is no longer current.
    expected_version: Option<u32>,
    #[serde(flatten)]
    fields: DefinitionPatch,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: i64,
    name: String,
    version: u32,
    status: &'static str,
    enabled: bool,
}

impl Answer for Output {}

impl Tool for UpdateProcedure {
    const NAME: &'static str = "update_procedure";
    const DESCRIPTION: &'static str = "Change fields of a procedure's definition; fields you leave out stay. Code is \
        changed with generate_procedure_code.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let wanted = ProcedureRef::from(params.procedure_id);
        let (expected, fields) = (params.expected_version, params.fields);
        let row = services.blocking(move |library| library.update(&wanted, expected, &fields)).await?;
        Ok(Output {
            procedure_id: row.id,
            name: row.definition.name.to_string(),
            version: row.version,
            status: row.definition.status.as_str(),
            enabled: row.definition.enabled,
        })
    }
}
