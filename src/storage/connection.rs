//! Connections to a database file, set up as this program needs them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{error::StorageError, states};

/// How long a writer waits for the others before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
const PREPARED_STATEMENTS: usize = 64;
/// How many pages of 4 KiB the log may have before what is in it goes into the file, which the writer waits for. With
/// SQLite's 1000, every fourth checkpoint of a megabyte would.
const LOG_PAGES: u32 = 4000;

pub(super) fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
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
pub(super) fn enter_wal_mode(connection: &Connection) -> Result<(), StorageError> {
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
