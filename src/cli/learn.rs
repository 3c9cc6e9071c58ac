//! `repertoire learn`

use std::process::ExitCode;

use super::{context::Context, error::CliError};

#[derive(Debug, clap::Args)]
pub struct Arguments {}

pub fn run(_: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let proposed = library.learn_now()?;
    let waiting = library.candidates()?.len();
    context.output.line(format_args!(
        "New changes that runs speak for: {proposed}. Candidates that wait: {waiting}; `repertoire review` lists them."
    ));
    Ok(ExitCode::SUCCESS)
}
