//! `repertoire init`

use std::{io::Write as _, process::ExitCode};

use super::{context::Context, error::CliError};
use crate::{
    config::TEMPLATE,
    library::{create_new, make_folder},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub fn run(_: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let config = context.config()?;
    let file = config.file();
    let cant_write = || CliError::io(format!("can't write `{}`", file.display()));
    make_folder(&config.home).map_err(cant_write())?;
    match create_new(&file) {
        Ok(mut created) => {
            created.write_all(TEMPLATE.as_bytes()).map_err(cant_write())?;
            context.output.line(format_args!("Wrote {}", file.display()));
            context.output.line("Nothing is allowed yet: name commands and directories under [policy].");
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            context.output.line(format_args!("{} is already there and was left as it is.", file.display()));
        }
        Err(error) => return Err(cant_write()(error)),
    }
    Ok(ExitCode::SUCCESS)
}
