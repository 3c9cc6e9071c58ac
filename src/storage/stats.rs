//! What runs add up to.

use rusqlite::OptionalExtension;

use super::{Reader, StorageError};
use crate::domain::stats::{DayTotals, Stats, VersionTotals};

/// Percentiles look at this many of the latest executions.
const PERCENTILE_WINDOW: u32 = 1000;
const DAYS_OF_TREND: u32 = 14;
const VERSIONS_SHOWN: u32 = 10;

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn mean(total_ms: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| total_ms / count as f64)
}

/// The value below which `share` of the sorted `values` lie (nearest rank).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most PERCENTILE_WINDOW values"
)]
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

impl Reader<'_> {
    /// Everything that the runs of a procedure add up to.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn stats(&self, procedure_id: i64) -> Result<Stats, StorageError> {
        let connection = self.0;
        let mut stats = Stats::default();
        let total_ms: f64 = connection
            .prepare_cached(
                "SELECT coalesce(sum(successes), 0), coalesce(sum(failures), 0), coalesce(sum(skipped), 0), \
                 coalesce(sum(paused), 0), coalesce(sum(duration_ms), 0.0) FROM run_totals WHERE procedure_id = ?1",
            )?
            .query_row([procedure_id], |row| {
                stats.success = row.get(0)?;
                stats.failure = row.get(1)?;
                stats.skipped = row.get(2)?;
                stats.paused = row.get(3)?;
                row.get(4)
            })?;
        stats.mean_ms = mean(total_ms, stats.success + stats.failure);
        let mut durations: Vec<f64> = connection
            .prepare_cached(
                "SELECT duration_ms FROM runs WHERE procedure_id = ?1 AND outcome IN ('success', 'failure') \
                 ORDER BY id DESC LIMIT ?2",
            )?
            .query_map(rusqlite::params![procedure_id, PERCENTILE_WINDOW], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        durations.sort_by(f64::total_cmp);
        stats.p50_ms = percentile(&durations, 0.50);
        stats.p95_ms = percentile(&durations, 0.95);
        stats.last_run_at = connection
            .prepare_cached("SELECT started_at FROM runs WHERE procedure_id = ?1 ORDER BY id DESC LIMIT 1")?
            .query_row([procedure_id], |row| row.get(0))
            .optional()?;
        stats.last_error = connection
            .prepare_cached(
                "SELECT error FROM runs WHERE procedure_id = ?1 AND error IS NOT NULL ORDER BY id DESC LIMIT 1",
            )?
            .query_row([procedure_id], |row| row.get(0))
            .optional()?;
        stats.by_version = connection
            .prepare_cached(
                "SELECT version, sum(successes), sum(failures), sum(duration_ms) FROM run_totals \
                 WHERE procedure_id = ?1 GROUP BY version ORDER BY version DESC LIMIT ?2",
            )?
            .query_map(rusqlite::params![procedure_id, VERSIONS_SHOWN], |row| {
                let (success, failure): (u64, u64) = (row.get(1)?, row.get(2)?);
                Ok(VersionTotals {
                    version: row.get(0)?,
                    success,
                    failure,
                    mean_ms: mean(row.get(3)?, success + failure),
                })
            })?
            .collect::<Result<_, _>>()?;
        stats.trend = connection
            .prepare_cached(
                "SELECT day, sum(successes), sum(failures) FROM run_totals WHERE procedure_id = ?1 \
                 GROUP BY day ORDER BY day DESC LIMIT ?2",
            )?
            .query_map(rusqlite::params![procedure_id, DAYS_OF_TREND], |row| {
                Ok(DayTotals { day: row.get(0)?, success: row.get(1)?, failure: row.get(2)? })
            })?
            .collect::<Result<_, _>>()?;
        Ok(stats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.50), Some(50.0));
        assert_eq!(percentile(&values, 0.95), Some(95.0));
        assert_eq!(percentile(&[7.0], 0.95), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
