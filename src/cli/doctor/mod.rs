//! `repertoire doctor`

mod python;
mod report;
mod stores;
mod walls;

use std::{process::ExitCode, time::Duration};

use serde_json::Map;

use super::{context::Context, error::CliError, programs::worker_program};
use crate::library::{ProcedureRef, Services, Starters, runs::Active};
use report::Report;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Build the index anew from the procedure history, and the history of what can be read where it is damaged.
    #[arg(long)]
    rebuild: bool,
}

const PROBE: &str =
    "def probe() -> int:\n    \"\"\"Return 42.\n\n    Returns:\n        42.\n    \"\"\"\n    return 42\n";

pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let report = Report::new(context.output);
    let config = context.config()?;
    report.good("home", config.home.display());
    if let Some(tenant) = &config.tenant {
        report.good("tenant", format_args!("{tenant}, {}", config.stores().display()));
    }
    if config.file().exists() {
        report.good("configuration", config.file().display());
    } else {
        report.note("configuration", format_args!("none at {}", config.file().display()));
        report.then("`repertoire init` writes a config.toml, in which you say what procedures may do");
    }
    let policy = &config.policy;
    if policy.is_empty() {
        report.note("policy", "procedures may run no commands and touch no files");
    } else {
        let list = |entries: &[String]| if entries.is_empty() { "none".to_owned() } else { entries.join(", ") };
        report.good("commands", list(&policy.commands));
        report.good("read", list(&policy.read));
        report.good("write", list(&policy.write));
        report.good("tools", list(&policy.tools));
    }
    for (key, rules) in [("ask", &config.rules.ask), ("deny", &config.rules.deny)] {
        if !rules.is_empty() {
            report.good(key, rules.iter().map(|rule| rule.text.as_str()).collect::<Vec<_>>().join(", "));
        }
    }
    walls::check(config.confinement, &report)?;
    stores::check(context, arguments.rebuild, &report)?;
    check_sandbox(context, &report)?;
    Ok(if report.end() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Executes a procedure in a home of its own, so that nothing of it stays.
fn check_sandbox(context: &Context, report: &Report) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let folder = tempfile::tempdir().map_err(CliError::io("no temporary folder can be made"))?;
    let set = context.config()?;
    let mut config = set.clone();
    folder.path().clone_into(&mut config.home);
    config.tenant = None;
    config.policy = crate::domain::Permissions::default();
    // The home is read anew whenever its file is another.
    python::allow_in(folder.path(), &set)?;
    let program = worker_program()?;
    let probed = runtime.block_on(async {
        let services = Services::open(config, Starters::Skip, program).await?;
        services
            .blocking(|library| {
                let fields = crate::library::DefinitionPatch {
                    steps: Some(vec![crate::domain::Step::Sentence("Return 42".to_owned())]),
                    ..crate::library::DefinitionPatch::default()
                };
                library.remember(
                    crate::library::DefinitionDraft { name: "probe".to_owned(), fields },
                    Some(PROBE.into()),
                    &crate::library::Actor::program(),
                )
            })
            .await?;
        let execution = services.engine().execute(&ProcedureRef::from("probe"), Map::new(), Active::default()).await?;
        Ok::<_, CliError>((services, execution))
    });
    let (services, probed) = probed?;
    let second = runtime.block_on(python::check(&services, &set, report));
    runtime.block_on(services.engine().shut_down());
    second?;
    if probed.result == Some(serde_json::json!(42)) {
        let took = Duration::from_secs_f64(probed.duration_ms / 1000.0);
        report.good("sandbox", format_args!("a procedure ran in {:.1} ms", took.as_secs_f64() * 1000.0));
        return Ok(());
    }
    let why = probed.error.map_or_else(|| "no result".to_owned(), |error| error.message);
    report.bad("sandbox", why, "report this, with what is said of the sandbox");
    Ok(())
}
