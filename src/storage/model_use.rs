//! How often the language model was asked, and for how many tokens.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Reader, StorageError, Writer};

/// Days are kept for so long after they are over.
const DAYS_KEPT: i64 = 400;

/// What requests took.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ModelUse {
    pub calls: u64,
    /// Read and written.
    pub tokens: u64,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ModelUse> {
    Ok(ModelUse { calls: row.get(0)?, tokens: row.get(1)? })
}

impl Reader<'_> {
    /// What was taken on a day, and by the tree of a run where one is named.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn model_use(&self, day: i64, root_run_id: Option<&str>) -> Result<(ModelUse, Option<ModelUse>), StorageError> {
        let mut of_day = self.0.prepare_cached("SELECT calls, tokens FROM model_days WHERE day = ?1")?;
        let of_day = of_day.query_row([day], from_row).optional()?.unwrap_or_default();
        let Some(run) = root_run_id else { return Ok((of_day, None)) };
        let mut of_run = self.0.prepare_cached("SELECT calls, tokens FROM model_runs WHERE root_run_id = ?1")?;
        Ok((of_day, Some(of_run.query_row([run], from_row).optional()?.unwrap_or_default())))
    }
}

impl Writer<'_> {
    /// Adds what a request takes; a negative number of tokens takes back what was added for it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_model_use(
        &self,
        day: i64,
        root_run_id: Option<&str>,
        calls: u32,
        tokens: i64,
    ) -> Result<(), StorageError> {
        let connection = self.0.0;
        connection
            .prepare_cached(
                "INSERT INTO model_days (day, calls, tokens) VALUES (?1, ?2, MAX(0, ?3)) \
                 ON CONFLICT DO UPDATE SET calls = calls + ?2, tokens = MAX(0, tokens + ?3)",
            )?
            .execute(params![day, calls, tokens])?;
        connection.prepare_cached("DELETE FROM model_days WHERE day < ?1")?.execute([day - DAYS_KEPT])?;
        let Some(run) = root_run_id else { return Ok(()) };
        connection
            .prepare_cached(
                "INSERT INTO model_runs (root_run_id, calls, tokens) VALUES (?1, ?2, MAX(0, ?3)) \
                 ON CONFLICT DO UPDATE SET calls = calls + ?2, tokens = MAX(0, tokens + ?3)",
            )?
            .execute(params![run, calls, tokens])?;
        Ok(())
    }
}
