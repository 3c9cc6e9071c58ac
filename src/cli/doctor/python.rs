//! What `doctor` says of the second runtime and its packages.

use std::{fs, path::Path};

use super::report::Report;
use crate::{
    cli::error::CliError,
    config::{self, Config, Confinement},
    library::{
        Actor, DefinitionDraft, DefinitionPatch, ProcedureRef, Services, packages_kept, runs::Active, version_of_uv,
    },
};

const PROBE: &str = "import sys\n\n\ndef probe_python() -> str:\n    return sys.version.split()[0]\n";

/// Says in the home `folder` of the probe what `config` says of the second runtime.
pub fn allow_in(folder: &Path, config: &Config) -> Result<(), CliError> {
    let python = &config.python;
    let text = format!(
        "[python]\nenabled = {}\nprogram = {:?}\nmemory_mib = {}\n[policy]\nconfinement = \"{}\"\n",
        python.enabled,
        python.program,
        python.memory_mib,
        if config.confinement == Confinement::None { "none" } else { "required" },
    );
    fs::write(folder.join(config::FILE_NAME), text).map_err(CliError::io("the home of the probe can't be written"))
}

/// Executes a procedure of it in the home of `services`, which is none of the user's; what `config` says is theirs.
pub async fn check(services: &Services, config: &Config, report: &Report) -> Result<(), CliError> {
    if !config.python.enabled {
        report.note("python", "procedures have the sandbox alone (`enabled` under [python])");
        return Ok(());
    }
    let remembered = services.blocking(|library| {
        let fields = DefinitionPatch {
            steps: Some(vec![crate::domain::Step::Sentence("Say the version".to_owned())]),
            runtime: Some(crate::domain::RuntimeKind::Python),
            ..DefinitionPatch::default()
        };
        let draft = DefinitionDraft { name: "probe_python".to_owned(), fields };
        library.remember(draft, Some(PROBE.into()), &Actor::program())
    });
    remembered.await?;
    let wanted = ProcedureRef::from("probe_python");
    let probed = services.engine().execute(&wanted, serde_json::Map::new(), Active::default()).await?;
    match (probed.result.as_ref().and_then(serde_json::Value::as_str), probed.error) {
        (Some(version), _) => {
            report.good("python", format_args!("a procedure ran in {:.0} ms, by {version}", probed.duration_ms));
        }
        (None, error) => {
            let why = error.map_or_else(|| "no result".to_owned(), |error| error.message);
            report.bad("python", why, "name a Python that is 3.11 or newer as `program` under [python] in config.toml");
        }
    }
    match version_of_uv(config).await {
        Ok(version) => report.good("packages", version),
        Err(error) => {
            report.note("packages", format_args!("procedures can name none, since {error}"));
            report.then("for packages, install uv (https://docs.astral.sh/uv), or name it as `uv` under [python]");
        }
    }
    let (all, unused) = packages_kept(config);
    if all.count > 0 {
        let size = |bytes: u64| bytes >> 20;
        report.good(
            "environments",
            format_args!(
                "{} of procedures, {} MiB; {} of them unused for 30 days, {} MiB",
                all.count,
                size(all.bytes),
                unused.count,
                size(unused.bytes)
            ),
        );
        if unused.count > 0 {
            report.then("`repertoire tidy` removes environments that nobody uses");
        }
    }
    Ok(())
}
