//! What outcomes that are alike have in common, in words. No counts in them: more evidence for the same is not another
//! lesson.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Path, Trace, pattern::signature};

/// Facts that a text lists.
const MAX_SHOWN: usize = 12;
const MAX_ERROR_CHARS: usize = 300;

/// An outcome, as far as something can be learned from it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// What is kept of the run.
    pub trace: Trace,
    pub error: Option<String>,
}

/// A way that ended well, and how often it is known to have done so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Way {
    /// The newest of its outcomes.
    pub seen: Vec<Seen>,
    pub evidence: u64,
}

/// What is learned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// The problem that it answers.
    pub problem: String,
    /// How it answers it.
    pub solution: String,
    /// Why that works.
    pub reasoning: String,
    /// What should not be done.
    #[serde(default)]
    pub anti_patterns: Vec<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    /// What to do, one sentence after the other; none of them is a command.
    #[serde(default)]
    pub steps: Vec<String>,
}

/// What a field was in every one of some runs.
#[derive(Debug, Clone, PartialEq)]
enum Common {
    Value(Value),
    Range(Value, Value),
}

impl Common {
    fn shown(&self) -> String {
        match self {
            Self::Value(value) => format!("= {value}"),
            Self::Range(least, most) => format!("from {least} to {most}"),
        }
    }
}

/// The fields that all have, with one value or, for numbers, within a range. Other values that differ are left out.
fn common<'s>(mut all: impl Iterator<Item = &'s Seen>) -> BTreeMap<String, Common> {
    let Some(first) = all.next() else { return BTreeMap::new() };
    let alone = first.trace.facts.iter().map(|(name, value)| (name.clone(), Common::Value(value.clone())));
    all.fold(alone.collect(), |common: BTreeMap<_, _>, seen| {
        let still = common.into_iter().filter_map(|(name, known)| {
            let known = widened(known, seen.trace.facts.get(&name)?)?;
            Some((name, known))
        });
        still.collect()
    })
}

fn widened(known: Common, value: &Value) -> Option<Common> {
    let (least, most) = match known {
        Common::Value(known) if known == *value => return Some(Common::Value(known)),
        Common::Value(known) => (known.clone(), known),
        Common::Range(least, most) => (least, most),
    };
    let (number, low, high) = (value.as_f64()?, least.as_f64()?, most.as_f64()?);
    Some(if number < low {
        Common::Range(value.clone(), most)
    } else if number > high {
        Common::Range(least, value.clone())
    } else {
        Common::Range(least, most)
    })
}

/// What successes that are alike had in common. `None` when there are none, or they left no nodes.
#[must_use]
pub fn strategy(workflow_id: &str, successes: &[Seen]) -> Option<Lesson> {
    let path = successes.first().map(|seen| &seen.trace.path).filter(|path| !path.is_empty())?;
    let mut solution = format!("Take these nodes in this order: {}.", path.shown());
    let facts = common(successes.iter());
    if !facts.is_empty() {
        let _ = write!(solution, " The state at the end has {}.", listed(&facts));
    }
    Some(Lesson {
        problem: format!("A run of `{workflow_id}` has to end well."),
        solution,
        reasoning: format!(
            "Runs of `{workflow_id}` that took this way succeeded. What their states had in common is kept here, what \
             differed among them is left out."
        ),
        anti_patterns: Vec::new(),
        tags: vec![workflow_id.to_owned(), "strategy".to_owned()],
        steps: steps(path),
    })
}

fn steps(path: &Path) -> Vec<String> {
    let branches = path.branches().flat_map(|(branch, nodes)| {
        nodes.iter().map(move |node| {
            let node = plain(node);
            if branch.is_empty() { format!("Do {node}") } else { format!("Do {node}, on branch {}", plain(branch)) }
        })
    });
    branches.take(100).collect()
}

/// A text that the step compiler takes for a sentence: neither a command nor a variable is in it.
#[must_use]
pub fn plain(text: &str) -> String {
    text.replace('`', "'").replace('{', "(").replace('}', ")")
}

/// What failures that are alike say, and what the successes of the same workflow did otherwise: the newest `successes`, and
/// the `ways` that were counted longer than these reach. `None` when there are no failures.
#[must_use]
pub fn anti_pattern(workflow_id: &str, failures: &[Seen], successes: &[Seen], ways: &[Way]) -> Option<Lesson> {
    let first = failures.first()?;
    let at = first.trace.last_node.as_ref().map(|node| format!(" at `{node}`")).unwrap_or_default();
    let error = first.error.as_deref().map(signature).filter(|error| !error.is_empty());
    let what = error.map_or_else(|| "without a message".to_owned(), |error| format!("with “{error}”"));
    let failed = common(failures.iter());
    let way = best_way(failures, successes, ways);
    let worked = match &way {
        // What others have is no part of this way.
        Some((_, seen)) => common(seen.iter().copied()),
        None => common(successes.iter()),
    };
    let instead = instead(way.map(|(way, _)| way), &failed, &worked);
    let mut avoid = format!("Repeating a run of `{workflow_id}` that fails{at} {what}");
    let differing: BTreeMap<String, Common> = failed
        .into_iter()
        .filter(|(name, value)| worked.get(name).is_some_and(|other| excludes(value, other)))
        .collect();
    if !differing.is_empty() {
        let _ = write!(avoid, ", with {}", listed(&differing));
    }
    let mut reasoning =
        format!("Runs of `{workflow_id}` failed{at} with errors that differ in numbers, names and paths at most.");
    // The first by its letters, not by its time: the lesson does not depend on the order of its evidence.
    if let Some(example) = failures.iter().filter_map(|seen| seen.error.as_deref()).min() {
        let example: String = example.chars().take(MAX_ERROR_CHARS).collect();
        let _ = write!(reasoning, " One of them: {example}");
    }
    let solution = if instead.is_empty() {
        format!("No run of `{workflow_id}` is known to have got past this. Look into the error before you repeat it.")
    } else {
        format!("What worked instead: {}.", instead.join("; "))
    };
    Some(Lesson {
        problem: format!("Runs of `{workflow_id}` fail{at} {what}."),
        steps: vec![plain(&solution)],
        solution,
        reasoning,
        anti_patterns: vec![avoid],
        tags: vec![workflow_id.to_owned(), "anti-pattern".to_owned()],
    })
}

/// The way that ended well most often and is none that failed, with its outcomes.
fn best_way<'s>(failures: &[Seen], successes: &'s [Seen], counted: &'s [Way]) -> Option<(String, Vec<&'s Seen>)> {
    let is_other = |path: &Path| {
        !path.is_empty()
            && failures.iter().all(|seen| seen.trace.path.is_empty() || !path.is_begun_by(&seen.trace.path))
    };
    let mut ways: BTreeMap<String, (u64, Vec<&Seen>)> = BTreeMap::new();
    for seen in successes.iter().filter(|seen| is_other(&seen.trace.path)) {
        let (evidence, outcomes) = ways.entry(seen.trace.path.shown()).or_default();
        *evidence += 1;
        outcomes.push(seen);
    }
    for way in counted {
        let Some(path) = way.seen.first().map(|seen| &seen.trace.path).filter(|path| is_other(path)) else { continue };
        let (evidence, outcomes) = ways.entry(path.shown()).or_default();
        *evidence = way.evidence.max(*evidence);
        *outcomes = way.seen.iter().collect();
    }
    // Of those with equally much, the first by its letters.
    ways.into_iter().rev().max_by_key(|(_, (evidence, _))| *evidence).map(|(way, (_, seen))| (way, seen))
}

/// How successes differed: by their way, and by the values of their states.
fn instead(way: Option<String>, failed: &BTreeMap<String, Common>, worked: &BTreeMap<String, Common>) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(way.map(|way| format!("taking these nodes in this order: {way}")));
    let differing = worked.iter().filter(|(name, value)| failed.get(*name).is_some_and(|other| excludes(value, other)));
    let differing: BTreeMap<String, Common> = differing.map(|(name, value)| (name.clone(), value.clone())).collect();
    if !differing.is_empty() {
        let before: BTreeMap<String, Common> =
            differing.keys().filter_map(|name| Some((name.clone(), failed.get(name)?.clone()))).collect();
        found.push(format!("a state with {}, where the failures had {}", listed(&differing), listed(&before)));
    }
    found
}

/// Whether no value is in both.
fn excludes(a: &Common, b: &Common) -> bool {
    let bounds = |common: &Common| match common {
        Common::Value(value) => Some((value.as_f64()?, value.as_f64()?)),
        Common::Range(least, most) => Some((least.as_f64()?, most.as_f64()?)),
    };
    match (bounds(a), bounds(b)) {
        (Some((a_least, a_most)), Some((b_least, b_most))) => a_most < b_least || b_most < a_least,
        _ => a != b,
    }
}

fn listed(facts: &BTreeMap<String, Common>) -> String {
    let shown = facts.iter().take(MAX_SHOWN).map(|(name, value)| format!("`{name}` {}", value.shown()));
    let mut texts: Vec<String> = shown.collect();
    if facts.len() > MAX_SHOWN {
        texts.push(format!("{} more", facts.len() - MAX_SHOWN));
    }
    texts.join(", ")
}

#[cfg(test)]
#[path = "lesson_tests.rs"]
mod tests;
