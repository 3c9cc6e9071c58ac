//! What the runs of a procedure add up to.

use super::VersionNumber;

/// The measured side of one procedure.
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
    /// Per version, newest first.
    pub by_version: Vec<VersionTotals>,
    /// Per day, newest first.
    pub trend: Vec<DayTotals>,
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
