//! `repertoire test`

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{
    context::Context,
    error::CliError,
    output::{DIM, GREEN, Output, RED, YELLOW, printable},
};
use crate::{
    domain::{ProcedureFilter, example::Verdict},
    library::{Library, ProcedureRef, TriedExamples},
};

/// How many procedures are looked through at a time.
const PAGE: u32 = 500;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Numbers or names. [default: all procedures that have examples]
    procedures: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let wanted = if arguments.procedures.is_empty() {
        with_examples(&library)?
    } else {
        arguments.procedures.iter().map(|given| ProcedureRef::from(given.as_str())).collect()
    };
    let mut tried = Vec::new();
    for wanted in &wanted {
        let examples = library.try_examples_of(wanted)?;
        if !arguments.json {
            show(&examples, context.output);
        }
        tried.push(examples);
    }
    let count =
        |is: fn(&Verdict) -> bool| tried.iter().flat_map(|tried| &tried.verdicts).filter(|verdict| is(verdict)).count();
    let passed = count(|verdict| *verdict == Verdict::Passed);
    let failed = count(|verdict| matches!(verdict, Verdict::Failed { .. }));
    let untried = count(|verdict| matches!(verdict, Verdict::Untried(_)));
    if arguments.json {
        let procedures: Vec<Value> = tried.iter().map(as_json).collect();
        context.output.line(json!({"passed": passed, "failed": failed, "untried": untried, "procedures": procedures}));
    } else {
        context.output.line(format_args!("{passed} passed, {failed} failed, {untried} could not be tried."));
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn with_examples(library: &Library) -> Result<Vec<ProcedureRef>, CliError> {
    let mut found = Vec::new();
    let mut offset = 0;
    loop {
        let (page, _) = library.list(&ProcedureFilter::default(), PAGE, offset)?;
        let count = u32::try_from(page.len()).unwrap_or(PAGE);
        let tried = page.into_iter().filter(|row| row.code.is_some() && !row.definition.examples.is_empty());
        found.extend(tried.map(|row| ProcedureRef::Id(row.id)));
        if count < PAGE {
            return Ok(found);
        }
        offset += PAGE;
    }
}

fn show(tried: &TriedExamples, out: Output) {
    let TriedExamples { name, version, verdicts, failing } = tried;
    if verdicts.is_empty() {
        out.line(format_args!("{DIM}–{DIM:#} {name} has no example that code could be held to"));
    }
    for (verdict, number) in verdicts.iter().zip(1..) {
        match verdict {
            Verdict::Passed => out.line(format_args!("{GREEN}ok{GREEN:#} {name} v{version}, example {number}")),
            Verdict::Untried(why) => {
                out.line(format_args!("{YELLOW}??{YELLOW:#} {name} v{version}, example {number}: {}", printable(why)));
            }
            Verdict::Failed { .. } => {
                let told = failing.iter().find(|failing| failing.example == number).map(ToString::to_string);
                let told = told.unwrap_or_default();
                out.line(format_args!("{RED}no{RED:#} {name} v{version}, {}", printable(&told)));
            }
        }
    }
}

fn as_json(tried: &TriedExamples) -> Value {
    let examples: Vec<Value> = tried
        .verdicts
        .iter()
        .zip(1..)
        .map(|(verdict, number)| match verdict {
            Verdict::Passed => json!({"example": number, "verdict": "passed"}),
            Verdict::Untried(why) => json!({"example": number, "verdict": "untried", "why": why}),
            Verdict::Failed { expected, got } => {
                json!({"example": number, "verdict": "failed", "expected": expected, "got": got})
            }
        })
        .collect();
    json!({"name": tried.name, "version": tried.version, "examples": examples})
}
