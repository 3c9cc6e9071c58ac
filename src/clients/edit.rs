//! Changes of a text of settings that leave everything else in it as it is, and can be taken back to the byte.
//!
//! A change is one splice of the text. It is kept with what it replaced, so that taking it back needs no copy of the file and
//! works after somebody changed other parts of it. Each splice is checked by meaning: exactly what should have changed did.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Refused, jsonc, splice::Splice, tables};

/// In what a client writes its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, and what clients take of it with comments and commas at the end.
    Json,
    /// TOML.
    Toml,
}

/// What should be in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// This value under these keys; of an object its fields, beside whatever else is in it.
    Value { keys: Vec<String>, value: Value },
    /// This element in the list under these keys.
    Element { keys: Vec<String>, value: Value },
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    change: Change,
    /// The value that was there.
    before: Option<Value>,
    /// The text that was put, and what it replaced.
    put: String,
    instead: String,
}

impl Done {
    /// The element that was put under these keys, if it was one.
    pub fn element(&self) -> Option<(&[String], &Value)> {
        match &self.change {
            Change::Element { keys, value } => Some((keys, value)),
            Change::Value { .. } => None,
        }
    }
}

const BOM: char = '\u{feff}';

/// Fields that say that an entry is a server elsewhere: it is none of which only the program differs.
const REMOTE: [&str; 4] = ["url", "serverUrl", "httpUrl", "httpURL"];

impl Change {
    fn keys(&self) -> &[String] {
        match self {
            Self::Value { keys, .. } | Self::Element { keys, .. } => keys,
        }
    }

    /// What this still takes, one splice each.
    fn left_to_do(&self, meaning: &Value) -> Vec<Self> {
        let there = lookup(meaning, self.keys());
        match (self, there) {
            (Self::Element { value, .. }, Some(Value::Array(elements))) if elements.contains(value) => Vec::new(),
            (Self::Value { keys, value: Value::Object(wanted) }, Some(Value::Object(there)))
                if !REMOTE.iter().any(|field| there.contains_key(*field)) && there.contains_key("command") =>
            {
                let differs = wanted.iter().filter(|(name, value)| there.get(*name) != Some(value));
                let change = |(name, value): (&String, &Value)| Self::Value {
                    keys: keys.iter().chain([name]).cloned().collect(),
                    value: value.clone(),
                };
                differs.map(change).collect()
            }
            (Self::Value { value, .. }, Some(there)) if value == there => Vec::new(),
            _ => vec![self.clone()],
        }
    }

    /// The meaning of a text after this; `None` where something else stands in the way.
    fn expected(&self, meaning: &Value) -> Option<Value> {
        let mut expected = if meaning.is_null() { Value::Object(Map::new()) } else { meaning.clone() };
        let mut at = &mut expected;
        let (last, above) = self.keys().split_last()?;
        for key in above {
            at = at.as_object_mut()?.entry(key.as_str()).or_insert_with(|| Value::Object(Map::new()));
        }
        let holder = at.as_object_mut()?;
        match self {
            Self::Value { value, .. } => {
                holder.insert(last.clone(), value.clone());
            }
            Self::Element { value, .. } => {
                let list = holder.entry(last.as_str()).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut()?.push(value.clone());
            }
        }
        Some(expected)
    }

    /// Whether `text` is `later` without this.
    fn is_undone(&self, before: Option<&Value>, text: &Value, later: &Value) -> bool {
        match self {
            Self::Value { keys, .. } => lookup(text, keys) == before,
            Self::Element { keys, value } => {
                let count = |meaning: &Value| {
                    let elements = lookup(meaning, keys).and_then(Value::as_array);
                    elements.map_or(0, |elements| elements.iter().filter(|element| *element == value).count())
                };
                count(text) + 1 == count(later)
            }
        }
    }
}

fn lookup<'v>(meaning: &'v Value, keys: &[String]) -> Option<&'v Value> {
    keys.iter().try_fold(meaning, |value, key| value.as_object()?.get(key))
}

impl Format {
    /// How people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Toml => "TOML",
        }
    }

    /// What a text says; null where it says nothing.
    fn meaning(self, text: &str) -> Result<Value, Refused> {
        match self {
            Self::Json => jsonc::meaning(text),
            Self::Toml => tables::meaning(text),
        }
    }

    fn splice(self, text: &str, change: &Change) -> Result<Splice, Refused> {
        match (self, change) {
            (Self::Json, Change::Value { keys, value }) => jsonc::put(text, keys, value),
            (Self::Json, Change::Element { keys, value }) => jsonc::append(text, keys, value),
            (Self::Toml, Change::Value { keys, value }) => tables::put(text, keys, value),
            (Self::Toml, Change::Element { keys, .. }) => Err(Refused::Unusual(keys.join("."))),
        }
    }

    /// The text without what is under these keys, or without the element there; as it stands, not as it was put.
    fn without(self, text: &str, change: &Change) -> Result<String, Refused> {
        match (self, change) {
            (Self::Json, Change::Value { keys, .. }) => jsonc::without(text, keys, None),
            (Self::Json, Change::Element { keys, value }) => jsonc::without(text, keys, Some(value)),
            (Self::Toml, change) => tables::without(text, change.keys()),
        }
    }

    /// Whether a text has all of `changes`.
    pub fn has(self, text: &str, changes: &[Change]) -> Result<bool, Refused> {
        let meaning = self.meaning(text.trim_start_matches(BOM))?;
        Ok(changes.iter().all(|change| change.left_to_do(&meaning).is_empty()))
    }

    /// Makes those of `changes` that a text lacks.
    pub fn apply(self, text: &str, changes: &[Change]) -> Result<(String, Vec<Done>), Refused> {
        let (mark, mut text) = split(text);
        let mut all_done = Vec::new();
        for change in changes {
            for change in change.left_to_do(&self.meaning(&text)?) {
                let (after, done) = self.apply_one(&text, change)?;
                text = after;
                all_done.push(done);
            }
        }
        Ok((mark.to_owned() + &text, all_done))
    }

    fn apply_one(self, text: &str, change: Change) -> Result<(String, Done), Refused> {
        let meaning = self.meaning(text)?;
        let splice = self.splice(text, &change)?;
        let after = splice.on(text);
        let is_exact = |expected: Value| self.meaning(&after).is_ok_and(|meaning| meaning == expected);
        if !change.expected(&meaning).is_some_and(is_exact) {
            return Err(Refused::Unusual(change.keys().join(".")));
        }
        let before = match change {
            Change::Value { .. } => lookup(&meaning, change.keys()).cloned(),
            Change::Element { .. } => None,
        };
        let instead = text[splice.start..splice.end].to_owned();
        Ok((after, Done { change, before, put: splice.put, instead }))
    }

    /// Takes back what was done, the last first: to the byte where it stands as it was put, by its meaning where somebody
    /// has written it anew since.
    pub fn take_back(self, text: &str, done: &[Done]) -> Result<String, Refused> {
        let (mark, text) = split(text);
        let text = done.iter().rev().try_fold(text, |text, done| self.take_back_one(text, done))?;
        Ok(mark.to_owned() + &text)
    }

    fn take_back_one(self, text: String, done: &Done) -> Result<String, Refused> {
        let meaning = self.meaning(&text)?;
        let places: Vec<usize> = text.match_indices(&done.put).map(|(at, _)| at).collect();
        for start in places.into_iter().rev() {
            let splice = Splice { start, end: start + done.put.len(), put: done.instead.clone() };
            let candidate = splice.on(&text);
            let says = self.meaning(&candidate);
            if says.is_ok_and(|says| done.change.is_undone(done.before.as_ref(), &says, &meaning)) {
                return Ok(candidate);
            }
        }
        match (&done.before, &done.change) {
            (None, change) => self.without(&text, change),
            (Some(before), Change::Value { keys, value }) if lookup(&meaning, keys) == Some(value) => {
                let back = Change::Value { keys: keys.clone(), value: before.clone() };
                Ok(self.apply_one(&text, back)?.0)
            }
            // What somebody set since is theirs.
            (Some(_), _) => Ok(text),
        }
    }

    /// The text without `changes`, when nothing is known of how they came there.
    pub fn remove(self, text: &str, changes: &[Change]) -> Result<String, Refused> {
        let (mark, text) = split(text);
        let text = changes.iter().try_fold(text, |text, change| self.without(&text, change))?;
        Ok(mark.to_owned() + &text)
    }
}

/// The mark at the beginning of a text, which editors of Windows put there, and the rest.
fn split(text: &str) -> (&str, String) {
    let rest = text.strip_prefix(BOM).unwrap_or(text);
    (&text[..text.len() - rest.len()], rest.to_owned())
}
