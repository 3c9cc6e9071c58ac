//! Runs: one execution of a procedure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::VersionNumber;

/// A UUID v7 in its usual text form: unique, and sorted by time of creation.
pub type RunId = String;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RunStatus {
    /// Code is executing.
    Running,
    /// It waits for a person or the agent; `resume_run` goes on.
    Paused,
    /// It ended normally.
    Succeeded,
    /// It raised, or exceeded a limit.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// Its server ended before it did.
    Interrupted,
    /// There was no code, so nothing was done.
    Skipped,
}

impl RunStatus {
    const ALL: [Self; 7] =
        [Self::Running, Self::Paused, Self::Succeeded, Self::Failed, Self::Cancelled, Self::Interrupted, Self::Skipped];

    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Skipped => "skipped",
        }
    }

    /// The status that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether the run can still change.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// How an execution answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Outcome {
    /// The code ran to its end.
    Success,
    /// The code raised, or exceeded a limit.
    Failure,
    /// The procedure has no code.
    Skipped,
    /// The run waits for `resume_run`.
    Paused,
}

impl Outcome {
    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Skipped => "skipped",
            Self::Paused => "paused",
        }
    }

    /// The outcome that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Success, Self::Failure, Self::Skipped, Self::Paused].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// One entry of a run's journal: a call from the sandbox to the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostCall {
    /// Which host function, for example `run_command`.
    pub function: String,
    /// Its arguments, by name.
    pub arguments: serde_json::Value,
    /// What it returned, when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<serde_json::Value>,
    /// What it raised, when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Line of the call in the procedure's code, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Step of the procedure that the line belongs to, from 1: the last `# Step N` comment above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// How long the host took, in milliseconds.
    pub duration_ms: f64,
    /// An agent decided what the code got.
    #[serde(default, skip_serializing_if = "is_false")]
    pub decided_by_agent: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// One run as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub id: String,
    /// What was executed.
    pub procedure_id: i64,
    /// Its name today.
    pub procedure_name: String,
    pub version: VersionNumber,
    /// The run that called it.
    pub parent_run_id: Option<String>,
    /// The server process that owns it.
    pub session: String,
    pub status: RunStatus,
    pub outcome: Option<Outcome>,
    /// The parameters as JSON.
    pub parameters: String,
    /// The result as JSON.
    pub result: Option<String>,
    /// What it printed and logged.
    pub output: Option<String>,
    pub error: Option<String>,
    /// The exception's class.
    pub error_type: Option<String>,
    /// Where it was raised.
    pub traceback: Option<String>,
    /// The instruction that a paused run waits for.
    pub waiting_for: Option<String>,
    /// How many steps the procedure has.
    pub steps_total: u32,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds since 1970.
    pub finished_at: Option<i64>,
    /// Time spent executing, in milliseconds.
    pub duration_ms: Option<f64>,
    /// How often it was taken up again after its server ended.
    pub attempts: u32,
    /// When what it waits for stops waiting; milliseconds since 1970.
    pub expires_at: Option<i64>,
    /// When the clock goes on with it; milliseconds since 1970.
    pub due_at: Option<i64>,
    /// Who started it; not known of some that programs of before executed.
    pub user: Option<String>,
    /// Whether a person could be asked when it was started.
    pub can_be_asked: bool,
    /// Whether an agent decided something that it waited for.
    pub decided_by_agent: bool,
    /// Whether nothing executed it: somebody reported what was done by reading. Its output is their notes, its result what
    /// shows it.
    pub is_reported: bool,
}

impl Run {
    /// Until when it only waits for the clock, where there is nothing that anybody could do about it.
    #[must_use]
    pub fn waits_until(&self) -> Option<i64> {
        self.due_at.filter(|_| self.status == RunStatus::Paused && self.waiting_for.is_none())
    }
}

/// Which runs to list.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    pub procedure_id: Option<i64>,
    pub status: Option<RunStatus>,
}

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    /// The call that waited for it.
    pub sequence: u32,
    pub question: String,
    /// `approve`, `reject` or `expired`.
    pub decision: String,
    pub decided_by: String,
    /// Whether that was an agent.
    pub by_agent: bool,
    /// Milliseconds since 1970.
    pub decided_at: i64,
}
