//! Amendments: changes of procedures that their runs speak for. Each waits for a person's word, with its evidence.
//!
//! [`regression`] says when a version does worse than the one before, [`passing`] which failures say nothing of it. What is
//! looked at, and what is done when an amendment is approved, is up to the library.

pub mod passing;
pub mod regression;
#[cfg(test)]
mod simulation_tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Lesson;
use crate::domain::{Definition, ParameterType, Procedure, VersionNumber};

/// So many runs that failed in the same way ask for a fix. Twice may be chance, as with a lesson; this one changes code.
pub const FIX_AFTER: u64 = 3;
/// So many runs in which a step was answered alike, and never otherwise: by Laplace's rule of succession the next answer is
/// the same with a probability of 6/7.
pub const AUTOMATE_AFTER: u64 = 5;
/// So many equal results for equal parameters, and none that differs, say that two procedures do the same.
pub const MERGE_AFTER: u64 = 3;
/// What nobody used for so many days, and what never succeeded, is put away: a quarter of a year.
pub const RETIRE_AFTER_DAYS: u64 = 90;
/// A longer answer is data, and no constant.
pub const MAX_ANSWER_BYTES: usize = 500;

/// Kinds of amendments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendmentKind {
    /// The code of an earlier version becomes current again.
    RollBack,
    /// The code is corrected.
    Fix,
    /// The answer of a step becomes part of the code.
    Automate,
    /// Another procedure, which does the same, takes its place.
    Merge,
    /// It is put away.
    Retire,
}

impl AmendmentKind {
    const ALL: [Self; 5] = [Self::RollBack, Self::Fix, Self::Automate, Self::Merge, Self::Retire];

    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RollBack => "roll_back",
            Self::Fix => "fix",
            Self::Automate => "automate",
            Self::Merge => "merge",
            Self::Retire => "retire",
        }
    }

    /// The value that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What is done when it is approved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    RollBack {
        /// Whose code becomes current.
        to: VersionNumber,
    },
    Fix {
        /// The corrected code, where a model has written some.
        #[serde(default)]
        code: Option<String>,
    },
    Automate {
        /// The code with the answer in the place of the step.
        code: String,
    },
    Merge {
        /// The handle of the procedure that stays.
        into: i64,
        /// Its name.
        name: String,
    },
    Retire,
}

impl Change {
    #[must_use]
    pub const fn kind(&self) -> AmendmentKind {
        match self {
            Self::RollBack { .. } => AmendmentKind::RollBack,
            Self::Fix { .. } => AmendmentKind::Fix,
            Self::Automate { .. } => AmendmentKind::Automate,
            Self::Merge { .. } => AmendmentKind::Merge,
            Self::Retire => AmendmentKind::Retire,
        }
    }

    /// The code that the procedure would get.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Fix { code } => code.as_deref(),
            Self::Automate { code } => Some(code),
            Self::RollBack { .. } | Self::Merge { .. } | Self::Retire => None,
        }
    }
}

/// A change of a procedure that its runs speak for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Amendment {
    /// The version of the code that was looked at, where it is about code.
    pub code_version: Option<VersionNumber>,
    pub change: Change,
    /// What tells it from others of its kind for the same procedure.
    pub subject: String,
    /// How much speaks for it; [`comes_back`](super::comes_back) compares this.
    pub count: u64,
    /// What speaks for it, by name, without secrets.
    pub evidence: Map<String, Value>,
    /// In words.
    pub lesson: Lesson,
}

/// An amendment with the procedure that it would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Amending {
    pub amendment: Amendment,
    /// As it is now.
    pub procedure: Procedure,
}

/// What callers pass, whatever the order: procedures that do the same take the same.
#[must_use]
pub fn signature(definition: &Definition) -> BTreeMap<&str, ParameterType> {
    definition.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.kind)).collect()
}

/// How many results of two procedures are equal where their parameters are, each run counted once; `None` where one differs.
/// A result that says nothing speaks for nothing.
#[must_use]
pub fn agreements(one: &[(String, String)], other: &[(String, String)]) -> Option<u64> {
    let mut by_parameters: BTreeMap<&str, [Vec<&str>; 2]> = BTreeMap::new();
    for (side, runs) in [one, other].into_iter().enumerate() {
        for (parameters, result) in runs {
            by_parameters.entry(parameters).or_default()[side].push(result);
        }
    }
    let mut agreed = 0;
    for [one, other] in by_parameters.values().filter(|sides| sides.iter().all(|side| !side.is_empty())) {
        let first = one[0];
        if one.iter().chain(other).any(|result| *result != first) {
            return None;
        }
        if !matches!(first, "" | "null" | "{}" | "[]" | "\"\"") {
            agreed += one.len().min(other.len()) as u64;
        }
    }
    Some(agreed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_have_one_word_each() {
        for kind in AmendmentKind::ALL {
            assert_eq!(AmendmentKind::parse(kind.as_str()), Some(kind));
            assert_eq!(json!(kind), json!(kind.as_str()));
        }
        assert_eq!(json!(Change::RollBack { to: 2 }), json!({"kind": "roll_back", "to": 2}));
    }

    #[test]
    fn results_agree_where_parameters_are_equal() {
        let runs = |all: &[(&str, &str)]| all.iter().map(|(p, r)| (p.to_string(), r.to_string())).collect::<Vec<_>>();
        let one = runs(&[("a", "1"), ("a", "1"), ("b", "2"), ("c", "null")]);
        assert_eq!(agreements(&one, &runs(&[("a", "1"), ("b", "2"), ("c", "null"), ("d", "9")])), Some(2));
        assert_eq!(agreements(&one, &runs(&[("a", "1"), ("b", "3")])), None);
        assert_eq!(agreements(&one, &[]), Some(0));
    }
}
