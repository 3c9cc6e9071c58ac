//! How long a step waits: for a time, or until a moment.

use std::collections::BTreeMap;

use serde_json::Value;

use super::seconds::MOST_SECONDS;

/// The keys of durations, and the seconds of one of each.
pub const DURATIONS: [(&str, u32); 4] =
    [("duration_seconds", 1), ("duration_minutes", 60), ("duration_hours", 3600), ("duration_days", 86_400)];
/// The key of the moment.
pub const UNTIL: &str = "until";
/// The key of the time zone of the moment.
pub const TIMEZONE: &str = "timezone";

/// Whether `config` says how long to wait.
///
/// # Errors
/// Says what is missing, or what is too much.
pub fn check(config: &BTreeMap<String, Value>) -> Result<(), String> {
    let is_duration = |key: &str| DURATIONS.iter().any(|(known, _)| *known == key);
    if let Some(key) = config.keys().find(|key| !is_duration(key) && *key != UNTIL && *key != TIMEZONE) {
        return Err(format!("a wait has no `{key}`; it has `duration_hours` and its kin, or `until` with `timezone`"));
    }
    let has_duration = config.keys().any(|key| is_duration(key));
    match (config.get(UNTIL), has_duration) {
        (None, false) => return Err("a wait needs `duration_hours` (or seconds, minutes, days), or `until`".to_owned()),
        (Some(_), true) => return Err("a wait has either a duration or `until`, not both".to_owned()),
        (Some(Value::String(_)), false) => {}
        (Some(_), false) => {
            return Err("`until` is no text; give a time such as `06:00` or `2026-03-29T06:00`".to_owned());
        }
        (None, true) if config.contains_key(TIMEZONE) => {
            return Err("`timezone` belongs to `until`; a duration is the same everywhere".to_owned());
        }
        (None, true) => {}
    }
    if config.get(TIMEZONE).is_some_and(|zone| !zone.is_string()) {
        return Err("`timezone` is no text; give an IANA name such as `Europe/Berlin`".to_owned());
    }
    let mut known = 0.0;
    for (key, unit) in DURATIONS {
        match config.get(key) {
            // A variable, which is read when the step runs.
            None => {}
            Some(Value::String(text)) if text.contains('{') || text.trim().parse::<f64>().is_ok() => {}
            Some(value) => match value.as_f64() {
                Some(count) if count >= 0.0 => known += count * f64::from(unit),
                _ => {
                    let shown: String = value.to_string().chars().take(60).collect();
                    return Err(format!("`{key}` is {shown}; give a number from 0, or a variable"));
                }
            },
        }
    }
    if known > f64::from(MOST_SECONDS) {
        return Err("it waits for more than 100 years".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wait_is_a_duration_or_a_moment() {
        let problem = |config: Value| check(&serde_json::from_value(config).unwrap()).err();
        for fine in [
            json!({"duration_hours": 24}),
            json!({"duration_days": 1, "duration_minutes": 0.5}),
            json!({"duration_hours": "{hours}"}),
            json!({"until": "06:00", "timezone": "Europe/Berlin"}),
        ] {
            assert_eq!(problem(fine), None);
        }
        for (config, why) in [
            (json!({}), "needs `duration_hours`"),
            (json!({"hours": 24}), "has no `hours`"),
            (json!({"duration_hours": -1}), "`duration_hours` is -1"),
            (json!({"duration_hours": true}), "`duration_hours` is true"),
            (json!({"duration_hours": "soon"}), "`duration_hours` is \"soon\""),
            (json!({"duration_days": 99_999_999}), "100 years"),
            (json!({"duration_hours": 1, "until": "06:00"}), "not both"),
            (json!({"duration_hours": 1, "timezone": "UTC"}), "belongs to `until`"),
            (json!({"until": 6}), "`until` is no text"),
        ] {
            let problem = problem(config).unwrap();
            assert!(problem.contains(why), "{problem}");
        }
    }
}
