//! SQLite: the index over the procedure history and the record of every run. All SQL of the project is in this module.
//!
//! Callers get plain values; rusqlite types stop here. Everything blocks: call it off the async threads. Start at
//! [`Database`].

mod amendments;
mod artifacts;
mod backup;
mod broken;
mod cancellations;
mod candidates;
mod checkpoints;
mod conditions;
mod connection;
mod ended_runs;
mod error;
mod file;
mod follow;
mod foreign;
mod frames;
mod functions;
mod holder;
mod inbox;
mod json;
mod keepers;
mod lessons;
mod meta;
mod migrations;
mod model_use;
mod names;
mod outcomes;
mod procedures;
mod proposals;
mod read_only;
mod recordings;
mod reports;
mod restore;
mod retention;
mod runs;
mod schema;
mod search;
mod space;
mod states;
mod stats;
mod triggers;
mod users;
mod versions;
mod watch;

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, TryLockError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::domain::schema::Migrated;
use connection::{
    OPEN_PATIENCE, WRITER_PATIENCE, begin_log_anew, connect_reader, connect_within, enter_wal_mode, give_back_by_steps,
};
use file::Identity;
use read_only::ReadOnly;

pub use amendments::{AmendmentRow, AnsweredStep, CodeTally, FailedRun};
pub use candidates::{CandidateRow, CandidateStatus, Wording};
pub use checkpoints::{NewCheckpoint, WorkflowRunRow};
pub use ended_runs::{CallName, EndedRun};
pub use error::StorageError;
pub use foreign::{ForeignTable, is_sqlite, procedure_tables};
pub use frames::{AnswerRow, FrameRow, PieceRow};
pub use inbox::ItemRow;
pub use keepers::KeeperRow;
pub use lessons::{LessonJudged, LessonRow, LessonWords};
pub use model_use::ModelUse;
pub use outcomes::{NewOutcome, OutcomeFilter};
pub use procedures::ProcedureUpdate;
pub use proposals::ProposalRow;
pub use recordings::{NewRecording, RecordingRow};
pub use reports::NewReport;
pub use restore::check_copy;
pub use retention::{Kept, Sweep};
pub use runs::{NewRun, RunEnd};
pub use schema::{migrate_down, migrate_up, schema};
pub use search::{Answering, FoundText, Role, Sought, Words, is_glue, is_word_letter, weight as word_weight};
pub use space::Space;
pub use states::StoredState;
pub use triggers::{Tick, TriggerRow, Waiting};
pub use users::Users;
pub use versions::VersionRow;
pub use watch::Watch;

/// A log that is longer was kept from beginning anew by somebody who read; the next writer that finds nobody does that.
const LONGEST_LOG: u64 = 13_000_000;

/// How often a write begins anew because the file was replaced before it had the lock.
const ATTEMPTS: u32 = 3;

/// One home's database: a writer, and readers that never wait for it.
pub struct Database {
    path: PathBuf,
    migrated: Option<Migrated>,
    writer: Mutex<Connection>,
    /// Each with the generation of the file that it has open.
    readers: Mutex<Vec<(u64, Connection)>>,
    /// Which file the path led to when it was last looked at.
    identity: Mutex<Identity>,
    /// Grows when the file is replaced.
    generation: AtomicU64,
    read_only: Option<ReadOnly>,
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
        let (writer, migrated) = open_writer(path)?;
        let identity = file::identity(path).map_err(|error| StorageError::cant_look(path, &error))?;
        Ok(Self { migrated, ..Self::of(path, writer, identity) })
    }

    fn of(path: &Path, writer: Connection, identity: Identity) -> Self {
        Self {
            path: path.to_owned(),
            migrated: None,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            identity: Mutex::new(identity),
            generation: AtomicU64::new(0),
            read_only: None,
        }
    }

    /// Opens a database that can't be written, for reading; `why` is what every write is told.
    ///
    /// # Errors
    /// [`StorageError`] when it can't be read either.
    pub fn open_to_read(path: &Path, why: String) -> Result<Self, StorageError> {
        let identity = file::identity(path).map_err(|error| StorageError::cant_look(path, &error))?;
        let read_only = ReadOnly::new(path, why);
        let writer = read_only.connect(path)?;
        Ok(Self { read_only: Some(read_only), ..Self::of(path, writer, identity) })
    }

    /// Why nothing can be written, where that is so.
    #[must_use]
    pub fn read_only(&self) -> Option<&str> {
        self.read_only.as_ref().map(ReadOnly::why)
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
        let generation = self.generation()?;
        let pooled = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            readers.retain(|(of, _)| *of == generation);
            readers.pop()
        };
        let connection = match (pooled, &self.read_only) {
            (Some((_, connection)), _) => connection,
            (None, None) => connect_reader(&self.path).map_err(|error| holder::named(error, &self.path))?,
            (None, Some(read_only)) => read_only.connect(&self.path)?,
        };
        // A transaction, because statements of their own would each see what others have written since the one before.
        let transaction = connection.unchecked_transaction().map_err(StorageError::from)?;
        // Whoever has the file for itself is met here, where it can be said who.
        transaction
            .prepare_cached("SELECT 1 FROM meta LIMIT 1")
            .and_then(|mut statement| statement.exists([]))
            .map_err(|error| holder::named(error, &self.path))?;
        let result = work(&Reader(&transaction));
        drop(transaction);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push((generation, connection));
        result
    }

    /// Runs `work` in a write transaction, which is kept when it returns `Ok` and undone otherwise.
    ///
    /// # Errors
    /// What `work` returns, or [`StorageError`] when the lock is not had in time.
    pub fn write<T, E: From<StorageError>>(&self, work: impl FnOnce(&Writer<'_>) -> Result<T, E>) -> Result<T, E> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_on(writer, work)
    }

    /// Like [`Database::write`], for who can do without and waits no longer than `patience`.
    ///
    /// # Errors
    /// What `work` returns, or [`StorageError::Busy`].
    pub fn write_within<T, E: From<StorageError>>(
        &self,
        patience: Duration,
        work: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let started = Instant::now();
        let writer = loop {
            match self.writer.try_lock() {
                Ok(writer) => break writer,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StorageError::Busy { path: self.path.clone(), holder: None }.into());
                }
            }
        };
        writer.busy_timeout(patience).map_err(StorageError::from)?;
        let written = self.write_on(writer, work);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.busy_timeout(WRITER_PATIENCE).map_err(StorageError::from)?;
        written
    }

    /// Like [`Database::write`]; what it writes also survives a power cut.
    ///
    /// # Errors
    /// What `work` returns, or [`StorageError`] when the lock is not had in time.
    pub fn write_synced<T, E: From<StorageError>>(
        &self,
        work: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        connection.pragma_update(None, "synchronous", "FULL").map_err(StorageError::from)?;
        let written = self.write_on(connection, work);
        let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = connection.pragma_update(None, "synchronous", "NORMAL") {
            // What is written is written: later writes only take longer.
            tracing::warn!(%error, "the database goes on syncing every write");
        }
        written
    }

    fn write_on<T, E: From<StorageError>>(
        &self,
        mut writer: MutexGuard<'_, Connection>,
        work: impl FnOnce(&Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(read_only) = &self.read_only {
            return Err(StorageError::ReadOnly { path: self.path.clone(), why: read_only.why().to_owned() }.into());
        }
        for _ in 0..ATTEMPTS {
            self.follow(&mut writer)?;
            let transaction = Transaction::new(&mut writer, TransactionBehavior::Immediate);
            let transaction = transaction.map_err(|error| holder::named(error, &self.path))?;
            // Only with its lock is it sure that this is the file that the others see.
            if self.is_replaced() {
                continue;
            }
            migrations::check_writable(&transaction)?;
            let value = work(&Writer(Reader(&transaction)))?;
            transaction.commit().map_err(|error| holder::named(error, &self.path))?;
            if self.log_bytes() > LONGEST_LOG {
                begin_log_anew(&writer);
            }
            return Ok(value);
        }
        Err(StorageError::Busy { path: self.path.clone(), holder: None }.into())
    }

    /// The schema version of the file.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn schema_version(&self) -> Result<u32, StorageError> {
        self.read(|reader| Ok(migrations::version(reader.0)?))
    }

    /// Builds the indexes of the tables anew, which mends what is damaged in them alone.
    ///
    /// # Errors
    /// [`StorageError`] when more is damaged.
    pub fn reindex(&self) -> Result<(), StorageError> {
        self.write(|writer| Ok(writer.0.0.execute_batch("REINDEX")?))
    }

    /// SQLite's own check of the file: `ok`, or what is wrong with it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn integrity(&self) -> Result<String, StorageError> {
        // One that has looked at the full-text index before takes what has changed since for damage.
        let connection = match &self.read_only {
            Some(read_only) => read_only.connect(&self.path)?,
            None => connect_reader(&self.path).map_err(|error| holder::named(error, &self.path))?,
        };
        Ok(connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?)
    }
}

fn open_writer(path: &Path) -> Result<(Connection, Option<Migrated>), StorageError> {
    if !path.exists() {
        file::make_private(path).map_err(|error| StorageError::cant_look(path, &error))?;
    }
    let mut writer = connect_within(path, OpenFlags::SQLITE_OPEN_READ_WRITE, OPEN_PATIENCE)
        .map_err(|error| holder::named(error, path))?;
    give_back_by_steps(&writer)?;
    enter_wal_mode(&writer, path)?;
    writer.pragma_update(None, "foreign_keys", true)?;
    let migrated = migrations::up(&mut writer, path).map_err(|error| match error {
        StorageError::Sqlite(source) => holder::named(source, path),
        other => other,
    })?;
    writer.busy_timeout(WRITER_PATIENCE)?;
    Ok((writer, migrated))
}
