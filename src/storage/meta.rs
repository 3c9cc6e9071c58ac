//! Facts about the stores themselves, by name.

use super::{Reader, StorageError, Writer};

/// Where `meta` has the commit up to which the index is complete.
const INDEXED_COMMIT: &str = "indexed_commit";

impl Reader<'_> {
    /// The commit up to which the index is complete.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn indexed_commit(&self) -> Result<Option<String>, StorageError> {
        self.meta(INDEXED_COMMIT)
    }

    /// A fact about the stores.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn meta(&self, key: &str) -> Result<Option<String>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
        let mut rows = statement.query([key])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }
}

impl Writer<'_> {
    /// Says that the index is complete up to `commit`.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn set_indexed_commit(&self, commit: &str) -> Result<(), StorageError> {
        self.set_meta(INDEXED_COMMIT, commit)
    }

    /// Notes a fact about the stores.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn set_meta(&self, key: &str, value: &str) -> Result<(), StorageError> {
        let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
        self.0.0.prepare_cached(sql)?.execute([key, value])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::storage::{Database, StorageError};

    #[test]
    fn a_reader_sees_one_state_while_others_write() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("repertoire.db")).unwrap();
        let write = |commit| database.write(|writer| writer.set_indexed_commit(commit)).unwrap();
        write("before");
        let read = |reader: &crate::storage::Reader<'_>| reader.indexed_commit();
        let seen = database.read(|reader| {
            let first = read(reader)?;
            write("after");
            Ok::<_, StorageError>([first, read(reader)?])
        });
        assert_eq!(seen.unwrap().map(Option::unwrap), ["before", "before"]);
        assert_eq!(database.read(read).unwrap().as_deref(), Some("after"));
    }
}
