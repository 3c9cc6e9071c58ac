//! What in the history is no procedure, and what was done to the stores because they were not as they should be.

use rusqlite::{OptionalExtension as _, Row};

use super::{Reader, StorageError, Writer};
use crate::domain::Broken;

/// Mendings that are remembered.
const KEPT: u32 = 20;

const COLUMNS: &str = "name, file, commit_id, reason";

fn from_row(row: &Row<'_>) -> rusqlite::Result<(String, Broken)> {
    Ok((row.get(0)?, Broken { file: row.get(1)?, commit: row.get(2)?, reason: row.get(3)? }))
}

impl Reader<'_> {
    /// What is wrong with the newest version of the procedure of this name, if anything is.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn broken(&self, name: &str) -> Result<Option<Broken>, StorageError> {
        let mut statement = self.0.prepare_cached(&format!("SELECT {COLUMNS} FROM broken WHERE name = ?1"))?;
        Ok(statement.query_row([name], from_row).optional()?.map(|(_, broken)| broken))
    }

    /// All that is broken, by name: what `user` may read, and what nobody can say of whose it is.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn all_broken(&self, user: &str) -> Result<Vec<(String, Broken)>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM broken WHERE NOT EXISTS (SELECT 1 FROM procedures WHERE procedures.name = broken.name \
             AND NOT (owner IS NULL OR is_shared OR owner = ?1)) ORDER BY name"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map([user], from_row)?.collect::<Result<_, _>>()?)
    }

    /// All that is broken, by name, whoever may read it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn all_broken_anywhere(&self) -> Result<Vec<(String, Broken)>, StorageError> {
        let mut statement = self.0.prepare_cached(&format!("SELECT {COLUMNS} FROM broken ORDER BY name"))?;
        Ok(statement.query_map([], from_row)?.collect::<Result<_, _>>()?)
    }

    /// What was done to the stores, latest first: when, in seconds since 1970, and what.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn mendings(&self) -> Result<Vec<(i64, String)>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT at, what FROM mendings ORDER BY at DESC, rowid DESC")?;
        Ok(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Says what is wrong with a procedure in the newest commit, or that nothing is.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn set_broken(&self, name: &str, broken: Option<&Broken>) -> Result<(), StorageError> {
        match broken {
            Some(broken) => {
                let sql = format!("INSERT OR REPLACE INTO broken ({COLUMNS}) VALUES (?1, ?2, ?3, ?4)");
                let values = [name, &broken.file, &broken.commit, &broken.reason];
                self.0.0.prepare_cached(&sql)?.execute(values)?;
            }
            None => {
                self.0.0.prepare_cached("DELETE FROM broken WHERE name = ?1")?.execute([name])?;
            }
        }
        Ok(())
    }

    /// Remembers what was done to the stores.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn note_mending(&self, at: i64, what: &str) -> Result<(), StorageError> {
        self.0.0.execute("INSERT INTO mendings (at, what) VALUES (?1, ?2)", rusqlite::params![at, what])?;
        self.0.0.execute(
            "DELETE FROM mendings WHERE rowid NOT IN (SELECT rowid FROM mendings ORDER BY at DESC, rowid DESC LIMIT ?1)",
            [KEPT],
        )?;
        Ok(())
    }
}
