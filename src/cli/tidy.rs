//! `repertoire tidy`

use std::process::ExitCode;

use super::{context::Context, error::CliError, sizes};
use crate::library::Tidied;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Make the database anew without its free room. Best while no server runs; needs room for a second one.
    #[arg(long)]
    compact: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let out = context.output;
    let library = context.library()?;
    let Tidied { removed, objects_packed, environments } = library.tidy(arguments.compact)?;
    for (name, count) in removed.into_iter().filter(|(_, count)| *count > 0) {
        out.line(format_args!("Removed from {name}, as config.toml says: {count}"));
    }
    if objects_packed > 0 {
        out.line(format_args!("Packed objects of the history: {objects_packed}"));
    }
    if environments.count > 0 {
        let mib = environments.bytes >> 20;
        out.line(format_args!(
            "Removed packages that nobody used for 30 days: {} times, {mib} MiB",
            environments.count
        ));
    }
    sizes::show(&library.taking()?, out);
    Ok(ExitCode::SUCCESS)
}
