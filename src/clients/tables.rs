//! Splices of TOML. The parser says where things stand; the text is cut there, and never written anew.

use std::ops::Range;

use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Refused,
    splice::{Splice, line_of, newline},
};

fn invalid(text: &str, error: &toml::de::Error) -> Refused {
    let line = line_of(text, error.span().map_or(0, |span| span.start));
    Refused::Invalid { format: "TOML", why: error.message().to_owned(), line }
}

/// What a text says.
pub(super) fn meaning(text: &str) -> Result<Value, Refused> {
    let table: toml::Table = toml::from_str(text).map_err(|error| invalid(text, &error))?;
    serde_json::to_value(table).map_err(|_| Refused::Unusual("the whole".to_owned()))
}

/// A table along some keys.
fn table<'t, 'i>(root: &'t DeTable<'i>, keys: &[String]) -> Option<&'t DeTable<'i>> {
    keys.iter().try_fold(root, |table, key| table.get(key.as_str())?.get_ref().as_table())
}

fn is_inline(text: &str, value: &Spanned<DeValue<'_>>) -> bool {
    value.get_ref().is_table() && text[value.span()].starts_with('{')
}

pub(super) fn put(text: &str, keys: &[String], value: &Value) -> Result<Splice, Refused> {
    let root = DeTable::parse(text).map_err(|error| invalid(text, &error))?;
    let unusual = || Refused::Unusual(keys.join("."));
    let (name, above) = keys.split_last().ok_or_else(unusual)?;
    let holder = table(root.get_ref(), above);
    if let Some(there) = holder.and_then(|holder| holder.get(name.as_str())) {
        if there.get_ref().is_table() && !is_inline(text, there) {
            return Err(unusual());
        }
        let Range { start, end } = there.span();
        return Ok(Splice { start, end, put: inline(value) });
    }
    let (holder_name, higher) = above.split_last().ok_or_else(unusual)?;
    let holding = table(root.get_ref(), higher).and_then(|table| table.get(holder_name.as_str()));
    if let Some(holding) = holding.filter(|holding| is_inline(text, holding)) {
        let start = holding.span().start + 1;
        let is_empty = holding.get_ref().as_table().is_none_or(|table| table.is_empty());
        let comma = if is_empty { "" } else { "," };
        return Ok(Splice { start, end: start, put: format!(" {} = {}{comma}", bare(name), inline(value)) });
    }
    let newline = newline(text);
    let Value::Object(fields) = value else {
        let first = holder.and_then(|holder| holder.keys().map(Spanned::span).min_by_key(|span| span.start));
        let start = first.ok_or_else(unusual)?.start;
        return Ok(Splice { start, end: start, put: format!("{} = {}{newline}", bare(name), inline(value)) });
    };
    let begin = match text {
        "" => String::new(),
        text if text.ends_with('\n') => newline.to_owned(),
        _ => newline.repeat(2),
    };
    let path: Vec<String> = keys.iter().map(|key| bare(key)).collect();
    let fields = fields.iter().map(|(name, value)| format!("{} = {}{newline}", bare(name), inline(value)));
    let put = format!("{begin}[{}]{newline}{}", path.join("."), fields.collect::<String>());
    Ok(Splice { start: text.len(), end: text.len(), put })
}

/// A key, quoted where it has to be.
fn bare(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !key.is_empty() && key.bytes().all(is_bare) { key.to_owned() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A value on one line.
fn inline(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::String(text) => quoted(text),
        Value::Array(elements) => format!("[{}]", list(elements.iter().map(inline).collect())),
        Value::Object(fields) => {
            format!(
                "{{ {} }}",
                list(fields.iter().map(|(name, value)| format!("{} = {}", bare(name), inline(value))).collect())
            )
        }
        plain => plain.to_string(),
    }
}

/// The text without a table that has a header of its own, with the lines below it up to the next header.
pub(super) fn without(text: &str, keys: &[String]) -> Result<String, Refused> {
    let root = DeTable::parse(text).map_err(|error| invalid(text, &error))?;
    let unusual = || Refused::Unusual(keys.join("."));
    let (name, above) = keys.split_last().ok_or_else(unusual)?;
    let Some(there) = table(root.get_ref(), above).and_then(|table| table.get(name.as_str())) else {
        return Ok(text.to_owned());
    };
    let expected = {
        let mut says = meaning(text)?;
        let holder = above.iter().try_fold(&mut says, |value, key| value.as_object_mut()?.get_mut(key));
        holder.and_then(Value::as_object_mut).ok_or_else(unusual)?.shift_remove(name);
        says
    };
    let line_start = |place: usize| text[..place].rfind('\n').map_or(0, |at| at + 1);
    let start = line_start(there.span().start);
    // The next header ends it; a bracket at the start of a line in a text of several lines is found out below.
    let ends = text[start..].match_indices('\n').map(|(at, _)| start + at + 1);
    let ends = ends.filter(|end| text[*end..].trim_start_matches([' ', '\t']).starts_with('[')).chain([text.len()]);
    for end in ends {
        let rest = [&text[..start], &text[end..]].concat();
        // A parent that nothing else names goes with it.
        let is_rest = |says: &Value| *says == expected || with_empty(says, above) == expected;
        if meaning(&rest).is_ok_and(|says| is_rest(&says)) {
            return Ok(rest);
        }
    }
    Err(unusual())
}

/// The value with an empty table under these keys, where there is none.
fn with_empty(says: &Value, keys: &[String]) -> Value {
    let mut says = says.clone();
    let mut at = &mut says;
    for key in keys {
        let Some(table) = at.as_object_mut() else { break };
        at = table.entry(key.as_str()).or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    says
}
