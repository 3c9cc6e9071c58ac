//! `repertoire cancel`

use std::process::ExitCode;

use super::{context::Context, error::CliError, programs::worker_program};
use crate::library::Services;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which run, also one that another process executes.
    run: String,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    runtime.block_on(async {
        let services = Services::open(context.config()?, context.starters, worker_program()?).await?;
        let cancelled = services.engine().cancel(&arguments.run).await;
        services.engine().shut_down().await;
        Ok::<_, CliError>(cancelled?)
    })?;
    context.output.line(format_args!("Run `{}` is cancelled.", arguments.run));
    Ok(ExitCode::SUCCESS)
}
