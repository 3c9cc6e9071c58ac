//! `update_procedure`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::arguments::ProcedureArgument;
use crate::{
    library::{DefinitionPatch, LibraryError, ProcedureRef, Services},
    server::{
        progress::CallContext,
        tool::{Answer, Effect, Tool, Toolset, parse, take_fields},
    },
};

/// Changes fields of a definition.
pub struct UpdateProcedure;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Params {
    #[serde(flatten)]
    own: Own,
    #[serde(flatten)]
    fields: DefinitionPatch,
}

/// What is not a field of the definition.
#[derive(Debug, Deserialize, JsonSchema)]
struct Own {
    /// Number or name.
    procedure_id: ProcedureArgument,
    /// The version that you read; the update is refused if it is no longer current.
    expected_version: Option<u32>,
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

    fn parse(mut arguments: Map<String, Value>) -> Result<Params, LibraryError> {
        let own = parse(take_fields(&mut arguments, &["procedure_id", "expected_version"]))?;
        Ok(Params { own, fields: parse(arguments)? })
    }

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let Own { procedure_id, expected_version } = params.own;
        let (wanted, fields) = (ProcedureRef::from(procedure_id), params.fields);
        let row = services.blocking(move |library| library.update(&wanted, expected_version, &fields)).await?;
        Ok(Output {
            procedure_id: row.id,
            name: row.definition.name.to_string(),
            version: row.version,
            status: row.definition.status.as_str(),
            enabled: row.definition.enabled,
        })
    }
}
