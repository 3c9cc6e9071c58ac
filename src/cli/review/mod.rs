//! `repertoire review`

mod answer;
mod edit;
mod layout;
mod panel;
mod talk;

use std::{io::IsTerminal as _, process::ExitCode};

use super::{
    asking,
    context::Context,
    error::CliError,
    output::{DIM, Output, printable},
};
use crate::library::{CandidateView, Review, Source};
use layout::cut;
use talk::{Talk, said};

/// Columns that a list has in a terminal for where candidates come from, and for all but what they say.
const FROM: usize = 24;
const OTHERS: usize = FROM + 25;
const MAX_PROBLEM: usize = 70;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which candidate, by its number. [default: all that wait, one after the other]
    candidate: Option<i64>,
    /// Make a procedure of it.
    #[arg(long, conflicts_with_all = ["reject", "merge"], requires = "candidate")]
    approve: bool,
    /// Put it away; what was learned comes back when there is twice the evidence.
    #[arg(long, conflicts_with = "merge", requires = "candidate")]
    reject: bool,
    /// Why it is put away.
    #[arg(long, value_name = "TEXT", requires = "reject")]
    reason: Option<String>,
    /// Make it a part of what is nearest to it.
    #[arg(long, requires = "candidate")]
    merge: bool,
    /// The procedure's name. [default: after the workflow]
    #[arg(long, value_name = "NAME", requires = "approve")]
    name: Option<String>,
    /// List what waits. [default: where no person sits at a terminal]
    #[arg(long, conflicts_with_all = ["candidate", "ask"])]
    list: bool,
    /// Read answers, a line each, also where they come from no terminal.
    #[arg(long)]
    ask: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let out = context.output;
    let asks = arguments.ask || (asking::is_terminal() && std::io::stdout().is_terminal());
    let review = match arguments {
        Arguments { approve: true, name, .. } => Some(Review::Approve(name.clone(), Box::default())),
        Arguments { reject: true, reason, .. } => Some(Review::Reject(reason.clone())),
        Arguments { merge: true, .. } => Some(Review::Merge),
        _ => None,
    };
    match (arguments.candidate, review) {
        (None, _) => {
            let candidates = library.candidates()?;
            if arguments.list || !asks || candidates.is_empty() {
                list(&candidates, out);
            } else {
                let ids: Vec<i64> = candidates.iter().map(|view| view.id).collect();
                Talk::new(&library, out).go_through(&ids)?;
            }
        }
        (Some(id), None) if asks => {
            // What nobody can decide on is an error where it was named.
            library.dossier(id)?;
            Talk::new(&library, out).go_through(&[id])?;
        }
        (Some(id), review) => {
            let dossier = library.dossier(id)?;
            let width = out.columns().unwrap_or(talk::COLUMNS);
            panel::draw(&dossier, None, width, true).lines.iter().for_each(|line| out.line(line));
            let Some(review) = review else {
                out.line(format_args!("\n{DIM}Decide with --approve, --reject or --merge.{DIM:#}"));
                return Ok(ExitCode::SUCCESS);
            };
            let decide = |by| library.review_candidate(id, review.clone(), &by);
            let decided = asking::confirmed(library.user(), out, decide)?;
            out.line(said(&dossier, &review, &decided));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(candidates: &[CandidateView], out: Output) {
    if candidates.is_empty() {
        out.line("No candidate waits.");
        return;
    }
    let (from_most, most) = match out.columns() {
        Some(columns) => (FROM, columns.saturating_sub(OTHERS).clamp(10, MAX_PROBLEM)),
        None => (usize::MAX, MAX_PROBLEM),
    };
    let row = |view: &CandidateView| {
        let (what, from, runs) = match &view.source {
            Source::Outcomes(evidence) => ("lesson", printable(&evidence.workflow_id), evidence.count.to_string()),
            Source::Procedure(row) => {
                let what = match view {
                    CandidateView { recording: Some(_), .. } => "recorded",
                    CandidateView { lessons: (1.., _), .. } => "lesson",
                    _ => "procedure",
                };
                (what, row.definition.name.to_string(), "–".to_owned())
            }
            Source::Amendment(amending) => {
                let kind = amending.amendment.change.kind().as_str();
                let name = amending.procedure.definition.name.to_string();
                (kind, name, amending.amendment.count.to_string())
            }
        };
        vec![view.id.to_string(), what.to_owned(), cut(&from, from_most), runs, cut(&view.lesson.problem, most)]
    };
    let rows: Vec<Vec<String>> = candidates.iter().map(row).collect();
    out.table(&["ID", "WHAT", "FROM", "RUNS", "PROBLEM"], &rows);
}
