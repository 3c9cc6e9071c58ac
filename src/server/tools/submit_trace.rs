//! `submit_trace`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    domain::recording::{RecordedCall, Recording},
    library::{LibraryError, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        tool::{Effect, Tool, Toolset},
    },
};

/// Takes what was done for a task.
pub struct SubmitTrace;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The task as it was given.
    prompt: String,
    /// All, in order: `{tool, arguments, result, is_error}`.
    #[schemars(with = "Vec<Map<String, Value>>")]
    calls: Vec<Call>,
    session_name: Option<String>,
}

/// A call as clients write it.
#[derive(Debug, Deserialize)]
struct Call {
    #[serde(alias = "name", alias = "tool_name")]
    tool: String,
    #[serde(default, alias = "input", alias = "tool_input")]
    arguments: Option<Value>,
    #[serde(default, alias = "output", alias = "tool_response")]
    result: Option<Value>,
    #[serde(default)]
    is_error: Option<bool>,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    candidate_id: Option<i64>,
    /// Number, name, status, steps and parameters.
    procedure: Map<String, Value>,
    not_granted: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl Answer for Output {}

impl Tool for SubmitTrace {
    const NAME: &'static str = "submit_trace";
    const DESCRIPTION: &'static str =
        "Make a candidate of what you just did; a second time with other values shows its parameters.";
    const TOOLSET: Toolset = Toolset::Learning;
    const EFFECT: Effect = Effect::Adds;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let Params { prompt, calls, session_name } = params;
        let calls = (1..).zip(calls).map(|(number, call)| recorded(number, call)).collect::<Result<_, _>>()?;
        let recording = Recording { prompt, calls };
        let made = services.record(recording, session_name, false).await?;
        let Some(made) = made else {
            return Err(LibraryError::invalid_with_hint(
                "nothing was done in these calls that could be done again",
                "give all calls, with `is_error` for those that failed",
            ));
        };
        let (definition, missing) = (made.definition, made.missing);
        let procedure = json!({
            "id": made.procedure_id, "name": made.name, "status": made.status, "steps": definition.steps, "parameters": definition.parameters,
        });
        let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
        Ok(Output {
            candidate_id: made.candidate_id,
            procedure: fields(procedure),
            not_granted: fields(json!(missing)),
            note: made.is_known.then_some("the same task was recorded before"),
        })
    }
}

fn recorded(number: usize, call: Call) -> Result<RecordedCall, LibraryError> {
    let arguments = match call.arguments {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(fields)) => fields,
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(fields)) => fields,
            _ => [("command".to_owned(), Value::String(text))].into_iter().collect(),
        },
        Some(_) => return Err(LibraryError::invalid(format!("`arguments` of call {number} must be an object"))),
    };
    Ok(RecordedCall { tool: call.tool, arguments, result: call.result, is_error: call.is_error.unwrap_or_default() })
}
