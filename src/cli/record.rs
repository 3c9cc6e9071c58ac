//! `repertoire record`

use std::process::ExitCode;

use serde_json::Value;

use super::{
    context::Context,
    error::CliError,
    output::{percent, printable},
    run::json_or_text,
};
use crate::{
    domain::{Report, Reported},
    library::ProcedureRef,
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// `success`, `failure`, or `skipped` where it was not needed.
    #[arg(value_parser = outcome)]
    outcome: Reported,
    /// How long it took, in milliseconds.
    #[arg(long, value_name = "MS")]
    duration_ms: Option<f64>,
    /// What happened, in words.
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// What shows it: JSON, or else text.
    #[arg(long, value_name = "JSON", value_parser = json_or_text)]
    evidence: Option<Value>,
}

fn outcome(text: &str) -> Result<Reported, String> {
    let found = Reported::ALL.into_iter().find(|outcome| outcome.outcome().as_str() == text);
    found.ok_or_else(|| "say `success`, `failure` or `skipped`".to_owned())
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let report = Report {
        outcome: arguments.outcome,
        duration_ms: arguments.duration_ms,
        notes: arguments.notes.clone(),
        evidence: arguments.evidence.clone(),
    };
    let (row, run_id) = library.record_outcome(&ProcedureRef::from(arguments.procedure.as_str()), &report)?;
    context.output.line(format_args!(
        "recorded `{}` of `{}` ({} success of {} uses) as run {}",
        arguments.outcome.outcome().as_str(),
        row.definition.name,
        percent(row.success_rate()),
        row.uses,
        printable(&run_id),
    ));
    Ok(ExitCode::SUCCESS)
}
