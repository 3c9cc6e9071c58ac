//! `repertoire keep`

use std::process::ExitCode;

use super::{asking, context::Context, error::CliError};
use crate::library::{DefinitionPatch, Naming};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run.
    run: String,
    /// Also where the code of now contradicts it; the history says so.
    #[arg(long)]
    accept_failing_examples: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let (row, number) = asking::confirmed(library.user(), context.output, |by| {
        let by = by.accepting_failing(arguments.accept_failing_examples);
        let nothing_else = (&DefinitionPatch::default(), &Naming::default());
        library.keep_run(&arguments.run, None, nothing_else, None, &by)
    })?;
    let name = &row.definition.name;
    context.output.line(format_args!("The run is example {number} of `{name}`, which is version {} now.", row.version));
    Ok(ExitCode::SUCCESS)
}
