//! `log`: a line in the run's output.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    action::Action,
    context::{HostContext, parse},
};
use crate::runtime::monty::{PythonError, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    message: Value,
}

pub fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let Arguments { message } = parse("log", arguments)?;
    match message {
        Value::String(text) => context.capture.push(&text),
        other => context.capture.push(&other.to_string()),
    }
    context.capture.push("\n");
    Ok(Action::Reply(Reply::Value(Value::Null)))
}
