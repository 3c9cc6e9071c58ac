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
/// The values of the fields, with Sunday once.
const BOUNDS: [(u8, u8); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
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
    /// A step that is never taken: the field would name its first value only.
    #[error("`{field}` in `{expression}` steps over the whole field: of {kind} it names only {first}")]
    LongStep { expression: String, field: String, kind: &'static str, first: u8, instead: String },
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
            Self::LongStep { instead, .. } => instead,
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
        for (index, (field, kind)) in fields.iter().zip(FIELDS).enumerate() {
            if let Some(LongStep { step, first }) = long_step(index, field) {
                let (expression, instead) = (shown(), said_instead(index, step, first));
                return Err(ScheduleError::LongStep { expression, field: (*field).to_owned(), kind, first, instead });
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

/// A step beyond the end of what it steps through.
struct LongStep {
    step: u32,
    /// The only value that is left.
    first: u8,
}

/// Cron takes `*/90` for minutes as "every 90th of the minutes 0 to 59", which is minute 0 alone: a mistake, whoever wrote
/// it. The field is one that the parser has read.
fn long_step(index: usize, field: &str) -> Option<LongStep> {
    let (lowest, highest) = BOUNDS[index];
    field.split(',').find_map(|part| {
        let (range, step) = part.split_once('/')?;
        let step: u32 = step.parse().ok()?;
        let (first, last) = match range.split_once('-') {
            None if range == "*" => (lowest, highest),
            None => (value(index, range)?, highest),
            Some((first, last)) => (value(index, first)?, value(index, last)?),
        };
        (step > u32::from(last.saturating_sub(first))).then_some(LongStep { step, first })
    })
}

/// A number, or the name of a month or of a day.
fn value(index: usize, text: &str) -> Option<u8> {
    let names: &[&str] = match index {
        3 => &["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        4 => &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        _ => &[],
    };
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|at| u8::try_from(at).ok());
    text.parse().ok().or(named)
}

/// How to say what may have been meant by a step of `step` in the field `index`.
fn said_instead(index: usize, step: u32, first: u8) -> String {
    match (index, step) {
        (0, 60) => "every hour is `0 * * * *`".to_owned(),
        (0, _) if step.is_multiple_of(60) && step / 60 < 24 => {
            format!("every {} hours is `0 */{} * * *`", step / 60, step / 60)
        }
        (0, 90) => {
            "every 90 minutes takes two procedures or triggers, `0 0-21/3 * * *` and `30 1-22/3 * * *`; every hour is \
             `0 * * * *`, every two hours `0 */2 * * *`"
                .to_owned()
        }
        (0, _) if first > 0 => {
            format!("once an hour is `{first} * * * *`; a step is smaller than what it steps through")
        }
        (0, _) => {
            "every hour is `0 * * * *`, every two hours `0 */2 * * *`, several times a day `0 6,12,18 * * *`".to_owned()
        }
        (1, _) if step.is_multiple_of(24) && step / 24 > 1 && step / 24 < 31 => {
            format!("every {} days is `0 0 */{} * *`, counted from the first of the month", step / 24, step / 24)
        }
        (1, _) => "once a day is `0 0 * * *`, every second day of a month `0 0 */2 * *`".to_owned(),
        (2, _) => "once a month is `0 0 1 * *`, every second month `0 0 1 */2 *`".to_owned(),
        (3, _) => "once a year is `0 0 1 1 *`".to_owned(),
        _ => "once a week is `0 0 * * 1`, on a Monday".to_owned(),
    }
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
#[path = "schedule_tests.rs"]
mod tests;
