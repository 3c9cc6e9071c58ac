//! `call_procedure`: run another procedure.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    action::Action,
    context::parse,
    function::{Fallible, HostFunction, Perform, as_given},
};
use crate::{domain::Nature, runtime::PythonError};

const NAME: &str = "call_procedure";

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: |_, _| Nature::Nested,
    grant: None,
    fallible: Fallible::Yes,
    shown: as_given,
    perform: Perform::AtOnce(|arguments, _| call(arguments)),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    name: String,
    #[serde(default)]
    arguments: Option<Map<String, Value>>,
}

fn call(arguments: Map<String, Value>) -> Result<Action, PythonError> {
    let Arguments { name, arguments } = parse(NAME, arguments)?;
    Ok(Action::CallProcedure { name, arguments: arguments.unwrap_or_default() })
}
