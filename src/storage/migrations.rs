//! Versioned changes of the tables. A migration that was released is never edited: add the next one.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::StorageError;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_triggers.sql"),
    include_str!("migrations/0003_durable_runs.sql"),
    include_str!("migrations/0004_inbox.sql"),
    include_str!("migrations/0005_checkpoints.sql"),
    include_str!("migrations/0006_gathered_procedures.sql"),
];

/// The newest version that this program knows.
#[expect(clippy::cast_possible_truncation, reason = "a handful of migrations")]
const NEWEST: u32 = MIGRATIONS.len() as u32;

/// The version of a database file: how many migrations it has seen.
pub fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings the database to the newest version, in one transaction that other processes wait for.
pub fn up(connection: &mut Connection) -> Result<(), StorageError> {
    check(version(connection)?)?;
    if version(connection)? == NEWEST {
        return Ok(());
    }
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    // Looked up again: another process may have done it while this one waited for the lock.
    let found = version(&transaction)?;
    check(found)?;
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", NEWEST)?;
    transaction.commit()?;
    Ok(())
}

const fn check(found: u32) -> Result<(), StorageError> {
    if found > NEWEST { Err(StorageError::TooNew { found, known: NEWEST }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Database;

    #[test]
    fn a_newer_database_is_refused_with_both_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repertoire.db");
        drop(Database::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let Err(error) = Database::open(&path) else { panic!("a database from the future was opened") };
        assert!(error.to_string().contains("99"), "{error}");
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
        assert_eq!(Database::open(&path).unwrap().schema_version().unwrap(), NEWEST);
    }
}
