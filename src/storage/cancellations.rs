//! Runs that somebody wants to end while another process executes them.

use rusqlite::params;

use super::{Reader, StorageError, Writer};

impl Reader<'_> {
    /// The runs of a session that are to end.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn runs_to_cancel(&self, session: &str) -> Result<Vec<String>, StorageError> {
        let sql =
            "SELECT run_id FROM cancellations JOIN runs ON runs.id = run_id WHERE session = ?1 AND status = 'running'";
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.query_map([session], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Notes that a run is to end, for the process that executes it, and forgets what is noted of runs that have ended.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn ask_to_cancel(&self, run_id: &str, at: i64) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "DELETE FROM cancellations WHERE run_id NOT IN \
                 (SELECT id FROM runs WHERE status IN ('running', 'paused', 'interrupted'))",
            )?
            .execute([])?;
        self.0
            .0
            .prepare_cached("INSERT OR IGNORE INTO cancellations (run_id, asked_at) VALUES (?1, ?2)")?
            .execute(params![run_id, at])?;
        Ok(())
    }

    /// Forgets that a run is to end.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn forget_cancellation(&self, run_id: &str) -> Result<(), StorageError> {
        self.0.0.prepare_cached("DELETE FROM cancellations WHERE run_id = ?1")?.execute([run_id])?;
        Ok(())
    }
}
