//! JSON that is passed on as it is.
//!
//! rmcp carries answers as values, and making a value of a large state only to write it again takes several times as long
//! as everything else. So the state travels as a text that begins with a mark which nobody outside this process knows, and
//! the transport writes what follows the mark without quotes.

use std::sync::LazyLock;

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

/// How deep in an answer such a text may be.
const DEPTH: usize = 4;

/// Made anew by each process, so that no text that somebody sends can pass for JSON of ours.
static MARK: LazyLock<String> = LazyLock::new(|| format!("verbatim:{}:", uuid::Uuid::new_v4().simple()));

/// JSON as a value, to be written as it is.
///
/// # Errors
/// When it is no JSON: a message with it inside would be none either.
pub fn value(json: &str) -> serde_json::Result<Value> {
    let _: IgnoredAny = serde_json::from_str(json)?;
    // A message is one line.
    if memchr::memchr2(b'\n', b'\r', json.as_bytes()).is_some() {
        return serde_json::from_str(json);
    }
    Ok(Value::String([MARK.as_str(), json].concat()))
}

/// A JSON object as the fields of a value, for whoever takes it out with [`of_fields`].
#[must_use]
pub fn fields(json: String) -> Map<String, Value> {
    Map::from_iter([(MARK.clone(), Value::String(json))])
}

/// The JSON that [`fields`] was given.
///
/// # Errors
/// Fields that it did not make, as they are.
pub fn of_fields(mut fields: Map<String, Value>) -> Result<String, Map<String, Value>> {
    match fields.get_mut(MARK.as_str()) {
        Some(Value::String(json)) => Ok(std::mem::take(json)),
        _ => Err(fields),
    }
}

/// A text that nobody outside this process can have written.
#[must_use]
pub fn mark() -> &'static str {
    &MARK
}

/// The JSON in a value that [`value`] made.
fn json_of(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix(MARK.as_str())
}

/// The answer with all JSON as values, or, where that is larger than `most` bytes, a word about it. `None` when it has
/// none.
#[must_use]
pub fn shown(content: &Map<String, Value>, most: usize) -> Option<Map<String, Value>> {
    has_any(content, DEPTH).then(|| show(content, most))
}

fn has_any(content: &Map<String, Value>, depth: usize) -> bool {
    depth > 0
        && content.values().any(|value| match value {
            Value::Object(inner) => has_any(inner, depth - 1),
            other => json_of(other).is_some(),
        })
}

fn show(content: &Map<String, Value>, most: usize) -> Map<String, Value> {
    let show = |value: &Value| match (value, json_of(value)) {
        (_, Some(json)) if json.len() <= most => serde_json::from_str(json).unwrap_or_default(),
        // Half a state is nothing that anybody can go on from.
        (_, Some(json)) => json!(format!("… [{} bytes of JSON: in the structured content]", json.len())),
        (Value::Object(inner), None) => Value::Object(self::show(inner, most)),
        (other, None) => other.clone(),
    };
    content.iter().map(|(name, value)| (name.clone(), show(value))).collect()
}

/// Takes the JSON out of an answer and leaves short texts in its places, which [`put_back`] finds again.
#[must_use]
pub fn take_out(content: &mut Map<String, Value>) -> Vec<String> {
    let mut taken = Vec::new();
    take(content, DEPTH, &mut taken);
    taken
}

fn take(content: &mut Map<String, Value>, depth: usize, taken: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    for value in content.values_mut() {
        match value {
            Value::Object(inner) => take(inner, depth - 1, taken),
            Value::String(text) if text.starts_with(MARK.as_str()) => {
                let place = format!("{}{}", *MARK, taken.len());
                taken.push(std::mem::replace(text, place));
            }
            _ => {}
        }
    }
}

/// Writes what was taken out into the message in the places where it belongs.
#[must_use]
pub fn put_back(message: &[u8], taken: &[String]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(message.len() + taken.iter().map(String::len).sum::<usize>() + 1);
    let mut rest = message;
    for (index, text) in taken.iter().enumerate() {
        let place = format!("\"{}{index}\"", *MARK);
        let Some(at) = memchr::memmem::find(rest, place.as_bytes()) else { continue };
        whole.extend_from_slice(&rest[..at]);
        whole.extend_from_slice(&text.as_bytes()[MARK.len()..]);
        rest = &rest[at + place.len()..];
    }
    whole.extend_from_slice(rest);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(json: &str) -> Value {
        value(json).unwrap()
    }

    fn content() -> Map<String, Value> {
        let branches = json!({"left": {"state": made(r#"{"a":[1]}"#)}, "right": {"state": made("{}"), "n": 2}});
        Map::from_iter([("branches".to_owned(), branches), ("success".to_owned(), json!(true))])
    }

    #[test]
    fn what_is_taken_out_comes_back_in_its_place() {
        let mut content = content();
        let taken = take_out(&mut content);
        assert_eq!(taken.len(), 2);
        let written = put_back(&serde_json::to_vec(&json!({"result": content})).unwrap(), &taken);
        let wanted =
            r#"{"result":{"branches":{"left":{"state":{"a":[1]}},"right":{"state":{},"n":2}},"success":true}}"#;
        assert_eq!(String::from_utf8(written).unwrap(), wanted);
    }

    #[test]
    fn what_would_break_the_message_is_not_passed_on() {
        for broken in ["", "{", "{}{}", "{\"a\":}"] {
            assert!(value(broken).is_err(), "{broken}");
        }
        assert_eq!(made("{\n\"a\": 1\n}"), json!({"a": 1}));
    }

    #[test]
    fn a_text_that_only_looks_like_it_stays_a_text() {
        let mut content = Map::from_iter([("state".to_owned(), json!("verbatim:0000:{\"a\":1}"))]);
        let before = content.clone();
        assert_eq!(take_out(&mut content), Vec::<String>::new());
        assert_eq!((content, shown(&before, 10)), (before, None));
    }

    #[test]
    fn a_large_state_is_named_and_a_small_one_shown() {
        let shown = shown(&content(), 5).unwrap();
        assert_eq!(shown["branches"]["right"]["state"], json!({}));
        assert_eq!(shown["branches"]["left"]["state"], json!("… [9 bytes of JSON: in the structured content]"));
    }
}
