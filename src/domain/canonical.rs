//! One text for JSON values that are equal: objects keep the order in which their fields came, and that order says
//! nothing.

use serde::Serialize;
use serde_json::Value;

/// The value as compact JSON with the fields of every object sorted by name.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    canonical_like(value, 0)
}

/// The same; `bytes` is how long it will be, where that is known.
#[must_use]
pub fn canonical_like(value: &Value, bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes);
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            text.push(b'{');
            for (index, (name, inner)) in sorted.into_iter().enumerate() {
                separate(index, text);
                write_name(name, text);
                write(inner, text);
            }
            text.push(b'}');
        }
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                separate(index, text);
                write(item, text);
            }
            text.push(b']');
        }
        plain => write_plain(plain, text),
    }
}

fn separate(index: usize, text: &mut Vec<u8>) {
    if index > 0 {
        text.push(b',');
    }
}

fn write_name(name: &str, text: &mut Vec<u8>) {
    write_plain(name, text);
    text.push(b':');
}

/// Texts, numbers and the like always have a JSON form, and memory takes it.
fn write_plain<T: Serialize + ?Sized>(plain: &T, text: &mut Vec<u8>) {
    let _ = serde_json::to_writer(text, plain);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_fields_says_nothing_and_that_of_items_does() {
        let (one, other) =
            (json!({"b": [1, {"d": 2, "c": "é\""}], "a": null}), json!({"a": null, "b": [1, {"c": "é\"", "d": 2}]}));
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(String::from_utf8(canonical(&one)).unwrap(), r#"{"a":null,"b":[1,{"c":"é\"","d":2}]}"#);
        assert_ne!(canonical(&json!([1, 2])), canonical(&json!([2, 1])));
        assert_ne!(canonical(&json!({"a": "1"})), canonical(&json!({"a": 1})));
    }
}
