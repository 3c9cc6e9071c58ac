//! `repertoire db`

use std::{path::PathBuf, process::ExitCode};

use super::{
    backup::tell,
    context::Context,
    error::CliError,
    output::{BOLD, DIM, Output, YELLOW},
};
use crate::{
    domain::schema::{Migrated, Schema},
    library::{Maintenance, restore_database},
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
    Up {
        /// Only up to this version.
        #[arg(long, value_name = "N")]
        to: Option<u32>,
    },
    /// Take the database back to an older schema version, for an older program. What newer versions added is lost, but
    /// for a backup.
    Down {
        /// The version; 0 leaves an empty database.
        #[arg(long, value_name = "N")]
        to: u32,
    },
    /// Bring back a copy of the database, also while servers run. What is there is kept, and so is what git knows.
    Restore {
        /// One of the copies that `status` lists, or another.
        file: PathBuf,
    },
}

const ONE_STEP: &str = "A program that knows this version can use it; this one would bring it up again.";

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let out = context.output;
    let database = Maintenance::new(context.config()?);
    match &arguments.command {
        Command::Restore { file } => tell(&restore_database(&context.config()?, file)?, out),
        Command::Status => {
            out.line(format_args!("{BOLD}{}{BOLD:#}", database.file().display()));
            show(&database.schema()?, out);
        }
        Command::Up { to: None } => match database.up()? {
            Some(migrated) => done(&migrated, out),
            None => out.line("The database is up to date."),
        },
        Command::Up { to: Some(to) } => {
            let newest = database.schema()?.newest;
            match database.up_to(*to)? {
                Some(migrated) => done(&migrated, out),
                None => out.line(format_args!("The database has schema version {to} already.")),
            }
            if *to < newest {
                out.line(ONE_STEP);
            }
        }
        Command::Down { to } => {
            done(&database.down(*to)?, out);
            if *to == 0 {
                out.line(
                    "It is empty now. The next start brings back what git knows; runs, checkpoints and what else \
                     happened are in the backup only.",
                );
            } else {
                out.line(ONE_STEP);
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
