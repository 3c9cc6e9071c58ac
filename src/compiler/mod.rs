//! The step compiler: a definition becomes one typed, documented Python function.
//!
//! Deterministic and pure: no model, no I/O. A command is run, a procedure is called, and what nothing can automate is
//! handed to the agent or a person. Start at [`compile`]; what a step becomes is in `steps`, one file per kind.

mod python;
mod scope;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod variables;
mod writer;

use std::{cell::RefCell, fmt::Write as _};

use ruff_python_formatter::{PyFormatOptions, format_module_source};
use serde_json::Value;

use crate::domain::{Definition, Parameter, Step};

pub use python::is_identifier;
use scope::Scope;
use writer::Writer;

/// First line of compiled code; code without it was written by somebody.
const MARK: &str = "# Compiled from the steps of this procedure.";

/// What a line of the docstring has at most, without the indentation of the function.
const DOCSTRING_CHARS: usize = 80;

/// Whether `code` came from [`compile`] and was not changed since in its first line.
#[must_use]
pub fn is_compiled(code: &str) -> bool {
    code.starts_with(MARK)
}

/// Python code that carries out the steps of `definition` and returns what each of them gave.
#[must_use]
pub fn compile(definition: &Definition) -> String {
    format(assemble(definition, &RefCell::default()))
}

/// The variables of steps and template that nothing gives, as the parameters that they ask for, in the order of use.
#[must_use]
pub fn undeclared(definition: &Definition) -> Vec<Parameter> {
    let missed = RefCell::default();
    assemble(definition, &missed);
    missed.into_inner()
}

fn format(code: String) -> String {
    match format_module_source(&code, PyFormatOptions::default()) {
        Ok(formatted) => formatted.into_code(),
        Err(error) => {
            tracing::debug!(%error, "compiled code is left unformatted");
            code
        }
    }
}

fn assemble(definition: &Definition, undeclared: &RefCell<Vec<Parameter>>) -> String {
    let mut body = Writer::default();
    let scope = Scope::walk(definition, undeclared, |step, number, scope| {
        body.gap();
        body.line(&format!("# Step {number}: {}", python::comment(&steps::summary(step))));
        steps::compile(step, number, scope, &mut body);
    });
    let results = scope.own_name("results");
    body.gap();
    if let Some(template) = &definition.template {
        body.line(&format!("{results}[\"text\"] = ({})", text::lines(&scope.parts(template))));
    }
    body.line(&format!("return {results}"));

    let mut code = format!("{MARK}\n{}\n", body.imports());
    let _ = writeln!(code, "def {}({}) -> dict[str, Any]:", definition.name.identifier(), signature(definition));
    let _ = writeln!(code, "    \"\"\"{}\n    \"\"\"", docstring(definition));
    for parameter in mutable_defaults(definition) {
        let (name, default) = (&parameter.name, parameter.default.as_ref().map(python::literal).unwrap_or_default());
        let _ = writeln!(code, "    if {name} is None:\n        {name} = {default}");
    }
    let _ = writeln!(code, "    {results}: dict[str, Any] = {{}}");
    code.push_str(&body.into_lines());
    code
}

/// Required parameters come first, as Python wants it.
fn ordered(definition: &Definition) -> Vec<&Parameter> {
    let (required, optional): (Vec<_>, Vec<_>) =
        definition.parameters.iter().partition(|parameter| parameter.is_required());
    required.into_iter().chain(optional).collect()
}

fn signature(definition: &Definition) -> String {
    let parameters: Vec<String> = ordered(definition)
        .into_iter()
        .map(|parameter| {
            let annotation = parameter.kind.annotation();
            match &parameter.default {
                _ if parameter.is_required() => format!("{}: {annotation}", parameter.name),
                None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
                    format!("{}: {annotation} | None = None", parameter.name)
                }
                Some(default) => format!("{}: {annotation} = {}", parameter.name, python::literal(default)),
            }
        })
        .collect();
    parameters.join(", ")
}

/// Parameters whose default would be shared between calls if it stood in the signature.
fn mutable_defaults(definition: &Definition) -> impl Iterator<Item = &Parameter> {
    definition.parameters.iter().filter(|parameter| {
        !parameter.is_required() && matches!(parameter.default, Some(Value::Array(_) | Value::Object(_)))
    })
}

/// The text of the docstring; the formatter indents it.
fn docstring(definition: &Definition) -> String {
    let described = python::docstring_text(&definition.description);
    let described = if described.is_empty() { format!("Carry out {}.", definition.name) } else { described };
    let mut text = python::wrap(&described, DOCSTRING_CHARS);
    let parameters = ordered(definition);
    if !parameters.is_empty() {
        text.push_str("\n\nArgs:");
        for parameter in parameters {
            let described = parameter.description.as_deref().map(python::docstring_text).unwrap_or_default();
            let what =
                if described.is_empty() { format!("The {}.", parameter.name.replace('_', " ")) } else { described };
            let entry = python::wrap(&format!("{}: {what}", parameter.name), DOCSTRING_CHARS - 8);
            let _ = write!(text, "\n    {}", entry.replace('\n', "\n        "));
        }
    }
    let returned = python::wrap(returned(definition), DOCSTRING_CHARS - 4);
    let _ = write!(text, "\n\nReturns:\n    {}", returned.replace('\n', "\n    "));
    text
}

fn returned(definition: &Definition) -> &'static str {
    let has_ids = definition.steps.iter().any(|step| matches!(step, Step::Action(_)));
    match (&definition.steps[..], definition.template.is_some()) {
        ([], _) => "The rendered `text`.",
        (_, true) if has_ids => {
            "What each step gave, under its `step_id` or `step_` and its number, and the rendered `text`."
        }
        (_, false) if has_ids => "What each step gave, under its `step_id` or `step_` and its number.",
        (_, true) => "What each step gave, under `step_1`, `step_2` and so on, and the rendered `text`.",
        (_, false) => "What each step gave, under `step_1`, `step_2` and so on.",
    }
}
