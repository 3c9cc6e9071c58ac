//! Runs: one execution of a procedure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}

impl RunStatus {
    const ALL: [Self; 6] =
        [Self::Running, Self::Paused, Self::Succeeded, Self::Failed, Self::Cancelled, Self::Interrupted];

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
}
