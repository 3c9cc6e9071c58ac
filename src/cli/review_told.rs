//! What `repertoire review` shows of a candidate that was told or recorded: the lessons; or what was done beside what would be done
//! again, and what would have to be granted for it.

use super::output::{BOLD, DIM, Output, YELLOW, printable, short};
use crate::{
    domain::{Permissions, Step, recording::Recording},
    library::{CandidateView, Source},
};

/// Of each side; both fit in 80 columns.
const WIDTH: usize = 38;

pub fn show(view: &CandidateView, out: Output) {
    let (count, lessons) = &view.lessons;
    for told in lessons {
        let session = told.session.as_deref().map_or_else(String::new, |session| format!(" ({})", printable(session)));
        out.line(format_args!("{BOLD}told{BOLD:#} {}{DIM}{session}{DIM:#}", printable(&told.told.words())));
    }
    let shown = u64::try_from(lessons.len()).unwrap_or(u64::MAX);
    if *count > shown {
        out.line(format_args!("{DIM}and {} times more{DIM:#}", count - shown));
    }
    if let (Some((row, missing)), Source::Procedure(procedure)) = (&view.recording, &view.source) {
        side_by_side(&row.recording, &procedure.definition.steps, out);
        for parameter in &procedure.definition.parameters {
            let what = parameter.description.as_deref().unwrap_or_default();
            out.line(format_args!("{BOLD}parameter{BOLD:#} {} {DIM}{}{DIM:#}", parameter.name, printable(what)));
        }
        for line in to_grant(missing) {
            out.line(format_args!("{YELLOW}to be granted{YELLOW:#} {line}"));
        }
    }
}

fn side_by_side(recording: &Recording, steps: &[Step], out: Output) {
    out.line(format_args!("{BOLD}asked{BOLD:#} {}", printable(&recording.prompt)));
    out.line(format_args!("{DIM}{:<WIDTH$}   what would be done again{DIM:#}", "what was done"));
    let cell = |text: String| short(&printable(&text), WIDTH);
    let done: Vec<String> = recording.calls.iter().map(|call| cell(call.line())).collect();
    let again: Vec<String> =
        (1..).zip(steps).map(|(number, step)| cell(format!("{number}. {}", step.words().trim()))).collect();
    for at in 0..done.len().max(again.len()) {
        let side = |cells: &[String]| cells.get(at).cloned().unwrap_or_default();
        out.line(format_args!("{:<WIDTH$} │ {}", side(&done), side(&again)).to_string().trim_end());
    }
}

/// Lines for `[policy]` in `config.toml`.
fn to_grant(missing: &Permissions) -> Vec<String> {
    let line = |name: &str, entries: &[String]| {
        let quoted: Vec<String> = entries.iter().map(|entry| format!("'{}'", printable(entry))).collect();
        (!entries.is_empty()).then(|| format!("{name} = [{}]", quoted.join(", ")))
    };
    [line("commands", &missing.commands), line("tools", &missing.tools)].into_iter().flatten().collect()
}
