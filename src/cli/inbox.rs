//! `repertoire inbox`

use std::process::ExitCode;

use serde_json::Value;

use super::{
    context::Context,
    error::CliError,
    output::{BOLD, DIM, Output, RED, printable, short},
};
use crate::{
    domain::{Decider, ItemKind},
    library::{InboxEntry, InboxFilter, rfc3339_ms},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Also what was resolved.
    #[arg(long)]
    all: bool,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
    /// How many.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show all of an item.
    Show {
        /// Its number.
        id: i64,
    },
    /// Take items out of the inbox; they stay readable.
    Resolve {
        /// Their numbers.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<i64>,
    },
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let out = context.output;
    // Whoever types this is taken at their word: nothing hangs on it.
    let by = Decider::Person(library.user().to_owned());
    match &arguments.command {
        Some(Command::Show { id }) => show(&InboxEntry::Item(library.inbox_item(*id)?), out),
        Some(Command::Resolve { ids }) => {
            for id in ids {
                library.resolve_inbox_item(*id, &by)?;
                out.line(format_args!("resolved {id}"));
            }
        }
        None => {
            let filter = InboxFilter { kind: None, include_resolved: arguments.all };
            let entries = library.inbox(&filter, arguments.limit)?;
            if arguments.json {
                let items: Vec<Value> = entries.iter().map(|entry| Value::Object(entry.fields())).collect();
                out.line(serde_json::to_string_pretty(&items).unwrap_or_default());
            } else if entries.is_empty() {
                out.line("The inbox is empty.");
            } else {
                list(&entries, arguments.all, out);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(entries: &[InboxEntry], all: bool, out: Output) {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let (id, kind, procedure, what) = match entry {
                InboxEntry::Item(row) => {
                    let resolved = match row.resolved_at.filter(|_| all) {
                        Some(_) if row.by_agent => " ✓ (agent)",
                        Some(_) => " ✓",
                        None => "",
                    };
                    let what = row.item.title.as_ref().unwrap_or(&row.item.body);
                    let what = match row.item.undelivered {
                        Some(_) => format!("(not delivered) {what}"),
                        None => what.clone(),
                    };
                    (format!("{}{resolved}", row.id), row.item.kind, &row.procedure, what)
                }
                InboxEntry::Run(kind, run) => {
                    ("–".to_owned(), *kind, &run.procedure_name, run.waiting_for.clone().unwrap_or_default())
                }
            };
            let when = rfc3339_ms(entry.created_at());
            vec![id, label(kind).to_owned(), seconds_of(&when), procedure.clone(), printable(&short(&what, 70))]
        })
        .collect();
    out.table(&["ID", "KIND", "WHEN", "PROCEDURE", "WHAT"], &rows);
    for entry in entries {
        if let InboxEntry::Run(_, run) = entry {
            out.line(format_args!("{DIM}{} waits as run {}{DIM:#}", run.procedure_name, run.id));
        }
    }
}

const fn label(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::EmailDraft => "e-mail draft",
        other => other.as_str(),
    }
}

/// A time without fractions of a second.
fn seconds_of(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

fn show(entry: &InboxEntry, out: Output) {
    let fields = entry.fields();
    if let Some(title) = fields.get("title").and_then(Value::as_str) {
        out.line(format_args!("{BOLD}{}{BOLD:#}", printable(title)));
    }
    for (name, value) in fields.iter().filter(|(name, _)| !["title", "body"].contains(&name.as_str())) {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        };
        let text = printable(&text);
        if name == "undelivered" {
            out.line(format_args!("{DIM}{name}:{DIM:#} {RED}{text}{RED:#}"));
        } else {
            out.line(format_args!("{DIM}{name}:{DIM:#} {text}"));
        }
    }
    if let Some(body) = fields.get("body").and_then(Value::as_str).filter(|body| !body.is_empty()) {
        out.line("");
        body.lines().for_each(|line| out.line(printable(line)));
    }
}
