//! Judging procedure code before it is stored or run: syntax, security, what the interpreter lacks, and quality.
//!
//! [`analyze`] does it all, [`entry_point`] only finds the function to call. Both read the syntax tree, never run
//! anything, touch no file, and answer for any text at all in bounded time and stack. This is advice and a first line of
//! defence; the sandbox and the policy are what keeps code from doing harm.

mod catalogue;
mod issue;
mod lint;
mod parse;
mod report;
pub mod rules;
mod scopes;
mod style;
#[cfg(test)]
mod tests;
mod types;
mod verdict;
mod walk;

pub use issue::{Category, Checks, Issue, Severity};
pub use parse::{
    annotation::Annotation,
    deferred::deferred_calls,
    entry::{EntryParameter, EntryPoint, entry_point},
    guard::{MAX_DEPTH, MAX_SOURCE_BYTES},
};
pub use scopes::rename::rename_entry;
pub use verdict::score::quality_score;

use crate::domain::{Definition, Permissions};
use parse::{entry, lines::Lines};
use report::Report;
use ruff_text_size::Ranged;
use scopes::scope::Scopes;
use style::{
    body::{self, Declared},
    completeness,
};
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

/// What [`analyze`] found.
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
}

impl Analysis {
    /// Whether the code may be stored at all: it is Python and breaks no security rule.
    #[must_use]
    pub fn is_storable(&self) -> bool {
        self.checks.syntax && self.checks.security
    }

    fn unreadable(issues: Vec<Issue>) -> Self {
        Self {
            issues,
            checks: Checks::UNREADABLE,
            quality_score: 0.0,
            permissions_needed: Permissions::default(),
            entry: None,
        }
    }
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
    let chosen = entry::choose(module, context.entry_name, &lines);
    let mut report = Report::new(lines);
    let Findings { needs, uses, handles_failures } = walk::check(module, &scopes, code, &mut report);
    let permissions_needed = needs.permissions();
    if let Some(grants) = context.grants {
        needs.report_missing(grants, &mut report);
    }
    let declared = context.definition.map_or(&[][..], |definition| &definition.parameters);
    let called = chosen.as_ref().ok().copied().flatten().map(|entry| Declared { range: entry.range(), declared });
    body::check(&module.body, &uses, called, &mut report);
    let (entry, is_clear) = match chosen {
        Ok(entry) => (entry, true),
        Err(issue) => {
            report.push(issue);
            (None, false)
        }
    };
    let type_hints = completeness::type_hints(&module.body, &mut report);
    let docstring = is_clear && completeness::docstring(module, entry, &mut report);
    completeness::declared_parameters(entry, context.definition, &mut report);
    let entry = entry.map(|function| entry::describe(function, code, report.lines()));
    let result = module.body.last().filter(|_| entry.is_none()).map(Ranged::range);
    let deepest = scopes.deepest;
    lint::check(code, parsed, deepest, result, &mut report);
    let issues = report.finish();
    let holds = |category: Category| {
        !issues.iter().any(|issue| issue.category == category && issue.severity == Severity::Error)
    };
    let checks = Checks {
        syntax: holds(Category::Syntax),
        security: holds(Category::Security),
        docstring,
        error_handling: handles_failures,
        types: true,
        type_hints,
        runnable: !issues.iter().any(|issue| issue.severity == Severity::Error),
    };
    Analysis { quality_score: quality_score(&checks, &issues), issues, checks, permissions_needed, entry }
}
