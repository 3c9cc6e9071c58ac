//! `repertoire daemon`: keeping the clock without a client, and having the system start that by itself.

mod launchd;
mod manager;
mod service;
mod systemd;
mod task_scheduler;

use std::process::ExitCode;

use super::{
    clock::shown_clock,
    context::Context,
    ending::asked_to_end,
    error::CliError,
    output::{BOLD, GREEN, YELLOW, log},
    programs::worker_program,
};
use crate::library::{Library, keep_home, stores_to_keep};
use manager::{Manager, Outcome};
use service::Service;

/// Threads for SQLite, git and files.
const BLOCKING_THREADS: usize = 32;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Have the system start the daemon for this home, now and whenever you log in.
    Install {
        /// Only print the file that the system reads; for another system, name what reads it there.
        #[arg(
            long,
            value_enum,
            value_name = "MANAGER",
            num_args = 0..=1,
            require_equals = true,
            default_missing_value = manager::OF_THIS_SYSTEM
        )]
        print: Option<Manager>,
    },
    /// Say whether it is installed, and who keeps the clock of this home now.
    Status,
    /// End it, and have the system start it no more.
    Uninstall,
}

impl Arguments {
    /// Whether this process becomes the daemon itself.
    pub const fn keeps_the_clock(&self) -> bool {
        self.command.is_none()
    }
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    match &arguments.command {
        None => keep(context)?,
        Some(Command::Install { print: Some(manager) }) => {
            let service = Service::of(context)?;
            context.output.line(manager.file(&service, manager::STEM).trim_end());
        }
        Some(Command::Install { print: None }) => install(context)?,
        Some(Command::Status) => status(context)?,
        Some(Command::Uninstall) => uninstall(context)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build();
    runtime.map_err(CliError::io("the async runtime can't be started"))
}

fn keep(context: &Context) -> Result<(), CliError> {
    log("warn,repertoire=info");
    let worker = worker_program()?;
    let runtime = runtime()?;
    let kept = runtime.block_on(keep_home(context.start.clone(), context.starters, &worker, asked_to_end()));
    runtime.shutdown_background();
    Ok(kept?)
}

fn install(context: &Context) -> Result<(), CliError> {
    let out = context.output;
    // What would keep the daemon from starting is said now.
    stores_to_keep(&context.start)?;
    let (service, manager) = (Service::of(context)?, Manager::of_this_system());
    let installed = manager.install(&service)?;
    out.line(format_args!("Written: {}", installed.path.display()));
    match runtime()?.block_on(installed.outcome()) {
        Outcome::Done => {
            out.line(format_args!("{GREEN}The daemon runs{GREEN:#}, and starts whenever you log in."));
            if let Some(advice) = manager.advice() {
                out.line(format_args!("{BOLD}Next{BOLD:#}  {advice}"));
            }
        }
        Outcome::Not { why, commands } => {
            out.line(format_args!("{YELLOW}It was not started{YELLOW:#}: {why}"));
            for command in commands {
                out.line(format_args!("{BOLD}Next{BOLD:#}  {command}"));
            }
        }
    }
    Ok(())
}

fn uninstall(context: &Context) -> Result<(), CliError> {
    let out = context.output;
    let service = Service::of(context)?;
    let Some(removing) = Manager::of_this_system().find(&service)? else {
        out.line("No daemon is installed for this home.");
        return Ok(());
    };
    // Before its file goes: the system knows it by that.
    let runtime = runtime()?;
    let outcome = runtime.block_on(removing.ending());
    runtime.block_on(removing.remove())?;
    out.line(format_args!("Removed: {}", removing.path.display()));
    if let Outcome::Not { why, commands } = outcome {
        out.line(format_args!("{YELLOW}It may still run{YELLOW:#}: {why}"));
        for command in commands {
            out.line(format_args!("{BOLD}Next{BOLD:#}  {command}"));
        }
    }
    Ok(())
}

fn status(context: &Context) -> Result<(), CliError> {
    let out = context.output;
    match Manager::of_this_system().find(&Service::of(context)?)? {
        Some(found) => {
            let said = runtime()?.block_on(found.said());
            out.line(format_args!("Installed: {}{said}", found.path.display()));
        }
        None => out.line("Not installed: `repertoire daemon install` has the system start it"),
    }
    for config in stores_to_keep(&context.start)? {
        let place = config.tenant.as_ref().map_or_else(String::new, |tenant| format!(" of tenant {tenant}"));
        let clock = Library::open(config, context.starters)?.clock()?;
        out.line(format_args!("The clock{place}: {}", shown_clock(&clock)));
    }
    Ok(())
}
