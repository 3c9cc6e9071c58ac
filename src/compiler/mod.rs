//! The step compiler: a definition becomes one typed, documented Python function.
//!
//! Deterministic and pure: no model, no I/O. A command is run, a procedure is called, and a sentence that nothing can
//! automate is handed to the agent or a person. Start at [`compile`].

mod python;
mod steps;
#[cfg(test)]
mod tests;
mod variables;

use std::fmt::Write as _;

use serde_json::Value;

use crate::domain::{Definition, Parameter};

pub use python::is_identifier;
use steps::Compiled;
pub use variables::variables;

/// First line of compiled code; code without it was written by somebody.
const MARK: &str = "# Compiled from the steps of this procedure.";

/// Whether `code` came from [`compile`] and was not changed since in its first line.
#[must_use]
pub fn is_compiled(code: &str) -> bool {
    code.starts_with(MARK)
}

/// Python code that carries out the steps of `definition` and returns what each of them gave.
#[must_use]
pub fn compile(definition: &Definition) -> String {
    let steps: Vec<Compiled> =
        definition.steps.iter().enumerate().map(|(index, step)| steps::compile(step, index + 1, definition)).collect();
    let mut imports: Vec<&str> = steps.iter().map(|step| step.function).collect();
    imports.sort_unstable();
    imports.dedup();
    let mut code = format!("{MARK}\n");
    if !imports.is_empty() {
        let _ = writeln!(code, "from repertoire import {}", imports.join(", "));
    }
    let _ = write!(code, "\n\ndef {}({}) -> dict:\n", definition.name.identifier(), signature(definition));
    code.push_str(&docstring(definition));
    let results = steps::results_name(definition);
    for parameter in mutable_defaults(definition) {
        let (name, default) = (&parameter.name, parameter.default.as_ref().map(python::literal).unwrap_or_default());
        let _ = writeln!(code, "    {name} = {default} if {name} is None else {name}");
    }
    let _ = writeln!(code, "    {results}: dict = {{}}");
    for (index, (step, source)) in steps.iter().zip(&definition.steps).enumerate() {
        let _ = writeln!(code, "    # Step {}: {}", index + 1, python::comment(&steps::summary(source)));
        code.push_str(&step.body);
    }
    if let Some(template) = &definition.template {
        let _ = writeln!(code, "    {results}[\"text\"] = {}", python::template(template, definition));
    }
    let _ = writeln!(code, "    return {results}");
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
    let line = parameters.join(", ");
    if line.len() < 80 || parameters.is_empty() { line } else { format!("\n    {},\n", parameters.join(",\n    ")) }
}

/// Parameters whose default would be shared between calls if it stood in the signature.
fn mutable_defaults(definition: &Definition) -> impl Iterator<Item = &Parameter> {
    definition.parameters.iter().filter(|parameter| {
        !parameter.is_required() && matches!(parameter.default, Some(Value::Array(_) | Value::Object(_)))
    })
}

fn docstring(definition: &Definition) -> String {
    let described = definition.description.trim();
    let summary = if described.is_empty() { format!("Carry out {}.", definition.name) } else { described.to_owned() };
    let mut text = python::docstring_text(&summary);
    let parameters = ordered(definition);
    if !parameters.is_empty() {
        text.push_str("\n\n    Args:");
        for parameter in parameters {
            let what = parameter.description.as_deref().map(str::trim).filter(|what| !what.is_empty());
            let what = what.map_or_else(|| format!("The {}.", parameter.name.replace('_', " ")), str::to_owned);
            let _ = write!(text, "\n        {}: {}", parameter.name, python::docstring_text(&what));
        }
    }
    text.push_str("\n\n    Returns:\n        What each step gave, under `step_1`, `step_2` and so on");
    text.push_str(if definition.template.is_some() { ", and the rendered `text`.\n" } else { ".\n" });
    format!("    \"\"\"{text}    \"\"\"\n")
}
