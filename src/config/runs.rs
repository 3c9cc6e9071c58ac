//! The `[runs]` section, and who may approve.

use serde::Deserialize;

/// Who may decide what wants a word: what procedures ask, calls of which nobody knows whether they took effect, what was
/// learned, and versions that no longer ask for approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approvals {
    /// Whoever calls; clients ask their user before that.
    Client,
    /// Only a person: asked by their client, or at a terminal.
    Human,
}

impl Approvals {
    /// What is set; else a person where one can be asked, so that no agent answers what its user could.
    #[must_use]
    pub fn of(set: Option<Self>, can_be_asked: bool) -> Self {
        set.unwrap_or(if can_be_asked { Self::Human } else { Self::Client })
    }
}

/// How open runs are treated.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Runs {
    /// What happens to a run whose process ended.
    pub resume: Resume,
    /// How long a client may take to ask its user before the run pauses. 0 asks nobody.
    pub ask_seconds: u64,
    /// Users whose runs, and what these leave in the inbox, all users of the home see and decide.
    pub shared_by: Vec<String>,
}

impl Default for Runs {
    fn default() -> Self {
        Self { resume: Resume::default(), ask_seconds: 120, shared_by: Vec::new() }
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
