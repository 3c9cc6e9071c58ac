//! `update_procedure`

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::arguments::ProcedureArgument;
use crate::{
    library::{DefinitionPatch, LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset, parse, take_fields},
    },
};

/// What [`Own`] takes.
const OWN_FIELDS: [&str; 2] = ["procedure_id", "expected_version"];

/// Changes fields of a definition.
pub struct UpdateProcedure;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(transform = refer_to_remember)]
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
    /// The version that you read; refused if it is no longer current.
    expected_version: Option<u32>,
}

/// `remember_procedure` describes the same fields in full; clients would pay for all of that twice.
fn refer_to_remember(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    let fields = properties.iter_mut().filter(|(name, _)| !OWN_FIELDS.contains(&name.as_str()));
    for field in fields.filter_map(|(_, field)| field.as_object_mut()) {
        let items = field.get("items").map(|items| items.get("type").map_or(json!({}), |kind| json!({"type": kind})));
        field.retain(|key, _| ["type", "anyOf", "enum"].contains(&key.as_str()));
        field.extend(items.map(|items| ("items".to_owned(), items)));
    }
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
    const DESCRIPTION: &'static str = "Change fields of a procedure's definition, as remember_procedure takes them; \
        fields you leave out stay. Code is changed with generate_procedure_code.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    fn parse(mut arguments: Map<String, Value>) -> Result<Params, LibraryError> {
        let own = parse(take_fields(&mut arguments, &OWN_FIELDS))?;
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
