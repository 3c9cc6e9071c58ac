//! What every host function is given, how it reads its arguments, and how it answers.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{action::Action, grants::Grants};
use crate::{
    config::Config,
    domain::host_module,
    downstream::Downstream,
    runtime::{Budget, Capture, PythonError, Reply},
};

/// What a host function may use.
#[derive(Debug)]
pub struct HostContext<'a> {
    /// What the policy and the procedure allow.
    pub grants: &'a Grants,
    /// Output of the run.
    pub capture: &'a Capture,
    /// Time left, and cancellation.
    pub budget: &'a Arc<Budget>,
    /// The downstream MCP servers.
    pub downstream: &'a Downstream,
    /// The settings of the home.
    pub config: &'a Config,
}

/// Arguments as a typed value.
pub(super) fn parse<T: DeserializeOwned>(function: &str, arguments: Map<String, Value>) -> Result<T, PythonError> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| PythonError::new("TypeError", format!("{function}(): {error}")))
}

/// Goes on with `fields` as what the stub says that `function` gives.
pub(super) fn answer(function: &str, fields: Map<String, Value>) -> Action {
    Action::Reply(match host_module::class_of(function) {
        Some(class) => Reply::Instance { class: class.name, fields },
        None => Reply::Value(Value::Object(fields)),
    })
}

/// When a call has to be done: after `timeout` seconds, where the code says so, and with the run at the latest.
pub(super) fn deadline(function: &str, timeout: Option<f64>, budget: &Budget) -> Result<Instant, PythonError> {
    let Some(seconds) = timeout else { return Ok(budget.deadline) };
    if seconds <= 0.0 || seconds.is_nan() {
        let message = format!("{function}(): `timeout` is {seconds}; it is a number of seconds above 0");
        return Err(PythonError::new("ValueError", message));
    }
    // Longer than the clock can count is longer than the run.
    let own = Duration::try_from_secs_f64(seconds).ok().and_then(|limit| Instant::now().checked_add(limit));
    Ok(own.map_or(budget.deadline, |own| own.min(budget.deadline)))
}
