//! Waiting: the code sleeps for a time or until a moment.

use std::collections::BTreeMap;

use serde_json::Value;

use super::place::Place;
use crate::{
    compiler::{python, scope::Scope, text, writer::Writer},
    domain::wait::{DURATIONS, TIMEZONE, UNTIL},
};

/// Writes the statements of a step that waits as `config` says.
pub(super) fn compile(
    config: &BTreeMap<String, Value>,
    what: &str,
    scope: &Scope<'_>,
    place: &Place<'_, '_>,
    out: &mut Writer,
) {
    let keep = place.keep(&call(config, scope, place, out));
    place.guard(what, &[keep], out);
}

/// The call that waits.
pub(super) fn call(
    config: &BTreeMap<String, Value>,
    scope: &Scope<'_>,
    place: &Place<'_, '_>,
    out: &mut Writer,
) -> String {
    let text = |key: &str| config.get(key).and_then(Value::as_str).map(|text| text::expression(text, scope));
    let call = if let Some(when) = text(UNTIL) {
        let timezone = text(TIMEZONE).map(|zone| format!(", timezone={zone}")).unwrap_or_default();
        out.host_call("sleep_until", &format!("{when}{timezone}"))
    } else {
        out.host_call("sleep", &seconds(config, scope))
    };
    place.awaited(&call)
}

/// The number of seconds as an expression: what is known is added up.
fn seconds(config: &BTreeMap<String, Value>, scope: &Scope<'_>) -> String {
    let mut known = 0.0;
    let mut terms = Vec::new();
    for (key, unit) in DURATIONS {
        let Some(value) = config.get(key) else { continue };
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        match (number, value) {
            (Some(number), _) => known += number * f64::from(unit),
            (None, value) => {
                let times = if unit == 1 { String::new() } else { format!(" * {unit}") };
                terms.push(format!("float({}){times}", text::value(value, scope)));
            }
        }
    }
    if known > 0.0 || terms.is_empty() {
        let number = serde_json::Number::from_f64(known).map(Value::Number).unwrap_or_default();
        let literal = python::literal(&number);
        terms.push(literal.strip_suffix(".0").map_or(literal.clone(), str::to_owned));
    }
    terms.join(" + ")
}

/// What the step does, in a few words.
pub(super) fn summary(config: &BTreeMap<String, Value>) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(until) = config.get(UNTIL) {
        return format!("wait until {}", plain(until));
    }
    let parts: Vec<String> = DURATIONS
        .iter()
        .filter_map(|(key, _)| Some(format!("{} {}", plain(config.get(*key)?), key.trim_start_matches("duration_"))))
        .collect();
    format!("wait {}", parts.join(" "))
}
