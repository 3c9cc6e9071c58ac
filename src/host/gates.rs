//! `manual_step`, `approve` and `ask`: what waits for somebody's decision. Nothing is done here: the engine pauses.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{action::GateRequest, context::parse, function::HostFunction, numbers::duration};
use crate::{domain::GateKind, runtime::PythonError};

pub const MANUAL_STEP: HostFunction = HostFunction::gate("manual_step", GateKind::Step, manual_step);
pub const APPROVE: HostFunction = HostFunction::gate("approve", GateKind::Approval, approve);
pub const ASK: HostFunction = HostFunction::gate("ask", GateKind::Question, ask);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    instruction: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    message: String,
    timeout: Option<f64>,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    question: String,
    choices: Option<Vec<String>>,
    timeout: Option<f64>,
}

fn manual_step(kind: GateKind, arguments: Map<String, Value>) -> Result<GateRequest, PythonError> {
    let Step { instruction } = read(MANUAL_STEP.name, arguments)?;
    Ok(GateRequest { kind, question: instruction, choices: Vec::new(), timeout: None, optional: false })
}

fn approve(kind: GateKind, arguments: Map<String, Value>) -> Result<GateRequest, PythonError> {
    let Approval { message, timeout, optional } = read(APPROVE.name, arguments)?;
    Ok(GateRequest { kind, question: message, choices: Vec::new(), timeout: timeout.map(duration), optional })
}

fn ask(kind: GateKind, arguments: Map<String, Value>) -> Result<GateRequest, PythonError> {
    let Asking { question, choices, timeout } = read(ASK.name, arguments)?;
    let choices = choices.unwrap_or_default();
    Ok(GateRequest { kind, question, choices, timeout: timeout.map(duration), optional: false })
}

fn read<T: DeserializeOwned>(function: &str, arguments: Map<String, Value>) -> Result<T, PythonError> {
    let text = ["instruction", "message", "question"].iter().find_map(|name| arguments.get(*name)?.as_str());
    if text.is_some_and(|text| text.trim().is_empty()) {
        return Err(PythonError::new("ValueError", format!("{function}(): the text is empty; say what is wanted")));
    }
    parse(function, arguments)
}
