//! What is kept of workflows that others run.

use serde_json::{Map, Value};

use super::learning::{Ended, Trace};

/// A checkpoint as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Its number in the run, from 1.
    pub sequence: i64,
    /// The node that made the state.
    pub node_id: String,
    /// The branch, where the run has several.
    pub branch_id: Option<String>,
    /// The number of the checkpoint that it came from.
    pub parent_sequence: Option<i64>,
    /// The same for equal states.
    pub state_hash: String,
    /// The state as JSON, unless it was left out.
    pub state: Option<String>,
    /// What the caller noted.
    pub metadata: Option<Map<String, Value>>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// An outcome as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowOutcome {
    /// Its key here.
    pub id: i64,
    pub workflow_id: String,
    pub run_id: String,
    pub ended: Ended,
    /// What those that are alike share; absent where nothing is to be learned.
    pub pattern: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// What the caller counted.
    pub counts: Counts,
    pub error_message: Option<String>,
    /// What it produced.
    pub artifacts: Vec<Value>,
    /// What is kept of the run.
    pub trace: Trace,
}

/// The numbers of an outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// How long the run took.
    pub duration_ms: i64,
    pub node_count: i64,
    pub nodes_succeeded: i64,
    pub nodes_failed: i64,
}
