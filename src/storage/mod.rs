//! SQLite: the index over the procedure history and the record of every run. All SQL of the project is in this module.
//!
//! Callers get plain values; rusqlite types stop here. Everything blocks: call it off the async threads. Start at
//! [`Database`].

mod artifacts;
mod backup;
mod candidates;
mod checkpoints;
mod ended_runs;
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
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

pub use artifacts::ArtifactRow;
pub use candidates::{CandidateRow, CandidateStatus, Wording};
pub use checkpoints::{CheckpointRow, NewCheckpoint, WorkflowRunRow};
pub use ended_runs::{CallName, EndedRun};
pub use frames::{AnswerRow, DecisionRow, FrameRow};
pub use inbox::ItemRow;
pub use migrations::Migrated;
pub use outcomes::{Counts, NewOutcome, OutcomeFilter, OutcomeRow};
pub use procedures::{ListFilter, ProcedureRow, ProcedureUpdate};
pub use runs::{NewRun, RunEnd, RunFilter, RunRow};
pub use schema::{Schema, migrate_down};
pub use search::{SearchHit, Words};
pub use states::StoredState;
pub use stats::{DayTotals, Stats, VersionTotals};
pub use triggers::{Tick, TriggerRow, Waiting};
pub use versions::VersionRow;

/// How long a writer waits for the others before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
const PREPARED_STATEMENTS: usize = 64;
/// How many pages of 4 KiB the log may have before what is in it goes into the file, which the writer waits for. With
/// SQLite's 1000, every fourth checkpoint of a megabyte would.
const LOG_PAGES: u32 = 4000;

/// Why the database can't answer.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// SQLite refused.
    #[error("the database can't be used: {0}")]
    Sqlite(rusqlite::Error),
    /// The file is not a database, or can't be reached.
    #[error(
        "the database `{}` can't be opened: {source}; `repertoire doctor --rebuild` sets a broken one aside and builds \
         the index anew", path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A newer program has changed the tables in a way that this one does not understand.
    #[error(
        "the database has schema version {found}, this program understands {known}; upgrade `repertoire`, or use \
         another `--home`"
    )]
    TooNew {
        /// What the file says.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// Another program has migrated the tables since this one opened the database.
    #[error(
        "another program has brought the database to schema version {found} while this one, which works with version \
         {known}, had it open; nothing was written. Restart `repertoire`"
    )]
    Migrated {
        /// What the file says now.
        found: u32,
        /// The version that this program works with.
        known: u32,
    },
    /// Down is where lower versions are.
    #[error("the database has schema version {found}; `--to {wanted}` is not below that")]
    NotBelow {
        /// What the file says.
        found: u32,
        /// What was asked for.
        wanted: u32,
    },
    /// The database can't be copied, and without a copy nothing is done.
    #[error("no backup can be made at `{}`: {source}; nothing was changed", path.display())]
    Backup {
        /// The copy.
        path: PathBuf,
        /// What SQLite or the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column holds what no version of the program writes.
    #[error("the database holds a value that can't be read ({0}); run `repertoire doctor --rebuild`")]
    Unreadable(String),
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::FromSqlConversionFailure(_, _, why) => Self::Unreadable(why.to_string()),
            other => Self::Sqlite(other),
        }
    }
}

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
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(StorageError::from)?;
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

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // What must survive a power cut is in git; the rest survives a killed process, which is what NORMAL gives.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    states::register(&connection)?;
    Ok(connection)
}

/// Turning on WAL needs the file for itself for a moment and, unlike other statements, does not wait for it.
fn enter_wal_mode(connection: &Connection) -> Result<(), StorageError> {
    let started = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(_) => return Ok(()),
            Err(error)
                if started.elapsed() < BUSY_TIMEOUT
                    && matches!(
                        error.sqlite_error_code(),
                        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
                    ) =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
        }
    }
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
