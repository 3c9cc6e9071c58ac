//! What every command gets, and where this program is.

use std::path::PathBuf;

use super::{error::CliError, output::Output};
use crate::{
    config::{Config, Start},
    library::{Library, Starters},
};

/// What every command gets.
pub struct Context {
    /// What was said of the home, its user and the tenant.
    pub start: Start,
    /// Whether a new home gets the starter procedures.
    pub starters: Starters,
    /// Where it prints.
    pub output: Output,
}

impl Context {
    /// The configuration that the arguments lead to.
    pub fn config(&self) -> Result<Config, CliError> {
        Ok(Config::load(&self.start)?)
    }

    /// The home that they lead to, opened.
    pub fn library(&self) -> Result<Library, CliError> {
        Ok(Library::open(self.config()?, self.starters)?)
    }
}

/// The path of this program.
pub fn this_program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(CliError::io("the path of this program is not known"))
}

/// The program whose processes execute code: this very one. On Linux that name leads to the running program even after
/// an upgrade has put another file in its place, which would speak another protocol.
#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub fn worker_program() -> Result<PathBuf, CliError> {
    Ok(PathBuf::from("/proc/self/exe"))
}

#[cfg(not(target_os = "linux"))]
pub fn worker_program() -> Result<PathBuf, CliError> {
    this_program()
}
