//! Another procedure: it is called, and its result is kept.

use super::place::Place;
use crate::{
    compiler::{python, text, writer::Writer},
    domain::ProcedureStep,
};

/// Writes the statements of a step that calls a procedure.
pub(super) fn compile(step: &ProcedureStep, place: &Place<'_, '_>, out: &mut Writer) {
    let scope = place.scope.of_arguments();
    let arguments = (!step.arguments.is_empty()).then(|| text::dictionary(&step.arguments, &scope));
    let call = call(&step.procedure, arguments.as_deref(), place, out);
    place.guard(place.title(&step.procedure), &[place.keep(&call)], out);
}

/// A call of the procedure `name`; `arguments` is a dictionary.
pub(super) fn call(name: &str, arguments: Option<&str>, place: &Place<'_, '_>, out: &mut Writer) -> String {
    let arguments = arguments.map(|arguments| format!(", {arguments}")).unwrap_or_default();
    let call = out.host_call("call_procedure", &format!("{}{arguments}{}", python::string(name), place.limit()));
    place.awaited(&call)
}
