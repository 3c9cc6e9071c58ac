//! When a procedure is called for: at a time, by an event, by a value, or in a situation.
//!
//! Pure data and pure matching. [`parse`] reads and writes the shapes in which people and agents have it, [`index`] makes
//! the keys by which a database finds the few triggers that a context can match at all.

mod index;
mod parse;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

pub use index::{IndexKeys, context_keys};
pub use parse::TriggerError;

use super::schedule::{Schedule, ScheduleError};

/// When a procedure is called for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub enum Trigger {
    /// When the clock says so.
    Time(TimeTrigger),
    /// When something happened.
    Event(EventTrigger),
    /// When a value is what it should, or should not, be.
    Condition(ConditionTrigger),
    /// In a situation: every path of the context has this value.
    Conditions(Map<String, Value>),
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeTrigger {
    /// Five fields of cron.
    pub cron: String,
    /// An IANA name.
    pub timezone: String,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventTrigger {
    pub event_type: String,
    /// What the event's fields must be, by dotted path.
    pub filter: Map<String, Value>,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionTrigger {
    /// The dotted path of the value.
    pub field: String,
    pub operator: Operator,
    pub value: Value,
    /// What the value belongs to. For people; it takes no part in matching.
    pub entity: Option<String>,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The number is smaller.
    Lt,
    /// The number is greater.
    Gt,
    /// The value is the same.
    Eq,
    /// The text has this part, or the list this item.
    Contains,
}

impl Operator {
    /// All, in the order in which messages name them.
    pub const ALL: [Self; 4] = [Self::Lt, Self::Gt, Self::Eq, Self::Contains];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lt => "lt",
            Self::Gt => "gt",
            Self::Eq => "eq",
            Self::Contains => "contains",
        }
    }
}

impl TimeTrigger {
    /// When it is due.
    ///
    /// # Errors
    /// [`ScheduleError`], which a trigger that was parsed does not have.
    pub fn schedule(&self) -> Result<Schedule, ScheduleError> {
        Schedule::parse(&self.cron, &self.timezone)
    }
}

impl ConditionTrigger {
    /// Whether the value is in `context` and compares as it should.
    #[must_use]
    pub fn holds(&self, context: &Map<String, Value>) -> bool {
        let Some(actual) = lookup(context, &self.field) else { return false };
        match self.operator {
            Operator::Lt => compare(actual, &self.value) == Some(Ordering::Less),
            Operator::Gt => compare(actual, &self.value) == Some(Ordering::Greater),
            Operator::Eq => same(actual, &self.value),
            Operator::Contains => contains(actual, &self.value),
        }
    }
}

impl Trigger {
    /// Whether the situation `context` calls for the procedure. The clock is no part of a situation.
    #[must_use]
    pub fn matches_context(&self, context: &Map<String, Value>) -> bool {
        match self {
            Self::Time(_) => false,
            Self::Event(trigger) => {
                context.get("event_type").and_then(Value::as_str) == Some(&trigger.event_type)
                    && all_equal(&trigger.filter, context)
            }
            Self::Condition(trigger) => trigger.holds(context),
            Self::Conditions(conditions) => all_equal(conditions, context),
        }
    }

    /// Whether an event calls for the procedure. A situation is no event: what only describes when a procedure helps is
    /// not started by one.
    #[must_use]
    pub fn matches_event(&self, event_type: &str, payload: &Map<String, Value>) -> bool {
        match self {
            Self::Event(trigger) => trigger.event_type == event_type && all_equal(&trigger.filter, payload),
            Self::Condition(trigger) => trigger.holds(payload),
            Self::Time(_) | Self::Conditions(_) => false,
        }
    }

    /// The schedule of a time trigger.
    #[must_use]
    pub const fn time(&self) -> Option<&TimeTrigger> {
        match self {
            Self::Time(trigger) => Some(trigger),
            _ => None,
        }
    }
}

/// Whether every path in `expected` has its value in `context`.
fn all_equal(expected: &Map<String, Value>, context: &Map<String, Value>) -> bool {
    expected.iter().all(|(path, value)| lookup(context, path).is_some_and(|actual| same(actual, value)))
}

/// What `context` has at a dotted path: keys of objects, positions in lists. A key that has dots itself is found as
/// well. What is null is not there.
#[must_use]
pub fn lookup<'c>(context: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    let found = match context.get(path) {
        Some(value) => Some(value),
        None => path.split_once('.').and_then(|(first, rest)| descend(context.get(first)?, rest)),
    };
    found.filter(|value| !value.is_null())
}

fn descend<'c>(value: &'c Value, path: &str) -> Option<&'c Value> {
    match value {
        Value::Object(map) => lookup(map, path),
        Value::Array(items) => {
            let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
            let item = items.get(first.parse::<usize>().ok()?)?;
            rest.map_or(Some(item), |rest| descend(item, rest))
        }
        _ => None,
    }
    .filter(|value| !value.is_null())
}

/// Whether two values are the same; `1` and `1.0` are.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => compare(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::String(whole), Value::String(part)) => whole.contains(part.as_str()),
        (Value::Array(items), part) => items.iter().any(|item| same(item, part)),
        _ => false,
    }
}

/// The order of two numbers; of whole ones without rounding.
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    let (Value::Number(a), Value::Number(b)) = (a, b) else { return None };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}
