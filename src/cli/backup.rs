//! `repertoire backup` and `repertoire restore`

use std::{path::PathBuf, process::ExitCode};

use super::{context::Context, error::CliError, output::Output};
use crate::library::{BackedUp, Restored, back_up, restore};

#[derive(Debug, clap::Args)]
pub struct BackupArguments {
    /// The file to make.
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct RestoreArguments {
    /// A file that `repertoire backup` made.
    file: PathBuf,
}

pub fn run_backup(arguments: &BackupArguments, context: &Context) -> Result<ExitCode, CliError> {
    let BackedUp { bytes, stores } = back_up(&context.config()?, &arguments.file)?;
    let out = context.output;
    out.line(format_args!("Wrote {} ({}).", arguments.file.display(), size(bytes)));
    out.line(format_args!("In it: {}.", named(&stores)));
    out.line("It holds what procedures were given and found, and the key of saved states: keep it to yourself.");
    Ok(ExitCode::SUCCESS)
}

pub fn run_restore(arguments: &RestoreArguments, context: &Context) -> Result<ExitCode, CliError> {
    let restored = restore(&context.config()?, &arguments.file)?;
    tell(&restored, context.output);
    Ok(ExitCode::SUCCESS)
}

/// Says what was restored, and where what was there before is.
pub fn tell(restored: &Restored, out: Output) {
    let made_at = restored.made_at.as_ref().map(|at| format!(", as of {at}")).unwrap_or_default();
    out.line(format_args!("Restored: {}{made_at}.", named(&restored.stores)));
    for kept in &restored.kept {
        out.line(format_args!("As it was before: {}", kept.display()));
    }
    out.line("Servers that run go on with it.");
}

fn named(stores: &[Option<String>]) -> String {
    let names: Vec<String> = stores
        .iter()
        .map(|tenant| tenant.as_ref().map_or_else(|| "the home".to_owned(), |tenant| format!("tenant `{tenant}`")))
        .collect();
    if names.is_empty() { "nothing but the configuration".to_owned() } else { names.join(", ") }
}

#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        format!("{:.1} KiB", bytes as f64 / 1024.0)
    } else {
        format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
    }
}
