//! Which walls hold around programs that procedures may call.

use super::report::Report;
use crate::{cli::error::CliError, config::Confinement};
#[cfg(target_os = "linux")]
use crate::{
    cli::programs::this_program,
    confinement::{Tried, try_to_break},
};

const WHAT: &str = "walls";
const MAKE_POSSIBLE: &str = "let users of this system make namespaces (docs/policy.md says how), or set `confinement = \"none\"` under [policy], which \
     lets granted commands do whatever you may";

/// Says it, and what is to be done where they do not hold although they have to.
#[cfg(target_os = "linux")]
pub fn check(wanted: Confinement, report: &Report) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::io("the async runtime can't be started"))?;
    let found = runtime.block_on(try_to_break(&this_program()?));
    let found = found.map_err(CliError::io("the walls can't be tried"))?;
    let Tried { found, findings } = found;
    if let Some(why) = &found.why {
        report.note(
            WHAT,
            format_args!(
                "without namespaces, which this system refuses ({why}): Landlock and a filter of system calls hold programs \
                 instead; docs/policy.md says what they do not"
            ),
        );
    }
    let (hold, broken): (Vec<_>, Vec<_>) = findings.into_iter().partition(|finding| finding.broken.is_none());
    if !hold.is_empty() {
        let hold: Vec<&str> = hold.iter().map(|finding| finding.what).collect();
        report.good(WHAT, format_args!("an attempt to break each was held by {}", hold.join(", ")));
    }
    for finding in &broken {
        let why = finding.broken.as_deref().unwrap_or_default();
        let how = format!("{} does not hold: {why}", finding.what);
        if finding.required && wanted == Confinement::Required {
            report.bad(WHAT, how, MAKE_POSSIBLE);
        } else {
            report.note(WHAT, how);
        }
    }
    say_wanted(wanted, report);
    Ok(())
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Linux")]
pub fn check(wanted: Confinement, report: &Report) -> Result<(), CliError> {
    if cfg!(target_os = "macos") {
        report.note(WHAT, "granted commands run by `sandbox-exec`; nobody has tried yet whether that holds");
    } else {
        report.note(WHAT, "there are none on this operating system that Repertoire can use");
        if wanted == Confinement::Required {
            report.then(MAKE_POSSIBLE);
        }
    }
    say_wanted(wanted, report);
    Ok(())
}

fn say_wanted(wanted: Confinement, report: &Report) {
    if wanted == Confinement::None {
        report.note(WHAT, "`confinement` under [policy] is \"none\": granted commands do whatever you may");
    }
}
