//! `repertoire validate`: checks files of code, for people and for pre-commit hooks.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::ExitCode,
};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{
    context::Context,
    error::CliError,
    output::{BOLD, GREEN, RED},
    programs::worker_program,
};
use crate::{
    domain::{Definition, name::slugify},
    library::{Validated, check_source},
    validation::{Issue, Severity},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Python files. A `procedure.json` beside one says which parameters it must take.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Fail on warnings, too.
    #[arg(long)]
    strict: bool,
    /// Print the findings as JSON, one line per file.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let mut good = true;
    for file in &arguments.files {
        let code = fs::read_to_string(file).map_err(CliError::io(format!("can't read `{}`", file.display())))?;
        let definition = definition_beside(file)?;
        let name = definition.as_ref().map_or_else(|| name_of(file), |definition| definition.name.identifier());
        let check = check_source(&code, &name, definition.as_ref(), worker_program()?);
        let validated = runtime.block_on(check)?;
        let worst = if arguments.strict { Severity::Warning } else { Severity::Error };
        good &= !validated.issues.iter().any(|issue| issue.severity <= worst);
        if arguments.json {
            context.output.line(serde_json::json!({
                "file": file,
                "quality_score": validated.quality_score,
                "checks": validated.checks,
                "issues": validated.issues,
                "permissions_needed": validated.permissions_needed,
            }));
        } else {
            print(context, file, &code, &validated);
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The definition of the procedure that the file belongs to, when it lies where a clone of the history has it.
fn definition_beside(file: &Path) -> Result<Option<Definition>, CliError> {
    let path = file.with_file_name("procedure.json");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    let definition = serde_json::from_str(&text)
        .map_err(|error| CliError::Other(format!("`{}` is not a definition: {error}", path.display())))?;
    Ok(Some(definition))
}

/// Without a definition the file, or the folder of a `procedure.py`, is named like the function.
fn name_of(file: &Path) -> String {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let folder = file.parent().and_then(Path::file_name).and_then(|folder| folder.to_str()).unwrap_or_default();
    slugify(if stem == "procedure" { folder } else { stem }).replace('-', "_")
}

fn print(context: &Context, file: &Path, code: &str, validated: &Validated) {
    let renderer = Renderer::styled();
    let shown = file.display().to_string();
    for issue in &validated.issues {
        let level = match issue.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Info => Level::NOTE,
        };
        let title = level.primary_title(issue.message.as_str()).id(issue.code);
        let report = match line_span(code, issue) {
            Some(span) => {
                title.element(Snippet::source(code).path(shown.as_str()).annotation(AnnotationKind::Primary.span(span)))
            }
            None => title.element(Level::NOTE.no_name().message(format!("in {shown}"))),
        };
        context.output.line(renderer.render(&[report]));
        context.output.line("");
    }
    let errors = validated.issues.iter().filter(|issue| issue.severity == Severity::Error).count();
    let verdict = match errors {
        0 => format!("{GREEN}passes{GREEN:#}"),
        1 => format!("{RED}1 error{RED:#}"),
        more => format!("{RED}{more} errors{RED:#}"),
    };
    context.output.line(format_args!("{BOLD}{shown}{BOLD:#}: {verdict}, quality {:.2}", validated.quality_score));
}

/// The bytes from where an issue begins to the end of its line.
fn line_span(code: &str, issue: &Issue) -> Option<Range<usize>> {
    let wanted = usize::try_from(issue.line?).ok()?.checked_sub(1)?;
    let line = code.split_inclusive('\n').nth(wanted)?;
    let start = code.split_inclusive('\n').take(wanted).map(str::len).sum::<usize>();
    let characters = issue.column.and_then(|column| usize::try_from(column).ok()?.checked_sub(1));
    let before = match characters {
        Some(characters) => line.char_indices().nth(characters).map_or(line.len(), |(offset, _)| offset),
        None => line.len() - line.trim_start().len(),
    };
    let end = start + line.trim_end().len();
    Some((start + before).min(end)..end)
}
