//! `repertoire show`

use std::process::ExitCode;

use super::{
    context::Context,
    error::CliError,
    output::{BOLD, DIM, percent, printable},
};
use crate::{
    domain::visible,
    library::{ProcedureRef, rfc3339},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Number or name.
    procedure: String,
    /// Print only the code.
    #[arg(long)]
    code: bool,
    /// Print only the definition, as JSON.
    #[arg(long, conflicts_with = "code")]
    json: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let library = context.library()?;
    let wanted = ProcedureRef::from(arguments.procedure.as_str());
    let (row, versions) = library.versions(&wanted, 20)?;
    let definition = serde_json::to_string_pretty(&row.definition).unwrap_or_default();
    let out = context.output;
    if arguments.json {
        out.line(definition);
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.code {
        let Some(code) = row.code else {
            return Err(CliError::Other(format!("`{}` has no code yet", row.definition.name)));
        };
        out.line(code.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let deleted = if row.deleted_at.is_some() { " (deleted)" } else { "" };
    out.line(format_args!("{BOLD}{}{BOLD:#}{deleted}  {DIM}id {}{DIM:#}", row.definition.name, row.id));
    out.line(visible(&row.definition.description));
    out.line(format_args!(
        "\nversion {} · confidence {} · {} uses · {} succeeded\n",
        row.version,
        row.code_confidence.map_or_else(|| "–".to_owned(), |confidence| format!("{confidence:.2}")),
        row.uses,
        percent(row.success_rate()),
    ));
    out.line(format_args!("{DIM}# procedure.json{DIM:#}\n{}\n", visible(&definition)));
    if let Some(code) = &row.code {
        out.line(format_args!("{DIM}# procedure.py{DIM:#}\n{}\n", visible(code.trim_end())));
    }
    let table: Vec<Vec<String>> = versions
        .into_iter()
        .map(|view| {
            vec![
                format!("v{}{}", view.version.version, if view.is_current { " *" } else { "" }),
                view.version.kind.as_str().to_owned(),
                view.confidence.map_or_else(|| "–".to_owned(), |confidence| format!("{confidence:.2}")),
                format!("+{} -{}", view.version.lines_added, view.version.lines_removed),
                view.version.commit.chars().take(10).collect(),
                rfc3339(view.version.committed_at),
                printable(&view.version.author),
                printable(&view.version.message),
            ]
        })
        .collect();
    out.table(&["VERSION", "KIND", "CONFIDENCE", "LINES", "COMMIT", "WHEN", "AUTHOR", "MESSAGE"], &table);
    Ok(ExitCode::SUCCESS)
}
