//! Connections to a database file, set up as this program needs them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

use super::{error::StorageError, functions, holder};

/// How long a writer waits for the others before it gives up.
pub(super) const WRITER_PATIENCE: Duration = Duration::from_secs(15);
/// How long opening waits for who migrates, or has the file for itself.
pub(super) const OPEN_PATIENCE: Duration = Duration::from_secs(8);
/// How long a reader does, which waits only for who has the file for itself.
pub(super) const READER_PATIENCE: Duration = Duration::from_secs(3);
/// How long a writer waits for another process that puts the log into the file.
const CHECKPOINT_PATIENCE: Duration = Duration::from_secs(2);
const PREPARED_STATEMENTS: usize = 64;
/// How many pages of 4 KiB the log may have before what is in it goes into the file, which the writer waits for: so many
/// that with a transaction on top it stays below 16 MB. With SQLite's 1000, every fourth checkpoint of a megabyte would wait.
/// Mostly a serving process has done it before.
const LOG_PAGES: u32 = 3000;
/// What a log that was larger is cut back to when it begins anew.
const LOG_BYTES_KEPT: u32 = 4 << 20;

pub(super) fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    connect_within(path, flags, WRITER_PATIENCE)
}

/// The same for who waits no longer than `patience`.
pub(super) fn connect_within(path: &Path, flags: OpenFlags, patience: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    set_up(&connection, patience)?;
    Ok(connection)
}

/// Has the next write begin the log anew, if nobody reads just now. Waits for who puts it into the file already, so that it does
/// not grow meanwhile, and for nobody else.
pub(super) fn begin_log_anew(writer: &Connection) {
    let started = Instant::now();
    let done = loop {
        let done = writer.busy_timeout(Duration::ZERO).and_then(|()| {
            writer.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
            })
        });
        // Whoever does not get to look at the log is told of -1 pages.
        match done {
            Ok((1, -1)) if started.elapsed() < CHECKPOINT_PATIENCE => std::thread::sleep(Duration::from_millis(2)),
            done => break done,
        }
    };
    let restored = writer.busy_timeout(WRITER_PATIENCE);
    tracing::debug!(?done, ?restored, "the log of the database was to begin anew");
}

/// One for a reader.
pub(super) fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    connect_within(path, OpenFlags::SQLITE_OPEN_READ_WRITE, READER_PATIENCE)
}

pub(super) fn set_up(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    // What must survive a power cut is in git; the rest survives a killed process, which is what NORMAL gives.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    functions::register(connection)
}

/// Turning on WAL needs the file for itself for a moment and, unlike other statements, does not wait for it.
pub(super) fn enter_wal_mode(connection: &Connection, path: &Path) -> Result<(), StorageError> {
    let started = Instant::now();
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(_) => return Ok(()),
            Err(error) if holder::is_busy(&error) && started.elapsed() < READER_PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(holder::named(error, path)),
        }
    }
}

/// Lets a database that is made, or copied, know where each page belongs, so that free ones can be given back in steps.
pub(super) fn give_back_by_steps(connection: &Connection) -> Result<(), StorageError> {
    Ok(connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?)
}
