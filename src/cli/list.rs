//! `repertoire list`

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{
    context::Context,
    error::CliError,
    output::{percent, short},
    waiting,
};
use crate::domain::{Procedure, ProcedureFilter, Status};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Words to look for; without them everything is listed.
    query: Vec<String>,
    /// Only this category.
    #[arg(long)]
    category: Option<String>,
    /// Only with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only what stands so.
    #[arg(long, value_parser = status, value_name = "candidate|active|archived")]
    status: Option<Status>,
    /// How many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Print them as JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let (rows, total) = if arguments.query.is_empty() {
        let filter = ProcedureFilter {
            category: arguments.category.as_deref(),
            tag: arguments.tag.as_deref(),
            status: arguments.status,
            ..ProcedureFilter::default()
        };
        library.list(&filter, arguments.limit, 0)?
    } else {
        let filter = crate::library::RecallFilter {
            category: arguments.category.clone(),
            tag: arguments.tag.clone(),
            ..crate::library::RecallFilter::default()
        };
        let found = library.recall(&arguments.query.join(" "), arguments.limit as usize, &filter)?;
        let stands_so = |status: Status| arguments.status.is_none_or(|wanted| wanted == status);
        let rows = found.into_iter().map(|found| found.procedure);
        let rows: Vec<_> = rows.filter(|row| stands_so(row.definition.status)).collect();
        let total = rows.len() as u64;
        (rows, total)
    };
    if arguments.json {
        let listed: Vec<Value> = rows.iter().map(facts).collect();
        context.output.line(serde_json::to_string_pretty(&listed).unwrap_or_default());
        return Ok(ExitCode::SUCCESS);
    }
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.id.to_string(),
                row.definition.name.to_string(),
                row.definition.category.clone(),
                format!("v{}", row.version),
                row.code_confidence.map_or_else(|| "no code".to_owned(), |confidence| format!("{confidence:.2}")),
                row.uses.to_string(),
                percent(row.success_rate()),
                short(&row.definition.description, 60),
            ]
        })
        .collect();
    context
        .output
        .table(&["ID", "NAME", "CATEGORY", "VERSION", "CONFIDENCE", "USES", "SUCCESS", "WHAT IT DOES"], &table);
    if total > rows.len() as u64 {
        context.output.line(format_args!("… {} more (--limit)", total - rows.len() as u64));
    }
    waiting::tell(&library, context.output)?;
    Ok(ExitCode::SUCCESS)
}

fn status(text: &str) -> Result<Status, String> {
    let all = [Status::Candidate, Status::Active, Status::Archived];
    all.into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| "one of candidate, active, archived".to_owned())
}

/// A procedure for programs: what is not known is null.
pub fn facts(row: &Procedure) -> Value {
    let definition = &row.definition;
    json!({
        "id": row.id,
        "name": definition.name,
        "description": definition.description,
        "category": definition.category,
        "tags": definition.tags,
        "status": definition.status,
        "enabled": definition.enabled,
        "version": row.version,
        "code_confidence": row.code_confidence,
        "success_rate": row.success_rate(),
        "usage_count": row.uses,
    })
}
