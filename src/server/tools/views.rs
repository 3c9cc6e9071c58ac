//! Parts of answers that several tools share.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    domain::{Broken, Outcome, Procedure, Run, RunStatus},
    library::{
        self, LibraryError, Services,
        runs::{Execution, Gate},
    },
    server::{answer::Answer, progress::CallContext, reply::window},
};

const MAX_DESCRIPTION_CHARS: usize = 300;
/// What a run waits for, with the way to answer at its end.
const MAX_WAITING_CHARS: usize = 1_000;
/// Captured output and results that are longer are cut; `get_run` reads the rest.
pub const MAX_PART_CHARS: usize = 8_000;

/// A procedure that was changed, and why its trigger could not start it, where that is so.
pub async fn warned(services: &Services, row: Procedure) -> Result<(Procedure, Option<String>), LibraryError> {
    services
        .blocking(move |library| {
            let warning = library.trigger_warning(&row);
            Ok((row, warning))
        })
        .await
}

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
    pub code_confidence: Option<f64>,
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

/// What was committed and is no version of a procedure.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BrokenView {
    pub file: String,
    pub commit: String,
    pub reason: String,
}

impl From<Broken> for BrokenView {
    fn from(broken: Broken) -> Self {
        let Broken { file, commit, reason } = broken;
        Self { file, commit, reason }
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
    /// It only waits for the clock, and goes on by itself.
    pub waits_until: Option<String>,
    pub error: Option<String>,
    pub error_type: Option<String>,
    pub traceback: Option<String>,
    pub duration_seconds: f64,
    /// How to read what was cut, and who decides.
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
            waits_until: execution.waits_until.map(library::rfc3339_ms),
            error: error.as_ref().map(|error| error.message.clone()),
            error_type: error.as_ref().map(|error| error.kind.clone()),
            traceback: error.map(|error| error.traceback).filter(|traceback| traceback.contains('\n')),
            duration_seconds: seconds(execution.duration_ms),
            note,
            gate: execution.gate,
        }
    }
}

impl ExecutionView {
    /// The same; where the run is the first of this process that waits for a decision, and nobody has chosen who decides,
    /// with how to choose.
    #[must_use]
    pub fn advised(mut self, services: &Services, context: &CallContext) -> Self {
        let waits =
            self.gate.as_ref().is_some_and(|gate| !gate.is_of_policy && (gate.is_for_people() || gate.is_uncertain));
        if waits
            && !context.can_ask()
            && let Some(file) = services.advise_on_approvals()
        {
            let advice = format!(
                "Whoever calls resume_run decides this. Your user chooses who may: `approvals = \"human\"` under [policy] in \
                 {file} leaves decisions to people (`repertoire approve`), \"client\" to whoever calls."
            );
            self.note = Some(self.note.map_or_else(|| advice.clone(), |note| format!("{note}. {advice}")));
        }
        self
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<String>,
    /// An agent decided something that it waited for.
    #[serde(skip_serializing_if = "is_false")]
    pub decided_by_agent: bool,
    /// From `record_outcome`: nothing was executed.
    #[serde(skip_serializing_if = "is_false")]
    pub reported: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub const fn is_false(value: &bool) -> bool {
    !*value
}

impl From<Run> for RunSummary {
    fn from(run: Run) -> Self {
        let waits_until = run.waits_until().map(library::rfc3339_ms);
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
            waiting_for: run.waiting_for.map(|text| window(&text, 0, MAX_WAITING_CHARS).0),
            waits_until,
            decided_by_agent: run.decided_by_agent,
            reported: run.is_reported,
        }
    }
}
