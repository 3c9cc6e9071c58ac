//! A year of a home whose clock is kept by a daemon alone, which is ended and started again all the time: schedules across both
//! clock changes, and gates that close when their time is up.
#![cfg(target_os = "linux")]

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::{Home, PATIENCE, Protocol, RawClient, eventually, fake_clock::FakeClock, processes};

const ZONE: &str = "Europe/Berlin";

/// A procedure, when it was due, and the date that it is told.
type Run = (&'static str, &'static str, &'static str);

/// A home, its clock, and the daemon of the moment.
struct Desk {
    home: Home,
    clock: FakeClock,
    daemon: Option<RawClient>,
    /// How many moments there were.
    moments: usize,
    /// The last run that was looked at.
    seen: String,
}

impl Desk {
    /// None without a clock that can be set.
    fn new(now: &str) -> Option<Self> {
        let home = Home::new();
        let clock = FakeClock::beside(&home)?;
        clock.set(now);
        Some(Self { home, clock, daemon: None, moments: 0, seen: String::new() })
    }

    /// Remembers procedures with their cron expressions, through a server that ends before anything is due.
    fn remember(&self, procedures: &[(&str, &str, &str)]) {
        let mut client = self.clock.server(&self.home);
        client.open(Protocol::V2025);
        let beat = ("beat", "* * * * *", "def beat() -> int:\n    \"\"\"Beat.\"\"\"\n    return 1\n");
        for (name, cron, code) in procedures.iter().copied().chain([beat]) {
            let trigger = json!({"type": "time", "cron_expression": cron, "timezone": ZONE});
            client
                .ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "trigger": trigger, "code": code}));
        }
        assert!(client.close().success());
    }

    /// Sets the clock, and waits until a daemon has started all that is due then: the one that runs, or the next one after
    /// that was asked to end or killed.
    fn moment(&mut self, instant: &str) {
        self.moments += 1;
        match (self.daemon.take(), self.moments % 3) {
            (Some(daemon), 0) => {
                self.daemon = Some(daemon);
            }
            (Some(mut daemon), 1) => {
                processes::signal(daemon.process_id(), "TERM");
                assert!(daemon.wait_for_exit(PATIENCE).success(), "{}", daemon.log());
            }
            (Some(daemon), _) => daemon.kill(),
            (None, _) => {}
        }
        self.clock.set(instant);
        if self.daemon.is_none() {
            self.daemon = Some(self.clock.daemon(&self.home));
        }
        // What is due is taken at once, the beat of the minute with it.
        let at = instant.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let beat = "SELECT next_due FROM schedules JOIN procedures ON id = procedure_id WHERE name = 'beat'";
        eventually("the daemon has seen what time it is", || self.number(beat) > at);
        eventually("what was due is over", || self.number("SELECT count(*) FROM ticks WHERE ended_at IS NULL") == 0);
    }

    fn database(&self) -> Connection {
        let connection = Connection::open(self.home.path().join("repertoire.db")).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        connection
    }

    fn number(&self, sql: &str) -> i64 {
        self.database().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// What the runs of all procedures but the beat gave since it was asked last, by name.
    fn results(&mut self) -> Vec<(String, Value)> {
        let database = self.database();
        let mut statement = database
            .prepare(
                "SELECT runs.id, name, result FROM runs JOIN procedures ON procedures.id = procedure_id \
                 WHERE name <> 'beat' AND runs.id > ?1 ORDER BY runs.id",
            )
            .unwrap();
        let rows = statement.query_map([&self.seen], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        let rows: Vec<(String, String, Option<String>)> = rows.collect::<Result<_, _>>().unwrap();
        self.seen = rows.last().map_or_else(|| self.seen.clone(), |(id, ..)| id.clone());
        let mut results: Vec<(String, Value)> = rows
            .into_iter()
            .map(|(_, name, result)| (name, result.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())))
            .collect();
        results.sort_by(|(a, _), (b, _)| a.cmp(b));
        results
    }

    fn status(&self, name: &str) -> String {
        let sql = "SELECT runs.status FROM runs JOIN procedures ON procedures.id = procedure_id WHERE name = ?1";
        self.database().query_row(sql, [name], |row| row.get(0)).unwrap()
    }
}

fn telling(name: &str) -> String {
    format!(
        "def {name}(scheduled_at: str, date: str) -> list[str]:\n    \"\"\"Say when.\"\"\"\n    return [scheduled_at, date]\n"
    )
}

#[test]
fn schedules_are_kept_by_a_daemon_alone_across_both_clock_changes_of_a_year() {
    let Some(mut desk) = Desk::new("2027-03-27T04:59:00Z") else { return };
    let (morning, night) = (telling("morning"), telling("night"));
    desk.remember(&[("morning", "0 6 * * *", &morning), ("night", "30 2 * * *", &night)]);
    let year: [(&str, &[Run]); 11] = [
        // Six in the morning, an hour after midnight in London.
        ("2027-03-27T05:00:02Z", &[("morning", "2027-03-27T05:00:00Z", "2027-03-27")]),
        ("2027-03-28T00:59:30Z", &[]),
        // There is no half past two in this night: it comes right after the gap.
        ("2027-03-28T01:00:02Z", &[("night", "2027-03-28T01:00:00Z", "2027-03-28")]),
        ("2027-03-28T03:59:30Z", &[]),
        // Six in the morning is earlier now, looked at from London.
        ("2027-03-28T04:00:02Z", &[("morning", "2027-03-28T04:00:00Z", "2027-03-28")]),
        ("2027-03-29T00:30:02Z", &[("night", "2027-03-29T00:30:00Z", "2027-03-29")]),
        // The machine was off for half a year: what was missed is one run, with the date of today.
        (
            "2027-10-30T23:00:00Z",
            &[("morning", "2027-03-29T04:00:00Z", "2027-10-31"), ("night", "2027-03-30T00:30:00Z", "2027-10-31")],
        ),
        // Half past two comes twice in this night, and counts once.
        ("2027-10-31T00:30:02Z", &[("night", "2027-10-31T00:30:00Z", "2027-10-31")]),
        ("2027-10-31T01:30:02Z", &[]),
        ("2027-10-31T04:59:30Z", &[]),
        ("2027-10-31T05:00:02Z", &[("morning", "2027-10-31T05:00:00Z", "2027-10-31")]),
    ];
    for (instant, expected) in year {
        desk.moment(instant);
        let expected: Vec<(String, Value)> =
            expected.iter().map(|(name, due, date)| ((*name).to_owned(), json!([due, date]))).collect();
        assert_eq!(desk.results(), expected, "at {instant}");
    }
}

/// A day and a half are 36 hours, also where the clock is put forward in them.
#[test]
fn gates_close_when_their_time_is_up_and_not_before_while_only_daemons_come_and_go() {
    let Some(mut desk) = Desk::new("2027-03-27T05:00:00Z") else { return };
    let asking = |name: &str, seconds: u32| {
        format!(
            "from repertoire import approve\n\n\ndef {name}() -> str:\n    \"\"\"Ask.\"\"\"\n    \
             approve('Send it?', timeout={seconds})\n    return 'sent'\n"
        )
    };
    let (sooner, later) = (asking("sooner", 36 * 3600 - 300), asking("later", 36 * 3600));
    desk.remember(&[("sooner", "10 6 27 3 *", &sooner), ("later", "10 6 27 3 *", &later)]);
    desk.moment("2027-03-27T05:10:02Z");
    for name in ["sooner", "later"] {
        assert_eq!(desk.status(name), "paused");
    }
    desk.moment("2027-03-28T17:00:00Z");
    desk.moment("2027-03-28T17:08:00Z");
    eventually("the first gate closes", || desk.status("sooner") == "failed");
    assert_eq!(desk.status("later"), "paused");
    desk.moment("2027-03-28T17:12:00Z");
    eventually("the second gate closes", || desk.status("later") == "failed");
    let told = "SELECT count(*) FROM inbox WHERE title IN ('`sooner` failed', '`later` failed')";
    assert_eq!(desk.number(told), 2, "nobody was there to hear it");
}

/// Thirty hours of time, not of what the clock on the wall shows, which is put forward in them.
#[test]
fn a_wait_of_thirty_hours_ends_when_they_are_over_while_only_daemons_come_and_go() {
    let Some(mut desk) = Desk::new("2027-03-27T05:00:00Z") else { return };
    let code = "from repertoire import sleep\n\n\ndef waiting() -> str:\n    \"\"\"Wait.\"\"\"\n    sleep(30 * 3600)\n    return 'rested'\n";
    desk.remember(&[("waiting", "10 6 27 3 *", code)]);
    desk.moment("2027-03-27T05:10:02Z");
    eventually("it waits", || desk.status("waiting") == "paused");
    let due = desk.number("SELECT due_at FROM runs WHERE due_at IS NOT NULL");
    let expected = "2027-03-28T11:10:02Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert!((0..PATIENCE.as_millis()).contains(&(due.abs_diff(expected).into())), "{due}, {expected}");
    for before in ["2027-03-27T23:00:00Z", "2027-03-28T11:08:00Z"] {
        desk.moment(before);
        assert_eq!(desk.status("waiting"), "paused", "at {before}");
    }
    desk.moment("2027-03-28T11:12:00Z");
    eventually("it goes on", || desk.status("waiting") == "succeeded");
    assert_eq!(desk.results(), [("waiting".to_owned(), json!("rested"))]);
}
