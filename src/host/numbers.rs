//! One reading of every number that code gives to a host function: what is no number of its parameter's kind, or none
//! in its range, is refused before anything is done with it.
//!
//! Which parameters are numbers the stub says; which numbers they may be is said here, by name: a name means the same in
//! all functions.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{
    domain::{host_module, seconds::MOST_SECONDS},
    runtime::PythonError,
};

/// What a value of a message is cut at.
const SHOWN_CHARS: usize = 60;

/// What a number may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// A number of seconds above 0.
    Seconds,
    /// A number of seconds from 0.
    Delay,
    /// A whole number from 1.
    Count { most: u64 },
}

/// What the numbers are that host functions take.
const RANGES: [(&str, Range); 3] =
    [("timeout", Range::Seconds), ("seconds", Range::Delay), ("max_tokens", Range::Count { most: 1_000_000_000 })];

/// The range of the parameter of this name and type; `None` where it takes no number.
pub(super) fn range(name: &str, annotation: &str) -> Option<Range> {
    let is_number = annotation.split('|').any(|kind| matches!(kind.trim(), "int" | "float"));
    let known = RANGES.iter().find(|(known, _)| *known == name).map(|(_, range)| *range);
    // A parameter that nobody has thought about: the test of the table says so.
    is_number.then(|| known.unwrap_or(Range::Seconds))
}

/// Refuses a number that its parameter can't be.
///
/// # Errors
/// A `TypeError` for what is no such number, a `ValueError` for one out of range.
pub(super) fn check(function: &str, arguments: &Map<String, Value>) -> Result<(), PythonError> {
    let Some(signature) = host_module::signature(function) else { return Ok(()) };
    for (name, annotation) in signature.parameters() {
        let (Some(range), Some(value)) = (range(name, annotation), arguments.get(name)) else { continue };
        if value.is_null() && annotation.contains("None") {
            continue;
        }
        let kind = match range.check(value) {
            Ok(()) => continue,
            Err(Wrong::Type) => "TypeError",
            Err(Wrong::Size) => "ValueError",
        };
        let shown: String = value.to_string().chars().take(SHOWN_CHARS).collect();
        let message = format!("{function}(): `{name}` is {shown}; it is {}", range.describe());
        return Err(PythonError::new(kind, message));
    }
    Ok(())
}

/// A number of seconds that [`check`] let pass.
pub(super) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

enum Wrong {
    Type,
    Size,
}

impl Range {
    fn check(self, value: &Value) -> Result<(), Wrong> {
        let Value::Number(number) = value else { return Err(Wrong::Type) };
        let is_in = match self {
            Self::Seconds => number.as_f64().is_some_and(|seconds| seconds > 0.0 && seconds <= f64::from(MOST_SECONDS)),
            Self::Delay => number.as_f64().is_some_and(|seconds| (0.0..=f64::from(MOST_SECONDS)).contains(&seconds)),
            Self::Count { .. } if number.is_f64() => return Err(Wrong::Type),
            Self::Count { most } => number.as_u64().is_some_and(|count| (1..=most).contains(&count)),
        };
        if is_in { Ok(()) } else { Err(Wrong::Size) }
    }

    fn describe(self) -> String {
        match self {
            Self::Seconds => format!("a number of seconds above 0 and at most {MOST_SECONDS} (100 years)"),
            Self::Delay => format!("a number of seconds from 0 to {MOST_SECONDS} (100 years)"),
            Self::Count { most } => format!("a whole number from 1 to {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(function: &str, arguments: Value) -> Option<String> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        check(function, &arguments).err().map(|error| format!("{}: {}", error.kind, error.message))
    }

    #[test]
    fn every_number_of_the_stub_has_a_range_of_its_own() {
        for signature in host_module::signatures() {
            for (name, annotation) in signature.parameters() {
                let is_known = RANGES.iter().any(|(known, _)| *known == name);
                assert_eq!(range(name, annotation).is_some(), is_known, "{}({name}: {annotation})", signature.name);
            }
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_the_range() {
        for seconds in [json!(0), json!(-1), json!(-0.0), json!(1e300), json!(u64::MAX), json!(MOST_SECONDS + 1)] {
            let refusal = refusal("ask", json!({"question": "?", "timeout": seconds})).unwrap();
            assert!(refusal.starts_with("ValueError: ask(): `timeout` is "), "{refusal}");
            assert!(refusal.contains("above 0 and at most 3153600000 (100 years)") && refusal.len() < 200, "{refusal}");
        }
        for other in [json!(true), json!("5"), json!([1]), json!({})] {
            let refusal = refusal("http_request", json!({"url": "x", "timeout": other})).unwrap();
            assert!(refusal.starts_with("TypeError: http_request(): `timeout` is "), "{refusal}");
        }
        for (count, kind) in [(json!(0), "ValueError"), (json!(-3), "ValueError"), (json!(2.5), "TypeError")] {
            let refusal = refusal("llm", json!({"prompt": "?", "max_tokens": count})).unwrap();
            assert!(refusal.starts_with(kind) && refusal.contains("a whole number from 1 to"), "{refusal}");
        }
    }

    #[test]
    fn numbers_in_range_pass_and_so_does_nothing() {
        for seconds in [json!(1), json!(0.25), json!(1e-9), json!(MOST_SECONDS), Value::Null] {
            assert_eq!(refusal("run_command", json!({"timeout": seconds})), None);
        }
        assert_eq!(refusal("llm", json!({"max_tokens": 1})), None);
        assert_eq!(refusal("log", json!({"message": -1})), None);
    }
}
