//! `repertoire enable` and `repertoire disable`

use std::process::ExitCode;

use super::{asking, context::Context, error::CliError};
use crate::library::{DefinitionPatch, Naming, ProcedureRef};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
}

/// Lets a procedure be executed, or no longer.
pub fn run(arguments: &Arguments, context: &Context, enabled: bool) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let out = context.output;
    let wanted = ProcedureRef::from(arguments.procedure.as_str());
    let word = if enabled { "enabled" } else { "disabled" };
    let row = library.procedure(&wanted)?;
    let name = &row.definition.name;
    if row.definition.enabled == enabled {
        out.line(format_args!("`{name}` is {word} already."));
        return Ok(ExitCode::SUCCESS);
    }
    let patch = DefinitionPatch { enabled: Some(enabled), ..DefinitionPatch::default() };
    let row =
        asking::confirmed(library.user(), out, |by| library.update(&wanted, None, &patch, &Naming::default(), &by))?;
    out.line(format_args!("`{name}` is {word} now (version {}).", row.version));
    Ok(ExitCode::SUCCESS)
}
