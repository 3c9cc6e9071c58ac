//! Looking values up and comparing them.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use crate::domain::{
    json,
    reading::{self, Shape},
};

/// Whether every path in `expected` has its value in `context`.
pub fn all_equal(expected: &Map<String, Value>, context: &Map<String, Value>) -> bool {
    expected.iter().all(|(path, value)| lookup(context, path).is_some_and(|actual| same(actual, value)))
}

/// What `context` has at a dotted path: keys of objects, positions in lists. A key that has dots itself is found as
/// well. What is null is not there.
#[must_use]
pub fn lookup<'c>(context: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    let found = match context.get(path) {
        Some(value) => Some(value),
        None => path.split_once('.').and_then(|(first, rest)| descend(context.get(first)?, rest)),
    };
    found.filter(|value| !value.is_null())
}

fn descend<'c>(value: &'c Value, path: &str) -> Option<&'c Value> {
    match value {
        Value::Object(map) => lookup(map, path),
        Value::Array(items) => {
            let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
            let item = items.get(first.parse::<usize>().ok()?)?;
            rest.map_or(Some(item), |rest| descend(item, rest))
        }
        _ => None,
    }
    .filter(|value| !value.is_null())
}

/// Whether two values are the same; `1`, `1.0` and the text `"1"` are. Two texts are compared as such: `"007"` is not `"7"`.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_) | Value::String(_)) | (Value::String(_), Value::Number(_)) => {
            compare(a, b) == Some(Ordering::Equal)
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

pub fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::String(whole), Value::String(part)) => whole.contains(part.as_str()),
        (Value::Array(items), part) => items.iter().any(|item| same(item, part)),
        _ => false,
    }
}

/// The order of two numbers, also where clients write them as texts.
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    Some(json::compare(&number(a)?, &number(b)?))
}

/// The number that a value is, or that its text is.
pub fn number(value: &Value) -> Option<Number> {
    match reading::fit(value.clone(), &Shape::Number) {
        Ok(Value::Number(number)) => Some(number),
        _ => None,
    }
}
