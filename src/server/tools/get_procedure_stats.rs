//! `get_procedure_stats`

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{arguments::ProcedureArgument, views::rounded};
use crate::{
    domain::{Procedure, Status, stats::Stats},
    library::{self, LibraryError, ProcedureRef, Services},
    server::{
        answer::Answer,
        progress::CallContext,
        reply::window,
        tool::{Effect, Tool, Toolset},
    },
};

const MAX_ERROR_CHARS: usize = 500;

/// Shows how a procedure does.
pub struct GetProcedureStats;

/// Arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    procedure_id: ProcedureArgument,
}

/// Answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    procedure_id: i64,
    name: String,
    deleted: Option<bool>,
    status: Status,
    usage_count: u64,
    /// Successes among finished executions and reports, 0 to 1.
    success_rate: Option<f64>,
    avg_completion_time_ms: Option<f64>,
    code_confidence: Option<f64>,
    /// In the steps as they are now, earned by reports.
    reported_confidence: Option<f64>,
    execution_stats: ExecutionStats,
    /// From `record_outcome`.
    reported_stats: ReportedStats,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ExecutionStats {
    success: u64,
    failure: u64,
    skipped: u64,
    paused: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p95_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// Newest first.
    by_version: Vec<OfVersion>,
    /// Per day, newest first.
    trend: Vec<OfDay>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct ReportedStats {
    success: u64,
    failure: u64,
    skipped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_reported_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_notes: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OfVersion {
    version: u32,
    success: u64,
    failure: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_ms: Option<f64>,
    #[serde(skip_serializing_if = "is_zero")]
    reported_success: u64,
    #[serde(skip_serializing_if = "is_zero")]
    reported_failure: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

#[derive(Debug, Serialize, JsonSchema)]
struct OfDay {
    date: String,
    success: u64,
    failure: u64,
}

impl Answer for Output {}

impl Output {
    /// What is measured of a procedure.
    pub fn of(row: &Procedure, stats: Stats) -> Self {
        Self {
            procedure_id: row.id,
            name: row.definition.name.to_string(),
            deleted: row.deleted_at.map(|_| true),
            status: row.definition.status,
            usage_count: row.uses,
            success_rate: row.success_rate(),
            avg_completion_time_ms: stats.mean_ms.map(rounded),
            code_confidence: row.code_confidence,
            reported_confidence: stats.reported.confidence(),
            reported_stats: ReportedStats {
                success: stats.reported.success,
                failure: stats.reported.failure,
                skipped: stats.reported.skipped,
                avg_ms: stats.reported.mean_ms.map(rounded),
                last_reported_at: stats.reported.last_at.map(library::rfc3339_ms),
                last_notes: stats.reported.last_notes.map(|notes| window(&notes, 0, MAX_ERROR_CHARS).0),
            },
            execution_stats: ExecutionStats {
                success: stats.success,
                failure: stats.failure,
                skipped: stats.skipped,
                paused: stats.paused,
                p50_ms: stats.p50_ms.map(rounded),
                p95_ms: stats.p95_ms.map(rounded),
                last_run_at: stats.last_run_at.map(library::rfc3339_ms),
                last_error: stats.last_error.map(|error| window(&error, 0, MAX_ERROR_CHARS).0),
                by_version: stats
                    .by_version
                    .into_iter()
                    .map(|totals| OfVersion {
                        version: totals.version,
                        success: totals.success,
                        failure: totals.failure,
                        avg_ms: totals.mean_ms.map(rounded),
                        reported_success: totals.reported_success,
                        reported_failure: totals.reported_failure,
                    })
                    .collect(),
                trend: stats
                    .trend
                    .into_iter()
                    .map(|totals| OfDay { date: date(totals.day), success: totals.success, failure: totals.failure })
                    .collect(),
            },
        }
    }
}

fn date(days: i64) -> String {
    let at = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or_default();
    at.to_string().chars().take(10).collect()
}

impl Tool for GetProcedureStats {
    const NAME: &'static str = "get_procedure_stats";
    const DESCRIPTION: &'static str = "See how often a procedure was used and succeeded, and its last error.";
    const TOOLSET: Toolset = Toolset::Runs;
    const EFFECT: Effect = Effect::Reads;
    type Params = Params;
    type Output = Output;

    async fn call(services: &Services, params: Params, _: &CallContext) -> Result<Output, LibraryError> {
        let wanted = ProcedureRef::from(params.procedure_id);
        let (row, stats) = services.blocking(move |library| library.stats(&wanted)).await?;
        Ok(Output::of(&row, stats))
    }
}
