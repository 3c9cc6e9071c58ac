//! What the runs of a procedure add up to.

use super::{VersionNumber, confidence::posterior};

/// Trust in a text that nobody has tried: no check says anything of it.
const UNREAD: f64 = 0.5;

/// The measured side of one procedure. What says nothing else is about executions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Executions that ended normally.
    pub success: u64,
    /// Executions that raised or exceeded a limit.
    pub failure: u64,
    /// Executions without code.
    pub skipped: u64,
    /// How often an execution paused.
    pub paused: u64,
    /// Mean time of successes and failures, in milliseconds.
    pub mean_ms: Option<f64>,
    /// Median over the latest executions, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile over the latest executions, in milliseconds.
    pub p95_ms: Option<f64>,
    /// Start of the latest run, in milliseconds since 1970.
    pub last_run_at: Option<i64>,
    pub last_error: Option<String>,
    /// What was done by reading.
    pub reported: ReportTotals,
    /// Per version, newest first.
    pub by_version: Vec<VersionTotals>,
    /// Per day, newest first.
    pub trend: Vec<DayTotals>,
}

/// What was reported of a procedure that somebody carried out by reading it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportTotals {
    pub success: u64,
    pub failure: u64,
    pub skipped: u64,
    /// Mean of the times that were given, in milliseconds.
    pub mean_ms: Option<f64>,
    /// Milliseconds since 1970.
    pub last_at: Option<i64>,
    /// The notes of the last report that had any.
    pub last_notes: Option<String>,
    /// The successes and failures with what there is to read now.
    pub of_this_text: (u64, u64),
}

impl ReportTotals {
    /// How far what there is to read is trusted, from 0 to 1; `None` where nobody has tried it.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        let (successes, failures) = self.of_this_text;
        (successes + failures > 0).then(|| posterior(UNREAD, successes, failures))
    }
}

/// Totals of one version.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionTotals {
    pub version: VersionNumber,
    /// Executions that ended normally.
    pub success: u64,
    /// Executions that raised or exceeded a limit.
    pub failure: u64,
    /// Mean time, in milliseconds.
    pub mean_ms: Option<f64>,
    /// Successes that were reported.
    pub reported_success: u64,
    /// Failures that were reported.
    pub reported_failure: u64,
}

/// Totals of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayTotals {
    /// Days since 1970.
    pub day: i64,
    /// Executions that ended normally.
    pub success: u64,
    /// Executions that raised or exceeded a limit.
    pub failure: u64,
}
