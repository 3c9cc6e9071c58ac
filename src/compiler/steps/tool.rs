//! A tool of another MCP server: until the host can call one, whoever reads the run is asked to.

use super::Place;
use crate::{
    compiler::{
        scope::{Part, push_text},
        text,
        writer::Writer,
    },
    domain::{OnFailure, ToolStep},
};

/// Writes the statements of a step that calls a tool.
pub(super) fn compile(step: &ToolStep, place: &Place<'_, '_>, out: &mut Writer) {
    let arguments = (!step.arguments.is_empty()).then(|| text::dictionary(&step.arguments, place.scope));
    let call = call(step, arguments.as_deref(), place, out);
    place.guard(&step.tool, OnFailure::Stop, &[place.keep(&call)], out);
}

/// The call, which gives what the tool answers; `arguments` is a dictionary.
fn call(step: &ToolStep, arguments: Option<&str>, place: &Place<'_, '_>, out: &mut Writer) -> String {
    let mut sentence: Vec<Part> = Vec::new();
    match step.server_and_tool() {
        Some((server, tool)) => {
            push_text(&mut sentence, &format!("Call the tool `{tool}` of the server `{server}` "));
        }
        None => push_text(&mut sentence, &format!("Call the tool `{}` ", step.tool)),
    }
    push_text(&mut sentence, "and give back its result.");
    if let Some(description) = &step.description {
        push_text(&mut sentence, &format!("\nPurpose: {}", description.trim()));
    }
    let Some(arguments) = arguments else {
        push_text(&mut sentence, "\nIt has no arguments.");
        return out.host_call("manual_step", &text::lines(&sentence));
    };
    push_text(&mut sentence, "\nArguments as JSON: ");
    let json = out.as_json(arguments, &place.scope.own_name("json"));
    out.host_call("manual_step", &format!("{} + {json}", text::lines(&sentence)))
}
