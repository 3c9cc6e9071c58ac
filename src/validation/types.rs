//! What the interpreter's compiler and type checker say, as issues of the rule table.

use std::collections::HashSet;

use ruff_python_stdlib::builtins::is_python_builtin;

use super::{
    catalogue::PYTHON_MINOR,
    issue::{Issue, Severity},
    rules::{self, Rule},
};
use crate::runtime::{TypeFinding, Verdict};

/// Most type issues of one piece of code: what follows the first few is often their consequence.
const MAX_TYPE_ISSUES: usize = 20;

/// How the codes of what the linter finds begin. It knows nothing of types, so its lines are not left out.
const LINTED: &str = "RPT6";

/// What the type checker says of code that other Pythons execute, too: what fits a signature and what an annotation says.
const ALSO_ELSEWHERE: [&str; 8] = [
    "invalid-argument-type",
    "missing-argument",
    "too-many-positional-arguments",
    "unknown-argument",
    "parameter-already-assigned",
    "invalid-assignment",
    "invalid-return-type",
    "invalid-parameter-default",
];

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

/// What of a verdict counts for another Python: not whether the sandbox takes the code, and not what it knows of modules.
#[must_use]
pub fn of_other_python(verdict: Verdict) -> Verdict {
    let types = verdict.types.into_iter().filter(holds_elsewhere).collect();
    Verdict { refused: None, types }
}

/// Whether a finding does not come of what the checker's own list of builtins and modules lacks.
fn holds_elsewhere(finding: &TypeFinding) -> bool {
    match finding.rule.as_str() {
        "unresolved-reference" | "possibly-unresolved-reference" => {
            let name = finding.message.split('`').nth(1).unwrap_or_default();
            !is_python_builtin(name, PYTHON_MINOR, false)
        }
        rule => ALSO_ELSEWHERE.contains(&rule),
    }
}

/// What the type checker found that counts.
pub fn found(verdict: &Verdict) -> Vec<&TypeFinding> {
    verdict.types.iter().filter(|finding| !is_about_a_module(finding)).collect()
}

/// What was found, as issues, without what `known` ones say already.
pub fn issues(found: &[&TypeFinding], known: &[Issue]) -> Vec<Issue> {
    // A place with an issue that says more already: the same mistake should not count twice.
    let says_more = |issue: &&Issue| issue.severity != Severity::Info && !issue.code.starts_with(LINTED);
    let told: HashSet<_> = known.iter().filter(says_more).map(|issue| (issue.line, issue.column)).collect();
    let new = found.iter().filter(|finding| !told.contains(&(Some(finding.line), Some(finding.column))));
    new.take(MAX_TYPE_ISSUES).map(|finding| issue_of(finding)).collect()
}

/// Why the interpreter does not take the code at all.
pub fn refusal(verdict: &Verdict) -> Option<Issue> {
    verdict.refused.as_ref().map(|error| {
        let message = format!("the interpreter refuses this code: {}: {}", error.kind, error.message);
        rules::REFUSED_BY_INTERPRETER.issue(message)
    })
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
