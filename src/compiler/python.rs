//! Pieces of Python source: literals, comments, docstrings.

use serde_json::Value;

use crate::domain::name::PYTHON_KEYWORDS;

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

/// Text as it stands in a literal in double quotes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if is_unseen(c) => {
                let code = u32::from(c);
                escaped.push_str(&if code < 0x100 { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") });
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Control characters, and those that make code look other than it is: marks of direction and of no width.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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

/// Text for a comment: one line, cut between words where it is too long.
pub fn comment(text: &str) -> String {
    const MAX_CHARS: usize = 68;
    let seen: String = text.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect();
    let line = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(MAX_CHARS) else { return line };
    let kept = &line[..end];
    // A word as long as a line is cut wherever that is.
    let kept = kept.rsplit_once(' ').map_or(kept, |(words, _)| if words.len() * 2 > end { words } else { kept });
    format!("{}…", kept.trim_end_matches([',', ';', ':', '.', ' ', '…']))
}

/// Text with its long lines broken between words. Lines that are indented are laid out by somebody and stay.
pub fn wrap(text: &str, most_chars: usize) -> String {
    let mut wrapped = String::new();
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            wrapped.push('\n');
        }
        if line.starts_with(' ') {
            wrapped.push_str(line);
            continue;
        }
        let mut width = 0;
        for word in line.split_inclusive(' ') {
            let length = word.trim_end().chars().count();
            if width > 0 && width + length > most_chars {
                wrapped.truncate(wrapped.trim_end_matches(' ').len());
                wrapped.push('\n');
                width = 0;
            }
            wrapped.push_str(word);
            width += word.chars().count();
        }
    }
    wrapped
}

/// Text inside a docstring in `"""`, without the white space that formatters remove.
pub fn docstring_text(text: &str) -> String {
    let safe = text.trim().replace('\\', "\\\\").replace("\"\"\"", "'''");
    let lines: Vec<String> = safe
        .lines()
        .map(|line| line.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect::<String>().trim_end().to_owned())
        .collect();
    lines.join("\n")
}
