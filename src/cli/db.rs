//! `repertoire db`

use std::process::ExitCode;

use super::{
    context::Context,
    error::CliError,
    output::{BOLD, DIM, Output, YELLOW},
};
use crate::{
    domain::schema::{Migrated, Schema},
    library::Maintenance,
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the schema version of the database, and what this program knows.
    Status,
    /// Bring the database to the newest schema version, as every start does.
    Up,
    /// Take the database back to an older schema version, for an older program. What newer versions added is lost, but
    /// for a backup.
    Down {
        /// The version; 0 leaves an empty database.
        #[arg(long, value_name = "N")]
        to: u32,
    },
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let database = Maintenance::new(context.config()?);
    let out = context.output;
    match arguments.command {
        Command::Status => {
            out.line(format_args!("{BOLD}{}{BOLD:#}", database.file().display()));
            show(&database.schema()?, out);
        }
        Command::Up => match database.up()? {
            Some(migrated) => done(&migrated, out),
            None => out.line("The database is up to date."),
        },
        Command::Down { to } => {
            done(&database.down(to)?, out);
            if to == 0 {
                out.line(
                    "It is empty now. The next start brings back what git knows; runs, checkpoints and what else \
                     happened are in the backup only.",
                );
            } else {
                out.line("A program that knows this version can use it; this one would bring it up again.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(schema: &Schema, out: Output) {
    let newest = schema.newest;
    out.line(format_args!("schema version {}; this program knows {newest}", schema.version));
    for (number, name) in (1..).zip(&schema.known) {
        let name = name.split_once('_').map_or(*name, |(_, name)| name);
        if number <= schema.version {
            out.line(format_args!("  {number:>3}  {name}"));
        } else {
            out.line(format_args!("  {number:>3}  {name}  {YELLOW}not applied{YELLOW:#}"));
        }
    }
    for number in newest + 1..=schema.version {
        out.line(format_args!("  {number:>3}  {DIM}of a newer program{DIM:#}"));
    }
    if let Some(floor) = schema.floor {
        out.line(format_args!("programs that know version {floor} or more can use it"));
    }
    for backup in &schema.backups {
        out.line(format_args!("backup {}", backup.display()));
    }
}

fn done(migrated: &Migrated, out: Output) {
    let Migrated { from, to, backup } = migrated;
    out.line(format_args!("The database went from schema version {from} to {to}."));
    if let Some(backup) = backup {
        out.line(format_args!("As it was before: {}", backup.display()));
    }
}
