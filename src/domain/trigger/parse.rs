//! Reading a trigger from the shapes in which people and agents write it, and writing it in the first of them.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{ConditionTrigger, EventTrigger, Operator, TimeTrigger, Trigger};
use crate::domain::{
    Hinted,
    reading::{self, Shape},
    schedule::ScheduleError,
    seconds::MOST_SECONDS,
};

const CRON: &[&str] = &["cron_expression", "cron"];
const TIMEZONE: &[&str] = &["timezone"];
const EVENT_TYPE: &[&str] = &["event_type"];
const EVENT_FILTER: &[&str] = &["event_filter", "filter"];
const FIELD: &[&str] = &["condition_field", "field"];
const OPERATOR: &[&str] = &["condition_operator", "operator", "op"];
const VALUE: &[&str] = &["condition_value", "value"];
const ENTITY: &[&str] = &["condition_entity", "entity"];
const COOLDOWN: &[&str] = &["cooldown_seconds"];
const CONDITIONS: &[&str] = &["conditions"];

const DEFAULT_TIMEZONE: &str = "UTC";
const MAX_PATH_CHARS: usize = 300;

/// Why something is not a trigger. Every text names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TriggerError {
    /// There is no such kind.
    #[error(
        "`type` is {0}; it must be `time`, `event`, `condition` or `conditions` (to compare a field that is called \
         `type`, write {{\"type\": \"conditions\", \"conditions\": {{\"type\": …}}}})"
    )]
    Kind(String),
    /// A field is needed.
    #[error("a trigger of type `{kind}` needs `{field}`")]
    Missing { kind: &'static str, field: &'static str },
    /// A field belongs to another kind, or to none.
    #[error("a trigger of type `{kind}` has no field `{field}`; it has {known}")]
    Unknown { kind: &'static str, field: String, known: String },
    /// A field has the wrong type or value.
    #[error("`{field}` must be {expected}, got {found}")]
    Wrong { field: String, expected: &'static str, found: String },
    /// The schedule.
    #[error("`{field}`: {source}")]
    Schedule { field: &'static str, source: ScheduleError },
}

impl Hinted for TriggerError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Schedule { source, .. } => source.hint(),
            _ => None,
        }
    }
}

/// A kind, its word and the names of its fields; those that it needs come first.
struct Kind {
    word: &'static str,
    needed: &'static [&'static [&'static str]],
    optional: &'static [&'static [&'static str]],
}

const TIME: Kind = Kind { word: "time", needed: &[CRON], optional: &[TIMEZONE] };
const EVENT: Kind = Kind { word: "event", needed: &[EVENT_TYPE], optional: &[EVENT_FILTER] };
const CONDITION: Kind = Kind { word: "condition", needed: &[FIELD, OPERATOR, VALUE], optional: &[ENTITY, COOLDOWN] };
const PLAIN: Kind = Kind { word: "conditions", needed: &[CONDITIONS], optional: &[] };
const KINDS: [&Kind; 4] = [&TIME, &EVENT, &CONDITION, &PLAIN];

impl Kind {
    fn fields(&self) -> impl Iterator<Item = &'static [&'static str]> {
        self.needed.iter().chain(self.optional).copied()
    }

    fn knows(&self, field: &str) -> bool {
        self.fields().any(|names| names.contains(&field))
    }

    /// Whether a map without `type` can only be meant as this.
    fn is_meant_by(&self, map: &Map<String, Value>) -> bool {
        map.keys().all(|key| self.knows(key)) && self.needed.iter().all(|names| get(map, names).is_some())
    }

    fn check_fields(&self, map: &Map<String, Value>) -> Result<(), TriggerError> {
        let surplus = map
            .iter()
            .find(|(field, value)| *field != "type" && !self.knows(field) && !is_default_of_another_kind(field, value));
        match surplus {
            None => Ok(()),
            Some((field, _)) => Err(TriggerError::Unknown {
                kind: self.word,
                field: field.chars().take(60).collect(),
                known: self.fields().map(|names| format!("`{}`", names[0])).collect::<Vec<_>>().join(", "),
            }),
        }
    }
}

/// Programs that write one record for all kinds fill in the fields of the others.
fn is_default_of_another_kind(field: &str, value: &Value) -> bool {
    KINDS.iter().any(|kind| kind.knows(field))
        && (value.is_null() || TIMEZONE.contains(&field) || value.as_object().is_some_and(Map::is_empty))
}

impl Trigger {
    /// Reads a trigger: a record with a `type`, or a plain map of conditions.
    ///
    /// # Errors
    /// [`TriggerError`] names the field that is wrong.
    pub fn parse(map: &Map<String, Value>) -> Result<Self, TriggerError> {
        let kind = match map.get("type") {
            Some(Value::String(word)) => KINDS.into_iter().find(|kind| kind.word == word),
            Some(_) => None,
            None => match KINDS.into_iter().find(|kind| kind.is_meant_by(map)) {
                Some(kind) => Some(kind),
                None => return conditions(map.clone()),
            },
        };
        let Some(kind) = kind else { return Err(TriggerError::Kind(shown(&map["type"]))) };
        kind.check_fields(map)?;
        match kind.word {
            "time" => time(map),
            "event" => Ok(Self::Event(EventTrigger {
                event_type: text(map, &EVENT, EVENT_TYPE)?,
                filter: match get(map, EVENT_FILTER) {
                    None => Map::new(),
                    Some((name, filter)) => object(name, filter)?,
                },
            })),
            "condition" => condition(map),
            _ => {
                let (name, value) = needed(map, &PLAIN, CONDITIONS)?;
                conditions(object(name, value)?)
            }
        }
    }
}

impl From<Trigger> for Map<String, Value> {
    fn from(trigger: Trigger) -> Self {
        let written = match trigger {
            Trigger::Time(TimeTrigger { cron, timezone }) => {
                json!({"type": "time", "cron_expression": cron, "timezone": timezone})
            }
            Trigger::Event(EventTrigger { event_type, filter }) => {
                json!({"type": "event", "event_type": event_type, "event_filter": filter})
            }
            Trigger::Condition(ConditionTrigger { field, operator, value, entity, cooldown_seconds }) => {
                let operator = operator.as_str();
                let mut written = json!({"type": "condition", "condition_field": field,
                                         "condition_operator": operator, "condition_value": value});
                if let Some(entity) = entity {
                    written["condition_entity"] = Value::String(entity);
                }
                if let Some(seconds) = cooldown_seconds {
                    written["cooldown_seconds"] = json!(seconds);
                }
                written
            }
            // A plain map, unless it would be read as something else.
            Trigger::Conditions(conditions) if reads_as_plain(&conditions) => return conditions,
            Trigger::Conditions(conditions) => json!({"type": "conditions", "conditions": conditions}),
        };
        match written {
            Value::Object(map) => map,
            _ => Self::new(),
        }
    }
}

impl TryFrom<Map<String, Value>> for Trigger {
    /// serde passes on what is displayed, so that is all of it.
    type Error = String;

    fn try_from(map: Map<String, Value>) -> Result<Self, String> {
        Self::parse(&map).map_err(|error| error.in_full())
    }
}

/// Whether conditions that are written as a plain map are read as these conditions again.
fn reads_as_plain(conditions: &Map<String, Value>) -> bool {
    !conditions.contains_key("type") && !KINDS.into_iter().any(|kind| kind.is_meant_by(conditions))
}

fn time(map: &Map<String, Value>) -> Result<Trigger, TriggerError> {
    let cron = text(map, &TIME, CRON)?;
    let timezone = match get(map, TIMEZONE) {
        None => DEFAULT_TIMEZONE.to_owned(),
        Some(_) => text(map, &TIME, TIMEZONE)?,
    };
    let trigger = TimeTrigger { cron, timezone };
    trigger.schedule().map_err(|source| TriggerError::Schedule {
        field: if matches!(source, ScheduleError::TimeZone(_)) { TIMEZONE[0] } else { CRON[0] },
        source,
    })?;
    Ok(Trigger::Time(trigger))
}

fn condition(map: &Map<String, Value>) -> Result<Trigger, TriggerError> {
    let field = text(map, &CONDITION, FIELD)?;
    check_path(FIELD[0], &field)?;
    let (name, operator) = needed(map, &CONDITION, OPERATOR)?;
    let operator =
        Operator::ALL.into_iter().find(|known| operator.as_str() == Some(known.as_str())).ok_or_else(|| {
            TriggerError::Wrong {
                field: name.to_owned(),
                expected: "`lt`, `gt`, `eq` or `contains`",
                found: shown(operator),
            }
        })?;
    let (name, value) = needed(map, &CONDITION, VALUE)?;
    let value = match operator {
        Operator::Lt | Operator::Gt => reading::fit(value.clone(), &Shape::Number).map_err(|_| {
            let expected = "a number for `lt` and `gt`";
            TriggerError::Wrong { field: name.to_owned(), expected, found: shown(value) }
        })?,
        Operator::Eq | Operator::Contains => value.clone(),
    };
    let entity = get(map, ENTITY).map(|_| text(map, &CONDITION, ENTITY)).transpose()?;
    let cooldown_seconds = get(map, COOLDOWN).map(|(name, value)| seconds(name, value)).transpose()?;
    let cooldown_seconds = cooldown_seconds.filter(|seconds| *seconds > 0);
    Ok(Trigger::Condition(ConditionTrigger { field, operator, value, entity, cooldown_seconds }))
}

fn seconds(name: &str, value: &Value) -> Result<u32, TriggerError> {
    let shape = Shape::Whole { least: 0, most: i128::from(MOST_SECONDS) };
    let fitting = reading::fit(value.clone(), &shape).ok();
    fitting.and_then(|value| u32::try_from(value.as_u64()?).ok()).ok_or_else(|| TriggerError::Wrong {
        field: name.to_owned(),
        expected: "a whole number of seconds, at most 100 years",
        found: shown(value),
    })
}

fn conditions(map: Map<String, Value>) -> Result<Trigger, TriggerError> {
    if map.is_empty() {
        return Err(TriggerError::Missing { kind: PLAIN.word, field: CONDITIONS[0] });
    }
    check_conditions(&map)?;
    Ok(Trigger::Conditions(map))
}

fn check_conditions(map: &Map<String, Value>) -> Result<(), TriggerError> {
    for (path, value) in map {
        check_path(path, path)?;
        if value.is_null() {
            let expected = "a value: what is null never matches";
            return Err(TriggerError::Wrong { field: path.clone(), expected, found: "null".to_owned() });
        }
    }
    Ok(())
}

fn check_path(field: &str, path: &str) -> Result<(), TriggerError> {
    if !path.is_empty() && path.chars().count() <= MAX_PATH_CHARS {
        return Ok(());
    }
    let expected = "a dotted path of 1 to 300 characters";
    Err(TriggerError::Wrong { field: field.chars().take(60).collect(), expected, found: shown(&Value::from(path)) })
}

/// The first of `names` that has a value.
fn get<'m>(map: &'m Map<String, Value>, names: &[&'static str]) -> Option<(&'static str, &'m Value)> {
    names.iter().find_map(|name| Some((*name, map.get(*name).filter(|value| !value.is_null())?)))
}

fn needed<'m>(
    map: &'m Map<String, Value>,
    kind: &Kind,
    names: &'static [&'static str],
) -> Result<(&'static str, &'m Value), TriggerError> {
    get(map, names).ok_or(TriggerError::Missing { kind: kind.word, field: names[0] })
}

fn text(map: &Map<String, Value>, kind: &Kind, names: &'static [&'static str]) -> Result<String, TriggerError> {
    let (name, value) = needed(map, kind, names)?;
    match value.as_str().map(str::trim) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(TriggerError::Wrong { field: name.to_owned(), expected: "a text", found: shown(value) }),
    }
}

fn object(name: &str, value: &Value) -> Result<Map<String, Value>, TriggerError> {
    let Ok(Value::Object(map)) = reading::fit(value.clone(), &Shape::Map(Box::new(Shape::Anything))) else {
        let expected = "an object of paths and values";
        return Err(TriggerError::Wrong { field: name.to_owned(), expected, found: shown(value) });
    };
    check_conditions(&map)?;
    Ok(map)
}

fn shown(value: &Value) -> String {
    let text: String = value.to_string().chars().take(80).collect();
    format!("`{text}`")
}
