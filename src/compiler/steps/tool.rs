//! A tool of another MCP server: it is called, and what it gives is kept.

use super::place::Place;
use crate::{
    compiler::{python, text, writer::Writer},
    domain::ToolStep,
};

/// Writes the statements of a step that calls a tool.
pub(super) fn compile(step: &ToolStep, place: &Place<'_, '_>, out: &mut Writer) {
    let arguments = (!step.arguments.is_empty()).then(|| text::dictionary(&step.arguments, place.scope));
    let call = call(&step.tool, arguments.as_deref(), None, place, out);
    place.guard(place.title(&step.tool), &[place.keep(&call)], out);
}

/// A call of the tool `path`; `arguments` is a dictionary, `timeout` in seconds.
pub(super) fn call(
    path: &str,
    arguments: Option<&str>,
    timeout: Option<u32>,
    place: &Place<'_, '_>,
    out: &mut Writer,
) -> String {
    let mut passed = python::string(path);
    passed.extend(arguments.map(|arguments| format!(", {arguments}")));
    passed.extend(timeout.map(|seconds| format!(", timeout={seconds}")));
    let call = out.host_call("call_tool", &passed);
    place.awaited(&call)
}
