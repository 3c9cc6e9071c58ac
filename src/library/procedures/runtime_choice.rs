//! Which runtime a piece of code is for, where nobody says: the sandbox, unless it lacks what the code needs, or is known to
//! do something in it otherwise.

use crate::{
    config::Config,
    domain::{
        Definition, RuntimeKind,
        script::{self, Script},
    },
    library::LibraryError,
    validation::{self, Analysis, Context, Issue, rules},
};

/// The longest part of a finding that is told as the reason.
const SHOWN_CHARS: usize = 200;

/// What was chosen.
#[derive(Debug, Clone)]
pub(in crate::library) struct Choice {
    pub runtime: RuntimeKind,
    /// What the checks say of the code there.
    pub analysis: Analysis,
    /// Why it is not the sandbox, or what would have to be granted so that it need not be.
    pub note: Option<String>,
}

/// Chooses for `code` of `definition`: as `wanted`, or as the procedure has it where it left the sandbox already.
pub(in crate::library) fn choose(
    code: &str,
    definition: Option<&Definition>,
    wanted: Option<RuntimeKind>,
    config: &Config,
) -> Choice {
    let name = definition.map(|definition| validation::entry_name(code, definition));
    let analyze = |runtime| {
        let grants = Some(&config.policy);
        validation::analyze(code, &Context { entry_name: name.as_deref(), definition, grants, runtime })
    };
    let present = definition.map(|definition| definition.runtime).filter(|runtime| !runtime.is_default());
    if let Some(runtime) = wanted.or(present) {
        return Choice { runtime, analysis: analyze(runtime), note: None };
    }
    let sandboxed = analyze(RuntimeKind::Sandbox);
    let script = Script::read(code).unwrap_or_default();
    let has_files = script.files().is_some();
    let dependencies = script.dependencies;
    let other = sandboxed.otherwise_in_sandbox().filter(|_| config.python.enabled);
    if sandboxed.checks.runnable && dependencies.is_empty() && !has_files && other.is_none() {
        return Choice { runtime: RuntimeKind::Sandbox, analysis: sandboxed, note: None };
    }
    let python = analyze(RuntimeKind::Python);
    let missing = sandboxed.unfit_for_sandbox(&python).or(other).map(shown);
    let packages = || (!dependencies.is_empty()).then(|| format!("packages (`{}`)", dependencies.join("`, `")));
    let files = || has_files.then(|| "files that travel with it".to_owned());
    let Some(reason) = missing.or_else(packages).or_else(files).filter(|_| python.is_storable()) else {
        return Choice { runtime: RuntimeKind::Sandbox, analysis: sandboxed, note: None };
    };
    if config.python.enabled {
        let note = format!("this is a `python` procedure, because of what the sandbox lacks: {reason}");
        return Choice { runtime: RuntimeKind::Python, analysis: python, note: Some(note) };
    }
    let note = format!(
        "the sandbox can't execute this: {reason}. As a `python` procedure it can be: the user would set `enabled = true` under \
         [python] in {}",
        config.file().display()
    );
    let mut analysis = sandboxed;
    analysis.issues.push(rules::GENERATION_NOTE.issue(note.clone()));
    Choice { runtime: RuntimeKind::Sandbox, analysis, note: Some(note) }
}

/// An issue as a reason: its line and its first clause.
fn shown(issue: &Issue) -> String {
    let line = issue.line.map_or_else(String::new, |line| format!("line {line}: "));
    // A point within a name ends nothing.
    let message = issue.message.trim_end_matches('.');
    let end = [". ", "; "].iter().filter_map(|end| message.find(end)).min().unwrap_or(message.len());
    let clause: String = message[..end].chars().take(SHOWN_CHARS).collect();
    format!("{line}{clause}")
}

/// Adds dependencies that were given beside the code to its comment.
///
/// # Errors
/// [`LibraryError::Argument`] where the code says others, or one names no package.
pub fn with_dependencies(code: &str, dependencies: Option<&[String]>) -> Result<String, LibraryError> {
    let dependencies = dependencies.unwrap_or_default();
    if let Some(entry) = dependencies.iter().find(|entry| script::package(entry).is_none()) {
        let shown: String = entry.chars().take(60).collect();
        return Err(LibraryError::invalid_with_hint(
            format!("`dependencies` has `{shown}`, which names no package"),
            "write a name, perhaps with versions: `pandas`, `pillow>=11`",
        ));
    }
    script::with_dependencies(code, dependencies).map_err(LibraryError::invalid)
}
