//! The command line. One command is one file: its arguments on top, what it does below.

mod approve;
mod asking;
mod backup;
mod bench;
mod cancel;
mod clock;
mod clone;
mod code;
mod context;
mod daemon;
mod db;
mod delete;
mod demo;
mod docs;
mod doctor;
mod enable;
mod ending;
mod error;
mod export;
mod generate;
mod grant;
mod hook;
mod import;
mod inbox;
mod init;
mod install;
mod keep;
mod learn;
mod list;
mod output;
mod programs;
mod record;
mod rename;
mod review;
mod rollback;
mod run;
mod serve;
mod show;
mod sizes;
mod stats;
mod test;
mod tidy;
mod tools;
mod validate;
mod waiting;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{config::Start, domain::Hinted as _, library::Starters};
use context::Context;
use output::Output;

/// Procedural memory for AI agents: an MCP server that remembers procedures as code, checks, versions, runs and
/// measures them.
#[derive(Debug, Parser)]
#[command(name = "repertoire", version, about, max_term_width = 100)]
struct Arguments {
    /// Data folder. [default: `$REPERTOIRE_HOME`, else the platform's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Who you are to other users of the home. [default: `$REPERTOIRE_USER`, else the system's user]
    #[arg(long, global = true, value_name = "NAME")]
    user: Option<String>,
    /// For whom you work: each tenant has stores of its own. [default: `$REPERTOIRE_TENANT`, else none]
    #[arg(long, global = true, value_name = "NAME")]
    tenant: Option<String>,
    /// When to use colours: `auto`, in a terminal that has them and unless `NO_COLOR` is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: clap::ColorChoice,
    /// Don't give a new home the starter procedures.
    #[arg(long, global = true)]
    no_starters: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Connect a client: put this server into its settings, or take it out again.
    Install(install::Arguments),
    /// Serve one MCP client over stdin and stdout (the default).
    Serve(serve::Arguments),
    /// Keep the clock of the home and its tenants without a client: start what is due, go on with what waits, tidy up.
    Daemon(daemon::Arguments),
    /// See the whole life cycle on real input, in a temporary home.
    Demo(demo::Arguments),
    /// List procedures.
    List(list::Arguments),
    /// Show one procedure: definition, code, versions.
    Show(show::Arguments),
    /// Copy a procedure, for you to change; what starts by itself starts your copy.
    Clone(clone::Arguments),
    /// Give a procedure another name; the old one stays an alias.
    Rename(rename::Arguments),
    /// Execute a procedure and print its result.
    Run(run::Arguments),
    /// Count what was done by reading a procedure, without executing it here.
    Record(record::Arguments),
    /// Stop a run, whichever process executes it.
    Cancel(cancel::Arguments),
    /// Show how procedures do.
    Stats(stats::Arguments),
    /// Decide what a run waits for, and go on with it; list the runs that wait.
    Approve(approve::Arguments),
    /// Decide on what was learned or proposed, one after the other; list what waits.
    Review(review::Arguments),
    /// Learn now from what has happened, as servers do by and by.
    Learn(learn::Arguments),
    /// Make the code of a procedure: by the model, where one is configured, else from its steps.
    Generate(generate::Arguments),
    /// Give a procedure the code of a file.
    Code(code::Arguments),
    /// Try the examples of procedures with their code; the exit code says whether all hold.
    Test(test::Arguments),
    /// Keep a finished run as an example of its procedure.
    Keep(keep::Arguments),
    /// Make the code of an earlier version current again.
    Rollback(rollback::Arguments),
    /// Let a procedure be executed again.
    Enable(enable::Arguments),
    /// Keep a procedure from being executed, by whoever and whatever.
    Disable(enable::Arguments),
    /// Take in procedures from files (those of an export, tables and lists of other programs, Python), or what an agent did.
    Import(import::Arguments),
    /// Write procedures to a file that any home can import.
    Export(export::Arguments),
    /// Remove a procedure; its history stays.
    Delete(delete::Arguments),
    /// See what procedures left for you, and the runs that wait.
    Inbox(inbox::Arguments),
    /// Answer a hook of a client: what is known for a prompt, and what is done goes into a recording.
    Hook(hook::Arguments),
    /// List the tools of other MCP servers that procedures can call.
    Tools(tools::Arguments),
    /// Check files of code; the exit code makes it a pre-commit hook.
    Validate(validate::Arguments),
    /// Check the home and say what is wrong with it.
    Doctor(doctor::Arguments),
    /// Remove what is too old or too much, and pack the history, as servers do little by little.
    Tidy(tidy::Arguments),
    /// Write the whole home, with all tenants, to one file.
    Backup(backup::BackupArguments),
    /// Bring back a home from a file; what is there is kept beside it.
    Restore(backup::RestoreArguments),
    /// Show the schema version of the database, change it, or bring back a copy.
    Db(db::Arguments),
    /// Grant procedures a command, a folder, a host or a tool, or take it back; list what is granted.
    Grant(grant::Arguments),
    /// Write a commented config.toml.
    Init(init::Arguments),
    /// Measure over the real protocol, against the budgets.
    Bench(bench::Arguments),
    /// Write the generated parts of the documentation.
    #[command(hide = true)]
    Docs(docs::Arguments),
}

/// Reads the arguments, does what they say, and tells how it went.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let starters = if arguments.no_starters { Starters::Skip } else { Starters::Install };
    let start = Start { home: arguments.home, user: arguments.user, tenant: arguments.tenant };
    match arguments.color {
        clap::ColorChoice::Auto => {}
        clap::ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        clap::ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    let context = Context { start, starters, output: Output };
    let command = arguments.command.unwrap_or(Command::Serve(serve::Arguments::default()));
    let keeps_a_log = match &command {
        Command::Serve(_) => true,
        Command::Daemon(arguments) => arguments.keeps_the_clock(),
        _ => false,
    };
    if !keeps_a_log {
        // What went wrong is told by the command; the log has what a fault of the program leaves unsaid.
        output::log("off,repertoire=error");
    }
    let result = match command {
        Command::Serve(arguments) => serve::run(&arguments, &context),
        Command::Daemon(arguments) => daemon::run(&arguments, &context),
        Command::Demo(arguments) => demo::run(&arguments, &context),
        Command::List(arguments) => list::run(&arguments, &context),
        Command::Show(arguments) => show::run(&arguments, &context),
        Command::Clone(arguments) => clone::run(&arguments, &context),
        Command::Rename(arguments) => rename::run(&arguments, &context),
        Command::Run(arguments) => run::run(&arguments, &context),
        Command::Record(arguments) => record::run(&arguments, &context),
        Command::Stats(arguments) => stats::run(&arguments, &context),
        Command::Approve(arguments) => approve::run(&arguments, &context),
        Command::Review(arguments) => review::run(&arguments, &context),
        Command::Cancel(arguments) => cancel::run(&arguments, &context),
        Command::Learn(arguments) => learn::run(&arguments, &context),
        Command::Generate(arguments) => generate::run(&arguments, &context),
        Command::Code(arguments) => code::run(&arguments, &context),
        Command::Test(arguments) => test::run(&arguments, &context),
        Command::Keep(arguments) => keep::run(&arguments, &context),
        Command::Rollback(arguments) => rollback::run(&arguments, &context),
        Command::Enable(arguments) => enable::run(&arguments, &context, true),
        Command::Disable(arguments) => enable::run(&arguments, &context, false),
        Command::Import(arguments) => import::run(&arguments, &context),
        Command::Export(arguments) => export::run(&arguments, &context),
        Command::Delete(arguments) => delete::run(&arguments, &context),
        Command::Inbox(arguments) => inbox::run(&arguments, &context),
        Command::Hook(arguments) => hook::run(&arguments, &context),
        Command::Tools(arguments) => tools::run(&arguments, &context),
        Command::Validate(arguments) => validate::run(&arguments, &context),
        Command::Doctor(arguments) => doctor::run(&arguments, &context),
        Command::Tidy(arguments) => tidy::run(&arguments, &context),
        Command::Backup(arguments) => backup::run_backup(&arguments, &context),
        Command::Restore(arguments) => backup::run_restore(&arguments, &context),
        Command::Db(arguments) => db::run(&arguments, &context),
        Command::Install(arguments) => install::run(&arguments, &context),
        Command::Grant(arguments) => grant::run(&arguments, &context),
        Command::Init(arguments) => init::run(&arguments, &context),
        Command::Bench(arguments) => bench::run(&arguments, &context),
        Command::Docs(arguments) => docs::run(&arguments, &context),
    };
    result.unwrap_or_else(|error| {
        context.output.error(&error.to_string(), error.hint().as_deref());
        error.exit_code()
    })
}
