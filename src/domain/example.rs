//! Examples: calls of a procedure with what has to come of them. They are its contract, and code is held to it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::secrets::scrubbed_value;

/// How much of a value is told.
const SHOWN_CHARS: usize = 160;

/// A call that shows how a procedure is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Example {
    /// The parameters of the call.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
    /// What comes back, as a value; words, where that is no text.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Or what it raises: `ValueError`, or `ValueError: part of the message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What its host calls are answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<Vec<RecordedCall>>,
}

/// A value that is there, also where it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A host call, and what it is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct RecordedCall {
    pub function: String,
    /// By name, without secrets.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// What it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Or what it raises, such as `TimeoutError: it took too long`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What executing the code of an example came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Got<'a> {
    Result(&'a Value),
    /// An exception: its class and its message.
    Raised(&'a str, &'a str),
}

/// What is to be said of an example and the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The code does what it says.
    Passed,
    /// Nobody can tell, and why.
    Untried(String),
    /// The code does something else.
    Failed {
        /// What the example says, in short.
        expected: String,
        /// What the code did, in short.
        got: String,
    },
}

/// An example that code contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailingExample {
    /// Which, from 1.
    pub example: usize,
    /// The parameters of its call, as JSON, in short.
    pub parameters: String,
    pub expected: String,
    pub got: String,
}

impl std::fmt::Display for FailingExample {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { example, parameters, expected, got } = self;
        write!(formatter, "example {example}: {parameters} has to give {expected}, and gives {got}")
    }
}

impl Example {
    /// What an execution with its parameters says of the code.
    #[must_use]
    pub fn judge(&self, got: &Got<'_>) -> Verdict {
        let told = || match got {
            Got::Result(value) => short(value),
            Got::Raised(kind, message) => shortened(&format!("{kind}: {message}")),
        };
        let failed = |expected: String| Verdict::Failed { expected, got: told() };
        match (&self.error, &self.result, got) {
            (Some(expected), _, Got::Raised(kind, message)) if is_raised(expected, kind, message) => Verdict::Passed,
            (Some(expected), _, _) => failed(shortened(expected)),
            (None, Some(expected), Got::Result(value)) => match (expected, value) {
                _ if is_same(expected, &scrubbed_value((*value).clone())) || is_same(expected, value) => {
                    Verdict::Passed
                }
                (Value::String(_), Value::String(_)) => failed(short(expected)),
                (Value::String(_), _) => Verdict::Untried("its result is said in words".to_owned()),
                _ => failed(short(expected)),
            },
            (None, Some(expected), Got::Raised(..)) => failed(short(expected)),
            (None, None, Got::Result(_)) => Verdict::Passed,
            (None, None, Got::Raised(..)) => failed("a result".to_owned()),
        }
    }
}

fn is_raised(expected: &str, kind: &str, message: &str) -> bool {
    match expected.split_once(':') {
        Some((class, part)) => class.trim() == kind && message.contains(part.trim()),
        None => expected.trim() == kind,
    }
}

/// Whether two values are the same, but for the rounding of numbers.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b
                || match (a.as_f64(), b.as_f64()) {
                    // Whole numbers are exact.
                    (Some(x), Some(y)) if a.is_f64() || b.is_f64() => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
                    _ => false,
                }
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// A value as JSON, in short.
#[must_use]
pub fn short(value: &Value) -> String {
    shortened(&scrubbed_value(value.clone()).to_string())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(example: Value, got: &Got<'_>) -> Verdict {
        serde_json::from_value::<Example>(example).unwrap().judge(got)
    }

    #[test]
    fn values_are_compared_as_values() {
        for (expected, got) in [
            (json!({"a": 1, "b": [1.5]}), json!({"b": [1.5], "a": 1})),
            (json!(0.3), json!(0.1 + 0.2)),
            (json!(1), json!(1.0)),
            (json!(null), json!(null)),
        ] {
            assert_eq!(judged(json!({"result": expected}), &Got::Result(&got)), Verdict::Passed, "{got}");
        }
        for (expected, got) in [
            (json!({"a": 1}), json!({"a": 1, "b": 2})),
            (json!([1, 2]), json!([2, 1])),
            (json!(12_345_678_901_234_567_u64), json!(12_345_678_901_234_568_u64)),
            (json!("done"), json!("Done")),
            (json!(null), json!(0)),
            (json!(true), json!(1)),
        ] {
            let verdict = judged(json!({"result": expected}), &Got::Result(&got));
            assert!(matches!(verdict, Verdict::Failed { .. }), "{expected} {got}: {verdict:?}");
        }
    }

    #[test]
    fn a_result_in_words_says_nothing_of_a_value() {
        let verdict = judged(json!({"result": "the totals by month"}), &Got::Result(&json!({"may": 3})));
        assert!(matches!(verdict, Verdict::Untried(_)), "{verdict:?}");
        let raised = judged(json!({"result": "the totals by month"}), &Got::Raised("KeyError", "may"));
        assert_eq!(
            raised,
            Verdict::Failed { expected: "\"the totals by month\"".to_owned(), got: "KeyError: may".to_owned() }
        );
    }

    #[test]
    fn an_error_can_be_what_has_to_happen() {
        let got = Got::Raised("ValueError", "`n` is below zero");
        assert_eq!(judged(json!({"error": "ValueError"}), &got), Verdict::Passed);
        assert_eq!(judged(json!({"error": "ValueError: below zero"}), &got), Verdict::Passed);
        for (expected, got) in
            [("KeyError", got.clone()), ("ValueError: above", got), ("ValueError", Got::Result(&json!(1)))]
        {
            let verdict = judged(json!({"error": expected}), &got);
            assert!(matches!(verdict, Verdict::Failed { .. }), "{expected}: {verdict:?}");
        }
    }
}
