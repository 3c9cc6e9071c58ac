//! What the conditions of triggers have called for.

use rusqlite::{OptionalExtension as _, params};

use super::{Reader, StorageError, Writer};
use crate::domain::trigger::Called;

/// Subjects that are remembered of one procedure: the newest. Of the others a value that still holds would call again.
const MAX_SUBJECTS: u32 = 10_000;
/// They are counted once in so many new ones.
const COUNTED_EVERY: i64 = 64;

impl Reader<'_> {
    /// What is remembered of the condition of a procedure and one subject.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn called(&self, procedure_id: i64, subject: &str) -> Result<Option<Called>, StorageError> {
        let sql = "SELECT has_called, called_at FROM condition_states WHERE procedure_id = ?1 AND subject = ?2";
        let mut statement = self.0.prepare_cached(sql)?;
        let called = statement
            .query_row(params![procedure_id, subject], |row| Ok(Called { is_over: row.get(0)?, at: row.get(1)? }));
        Ok(called.optional()?)
    }
}

impl Writer<'_> {
    /// Remembers it otherwise, or no more.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn note_called(&self, procedure_id: i64, subject: &str, called: Option<Called>) -> Result<(), StorageError> {
        let Some(Called { is_over, at }) = called else {
            let sql = "DELETE FROM condition_states WHERE procedure_id = ?1 AND subject = ?2";
            self.0.0.prepare_cached(sql)?.execute(params![procedure_id, subject])?;
            return Ok(());
        };
        let id: i64 = self
            .0
            .0
            .prepare_cached(
                "INSERT INTO condition_states (procedure_id, subject, has_called, called_at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT DO UPDATE SET has_called = ?3, called_at = ?4 RETURNING id",
            )?
            .query_row(params![procedure_id, subject, is_over, at], |row| row.get(0))?;
        if id % COUNTED_EVERY == 0 {
            self.0
                .0
                .prepare_cached(
                    "DELETE FROM condition_states WHERE procedure_id = ?1 AND id IN (SELECT id FROM condition_states \
                     WHERE procedure_id = ?1 ORDER BY called_at DESC LIMIT -1 OFFSET ?2)",
                )?
                .execute(params![procedure_id, MAX_SUBJECTS])?;
        }
        Ok(())
    }

    /// Forgets what the condition of a procedure has called for: it is another one.
    pub(super) fn forget_called(&self, procedure_id: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("DELETE FROM condition_states WHERE procedure_id = ?1")?.execute([procedure_id])?;
        Ok(())
    }
}
