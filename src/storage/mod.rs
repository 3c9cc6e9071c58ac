//! SQLite: the index over the procedure history and the record of every run. All SQL of the project is in this module.
//!
//! Callers get plain values; rusqlite types stop here. Everything blocks: call it off the async threads. Start at
//! [`Database`].

mod artifacts;
mod backup;
mod candidates;
mod checkpoints;
mod connection;
mod ended_runs;
mod error;
mod frames;
mod inbox;
mod json;
mod migrations;
mod outcomes;
mod procedures;
mod retention;
mod runs;
mod schema;
mod search;
mod states;
mod stats;
mod triggers;
mod versions;

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::domain::schema::Migrated;
use connection::{connect, enter_wal_mode};

pub use candidates::{CandidateRow, CandidateStatus, Wording};
pub use checkpoints::{NewCheckpoint, WorkflowRunRow};
pub use ended_runs::{CallName, EndedRun};
pub use error::StorageError;
pub use frames::{AnswerRow, FrameRow};
pub use inbox::ItemRow;
pub use outcomes::{NewOutcome, OutcomeFilter};
pub use procedures::ProcedureUpdate;
pub use runs::{NewRun, RunEnd};
pub use schema::{migrate_down, schema};
pub use search::{SearchHit, Words};
pub use states::StoredState;
pub use triggers::{Tick, TriggerRow, Waiting};
pub use versions::VersionRow;

/// One home's database: a writer, and readers that never wait for it.
pub struct Database {
    path: PathBuf,
    migrated: Option<Migrated>,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

/// A view for reading.
pub struct Reader<'c>(&'c Connection);

/// A write transaction: it holds the only write lock of the home, also against other processes.
pub struct Writer<'c>(Reader<'c>);

impl<'c> Deref for Writer<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.0
    }
}

impl Database {
    /// Opens the database file, making it and migrating it as needed. Several processes may do so at once.
    ///
    /// # Errors
    /// [`StorageError`] when the file is not a database, or is too new.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Self::open_file(path).map_err(|error| match error {
            StorageError::Sqlite(source) => StorageError::Open { path: path.to_owned(), source },
            other => other,
        })
    }

    fn open_file(path: &Path) -> Result<Self, StorageError> {
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        enter_wal_mode(&writer)?;
        writer.pragma_update(None, "foreign_keys", true)?;
        let migrated = migrations::up(&mut writer, path)?;
        Ok(Self { path: path.to_owned(), migrated, writer: Mutex::new(writer), readers: Mutex::default() })
    }

    /// What was done to the tables when this database was opened.
    #[must_use]
    pub const fn migrated(&self) -> Option<&Migrated> {
        self.migrated.as_ref()
    }

    /// Runs `work` on a connection that only reads. It sees one consistent state and waits for nobody.
    ///
    /// # Errors
    /// What `work` returns, or [`StorageError`] when no connection can be made.
    pub fn read<T, E: From<StorageError>>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, E>) -> Result<T, E> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(StorageError::from)?,
        };
        let result = work(&Reader(&connection));
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    /// Runs `work` in a write transaction, which is kept when it returns `Ok` and undone otherwise.
    ///
    /// # Errors
    /// What `work` returns, or [`StorageError`] when the lock is not had in time.
    pub fn write<T, E: From<StorageError>>(&self, work: impl FnOnce(&Writer<'_>) -> Result<T, E>) -> Result<T, E> {
        write_on(&mut self.writer.lock().unwrap_or_else(PoisonError::into_inner), work)
    }

    /// Like [`Database::write`]; what it writes also survives a power cut.
    ///
    /// # Errors
    /// What `work` returns, or [`StorageError`] when the lock is not had in time.
    pub fn write_synced<T, E: From<StorageError>>(
        &self,
        work: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        connection.pragma_update(None, "synchronous", "FULL").map_err(StorageError::from)?;
        let written = write_on(&mut connection, work);
        if let Err(error) = connection.pragma_update(None, "synchronous", "NORMAL") {
            // What is written is written: later writes only take longer.
            tracing::warn!(%error, "the database goes on syncing every write");
        }
        written
    }

    /// The schema version of the file.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn schema_version(&self) -> Result<u32, StorageError> {
        self.read(|reader| Ok(migrations::version(reader.0)?))
    }

    /// SQLite's own check of the file: `ok`, or what is wrong with it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn integrity(&self) -> Result<String, StorageError> {
        self.read(|reader| Ok(reader.0.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?))
    }
}

fn write_on<T, E: From<StorageError>>(
    connection: &mut Connection,
    work: impl FnOnce(&Writer<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate).map_err(StorageError::from)?;
    migrations::check_writable(&transaction)?;
    let value = work(&Writer(Reader(&transaction)))?;
    transaction.commit().map_err(StorageError::from)?;
    Ok(value)
}

impl Reader<'_> {
    /// The commit up to which the index is complete.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn indexed_commit(&self) -> Result<Option<String>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT value FROM meta WHERE key = 'indexed_commit'")?;
        let mut rows = statement.query([])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }
}

impl Writer<'_> {
    /// Says that the index is complete up to `commit`.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn set_indexed_commit(&self, commit: &str) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "INSERT INTO meta (key, value) VALUES ('indexed_commit', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
            )?
            .execute([commit])?;
        Ok(())
    }
}
