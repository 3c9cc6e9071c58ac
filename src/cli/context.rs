//! What a command gets: who started it and where, the home behind that, and a place to print.

use super::{error::CliError, output::Output, programs::worker_program};
use crate::{
    config::{Config, Start},
    library::{Examples, Library, Starters},
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
        let trier = Box::new(Examples::at(worker_program()?));
        Ok(Library::open_trying(self.config()?, self.starters, trier)?)
    }
}
