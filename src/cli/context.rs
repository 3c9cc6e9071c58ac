//! What a command gets: who started it and where, the home behind that, and a place to print.

use super::{error::CliError, output::Output};
use crate::{
    config::{Config, Start},
    library::{Library, Starters},
};

/// What every command gets.
pub struct Context {
    pub start: Start,
    pub starters: Starters,
    pub output: Output,
}

impl Context {
    pub fn config(&self) -> Result<Config, CliError> {
        Ok(Config::load(&self.start)?)
    }

    pub fn library(&self) -> Result<Library, CliError> {
        Ok(Library::open(self.config()?, self.starters)?)
    }
}
