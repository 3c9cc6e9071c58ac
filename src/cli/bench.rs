use super::{CliError, Context};
use std::process::ExitCode;
#[derive(Debug, clap::Args)]
pub struct Arguments {}
pub fn run(_: &Arguments, _: &Context) -> Result<ExitCode, CliError> {
    Ok(ExitCode::SUCCESS)
}
