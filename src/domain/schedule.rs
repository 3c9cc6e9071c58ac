//! When a cron expression is due, in a time zone and across its clock changes.
//!
//! `croner` reads the expression and finds wall-clock times; what a clock change makes of these is decided here, as
//! Vixie cron does it, because `croner` looks at it differently: it takes `0,30 2 * * *` for an interval, loses a job of
//! a Saturday when the gap ends on Sunday, and joins days of month and of week with "or" where cron says "and".

use std::borrow::Cow;

use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

use super::Hinted;

/// What the five fields are, for messages.
const FIELDS: [&str; 5] = [
    "minute (0 to 59)",
    "hour (0 to 23)",
    "day of the month (1 to 31)",
    "month (1 to 12)",
    "day of the week (0 to 7, both are Sunday)",
];
const EXAMPLE: &str = "for example `0 6 * * 1-5` for 06:00 from Monday to Friday";
/// How long the months can be.
const MAX_DAYS: [u16; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Why a schedule can't be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not five fields.
    #[error("`{expression}` has {count} fields, cron has 5: minute, hour, day of month, month, day of week")]
    FieldCount { expression: String, count: usize },
    /// One of the fields is not valid.
    #[error("`{field}` in `{expression}` is not a valid {kind}")]
    Field { expression: String, field: String, kind: &'static str },
    /// No day is like that.
    #[error("`{0}` never comes: no month that it names has such a day")]
    Never(String),
    /// The time zone does not exist.
    #[error("there is no time zone `{0}`")]
    TimeZone(String),
}

impl Hinted for ScheduleError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::FieldCount { .. } | Self::Field { .. } => EXAMPLE,
            Self::Never(_) => "correct the day or the month",
            Self::TimeZone(_) => "give an IANA name such as `Europe/Berlin` or `America/New_York`",
        };
        Some(hint.into())
    }
}

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    timezone: TimeZone,
    follows_the_clock: bool,
}

impl Schedule {
    /// Reads a cron expression of five fields, in the time zone with this IANA name.
    ///
    /// # Errors
    /// [`ScheduleError`] says which part is wrong.
    pub fn parse(expression: &str, timezone: &str) -> Result<Self, ScheduleError> {
        let shown = || expression.chars().take(100).collect::<String>();
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let &[minute, hour, day, _, weekday] = &fields[..] else {
            return Err(ScheduleError::FieldCount { expression: shown(), count: fields.len() });
        };
        for (index, (field, kind)) in fields.iter().zip(FIELDS).enumerate() {
            // Alone among wildcards, because the parser does not say which field it refuses.
            let mut alone = ["*"; 5];
            alone[index] = field;
            if !parser(false).parse(&alone.join(" ")).is_ok_and(|cron| is_plain(field, &cron)) {
                return Err(ScheduleError::Field { expression: shown(), field: (*field).to_owned(), kind });
            }
        }
        // Cron joins the two kinds of day with "or" only when neither begins with `*`; `*/2` does.
        let both_days = day.starts_with('*') || weekday.starts_with('*');
        let cron = parser(both_days).parse(&fields.join(" ")).map_err(|_| ScheduleError::Field {
            expression: shown(),
            field: shown(),
            kind: "cron expression",
        })?;
        let timezone =
            TimeZone::get(timezone).map_err(|_| ScheduleError::TimeZone(timezone.chars().take(60).collect()))?;
        let follows_the_clock = minute.starts_with('*') || hour.starts_with('*');
        if ever_comes(&cron) {
            Ok(Self { cron, timezone, follows_the_clock })
        } else {
            Err(ScheduleError::Never(shown()))
        }
    }

    /// The first instant after `after` at which it is due.
    ///
    /// An expression with a `*` in front of its minute or hour follows the wall clock: an hour that is skipped has no
    /// ticks, one that is repeated has them twice. Any other names fixed times: one that is skipped comes right after the
    /// gap, one that is repeated comes the first time only.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        if self.follows_the_clock { self.next_on_the_clock(after) } else { self.next_fixed(after) }
    }

    /// The date and the time of `instant` on the schedule's wall clock.
    #[must_use]
    pub fn wall_clock(&self, instant: Timestamp) -> DateTime {
        self.timezone.to_datetime(instant)
    }

    /// Goes from one clock change to the next: between two of them, the wall clock is a straight line.
    fn next_on_the_clock(&self, after: Timestamp) -> Option<Timestamp> {
        let (mut from, mut inclusive) = (after, false);
        loop {
            let offset = self.timezone.to_offset(from);
            let until = self.timezone.following(from).next().map(|change| change.timestamp());
            let due = offset.to_timestamp(self.civil(offset.to_datetime(from), inclusive)?).ok()?;
            match until {
                Some(until) if due >= until => (from, inclusive) = (until, true),
                _ => return Some(due),
            }
        }
    }

    fn next_fixed(&self, after: Timestamp) -> Option<Timestamp> {
        // A later wall-clock time never comes earlier than an earlier one, so the first that comes after `after` is it.
        let mut civil = self.civil(self.timezone.to_datetime(after), true)?;
        loop {
            let due = self.instant(civil)?;
            if due > after {
                return Some(due);
            }
            civil = self.civil(civil, false)?;
        }
    }

    /// When a fixed time comes.
    fn instant(&self, civil: DateTime) -> Option<Timestamp> {
        match self.timezone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(civil).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(civil).ok(),
            AmbiguousOffset::Gap { before, .. } => {
                // By the old offset the time lies at the clock change or after it.
                let beyond = before.to_timestamp(civil).ok()?.checked_add(SignedDuration::from_secs(1)).ok()?;
                self.timezone.preceding(beyond).next().map(|change| change.timestamp())
            }
        }
    }

    /// The first wall-clock time from `from` on that matches.
    fn civil(&self, from: DateTime, inclusive: bool) -> Option<DateTime> {
        // In whole seconds, of which the beginning counts: 06:00:00.5 is too late for 06:00.
        let late = from.subsec_nanosecond() > 0;
        let from = from.with().subsec_nanosecond(0).build().ok()?;
        self.cron.find_next_occurrence(&from, inclusive && !late).ok()
    }
}

fn parser(both_days: bool) -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).dom_and_dow(both_days).build()
}

/// Whether a field has nothing but what every cron knows. The parser also takes `L`, `W`, `#`, `?` and `+`.
fn is_plain(field: &str, cron: &Cron) -> bool {
    field.chars().all(|c| c.is_ascii_alphanumeric() || "*,-/".contains(c))
        && !field.split([',', '-', '/']).any(str::is_empty)
        && !cron.pattern.days.has_modifiers()
        && !cron.pattern.days_of_week.has_modifiers()
}

/// Whether there is a day that matches. Asking the parser for the first one would take it through three thousand years
/// before it says no.
fn ever_comes(cron: &Cron) -> bool {
    let pattern = &cron.pattern;
    let weekday_alone = !pattern.is_dow_wildcard() && !pattern.is_dom_wildcard() && !pattern.matches_dom_and_dow();
    let longest = pattern.months.values().iter().map(|month| MAX_DAYS[usize::from(*month - 1)]).max();
    weekday_alone || pattern.days.values().first().is_some_and(|day| Some(*day) <= longest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The first `count` ticks after `after`, in UTC.
    fn ticks(cron: &str, timezone: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(cron, timezone).unwrap();
        let mut last = at(after);
        (0..count)
            .map(|_| {
                last = schedule.next_after(last).unwrap();
                last.to_string()
            })
            .collect()
    }

    fn refusal(cron: &str, timezone: &str) -> String {
        Schedule::parse(cron, timezone).unwrap_err().in_full()
    }

    #[test]
    fn weekdays_at_six_follow_new_york_through_the_year() {
        let ticks_in_march = ticks("0 6 * * 1-5", "America/New_York", "2026-03-06T10:59:59Z", 3);
        // Friday in winter time; on Sunday the clock changes.
        assert_eq!(ticks_in_march, ["2026-03-06T11:00:00Z", "2026-03-09T10:00:00Z", "2026-03-10T10:00:00Z"]);
        assert_eq!(ticks("0 6 * * 1-5", "UTC", "2026-03-06T06:00:00Z", 1), ["2026-03-09T06:00:00Z"]);
    }

    #[test]
    fn a_fixed_time_in_a_skipped_hour_comes_once_right_after_the_gap() {
        // New York skips 02:00 to 03:00 on 8 March 2026, Berlin on 29 March.
        let after_gap = ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"];
        assert_eq!(ticks("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2), after_gap);
        assert_eq!(
            ticks("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
        // Several skipped times, and one that the gap ends at, are one tick.
        assert_eq!(
            ticks("0,30 2,3 * * *", "America/New_York", "2026-03-07T12:00:00Z", 3),
            ["2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:00:00Z"]
        );
        // Nuuk skips the last hour of a Saturday: the job is not lost with the day.
        assert_eq!(ticks("30 23 * * 6", "America/Nuuk", "2025-03-29T12:00:00Z", 1), ["2025-03-30T01:00:00Z"]);
    }

    #[test]
    fn a_fixed_time_in_a_repeated_hour_comes_the_first_time_only() {
        assert_eq!(
            ticks("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2),
            ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
        );
        assert_eq!(
            ticks("0,30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 3),
            ["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:00:00Z"]
        );
        // Asked in the middle of the second time.
        assert_eq!(ticks("50 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), ["2026-10-26T01:50:00Z"]);
    }

    #[test]
    fn wildcard_hours_follow_the_wall_clock() {
        assert_eq!(
            ticks("30 * * * *", "America/New_York", "2026-03-08T06:00:00Z", 3),
            ["2026-03-08T06:30:00Z", "2026-03-08T07:30:00Z", "2026-03-08T08:30:00Z"]
        );
        assert_eq!(
            ticks("*/20 1 * * *", "America/New_York", "2026-11-01T04:50:00Z", 7),
            [
                "2026-11-01T05:00:00Z",
                "2026-11-01T05:20:00Z",
                "2026-11-01T05:40:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T06:20:00Z",
                "2026-11-01T06:40:00Z",
                "2026-11-02T06:00:00Z"
            ]
        );
        assert_eq!(ticks("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 1), ["2026-03-30T00:00:00Z"]);
        assert_eq!(
            ticks("0 */2 * * *", "Europe/Berlin", "2026-10-24T22:30:00Z", 3),
            ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T03:00:00Z"]
        );
    }

    #[test]
    fn leap_days_come_when_there_is_one() {
        assert_eq!(
            ticks("0 0 29 2 *", "UTC", "2024-02-29T00:00:00Z", 2),
            ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]
        );
        assert_eq!(ticks("0 * 29 2 *", "America/New_York", "2096-03-01T05:00:00Z", 1), ["2104-02-29T05:00:00Z"]);
    }

    #[test]
    fn either_kind_of_day_will_do_unless_one_is_a_wildcard() {
        // Fridays and every 13th.
        assert_eq!(
            ticks("0 0 13 * 5", "UTC", "2026-04-04T00:00:00Z", 3),
            ["2026-04-10T00:00:00Z", "2026-04-13T00:00:00Z", "2026-04-17T00:00:00Z"]
        );
        // Mondays with an odd date, as cron reads a step over all days.
        assert_eq!(
            ticks("0 0 */2 * 1", "UTC", "2026-04-01T00:00:00Z", 2),
            ["2026-04-13T00:00:00Z", "2026-04-27T00:00:00Z"]
        );
        assert_eq!(
            ticks("0 0 * * 7", "UTC", "2026-04-01T00:00:00Z", 1),
            ticks("0 0 * * sun", "UTC", "2026-04-01T00:00:00Z", 1)
        );
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_the_reason() {
        assert!(refusal("0 0 6 * * 1", "UTC").contains("has 6 fields, cron has 5"));
        assert!(refusal("", "UTC").contains("has 0 fields"));
        assert!(refusal("@daily", "UTC").contains("has 1 fields"));
        assert!(refusal("60 * * * *", "UTC").contains("`60` in `60 * * * *` is not a valid minute (0 to 59)"));
        assert!(refusal("0 24 * * *", "UTC").contains("`24`") && refusal("0 24 * * *", "UTC").contains("hour"));
        assert!(refusal("0 0 32 * *", "UTC").contains("day of the month"));
        assert!(refusal("0 0 * 13 *", "UTC").contains("month (1 to 12)"));
        assert!(refusal("0 0 * * 8", "UTC").contains("day of the week"));
        assert!(refusal("*/0 * * * *", "UTC").contains("minute"));
        assert!(refusal("a b c d e", "UTC").contains("minute"));
        for other in ["0 0 L * *", "0 0 15W * *", "0 0 * * 5#2", "0 0 ? * 1", "0 0 1 * +1", ", * * * *", "1,,2 * * * *"]
        {
            assert!(refusal(other, "UTC").contains("is not a valid"), "{other}");
        }
        for never in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 feb */2"] {
            assert!(refusal(never, "UTC").contains("never comes"), "{never}");
        }
        assert!(refusal("* * * * *", "Mars/Olympus").contains("`Mars/Olympus`"));
    }

    #[test]
    fn a_fraction_of_a_second_neither_repeats_nor_loses_a_tick() {
        for cron in ["0 6 * * *", "*/30 6 * * *"] {
            let schedule = Schedule::parse(cron, "UTC").unwrap();
            assert_eq!(schedule.next_after(at("2026-01-01T05:59:59.9Z")), Some(at("2026-01-01T06:00:00Z")));
            assert_ne!(schedule.next_after(at("2026-01-01T06:00:00.1Z")), Some(at("2026-01-01T06:00:00Z")));
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(cron in "[-*/,0-9a-zA-Z#?+@ ]{0,24}", timezone in "[A-Za-z/_]{0,20}") {
            let _ = Schedule::parse(&cron, &timezone);
        }

        #[test]
        fn five_fields_of_anything_either_tick_or_are_refused(
            fields in proptest::collection::vec("[-*/,0-9]{1,5}", 5),
        ) {
            if let Ok(schedule) = Schedule::parse(&fields.join(" "), "Europe/Berlin") {
                prop_assert!(schedule.next_after(at("2026-01-01T00:00:00Z")).is_some());
            }
        }

        #[test]
        fn ticks_move_forward_and_lie_on_whole_minutes(
            minute in 0_u8..60, hour in 0_u8..24, start in 1_700_000_000_i64..1_900_000_000, wild in 0..3,
        ) {
            let cron = match wild {
                0 => format!("{minute} {hour} * * *"),
                1 => format!("{minute} * * * *"),
                _ => format!("*/{} {hour} * * *", minute.max(1)),
            };
            for timezone in ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Nuuk"] {
                let schedule = Schedule::parse(&cron, timezone).unwrap();
                let mut last = Timestamp::from_second(start).unwrap();
                for _ in 0..20 {
                    let next = schedule.next_after(last).unwrap();
                    prop_assert!(next > last);
                    prop_assert_eq!(next.as_second() % 60, 0);
                    // Nothing is due in between: asked a second before, the answer is the same.
                    let before = next.checked_sub(SignedDuration::from_secs(1)).unwrap();
                    prop_assert_eq!(schedule.next_after(before.max(last)), Some(next));
                    last = next;
                }
            }
        }
    }
}
