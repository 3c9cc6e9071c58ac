//! A short text of a long answer, for clients that show no structured content.
//!
//! Written straight from the answer and given up as soon as it is too long, so that it takes no longer for a large one.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

/// Parts are cut further and further until everything fits, but not below this.
const LEAST_ALLOWANCE: usize = 64;
/// A field that is longer than this is left out where cutting does not help.
const LARGE_FIELD: usize = 200;

/// JSON of `content` with at most `most` bytes: all of it, or with its longest parts cut.
#[must_use]
pub fn of(content: &Map<String, Value>, most: usize) -> String {
    if let Some(text) = bounded(most, |text| Ok(serde_json::to_writer(text, content)?)) {
        return text;
    }
    let mut allowance = most / 4;
    while allowance > LEAST_ALLOWANCE {
        let cut = bounded(most, |text| {
            write_fields(content, usize::MAX, allowance, text)?;
            text.write_all(br#","truncated":true}"#)
        });
        if let Some(text) = cut {
            return text;
        }
        allowance /= 2;
    }
    outline(content)
}

/// The fields that are short, and which ones there are beside them.
fn outline(content: &Map<String, Value>) -> String {
    let short = |value: &Value| bounded(LARGE_FIELD, |text| Ok(serde_json::to_writer(text, value)?)).is_some();
    let left_out = || json!("… [left out here; it is in the structured content]");
    let fields = content.iter().take(LEAST_ALLOWANCE).map(|(name, value)| {
        let shown = if short(value) { value.clone() } else { left_out() };
        (name.clone(), shown)
    });
    let truncated = ("truncated".to_owned(), json!(true));
    Value::Object(fields.chain([truncated]).collect()).to_string()
}

fn bounded(most: usize, write: impl FnOnce(&mut Bounded) -> io::Result<()>) -> Option<String> {
    let mut text = Bounded { text: Vec::with_capacity(most.min(1024)), most };
    write(&mut text).ok()?;
    String::from_utf8(text.text).ok()
}

/// Takes no more than `most` bytes.
struct Bounded {
    text: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > self.most {
            return Err(io::Error::other("longer than it may be"));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write(value: &Value, allowance: usize, text: &mut Bounded) -> io::Result<()> {
    let most_items = (allowance / 16).max(4);
    match value {
        Value::String(long) if long.len() > allowance => {
            let end = (0..=allowance).rev().find(|at| long.is_char_boundary(*at)).unwrap_or(0);
            let (kept, dropped) = long.split_at(end);
            let shown = format!("{kept}… [{} characters more]", dropped.chars().count());
            Ok(serde_json::to_writer(text, &shown)?)
        }
        Value::Array(items) => {
            text.write_all(b"[")?;
            for (index, item) in items.iter().take(most_items).enumerate() {
                separate(index, text)?;
                write(item, allowance, text)?;
            }
            if let Some(dropped) = items.len().checked_sub(most_items).filter(|dropped| *dropped > 0) {
                separate(1, text)?;
                serde_json::to_writer(&mut *text, &format!("… [{dropped} more]"))?;
            }
            text.write_all(b"]")
        }
        Value::Object(fields) => {
            write_fields(fields, most_items, allowance, text)?;
            text.write_all(b"}")
        }
        plain => Ok(serde_json::to_writer(text, plain)?),
    }
}

/// An object without its closing brace.
fn write_fields(
    fields: &Map<String, Value>,
    most_fields: usize,
    allowance: usize,
    text: &mut Bounded,
) -> io::Result<()> {
    text.write_all(b"{")?;
    for (index, (name, value)) in fields.iter().take(most_fields).enumerate() {
        separate(index, text)?;
        write_name(name, text)?;
        write(value, allowance, text)?;
    }
    if let Some(dropped) = fields.len().checked_sub(most_fields).filter(|dropped| *dropped > 0) {
        separate(1, text)?;
        write_name("…", text)?;
        serde_json::to_writer(&mut *text, &format!("{dropped} more fields"))?;
    }
    Ok(())
}

fn write_name(name: &str, text: &mut Bounded) -> io::Result<()> {
    serde_json::to_writer(&mut *text, name)?;
    text.write_all(b":")
}

fn separate(index: usize, text: &mut Bounded) -> io::Result<()> {
    if index > 0 { text.write_all(b",") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 2000;

    fn excerpt(content: Value) -> (Value, usize) {
        let Value::Object(content) = content else { panic!("an object") };
        let text = of(&content, MAX);
        (serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")), text.len())
    }

    #[test]
    fn what_is_short_is_all_there() {
        let content = json!({"b": [1, {"c": "é\""}], "a": null});
        assert_eq!(excerpt(content.clone()).0, content);
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let many: Map<String, Value> = (0..1000).map(|n| (format!("field {n}"), json!(n))).collect();
        for (long, shown) in [
            (json!("ü".repeat(5000)), "characters more]"),
            (json!((0..5000).collect::<Vec<_>>()), "more]"),
            (json!(many), "more fields"),
            (json!((0..50).map(|_| json!({"text": "x".repeat(300)})).collect::<Vec<_>>()), "more]"),
        ] {
            let (cut, length) = excerpt(json!({"first": 1, "long": long}));
            assert!(length <= MAX, "{length}");
            assert_eq!((&cut["first"], &cut["truncated"]), (&json!(1), &json!(true)), "{cut}");
            assert!(cut["long"].to_string().contains(shown), "{cut}");
        }
    }

    #[test]
    fn what_can_not_be_cut_is_left_out() {
        let deep = (0..8).fold(json!("x".repeat(70)), |inner, _| json!([inner, inner, inner, inner]));
        let (cut, length) = excerpt(json!({"first": 1, "deep": deep}));
        assert!(length <= MAX, "{length}");
        assert_eq!((&cut["first"], &cut["truncated"]), (&json!(1), &json!(true)), "{cut}");
        assert!(cut["deep"].as_str().is_some_and(|text| text.contains("structured content")), "{cut}");
    }
}
