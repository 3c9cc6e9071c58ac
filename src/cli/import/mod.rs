//! `repertoire import`

mod lessons;
mod trace;

use std::{path::PathBuf, process::ExitCode};

use serde_json::{Value, json};

use super::{
    asking,
    context::Context,
    error::CliError,
    output::{DIM, GREEN, Output, RED, YELLOW, printable},
    programs::worker_program,
};
use crate::{
    domain::Hinted as _,
    library::{Became, Incoming, Item, Services, read_procedures},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files of `repertoire export`, JSON or JSON lines, databases of SQLite, Python; folders with such files; or Agent
    /// Skills: folders with `SKILL.md`, or with such folders in them.
    #[arg(required_unless_present_any = ["trace", "lessons"], value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A session of Claude Code or Codex, or a list of messages: its file, or `claude-code` or `codex` for the latest one.
    /// What the agent did there becomes candidates.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "dry_run", "json"])]
    trace: Option<PathBuf>,
    /// Lessons, a line of JSON each: texts, or objects with `problem`, `solution` and such. They become candidates.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "trace", "json", "trust"])]
    lessons: Option<PathBuf>,
    /// Of a session: also what is short or mostly done by hand.
    #[arg(long, requires = "trace")]
    all: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Of skills: use them at once, instead of leaving them as candidates for `repertoire review`.
    #[arg(long)]
    trust: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// What is reported of one procedure.
struct Line {
    origin: String,
    name: Option<String>,
    became: Result<Became, CliError>,
    left_out: Vec<String>,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    if let Some(trace) = &arguments.trace {
        return trace::run(trace, arguments.all, context);
    }
    if let Some(file) = &arguments.lessons {
        return lessons::run(file, arguments.dry_run, context);
    }
    let mut items = Vec::new();
    for path in &arguments.paths {
        items.extend(read_procedures(path)?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let services = runtime.block_on(Services::open(context.config()?, context.starters, worker_program()?))?;
    let out = context.output;
    let mut lines = Vec::new();
    for Item { origin, found } in items {
        let line = match found {
            Ok(incoming) => {
                let incoming = if arguments.trust { incoming.trusted() } else { incoming };
                let import = || one(&incoming, arguments.dry_run, &services, &runtime, out);
                let left_out = incoming.left_out.clone();
                match import() {
                    Ok((name, became)) => Line { origin, name: Some(name), became: Ok(became), left_out },
                    Err(error) => Line { origin, name: Some(incoming.name.clone()), became: Err(error), left_out },
                }
            }
            Err(error) => Line { origin, name: None, became: Err(error.into()), left_out: Vec::new() },
        };
        if !arguments.json {
            show(&line, out);
        }
        lines.push(line);
    }
    runtime.block_on(services.engine().shut_down());
    let count = |what: fn(&Result<Became, CliError>) -> bool| lines.iter().filter(|line| what(&line.became)).count();
    let refused = count(Result::is_err);
    if arguments.json {
        let report: Vec<Value> = lines.iter().map(facts).collect();
        out.line(serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        out.line(format_args!(
            "{}{} added, {} changed, {} unchanged, {refused} refused",
            if arguments.dry_run { "nothing was stored; it would be: " } else { "" },
            count(|became| matches!(became, Ok(Became::Added))),
            count(|became| matches!(became, Ok(Became::Changed(_)))),
            count(|became| matches!(became, Ok(Became::Unchanged))),
        ));
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Stores one procedure, or says what that would do; where it drops an approval, the person at the terminal is asked.
fn one(
    incoming: &Incoming,
    is_dry: bool,
    services: &Services,
    runtime: &tokio::runtime::Runtime,
    out: Output,
) -> Result<(String, Became), CliError> {
    asking::confirmed(services.library().user(), out, |by| {
        runtime.block_on(services.bring_in(incoming.clone(), is_dry, &by))
    })
}

fn show(line: &Line, out: Output) {
    let name = printable(line.name.as_deref().unwrap_or_default());
    match &line.became {
        Ok(Became::Added) => out.line(format_args!("{GREEN}+{GREEN:#} {name}  {DIM}new{DIM:#}")),
        Ok(Became::Changed(version)) => {
            out.line(format_args!("{YELLOW}~{YELLOW:#} {name}  {DIM}version {version}{DIM:#}"));
        }
        Ok(Became::Unchanged) => out.line(format_args!("{DIM}= {name}{DIM:#}")),
        Ok(Became::OnlyFile(why)) => {
            out.line(format_args!("{DIM}- {name}  a file of its skill: {}{DIM:#}", printable(why)));
        }
        Err(error) => {
            let place = printable(&line.origin);
            out.line(format_args!("{RED}!{RED:#} {place}: {}", printable(&error.in_full())));
        }
    }
    if matches!(line.became, Ok(Became::Added | Became::Changed(_) | Became::Unchanged)) && !line.left_out.is_empty() {
        out.line(format_args!("  {DIM}left out: {}{DIM:#}", printable(&line.left_out.join(", "))));
    }
}

fn facts(line: &Line) -> Value {
    let (outcome, version, error) = match &line.became {
        Ok(Became::Added) => ("added", Some(1), None),
        Ok(Became::Changed(version)) => ("changed", Some(*version), None),
        Ok(Became::Unchanged) => ("unchanged", None, None),
        Ok(Became::OnlyFile(why)) => ("file", None, Some(why.clone())),
        Err(error) => ("refused", None, Some(error.in_full())),
    };
    json!({
        "origin": line.origin,
        "name": line.name,
        "outcome": outcome,
        "version": version,
        "error": error,
        "left_out": line.left_out,
    })
}
