//! `sleep`, `sleep_until`, and Python's own two: the code waits for the clock. Nothing is done here: a short wait holds nobody
//! up, and a longer one pauses the run, which the clock goes on with.

use jiff::{
    Timestamp, Zoned,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{context::parse, function::HostFunction};
use crate::{
    domain::seconds::MOST_SECONDS,
    runtime::{PythonError, SLEEP, TIME_SLEEP},
};

/// What may be given by position to those that are not in our stub.
pub const POSITIONAL: [&str; 1] = ["delay"];

pub const FOR: HostFunction = HostFunction::timer("sleep", seconds);
pub const UNTIL: HostFunction = HostFunction::timer("sleep_until", until);
pub const ASYNC: HostFunction = HostFunction::timer(SLEEP, |arguments, at| delay(SLEEP, arguments, at));
pub const TIME: HostFunction = HostFunction::timer(TIME_SLEEP, |arguments, at| delay(TIME_SLEEP, arguments, at));

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct For {
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    delay: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Until {
    when: String,
    timezone: Option<String>,
}

fn seconds(arguments: Map<String, Value>, at: i64) -> Result<Option<i64>, PythonError> {
    let For { seconds } = parse(FOR.name, arguments)?;
    Ok(after(seconds, at))
}

fn delay(name: &str, arguments: Map<String, Value>, at: i64) -> Result<Option<i64>, PythonError> {
    let Delay { delay } = parse(name, arguments)?;
    Ok(after(delay, at))
}

/// `None` for what nobody lives to see.
#[expect(clippy::cast_possible_truncation, reason = "a hundred years are few milliseconds")]
fn after(seconds: f64, at: i64) -> Option<i64> {
    (seconds <= f64::from(MOST_SECONDS)).then(|| at.saturating_add((seconds.max(0.0) * 1000.0).ceil() as i64))
}

fn until(arguments: Map<String, Value>, at: i64) -> Result<Option<i64>, PythonError> {
    let Until { when, timezone } = parse(UNTIL.name, arguments)?;
    let wrong = |why: String| PythonError::new("ValueError", format!("sleep_until(): {why}"));
    let shown: String = when.chars().take(60).collect();
    let due =
        moment(when.trim(), timezone.as_deref(), at).map_err(|why| wrong(format!("`when` is `{shown}`; {why}")))?;
    if due.saturating_sub(at) / 1000 > i64::from(MOST_SECONDS) {
        return Err(wrong(format!("`{shown}` is more than 100 years away")));
    }
    Ok(Some(due))
}

/// The moment that `when` means, in milliseconds since 1970: by itself, or on the wall clock of `timezone`. A time of day is
/// the next after `at`.
fn moment(when: &str, timezone: Option<&str>, at: i64) -> Result<i64, String> {
    if let Ok(moment) = when.parse::<Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    if let Ok(moment) = when.parse::<Zoned>() {
        return Ok(moment.timestamp().as_millisecond());
    }
    let name = timezone.unwrap_or("UTC");
    let zone = TimeZone::get(name).map_err(|_| format!("and there is no time zone `{name}`; give an IANA name"))?;
    // A time that a clock change skips comes right after it, one that comes twice is the first.
    let on_clock = |clock: DateTime| zone.to_zoned(clock).map(|moment| moment.timestamp().as_millisecond());
    let found = if let Ok(clock) = when.parse::<DateTime>() {
        on_clock(clock)
    } else if let Ok(day) = when.parse::<Date>() {
        on_clock(day.at(0, 0, 0, 0))
    } else if let Ok(time) = when.parse::<Time>() {
        let today = Timestamp::from_millisecond(at).map(|now| zone.to_datetime(now).date());
        today.and_then(|today| match on_clock(today.to_datetime(time)) {
            Ok(moment) if moment > at => Ok(moment),
            _ => on_clock(today.tomorrow()?.to_datetime(time)),
        })
    } else {
        let shapes = "give `2026-03-29T06:00:00Z`, a date, a date and a time, or a time such as `06:00`";
        return Err(shapes.to_owned());
    };
    found.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    /// When `sleep_until(when, timezone=zone)` ends that is called at noon of a day.
    fn ends(day: &str, when: &str, zone: Option<&str>) -> Result<String, String> {
        let arguments = Map::from_iter([("when".to_owned(), json!(when)), ("timezone".to_owned(), json!(zone))]);
        let due = until(arguments, at(&format!("{day}T12:00:00Z"))).map_err(|error| error.message)?;
        Ok(Timestamp::from_millisecond(due.unwrap()).unwrap().to_string())
    }

    #[test]
    fn a_time_is_one_on_the_wall_clock() {
        let berlin = Some("Europe/Berlin");
        for (day, when, zone, expected) in [
            ("2026-01-10", "2026-01-11T06:00:00Z", berlin, "2026-01-11T06:00:00Z"),
            ("2026-01-10", "2026-01-11T06:00:00+02:00", None, "2026-01-11T04:00:00Z"),
            ("2026-01-10", "2026-01-11T06:00", None, "2026-01-11T06:00:00Z"),
            ("2026-01-10", "2026-01-11 06:00", berlin, "2026-01-11T05:00:00Z"),
            ("2026-01-10", "2026-01-11", berlin, "2026-01-10T23:00:00Z"),
            ("2026-01-10", "13:30", None, "2026-01-10T13:30:00Z"),
            ("2026-01-10", "12:00", None, "2026-01-11T12:00:00Z"),
            // Both clock changes of a year.
            ("2026-03-28", "06:00", berlin, "2026-03-29T04:00:00Z"),
            ("2026-03-28", "2026-03-29T02:30", berlin, "2026-03-29T01:30:00Z"),
            ("2026-10-24", "06:00", berlin, "2026-10-25T05:00:00Z"),
            ("2026-10-24", "2026-10-25T02:30", berlin, "2026-10-25T00:30:00Z"),
            ("2026-01-10", "2020-01-01", None, "2020-01-01T00:00:00Z"),
        ] {
            assert_eq!(ends(day, when, zone).as_deref(), Ok(expected), "{when}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for (when, zone, why) in [
            ("tomorrow", None, "`when` is `tomorrow`; give `2026-03-29T06:00:00Z`"),
            ("06:00", Some("Mars/Olympus"), "no time zone `Mars/Olympus`"),
            ("2300-01-01", None, "more than 100 years away"),
            ("", None, "`when` is ``"),
        ] {
            let error = ends("2026-01-10", when, zone).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn seconds_are_counted_from_the_call() {
        let of = |seconds: f64| FOR.due(Map::from_iter([("seconds".to_owned(), json!(seconds))]), 1000);
        assert_eq!(of(30.0).unwrap(), Ok(Some(31_000)));
        assert_eq!(of(0.0).unwrap(), Ok(Some(1000)));
        assert_eq!(after(f64::INFINITY, 0), None);
        assert_eq!(after(-3.0, 5), Some(5));
    }
}
