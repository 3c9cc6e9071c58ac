//! `repertoire doctor`

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use serde_json::Map;

use super::{
    context::Context,
    error::CliError,
    output::{GREEN, Output, RED, YELLOW},
    programs::worker_program,
};
use crate::{
    domain::ProcedureFilter,
    library::{Library, ProcedureRef, Services, Starters, runs::Active},
};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Build the index anew from the procedure history.
    #[arg(long)]
    rebuild: bool,
}

const PROBE: &str =
    "def probe() -> int:\n    \"\"\"Return 42.\n\n    Returns:\n        42.\n    \"\"\"\n    return 42\n";

fn good(out: Output, what: &str, how: impl Display) {
    out.line(format_args!("{GREEN}ok{GREEN:#}    {what}: {how}"));
}

fn note(out: Output, what: &str, how: impl Display) {
    out.line(format_args!("{YELLOW}note{YELLOW:#}  {what}: {how}"));
}

fn bad(out: Output, what: &str, how: impl Display) {
    out.line(format_args!("{RED}bad{RED:#}   {what}: {how}"));
}

fn procedures(count: u64) -> String {
    if count == 1 { "1 procedure".to_owned() } else { format!("{count} procedures") }
}

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let out = context.output;
    let config = context.config()?;
    good(out, "home", config.home.display());
    if let Some(tenant) = &config.tenant {
        good(out, "tenant", format_args!("{tenant}, {}", config.stores().display()));
    }
    if config.file().exists() {
        good(out, "configuration", config.file().display());
    } else {
        note(out, "configuration", format_args!("none at {}; `repertoire init` writes one", config.file().display()));
    }
    let policy = &config.policy;
    if policy.is_empty() {
        note(out, "policy", "procedures may run no commands and touch no files");
    } else {
        let list = |entries: &[String]| if entries.is_empty() { "none".to_owned() } else { entries.join(", ") };
        good(out, "commands", list(&policy.commands));
        good(out, "read", list(&policy.read));
        good(out, "write", list(&policy.write));
        good(out, "tools", list(&policy.tools));
    }
    let library = match context.library() {
        Err(CliError::Library(error)) if arguments.rebuild && error.is_broken_database() => {
            let aside = set_aside(&config.stores())?;
            note(out, "database", format_args!("{error}; it was set aside as {}", aside.display()));
            context.library()?
        }
        other => other?,
    };
    let mut healthy = check_stores(&library, out)?;
    if arguments.rebuild {
        let count = library.rebuild_index()?;
        good(out, "index", format_args!("built anew from the history, {}", procedures(count)));
    }
    drop(library);
    healthy &= check_sandbox(context)?;
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Moves a database that can't be opened out of the way. The index comes back from the history; what was measured does
/// not, so the file is kept.
fn set_aside(folder: &Path) -> Result<PathBuf, CliError> {
    let now = jiff::Timestamp::now().as_second();
    for suffix in ["-wal", "-shm"] {
        let file = folder.join(format!("repertoire.db{suffix}"));
        if file.exists() {
            let aside = folder.join(format!("repertoire.db.broken-{now}{suffix}"));
            fs::rename(&file, aside).map_err(CliError::io(format!("can't move `{}`", file.display())))?;
        }
    }
    let (file, aside) = (folder.join("repertoire.db"), folder.join(format!("repertoire.db.broken-{now}")));
    fs::rename(&file, &aside).map_err(CliError::io(format!("can't move `{}`", file.display())))?;
    Ok(aside)
}

fn check_stores(library: &Library, out: Output) -> Result<bool, CliError> {
    let (_, count) = library.list(&ProcedureFilter::default(), 1, 0)?;
    good(out, "history", format_args!("{}, {}", library.history_folder().display(), procedures(count)));
    let (schema, integrity) = library.database_health()?;
    let file = library.database_file();
    if integrity == "ok" {
        good(out, "database", format_args!("{}, schema version {schema}", file.display()));
        return Ok(true);
    }
    bad(out, "database", format_args!("{}: {integrity}; `doctor --rebuild` builds the index anew", file.display()));
    Ok(false)
}

/// Executes a procedure in a home of its own, so that nothing of it stays.
fn check_sandbox(context: &Context) -> Result<bool, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let folder = tempfile::tempdir().map_err(CliError::io("no temporary folder can be made"))?;
    let mut config = context.config()?;
    folder.path().clone_into(&mut config.home);
    config.tenant = None;
    config.policy = crate::domain::Permissions::default();
    let program = worker_program()?;
    let probed = runtime.block_on(async {
        let services = Services::open(config, Starters::Skip, program).await?;
        services
            .blocking(|library| {
                let fields = crate::library::DefinitionPatch {
                    steps: Some(vec![crate::domain::Step::Sentence("Return 42".to_owned())]),
                    ..crate::library::DefinitionPatch::default()
                };
                library.remember(crate::library::DefinitionDraft { name: "probe".to_owned(), fields }, Some(PROBE))
            })
            .await?;
        let execution = services.engine().execute(&ProcedureRef::from("probe"), Map::new(), Active::default()).await?;
        services.engine().shut_down().await;
        Ok::<_, CliError>(execution)
    })?;
    if probed.result == Some(serde_json::json!(42)) {
        let took = Duration::from_secs_f64(probed.duration_ms / 1000.0);
        good(context.output, "sandbox", format_args!("a procedure ran in {:.1} ms", took.as_secs_f64() * 1000.0));
        return Ok(true);
    }
    let why = probed.error.map_or_else(|| "no result".to_owned(), |error| error.message);
    bad(context.output, "sandbox", why);
    Ok(false)
}
