//! What version the tables of a database file have, looked at and changed without using it otherwise.

use std::path::Path;

use rusqlite::OpenFlags;

use super::{backup, connection::connect, error::StorageError, migrations};
use crate::domain::schema::{Migrated, Schema};

/// Looks at a database file, and changes nothing.
///
/// # Errors
/// [`StorageError::Open`] when it is not a database.
pub fn schema(path: &Path) -> Result<Schema, StorageError> {
    let looked_up = || {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Ok((migrations::version(&connection)?, migrations::floor(&connection)?))
    };
    let open_error = |source| StorageError::Open { path: path.to_owned(), source };
    let (version, floor) = if path.exists() { looked_up().map_err(open_error)? } else { (0, None) };
    let known = migrations::names().collect();
    Ok(Schema { version, newest: migrations::NEWEST, floor, known, backups: backup::list(path) })
}

/// Makes the migrations up to version `to`; `None` when they are made.
///
/// # Errors
/// [`StorageError`]; nothing was changed then.
pub fn migrate_up(path: &Path, to: u32) -> Result<Option<Migrated>, StorageError> {
    let open_error = |source| StorageError::Open { path: path.to_owned(), source };
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(open_error)?;
    migrations::up_to(&mut connection, path, to)
}

/// Takes the migrations after version `to` back, after a backup. `is_free` is asked under the write lock whether nobody
/// else uses the database.
///
/// # Errors
/// What `is_free` returns, or [`StorageError`]; nothing was changed then.
pub fn migrate_down<E: From<StorageError>>(
    path: &Path,
    to: u32,
    is_free: impl FnOnce() -> Result<(), E>,
) -> Result<Migrated, E> {
    let open_error = |source| StorageError::Open { path: path.to_owned(), source };
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(open_error)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(open_error)?;
    migrations::down(&mut connection, path, to, is_free)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rusqlite::Connection;

    use super::*;
    use crate::storage::Database;

    #[test]
    fn a_newer_database_is_refused_with_both_numbers_unless_it_lets_this_program_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repertoire.db");
        drop(Database::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let set_floor = |floor: u32| {
            connection.execute("UPDATE meta SET value = ?1 WHERE key = 'min_reader_version'", [floor]).unwrap();
        };
        set_floor(99);
        let Err(error) = Database::open(&path) else { panic!("a database from the future was opened") };
        assert!(error.to_string().contains("99"), "{error}");
        set_floor(migrations::NEWEST);
        let database = Database::open(&path).unwrap();
        assert_eq!(database.schema_version().unwrap(), 99);
        database.write(|writer| writer.set_indexed_commit("abc")).unwrap();
        connection.execute("DELETE FROM meta WHERE key = 'min_reader_version'", []).unwrap();
        assert!(matches!(Database::open(&path), Err(StorageError::TooNew { found: 99, .. })));
    }

    #[test]
    fn eight_threads_may_open_a_new_database_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repertoire.db");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Database::open(&path).unwrap().schema_version().unwrap());
            }
        });
        assert_eq!(Database::open(&path).unwrap().schema_version().unwrap(), migrations::NEWEST);
        assert_eq!(backup::list(&path), Vec::<PathBuf>::new());
    }

    #[test]
    fn three_backups_are_kept_and_each_is_what_was_committed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repertoire.db");
        let database = Database::open(&path).unwrap();
        // What a process left behind that was killed while it copied.
        std::fs::create_dir(folder.path().join("backups")).unwrap();
        std::fs::write(folder.path().join("backups").join("partial"), "half").unwrap();
        let made: Vec<PathBuf> = (0..5)
            .map(|round| {
                database.write(|writer| writer.set_indexed_commit(&round.to_string())).unwrap();
                backup::make(&path, migrations::NEWEST).unwrap()
            })
            .collect();
        let kept: Vec<PathBuf> = made.iter().rev().take(3).cloned().collect();
        assert_eq!(backup::list(&path), kept);
        for (backup, round) in kept.iter().zip(["4", "3", "2"]) {
            let copy = Database::open(backup).unwrap();
            assert_eq!(copy.integrity().unwrap(), "ok");
            assert_eq!(copy.read(|reader| reader.indexed_commit()).unwrap().as_deref(), Some(round));
        }
    }
}
