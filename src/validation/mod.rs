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

pub use issue::{Category, Checks, Issue, Severity};
pub use parse::{
    annotation::Annotation,
    deferred::deferred_calls,
    entry::{EntryParameter, EntryPoint, entry_point},
    guard::{MAX_DEPTH, MAX_SOURCE_BYTES},
};
pub use scopes::rename::rename_entry;
pub use verdict::{Analysis, score::quality_score};
pub use walk::facts::Facts;

use crate::domain::{Definition, Permissions};
use parse::{entry, lines::Lines};
use report::Report;
use scopes::scope::Scopes;
use style::Style;
use verdict::Seen;
use walk::Findings;

/// The modules that the interpreter has.
#[must_use]
pub const fn interpreter_modules() -> &'static [&'static str] {
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
    let mut report = Report::new(lines);

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
    let name = definition.name.identifier();
    analyze(code, &Context { entry_name: Some(&name), definition: Some(definition), grants: None })
}

/// What `code` does, without judging it. Code that can't be read does nothing.
#[must_use]
pub fn facts(code: &str) -> Facts {
    let Ok(parsed) = parse::module(code, &Lines::of(code)) else { return Facts::default() };
    Scopes::collect(parsed.syntax())
        .map_or_else(|_| Facts::default(), |scopes| walk::facts(parsed.syntax(), &scopes, code))
}
