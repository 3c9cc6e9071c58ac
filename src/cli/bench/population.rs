//! A home with many procedures, as people write them.

use std::path::Path;

use serde_json::json;

use crate::{
    cli::error::CliError,
    config::{Config, Start},
    domain::{Definition, learning::Ended, workflow::Counts},
    library::{Library, OutcomeDraft, Starters},
};

/// A procedure that does next to nothing, for what executing takes.
pub const HOT: &str = "bench_hot";
/// A procedure that is changed again and again.
pub const COMMITTED: &str = "bench_committed";
/// A procedure that makes as many host calls as it is told to.
pub const JOURNALLED: &str = "bench_journalled";

const VERBS: [&str; 10] =
    ["check", "collect", "compare", "convert", "deploy", "export", "import", "publish", "review", "update"];
const THINGS: [&str; 10] = [
    "access logs",
    "backup archives",
    "customer records",
    "database migrations",
    "error reports",
    "feature flags",
    "git branches",
    "invoices",
    "release notes",
    "unit tests",
];
const TARGETS: [&str; 10] = [
    "for the billing team",
    "on staging",
    "in the data warehouse",
    "before a release",
    "after an incident",
    "every Monday",
    "for one customer",
    "from the command line",
    "without downtime",
    "with a dry run first",
];

/// The name of the procedure with this number.
pub fn name(index: usize) -> String {
    let (verb, thing) = (VERBS[index % 10], THINGS[index / 10 % 10]);
    format!("{verb}_{}_{index}", thing.replace(' ', "_"))
}

/// What somebody might ask for.
pub fn question(index: usize) -> String {
    format!("{} {} {}", VERBS[index * 7 % 10], THINGS[index * 3 % 10], TARGETS[index % 10])
}

/// A source of a hundred lines, as people write them.
pub const HUNDRED_LINES: &str = include_str!("../../../procedures/code/find_large_files/procedure.py");

fn procedure(name: &str, description: &str, category: &str) -> Result<Definition, CliError> {
    let definition = json!({
        "name": name,
        "description": description,
        "category": category,
        "tags": [category],
        "steps": ["Gather what is needed", "Do it", "Report what was done"],
    });
    serde_json::from_value(definition).map_err(|error| CliError::Other(error.to_string()))
}

fn code(name: &str) -> String {
    format!(
        "def {name}(number: int = 1) -> int:\n    \"\"\"Double a number.\n\n    Args:\n        number: The number.\n\n    \
         Returns:\n        Twice the number.\n    \"\"\"\n    return number * 2\n"
    )
}

/// Code that makes many host calls, each of which does nothing but go into the journal: the state is the same each time.
fn journalled() -> String {
    format!(
        "from repertoire import checkpoint\n\n\ndef {JOURNALLED}(calls: int) -> int:\n    for number in range(calls):\n        \
         checkpoint('the same')\n    return calls\n"
    )
}

/// The workflow whose run has this number.
pub fn workflow(index: usize) -> String {
    format!("{}-{}", VERBS[index % 10], THINGS[index / 10 % 5].replace(' ', "-"))
}

/// Stores how `count` runs of fifty workflows ended; each fifth failed.
pub fn add_outcomes(home: &Path, count: usize) -> Result<(), CliError> {
    let library = open(home)?;
    for index in 0..count {
        let has_failed = index % 5 == 0;
        let error = || format!("cannot {}: host {} is not there", question(index), index % 97);
        let counts = Counts {
            duration_ms: 1000,
            node_count: 4,
            nodes_succeeded: if has_failed { 3 } else { 4 },
            nodes_failed: i64::from(has_failed),
        };
        library.complete_workflow(&OutcomeDraft {
            workflow_id: workflow(index),
            run_id: format!("bench-run-{index}"),
            ended: if has_failed { Ended::Failure } else { Ended::Success },
            counts,
            error_message: has_failed.then(error),
            artifacts: vec![json!(format!("{}.md", name(index)))],
            extract: true,
            cleanup_checkpoints: true,
        })?;
    }
    Ok(())
}

/// A new home, as a server has it.
pub fn open(home: &Path) -> Result<Library, CliError> {
    let start = Start { home: Some(home.to_owned()), ..Start::default() };
    let mut config = Config::load(&start)?;
    // Like the servers that will use it, whatever the environment says.
    config.tenant = None;
    Ok(Library::open(config, Starters::Skip)?)
}

/// Fills a new home with `count` procedures and those that are measured.
pub fn fill(home: &Path, count: usize) -> Result<(), CliError> {
    let library = open(home)?;
    let mut procedures = Vec::with_capacity(count + 2);
    for index in 0..count {
        let (verb, thing, target) = (VERBS[index % 10], THINGS[index / 10 % 10], TARGETS[index / 100 % 10]);
        let name = name(index);
        let description = format!("{verb} {thing} {target}, number {index} of its kind");
        procedures.push((procedure(&name, &description, VERBS[index % 10])?, Some(code(&name))));
    }
    for name in [HOT, COMMITTED] {
        procedures.push((procedure(name, "for the benchmark", "bench")?, Some(code(name))));
    }
    procedures.push((procedure(JOURNALLED, "for the benchmark", "bench")?, Some(journalled())));
    library.import("Add procedures for the benchmark", &procedures)?;
    // As a home that has become so large over time: else what is measured first is upkeep of what was just made.
    library.tidy(false)?;
    Ok(())
}
