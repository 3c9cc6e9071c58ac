//! What executing a procedure came to.

use serde_json::Value;

use super::gate::Gate;
use crate::{
    domain::{Outcome, Run, RunId, RunStatus},
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

impl Execution {
    /// What a run that ended came to, from its record; `None` for one that is open.
    #[must_use]
    pub fn ended(run: Run) -> Option<Self> {
        let outcome = run.outcome.filter(|_| !run.status.is_open() && run.status != RunStatus::Interrupted)?;
        let kind = run.error_type.unwrap_or_else(|| "Error".to_owned());
        let traceback = run.traceback.unwrap_or_default();
        let error = run.error.map(|message| PythonError { traceback, ..PythonError::new(&kind, message) });
        Some(Self {
            run_id: run.id,
            procedure_id: run.procedure_id,
            name: run.procedure_name,
            status: run.status,
            outcome,
            result: run.result.and_then(|result| serde_json::from_str(&result).ok()),
            output: run.output.unwrap_or_default(),
            error,
            waiting_for: None,
            gate: None,
            waits_until: None,
            duration_ms: run.duration_ms.unwrap_or_default(),
        })
    }
}
