//! What procedures were called, and giving them other names.

use rusqlite::{OptionalExtension as _, params};

use super::{
    Reader, StorageError, Writer,
    procedures::{COLUMNS, from_row},
};
use crate::domain::{Definition, Procedure};

impl Reader<'_> {
    /// The procedure that was called so, and is not removed; the newest of them.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn procedure_formerly(&self, name: &str) -> Result<Option<Procedure>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM procedures WHERE id = (SELECT max(procedure_id) FROM former_names WHERE name = ?1)"
        );
        self.0.prepare_cached(&sql)?.query_row([name], from_row).optional().map_err(Into::into)
    }

    /// How many removed procedures gave up this name: their rows are called `name#1` and so on.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn names_given_up(&self, name: &str) -> Result<u32, StorageError> {
        let sql = "SELECT count(*) FROM procedures WHERE name > ?1 || '#' AND name < ?1 || '$'";
        Ok(self.0.prepare_cached(sql)?.query_row([name], |row| row.get(0))?)
    }
}

impl Writer<'_> {
    /// Calls rows otherwise, all at once: one may get the name that another has. What is linked to a procedure by its name
    /// goes along.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn rename_procedures(&self, renames: &[(String, String)]) -> Result<(), StorageError> {
        let connection = self.0.0;
        let mut row = connection.prepare_cached("UPDATE procedures SET name = ?2 WHERE name = ?1")?;
        let mut artifacts = connection
            .prepare_cached("UPDATE artifacts SET memory_id = ?2 WHERE memory_type = 'procedure' AND memory_id = ?1")?;
        // No name begins so.
        let between = |at: usize| format!("#{at}");
        for (at, (from, _)) in renames.iter().enumerate() {
            row.execute([from, &between(at)])?;
            artifacts.execute([from, &between(at)])?;
        }
        for (at, (_, to)) in renames.iter().enumerate() {
            row.execute([&between(at), to])?;
            artifacts.execute([&between(at), to])?;
        }
        Ok(())
    }

    pub(super) fn index_former_names(&self, id: i64, definition: &Definition) -> Result<(), StorageError> {
        self.remove_former_names(id)?;
        let mut insert =
            self.0.0.prepare_cached("INSERT OR IGNORE INTO former_names (name, procedure_id) VALUES (?1, ?2)")?;
        for name in &definition.former_names {
            insert.execute(params![name.as_str(), id])?;
        }
        Ok(())
    }

    pub(super) fn remove_former_names(&self, id: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("DELETE FROM former_names WHERE procedure_id = ?1")?.execute([id])?;
        Ok(())
    }
}
