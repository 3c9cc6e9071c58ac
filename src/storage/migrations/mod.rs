//! Versioned changes of the tables, forward and back. A migration that was released is never edited: add the next one.
//!
//! A database says in `meta` which program may use it at least: the floor. Migrations that only add tables and columns
//! leave it, so that an older program goes on beside a newer one.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::{StorageError, backup};
use crate::domain::schema::Migrated;

/// One change of the tables.
struct Migration {
    name: &'static str,
    up: &'static str,
    down: &'static str,
    /// Whether rows that are there are changed: a backup is made first.
    rewrites: bool,
    /// Whether programs that don't know it can't use the tables any more: something they use is gone, renamed or means
    /// something else, a new column must be set, or is lost when they replace the row.
    breaks: bool,
}

impl Migration {
    /// The same, of one that changes rows.
    const fn rewriting(self) -> Self {
        Self { rewrites: true, ..self }
    }

    /// The same, of one that takes away or renames what older programs use.
    const fn breaking(self) -> Self {
        Self { breaks: true, ..self }
    }
}

macro_rules! migration {
    ($name:literal) => {
        Migration {
            name: $name,
            up: include_str!(concat!($name, ".sql")),
            down: include_str!(concat!($name, ".down.sql")),
            rewrites: false,
            breaks: false,
        }
    };
}

/// In order; the number of the first is 1. `.rewriting()` and `.breaking()` say what one does beside adding.
const MIGRATIONS: &[Migration] = &[
    migration!("0001_initial"),
    migration!("0002_triggers").rewriting(),
    migration!("0003_durable_runs"),
    migration!("0004_inbox"),
    migration!("0005_checkpoints"),
    migration!("0006_gathered_procedures"),
    migration!("0007_outcomes"),
    migration!("0008_artifacts").breaking(),
    migration!("0009_users").rewriting(),
    migration!("0010_broken"),
    migration!("0011_retention"),
    migration!("0012_waits"),
    migration!("0013_clock"),
    migration!("0014_reports"),
    migration!("0015_code_totals").rewriting(),
    migration!("0016_proposals"),
    migration!("0017_former_names"),
    migration!("0018_cancellations"),
    // A program that does not know the column would leave it as it was when the code changes.
    migration!("0019_locks").breaking(),
    // A program that does not know the table would go on from a part of the state.
    migration!("0020_run_journals").breaking(),
    migration!("0021_recall"),
    migration!("0022_lessons"),
    migration!("0023_recordings"),
    migration!("0024_reasons"),
    migration!("0025_amendments"),
];

/// The newest version that this program knows.
#[expect(clippy::cast_possible_truncation, reason = "a handful of migrations")]
pub const NEWEST: u32 = MIGRATIONS.len() as u32;

const FLOOR: &str = "min_reader_version";

/// The names of the migrations that this program knows, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(|migration| migration.name)
}

/// The version of a database file: how many migrations it has seen.
pub fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))
}

/// The version that a program must know at least to use the file; `None` where it does not say so.
pub fn floor(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    let has_meta = connection.table_exists(None, "meta")?;
    let find = || {
        let mut statement = connection.prepare_cached("SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?1")?;
        statement.query_row([FLOOR], |row| row.get(0)).optional()
    };
    if has_meta { find() } else { Ok(None) }
}

/// Brings the database to the newest version, in one transaction that other processes wait for. Leaves one that is newer
/// as it is, if this program may use it. Backups go to the folder of `path`.
pub fn up(connection: &mut Connection, path: &Path) -> Result<Option<Migrated>, StorageError> {
    up_to(connection, path, NEWEST)
}

/// The same, up to version `to`, which is one that this program knows.
pub fn up_to(connection: &mut Connection, path: &Path, to: u32) -> Result<Option<Migrated>, StorageError> {
    if check(connection)? >= to {
        return Ok(None);
    }
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    // Looked up again: another process may have done it while this one waited for the lock.
    let from = check(&transaction)?;
    if from >= to {
        return Ok(None);
    }
    let pending = &MIGRATIONS[from as usize..to as usize];
    // An empty file has nothing to lose. Others wait for the lock, so that one process makes the one backup.
    let is_needed = from > 0 && pending.iter().any(|migration| migration.rewrites);
    let backup = is_needed.then(|| backup::make(path, from)).transpose()?;
    for migration in pending {
        transaction.execute_batch(migration.up)?;
    }
    finish(transaction, to)?;
    Ok(Some(Migrated { from, to, backup }))
}

/// Takes the migrations after `to` back, in one transaction, after a backup. `is_free` is asked under the write lock
/// whether nobody else uses the database; its error ends this before anything is done.
pub fn down<E: From<StorageError>>(
    connection: &mut Connection,
    path: &Path,
    to: u32,
    is_free: impl FnOnce() -> Result<(), E>,
) -> Result<Migrated, E> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate).map_err(StorageError::from)?;
    let from = version(&transaction).map_err(StorageError::from)?;
    if from > NEWEST {
        // Only the program that knows the newer migrations can take them back.
        return Err(StorageError::TooNew { found: from, known: NEWEST }.into());
    }
    if to >= from {
        return Err(StorageError::NotBelow { found: from, wanted: to }.into());
    }
    is_free()?;
    let backup = Some(backup::make(path, from)?);
    for migration in MIGRATIONS[to as usize..from as usize].iter().rev() {
        transaction.execute_batch(migration.down).map_err(StorageError::from)?;
    }
    finish(transaction, to)?;
    Ok(Migrated { from, to, backup })
}

fn finish(transaction: Transaction<'_>, version: u32) -> Result<(), StorageError> {
    if version > 0 {
        let floor = floor_of(&MIGRATIONS[..version as usize]).to_string();
        transaction.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [FLOOR, &floor])?;
    }
    transaction.pragma_update(None, "user_version", version)?;
    Ok(transaction.commit()?)
}

/// The number of the last one that older programs can't do without.
#[expect(clippy::cast_possible_truncation, reason = "a handful of migrations")]
fn floor_of(migrations: &[Migration]) -> u32 {
    migrations.iter().rposition(|migration| migration.breaks).map_or(1, |at| at as u32 + 1)
}

/// The version of the file, which this program may use if it is not too new.
fn check(connection: &Connection) -> Result<u32, StorageError> {
    let found = version(connection)?;
    // One that says nothing comes from a program that knew nothing of floors, or was made by other means.
    if found > NEWEST && floor(connection)?.is_none_or(|floor| floor > NEWEST) {
        return Err(StorageError::TooNew { found, known: NEWEST });
    }
    Ok(found)
}

/// Whether the tables are still such that this program may write: another may have migrated them, up or down, since it
/// has opened the database.
pub fn check_writable(connection: &Connection) -> Result<(), StorageError> {
    let found = version(connection)?;
    if found == NEWEST || found > NEWEST && check(connection).is_ok() {
        return Ok(());
    }
    Err(StorageError::Migrated { found, known: NEWEST })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables, columns and indexes, however they came about.
    fn schema(connection: &Connection) -> Vec<String> {
        // Not SQLite's own, which stay once they are there.
        let sql =
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type, name";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let without_remarks = |sql: String| {
            let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>();
            lines.join(" ").split_whitespace().collect::<String>()
        };
        rows.map(|row| without_remarks(row.unwrap())).collect()
    }

    fn migrated_to(version: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        crate::storage::functions::register(&connection).unwrap();
        MIGRATIONS[..version].iter().for_each(|migration| connection.execute_batch(migration.up).unwrap());
        connection
    }

    #[test]
    fn the_way_back_from_each_version_leads_to_the_tables_of_the_one_before() {
        for (before, migration) in MIGRATIONS.iter().enumerate() {
            let connection = migrated_to(before + 1);
            connection.pragma_update(None, "foreign_keys", true).unwrap();
            connection.execute_batch(migration.down).unwrap();
            assert_eq!(schema(&connection), schema(&migrated_to(before)), "{}", migration.name);
            connection.execute_batch(migration.up).unwrap();
            assert_eq!(schema(&connection), schema(&migrated_to(before + 1)), "{}", migration.name);
        }
    }

    #[test]
    fn names_are_numbered_without_gaps() {
        for (index, name) in names().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name}");
        }
    }

    #[test]
    fn the_floor_is_the_last_migration_that_breaks_older_programs() {
        let [adds, breaks] = [|| migration!("0004_inbox"), || migration!("0004_inbox").breaking()];
        assert_eq!(floor_of(&[adds(), adds()]), 1);
        assert_eq!(floor_of(&[adds(), breaks(), adds()]), 2);
        assert_eq!(floor_of(&[breaks(), breaks()]), 2);
    }
}
