//! `call_procedure`: run another procedure.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{action::Action, context::parse};
use crate::runtime::monty::PythonError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    name: String,
    #[serde(default)]
    arguments: Option<Map<String, Value>>,
}

pub fn call(arguments: Map<String, Value>) -> Result<Action, PythonError> {
    let Arguments { name, arguments } = parse("call_procedure", arguments)?;
    Ok(Action::CallProcedure { name, arguments: arguments.unwrap_or_default() })
}
