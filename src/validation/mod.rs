//! Judging procedure code before it is stored or run: syntax, security, what the interpreter lacks, and quality.
//!
//! [`analyze`] does it all, [`entry_point`] only finds the function to call, [`facts`] only tells what the code does. All
//! read the syntax tree, never run anything, touch no file, and answer for any text at all in bounded time and stack. This
//! is advice and a first line of defence; the sandbox and the policy are what keeps code from doing harm.
//!
//! The passes, in order; each knows those before it. A pass that judges adds [`Issue`]s to the report, each of a rule in
//! [`rules`], which are data like the lists in `catalogue`.
//!
//! | pass | what it does |
//! |---|---|
//! | `parse` | from text to a syntax tree, within bounds; the entry function |
//! | `scopes` | which names there are, and what an expression means |
//! | `walk` | at each node: what is forbidden, what the interpreter lacks, what the code needs |
//! | `style` | habits, and what is missing although the code runs |
//! | `lint` | rules of Ruff's linter |
//! | `types` | what the interpreter's compiler and type checker say, once it was asked |
//! | `verdict` | what all of it means for the code |

mod differences;
mod issue;
mod report;
pub mod rules;

mod catalogue;
mod lint;
mod parse;
mod scopes;
mod style;
mod types;
mod verdict;
mod walk;

#[cfg(test)]
mod tests;

pub use differences::{DIFFERENCES, Difference};
pub use issue::{Category, Checks, Issue, Severity};
pub use parse::{
    annotation::Annotation,
    command_line::{CommandArgument, CommandLine, Form, command_line},
    deferred::deferred_calls,
    entry::{EntryParameter, EntryPoint, entry_name, entry_point},
    guard::{MAX_DEPTH, MAX_SOURCE_BYTES},
    outline::{Fallback, Outline, Outlined, outline},
};
pub use scopes::rename::rename_entry;
pub use types::of_other_python;
pub use verdict::{Analysis, score::quality_score};
pub use walk::{facts::Facts, gates::Gate};

use crate::domain::{Definition, Permissions, RuntimeKind, script::Script};
use parse::{entry, lines::Lines};
use report::Report;
use scopes::scope::Scopes;
use style::Style;
use verdict::Seen;
use walk::Findings;

/// The modules that the interpreter has.
#[must_use]
pub fn interpreter_modules() -> Vec<&'static str> {
    catalogue::modules()
}

/// What is known about the procedure that the code belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The identifier that the procedure's name gives.
    pub entry_name: Option<&'a str>,
    /// Its definition, whose parameters the entry function must take.
    pub definition: Option<&'a Definition>,
    /// What it is granted; what the code needs beyond it is reported.
    pub grants: Option<&'a Permissions>,
    /// What would execute it.
    pub runtime: RuntimeKind,
}

/// Checks `code`.
#[must_use]
pub fn analyze(code: &str, context: &Context<'_>) -> Analysis {
    let lines = Lines::of(code);
    let parsed = match parse::module(code, &lines) {
        Ok(parsed) => parsed,
        Err(issues) => return Analysis::unreadable(issues),
    };
    let module = parsed.syntax();
    let scopes = match Scopes::collect(module) {
        Ok(scopes) => scopes,
        Err(offset) => return Analysis::unreadable(vec![parse::too_deep(offset, &lines)]),
    };
    let entry = entry::choose(module, context.entry_name, &lines);
    let script = Script::read(code);
    let has_dependencies = script.as_ref().is_ok_and(Script::has_modules);
    let mut report = Report::new(lines, context.runtime, has_dependencies);
    if let Err(why) = script {
        report.push(rules::SCRIPT_COMMENT.issue(format!("Correct this: {why}.")));
    }

    let Findings { needs, uses, handles_failures, facts } = walk::check(module, &scopes, code, &mut report);
    if let Some(grants) = context.grants {
        needs.report_missing(grants, &mut report);
    }
    let Style { entry, docstring, type_hints } = style::check(module, entry, context.definition, &uses, &mut report);
    let entry = entry.map(|function| entry::describe(function, code, report.lines()));
    let deepest = scopes.deepest;
    lint::check(code, parsed, deepest, entry.is_none(), &mut report);

    let seen = Seen { docstring, handles_failures, type_hints, permissions_needed: needs.permissions(), entry, facts };
    Analysis::judge(report.finish(), seen)
}

/// Checks `code` as that of `definition`.
#[must_use]
pub fn analyze_for(code: &str, definition: &Definition) -> Analysis {
    let name = entry_name(code, definition);
    let (entry_name, runtime) = (Some(name.as_str()), definition.runtime);
    analyze(code, &Context { entry_name, definition: Some(definition), grants: None, runtime })
}

/// Where `before` asks for approval and `after` no longer does, or less surely. `entry_name` is what the procedure's name
/// gives. Code that can't be read asks nothing.
#[must_use]
pub fn dropped_gates(before: &str, after: &str, entry_name: &str) -> Vec<Gate> {
    // Nearly all code asks nothing.
    let gates = |code: &str| if code.contains("approve") { gates(code, entry_name) } else { Vec::new() };
    let before = gates(before);
    if before.is_empty() { before } else { walk::gates::dropped(before, gates(after)) }
}

fn gates(code: &str, entry_name: &str) -> Vec<Gate> {
    let lines = Lines::of(code);
    let Ok(parsed) = parse::module(code, &lines) else { return Vec::new() };
    let module = parsed.syntax();
    let Ok(scopes) = Scopes::collect(module) else { return Vec::new() };
    let entry = entry::choose(module, Some(entry_name), &lines).ok().flatten().map(|function| function.name.as_str());
    walk::gates::of(module, code, entry, &walk::facts(module, &scopes, code).approvals)
}

/// Whether there is no code in `code`, as where a file is empty or has only comments.
#[must_use]
pub fn is_no_code(code: &str) -> bool {
    parse::module(code, &Lines::of(code)).is_ok_and(|parsed| style::is_nothing(&parsed.syntax().body))
}

/// What `code` does, without judging it. Code that can't be read does nothing.
#[must_use]
pub fn facts(code: &str) -> Facts {
    let Ok(parsed) = parse::module(code, &Lines::of(code)) else { return Facts::default() };
    Scopes::collect(parsed.syntax())
        .map_or_else(|_| Facts::default(), |scopes| walk::facts(parsed.syntax(), &scopes, code))
}
