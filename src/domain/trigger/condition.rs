//! Calling for a procedure by a value.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::values::{compare, contains, lookup, same};

/// Where an event says what its values belong to.
const ENTITY: [&str; 3] = ["entity", "entity_type", "condition_entity"];
/// Where an object says so of itself.
const KIND: [&str; 3] = ["type", "kind", "name"];
const ID: &str = "id";
const ENTITY_ID: &str = "entity_id";

/// A comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionTrigger {
    /// The dotted path of the value.
    pub field: String,
    pub operator: Operator,
    pub value: Value,
    /// What the value belongs to, such as `lead`. An event that says it is about something else is not looked at.
    pub entity: Option<String>,
    /// For how long it does not call again after it has called.
    pub cooldown_seconds: Option<u32>,
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

impl ConditionTrigger {
    /// Whether the value in `context` compares as it should. `None` where it is not there, or is of something else: nothing
    /// is known then.
    #[must_use]
    pub fn state(&self, context: &Map<String, Value>) -> Option<bool> {
        let actual = lookup(context, &self.field).filter(|_| self.is_about(context))?;
        Some(match self.operator {
            Operator::Lt => compare(actual, &self.value) == Some(Ordering::Less),
            Operator::Gt => compare(actual, &self.value) == Some(Ordering::Greater),
            Operator::Eq => same(actual, &self.value),
            Operator::Contains => contains(actual, &self.value),
        })
    }

    /// Whether the value is in `context` and compares as it should.
    #[must_use]
    pub fn holds(&self, context: &Map<String, Value>) -> bool {
        self.state(context) == Some(true)
    }

    fn is_about(&self, context: &Map<String, Value>) -> bool {
        let Some(wanted) = &self.entity else { return true };
        let mut named = entities(context).peekable();
        named.peek().is_none() || named.any(|name| name == wanted)
    }

    /// Whose value it is: what the event names and the id that it gives it. Each is looked at by itself; empty where nobody
    /// is named. The id is `entity_id`, `id` of the entity or of the object that has the value, or `lead_id` where the
    /// entity is `lead`.
    #[must_use]
    pub fn subject(&self, context: &Map<String, Value>) -> String {
        let names: Vec<&str> = entities(context).collect();
        let beside = self.field.rsplit_once('.').map(|(object, _)| format!("{object}.{ID}"));
        let of_named = names.iter().copied().chain(self.entity.as_deref()).map(|name| format!("{name}_{ID}"));
        let paths = [ENTITY_ID.to_owned(), format!("{}.{ID}", ENTITY[0])].into_iter().chain(beside).chain(of_named);
        let id = paths.into_iter().find_map(|path| lookup(context, &path));
        let names = names.into_iter().map(str::to_owned);
        let parts: Vec<String> = names
            .chain(id.map(|id| match id {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }))
            .collect();
        parts.join(" ")
    }
}

/// What an event says that its values belong to.
fn entities(context: &Map<String, Value>) -> impl Iterator<Item = &str> {
    ENTITY.iter().filter_map(|field| match context.get(*field)? {
        Value::String(name) => Some(name.trim()),
        Value::Object(entity) => KIND.iter().find_map(|kind| entity.get(*kind)?.as_str()),
        _ => None,
    })
}
