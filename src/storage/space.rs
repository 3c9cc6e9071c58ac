//! What the database takes on the disk, and giving back what it does not need any more: the end of its log after a burst,
//! and pages that are free.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{
    Database, Kept, Reader, StorageError, Writer,
    connection::{connect, give_back_by_steps},
};

/// How long a log is cut for at most: writers wait meanwhile.
const CUT_PATIENCE: Duration = Duration::from_millis(200);

/// What the database takes on the disk, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Space {
    /// The file, without its log.
    pub file: u64,
    /// Of that, pages that have nothing in them.
    pub free: u64,
    /// What was written and is not in the file yet, or was before.
    pub log: u64,
    /// Whether free pages can be given back without copying the file.
    pub gives_back: bool,
}

impl Space {
    /// The bytes that have something in them.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.file.saturating_sub(self.free)
    }
}

fn log_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

impl Database {
    /// What it takes on the disk. Costs next to nothing.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn space(&self) -> Result<Space, StorageError> {
        let space = self.read(|reader| reader.space())?;
        Ok(Space { log: self.log_bytes(), ..space })
    }

    /// How large the log is.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        fs::metadata(log_file(&self.path)).map_or(0, |metadata| metadata.len())
    }

    /// Puts what is in the log into the file and cuts the log off. `false` when readers or writers of the home kept that
    /// from being done within a moment.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn cut_log(&self) -> Result<bool, StorageError> {
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(CUT_PATIENCE)?;
        // Most of it is done without anybody waiting, so that the rest is short.
        checkpoint(&connection, "PASSIVE")?;
        checkpoint(&connection, "TRUNCATE")
    }

    /// Makes the file anew without its free pages, such that from then on they can be given back. Needs the file for
    /// itself, and room for a second one.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn compact(&self) -> Result<(), StorageError> {
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        give_back_by_steps(&connection)?;
        connection.execute_batch("VACUUM")?;
        drop(connection);
        self.cut_log().map(drop)
    }
}

fn checkpoint(connection: &Connection, how: &str) -> Result<bool, StorageError> {
    Ok(connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| row.get::<_, i64>(0))? == 0)
}

impl Reader<'_> {
    fn space(&self) -> Result<Space, StorageError> {
        let sql = "SELECT page_count * page_size, freelist_count * page_size, auto_vacuum = 2 FROM pragma_page_count(), \
                   pragma_page_size(), pragma_freelist_count(), pragma_auto_vacuum()";
        Ok(self
            .0
            .prepare_cached(sql)?
            .query_row([], |row| Ok(Space { file: row.get(0)?, free: row.get(1)?, log: 0, gives_back: row.get(2)? }))?)
    }

    /// About how many bytes each kind of data takes.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn bytes_by_kind(&self) -> Result<Vec<(Kept, i64)>, StorageError> {
        Kept::ALL.into_iter().map(|kind| Ok((kind, self.bytes_of(kind)?))).collect()
    }
}

impl Writer<'_> {
    /// Gives at most `most` free pages back to the system.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn give_back(&self, most: u32) -> Result<(), StorageError> {
        let mut statement = self.0.0.prepare(&format!("PRAGMA incremental_vacuum({most})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}
