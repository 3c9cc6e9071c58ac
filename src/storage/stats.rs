//! What runs add up to.

use rusqlite::{OptionalExtension, named_params};

use super::{Reader, StorageError, users::Users};
use crate::domain::stats::{DayTotals, Stats, VersionTotals};

/// Percentiles look at this many of the latest executions.
pub(super) const PERCENTILE_WINDOW: u32 = 1000;
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
    /// Everything that the runs of a procedure add up to, whoever started them; its last error is one of `users`.
    /// `digest` is the hash of what there is to read of it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn stats(&self, users: &Users, procedure_id: i64, digest: &str) -> Result<Stats, StorageError> {
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
        let mut durations = self.latest_durations(procedure_id)?;
        durations.sort_by(f64::total_cmp);
        stats.p50_ms = percentile(&durations, 0.50);
        stats.p95_ms = percentile(&durations, 0.95);
        let last_run: Option<i64> = connection
            .prepare_cached(
                "SELECT started_at FROM runs WHERE procedure_id = ?1 AND NOT is_reported ORDER BY id DESC LIMIT 1",
            )?
            .query_row([procedure_id], |row| row.get(0))
            .optional()?;
        let last_error: Option<(i64, String)> = connection
            .prepare_cached(&format!(
                "SELECT started_at, error FROM runs WHERE procedure_id = :procedure AND error IS NOT NULL AND {} \
                 ORDER BY id DESC LIMIT 1",
                Users::RUNS
            ))?
            .query_row(named_params! {":procedure": procedure_id, ":users": users}, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let past_run: Option<i64> = connection
            .prepare_cached("SELECT max(last_run_at) FROM past_runs WHERE procedure_id = ?1")?
            .query_row([procedure_id], |row| row.get(0))?;
        let past_error: Option<(i64, String)> = connection
            .prepare_cached(&format!(
                "SELECT failed_at, last_error FROM past_runs WHERE procedure_id = :procedure AND failed_at IS NOT NULL \
                 AND (user = '' OR user IN ({})) ORDER BY failed_at DESC LIMIT 1",
                Users::NAMES
            ))?
            .query_row(named_params! {":procedure": procedure_id, ":users": users}, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        stats.last_run_at = last_run.max(past_run);
        stats.last_error = last_error.max(past_error).map(|(_, error)| error);
        stats.reported = self.report_totals(users, procedure_id, digest)?;
        stats.by_version = connection
            .prepare_cached(
                "SELECT version, sum(successes), sum(failures), sum(duration_ms), sum(told_good), sum(told_bad) FROM \
                 (SELECT version, successes, failures, duration_ms, 0 AS told_good, 0 AS told_bad FROM run_totals \
                 WHERE procedure_id = ?1 \
                 UNION ALL SELECT version, 0, 0, 0.0, successes, failures FROM report_totals WHERE procedure_id = ?1) \
                 GROUP BY version ORDER BY version DESC LIMIT ?2",
            )?
            .query_map(rusqlite::params![procedure_id, VERSIONS_SHOWN], |row| {
                let (success, failure): (u64, u64) = (row.get(1)?, row.get(2)?);
                Ok(VersionTotals {
                    version: row.get(0)?,
                    success,
                    failure,
                    mean_ms: mean(row.get(3)?, success + failure),
                    reported_success: row.get(4)?,
                    reported_failure: row.get(5)?,
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

    /// What the latest executions took, those whose runs were removed among them.
    fn latest_durations(&self, procedure_id: i64) -> Result<Vec<f64>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT unhex(id, '-'), duration_ms FROM runs WHERE procedure_id = ?1 AND outcome IN ('success', 'failure') \
             AND NOT is_reported ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(rusqlite::params![procedure_id, PERCENTILE_WINDOW], |row| {
            Ok((row.get::<_, Option<Vec<u8>>>(0)?.unwrap_or_default(), row.get::<_, f64>(1)?))
        })?;
        let mut latest: Vec<(Vec<u8>, f64)> = rows.collect::<Result<_, _>>()?;
        let is_full = latest.len() == PERCENTILE_WINDOW as usize;
        let oldest = latest.last().filter(|_| is_full).map(|(id, _)| id.clone()).unwrap_or_default();
        let mut statement = self.0.prepare_cached(
            "SELECT run_id, duration_ms FROM past_durations WHERE procedure_id = ?1 AND run_id > ?2 \
             ORDER BY run_id DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(rusqlite::params![procedure_id, oldest, PERCENTILE_WINDOW], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let kept = latest.len();
        for row in rows {
            latest.push(row?);
        }
        if latest.len() > kept {
            latest.sort_by(|a, b| b.0.cmp(&a.0));
            latest.truncate(PERCENTILE_WINDOW as usize);
        }
        Ok(latest.into_iter().map(|(_, duration)| duration).collect())
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
