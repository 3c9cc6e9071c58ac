//! `repertoire serve`

use std::{io::IsTerminal as _, process::ExitCode};

use super::{context::Context, ending::asked_to_end, error::CliError, output::log, programs::worker_program};
use crate::{
    config::ConfigError,
    server::{self, ServeOptions, catalog::Selection, tool::Toolset},
};

/// Threads for SQLite, git and files. More would only wait for the same disk, each with a connection of its own.
const BLOCKING_THREADS: usize = 32;

#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Show only these groups of tools (comma-separated). [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    toolsets: Vec<Toolset>,
    /// Show only tools that change nothing.
    #[arg(long)]
    read_only: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    log("warn,repertoire=info");
    // What else is wrong with the home is told by the calls. But nobody is served who may belong to any tenant.
    if let Err(CliError::Config(error @ ConfigError::TenantRequired { .. })) = context.config() {
        return Err(error.into());
    }
    let options = ServeOptions {
        start: context.start.clone(),
        starters: context.starters,
        selection: Selection { toolsets: arguments.toolsets.clone(), read_only: arguments.read_only },
        worker: worker_program()?,
    };
    if std::io::stdin().is_terminal() {
        tracing::warn!(
            "stdin is a terminal, but an MCP client is expected there; `repertoire --help` shows the commands"
        );
    }
    // One thread drives the protocol; what blocks has threads of its own. With more, messages would only change hands.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let result = runtime.block_on(server::serve_stdio(options, asked_to_end()));
    // A read of stdin may still block a thread on platforms without pipes that can be polled.
    runtime.shutdown_background();
    result?;
    Ok(ExitCode::SUCCESS)
}
