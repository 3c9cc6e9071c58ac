//! What every host function is given, how it reads its arguments, and how it answers.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{action::Action, grants::Grants, numbers::duration};
use crate::{
    config::Config,
    domain::host_module,
    downstream::Downstream,
    models::Meter,
    runtime::{Budget, Capture, PythonError, Reply},
};

/// What a host function may use.
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
    /// What counts requests to the language model, where they count.
    pub meter: Option<&'a Arc<dyn Meter>>,
}

/// Arguments as a typed value.
pub(super) fn parse<T: DeserializeOwned>(function: &str, arguments: Map<String, Value>) -> Result<T, PythonError> {
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let why = error.into_inner().to_string();
        // Errors about missing and unknown arguments name them already.
        let is_named = path == "." || why.contains(&format!("`{path}`"));
        let at = if is_named { String::new() } else { format!("`{path}`: ") };
        PythonError::new("TypeError", format!("{function}(): {at}{why}"))
    })
}

/// Goes on with `fields` as what the stub says that `function` gives.
pub(super) fn answer(function: &str, fields: Map<String, Value>) -> Action {
    Action::Reply(match host_module::class_of(function) {
        Some(class) => Reply::Instance { class: class.name, fields },
        None => Reply::Value(Value::Object(fields)),
    })
}

/// When a call has to be done: after `timeout` seconds, where the code says so, and with the run at the latest.
pub(super) fn deadline(timeout: Option<f64>, budget: &Budget) -> Instant {
    let own = timeout.and_then(|seconds| Instant::now().checked_add(duration(seconds)));
    own.map_or(budget.deadline, |own| own.min(budget.deadline))
}
