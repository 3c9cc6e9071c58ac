//! Bringing a copy of the database back, into the file that others have open.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{
    Database, StorageError, Writer,
    backup::FOLDER,
    connection::{WRITER_PATIENCE, connect},
    file, holder, migrations,
};

/// Why a run of a copy does not go on.
const NOT_GONE_ON: &str = "the home was restored from a backup that was made while this run executed";

/// Whether a file is a database of this program, whole, and of a version that it knows.
///
/// # Errors
/// [`StorageError::NoCopy`], which says why it is none.
pub fn check_copy(path: &Path) -> Result<(), StorageError> {
    let none = |why: String| StorageError::NoCopy { path: path.to_owned(), why };
    let open = || {
        let text = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(format!("file:{text}?immutable=1"), flags)?;
        super::functions::register(&connection)?;
        let version = migrations::version(&connection)?;
        let is_ours = connection.table_exists(None, "procedures")? && connection.table_exists(None, "meta")?;
        let integrity: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok::<_, rusqlite::Error>((version, is_ours, integrity))
    };
    if !path.is_file() {
        return Err(none("there is no such file".to_owned()));
    }
    match open() {
        Err(error) => Err(none(error.to_string())),
        Ok((0, ..) | (_, false, _)) => Err(none("it was not made by this program".to_owned())),
        Ok((version, ..)) if version > migrations::NEWEST => {
            Err(none(format!("its schema version is {version}, this program knows {}", migrations::NEWEST)))
        }
        Ok((.., integrity)) if integrity != "ok" => Err(none(integrity)),
        Ok(_) => Ok(()),
    }
}

impl Database {
    /// Copies what was last committed to `to`, a file for this user alone.
    ///
    /// # Errors
    /// [`StorageError::Backup`].
    pub fn copy_to(&self, to: &Path) -> Result<(), StorageError> {
        let error = |source| StorageError::Backup { path: to.to_owned(), source };
        let source = match &self.read_only {
            Some(read_only) => read_only.connect(&self.path)?,
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|source| error(source.into()))?,
        };
        file::copy(&source, to).map_err(error)
    }

    /// Puts the content of the copy `from` in place of this database's, for all who have it open, and returns where what
    /// it had before is kept. The copy is checked and brought to the newest version before.
    ///
    /// # Errors
    /// [`StorageError::NoCopy`], or that it can't be done; nothing was changed then.
    pub fn restore(&self, from: &Path) -> Result<PathBuf, StorageError> {
        check_copy(from)?;
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%6fZ");
        let kept = self.path.with_file_name(FOLDER).join(format!("replaced-{time}.db"));
        let failed = |source| StorageError::Backup { path: kept.clone(), source };
        super::backup::make_folder(&self.path.with_file_name(FOLDER)).map_err(|source| failed(source.into()))?;
        let prepared = file::companion(&self.path, ".restoring");
        let done = prepare(from, &prepared).map_err(failed).and_then(|()| {
            self.copy_to(&kept)?;
            self.take(&prepared)
        });
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(file::companion(&prepared, ending));
        }
        done.map(|()| kept)
    }

    fn take(&self, prepared: &Path) -> Result<(), StorageError> {
        let source = connect(prepared, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mut target = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let started = Instant::now();
        loop {
            match Backup::new(&source, &mut target)?.step(-1) {
                Ok(StepResult::Done) => return Ok(()),
                Err(error) if !holder::is_busy(&error) => return Err(error.into()),
                _ if started.elapsed() < WRITER_PATIENCE => std::thread::sleep(Duration::from_millis(20)),
                _ => return Err(holder::named(holder::busy(), &self.path)),
            }
        }
    }
}

/// A copy of the copy, of the newest version, in which no run goes on: what it did since is not in there.
fn prepare(from: &Path, prepared: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    file::copy(&Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?, prepared)?;
    let copy = Database::open(prepared)?;
    copy.write::<_, StorageError>(|writer| writer.give_up_runs(NOT_GONE_ON, Timestamp::now().as_millisecond()))?;
    Ok(())
}

impl Writer<'_> {
    /// Ends the runs that were under way.
    fn give_up_runs(&self, why: &str, now: i64) -> Result<(), StorageError> {
        self.0.0.execute(
            "UPDATE runs SET status = 'failed', outcome = 'failure', error = ?1, finished_at = ?2 \
             WHERE status IN ('running', 'interrupted')",
            rusqlite::params![why, now],
        )?;
        Ok(())
    }
}
