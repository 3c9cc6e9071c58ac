//! Why a value is not what it should be, in the words of JSON.

use std::{borrow::Cow, fmt};

use serde_json::Value;

use crate::domain::Hinted;

/// How much of a wrong value is repeated.
const MAX_SHOWN_CHARS: usize = 60;
/// Names that differ by less than this (Jaro-Winkler) are proposed for one another.
const SIMILAR: f64 = 0.8;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The place in the arguments, as `steps[2].config`; empty for all of them.
    path: String,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Wrong { wanted: String, found: String },
    Missing { wanted: String },
    Unknown { known: Vec<String>, closest: Option<String> },
}

impl Misfit {
    /// `value` is not `wanted`, which is as [`super::Shape::name`] says it.
    pub(super) fn wrong(wanted: String, value: &Value) -> Self {
        Self { path: String::new(), what: What::Wrong { wanted, found: shown(value) } }
    }

    /// The field `name`, which should be `wanted`, is not there.
    pub(super) fn missing(name: &str, wanted: String) -> Self {
        Self { path: name.to_owned(), what: What::Missing { wanted } }
    }

    /// There is no field `name` among those that are `known`.
    pub(super) fn unknown(name: &str, known: Vec<String>) -> Self {
        let path: String = name.chars().take(MAX_SHOWN_CHARS).collect();
        let closest = known
            .iter()
            .map(|known| (strsim::jaro_winkler(&path, known), known))
            .filter(|(similarity, _)| *similarity >= SIMILAR)
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, known)| known.clone());
        Self { path, what: What::Unknown { known, closest } }
    }

    /// The same, in the field `name` of something.
    #[must_use]
    pub fn in_field(self, name: &str) -> Self {
        let name: String = name.chars().take(MAX_SHOWN_CHARS).collect();
        let path = match self.path.as_str() {
            "" => name,
            inner if inner.starts_with('[') => format!("{name}{inner}"),
            inner => format!("{name}.{inner}"),
        };
        Self { path, ..self }
    }

    /// The same, in an item of something.
    #[must_use]
    pub(super) fn in_item(self, index: usize) -> Self {
        let path = match self.path.as_str() {
            inner if inner.is_empty() || inner.starts_with('[') => format!("[{index}]{inner}"),
            inner => format!("[{index}].{inner}"),
        };
        Self { path, ..self }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.what {
            What::Wrong { wanted, found } if path.is_empty() => write!(f, "it must be {wanted}, got {found}"),
            What::Wrong { wanted, found } => write!(f, "`{path}` must be {wanted}, got {found}"),
            What::Missing { wanted } => write!(f, "`{path}` is missing; it must be {wanted}"),
            What::Unknown { .. } => write!(f, "there is no field `{path}`"),
        }
    }
}

impl Hinted for Misfit {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match &self.what {
            What::Unknown { closest: Some(closest), .. } => Some(format!("did you mean `{closest}`?").into()),
            What::Unknown { known, .. } if known.is_empty() => Some("leave it out: there are none".into()),
            What::Unknown { known, .. } => Some(format!("the fields are `{}`", known.join("`, `")).into()),
            What::Wrong { .. } | What::Missing { .. } => None,
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => {
            let mut shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            format!("`{}`", Value::String(shown))
        }
        plain => {
            let text = plain.to_string();
            let shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
            if shown.len() < text.len() { format!("`{shown}…`") } else { format!("`{shown}`") }
        }
    }
}
