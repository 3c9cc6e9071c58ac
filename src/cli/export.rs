//! `repertoire export`

use std::{fs, path::PathBuf, process::ExitCode};

use super::{context::Context, error::CliError};
use crate::library::ProcedureRef;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Numbers or names; without them everything that you may read.
    procedures: Vec<String>,
    /// As JSON, which `repertoire import` reads again without loss; there is no other form.
    #[arg(long)]
    json: bool,
    /// Where to, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let wanted: Vec<ProcedureRef> = arguments.procedures.iter().map(|name| ProcedureRef::from(name.as_str())).collect();
    let export = context.library()?.export(&wanted)?;
    let text = serde_json::to_string_pretty(&export)
        .map_err(|error| CliError::Other(format!("the procedures can't be written as JSON: {error}")))?;
    let Some(file) = &arguments.output else {
        context.output.line(text);
        return Ok(ExitCode::SUCCESS);
    };
    fs::write(file, text + "\n").map_err(CliError::io(format!("`{}` can't be written", file.display())))?;
    let count = export.procedures.len();
    let noun = if count == 1 { "procedure" } else { "procedures" };
    context.output.line(format_args!("{count} {noun} exported to {}.", file.display()));
    Ok(ExitCode::SUCCESS)
}
