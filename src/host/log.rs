//! `log`: a line in the run's output.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    action::Action,
    context::{HostContext, parse},
    function::{Fallible, HostFunction, Perform, as_given, as_said},
};
use crate::{
    domain::Nature,
    runtime::{PythonError, Reply},
};

const NAME: &str = "log";

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: |_, _| Nature::Immediate,
    grant: None,
    fallible: Fallible::No,
    shown: as_given,
    said: as_said,
    perform: Perform::AtOnce(call),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    message: Value,
}

fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let Arguments { message } = parse(NAME, arguments)?;
    match message {
        Value::String(text) => context.capture.push(&text),
        other => context.capture.push(&other.to_string()),
    }
    context.capture.push("\n");
    Ok(Action::Reply(Reply::Value(Value::Null)))
}
