//! `manual_step`: hand a step to the agent or a person.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, parse};
use crate::sandbox::PythonError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    instruction: String,
}

pub fn call(arguments: Map<String, Value>) -> Result<Action, PythonError> {
    let Arguments { instruction } = parse("manual_step", arguments)?;
    Ok(Action::Pause { instruction })
}
