//! `repertoire stats`

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{
    context::Context,
    error::CliError,
    list::facts,
    output::{BOLD, RED, percent, printable, short},
    waiting,
};
use crate::{
    domain::{Procedure, ProcedureFilter, stats::Stats},
    library::{ProcedureRef, rfc3339_ms},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name; without it, all that were used.
    procedure: Option<String>,
    /// Print them as JSON.
    #[arg(long)]
    json: bool,
}

fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2} ms"))
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let out = context.output;
    let Some(procedure) = &arguments.procedure else {
        let (rows, _) = library.list(&ProcedureFilter::default(), 10_000, 0)?;
        let mut used: Vec<_> = rows.into_iter().filter(|row| row.uses > 0).collect();
        used.sort_by_key(|row| std::cmp::Reverse(row.uses));
        if arguments.json {
            let listed: Vec<Value> = used.iter().map(facts).collect();
            out.line(serde_json::to_string_pretty(&listed).unwrap_or_default());
            return Ok(ExitCode::SUCCESS);
        }
        if used.is_empty() {
            out.line("Nothing was executed or reported yet.");
            waiting::tell(&library, out)?;
            return Ok(ExitCode::SUCCESS);
        }
        let table: Vec<Vec<String>> = used
            .iter()
            .map(|row| {
                vec![
                    row.definition.name.to_string(),
                    row.uses.to_string(),
                    percent(row.success_rate()),
                    format!("v{}", row.version),
                ]
            })
            .collect();
        out.table(&["NAME", "USES", "SUCCESS", "VERSION"], &table);
        waiting::tell(&library, out)?;
        return Ok(ExitCode::SUCCESS);
    };
    let (row, stats) = library.stats(&ProcedureRef::from(procedure.as_str()))?;
    if arguments.json {
        out.line(serde_json::to_string_pretty(&all(&row, &stats)).unwrap_or_default());
        return Ok(ExitCode::SUCCESS);
    }
    out.line(format_args!("{BOLD}{}{BOLD:#}", row.definition.name));
    out.line(format_args!("{} uses, {} success", row.uses, percent(row.success_rate())));
    out.line(format_args!(
        "executed: {} succeeded, {} failed, {} paused, {} skipped",
        stats.success, stats.failure, stats.paused, stats.skipped
    ));
    out.line(format_args!("mean {}, median {}, p95 {}", ms(stats.mean_ms), ms(stats.p50_ms), ms(stats.p95_ms)));
    if let Some(at) = stats.last_run_at {
        out.line(format_args!("last run {}", rfc3339_ms(at)));
    }
    if let Some(error) = &stats.last_error {
        out.line(format_args!("last error: {RED}{}{RED:#}", printable(&short(error, 200))));
    }
    let reported = &stats.reported;
    if reported.last_at.is_some() {
        out.line(format_args!(
            "reported: {} succeeded, {} failed, {} skipped, mean {}, confidence {}",
            reported.success,
            reported.failure,
            reported.skipped,
            ms(reported.mean_ms),
            reported.confidence().map_or_else(|| "–".to_owned(), |confidence| format!("{confidence:.2}")),
        ));
    }
    if let Some(notes) = &reported.last_notes {
        out.line(format_args!("last notes: {}", printable(&short(notes, 200))));
    }
    if !stats.by_version.is_empty() {
        out.line("");
        let has_reports = reported.last_at.is_some();
        let table: Vec<Vec<String>> = stats
            .by_version
            .iter()
            .map(|totals| {
                let mut cells = vec![
                    format!("v{}", totals.version),
                    totals.success.to_string(),
                    totals.failure.to_string(),
                    ms(totals.mean_ms),
                ];
                if has_reports {
                    cells.push(format!(
                        "{} of {}",
                        totals.reported_success,
                        totals.reported_success + totals.reported_failure
                    ));
                }
                cells
            })
            .collect();
        let header = ["VERSION", "SUCCEEDED", "FAILED", "MEAN", "REPORTED SUCCESS"];
        out.table(if has_reports { &header } else { &header[..4] }, &table);
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that is known of one procedure.
fn all(row: &Procedure, stats: &Stats) -> Value {
    let mut all = facts(row);
    let by_version = stats.by_version.iter().map(|totals| {
        json!({"version": totals.version, "success": totals.success, "failure": totals.failure, "avg_ms": totals.mean_ms})
    });
    all["avg_completion_time_ms"] = json!(stats.mean_ms);
    all["execution_stats"] = json!({
        "success": stats.success,
        "failure": stats.failure,
        "skipped": stats.skipped,
        "paused": stats.paused,
        "p50_ms": stats.p50_ms,
        "p95_ms": stats.p95_ms,
        "last_run_at": stats.last_run_at.map(rfc3339_ms),
        "last_error": stats.last_error,
        "by_version": by_version.collect::<Vec<_>>(),
    });
    all
}
