//! `repertoire stats`

use std::process::ExitCode;

use super::{
    context::Context,
    error::CliError,
    output::{BOLD, RED, percent, short},
};
use crate::{
    domain::ProcedureFilter,
    library::{ProcedureRef, rfc3339_ms},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name; without it, all that were used.
    procedure: Option<String>,
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
        if used.is_empty() {
            out.line("Nothing was executed yet.");
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
        return Ok(ExitCode::SUCCESS);
    };
    let (row, stats) = library.stats(&ProcedureRef::from(procedure.as_str()))?;
    out.line(format_args!("{BOLD}{}{BOLD:#}", row.definition.name));
    out.line(format_args!(
        "{} uses: {} succeeded, {} failed, {} paused, {} skipped ({} success)",
        row.uses,
        stats.success,
        stats.failure,
        stats.paused,
        stats.skipped,
        percent(row.success_rate())
    ));
    out.line(format_args!("mean {}, median {}, p95 {}", ms(stats.mean_ms), ms(stats.p50_ms), ms(stats.p95_ms)));
    if let Some(at) = stats.last_run_at {
        out.line(format_args!("last run {}", rfc3339_ms(at)));
    }
    if let Some(error) = &stats.last_error {
        out.line(format_args!("last error: {RED}{}{RED:#}", short(error, 200)));
    }
    if !stats.by_version.is_empty() {
        out.line("");
        let table: Vec<Vec<String>> = stats
            .by_version
            .iter()
            .map(|totals| {
                vec![
                    format!("v{}", totals.version),
                    totals.success.to_string(),
                    totals.failure.to_string(),
                    ms(totals.mean_ms),
                ]
            })
            .collect();
        out.table(&["VERSION", "SUCCEEDED", "FAILED", "MEAN"], &table);
    }
    Ok(ExitCode::SUCCESS)
}
