//! Outcomes in answers, and memories as a section of a prompt.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    artifact_view::{self, ArtifactView},
    views::rounded,
};
use crate::{
    domain::{learning::Ended, workflow::Counts},
    library::{Found, LibraryError, RecalledOutcome, Section, outcome_id, rfc3339_ms},
    server::reply::window,
};

const DEFAULT_TOKENS: u32 = 2000;
/// What always fits into an answer: a section is never cut within an item.
const MAX_TOKENS: u32 = 4000;
/// Of an error message in a list.
const MAX_ERROR_CHARS: usize = 500;
const MAX_NODES_SHOWN: usize = 50;

// An outcome in a list. No doc comment: the schema would have it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OutcomeView {
    outcome_id: String,
    workflow_id: String,
    run_id: String,
    outcome: Ended,
    duration_ms: i64,
    node_count: i64,
    nodes_succeeded: i64,
    nodes_failed: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    artifacts: Vec<Value>,
    /// Linked by `link_artifact`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    linked: Vec<ArtifactView>,
    completed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

impl From<RecalledOutcome> for OutcomeView {
    fn from(recalled: RecalledOutcome) -> Self {
        let RecalledOutcome { row, score, linked } = recalled;
        let Counts { duration_ms, node_count, nodes_succeeded, nodes_failed } = row.counts;
        Self {
            outcome_id: outcome_id(&row.run_id),
            nodes: row.trace.path.nodes().take(MAX_NODES_SHOWN).map(str::to_owned).collect(),
            workflow_id: row.workflow_id,
            run_id: row.run_id,
            outcome: row.ended,
            duration_ms,
            node_count,
            nodes_succeeded,
            nodes_failed,
            error_message: row.error_message.map(|message| window(&message, 0, MAX_ERROR_CHARS).0),
            artifacts: row.artifacts,
            linked: artifact_view::views(linked),
            completed_at: rfc3339_ms(row.created_at),
            score: score.map(rounded),
        }
    }
}

/// An outcome as an item of a prompt.
pub fn outcome_item(recalled: &RecalledOutcome) -> String {
    let row = &recalled.row;
    let Counts { node_count, nodes_succeeded, .. } = row.counts;
    let ended = match row.ended {
        Ended::Success => "succeeded",
        Ended::Failure => "failed",
    };
    let mut item = format!("{} (run {}): {ended}, {nodes_succeeded}/{node_count} nodes", row.workflow_id, row.run_id);
    if !row.trace.path.is_empty() {
        item.push_str(&format!(", {}", row.trace.path.shown()));
    }
    if let Some(message) = &row.error_message {
        item.push_str(&format!("\nerror: {}", window(message, 0, MAX_ERROR_CHARS).0));
    }
    item
}

/// A procedure as an item of a prompt.
pub fn procedure_item(found: &Found) -> String {
    let definition = &found.procedure.definition;
    let mut item = format!("`{}`: {}", definition.name, definition.description);
    for (label, text) in
        [("problem", &definition.problem), ("solution", &definition.solution), ("reasoning", &definition.reasoning)]
    {
        if let Some(text) = text.as_ref().filter(|text| **text != definition.description) {
            item.push_str(&format!("\n{label}: {text}"));
        }
    }
    for avoid in &definition.anti_patterns {
        item.push_str(&format!("\navoid: {avoid}"));
    }
    if let Some(rate) = found.procedure.success_rate() {
        item.push_str(&format!("\nsuccess rate {:.0} % of {} runs", rate * 100.0, found.procedure.uses));
    }
    item
}

/// The limit of a section that a caller may set.
pub fn token_limit(given: Option<u32>) -> Result<usize, LibraryError> {
    match given {
        Some(0) => Err(LibraryError::invalid("`max_tokens` must be at least 1")),
        given => Ok(given.unwrap_or(DEFAULT_TOKENS).min(MAX_TOKENS) as usize),
    }
}

/// A section in an answer: its text, and how many items did not fit when there are such.
pub fn shown(section: Section) -> (Option<String>, Option<usize>) {
    let left_out = Some(section.left_out).filter(|count| *count > 0);
    (Some(section.text), left_out)
}
