//! What the editors of all formats say: where a text is cut, and what is put there.

use serde_json::{Map, Value};

/// A part of a text, and what should stand there.
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) put: String,
}

impl Splice {
    /// The text with it.
    pub(super) fn on(&self, text: &str) -> String {
        [&text[..self.start], &self.put, &text[self.end..]].concat()
    }
}

/// How lines end in a text.
pub(super) fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// `value` under these keys, as an object.
pub(super) fn nested(keys: &[String], value: &Value) -> Value {
    keys.iter().rev().fold(value.clone(), |value, key| Value::Object(Map::from_iter([(key.clone(), value)])))
}

/// The line of a place in a text, from 1.
pub(super) fn line_of(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|byte| *byte == b'\n').count() + 1
}
