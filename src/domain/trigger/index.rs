//! Keys by which a database finds the triggers that a context can match at all.
//!
//! A context has many keys, and a trigger that matches it has all of its own among them. So it is enough to keep each
//! trigger under one of its keys, best the rarest. The other way round a trigger that is found may still not match:
//! whoever finds it asks it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Trigger, values::number};

/// Longer values share a key: it only has to narrow the search.
const MAX_VALUE_CHARS: usize = 100;

/// Where a trigger can be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexKeys {
    /// `time`, `event`, `condition` or `conditions`.
    pub kind: &'static str,
    /// What a context has that it matches. There is at least one.
    pub keys: Vec<String>,
}

impl Trigger {
    /// Its keys.
    #[must_use]
    pub fn index_keys(&self) -> IndexKeys {
        match self {
            Self::Time(_) => IndexKeys { kind: "time", keys: vec![String::new()] },
            Self::Event(trigger) => IndexKeys { kind: "event", keys: vec![trigger.event_type.clone()] },
            Self::Condition(trigger) => IndexKeys { kind: "condition", keys: vec![first(&trigger.field).to_owned()] },
            Self::Conditions(conditions) => {
                let key = |(path, value): (&String, &Value)| {
                    let whole = if path.contains('.') { None } else { pair(path, value) };
                    whole.unwrap_or_else(|| first(path).to_owned())
                };
                IndexKeys { kind: "conditions", keys: conditions.iter().map(key).collect() }
            }
        }
    }
}

/// The keys of the conditions that `context` can match.
#[must_use]
pub fn context_keys(context: &Map<String, Value>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (name, value) in context.iter().filter(|(_, value)| !value.is_null()) {
        keys.insert(first(name).to_owned());
        keys.extend(pair(name, value));
    }
    keys
}

fn first(path: &str) -> &str {
    path.split_once('.').map_or(path, |(first, _)| first)
}

fn pair(path: &str, value: &Value) -> Option<String> {
    // As a float, because `1` matches `1.0`, and so does its text.
    if let Some(number) = number(value) {
        return Some(format!("{path}={}", number.as_f64()?));
    }
    let value: String = match value {
        Value::String(text) => text.chars().take(MAX_VALUE_CHARS).collect(),
        Value::Bool(value) => value.to_string(),
        Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(format!("{path}={value}"))
}
