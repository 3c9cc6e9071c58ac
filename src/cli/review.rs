//! `repertoire review`

use std::process::ExitCode;

use super::{
    asking,
    context::Context,
    error::CliError,
    output::{BOLD, DIM, Output, printable, short},
    review_told,
};
use crate::{
    domain::visible,
    library::{CandidateView, LibraryError, Review, Source},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which candidate, by its number; shown, where nothing is decided. [default: list those that wait]
    candidate: Option<i64>,
    /// Make a procedure of it.
    #[arg(long, conflicts_with = "reject")]
    approve: bool,
    /// Put it away; what was learned comes back when there is twice the evidence.
    #[arg(long)]
    reject: bool,
    /// The procedure's name. [default: after the workflow]
    #[arg(long, value_name = "NAME", conflicts_with = "reject")]
    name: Option<String>,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let out = context.output;
    let candidates = library.candidates()?;
    let Some(id) = arguments.candidate else {
        list(&candidates, out);
        return Ok(ExitCode::SUCCESS);
    };
    match candidates.iter().find(|view| view.id == id) {
        Some(view) => show(view, out),
        // Deciding says why.
        None if arguments.approve || arguments.reject => {}
        None => return Err(CliError::Library(LibraryError::CandidateNotFound(id))),
    }
    let review = match (arguments.approve, arguments.reject) {
        (true, _) => Review::Approve(arguments.name.clone(), Box::default()),
        (_, true) => Review::Reject,
        _ => {
            out.line(format_args!("{DIM}Decide with --approve or --reject.{DIM:#}"));
            return Ok(ExitCode::SUCCESS);
        }
    };
    let decided = asking::confirmed(library.user(), out, |by| library.review_candidate(id, review.clone(), &by))?;
    match decided.procedure {
        Some((id, name)) if arguments.approve => out.line(format_args!("It is procedure `{name}` (id {id}) now.")),
        _ => out.line(format_args!("Candidate {id} is {}.", decided.status.as_str())),
    }
    Ok(ExitCode::SUCCESS)
}

fn list(candidates: &[CandidateView], out: Output) {
    if candidates.is_empty() {
        out.line("No candidate waits.");
        return;
    }
    let row = |view: &CandidateView| {
        let (what, from, runs) = match &view.source {
            Source::Outcomes(evidence) => ("lesson", printable(&evidence.workflow_id), evidence.count.to_string()),
            Source::Procedure(row) => ("procedure", row.definition.name.to_string(), "–".to_owned()),
        };
        vec![view.id.to_string(), what.to_owned(), from, runs, printable(&short(&view.lesson.problem, 70))]
    };
    let rows: Vec<Vec<String>> = candidates.iter().map(row).collect();
    out.table(&["ID", "WHAT", "FROM", "RUNS", "PROBLEM"], &rows);
}

fn show(view: &CandidateView, out: Output) {
    let (id, lesson) = (view.id, &view.lesson);
    match &view.source {
        Source::Outcomes(evidence) => out.line(format_args!(
            "{DIM}candidate {id} · learned from {} runs of {}{DIM:#}",
            evidence.count,
            printable(&evidence.workflow_id)
        )),
        Source::Procedure(row) => out.line(format_args!(
            "{DIM}candidate {id} · procedure {}, which `repertoire show {}` has in full{DIM:#}",
            row.definition.name, row.id
        )),
    }
    for (name, text) in [("problem", &lesson.problem), ("solution", &lesson.solution), ("reasoning", &lesson.reasoning)]
    {
        out.line(format_args!("{BOLD}{name}{BOLD:#} {}", visible(text)));
    }
    review_told::show(view, out);
}
