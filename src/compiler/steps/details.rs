//! Texts that are put together from the configuration of a typed action.

use serde_json::Value;

use crate::{
    compiler::{
        scope::{Part, Scope, push_text},
        text,
    },
    domain::{ActionStep, action::keys::INPUTS},
};

/// A text while it is put together.
pub(super) struct Details<'s, 'd> {
    scope: &'s Scope<'d>,
    parts: Vec<Part>,
}

impl<'s, 'd> Details<'s, 'd> {
    /// An empty text.
    pub(super) const fn new(scope: &'s Scope<'d>) -> Self {
        Self { scope, parts: Vec::new() }
    }

    /// Adds fixed words.
    pub(super) fn say(&mut self, words: &str) {
        push_text(&mut self.parts, words);
    }

    /// Adds a text of the configuration with its variables filled in.
    pub(super) fn fill(&mut self, text: &str) {
        self.fill_in(self.scope, text);
    }

    fn fill_in(&mut self, scope: &Scope<'_>, text: &str) {
        for part in scope.parts(text) {
            match part {
                Part::Text(text) => self.say(&text),
                value @ Part::Value(_) => self.parts.push(value),
            }
        }
    }

    /// Adds a line with a name and a value.
    pub(super) fn entry(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value {
            self.entry_in(self.scope, name, value);
        }
    }

    /// Adds a line with a name and a value whose variables mean what they do in `scope`.
    pub(super) fn entry_in(&mut self, scope: &Scope<'_>, name: &str, value: &Value) {
        self.say(if self.parts.is_empty() { "" } else { "\n" });
        self.say(&format!("{}: ", capitalised(&name.replace('_', " "))));
        self.fill_in(scope, &plain(value));
    }

    /// Adds a line for everything that is configured and not among `known`.
    pub(super) fn others(&mut self, step: &ActionStep, known: &[&[&str]]) {
        let known: Vec<&[&str]> = known.iter().copied().chain([INPUTS]).collect();
        step.others(&known).iter().for_each(|(key, value)| self.entry(key, Some(value)));
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether filling it in raises when something is missing.
    pub(super) fn can_fail(&self) -> bool {
        text::can_fail(&self.parts)
    }

    /// The text as an expression.
    pub(super) fn code(&self) -> String {
        match &self.parts[..] {
            [Part::Value(value)] if value.is_text => value.code.clone(),
            [Part::Value(value)] if value.is_text_in_text => value.in_text.clone(),
            parts => text::lines(parts),
        }
    }
}

/// A value in words: texts as they are, a list with commas.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

pub(super) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
