//! `repertoire code`

use std::{fs, path::PathBuf, process::ExitCode};

use super::{
    context::Context,
    error::CliError,
    generate::{make, warn},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// The file with its new code.
    file: PathBuf,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let what = format!("`{}` can't be read", arguments.file.display());
    let code = fs::read_to_string(&arguments.file).map_err(CliError::io(what))?;
    let (made, warning) = make(&arguments.procedure, Some(&code), (false, false), context)?;
    let (name, out) = (&made.procedure.definition.name, context.output);
    match made.version {
        Some(version) => {
            out.line(format_args!("`{name}` has this code in version {version} (confidence {:.2}).", made.confidence));
        }
        None => out.line(format_args!("`{name}` keeps the code that it has.")),
    }
    warn(out, warning.as_deref());
    Ok(ExitCode::SUCCESS)
}
