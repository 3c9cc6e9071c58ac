//! Removing checkpoints.

use std::time::Instant;

use rusqlite::params;

use super::sweep::Sweep;
use crate::storage::{StorageError, Writer};

/// Removed with one statement.
const PAGE: u32 = 50;

/// What a row takes.
pub const BYTES: &str = "60 + octet_length(state)";

/// A run that may still go on. Of these the latest checkpoint of each branch is where they do.
const IS_OPEN: &str = "NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = workflow_runs.run_id \
     AND runs.status IN ('succeeded', 'failed', 'cancelled')) \
     AND NOT EXISTS (SELECT 1 FROM workflow_outcomes AS ended WHERE ended.user = workflow_runs.user \
     AND ended.run_id = workflow_runs.run_id)";

impl Writer<'_> {
    /// Where an open run goes on is removed for its age only.
    pub(super) fn sweep_checkpoints(&self, sweep: &mut Sweep, until: Instant) -> Result<bool, StorageError> {
        let of_age =
            format!("SELECT rowid, {BYTES} FROM checkpoints WHERE created_at < ?1 ORDER BY created_at LIMIT {PAGE}");
        let oldest = format!(
            "SELECT checkpoints.rowid, {BYTES} FROM checkpoints \
             JOIN workflow_runs ON workflow_runs.id = checkpoints.workflow_run \
             WHERE NOT ({IS_OPEN} AND sequence = (SELECT max(latest.sequence) FROM checkpoints AS latest \
             WHERE latest.workflow_run = checkpoints.workflow_run AND latest.branch_id IS checkpoints.branch_id)) \
             ORDER BY checkpoints.created_at, checkpoints.rowid LIMIT {PAGE}"
        );
        while Instant::now() < until {
            let mut removed = 0;
            if let Some(before) = sweep.before {
                removed += self.remove_checkpoints(sweep, &of_age, params![before], |_| true)?;
            }
            if removed == 0 && sweep.excess > sweep.freed {
                removed += self.remove_checkpoints(sweep, &oldest, params![], |sweep| sweep.excess > sweep.freed)?;
            }
            if removed == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes what `sql` finds, while `goes_on` says so; gives how many that were.
    fn remove_checkpoints(
        &self,
        sweep: &mut Sweep,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
        goes_on: impl Fn(&Sweep) -> bool,
    ) -> Result<usize, StorageError> {
        let mut statement = self.0.0.prepare_cached(sql)?;
        let rows = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let found: Vec<(i64, i64)> = rows.collect::<Result<_, _>>()?;
        let mut remove = self.0.0.prepare_cached("DELETE FROM checkpoints WHERE rowid = ?1")?;
        let mut removed = 0;
        for (row, bytes) in found {
            if !goes_on(sweep) {
                break;
            }
            remove.execute([row])?;
            sweep.count(bytes);
            removed += 1;
        }
        Ok(removed)
    }
}
