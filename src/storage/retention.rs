//! Which checkpoints are removed when they are too old or too many.

use rusqlite::params;

use super::{Reader, StorageError, Writer};

/// A run that may still go on. Of these the latest checkpoint of each branch is where they do.
const IS_OPEN: &str = "NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = workflow_runs.run_id \
     AND runs.status IN ('succeeded', 'failed', 'cancelled')) \
     AND NOT EXISTS (SELECT 1 FROM workflow_outcomes AS ended WHERE ended.user = workflow_runs.user \
     AND ended.run_id = workflow_runs.run_id)";

impl Reader<'_> {
    /// How many bytes the states take together. The file is looked at first: one that is small has no large states.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn checkpoint_bytes(&self, limit: i64) -> Result<i64, StorageError> {
        let file: i64 = self.0.query_row(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
            [],
            |row| row.get(0),
        )?;
        if file <= limit {
            return Ok(0);
        }
        Ok(self.0.query_row("SELECT coalesce(sum(octet_length(state)), 0) FROM checkpoints", [], |row| row.get(0))?)
    }
}

impl Writer<'_> {
    /// Removes at most `most` checkpoints that were saved before `before`; gives how many that were.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn remove_checkpoints_before(&self, before: i64, most: u32) -> Result<usize, StorageError> {
        let sql = "DELETE FROM checkpoints WHERE rowid IN \
             (SELECT rowid FROM checkpoints WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";
        Ok(self.0.0.prepare_cached(sql)?.execute(params![before, most])?)
    }

    /// Removes the oldest checkpoints, at most `most`, until that has freed `excess` bytes; gives how many that were. Where
    /// an open run goes on stays.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn remove_oldest_checkpoints(&self, excess: i64, most: u32) -> Result<usize, StorageError> {
        let sql = format!(
            "SELECT checkpoints.rowid, octet_length(state) FROM checkpoints \
             JOIN workflow_runs ON workflow_runs.id = checkpoints.workflow_run \
             WHERE NOT ({IS_OPEN} AND sequence = (SELECT max(latest.sequence) FROM checkpoints AS latest \
             WHERE latest.workflow_run = checkpoints.workflow_run AND latest.branch_id IS checkpoints.branch_id)) \
             ORDER BY checkpoints.created_at, checkpoints.rowid LIMIT ?1"
        );
        let mut statement = self.0.0.prepare_cached(&sql)?;
        let rows = statement.query_map([most], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let oldest: Vec<(i64, i64)> = rows.collect::<Result<_, _>>()?;
        let mut remove = self.0.0.prepare_cached("DELETE FROM checkpoints WHERE rowid = ?1")?;
        let (mut count, mut freed) = (0, 0);
        for (row, bytes) in oldest {
            if freed >= excess {
                break;
            }
            count += remove.execute([row])?;
            freed += bytes;
        }
        Ok(count)
    }
}
