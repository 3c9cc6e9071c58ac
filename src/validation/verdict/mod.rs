//! What all findings together say of the code.

mod confidence;
pub mod score;

use super::{
    issue::{Category, Checks, Issue, Severity},
    parse::entry::EntryPoint,
    rules, types,
    walk::facts::Facts,
};
use crate::{
    domain::{Permissions, RuntimeKind},
    runtime::Verdict,
};
use score::{is_nothing, quality_score, round};

/// What [`analyze`](super::analyze) found.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The findings, errors first.
    pub issues: Vec<Issue>,
    /// The checks in short.
    pub checks: Checks,
    /// From 0 to 1, rounded to two digits; see [`quality_score`].
    pub quality_score: f64,
    /// The commands and directories that the code is seen to use.
    pub permissions_needed: Permissions,
    /// The function that a run calls; `None` for a script, or when it is not clear.
    pub entry: Option<EntryPoint>,
    /// What the code does, for those who decide something by it.
    pub facts: Facts,
}

/// What the passes saw beside issues.
pub struct Seen {
    /// The entry function, or the script, says what it does.
    pub docstring: bool,
    /// Calls that can fail are handled.
    pub handles_failures: bool,
    /// The share of parameters and returns that are annotated.
    pub type_hints: f64,
    pub permissions_needed: Permissions,
    pub entry: Option<EntryPoint>,
    pub facts: Facts,
}

impl Analysis {
    /// The verdict on code that could be read.
    pub(super) fn judge(issues: Vec<Issue>, seen: Seen) -> Self {
        let Seen { docstring, handles_failures, type_hints, permissions_needed, entry, facts } = seen;
        let is_error = |issue: &Issue| issue.severity == Severity::Error;
        let holds = |category| !issues.iter().any(|issue| issue.category == category && is_error(issue));
        let checks = Checks {
            syntax: holds(Category::Syntax),
            security: holds(Category::Security),
            docstring,
            error_handling: handles_failures,
            types: true,
            type_hints: round(type_hints),
            runnable: !issues.iter().any(is_error),
        };
        Self { quality_score: quality_score(&checks, &issues), issues, checks, permissions_needed, entry, facts }
    }

    /// The verdict on code that could not be read.
    pub(super) fn unreadable(issues: Vec<Issue>) -> Self {
        Self {
            issues,
            checks: Checks::UNREADABLE,
            quality_score: 0.0,
            permissions_needed: Permissions::default(),
            entry: None,
            facts: Facts::default(),
        }
    }

    /// Adds what the interpreter says of the code and scores it again.
    #[must_use]
    pub fn with_verdict(mut self, verdict: &Verdict) -> Self {
        let found = types::found(verdict);
        self.checks.types = found.is_empty();
        let new = types::issues(&found, &self.issues);
        self.issues.extend(new);
        if let Some(refusal) = types::refusal(verdict).filter(|_| self.checks.runnable) {
            self.checks.runnable = false;
            self.issues.push(refusal);
        }
        self.issues.sort_by_key(|issue| (issue.severity, issue.line));
        self.quality_score = quality_score(&self.checks, &self.issues);
        self
    }

    /// The first mistake that is none where all of Python executes the code, of which `python` is the analysis.
    #[must_use]
    pub fn unfit_for_sandbox(&self, python: &Self) -> Option<&Issue> {
        let is_there_too = |issue: &Issue| {
            let is_same = |other: &&Issue| (other.code, other.line) == (issue.code, issue.line);
            python.issues.iter().filter(is_same).any(|other| other.severity == Severity::Error)
        };
        let is_only_here = |issue: &&Issue| {
            issue.severity == Severity::Error && (issue.code == rules::MISSING_MODULE.code || !is_there_too(issue))
        };
        self.issues.iter().filter(is_only_here).min_by_key(|issue| issue.line)
    }

    /// The first thing that the sandbox does otherwise than all of Python, so that the code may fail there or give something
    /// else without a word.
    #[must_use]
    pub fn otherwise_in_sandbox(&self) -> Option<&Issue> {
        let is_other = |issue: &&Issue| {
            issue.severity == Severity::Warning
                && issue.category == Category::Runtime
                && !rules::holds_for(issue.code, RuntimeKind::Python)
        };
        self.issues.iter().filter(is_other).min_by_key(|issue| issue.line)
    }

    /// Whether the code may be stored at all: it is Python, does something, and breaks no security rule.
    #[must_use]
    pub fn is_storable(&self) -> bool {
        self.checks.syntax && self.checks.security && !is_nothing(&self.issues)
    }
}
