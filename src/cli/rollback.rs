//! `repertoire rollback`

use std::process::ExitCode;

use super::{asking, context::Context, error::CliError};
use crate::library::{ProcedureRef, VersionRef};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// A version number, `v3`, or at least 7 digits of a commit.
    version: String,
    /// Why; kept in the history.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Also where its code contradicts examples; the history says so.
    #[arg(long)]
    accept_failing_examples: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let out = context.output;
    let wanted = ProcedureRef::from(arguments.procedure.as_str());
    let target = VersionRef::Text(arguments.version.clone());
    let (row, target) = asking::confirmed(library.user(), out, |by| {
        let by = by.accepting_failing(arguments.accept_failing_examples);
        library.rollback(&wanted, &target, arguments.reason.as_deref(), &by)
    })?;
    out.line(format_args!(
        "`{}` has the code of version {target} again; it is version {} now.",
        row.definition.name, row.version
    ));
    Ok(ExitCode::SUCCESS)
}
