//! A tool of another MCP server: it is called, and what it gives is kept.

use super::place::Place;
use crate::{
    compiler::{python, text, writer::Writer},
    domain::ToolStep,
};

/// Writes the statements of a step that calls a tool.
pub(super) fn compile(step: &ToolStep, place: &Place<'_, '_>, out: &mut Writer) {
    let scope = place.scope.of_arguments();
    let arguments = (!step.arguments.is_empty()).then(|| text::dictionary(&step.arguments, &scope));
    let call = call(&step.tool, arguments.as_deref(), place, out);
    place.guard(place.title(&step.tool), &[place.keep(&call)], out);
}

/// A call of the tool `path`; `arguments` is a dictionary.
pub(super) fn call(path: &str, arguments: Option<&str>, place: &Place<'_, '_>, out: &mut Writer) -> String {
    let mut passed = python::string(path);
    passed.extend(arguments.map(|arguments| format!(", {arguments}")));
    passed.push_str(&place.limit());
    let call = out.host_call("call_tool", &passed);
    place.awaited(&call)
}
