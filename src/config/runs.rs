//! The `[runs]` section, and who may approve.

use serde::Deserialize;

/// Who may decide what a procedure wants its user to agree to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approvals {
    /// Whoever calls `resume_run`; clients ask their user before that.
    #[default]
    Client,
    /// Only a person: asked by their client, or at a terminal.
    Human,
}

/// How open runs are treated.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Runs {
    /// What happens to a run whose process ended.
    pub resume: Resume,
    /// How long a client may take to ask its user before the run pauses. 0 asks nobody.
    pub ask_seconds: u64,
}

impl Default for Runs {
    fn default() -> Self {
        Self { resume: Resume::default(), ask_seconds: 120 }
    }
}

/// What happens to a run whose process ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resume {
    /// The next process that serves this home goes on with it.
    #[default]
    Auto,
    /// It waits for `resume_run`.
    Manual,
}
