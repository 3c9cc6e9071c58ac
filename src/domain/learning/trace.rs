//! What is kept of a run so that something can be learned from it after its checkpoints are gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// More nodes of one branch are not shown; they still count when runs are compared.
const MAX_NODES: usize = 100;
const MAX_BRANCHES: usize = 20;
const MAX_FACTS: usize = 64;
/// Longer texts are data, not settings.
const MAX_TEXT_CHARS: usize = 100;
/// How deep fields within fields are looked at.
const DEPTH: usize = 3;
/// Fields whose names have one of these parts are never kept: a lesson is read by people, models and other users.
const SECRETS: [&str; 9] =
    ["password", "passwd", "secret", "token", "api_key", "apikey", "credential", "authorization", "private_key"];

/// The nodes of a run in their order: those without a branch under the empty name, those of each branch under its own.
/// How branches that run at the same time interleave says nothing, so it is not in here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(BTreeMap<String, Vec<String>>);

impl Path {
    /// Adds the node that comes next. One that saves its state several times in a row counts once.
    pub fn push(&mut self, branch: Option<&str>, node: &str) {
        let nodes = self.0.entry(branch.unwrap_or_default().to_owned()).or_default();
        if nodes.last().is_none_or(|last| last != node) {
            nodes.push(node.to_owned());
        }
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the run went through this node.
    #[must_use]
    pub fn has(&self, node: &str) -> bool {
        self.nodes().any(|name| name == node)
    }

    /// All nodes, branch after branch.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().map(String::as_str)
    }

    /// The branches with their nodes; the empty name is what has none.
    pub fn branches(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(branch, nodes)| (branch.as_str(), nodes.as_slice()))
    }

    /// Whether this is how the other one began.
    #[must_use]
    pub fn is_begun_by(&self, other: &Self) -> bool {
        other.0.iter().all(|(branch, nodes)| self.0.get(branch).is_some_and(|own| own.starts_with(nodes)))
    }

    /// The path as people read it.
    #[must_use]
    pub fn shown(&self) -> String {
        let branches = self.0.iter().map(|(branch, nodes)| {
            let nodes = nodes.join(" → ");
            if branch.is_empty() { nodes } else { format!("{nodes} on branch {branch}") }
        });
        branches.collect::<Vec<_>>().join("; ")
    }

    fn cut(&mut self) {
        while self.0.len() > MAX_BRANCHES {
            self.0.pop_last();
        }
        for nodes in self.0.values_mut() {
            if nodes.len() > MAX_NODES {
                nodes.truncate(MAX_NODES);
                nodes.push("…".to_owned());
            }
        }
    }
}

/// What is kept of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The way that it took.
    pub path: Path,
    /// The node that it came to last: where it failed, if it failed.
    pub last_node: Option<String>,
    /// Fields of its last states by their dotted names: plain values, and the lengths of lists.
    pub facts: BTreeMap<String, Value>,
}

impl Trace {
    /// Takes in the last state of a branch.
    pub fn add_state(&mut self, branch: Option<&str>, state: &Map<String, Value>) {
        let prefix = branch.map_or_else(String::new, |branch| format!("{branch}: "));
        self.add_fields(&prefix, state, DEPTH);
    }

    fn add_fields(&mut self, prefix: &str, fields: &Map<String, Value>, depth: usize) {
        for (name, value) in fields {
            let lower = name.to_lowercase();
            if name.chars().count() > MAX_TEXT_CHARS || SECRETS.iter().any(|secret| lower.contains(secret)) {
                continue;
            }
            let name = format!("{prefix}{name}");
            match value {
                Value::Object(inner) if depth > 1 => self.add_fields(&format!("{name}."), inner, depth - 1),
                Value::Object(_) => {}
                Value::Array(items) => drop(self.facts.insert(format!("len({name})"), items.len().into())),
                Value::String(text) if text.chars().nth(MAX_TEXT_CHARS).is_some() => {}
                plain => drop(self.facts.insert(name, plain.clone())),
            }
        }
    }

    /// The same in a size that is worth keeping.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.path.cut();
        while self.facts.len() > MAX_FACTS {
            self.facts.pop_last();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parallel_branches_interleave_without_a_difference() {
        let (mut one, mut other) = (Path::default(), Path::default());
        for (branch, node) in [(None, "fork"), (Some("l"), "a"), (Some("r"), "b"), (Some("l"), "c"), (None, "join")] {
            one.push(branch, node);
        }
        for (branch, node) in [(None, "fork"), (Some("r"), "b"), (Some("l"), "a"), (Some("l"), "c"), (None, "join")] {
            other.push(branch, node);
            other.push(branch, node);
        }
        assert_eq!(one, other);
        assert_eq!(one.shown(), "fork → join; a → c on branch l; b on branch r");
        assert!(one.has("c") && !one.has("d"));
    }

    #[test]
    fn facts_are_plain_small_and_no_secrets() {
        let mut trace = Trace::default();
        let state = json!({
            "ok": true, "items": [1, 2], "text": "x".repeat(101), "API_TOKEN": "t", "gone": null,
            "db": {"host": "a", "password": "p", "deep": {"er": {"est": 1}, "n": 2}},
        });
        trace.add_state(Some("left"), state.as_object().unwrap());
        let wanted = json!({
            "left: db.deep.n": 2, "left: db.host": "a", "left: gone": null, "left: ok": true, "len(left: items)": 2,
        });
        assert_eq!(json!(trace.facts), wanted);
    }

    #[test]
    fn a_long_run_is_cut() {
        let mut trace = Trace::default();
        for n in 0..300 {
            trace.path.push(None, &format!("n{n}"));
            trace.facts.insert(format!("f{n:03}"), json!(n));
        }
        let trace = trace.cut();
        assert_eq!((trace.path.nodes().count(), trace.facts.len()), (101, 64));
        assert_eq!(trace.path.nodes().last(), Some("…"));
    }
}
