//! Parts of answers that several tools share.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    domain::{Outcome, Procedure, Run, RunStatus},
    library::{
        self,
        runs::{Execution, Gate},
    },
    server::{answer::Answer, reply::window},
};

const MAX_DESCRIPTION_CHARS: usize = 300;
/// Captured output and results that are longer are cut; `get_run` reads the rest.
pub const MAX_PART_CHARS: usize = 8_000;

/// A procedure in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProcedureView {
    pub id: i64,
    pub name: String,
    pub description: String,
    pub category: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    pub status: &'static str,
    pub version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_rate: Option<f64>,
    pub usage_count: u64,
    /// How it is called: its parameters, `?` marks optional ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

impl From<Procedure> for ProcedureView {
    fn from(row: Procedure) -> Self {
        let success_rate = row.success_rate().map(rounded);
        let definition = row.definition;
        let (mut description, rest) = window(&definition.description, 0, MAX_DESCRIPTION_CHARS);
        if rest.is_some() {
            description.push('…');
        }
        Self {
            id: row.id,
            name: definition.name.to_string(),
            description,
            category: definition.category,
            tags: definition.tags,
            status: definition.status.as_str(),
            version: row.version,
            code_confidence: row.code_confidence,
            success_rate,
            usage_count: row.uses,
            parameters: definition
                .parameters
                .iter()
                .map(|parameter| {
                    let optional = if parameter.is_required() { "" } else { "?" };
                    format!("{}{optional}: {}", parameter.name, parameter.kind.annotation())
                })
                .collect(),
            code: None,
            score: None,
        }
    }
}

/// Two digits are enough for people and agents.
pub fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The answer of an execution.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExecutionView {
    pub run_id: String,
    pub procedure_id: i64,
    /// `skipped`: there is no code yet. `paused`: do what `waiting_for` says, then call `resume_run`.
    pub outcome: Outcome,
    pub status: RunStatus,
    /// What the procedure returned.
    pub result: Option<Value>,
    /// What it printed and logged.
    pub output: Option<String>,
    pub waiting_for: Option<String>,
    pub error: Option<String>,
    pub error_type: Option<String>,
    pub traceback: Option<String>,
    pub duration_seconds: f64,
    /// How to read what was cut.
    pub note: Option<String>,
    #[serde(skip)]
    #[schemars(skip)]
    gate: Option<Gate>,
}

impl From<Execution> for ExecutionView {
    fn from(execution: Execution) -> Self {
        let mut cut = Vec::new();
        let (output, rest) = window(&execution.output, 0, MAX_PART_CHARS);
        if rest.is_some() {
            cut.push("output");
        }
        let mut result = execution.result;
        if let Some(text) = result.as_ref().map(ToString::to_string)
            && text.len() > MAX_PART_CHARS
        {
            cut.push("result");
            result = Some(Value::String(format!("{}…", window(&text, 0, MAX_PART_CHARS / 4).0)));
        }
        let note = cut.first().map(|part| {
            format!("{} was cut; get_run with run_id and `read`: \"{part}\" reads all of it", cut.join(" and "))
        });
        let error = execution.error;
        Self {
            run_id: execution.run_id,
            procedure_id: execution.procedure_id,
            outcome: execution.outcome,
            status: execution.status,
            result,
            output: Some(output).filter(|output| !output.is_empty()),
            waiting_for: execution.waiting_for,
            error: error.as_ref().map(|error| error.message.clone()),
            error_type: error.as_ref().map(|error| error.kind.clone()),
            traceback: error.map(|error| error.traceback).filter(|traceback| traceback.contains('\n')),
            duration_seconds: seconds(execution.duration_ms),
            note,
            gate: execution.gate,
        }
    }
}

impl Answer for ExecutionView {
    fn error_code(&self) -> Option<&'static str> {
        match (self.outcome, self.status) {
            (Outcome::Success | Outcome::Paused, _) => None,
            (Outcome::Skipped, _) => Some("no_code"),
            (Outcome::Failure, RunStatus::Cancelled) => Some("run_cancelled"),
            (Outcome::Failure, _) => Some("run_failed"),
        }
    }

    fn asked(&self) -> Option<(&str, &Gate)> {
        Some((&self.run_id, self.gate.as_ref()?))
    }
}

/// Milliseconds as seconds, to the microsecond.
pub fn seconds(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1_000_000.0
}

/// A run in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunSummary {
    pub run_id: String,
    pub procedure_id: i64,
    pub name: String,
    pub version: u32,
    pub status: RunStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    pub started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
}

impl From<Run> for RunSummary {
    fn from(run: Run) -> Self {
        Self {
            run_id: run.id,
            procedure_id: run.procedure_id,
            name: run.procedure_name,
            version: run.version,
            status: run.status,
            outcome: run.outcome,
            started_at: library::rfc3339_ms(run.started_at),
            duration_seconds: run.duration_ms.map(seconds),
            error: run.error.map(|error| window(&error, 0, MAX_DESCRIPTION_CHARS).0),
            waiting_for: run.waiting_for.map(|text| window(&text, 0, MAX_DESCRIPTION_CHARS).0),
        }
    }
}
