//! What the interpreter's compiler and type checker say, as issues of the rule table.

use std::collections::HashSet;

use super::{
    Analysis,
    issue::{Issue, Severity},
    rules::{self, Rule},
    score::quality_score,
};
use crate::runtime::{TypeFinding, Verdict};

/// Most type issues of one piece of code: what follows the first few is often their consequence.
const MAX_TYPE_ISSUES: usize = 20;

/// How the codes of what the linter finds begin. It knows nothing of types, so its lines are not left out.
const LINTED: &str = "RPT6";

/// What the type checker calls them, by the rule here that they fall under. It has many more names for mistakes that
/// the syntax tree shows already.
const BY_CHECKER: &[(&Rule, &[&str])] = &[
    (
        &rules::WRONG_ARGUMENT,
        &[
            "invalid-argument-type",
            "missing-argument",
            "too-many-positional-arguments",
            "unknown-argument",
            "positional-only-parameter-as-kwarg",
            "parameter-already-assigned",
            "no-matching-overload",
        ],
    ),
    (
        &rules::WRONG_VALUE,
        &["invalid-assignment", "invalid-return-type", "invalid-parameter-default", "invalid-key", "invalid-raise"],
    ),
    (
        &rules::UNKNOWN_NAME,
        &[
            "unresolved-reference",
            "unresolved-attribute",
            "unresolved-import",
            "possibly-unresolved-reference",
            "possibly-missing-attribute",
        ],
    ),
];

impl Analysis {
    /// Adds what the interpreter says of the code and scores it again.
    #[must_use]
    pub fn with_verdict(mut self, verdict: &Verdict) -> Self {
        // A place with an issue that says more already: the same mistake should not count twice.
        let says_more = |issue: &&Issue| issue.severity != Severity::Info && !issue.code.starts_with(LINTED);
        let known: HashSet<_> = self.issues.iter().filter(says_more).map(|issue| (issue.line, issue.column)).collect();
        let found: Vec<&TypeFinding> = verdict.types.iter().filter(|finding| !is_about_a_module(finding)).collect();
        self.checks.types = found.is_empty();
        let new = found.into_iter().filter(|finding| !known.contains(&(Some(finding.line), Some(finding.column))));
        self.issues.extend(new.take(MAX_TYPE_ISSUES).map(issue_of));
        if let Some(error) = verdict.refused.as_ref().filter(|_| self.checks.runnable) {
            self.checks.runnable = false;
            let message = format!("the interpreter refuses this code: {}: {}", error.kind, error.message);
            self.issues.push(rules::REFUSED_BY_INTERPRETER.issue(message));
        }
        self.issues.sort_by_key(|issue| (issue.severity, issue.line));
        self.quality_score = quality_score(&self.checks, &self.issues);
        self
    }
}

/// The checker does not know every member of the modules that the interpreter has (`os.walk`, for one). The catalogue
/// that the syntax tree is compared with does.
fn is_about_a_module(finding: &TypeFinding) -> bool {
    finding.rule.starts_with("unresolved-") && finding.message.starts_with("Module `")
}

fn issue_of(finding: &TypeFinding) -> Issue {
    let rule = BY_CHECKER
        .iter()
        .find(|(_, names)| names.contains(&finding.rule.as_str()))
        .map_or(&rules::WRONG_OPERATION, |(rule, _)| rule);
    let message = format!("{} ({}). {}", finding.message.trim_end_matches('.'), finding.rule, rule.instead);
    Issue { line: Some(finding.line), column: Some(finding.column), ..rule.issue(message) }
}
