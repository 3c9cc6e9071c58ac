//! A command: it is run, and its output is kept.

use super::place::Place;
use crate::compiler::{text, writer::Writer};

/// Writes the statements of a step that runs `command`.
pub(super) fn compile(command: &[String], place: &Place<'_, '_>, out: &mut Writer) {
    let scope = place.scope.of_command(command);
    let words: Vec<String> = command.iter().map(|word| text::expression(word, &scope)).collect();
    let run = out.host_call("run_command", &format!("[{}]{}", words.join(", "), place.limit()));
    let run = if place.is_branch { format!("({})", place.awaited(&run)) } else { run };
    place.guard(place.title(&title(command)), &[place.keep(&format!("{run}.stdout"))], out);
}

/// `git fetch` of `git fetch --tags`: the program, and its subcommand if it looks like one.
fn title(command: &[String]) -> String {
    let is_subcommand = |word: &&String| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let program = command.first().map_or("", String::as_str);
    command.get(1).filter(is_subcommand).map_or_else(|| program.to_owned(), |word| format!("{program} {word}"))
}
