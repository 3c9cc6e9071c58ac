//! The tables of a home's database, apart from what is in them: at what version they are, up, and down again.

use std::path::PathBuf;

use super::{session, stores::DATABASE};
use crate::{
    config::Config,
    domain::schema::{Migrated, Schema},
    library::{Library, LibraryError, Starters},
    storage,
};

/// The database file of the stores that a configuration names. It is not opened, so it may be of any version.
pub struct Maintenance {
    config: Config,
}

impl Maintenance {
    /// That of `config`.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { config }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.config.stores().join(DATABASE)
    }

    /// Where the file stands.
    ///
    /// # Errors
    /// [`LibraryError::Storage`] when it is not a database.
    pub fn schema(&self) -> Result<Schema, LibraryError> {
        Ok(storage::schema(&self.file())?)
    }

    /// Brings the tables to the newest version, as every start does; `None` when they are there already.
    ///
    /// # Errors
    /// [`LibraryError`] when the home can't be opened.
    pub fn up(self) -> Result<Option<Migrated>, LibraryError> {
        Ok(Library::open(self.config, Starters::Skip)?.database.migrated().cloned())
    }

    /// Brings the tables up to version `to`; `None` when they are there already.
    ///
    /// # Errors
    /// [`LibraryError::Argument`] for a version that is below or that this program does not know, or
    /// [`LibraryError::Storage`]. Nothing was changed then.
    pub fn up_to(&self, to: u32) -> Result<Option<Migrated>, LibraryError> {
        let file = self.existing()?;
        let Schema { version, newest, .. } = self.schema()?;
        if to > newest {
            return Err(LibraryError::invalid_with_hint(
                format!("schema version {to} is not known, the newest that this program knows is {newest}"),
                "`repertoire db status` lists them",
            ));
        }
        if to < version {
            return Err(LibraryError::invalid_with_hint(
                format!("the database has schema version {version}, and {to} is below it"),
                format!("`repertoire db down --to {to}` takes it back"),
            ));
        }
        Ok(storage::migrate_up(&file, to)?)
    }

    fn existing(&self) -> Result<PathBuf, LibraryError> {
        let file = self.file();
        if file.exists() {
            return Ok(file);
        }
        let message = format!("there is no database at `{}`", file.display());
        Err(LibraryError::invalid_with_hint(message, "the first start makes one"))
    }

    /// Takes the tables back to version `to`, after a backup, so that a program can use them that knows no higher one.
    ///
    /// # Errors
    /// [`LibraryError::HomeInUse`] while another process has the home open; [`LibraryError::Storage`]. Nothing was
    /// changed then.
    pub fn down(&self, to: u32) -> Result<Migrated, LibraryError> {
        let file = self.existing()?;
        storage::migrate_down(&file, to, || match session::count_open(&self.config.stores()) {
            0 => Ok(()),
            count => Err(LibraryError::HomeInUse { count }),
        })
    }
}
