//! What executing a procedure came to.

use serde_json::Value;

use super::gate::Gate;
use crate::{
    domain::{Outcome, RunId, RunStatus},
    runtime::PythonError,
};

/// What an execution came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    pub run_id: RunId,
    pub procedure_id: i64,
    /// The procedure's name.
    pub name: String,
    pub status: RunStatus,
    pub outcome: Outcome,
    /// What the code returned.
    pub result: Option<Value>,
    /// What it printed and logged.
    pub output: String,
    /// What it raised, or the limit that it hit.
    pub error: Option<PythonError>,
    /// What a paused run waits for, as it is recorded.
    pub waiting_for: Option<String>,
    /// The same, for whoever asks.
    pub gate: Option<Gate>,
    /// Until when a paused run waits that only waits for the clock; milliseconds since 1970.
    pub waits_until: Option<i64>,
    /// Time spent executing, in milliseconds.
    pub duration_ms: f64,
}
