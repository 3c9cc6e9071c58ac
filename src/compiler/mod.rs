//! The step compiler: a definition becomes one typed, documented Python function.
//!
//! Deterministic and pure: no model, no I/O. A command is run, a tool or procedure is called, and what nothing can
//! automate is handed to the agent or a person. Start at [`compile`]; what a step becomes is in `steps`, one file per
//! kind, and what runs at the same time is decided in `plan`.

mod constant;
mod filled;
mod plan;
mod python;
mod remarks;
mod scope;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod variables;
mod writer;

use std::fmt::Write as _;

use ruff_python_formatter::{PyFormatOptions, format_module_source};
use serde_json::Value;

use crate::domain::{Definition, Parameter};

pub use constant::with_constant;
pub use filled::{filled, variables_of};
use plan::{Block, Plan};
pub use python::is_identifier;
use scope::{AS_TEXT, Findings, LOOK_UP, Scope};
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

/// What follows dotted paths in compiled code that has some.
const LOOK_UP_CODE: &str = include_str!("look_up.py");
/// What makes a text of anything in compiled code that does.
const AS_TEXT_CODE: &str = include_str!("as_text.py");

/// Python code that carries out the steps of `definition` and returns what each of them gave.
#[must_use]
pub fn compile(definition: &Definition) -> String {
    format(assemble(definition, &Findings::default()))
}

/// What its author should know of how `definition` was read: what is not done as it is said, and what may be missing.
#[must_use]
pub fn remarks(definition: &Definition) -> Vec<String> {
    let findings = Findings::default();
    assemble(definition, &findings);
    remarks::of(definition, &findings);
    findings.remarks.into_inner()
}

/// The variables of steps and template that nothing gives, as the parameters that they ask for, in the order of use.
#[must_use]
pub fn undeclared(definition: &Definition) -> Vec<Parameter> {
    let findings = Findings::default();
    assemble(definition, &findings);
    findings.undeclared.into_inner()
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

fn assemble(definition: &Definition, findings: &Findings) -> String {
    let plan = Plan::of(&definition.steps);
    let scope = Scope::new(definition, findings, &plan.order);
    let results = scope.own_name("results");
    let mut body = Writer::default();
    Author { definition, findings, plan: &plan }.write(&plan.blocks, false, &mut body);
    body.gap();
    if let Some(template) = &definition.template {
        body.line(&format!("{results}[\"text\"] = ({})", text::lines(&scope.parts(template))));
    }
    body.line(&format!("return {results}"));

    let as_text = scope.own_name(AS_TEXT);
    let shows_values = body.calls(&as_text);
    let json = scope.own_name("json");
    if shows_values {
        body.module("json", &json);
    }
    let mut code = format!("{MARK}\n{}\n", body.imports());
    let lines = body.into_lines();
    if shows_values {
        let helper = AS_TEXT_CODE.replace(AS_TEXT, &as_text).replace("json.dumps", &format!("{json}.dumps"));
        let _ = writeln!(code, "{helper}\n");
    }
    let look_up = scope.own_name(LOOK_UP);
    // A command may use less than the sentence in which it stands.
    if findings.has_look_ups.get() && lines.contains(&format!("{look_up}(")) {
        let _ = writeln!(code, "{}\n", LOOK_UP_CODE.replace(LOOK_UP, &look_up));
    }
    // What was defined when less was asked for has no parameter for it.
    let asked = findings.undeclared.borrow().clone();
    let definition = &Definition { parameters: [&definition.parameters[..], &asked].concat(), ..definition.clone() };
    let def = if plan.is_parallel() { "async def" } else { "def" };
    let _ = writeln!(code, "{def} {}({}) -> dict[str, Any]:", definition.name.identifier(), signature(definition));
    let _ = writeln!(code, "    \"\"\"{}\n    \"\"\"", docstring(definition));
    for parameter in mutable_defaults(definition) {
        let (name, default) = (&parameter.name, parameter.default.as_ref().map(python::literal).unwrap_or_default());
        let _ = writeln!(code, "    if {name} is None:\n        {name} = {default}");
    }
    let _ = writeln!(code, "    {results}: dict[str, Any] = {{}}");
    code.push_str(&lines);
    code
}

/// Who writes the steps down.
struct Author<'d> {
    definition: &'d Definition,
    findings: &'d Findings,
    plan: &'d Plan,
}

impl Author<'_> {
    /// Writes a sequence; `is_branch` says that others run at the same time.
    fn write(&self, blocks: &[Block], is_branch: bool, out: &mut Writer) {
        for (at, block) in blocks.iter().enumerate() {
            if at > 0 || !is_branch {
                out.gap();
            }
            match block {
                Block::Step(index) => self.step(*index, is_branch, out),
                Block::Parallel(branches) => self.branches(branches, out),
            }
        }
    }

    fn step(&self, index: usize, is_branch: bool, out: &mut Writer) {
        let Some(step) = self.definition.steps.get(index) else { return };
        let done = self.plan.before.get(index).map_or(&[][..], Vec::as_slice);
        let scope = Scope::new(self.definition, self.findings, done);
        out.line(&format!("# Step {}: {}", index + 1, python::comment(&steps::summary(step))));
        steps::compile(step, index + 1, &scope, is_branch, out);
    }

    /// A function for each branch, and the statement that runs them.
    fn branches(&self, branches: &[Vec<Block>], out: &mut Writer) {
        let scope = Scope::new(self.definition, self.findings, &[]);
        let mut calls = Vec::new();
        for branch in branches {
            let name = scope.own_name(&self.branch_name(branch));
            out.block(&format!("async def {name}() -> None:"), |out| self.write(branch, true, out));
            out.gap();
            calls.push(format!("{name}()"));
        }
        let asyncio = scope.own_name("asyncio");
        out.module("asyncio", &asyncio);
        out.line(&format!("await {asyncio}.gather({})", calls.join(", ")));
    }

    /// `branch_build`, `branch_build_to_test`: by the first step and the last, which no other branch has both.
    fn branch_name(&self, branch: &[Block]) -> String {
        let key = |index: usize| self.definition.steps.get(index).map_or_else(String::new, |step| step.key(index + 1));
        let steps = plan::indexes(branch);
        match (steps.first().copied().map(key), steps.last().copied().map(key)) {
            (Some(first), Some(last)) if first != last => format!("branch_{first}_to_{last}"),
            (first, _) => format!("branch_{}", first.unwrap_or_default()),
        }
    }
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
    let has_ids = definition.steps.iter().any(|step| step.id().is_some());
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
