//! Noticing that the database changed, whoever changed it.

use rusqlite::Connection;

use super::{Database, StorageError, connect_reader, holder};

/// A place in the history of a database, from which on changes are noticed.
pub struct Watch {
    /// Nothing else uses it, so that everything that is written is written by others.
    connection: Connection,
    generation: u64,
    version: i64,
}

impl Database {
    /// Notices from now on what is changed.
    ///
    /// # Errors
    /// [`StorageError`] when no connection can be made.
    pub fn watch(&self) -> Result<Watch, StorageError> {
        let generation = self.generation()?;
        let connection = match &self.read_only {
            None => connect_reader(&self.path).map_err(|error| holder::named(error, &self.path))?,
            Some(read_only) => read_only.connect(&self.path)?,
        };
        let version = version_of(&connection)?;
        Ok(Watch { connection, generation, version })
    }

    /// Whether anything was written since `watch` was last asked, by this process or any other.
    ///
    /// # Errors
    /// [`StorageError`] when the database can't be read.
    pub fn has_changed(&self, watch: &mut Watch) -> Result<bool, StorageError> {
        if self.generation()? != watch.generation {
            *watch = self.watch()?;
            return Ok(true);
        }
        let version = version_of(&watch.connection)?;
        Ok(std::mem::replace(&mut watch.version, version) != version)
    }
}

/// Another one after each transaction of another connection: <https://sqlite.org/pragma.html#pragma_data_version>.
fn version_of(connection: &Connection) -> Result<i64, StorageError> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}
