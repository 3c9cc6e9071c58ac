//! `manual_step`, `approve` and `ask`: what waits for somebody's decision. Nothing is done here: the engine pauses.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{action::GateRequest, context::parse};
use crate::{domain::GateKind, runtime::monty::PythonError};

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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    question: String,
    choices: Option<Vec<String>>,
    timeout: Option<f64>,
}

/// Whether a host function is a gate.
#[must_use]
pub fn is_gate(function: &str) -> bool {
    matches!(function, "manual_step" | "approve" | "ask")
}

/// What a call of a gate asks for.
///
/// # Errors
/// A `TypeError` or `ValueError` that names the argument.
pub fn gate(function: &str, arguments: Map<String, Value>) -> Result<GateRequest, PythonError> {
    let request = |kind, question, choices, timeout| GateRequest { kind, question, choices, timeout };
    Ok(match function {
        "approve" => {
            let Approval { message, timeout } = read(function, arguments)?;
            request(GateKind::Approval, message, Vec::new(), limit(function, timeout)?)
        }
        "ask" => {
            let Asking { question, choices, timeout } = read(function, arguments)?;
            let choices = choices.unwrap_or_default();
            request(GateKind::Question, question, choices, limit(function, timeout)?)
        }
        _ => {
            let Step { instruction } = read(function, arguments)?;
            request(GateKind::Step, instruction, Vec::new(), None)
        }
    })
}

fn read<T: DeserializeOwned>(function: &str, arguments: Map<String, Value>) -> Result<T, PythonError> {
    let text = ["instruction", "message", "question"].iter().find_map(|name| arguments.get(*name)?.as_str());
    if text.is_some_and(|text| text.trim().is_empty()) {
        return Err(PythonError::new("ValueError", format!("{function}(): the text is empty; say what is wanted")));
    }
    parse(function, arguments)
}

fn limit(function: &str, seconds: Option<f64>) -> Result<Option<Duration>, PythonError> {
    let Some(seconds) = seconds else { return Ok(None) };
    match Duration::try_from_secs_f64(seconds) {
        Ok(limit) if !limit.is_zero() => Ok(Some(limit)),
        _ => {
            let message = format!("{function}(): `timeout` is {seconds}; it is a number of seconds above 0");
            Err(PythonError::new("ValueError", message))
        }
    }
}
