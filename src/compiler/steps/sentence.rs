//! Plain words: the one command that they ask for is run, anything else is handed to the agent or a person.

use super::{
    back_ticks::{self, Found},
    command,
    place::Place,
};
use crate::compiler::{text, writer::Writer};

/// Writes the statements of a step in plain words.
pub(super) fn compile(sentence: &str, place: &Place<'_, '_>, out: &mut Writer) {
    // The variables of the whole sentence are asked for, also if the command uses only some of them.
    let parts = place.scope.parts(sentence.trim());
    if let Found::Command(words) = back_ticks::command_in(sentence) {
        return command::compile(&words, place, out);
    }
    let wait = out.host_call("manual_step", &text::lines(&parts));
    let keep = place.keep(&wait);
    if text::can_fail(&parts) {
        place.guard("manual step", &[keep], out);
    } else {
        out.line(&keep);
    }
}
