//! `call_procedure`: run another procedure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    action::Action,
    context::parse,
    function::{Fallible, HostFunction, Perform, as_given, as_said},
    numbers::duration,
};
use crate::{domain::Nature, runtime::PythonError};

const NAME: &str = "call_procedure";

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: |_, _| Nature::Nested,
    grant: None,
    fallible: Fallible::Yes,
    shown: as_given,
    said: as_said,
    perform: Perform::AtOnce(|arguments, _| call(arguments)),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are named as in Python")]
struct Arguments {
    name: String,
    #[serde(default)]
    arguments: Option<Map<String, Value>>,
    /// Read by [`time_limit`].
    #[serde(rename = "timeout")]
    _timeout: Option<f64>,
}

/// How long a procedure that is called with these arguments may take.
pub fn time_limit(arguments: &Map<String, Value>) -> Option<Duration> {
    arguments.get("timeout").and_then(Value::as_f64).map(duration)
}

fn call(arguments: Map<String, Value>) -> Result<Action, PythonError> {
    let Arguments { name, arguments, .. } = parse(NAME, arguments)?;
    Ok(Action::CallProcedure { name, arguments: arguments.unwrap_or_default() })
}
