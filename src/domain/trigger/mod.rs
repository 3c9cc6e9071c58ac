//! When a procedure is called for: at a time, by an event, by a value, or in a situation.
//!
//! Pure data and pure matching: [`values`] compares, [`calling`] says when a condition that holds calls. [`parse`] reads and writes the shapes in which people and agents have it, [`index`] makes
//! the keys by which a database finds the few triggers that a context can match at all.

mod calling;
mod condition;
mod index;
mod parse;
#[cfg(test)]
mod tests;
mod values;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use calling::{Called, after};
pub use condition::{ConditionTrigger, Operator};
pub use index::{IndexKeys, context_keys};
pub use parse::TriggerError;
pub use values::lookup;

use super::schedule::{Schedule, ScheduleError};
use values::all_equal;

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

impl TimeTrigger {
    /// When it is due.
    ///
    /// # Errors
    /// [`ScheduleError`], which a trigger that was parsed does not have.
    pub fn schedule(&self) -> Result<Schedule, ScheduleError> {
        Schedule::parse(&self.cron, &self.timezone)
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
