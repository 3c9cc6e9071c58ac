//! Runs that nothing executed, and the totals of them.

use rusqlite::{OptionalExtension as _, named_params, params};

use super::{Reader, StorageError, Writer, users::Users};
use crate::domain::{Outcome, Reported, RunStatus, VersionNumber, stats::ReportTotals};

/// A report that comes in.
#[derive(Debug, Clone)]
pub struct NewReport<'a> {
    /// The id of the run that it makes.
    pub id: &'a str,
    pub procedure_id: i64,
    /// What was current when it was reported.
    pub version: VersionNumber,
    /// Hash of what there was to read.
    pub digest: &'a str,
    pub outcome: Reported,
    pub notes: &'a str,
    /// As JSON.
    pub evidence: Option<&'a str>,
    /// Whose process it came through.
    pub user: &'a str,
    pub session: &'a str,
    pub steps_total: u32,
    /// Milliseconds.
    pub duration_ms: Option<f64>,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// As the run of an execution that answered the same.
const fn status_of(outcome: Reported) -> RunStatus {
    match outcome {
        Reported::Success | Reported::Skipped => RunStatus::Succeeded,
        Reported::Failure => RunStatus::Failed,
    }
}

impl Writer<'_> {
    /// Keeps a report as a run, and counts it. What was skipped is no use of the procedure.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_report(&self, report: &NewReport<'_>) -> Result<(), StorageError> {
        let outcome = report.outcome.outcome();
        let one = |counted: Outcome| u32::from(outcome == counted);
        let (success, failure) = (one(Outcome::Success), one(Outcome::Failure));
        let connection = self.0.0;
        connection
            .prepare_cached(
                "INSERT INTO runs (id, procedure_id, version, session, status, outcome, parameters, result, output, \
                 steps_total, started_at, finished_at, duration_ms, user, is_reported) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, '{}', ?7, ?8, ?9, ?10, ?11, ?12, ?13, 1)",
            )?
            .execute(params![
                report.id,
                report.procedure_id,
                report.version,
                report.session,
                status_of(report.outcome).as_str(),
                outcome.as_str(),
                report.evidence,
                report.notes,
                report.steps_total,
                report.started_at,
                report.at,
                report.duration_ms,
                report.user,
            ])?;
        let duration = report.duration_ms.filter(|_| success + failure > 0);
        connection
            .prepare_cached(
                "INSERT INTO report_totals (procedure_id, version, day, digest, successes, failures, skipped, timed, \
                 duration_ms, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
                 ON CONFLICT DO UPDATE SET successes = successes + ?5, failures = failures + ?6, skipped = skipped + ?7, \
                 timed = timed + ?8, duration_ms = duration_ms + ?9, last_at = max(last_at, ?10)",
            )?
            .execute(params![
                report.procedure_id,
                report.version,
                report.at.div_euclid(86_400_000),
                report.digest,
                success,
                failure,
                one(Outcome::Skipped),
                u32::from(duration.is_some()),
                duration.unwrap_or_default(),
                report.at,
            ])?;
        if success + failure > 0 {
            connection
                .prepare_cached(
                    "UPDATE procedures SET successes = successes + ?2, failures = failures + ?3, uses = uses + 1, \
                     last_run_at = ?4 WHERE id = ?1",
                )?
                .execute(params![report.procedure_id, success, failure, report.at])?;
        }
        Ok(())
    }
}

impl Reader<'_> {
    /// What was reported of a procedure, by whomever; its last notes are some of `users`. `digest` is the hash of what
    /// there is to read now.
    pub(super) fn report_totals(
        &self,
        users: &Users,
        procedure_id: i64,
        digest: &str,
    ) -> Result<ReportTotals, StorageError> {
        let connection = self.0;
        let mut totals = connection
            .prepare_cached(
                "SELECT coalesce(sum(successes), 0), coalesce(sum(failures), 0), coalesce(sum(skipped), 0), \
                 sum(duration_ms) / nullif(sum(timed), 0), max(last_at), \
                 coalesce(sum(successes) FILTER (WHERE digest = ?2), 0), \
                 coalesce(sum(failures) FILTER (WHERE digest = ?2), 0) FROM report_totals WHERE procedure_id = ?1",
            )?
            .query_row(params![procedure_id, digest], |row| {
                Ok(ReportTotals {
                    success: row.get(0)?,
                    failure: row.get(1)?,
                    skipped: row.get(2)?,
                    mean_ms: row.get(3)?,
                    last_at: row.get(4)?,
                    last_notes: None,
                    of_this_text: (row.get(5)?, row.get(6)?),
                })
            })?;
        totals.last_notes = connection
            .prepare_cached(&format!(
                "SELECT output FROM runs WHERE procedure_id = :procedure AND is_reported AND output <> '' AND {} \
                 ORDER BY id DESC LIMIT 1",
                Users::RUNS
            ))?
            .query_row(named_params! {":procedure": procedure_id, ":users": users}, |row| row.get(0))
            .optional()?;
        Ok(totals)
    }
}
