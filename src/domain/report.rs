//! Reports: how it went when somebody carried out a procedure by reading it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Outcome;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Reported {
    /// It did what it is for.
    Success,
    /// It did not.
    Failure,
    /// It was not needed, or not begun: no evidence either way.
    Skipped,
}

impl Reported {
    /// All, in the order in which messages name them.
    pub const ALL: [Self; 3] = [Self::Success, Self::Failure, Self::Skipped];

    /// The same as the outcome of a run.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Success => Outcome::Success,
            Self::Failure => Outcome::Failure,
            Self::Skipped => Outcome::Skipped,
        }
    }
}

/// What somebody says of what they did.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub outcome: Reported,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// In words.
    pub notes: Option<String>,
    /// What shows it: any JSON value.
    pub evidence: Option<Value>,
}
