//! `update_procedure`

use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{arguments::ProcedureArgument, views::warned};
use crate::{
    library::{DefinitionPatch, LibraryError, Naming, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset, parse, take_fields},
    },
};

/// The fields of the definition that are listed where not everything is.
const USUAL: [&str; 7] = ["description", "steps", "parameters", "examples", "tags", "status", "enabled"];
/// What [`Own`] takes.
const OWN_FIELDS: [&str; 6] =
    ["procedure_id", "expected_version", "name", "former_names", "example_run", "accept_failing_examples"];

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
    procedure_id: ProcedureArgument,
    /// Refused if no longer current.
    expected_version: Option<u32>,
    /// A new one; the old one stays an alias.
    name: Option<String>,
    /// The aliases that stay.
    former_names: Option<Vec<String>>,
    /// A run to keep as an example.
    example_run: Option<String>,
    #[serde(default)]
    accept_failing_examples: bool,
}

/// `remember_procedure` describes the same fields in full; clients would pay for all of that twice.
fn refer_to_remember(schema: &mut JsonObject) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    let fields = properties.iter_mut().filter(|(name, _)| !OWN_FIELDS.contains(&name.as_str()));
    for field in fields.filter_map(|(_, field)| field.as_object_mut()) {
        let items = field.get("items").map(types_of);
        field.retain(|key, _| ["type", "anyOf", "enum"].contains(&key.as_str()));
        field.extend(items.map(|items| ("items".to_owned(), items)));
    }
}

fn types_of(schema: &Value) -> Value {
    match schema.get("anyOf").and_then(Value::as_array) {
        Some(alternatives) => json!({"anyOf": alternatives.iter().map(types_of).collect::<Vec<_>>()}),
        None => json!({"type": schema.get("type")}),
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
    trigger_warning: Option<String>,
}

impl Answer for Output {}

impl Tool for UpdateProcedure {
    const NAME: &'static str = "update_procedure";
    const DESCRIPTION: &'static str = "Change fields of a definition, as remember_procedure takes them.";
    const TOOLSET: Toolset = Toolset::Procedures;
    const EFFECT: Effect = Effect::Changes;
    type Params = Params;
    type Output = Output;

    fn abridge(properties: &mut Map<String, Value>) {
        properties.retain(|name, _| OWN_FIELDS.contains(&name.as_str()) || USUAL.contains(&name.as_str()));
    }

    fn shorten(schema: &mut JsonObject) {
        refer_to_remember(schema);
    }

    fn parse(mut arguments: Map<String, Value>) -> Result<Params, LibraryError> {
        let own = parse(take_fields(&mut arguments, &OWN_FIELDS))?;
        Ok(Params { own, fields: parse(arguments)? })
    }

    async fn call(services: &Services, params: Params, context: &CallContext) -> Result<Output, LibraryError> {
        let Own { procedure_id, expected_version, name, former_names, example_run, accept_failing_examples } =
            params.own;
        let (wanted, fields) = (ProcedureRef::from(procedure_id), params.fields);
        let naming = Naming { name, former_names };
        let row = context
            .consented(services, |by| {
                let by = by.accepting_failing(accept_failing_examples);
                let (wanted, fields, naming, run) =
                    (wanted.clone(), fields.clone(), naming.clone(), example_run.clone());
                services.blocking(move |library| match run {
                    None => library.update(&wanted, expected_version, &fields, &naming, &by),
                    Some(run) => library
                        .keep_run(&run, Some(&wanted), (&fields, &naming), expected_version, &by)
                        .map(|kept| kept.0),
                })
            })
            .await?;
        let (row, trigger_warning) = warned(services, row).await?;
        Ok(Output {
            procedure_id: row.id,
            name: row.definition.name.to_string(),
            version: row.version,
            status: row.definition.status.as_str(),
            enabled: row.definition.enabled,
            trigger_warning,
        })
    }
}
