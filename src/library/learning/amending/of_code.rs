//! What runs say of the code of a procedure: that an earlier one did better, that it fails again and again in the same way, or that
//! a step of it is always answered alike.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    compiler,
    domain::{
        Procedure,
        example::{Got, Verdict},
        learning::{
            Lesson,
            amending::{
                AUTOMATE_AFTER, Amendment, Change, FIX_AFTER, MAX_ANSWER_BYTES,
                passing::is_passing,
                regression::{self, SURE_ENOUGH, Tally},
            },
            pattern,
        },
        secrets::{scrubbed, scrubbed_value},
    },
    library::LibraryError,
    storage::{AnsweredStep, CodeTally, FailedRun, Reader},
};

/// Earlier codes of a procedure that are looked at.
const CODES: u32 = 20;
/// Runs among which failures are looked for.
const WINDOW: u32 = 1000;
/// Runs whose answers are compared.
const ANSWERED: u32 = 50;
/// Runs that are named as evidence.
const RUNS_NAMED: usize = 10;
const MAX_TEXT_CHARS: usize = 2000;
/// What asks somebody in code.
const ASKING: [&str; 2] = ["manual_step(", "ask("];

/// How the current code of a procedure did.
struct Current<'r> {
    row: &'r Procedure,
    tally: CodeTally,
    /// The failures of this code, those that say nothing of it left out.
    failed: Vec<FailedRun>,
}

/// What the runs of a procedure say of its current code.
pub(super) fn amendments_of_code(
    reader: &Reader<'_>,
    user: &str,
    row: &Procedure,
) -> Result<Vec<Amendment>, LibraryError> {
    let Some(code) = row.code.as_deref() else { return Ok(Vec::new()) };
    let version = reader.version(row.id, row.version)?;
    let Some(blob) = version.and_then(|version| version.code_blob) else { return Ok(Vec::new()) };
    let mut tallies = reader.code_tallies(row.id, CODES)?;
    let Some(at) = tallies.iter().position(|tally| tally.code_blob == blob) else { return Ok(Vec::new()) };
    let tally = tallies.remove(at);
    let mut found = Vec::new();
    if tally.failures >= FIX_AFTER.min(regression::FAILURES_AT_LEAST) {
        let failed = reader.failed_runs(row.id, WINDOW)?;
        let (telling, passing): (Vec<_>, Vec<_>) = failed.into_iter().partition(|run| says_something(run, row));
        let before = tallies.into_iter().find(|earlier| earlier.successes + earlier.failures > 0);
        let is_of_current = |run: &FailedRun| run.code_blob == blob;
        let failed = telling.into_iter().filter(is_of_current).collect();
        let current = Current { row, tally, failed };
        let back = before.and_then(|before| roll_back(&current, &before, &passing, user));
        // Where going back is better, correcting what is worse can wait.
        let is_going_back = back.is_some();
        found.extend(back);
        if !is_going_back {
            found.extend(fixes(&current, user));
        }
    }
    if ASKING.iter().any(|asking| code.contains(asking)) {
        let answered = reader.answered_steps(user, row.id, &blob, ANSWERED)?;
        found.extend(automations(row, code, answered));
    }
    Ok(found)
}

/// Whether a failure counts against the code: it is none of the environment, none of a procedure that was called, and none that
/// the examples ask for.
fn says_something(run: &FailedRun, row: &Procedure) -> bool {
    let class = run.error_type.as_deref();
    let raised = Got::Raised(class.unwrap_or_default(), &run.error);
    let is_wanted =
        row.definition.examples.iter().any(|one| one.error.is_some() && one.judge(&raised) == Verdict::Passed);
    !run.is_from_below && !is_wanted && !is_passing(class, &run.error)
}

/// Whether a run may be shown to a user.
fn is_seen(run: &FailedRun, user: &str) -> bool {
    run.user.as_ref().is_none_or(|whose| whose == user)
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

fn message(run: &FailedRun) -> String {
    run.error_type.as_ref().map_or_else(|| run.error.clone(), |class| format!("{class}: {}", run.error))
}

/// What is told of a run that failed, without secrets.
fn shown(run: &FailedRun) -> Map<String, Value> {
    let parameters = serde_json::from_str(&run.parameters).map(scrubbed_value).unwrap_or_default();
    let mut facts = Map::new();
    facts.insert("error".to_owned(), json!(cut(&scrubbed(&message(run)))));
    facts.insert("parameters".to_owned(), parameters);
    if let Some(traceback) = &run.traceback {
        facts.insert("traceback".to_owned(), json!(cut(&scrubbed(traceback))));
    }
    facts
}

fn run_ids<'r>(runs: impl Iterator<Item = &'r FailedRun>) -> Value {
    runs.take(RUNS_NAMED).map(|run| run.run_id.as_str()).collect()
}

fn roll_back(current: &Current<'_>, before: &CodeTally, passing: &[FailedRun], user: &str) -> Option<Amendment> {
    // Totals know no reasons; failures that say nothing are taken off as far as their runs are still there.
    let fair = |tally: &CodeTally| {
        let nothing = passing.iter().filter(|run| run.code_blob == tally.code_blob).count();
        let failures = tally.failures.saturating_sub(u64::try_from(nothing).unwrap_or(u64::MAX));
        Tally { successes: tally.successes, failures }
    };
    let (then, now) = (fair(before), fair(&current.tally));
    let probability = regression::worse(then, now)?;
    let (from, to) = (current.row.code_version.unwrap_or(current.row.version), before.version);
    let name = &current.row.definition.name;
    let told = |tally: Tally| format!("{} of {}", tally.failures, tally.successes + tally.failures);
    let seen = || current.failed.iter().filter(|run| is_seen(run, user));
    let mut evidence = Map::new();
    evidence.insert("version".to_owned(), json!(from));
    evidence
        .insert("before".to_owned(), json!({"version": to, "successes": then.successes, "failures": then.failures}));
    evidence.insert("now".to_owned(), json!({"successes": now.successes, "failures": now.failures}));
    evidence.insert("left_out".to_owned(), json!(current.tally.failures - now.failures));
    evidence.insert("probability_of_worse".to_owned(), json!((probability * 10_000.0).round() / 10_000.0));
    evidence.insert("threshold".to_owned(), json!(SURE_ENOUGH));
    evidence.insert("run_ids".to_owned(), run_ids(seen()));
    evidence.extend(seen().next().map(shown).unwrap_or_default());
    Some(Amendment {
        code_version: current.row.code_version,
        change: Change::RollBack { to },
        subject: format!("{from} to {to}"),
        count: now.failures,
        evidence,
        lesson: Lesson {
            problem: format!("Version {from} of `{name}` does worse than version {to} did."),
            solution: format!("Make the code of version {to} current again."),
            reasoning: format!(
                "{} runs of the code of version {from} failed, of version {to} {}. It is worse with a probability of {probability:.4}.",
                told(now),
                told(then)
            ),
            tags: vec![name.to_string(), "roll-back".to_owned()],
            ..Lesson::default()
        },
    })
}

fn fixes(current: &Current<'_>, user: &str) -> Vec<Amendment> {
    let mut alike: BTreeMap<String, Vec<&FailedRun>> = BTreeMap::new();
    for run in current.failed.iter().filter(|run| is_seen(run, user)) {
        alike.entry(pattern::signature(&message(run))).or_default().push(run);
    }
    let name = &current.row.definition.name;
    let version = current.row.code_version.unwrap_or(current.row.version);
    let enough = alike.into_iter().filter_map(|(signature, runs)| {
        let count = u64::try_from(runs.len()).unwrap_or(u64::MAX);
        // The newest.
        let first = runs.first().filter(|_| count >= FIX_AFTER)?;
        let mut evidence = shown(first);
        evidence.insert("version".to_owned(), json!(version));
        evidence.insert("count".to_owned(), json!(count));
        evidence.insert("run_ids".to_owned(), run_ids(runs.iter().copied()));
        let signature = scrubbed(&signature);
        Some(Amendment {
            code_version: current.row.code_version,
            change: Change::Fix { code: None },
            subject: format!("{version} {signature}"),
            count,
            evidence,
            lesson: Lesson {
                problem: format!("Version {version} of `{name}` fails again and again with “{signature}”."),
                solution: "Correct its code for the parameters that it failed with.".to_owned(),
                reasoning: format!("{count} runs ended so; the evidence has the newest of them."),
                tags: vec![name.to_string(), "fix".to_owned()],
                ..Lesson::default()
            },
        })
    });
    enough.collect()
}

fn automations(row: &Procedure, code: &str, answered: Vec<AnsweredStep>) -> Vec<Amendment> {
    let mut steps: BTreeMap<(u32, String), Vec<AnsweredStep>> = BTreeMap::new();
    for step in answered {
        steps.entry((step.line, step.function.clone())).or_default().push(step);
    }
    steps
        .into_iter()
        .filter_map(|((line, function), answers)| automation(row, code, line, &function, &answers))
        .collect()
}

fn automation(row: &Procedure, code: &str, line: u32, function: &str, answers: &[AnsweredStep]) -> Option<Amendment> {
    let first = answers.first()?;
    let is_alike = |step: &AnsweredStep| step.answer == first.answer && step.arguments == first.arguments;
    let mut runs: Vec<&str> = answers.iter().map(|step| step.run_id.as_str()).collect();
    runs.dedup();
    let count = u64::try_from(runs.len()).unwrap_or(u64::MAX);
    if count < AUTOMATE_AFTER || !answers.iter().all(is_alike) {
        return None;
    }
    let text = first.answer.as_ref().filter(|text| text.len() <= MAX_ANSWER_BYTES)?;
    let answer: Value = serde_json::from_str(text).ok()?;
    // That something was done is no answer, and a secret is none that may stand in code.
    if answer.is_null() || scrubbed_value(answer.clone()) != answer {
        return None;
    }
    let changed = compiler::with_constant(code, function, line, &answer)?;
    let arguments: Value = serde_json::from_str(&first.arguments).unwrap_or_default();
    let asked = ["instruction", "question"].iter().find_map(|name| arguments.get(*name)?.as_str()).unwrap_or_default();
    let (asked, name) = (cut(&scrubbed(asked)), &row.definition.name);
    let version = row.code_version.unwrap_or(row.version);
    let mut evidence = Map::new();
    evidence.insert("version".to_owned(), json!(version));
    evidence.insert("asked".to_owned(), json!(asked));
    evidence.insert("answer".to_owned(), answer.clone());
    evidence.insert("line".to_owned(), json!(line));
    evidence.extend(first.step.map(|step| ("step".to_owned(), json!(step))));
    evidence.insert("count".to_owned(), json!(count));
    evidence.insert("run_ids".to_owned(), json!(runs.iter().take(RUNS_NAMED).collect::<Vec<_>>()));
    Some(Amendment {
        code_version: row.code_version,
        change: Change::Automate { code: changed },
        subject: format!("{version} line {line}"),
        count,
        evidence,
        lesson: Lesson {
            problem: format!("`{name}` asks “{asked}”, and the answer is always {answer}."),
            solution: format!("Have its code go on with {answer}, without asking."),
            reasoning: format!("In each of the last {count} runs that was the answer."),
            tags: vec![name.to_string(), "automate".to_owned()],
            ..Lesson::default()
        },
    })
}
