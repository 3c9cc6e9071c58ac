//! Waiting for the clock: without a process, without time of the run, and exactly once when it is due.

use std::fs;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::{Home, RawClient, eventually, execute_code, remember, text, toml_path};

fn view(client: &mut RawClient, run: &str) -> Value {
    client.ok("get_run", json!({"run_id": run}))
}

/// The seconds from now until a time in an answer.
#[track_caller]
fn seconds_until(answer: &Value) -> i64 {
    let until: Timestamp = text(answer, "waits_until").parse().unwrap();
    until.as_second() - Timestamp::now().as_second()
}

#[track_caller]
fn define(client: &mut RawClient, name: &str, steps: Value) {
    client.ok("remember_procedure", json!({"name": name, "steps": steps}));
    let generated = client.ok("generate_procedure_code", json!({"procedure_id": name, "use_llm": false}));
    let issues = generated["issues"].as_array().unwrap();
    assert!(issues.iter().all(|issue| issue["severity"] == json!("info")), "{generated}");
}

#[test]
fn a_long_wait_pauses_the_run_and_says_until_when() {
    let home = Home::new();
    let mut client = home.start();
    for (name, import, call) in [
        ("asleep", "from repertoire import sleep", "sleep(108000)"),
        ("pythons", "import time", "time.sleep(108000)"),
        ("until", "from repertoire import sleep_until", "sleep_until(day, timezone='Europe/Berlin')"),
    ] {
        let in_thirty_hours = (Timestamp::now() + jiff::SignedDuration::from_hours(30)).in_tz("Europe/Berlin").unwrap();
        let day = in_thirty_hours.datetime().to_string();
        let code = format!("{import}\n\ndef {name}(day: str) -> str:\n    {call}\n    return 'rested'\n");
        remember(&mut client, name, &code);
        let paused = client.ok("execute_procedure", json!({"procedure_id": name, "parameters": {"day": day}}));
        assert_eq!(paused["outcome"], json!("paused"), "{paused}");
        assert!((107_900..=108_000).contains(&seconds_until(&paused)), "{paused}");
        let run = text(&paused, "run_id").to_owned();
        let seen = view(&mut client, &run);
        assert_eq!((&seen["status"], &seen["waits_until"]), (&json!("paused"), &paused["waits_until"]), "{seen}");
        let listed = client.ok("list_runs", json!({"status": "paused"}));
        assert_eq!(listed["runs"][0]["waits_until"], paused["waits_until"], "{listed}");
        assert_eq!(client.ok("list_inbox", json!({}))["count"], json!(0), "nobody has to do anything");
        for arguments in [json!({"run_id": run}), json!({"run_id": run, "decision": "approve"})] {
            let refusal = client.refused("resume_run", arguments, "invalid_argument");
            assert!(refusal.contains(text(&paused, "waits_until")) && refusal.contains("by itself"), "{refusal}");
        }
        client.ok("cancel_run", json!({"run_id": run}));
        assert_eq!(view(&mut client, &run)["status"], json!("cancelled"));
    }
    #[cfg(target_os = "linux")]
    assert!(crate::common::processes::workers_of(client.process_id()).len() <= 1);
}

/// A run that asks, and beside that sleeps and then notes in a file that it did. Its server is gone.
fn left_waiting(home: &Home, seconds: u32) -> String {
    let folder = home.beside("work");
    home.configure(&format!("[policy]\nwrite = [{}]\n[limits]\nseconds = 2\n", toml_path(&folder)));
    let mut client = home.start();
    let code = format!(
        r#"
import asyncio
from repertoire import approve, sleep


async def nap(folder: str) -> str:
    """Ask, and sleep."""
    async def rest() -> str:
        await sleep({seconds})
        with open(f"{{folder}}/rested", "a") as file:
            file.write("x")
        return "rested"
    async def ask() -> str:
        await approve("Go?")
        return "went"
    return await asyncio.gather(rest(), ask())
"#
    );
    remember(&mut client, "nap", &code);
    let paused = client.ok("execute_procedure", json!({"procedure_id": "nap", "parameters": {"folder": folder}}));
    assert_eq!((&paused["status"], &paused["waiting_for"]), (&json!("paused"), &json!("Go?")), "{paused}");
    client.kill();
    text(&paused, "run_id").to_owned()
}

fn rested(home: &Home) -> String {
    fs::read_to_string(home.beside("work").join("rested")).unwrap_or_default()
}

#[test]
fn whoever_keeps_the_clock_goes_on_exactly_once() {
    let home = Home::new();
    let run = left_waiting(&home, 4);
    let mut clients: Vec<RawClient> = (0..4).map(|_| home.start()).collect();
    eventually("its time has come", || rested(&home) == "x");
    eventually("it waits again", || view(&mut clients[0], &run)["status"] == json!("paused"));
    let ended = clients[1].ok("resume_run", json!({"run_id": run, "decision": "approve"}));
    assert_eq!(ended["result"], json!(["rested", "went"]), "{ended}");
    assert!(ended["duration_seconds"].as_f64().unwrap() < 2.0, "waiting is no time of the run: {ended}");
    drop(clients);
    assert_eq!(rested(&home), "x");
}

#[test]
fn what_was_due_while_nobody_kept_the_clock_goes_on_with_the_next() {
    let home = Home::new();
    let run = left_waiting(&home, 3);
    eventually("its time has passed", || {
        let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
        let sql = "SELECT due_at FROM runs WHERE id = ?1";
        database.query_row(sql, [&run], |row| row.get::<_, i64>(0)).unwrap() < Timestamp::now().as_millisecond()
    });
    assert_eq!(rested(&home), "", "nobody was there");
    let mut client = home.start();
    eventually("it goes on", || rested(&home) == "x");
    eventually("it waits again", || view(&mut client, &run)["status"] == json!("paused"));
}

#[test]
fn a_wait_in_a_server_that_is_killed_goes_on_in_the_next() {
    let home = Home::new();
    let mut client = home.start();
    remember(
        &mut client,
        "nap",
        "from repertoire import log, sleep\n\ndef nap() -> int:\n    log('begun')\n    sleep(5)\n    return 1\n",
    );
    client.send_call("execute_procedure", json!({"procedure_id": "nap"}));
    let mut run = String::new();
    let mut watching = home.start();
    eventually("it sleeps", || {
        let runs = watching.ok("list_runs", json!({}));
        run = runs["runs"][0]["run_id"].as_str().unwrap_or_default().to_owned();
        !run.is_empty() && view(&mut watching, &run)["calls"][0]["function"] == json!("log")
    });
    client.kill();
    eventually("it ends", || view(&mut watching, &run)["status"] == json!("succeeded"));
}

#[test]
fn a_short_wait_takes_nothing_of_the_time_of_its_run() {
    let home = Home::with_config("[limits]\nseconds = 2\n");
    let mut client = home.start();
    for (name, head, call) in [
        ("short", "from repertoire import sleep\n\ndef", "sleep(4)"),
        (
            "gathered",
            "import asyncio\nfrom repertoire import sleep\n\nasync def",
            "await asyncio.gather(sleep(4), asyncio.sleep(3))",
        ),
    ] {
        let answer = execute_code(&mut client, name, &format!("{head} {name}() -> int:\n    {call}\n    return 1\n"));
        assert_eq!(answer["result"], json!(1), "{answer}");
        assert!(answer["duration_seconds"].as_f64().unwrap() < 2.0, "{answer}");
    }
}

#[test]
fn what_else_is_open_is_asked_while_the_rest_sleeps() {
    let home = Home::new();
    let mut client = home.start();
    let code = r#"
import asyncio
from repertoire import approve, notify


async def later() -> str:
    await asyncio.sleep(90000)
    return "slept"


async def both() -> list:
    """Ask, and sleep."""
    async def ask() -> str:
        await approve("Go?")
        notify("it went")
        return "went"
    return await asyncio.gather(later(), ask())
"#;
    let paused = execute_code(&mut client, "both", code);
    assert_eq!((&paused["outcome"], &paused["waiting_for"]), (&json!("paused"), &json!("Go?")), "{paused}");
    let went = client.ok("resume_run", json!({"run_id": paused["run_id"], "decision": "approve"}));
    assert_eq!(went["outcome"], json!("paused"), "{went}");
    assert!((89_000..=90_000).contains(&seconds_until(&went)), "{went}");
    assert!(client.ok("list_inbox", json!({})).to_string().contains("it went"));
}

#[test]
fn steps_wait_however_they_say_it() {
    let home = Home::new();
    let mut client = home.start();
    let typed = |config: Value| json!({"step_id": "pause", "action_type": "wait", "config": config});
    for (name, step, seconds) in [
        ("short_form", json!({"action": "wait", "duration_hours": 24}), 86_400),
        ("typed", typed(json!({"duration_days": 1, "duration_hours": 6})), 108_000),
        ("with_variable", typed(json!({"duration_minutes": "{minutes}"})), 7200),
    ] {
        define(
            &mut client,
            name,
            json!([step, {"step_id": "tell", "action_type": "send_notification", "config": {"message": "Now"}}]),
        );
        let parameters = if name == "with_variable" { json!({"minutes": "120"}) } else { json!({}) };
        let paused = client.ok("execute_procedure", json!({"procedure_id": name, "parameters": parameters}));
        assert!((seconds - 60..=seconds).contains(&seconds_until(&paused)), "{name}: {paused}");
        let seen = view(&mut client, text(&paused, "run_id"));
        assert_eq!((&seen["current_step"], &seen["steps_completed"]), (&json!(1), &json!(0)), "{seen}");
    }
    define(&mut client, "at_six", json!([typed(json!({"until": "06:00", "timezone": "Europe/Berlin"}))]));
    let paused = client.ok("execute_procedure", json!({"procedure_id": "at_six"}));
    if paused["outcome"] == json!("paused") {
        let until: Timestamp = text(&paused, "waits_until").parse().unwrap();
        assert_eq!(until.in_tz("Europe/Berlin").unwrap().strftime("%H:%M").to_string(), "06:00");
    }
    // What is written is what is kept.
    let kept = client.ok("get_procedure", json!({"procedure_id": "short_form"}));
    assert_eq!(kept["definition"]["steps"][0], json!({"action": "wait", "duration_hours": 24}), "{kept}");
    for (config, why) in [(json!({}), "needs `duration_hours`"), (json!({"hours": 3}), "a wait has no `hours`")] {
        let steps = json!([typed(config)]);
        let refusal = client.refused("remember_procedure", json!({"name": "odd", "steps": steps}), "invalid_argument");
        assert!(refusal.contains(why), "{refusal}");
    }
}

#[test]
fn a_wait_ends_with_the_time_of_its_call() {
    let home = Home::new();
    let mut client = home.start();
    define(&mut client, "waits", json!([{"action": "wait", "duration_hours": 24}]));
    let call = json!({"step_id": "call", "action_type": "run_skill", "config": {"skill_id": "waits"},
        "timeout_seconds": 3, "on_failure": "skip"});
    define(&mut client, "outer", json!([call]));
    let answer = client.ok("execute_procedure", json!({"procedure_id": "outer"}));
    let run = text(&answer, "run_id").to_owned();
    eventually("it goes on", || view(&mut client, &run)["status"] == json!("succeeded"));
    let output = client.ok("get_run", json!({"run_id": run, "read": "output"}));
    assert!(text(&output, "text").contains("`waits` was stopped after 3 s"), "{output}");
}
