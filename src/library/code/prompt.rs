//! What a model is told: the rules, the task, and what is wrong with its answer.

use std::fmt::Write as _;

use super::{
    candidate::{Candidate, ENOUGH},
    guide,
};
use crate::{
    domain::{Permissions, Procedure, Run, secrets},
    host,
    models::{Message, Role},
    validation::{self, Severity},
};

const SYSTEM: &str = include_str!("system.md");
const TASK: &str = include_str!("task.md");
/// A definition is shown up to this many characters; one that is longer is mostly data.
const MAX_DEFINITION_CHARS: usize = 24_000;
const MAX_CODE_CHARS: usize = 40_000;
/// What is shown of one failure.
const MAX_FAILURE_CHARS: usize = 1_200;
const MAX_ISSUES: usize = 15;

/// The messages that ask for the code of `row`. `failures` are runs of its current code that went wrong.
pub fn request(row: &Procedure, policy: &Permissions, failures: &[Run]) -> Vec<Message> {
    let modules = validation::interpreter_modules().join(" ");
    let system = SYSTEM.replace("{modules}", &modules).replace("{stub}", host::STUB);
    let task = TASK
        .replace("{name}", &row.definition.name.identifier())
        .replace("{permissions}", &guide::permissions(policy))
        .replace("{current}", &current(row, failures))
        // Last, because a definition may contain anything.
        .replace("{definition}", &guide::essentials(&row.definition, MAX_DEFINITION_CHARS));
    vec![Message { role: Role::System, text: system }, Message { role: Role::User, text: task }]
}

fn current(row: &Procedure, failures: &[Run]) -> String {
    let Some(code) = &row.code else { return String::new() };
    let mut text = format!("\nThe current code, which yours replaces if it is better:\n\n```python\n{}```\n", {
        let shown = shortened(code, MAX_CODE_CHARS);
        if shown.ends_with('\n') { shown } else { shown + "\n" }
    });
    if failures.is_empty() {
        return text;
    }
    text.push_str("\nIt failed lately. Make it do what the definition asks for in these cases, too:\n");
    for run in failures {
        let error =
            format!("{}: {}", run.error_type.as_deref().unwrap_or("error"), run.error.as_deref().unwrap_or_default());
        let parameters = serde_json::from_str(&run.parameters).map(secrets::scrubbed_value).unwrap_or_default();
        let (parameters, error) = (parameters.to_string(), secrets::scrubbed(&error));
        let _ = write!(text, "\nWith {}\n{error}\n", shortened(&parameters, MAX_FAILURE_CHARS / 3));
        if let Some(traceback) = &run.traceback {
            let _ = writeln!(text, "{}", shortened(&secrets::scrubbed(traceback), MAX_FAILURE_CHARS));
        }
    }
    text
}

/// What to say to an answer whose code is not good enough yet.
pub fn feedback(candidate: &Candidate) -> String {
    let mut text = format!(
        "The checks give this code a confidence of {:.2}; at least {:.2} and no error are wanted. Correct this and answer \
         with the whole code again:\n",
        candidate.confidence, ENOUGH
    );
    let issues = &candidate.analysis.issues;
    for issue in issues.iter().filter(|issue| issue.code != validation::rules::GENERATION_NOTE.code).take(MAX_ISSUES) {
        let severity = match issue.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "note",
        };
        let line = issue.line.map_or_else(String::new, |line| format!("line {line}, "));
        let _ = writeln!(text, "- {line}{severity} {}: {}", issue.code, issue.message);
    }
    for failing in candidate.failing.iter().take(MAX_ISSUES) {
        let _ = writeln!(text, "- {failing}");
    }
    let left_to_people = candidate.analysis.facts.manual_steps;
    if left_to_people > 0 {
        let _ = writeln!(
            text,
            "- {left_to_people} of the steps are left to a person; automate those that a host function can do"
        );
    }
    text
}

/// What to say to an answer without code.
pub const NO_CODE: &str =
    "That answer held no Python code. Answer with the whole code in one ```python block and nothing else.";

/// What to say to an answer that was cut off.
pub const CUT_OFF: &str = "That answer was cut off before the code ended. Answer with the whole code again, written more \
                           briefly, in one ```python block and nothing else.";

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
