//! `repertoire code`

use std::{fs, path::PathBuf, process::ExitCode};

use super::{
    context::Context,
    error::CliError,
    generate::{ending, make, refused, warn},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// The file with its new code.
    file: PathBuf,
    /// Store it although it contradicts examples; the history says so.
    #[arg(long)]
    accept_failing_examples: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let what = format!("`{}` can't be read", arguments.file.display());
    let code = fs::read_to_string(&arguments.file).map_err(CliError::io(what))?;
    let (made, warning) =
        make(&arguments.procedure, Some(&code), (false, false), arguments.accept_failing_examples, context)?;
    let (name, out) = (&made.procedure.definition.name, context.output);
    if let Some(version) = made.version {
        out.line(format_args!("`{name}` has this code in version {version} (confidence {:.2}).", made.confidence));
    } else {
        out.line(format_args!("`{name}` keeps the code that it has."));
        refused(&made, out);
    }
    warn(out, warning.as_deref());
    Ok(ending(&made))
}
