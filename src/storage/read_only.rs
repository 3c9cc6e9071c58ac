//! Reading a database where nothing can be written. SQLite needs files of its own beside one in WAL mode, so that this
//! takes other ways than reading does otherwise.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags};

use super::{
    StorageError,
    connection::{READER_PATIENCE, set_up},
    file::{self, Stamp},
    holder, migrations,
};

/// How a database is read that can't be written.
pub struct ReadOnly {
    why: String,
    /// How the file was when it was opened: somebody else may be able to write it.
    stamp: Mutex<Stamp>,
    /// A copy where the file itself can't be read as it is.
    copy: Mutex<Option<tempfile::TempDir>>,
}

impl ReadOnly {
    pub fn new(path: &Path, why: String) -> Self {
        Self { why, stamp: Mutex::new(file::stamp(path)), copy: Mutex::default() }
    }

    pub fn why(&self) -> &str {
        &self.why
    }

    /// Whether somebody has written the file meanwhile.
    pub fn is_stale(&self, path: &Path) -> bool {
        file::stamp(path) != *self.stamp.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to what the file holds now.
    pub fn connect(&self, path: &Path) -> Result<Connection, StorageError> {
        let stamp = file::stamp(path);
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let known = std::mem::replace(&mut *self.stamp.lock().unwrap_or_else(PoisonError::into_inner), stamp);
        if known != stamp {
            *copy = None;
        }
        let open_error = |error| match holder::named(error, path) {
            StorageError::Sqlite(source) => StorageError::Open { path: path.to_owned(), source },
            other => other,
        };
        if copy.is_none() {
            let (_, waiting) = stamp;
            let opened = if waiting == 0 { unchanging(path) } else { plain(path) };
            match opened {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    let made = copied(path).map_err(|why| {
                        tracing::warn!(%why, "the database can't be copied to be read either");
                        open_error(error)
                    })?;
                    *copy = Some(made);
                }
            }
        }
        let Some(folder) = &*copy else { return Err(StorageError::Unreadable("no copy of the database".to_owned())) };
        let connection = Connection::open(in_copy(folder.path())).map_err(open_error)?;
        set_up(&connection, READER_PATIENCE)?;
        Ok(connection)
    }
}

/// A file in which all is that belongs to it: nothing beside it is needed.
fn unchanging(path: &Path) -> rusqlite::Result<Connection> {
    let text = path.to_string_lossy();
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    checked(Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?)
}

/// One beside which others write: what they keep there is read along with it.
fn plain(path: &Path) -> rusqlite::Result<Connection> {
    checked(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// The connection, if its tables are those that this program reads.
fn checked(connection: Connection) -> rusqlite::Result<Connection> {
    set_up(&connection, READER_PATIENCE)?;
    if migrations::version(&connection)? < migrations::NEWEST {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY),
            Some("its tables are of an older version".to_owned()),
        ));
    }
    Ok(connection)
}

fn in_copy(folder: &Path) -> PathBuf {
    folder.join("repertoire.db")
}

/// A copy where there is room, brought to the newest version.
fn copied(path: &Path) -> Result<tempfile::TempDir, Box<dyn std::error::Error>> {
    let folder = tempfile::Builder::new().prefix("repertoire-").tempdir()?;
    let copy = in_copy(folder.path());
    fs::copy(path, &copy)?;
    let waiting = file::companion(path, "-wal");
    if waiting.exists() {
        fs::copy(waiting, file::companion(&copy, "-wal"))?;
    }
    // A copy keeps the rights of what it was made of.
    #[cfg(unix)]
    for file in [&copy, &file::companion(&copy, "-wal")].into_iter().filter(|file| file.exists()) {
        fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    let mut connection = Connection::open(&copy)?;
    super::functions::register(&connection)?;
    migrations::up(&mut connection, &copy)?;
    Ok(folder)
}
