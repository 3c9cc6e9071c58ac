//! Procedures as tools of their own, where the user wants that: those that have earned it, at most ten.
//!
//! A call of one is a call of `execute_procedure`, so that it is answered, asks and becomes a task in the same way.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::{reply::window, schema, tools::views::ExecutionView};
use crate::{
    domain::{Procedure, visible},
    library::{Callable, CallableParameter, LibraryError, Services},
};

/// Begins their names. No tool of ours begins so.
pub const PREFIX: &str = "run_";
/// More would push out what an agent needs to find all the others.
const MOST: u32 = 10;
/// Clients put the name of the server before it, and refuse 60 characters and more of both.
const MAX_NAME_CHARS: usize = 47;
const MAX_DESCRIPTION_CHARS: usize = 300;

/// A procedure as a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcedureTool {
    /// What `tools/list` says of it.
    pub listed: Tool,
    procedure_id: i64,
}

impl ProcedureTool {
    /// The arguments with which `execute_procedure` does the same.
    #[must_use]
    pub fn call(&self, arguments: JsonObject) -> JsonObject {
        Map::from_iter([
            ("procedure_id".to_owned(), json!(self.procedure_id)),
            ("parameters".to_owned(), Value::Object(arguments)),
        ])
    }
}

/// Those there are now, the most useful first.
///
/// # Errors
/// When the procedures can't be read.
pub async fn all(services: &Services) -> Result<Vec<ProcedureTool>, LibraryError> {
    Ok(services.blocking(|library| library.callables(MOST)).await?.iter().map(tool).collect())
}

fn tool(callable: &Callable) -> ProcedureTool {
    let row = &callable.procedure;
    let mut listed = Tool::new(name_of(row), description(row), Arc::new(input(&callable.parameters)));
    listed.title = Some(row.definition.name.as_str().replace(['_', '-'], " "));
    let mut output = schema::output::<ExecutionView>();
    if let Some(Value::Object(properties)) = output.get_mut("properties") {
        properties.insert("result".to_owned(), schema::of_answer(&callable.result));
    }
    listed.output_schema = Some(Arc::new(output));
    let mut annotations = ToolAnnotations::new();
    let only_reads = callable.only_computes || callable.only_reads;
    annotations.read_only_hint = Some(only_reads);
    annotations.destructive_hint = (!only_reads).then_some(true);
    annotations.open_world_hint = Some(callable.reaches_out);
    listed.annotations = Some(annotations);
    ProcedureTool { listed, procedure_id: row.id }
}

/// Clients take ASCII only. What does not fit is called by its number.
fn name_of(row: &Procedure) -> String {
    let name = format!("{PREFIX}{}", row.definition.name.as_str().replace('-', "_"));
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    // Two that differ only in what was replaced have each its number.
    let is_as_written = !row.definition.name.as_str().contains('-');
    if is_plain && is_as_written && name.len() <= MAX_NAME_CHARS {
        name
    } else {
        format!("{PREFIX}procedure_{}", row.id)
    }
}

fn description(row: &Procedure) -> String {
    let (text, _) = window(&visible(&row.definition.description), 0, MAX_DESCRIPTION_CHARS);
    if text.trim().is_empty() { format!("Run the procedure `{}`.", row.definition.name) } else { text }
}

fn input(parameters: &[CallableParameter]) -> JsonObject {
    let mut properties = Map::new();
    for parameter in parameters {
        let description = parameter.description.as_deref().map(|text| visible(text).into_owned());
        properties.insert(parameter.name.clone(), schema::of_argument(&parameter.shape, description));
    }
    let required: Vec<&str> =
        parameters.iter().filter(|parameter| parameter.is_required).map(|parameter| &*parameter.name).collect();
    let mut schema =
        Map::from_iter([("type".to_owned(), json!("object")), ("properties".to_owned(), properties.into())]);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}
