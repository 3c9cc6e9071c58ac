//! `repertoire rename`

use std::process::ExitCode;

use super::{asking, context::Context, error::CliError};
use crate::library::{DefinitionPatch, Naming, ProcedureRef};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// What it is called from now on.
    new_name: String,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let wanted = ProcedureRef::from(arguments.procedure.as_str());
    let before = library.procedure(&wanted)?.definition.name;
    let naming = Naming { name: Some(arguments.new_name.clone()), former_names: None };
    let row = asking::confirmed(library.user(), context.output, |by| {
        library.update(&wanted, None, &DefinitionPatch::default(), &naming, &by)
    })?;
    context.output.line(format_args!(
        "`{before}` is `{}` now (version {}); `{before}` stays an alias.",
        row.definition.name, row.version
    ));
    Ok(ExitCode::SUCCESS)
}
