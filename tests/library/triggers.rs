//! What starts procedures by itself: situations, events, and the clock of several servers on one home.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::{Home, RawClient, eventually, remember, text};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// A procedure with a trigger, whose code returns what it was given.
fn triggered(client: &mut RawClient, name: &str, trigger: Value, code: &str) -> i64 {
    let answer =
        client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "trigger": trigger, "code": code}));
    answer["procedure_id"].as_i64().unwrap()
}

fn returning(name: &str, signature: &str, value: &str) -> String {
    format!("def {name}({signature}) -> object:\n    \"\"\"Return it.\"\"\"\n    return {value}\n")
}

fn matching(client: &mut RawClient, context: Value) -> Vec<String> {
    let answer = client.ok("match_procedures", json!({"context": context}));
    let procedures = answer["procedures"].as_array().unwrap();
    assert_eq!(answer["count"], json!(procedures.len()));
    procedures.iter().map(|procedure| text(procedure, "name").to_owned()).collect()
}

fn emit(client: &mut RawClient, event_type: &str, payload: Value) -> Vec<Value> {
    let answer = client.ok("emit_event", json!({"event_type": event_type, "payload": payload}));
    let runs = answer["runs"].as_array().unwrap();
    assert_eq!(answer["count"], json!(runs.len()));
    runs.clone()
}

fn database(home: &Home) -> Connection {
    let connection = Connection::open(home.path().join("repertoire.db")).unwrap();
    connection.busy_timeout(crate::common::PATIENCE).unwrap();
    connection
}

fn number(home: &Home, sql: &str) -> i64 {
    database(home).query_row(sql, [], |row| row.get(0)).unwrap()
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Makes the next tick of all schedules one that was due then.
fn make_due(home: &Home, at: i64) {
    database(home).execute("UPDATE schedules SET next_due = ?1", [at]).unwrap();
}

fn run_count(client: &mut RawClient, name: &str) -> i64 {
    client.ok("get_procedure", json!({"procedure_id": name}))["run_count"].as_i64().unwrap()
}

#[test]
fn a_situation_finds_what_fits_it() {
    let home = Home::new();
    let mut client = home.start();
    let shapes = [
        ("plain", json!({"event": "meeting_completed", "lead.stage": "qualified"})),
        ("other_value", json!({"event": "meeting_completed", "lead.stage": "new"})),
        ("event", json!({"type": "event", "event_type": "ended", "event_filter": {"source": "calendar"}})),
        ("other_source", json!({"type": "event", "event_type": "ended", "event_filter": {"source": "mail"}})),
        (
            "high",
            json!({"type": "condition", "condition_field": "lead.score", "condition_operator": "gt", "condition_value": 0.8}),
        ),
        ("low", json!({"type": "condition", "field": "lead.score", "op": "lt", "value": 0.5})),
        ("tagged", json!({"type": "condition", "field": "lead.tags", "op": "contains", "value": "vip"})),
        ("clock", json!({"type": "time", "cron_expression": "0 6 * * 1-5", "timezone": "America/New_York"})),
    ];
    for (name, trigger) in shapes {
        client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "trigger": trigger}));
    }
    let meeting = json!({"event": "meeting_completed", "lead": {"stage": "qualified", "score": 0.9, "tags": ["vip"]}});
    let mut found = matching(&mut client, meeting);
    found.sort();
    assert_eq!(found, ["high", "plain", "tagged"]);
    assert_eq!(matching(&mut client, json!({"event_type": "ended", "source": "calendar"})), ["event"]);
    assert_eq!(matching(&mut client, json!({"event_type": "ended"})), [""; 0]);
    assert_eq!(matching(&mut client, json!({"lead": {"score": 0}})), ["low"]);
    assert_eq!(matching(&mut client, json!({"lead": {"score": null}})), [""; 0]);
    assert_eq!(matching(&mut client, json!({})), [""; 0]);
}

#[test]
fn what_succeeds_is_found_first_and_what_is_off_never() {
    let home = Home::new();
    let mut client = home.start();
    let trigger = json!({"situation": "build broke"});
    let half = "def half(fail: bool) -> int:\n    \"\"\"Fail on demand.\"\"\"\n    if fail:\n        \
                raise ValueError('no')\n    return 1\n";
    triggered(&mut client, "half", trigger.clone(), half);
    triggered(&mut client, "failing", trigger.clone(), "def failing() -> int:\n    raise ValueError('no')\n");
    for name in ["once", "twice", "untried", "disabled", "archived", "candidate", "deleted"] {
        triggered(&mut client, name, trigger.clone(), &returning(name, "", "1"));
    }
    for (name, parameters) in [
        ("once", json!({})),
        ("twice", json!({})),
        ("twice", json!({})),
        ("failing", json!({})),
        ("half", json!({"fail": false})),
        ("half", json!({"fail": true})),
        ("disabled", json!({})),
        ("archived", json!({})),
        ("candidate", json!({})),
        ("deleted", json!({})),
    ] {
        client.call("execute_procedure", json!({"procedure_id": name, "parameters": parameters}));
    }
    client.ok("update_procedure", json!({"procedure_id": "disabled", "enabled": false}));
    client.ok("update_procedure", json!({"procedure_id": "archived", "status": "archived"}));
    client.ok("update_procedure", json!({"procedure_id": "candidate", "status": "candidate"}));
    client.ok("delete_procedure", json!({"procedure_id": "deleted"}));
    let found = matching(&mut client, json!({"situation": "build broke"}));
    assert_eq!(found, ["twice", "once", "half", "untried", "failing"]);
    let best = client.ok("match_procedures", json!({"context": {"situation": "build broke"}, "limit": 1}));
    assert_eq!((&best["count"], &best["procedures"][0]["name"]), (&json!(1), &json!("twice")));
    client.ok("update_procedure", json!({"procedure_id": "disabled", "enabled": true}));
    assert_eq!(matching(&mut client, json!({"situation": "build broke"})).len(), 6);
}

#[test]
fn a_trigger_is_kept_changed_and_taken_away() {
    let home = Home::new();
    let mut client = home.start();
    let time = json!({"type": "time", "cron_expression": "0 6 * * 1-5", "timezone": "America/New_York"});
    client.ok("remember_procedure", json!({"name": "prep", "steps": ["Do it"], "trigger": time}));
    let shown = client.ok("get_procedure", json!({"procedure_id": "prep"}));
    assert_eq!((&shown["trigger"], &shown["run_count"]), (&time, &json!(0)), "{shown}");
    assert!(shown.get("last_run_at").is_none(), "{shown}");
    assert_eq!(number(&home, "SELECT count(*) FROM schedules"), 1);
    let due = Timestamp::from_millisecond(number(&home, "SELECT next_due FROM schedules")).unwrap();
    let local = due.in_tz("America/New_York").unwrap();
    assert_eq!((local.hour(), local.minute()), (6, 0), "{local}");
    // As text, as some clients send objects.
    let event = json!({"type": "event", "event_type": "ended", "event_filter": {}});
    client.ok("update_procedure", json!({"procedure_id": "prep", "trigger": event.to_string()}));
    assert_eq!(client.ok("get_procedure", json!({"procedure_id": "prep"}))["trigger"], event);
    assert_eq!(number(&home, "SELECT count(*) FROM schedules"), 0);
    client.ok("update_procedure", json!({"procedure_id": "prep", "trigger": {}}));
    assert!(client.ok("get_procedure", json!({"procedure_id": "prep"})).get("trigger").is_none());
    assert_eq!(matching(&mut client, json!({"event_type": "ended"})), [""; 0]);
    let refused = [
        (json!({"type": "sometimes"}), "`type` is `\"sometimes\"`"),
        (json!({"type": "time", "cron_expression": "0 0 6 * * 1"}), "has 6 fields"),
        (json!({"type": "time", "cron_expression": "0 0 30 2 *"}), "never comes"),
        (json!({"type": "time", "cron_expression": "*/90 * * * *"}), "every 90 minutes takes two"),
        (json!({"type": "time", "cron_expression": "0 */25 * * *"}), "once a day is `0 0 * * *`"),
        (json!({"type": "time", "cron_expression": "* * * * *", "timezone": "Mars"}), "`timezone`"),
        (json!({"type": "condition", "condition_field": "x", "condition_operator": "gt"}), "`condition_value`"),
    ];
    for (trigger, message) in refused {
        let arguments = json!({"procedure_id": "prep", "trigger": trigger});
        let error = client.refused("update_procedure", arguments, "invalid_argument");
        assert!(error.contains("`trigger`") && error.contains(message), "{error}");
    }
}

#[test]
fn an_event_runs_what_it_calls_for_with_its_payload() {
    let home = Home::new();
    let mut client = home.start();
    let ended = json!({"type": "event", "event_type": "meeting_ended", "event_filter": {"source": "calendar"}});
    let alert = json!({"type": "condition", "condition_field": "signal.relevance_score", "condition_operator": "gt",
                       "condition_value": 0.8, "condition_entity": "market_signal"});
    triggered(&mut client, "notes", ended.clone(), &returning("notes", "title: str, count: int = 3", "[title, count]"));
    triggered(&mut client, "whole", ended.clone(), &returning("whole", "event: dict", "event"));
    triggered(&mut client, "picky", ended.clone(), &returning("picky", "room: str", "room"));
    triggered(&mut client, "failing", ended, "def failing() -> int:\n    raise ValueError('no')\n");
    triggered(&mut client, "alert", alert, &returning("alert", "signal: dict", "signal['relevance_score']"));
    triggered(&mut client, "situation", json!({"title": "Sales"}), &returning("situation", "", "1"));

    let payload = json!({"source": "calendar", "title": "Sales"});
    let runs = emit(&mut client, "meeting_ended", payload.clone());
    let run = |name: &str| runs.iter().find(|run| run["name"] == json!(name)).unwrap_or_else(|| panic!("{runs:?}"));
    assert_eq!(runs.len(), 4, "{runs:?}");
    assert_eq!((&run("notes")["outcome"], &run("notes")["result"]), (&json!("success"), &json!(["Sales", 3])));
    assert_eq!(run("whole")["result"], json!({"event_type": "meeting_ended", "payload": payload}));
    assert_eq!((&run("failing")["outcome"], &run("failing")["error_code"]), (&json!("failure"), &json!("run_failed")));
    assert_eq!(run("picky")["error_code"], json!("invalid_parameters"), "{runs:?}");
    assert!(text(run("picky"), "error").contains("`room`"), "{runs:?}");
    let refused = client.ok("get_run", json!({"run_id": run("picky")["run_id"]}));
    assert_eq!(refused["status"], json!("failed"), "{refused}");

    let shown = client.ok("get_procedure", json!({"procedure_id": "notes"}));
    assert_eq!(shown["run_count"], json!(1), "{shown}");
    let ran: Timestamp = text(&shown, "last_run_at").parse().unwrap();
    assert!(Timestamp::now().duration_since(ran) < SignedDuration::from_mins(1), "{shown}");
    let listed = client.ok("get_run", json!({"run_id": run("notes")["run_id"]}));
    assert_eq!(listed["status"], json!("succeeded"), "{listed}");

    assert_eq!(emit(&mut client, "meeting_ended", json!({"source": "mail", "title": "Sales"})).len(), 0);
    assert_eq!(emit(&mut client, "meeting_begun", json!({"source": "calendar"})).len(), 0);
    let runs = emit(&mut client, "whatever", json!({"signal": {"relevance_score": 0.81}}));
    assert_eq!((runs.len(), &runs[0]["result"]), (1, &json!(0.81)), "{runs:?}");
    assert_eq!(emit(&mut client, "whatever", json!({"signal": {"relevance_score": 0.8}})).len(), 0);
    let error = client.refused("emit_event", json!({"event_type": " "}), "invalid_argument");
    assert!(error.contains("`event_type`"), "{error}");
}

/// Eight servers on one home, asked all at once to look at their schedules, tick after tick.
#[test]
fn each_tick_fires_once_however_many_servers_there_are() {
    let home = Home::new();
    let mut client = home.start();
    for name in ["minutely", "yearly"] {
        let cron = if name == "minutely" { "* * * * *" } else { "0 0 1 1 *" };
        let trigger = json!({"type": "time", "cron_expression": cron});
        triggered(&mut client, name, trigger, &returning(name, "", "1"));
    }
    drop(client);
    let missed = now_ms() / 60_000 * 60_000 - 3 * DAY_MS;
    make_due(&home, missed);
    let mut servers: Vec<RawClient> = (0..8).map(|_| home.start()).collect();
    let fired = |at: i64| number(&home, &format!("SELECT count(*) FROM ticks WHERE tick = {at} AND ended_at > 0"));
    eventually("the missed ticks fire", || fired(missed) == 2);
    for round in 1..=5 {
        let due = missed + round * 60_000;
        make_due(&home, due);
        // A change makes a server look at once.
        for (index, server) in servers.iter_mut().enumerate() {
            server
                .send_call("remember_procedure", json!({"name": format!("note_{round}_{index}"), "steps": ["Do it"]}));
        }
        eventually("the next ticks fire", || fired(due) == 2);
    }
    assert_eq!(run_count(&mut servers[0], "yearly"), 6);
    // The clock may have struck meanwhile: every tick has one run all the same.
    let unfinished = "SELECT count(*) FROM ticks WHERE ended_at IS NULL";
    eventually("all runs end", || number(&home, unfinished) == 0);
    let minutely = "procedure_id = (SELECT id FROM procedures WHERE name = 'minutely')";
    let ticks = number(&home, &format!("SELECT count(*) FROM ticks WHERE {minutely}"));
    assert_eq!(number(&home, &format!("SELECT count(*) FROM runs WHERE {minutely}")), ticks);
    assert!(ticks >= 6, "{ticks}");
    for server in servers {
        assert!(server.close().success(), "all of them were there until the end");
    }
    assert_eq!(number(&home, "SELECT count(*) FROM schedules WHERE next_due <= unixepoch() * 1000 - 60000"), 0);
}

#[test]
fn after_downtime_there_is_one_run_with_the_date_of_today() {
    let home = Home::new();
    let mut client = home.start();
    let trigger = json!({"type": "time", "cron_expression": "0 0 1 1 *", "timezone": "Europe/Berlin"});
    triggered(&mut client, "prep", trigger, &returning("prep", "date: str, scheduled_at: str", "[date, scheduled_at]"));
    drop(client);
    make_due(&home, 1_700_000_000_000);
    for _ in 0..2 {
        let mut client = home.start();
        eventually("the missed tick fires", || number(&home, "SELECT count(*) FROM ticks WHERE ended_at > 0") == 1);
        assert_eq!(run_count(&mut client, "prep"), 1);
        let runs = client.ok("list_runs", json!({"procedure_id": "prep"}));
        let run = client.ok("get_run", json!({"run_id": runs["runs"][0]["run_id"], "read": "result"}));
        let today = Timestamp::now().in_tz("Europe/Berlin").unwrap().date().to_string();
        let result: Value = serde_json::from_str(text(&run, "text")).unwrap();
        assert_eq!(result, json!([today, "2023-11-14T22:13:20Z"]), "{run}");
        let shown = client.ok("get_procedure", json!({"procedure_id": "prep"}));
        assert!(shown["last_run_at"].is_string(), "{shown}");
        assert!(client.close().success());
    }
    assert!(number(&home, "SELECT next_due FROM schedules") > now_ms());
}

#[test]
fn a_tick_that_its_server_did_not_come_to_start_is_started_by_another() {
    let home = Home::new();
    let mut client = home.start();
    let trigger = json!({"type": "time", "cron_expression": "0 0 1 1 *"});
    let id = triggered(&mut client, "prep", trigger, &returning("prep", "", "1"));
    client.kill();
    let claim = "INSERT INTO ticks VALUES (?1, ?2, 'a-session-that-is-gone', ?3, NULL)";
    database(&home).execute(claim, [id, now_ms() - 2000, now_ms() - 1000]).unwrap();
    let mut client = home.start();
    eventually("the tick is started", || number(&home, "SELECT count(*) FROM ticks WHERE ended_at > 0") == 1);
    assert_eq!(run_count(&mut client, "prep"), 1);
    drop(client);
    // One whose run was begun is left alone, and so is one of long ago.
    database(&home).execute(claim, [id, 1, now_ms() - 60_000]).unwrap();
    database(&home).execute(claim, [id, 2, now_ms() - 2 * DAY_MS]).unwrap();
    let mut client = home.start();
    eventually("the ticks are closed", || number(&home, "SELECT count(*) FROM ticks WHERE ended_at > 0") == 3);
    assert_eq!(run_count(&mut client, "prep"), 1);
}

#[test]
fn the_clock_leaves_alone_what_is_off() {
    let home = Home::new();
    let mut client = home.start();
    let trigger = json!({"type": "time", "cron_expression": "0 0 1 1 *"});
    for name in ["off", "gone", "on"] {
        triggered(&mut client, name, trigger.clone(), &returning(name, "", "1"));
    }
    client.ok("update_procedure", json!({"procedure_id": "off", "enabled": false}));
    client.ok("delete_procedure", json!({"procedure_id": "gone"}));
    assert_eq!(number(&home, "SELECT count(*) FROM schedules"), 1);
    client.ok("update_procedure", json!({"procedure_id": "off", "enabled": true, "description": "Back"}));
    make_due(&home, now_ms() - DAY_MS);
    client.ok("update_procedure", json!({"procedure_id": "off", "enabled": false}));
    remember(&mut client, "wakes_the_scheduler", &returning("wakes_the_scheduler", "", "1"));
    eventually("the tick fires", || number(&home, "SELECT count(*) FROM ticks WHERE ended_at > 0") == 1);
    assert_eq!(run_count(&mut client, "on"), 1);
    // What was off while its tick went by does not make up for it.
    client.ok("update_procedure", json!({"procedure_id": "off", "enabled": true}));
    assert!(number(&home, "SELECT min(next_due) FROM schedules") > now_ms());
    assert_eq!(run_count(&mut client, "off"), 0);
}

#[test]
fn a_read_only_server_keeps_no_schedules() {
    let home = Home::new();
    let mut client = home.start();
    let trigger = json!({"type": "time", "cron_expression": "0 0 1 1 *"});
    triggered(&mut client, "prep", trigger, &returning("prep", "", "1"));
    assert!(client.close().success());
    make_due(&home, now_ms() - DAY_MS);
    let mut client = home.start_with(&["--read-only"], crate::common::Protocol::V2025);
    assert_eq!(run_count(&mut client, "prep"), 0);
    assert!(client.close().success());
    assert_eq!(number(&home, "SELECT count(*) FROM ticks"), 0);
}
