//! The modules that are brought along, `del`, and methods as values, against `CPython`: the same calls give the same.
//!
//! `tests/fixtures/differential/modules.py` makes the calls, the same for the same seed, and says what `CPython` gives. A
//! sample of each runs with all tests, `just differential` runs several thousand. `statistics` is compared with `CPython` from
//! 3.13 on, which computes more exactly than older ones; without a `python3` nothing is compared.

use std::{path::PathBuf, process::Command};

use repertoire::{
    host,
    runtime::{self, Runtime, Suspension, dialect},
};
use serde_json::Value;

use super::differential::evaluated;
use crate::common::PROGRAM;

const SCRIPT: &str = include_str!("../fixtures/differential/modules.py");
/// What comes before and behind what expressions use.
const MARKS: [&str; 2] = ["# What expressions use, here and in the sandbox.", "# The end of what expressions use."];
const IMPORTS: &str = "import calendar, collections, collections.abc, contextlib, fnmatch, functools, heapq, html, operator, queue, \
                       shlex, statistics, string, textwrap\nfrom collections import Counter, defaultdict, deque, namedtuple\n";
const COMPARED: [&str; 15] = [
    "calendar",
    "collections.abc",
    "contextlib",
    "delete",
    "fnmatch",
    "functools",
    "heapq",
    "html",
    "methods",
    "operator",
    "queue",
    "shlex",
    "statistics",
    "string",
    "textwrap",
];
/// How many are evaluated by one program.
const AT_ONCE: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_of_calls_gives_what_cpython_gives() {
    compare(1, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; `just differential` runs it"]
async fn thousands_of_calls_of_each_module_give_what_cpython_gives() {
    compare(20_261_127, 4000).await;
}

#[test]
fn every_module_is_compared() {
    let others = ["typing", "builtins", "re"];
    for module in dialect::brought_modules() {
        assert!(COMPARED.contains(&module.name) || others.contains(&module.name), "{}", module.name);
    }
}

/// The newest `CPython` there is, and its minor version.
fn python() -> Option<(&'static str, u32)> {
    let minor = |program: &str| {
        let output = Command::new(program).args(["-c", "import sys; print(sys.version_info.minor)"]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let found = ["python3.14", "python3.13", "python3"].into_iter().filter_map(|name| Some((name, minor(name)?)));
    found.max_by_key(|(_, minor)| *minor).filter(|(_, minor)| *minor >= 11)
}

async fn compare(seed: u64, count: usize) {
    let Some((python, minor)) = python() else {
        eprintln!("skipped: there is no `python3` of 3.11 or newer");
        return;
    };
    let runtime = runtime::sandbox(PathBuf::from(PROGRAM), 2, *host::MODULE);
    let mut unlike = Vec::new();
    for module in COMPARED.into_iter().filter(|module| minor >= 13 || *module != "statistics") {
        let cases = cases(python, seed, count, module);
        assert_eq!(cases.len(), count, "{module}");
        let before = unlike.len();
        for chunk in cases.chunks(AT_ONCE) {
            let mut outcomes = outcomes(&*runtime, chunk).await;
            if outcomes.is_err() {
                let mut single = Vec::new();
                for case in chunk {
                    let outcome = self::outcomes(&*runtime, std::slice::from_ref(case)).await;
                    single.push(outcome.map_or_else(|error| format!("ends with {error}"), |mut one| one.remove(0)));
                }
                outcomes = Ok(single);
            }
            let pairs = chunk.iter().zip(outcomes.unwrap_or_default());
            unlike.extend(
                pairs
                    .filter(|((_, wanted), got)| wanted != got)
                    .map(|((expression, wanted), got)| format!("{expression}\n    wanted {wanted}\n    got    {got}")),
            );
        }
        eprintln!("{module}: {count} calls, {} differ", unlike.len() - before);
    }
    runtime.close().await;
    let shown: Vec<&String> = unlike.iter().take(20).collect();
    assert!(unlike.is_empty(), "{} differences: {shown:#?}", unlike.len());
}

/// Expressions of a seed, and what `CPython` makes of them.
fn cases(python: &str, seed: u64, count: usize, module: &str) -> Vec<(String, String)> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/differential/modules.py");
    let arguments = [seed.to_string(), count.to_string(), module.to_owned()];
    let output = Command::new(python).arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| value[field].as_str().unwrap().to_owned();
        (text("expression"), text("wanted"))
    };
    String::from_utf8(output.stdout).unwrap().lines().map(read).collect()
}

async fn outcomes(runtime: &dyn Runtime, cases: &[(String, String)]) -> Result<Vec<String>, String> {
    let helpers = SCRIPT.split_once(MARKS[0]).unwrap().1.split_once(MARKS[1]).unwrap().0;
    let expressions = cases.iter().map(|(expression, _)| expression.as_str());
    match evaluated(runtime, &format!("{IMPORTS}{helpers}"), expressions).await? {
        Ok(outcomes) => Ok(outcomes),
        Err(Suspension::Raised { error, .. }) => Err(error.traceback),
        Err(other) => Err(format!("{other:?}")),
    }
}
