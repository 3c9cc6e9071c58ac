//! `repertoire serve`

use std::{io::IsTerminal as _, process::ExitCode};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{context::Context, ending::asked_to_end, error::CliError, output::log, programs::worker_program};
use crate::{
    config::ConfigError,
    server::{
        self, ServeOptions,
        catalog::{Choice, Selection},
    },
};

/// Threads for SQLite, git and files. More would only wait for the same disk, each with a connection of its own.
const BLOCKING_THREADS: usize = 32;

#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// Show these groups of tools (comma-separated): `default` is what agents need, `all` has what programs need that run
    /// workflows of their own, too.
    #[arg(long, value_parser = choice_parser(), value_delimiter = ',', default_value = "default")]
    toolsets: Vec<Choice>,
    /// Show only tools that change nothing.
    #[arg(long)]
    read_only: bool,
    /// Show procedures that have earned it as tools of their own, at most ten.
    #[arg(long)]
    procedure_tools: bool,
    /// Show procedures that have a template as prompts.
    #[arg(long)]
    template_prompts: bool,
}

fn choice_parser() -> impl TypedValueParser<Value = Choice> {
    PossibleValuesParser::new(Choice::words()).map(|word| Choice::of(&word).unwrap_or(Choice::Default))
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
        selection: Selection {
            choices: arguments.toolsets.clone(),
            read_only: arguments.read_only,
            procedure_tools: arguments.procedure_tools && !arguments.read_only,
            template_prompts: arguments.template_prompts,
        },
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
