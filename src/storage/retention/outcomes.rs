//! Removing outcomes of runs.

use std::time::Instant;

use rusqlite::params;

use super::sweep::Sweep;
use crate::storage::{StorageError, Writer};

/// Outcomes that a lesson is made of; they stay.
pub const LEARNED_FROM: u32 = 20;
const PAGE: u32 = 32;

/// What a row takes, its words in the index for searching included.
pub const BYTES: &str =
    "400 + octet_length(trace) + coalesce(octet_length(artifacts), 0) + 2 * coalesce(octet_length(error_message), 0)";

impl Writer<'_> {
    pub(super) fn sweep_outcomes(&self, sweep: &mut Sweep, until: Instant) -> Result<bool, StorageError> {
        let sql = format!(
            "SELECT id, run_id, created_at, EXISTS (SELECT 1 FROM artifacts \
             WHERE memory_type = 'outcome' AND memory_id = run_id), {BYTES} \
             FROM workflow_outcomes WHERE id > ?1 ORDER BY id LIMIT {PAGE}"
        );
        let mut statement = self.0.0.prepare_cached(&sql)?;
        while Instant::now() < until {
            let rows = statement.query_map([sweep.after_row], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            })?;
            let page: Vec<(i64, String, i64, bool, i64)> = rows.collect::<Result<_, _>>()?;
            let mut is_over = page.is_empty();
            for (id, run_id, created_at, is_linked, bytes) in page {
                if sweep.is_done_at(created_at) {
                    is_over = true;
                    break;
                }
                if !is_linked && sweep.wants(created_at) && !sweep.evidence.contains(&run_id) {
                    self.remove_outcome(id)?;
                    sweep.count(bytes);
                }
                sweep.after_row = id;
            }
            if is_over {
                self.forget_workflow_runs(sweep.before)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Forgets the names of runs that have nothing any more. They keep numbers of checkpoints from being given out twice,
    /// which nobody could tell after so long.
    fn forget_workflow_runs(&self, before: Option<i64>) -> Result<(), StorageError> {
        const MOST: u32 = 500;
        let Some(before) = before else { return Ok(()) };
        self.0
            .0
            .prepare_cached(
                "DELETE FROM workflow_runs WHERE id IN (SELECT id FROM workflow_runs AS old WHERE created_at < ?1 \
                 AND NOT EXISTS (SELECT 1 FROM checkpoints WHERE workflow_run = old.id) \
                 AND NOT EXISTS (SELECT 1 FROM workflow_outcomes AS o WHERE o.user = old.user AND o.run_id = old.run_id) \
                 AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = old.run_id) \
                 AND NOT EXISTS (SELECT 1 FROM artifacts WHERE memory_type = 'run' AND memory_id = old.run_id) \
                 LIMIT ?2)",
            )?
            .execute(params![before, MOST])?;
        Ok(())
    }
}
