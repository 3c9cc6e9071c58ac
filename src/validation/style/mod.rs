//! Habits and completeness: what reads badly or is missing, although the code runs.

mod body;
mod completeness;
mod flow;

use ruff_python_ast::{ModModule, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::{
    issue::{Issue, Severity},
    report::Report,
    rules,
    scopes::uses::Uses,
};
use crate::domain::Definition;
use body::Declared;

pub use completeness::is_nothing;

/// What is seen of the style beside issues.
pub struct Style<'a> {
    /// The entry function, where there is one and it is clear which.
    pub entry: Option<&'a StmtFunctionDef>,
    /// Whether the entry function, or the script, says what it does.
    pub docstring: bool,
    /// The share of parameters and returns that are annotated.
    pub type_hints: f64,
}

/// Reports the habits of a module and what it lacks. `entry` is its entry function, or why it is not clear which one.
pub fn check<'a>(
    module: &ModModule,
    entry: Result<Option<&'a StmtFunctionDef>, Issue>,
    definition: Option<&Definition>,
    uses: &Uses<'_>,
    report: &mut Report<'_>,
) -> Style<'a> {
    let declared = definition.map_or(&[][..], |definition| &definition.parameters);
    let called = entry.as_ref().ok().copied().flatten();
    body::check(&module.body, uses, called.map(|entry| Declared { range: entry.range(), declared }), report);
    let (entry, is_clear) = match entry {
        Ok(entry) => (entry, true),
        Err(issue) => {
            report.push(issue);
            (None, false)
        }
    };
    if is_nothing(&module.body) {
        let message = "There is no code here that would do anything; write it, or store the procedure without code.";
        report.push(rules::NOTHING.issue(message.to_owned()));
    } else if let Some(function) = entry.filter(|function| is_nothing(&function.body)) {
        let message = format!("The function `{}` does nothing; write what it is for.", function.name);
        report.add_as(&rules::NOTHING, Severity::Warning, Some(function.name.start()), message);
    }
    let type_hints = completeness::type_hints(&module.body, report);
    let docstring = is_clear && completeness::docstring(module, entry, report);
    completeness::declared_parameters(entry, definition, report);
    Style { entry, docstring, type_hints }
}
