//! Pieces of Python source: literals, f-strings, comments.

use serde_json::Value;

use super::variables::{Piece, pieces};
use crate::domain::{Definition, ParameterType, name::PYTHON_KEYWORDS};

/// Whether `text` can name a parameter.
#[must_use]
pub fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && text.len() <= 64
        && !PYTHON_KEYWORDS.contains(&text)
}

/// A string literal in double quotes.
pub fn string(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if c.is_control() => {
                let code = u32::from(c);
                escaped.push_str(&if code < 0x100 { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") });
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text as a part of an f-string in double quotes.
pub fn in_f_string(text: &str) -> String {
    escape(text).replace('{', "{{").replace('}', "}}")
}

/// A literal for a JSON value.
pub fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", string(key), literal(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// An expression for a text with `{{variables}}`: a plain string, the variable itself, or an f-string.
pub fn template(text: &str, definition: &Definition) -> String {
    let pieces = pieces(text);
    match &pieces[..] {
        [Piece::Variable(name)] if is_text(name, definition) => (*name).to_owned(),
        pieces if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) => string(text),
        pieces => {
            let inner: String = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => in_f_string(text),
                    Piece::Variable(name) => format!("{{{name}}}"),
                })
                .collect();
            format!("f\"{inner}\"")
        }
    }
}

fn is_text(name: &str, definition: &Definition) -> bool {
    definition.parameters.iter().any(|parameter| {
        parameter.name == name
            && parameter.kind == ParameterType::String
            && (parameter.is_required() || parameter.default.is_some())
    })
}

/// A JSON value whose strings may contain `{{variables}}`.
pub fn templated_literal(value: &Value, definition: &Definition) -> String {
    match value {
        Value::String(text) => match &pieces(text)[..] {
            // The value itself, with its type, when there is nothing around it.
            [Piece::Variable(name)] => (*name).to_owned(),
            _ => template(text, definition),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| templated_literal(item, definition)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", string(key), templated_literal(value, definition)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => literal(other),
    }
}

/// Text for a comment: one line.
pub fn comment(text: &str) -> String {
    const MOST_CHARS: usize = 100;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST_CHARS {
        line
    } else {
        format!("{}…", line.chars().take(MOST_CHARS).collect::<String>())
    }
}

/// Text inside a docstring: it can't end it, and its lines are indented.
pub fn docstring_text(text: &str) -> String {
    let safe = text.replace('\\', "\\\\").replace("\"\"\"", "'''");
    let safe = if safe.ends_with('"') { format!("{safe} ") } else { safe };
    let lines: Vec<&str> = safe.lines().map(str::trim_end).collect();
    let joined = lines.join("\n    ");
    joined.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}
