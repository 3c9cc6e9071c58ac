//! When expressions are due, and which are refused.

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
    assert_eq!(ticks("0 0 29 2 *", "UTC", "2024-02-29T00:00:00Z", 2), ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
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
    for other in ["0 0 L * *", "0 0 15W * *", "0 0 * * 5#2", "0 0 ? * 1", "0 0 1 * +1", ", * * * *", "1,,2 * * * *"] {
        assert!(refusal(other, "UTC").contains("is not a valid"), "{other}");
    }
    for never in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 feb */2"] {
        assert!(refusal(never, "UTC").contains("never comes"), "{never}");
    }
    assert!(refusal("* * * * *", "Mars/Olympus").contains("`Mars/Olympus`"));
}

#[test]
fn a_step_over_the_whole_field_is_refused_with_the_way_to_say_it() {
    for (cron, said, instead) in [
        (
            "*/90 * * * *",
            "`*/90` in `*/90 * * * *` steps over the whole field: of minute (0 to 59) it names only 0",
            "30 1-22/3",
        ),
        ("*/60 * * * *", "`*/60`", "every hour is `0 * * * *`"),
        ("*/120 * * * *", "`*/120`", "every 2 hours is `0 */2 * * *`"),
        ("0 */25 * * *", "`*/25`", "once a day is `0 0 * * *`"),
        ("0 */24 * * *", "of hour (0 to 23) it names only 0", "once a day"),
        ("0 */48 * * *", "`*/48`", "every 2 days is `0 0 */2 * *`"),
        ("0 0 */31 * *", "of day of the month (1 to 31) it names only 1", "once a month"),
        ("0 0 1 */12 *", "`*/12`", "once a year"),
        ("0 0 * * */7", "`*/7`", "once a week"),
        ("0 9-17/9 * * *", "`9-17/9`", "once a day"),
        ("15-59/50 * * * *", "it names only 15", "once an hour is `15 * * * *`"),
        ("0 0 * jan-mar/3 *", "`jan-mar/3`", "once a year"),
        ("0 0 * * MON-FRI/5", "`MON-FRI/5`", "once a week"),
        ("0,*/99 * * * *", "`0,*/99`", "every hour"),
    ] {
        let refusal = refusal(cron, "UTC");
        assert!(refusal.contains(said) && refusal.contains(instead), "{cron}: {refusal}");
    }
    for fine in [
        "*/59 * * * *",
        "*/45 * * * *",
        "0 */23 * * *",
        "0 0 */30 * *",
        "0 0 1 */11 *",
        "0 0 * * */6",
        "5-10/5 * * * *",
    ] {
        assert!(Schedule::parse(fine, "UTC").is_ok(), "{fine}");
    }
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
