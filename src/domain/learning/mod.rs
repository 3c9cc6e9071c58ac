//! What is learned from how runs ended: pure, so that the same outcomes teach the same, in whatever order they come.
//!
//! A [`Trace`] is what is kept of a run, [`pattern`] says which outcomes are alike, [`lesson`] what they have in common;
//! [`telling`] is about lessons that somebody tells, [`amending`] about changes of procedures that their runs speak for.

pub mod amending;
pub mod lesson;
pub mod pattern;
pub mod telling;
mod trace;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use lesson::{Lesson, Seen, Way};
pub use trace::{Path, Trace};

/// How a whole run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Ended {
    /// It reached what it was for.
    Success,
    /// It did not.
    Failure,
}

impl Ended {
    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// The value that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Success, Self::Failure].into_iter().find(|ended| ended.as_str() == text)
    }

    /// What outcomes of this kind teach.
    #[must_use]
    pub const fn teaches(self) -> Kind {
        match self {
            Self::Success => Kind::Strategy,
            Self::Failure => Kind::AntiPattern,
        }
    }
}

/// Kinds of lessons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What successes had in common.
    Strategy,
    /// What failed, why, and what worked instead.
    AntiPattern,
}

impl Kind {
    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strategy => "strategy",
            Self::AntiPattern => "anti_pattern",
        }
    }

    /// The value that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Strategy, Self::AntiPattern].into_iter().find(|kind| kind.as_str() == text)
    }

    /// How many outcomes that are alike make a lesson. A success may be luck twice; a failure need not happen thrice.
    #[must_use]
    pub const fn threshold(self) -> u64 {
        match self {
            Self::Strategy => 3,
            Self::AntiPattern => 2,
        }
    }
}

/// Whether a rejected lesson is put forward again: the evidence for it has doubled since.
#[must_use]
pub const fn comes_back(evidence_then: u64, evidence_now: u64) -> bool {
    evidence_now >= evidence_then.saturating_mul(2)
}
