//! `repertoire delete`

use std::process::ExitCode;

use super::{context::Context, error::CliError};
use crate::library::ProcedureRef;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// Only if this is its version still.
    #[arg(long, value_name = "N")]
    expected_version: Option<u32>,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let wanted = ProcedureRef::from(arguments.procedure.as_str());
    let row = context.library()?.delete(&wanted, arguments.expected_version)?;
    context.output.line(format_args!(
        "`{}` is removed. Its history and its runs are kept: `repertoire show {}` has them.",
        row.definition.name, row.id
    ));
    Ok(ExitCode::SUCCESS)
}
