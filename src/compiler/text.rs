//! Texts and JSON values of a definition as Python expressions.

use serde_json::Value;

use super::{
    python,
    scope::{Part, Scope},
};

/// What a line of a long text has at most; with indentation and quotes that is a line of code.
const MAX_CHARS: usize = 70;

/// A text as one expression: a plain string, the variable itself, or an f-string.
pub fn expression(text: &str, scope: &Scope<'_>) -> String {
    match &scope.parts(text)[..] {
        [Part::Value(value)] if value.is_text => value.code.clone(),
        [Part::Value(value)] if value.is_text_in_text => value.in_text.clone(),
        [Part::Value(value)] if scope.own_name("str") == "str" => format!("str({})", value.in_text),
        parts => literal(parts),
    }
}

/// A JSON value. A variable with nothing around it keeps its type.
pub fn value(value: &Value, scope: &Scope<'_>) -> String {
    match value {
        Value::String(text) => match &scope.parts(text)[..] {
            [Part::Value(value)] => value.code.clone(),
            parts => literal(parts),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| self::value(item, scope)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => dictionary(map, scope),
        other => python::literal(other),
    }
}

/// A dictionary whose values may have variables.
pub fn dictionary<'v>(entries: impl IntoIterator<Item = (&'v String, &'v Value)>, scope: &Scope<'_>) -> String {
    let entries: Vec<(&String, String)> = entries.into_iter().map(|(key, entry)| (key, value(entry, scope))).collect();
    pairs(&entries)
}

/// A dictionary of expressions.
pub fn pairs(entries: &[(&String, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{}: {value}", python::string(key))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// Whether the text raises when something is missing.
pub fn can_fail(parts: &[Part]) -> bool {
    parts.iter().any(|part| matches!(part, Part::Value(value) if value.can_fail))
}

/// A long text: strings that Python joins, cut where lines end and between words. The formatter makes one of them if
/// that fits in a line.
pub fn lines(parts: &[Part]) -> String {
    let mut lines: Vec<Vec<Part>> = vec![Vec::new()];
    let mut width = 0;
    for part in parts.iter().flat_map(words) {
        let length = match &part {
            Part::Text(text) => text.chars().count(),
            Part::Value(value) => value.in_text.chars().count() + 2,
        };
        let is_empty_line = matches!(&part, Part::Text(text) if text == "\n");
        let ends_line = ends_with(lines.last(), &['\n']) && !is_empty_line;
        if ends_line || (ends_with(lines.last(), &[' ']) && width + length > MAX_CHARS) {
            lines.push(Vec::new());
            width = 0;
        }
        width += length;
        if let Some(line) = lines.last_mut() {
            line.push(part);
        }
    }
    lines.iter().map(|line| literal(line)).collect::<Vec<_>>().join(" ")
}

fn ends_with(line: Option<&Vec<Part>>, endings: &[char]) -> bool {
    matches!(line.and_then(|line| line.last()), Some(Part::Text(text)) if text.ends_with(endings))
}

/// A part, cut after spaces and ends of lines.
fn words(part: &Part) -> Vec<Part> {
    match part {
        Part::Text(text) => text.split_inclusive([' ', '\n']).map(|word| Part::Text(word.to_owned())).collect(),
        Part::Value(_) => vec![part.clone()],
    }
}

/// One string or f-string.
fn literal(parts: &[Part]) -> String {
    let is_plain = parts.iter().all(|part| matches!(part, Part::Text(_)));
    let inner: String = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) if is_plain => python::escape(text),
            Part::Text(text) => python::in_f_string(text),
            Part::Value(value) => format!("{{{}}}", value.in_text),
        })
        .collect();
    format!("{}\"{inner}\"", if is_plain { "" } else { "f" })
}
