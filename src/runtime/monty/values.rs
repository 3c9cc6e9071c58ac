//! Values across the border: JSON to Python and back.

use monty_types::{
    MontyObject, MontyUuid, ObjectRef,
    unstable::{self, MontyNode},
};
use serde_json::{Map, Number, Value, json};

/// Deepest nesting that goes out: a little less than what JSON readers accept.
const MAX_LEVELS: usize = 100;

/// A Python value for a JSON value.
pub fn to_python(value: &Value) -> MontyObject {
    match value {
        Value::Null => MontyObject::none(),
        Value::Bool(value) => MontyObject::bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => MontyObject::int(value),
            (None, Some(value)) => MontyObject::bigint(value.into()),
            (None, None) => MontyObject::float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(value) => MontyObject::string(value.as_str()),
        Value::Array(items) => MontyObject::list(items.iter().map(to_python)),
        Value::Object(map) => {
            MontyObject::dict(map.iter().map(|(key, value)| (MontyObject::string(key.as_str()), to_python(value))))
        }
    }
}

/// An instance of a host class: its fields are attributes in Python.
pub fn to_instance(class: &str, fields: &Map<String, Value>) -> MontyObject {
    let class_type = MontyObject::class_type(class, class_id(class), true, false, []);
    let attributes = fields.iter().map(|(key, value)| (MontyObject::string(key.as_str()), to_python(value)));
    MontyObject::class_instance(class_type, MontyUuid::from_u128(uuid::Uuid::now_v7().as_u128()), attributes)
}

/// The host class as a value that code can import, for example for annotations.
pub fn to_class(class: &str) -> MontyObject {
    MontyObject::class_type(class, class_id(class), true, false, [])
}

/// The same class has the same id everywhere, so that values survive a move to another worker.
fn class_id(class: &str) -> MontyUuid {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(class.bytes()) {
        *slot = byte;
    }
    MontyUuid::from_u128(u128::from_be_bytes(bytes))
}

/// JSON for a Python value, of at most `limit` bytes of text.
///
/// Bytes are counted while the value is walked: a kilobyte of objects that share parts can stand for a gigabyte of JSON.
pub fn to_json(value: ObjectRef<'_>, limit: usize) -> Result<Value, String> {
    let mut left = limit;
    convert(value, &mut left, 0).map_err(|refusal| match refusal {
        Refusal::TooLarge => format!("it is larger than {} KiB as JSON", limit.div_ceil(1024)),
        Refusal::TooDeep => format!("it is nested more than {MAX_LEVELS} levels deep"),
    })
}

/// A path or a text as itself; anything else as Python shows it.
pub fn to_text(value: ObjectRef<'_>) -> String {
    match unstable::node(value) {
        MontyNode::Path(path) => path.clone(),
        _ => value.to_string(),
    }
}

enum Refusal {
    TooLarge,
    TooDeep,
}

fn charge(left: &mut usize, bytes: usize) -> Result<(), Refusal> {
    *left = left.checked_sub(bytes).ok_or(Refusal::TooLarge)?;
    Ok(())
}

fn text(value: String, left: &mut usize) -> Result<Value, Refusal> {
    charge(left, value.len() + 2)?;
    Ok(Value::String(value))
}

fn convert(value: ObjectRef<'_>, left: &mut usize, depth: usize) -> Result<Value, Refusal> {
    if depth > MAX_LEVELS {
        return Err(Refusal::TooDeep);
    }
    charge(left, 2)?;
    match unstable::node(value) {
        MontyNode::None => Ok(Value::Null),
        MontyNode::Bool(value) => Ok(Value::Bool(*value)),
        MontyNode::Int(value) => {
            charge(left, 8)?;
            Ok(json!(value))
        }
        // JSON has no infinities; their Python names are at least readable.
        MontyNode::Float(value) => {
            charge(left, 8)?;
            Ok(Number::from_f64(*value).map_or_else(|| Value::String(value.to_string()), Value::Number))
        }
        MontyNode::String(value) => {
            charge(left, value.len())?;
            text(value.clone(), left).map_err(|_| Refusal::TooLarge)
        }
        MontyNode::Path(path) => text(path.clone(), left),
        MontyNode::Date(date) => text(format!("{:04}-{:02}-{:02}", date.year, date.month, date.day), left),
        MontyNode::DateTime(at) => text(iso_datetime(at), left),
        _ => {
            if let Some(items) = value.items() {
                return items.into_iter().map(|item| convert(item, left, depth + 1)).collect();
            }
            if let Some(pairs) = value.pairs() {
                return object(pairs, left, depth);
            }
            let shown = value.to_string();
            text(shown, left)
        }
    }
}

fn object(pairs: Vec<(ObjectRef<'_>, ObjectRef<'_>)>, left: &mut usize, depth: usize) -> Result<Value, Refusal> {
    let mut map = Map::new();
    for (key, value) in pairs {
        let key = match key.as_str() {
            Some(key) => key.to_owned(),
            None => key.py_repr(),
        };
        charge(left, key.len() + 4)?;
        map.insert(key, convert(value, left, depth + 1)?);
    }
    Ok(Value::Object(map))
}

fn iso_datetime(at: &monty_types::MontyDateTime) -> String {
    use std::fmt::Write as _;
    let mut text =
        format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute, at.second);
    if at.microsecond != 0 {
        let _ = write!(text, ".{:06}", at.microsecond);
    }
    if let Some(offset) = at.offset_seconds {
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
        let _ = write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e12..1e12).prop_map(|number: f64| Value::from(number)),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_comes_back_unchanged(value in json_value()) {
            prop_assert_eq!(to_json(to_python(&value).as_ref(), 1 << 20).unwrap(), value);
        }
    }

    #[test]
    fn size_and_depth_are_limited() {
        let long = to_python(&json!(vec!["0123456789"; 200]));
        assert!(to_json(long.as_ref(), 1024).unwrap_err().contains("larger than 1 KiB"));
        let deep = (0..200).fold(MontyObject::none(), |inner, _| MontyObject::list([inner]));
        assert!(to_json(deep.as_ref(), 1 << 20).unwrap_err().contains("nested"));
    }

    #[test]
    fn numbers_that_json_lacks_stay_readable() {
        assert_eq!(to_json(MontyObject::float(f64::INFINITY).as_ref(), 100).unwrap(), json!("inf"));
        assert_eq!(to_json(to_python(&json!(u64::MAX)).as_ref(), 100).unwrap(), json!(u64::MAX.to_string()));
    }
}
