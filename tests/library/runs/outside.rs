//! What was done by reading a procedure counts, beside what was executed and apart from it.

use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, Protocol, RawClient, eventually, text},
};

/// Nobody can automate it.
const RUNBOOK: &str = "restore_from_tape";

const STEPS: [&str; 3] = ["Fetch the tape", "Mount it", "Copy it back"];

const CODE: &str = "def halve(number: int) -> int:\n    \"\"\"Halve.\"\"\"\n    if number % 2:\n        raise ValueError('odd')\n    \
                    return number // 2\n";

fn runbook(client: &mut RawClient) {
    client.ok("remember_procedure", json!({"name": RUNBOOK, "steps": STEPS}));
}

fn record(client: &mut RawClient, name: &str, outcome: &str) -> Value {
    client.ok("record_outcome", json!({"procedure_id": name, "outcome": outcome}))
}

fn stats(client: &mut RawClient, name: &str) -> Value {
    let mut stats = client.ok("get_procedure_stats", json!({"procedure_id": name}));
    stats.as_object_mut().unwrap().remove("timestamp");
    stats
}

#[test]
fn what_was_done_by_hand_is_counted_where_nothing_can_be_executed() {
    let home = Home::new();
    let mut client = home.start();
    runbook(&mut client);
    let before = stats(&mut client, RUNBOOK);
    assert_eq!(before["reported_stats"], json!({"success": 0, "failure": 0, "skipped": 0}));
    let first = client.ok(
        "record_outcome",
        json!({"procedure_id": RUNBOOK, "outcome": "success", "duration_ms": 90_000, "notes": "  The second drive.  ",
               "evidence": {"checksum": "ab12", "files": 3}}),
    );
    assert_eq!((&first["usage_count"], &first["success_rate"]), (&json!(1), &json!(1.0)), "{first}");
    client.ok("record_outcome", json!({"procedure_id": RUNBOOK, "outcome": "failure", "duration_ms": 30_000.0}));
    record(&mut client, RUNBOOK, "success");
    let skipped = record(&mut client, RUNBOOK, "skipped");
    assert_eq!(skipped["usage_count"], json!(3), "what was not done is no use: {skipped}");
    let stats = stats(&mut client, RUNBOOK);
    assert_eq!(stats["usage_count"], json!(3));
    assert!((stats["success_rate"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9, "{stats}");
    let reported = &stats["reported_stats"];
    assert_eq!((&reported["success"], &reported["failure"], &reported["skipped"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!((&reported["avg_ms"], &reported["last_notes"]), (&json!(60_000.0), &json!("The second drive.")));
    assert!(text(reported, "last_reported_at").ends_with('Z'), "{reported}");
    // (0.5 × 4 + 2) / (4 + 3)
    assert_eq!(stats["reported_confidence"], json!(0.57));
    let executed = &stats["execution_stats"];
    assert_eq!((&executed["success"], &executed["failure"], &executed["skipped"]), (&json!(0), &json!(0), &json!(0)));
    assert!(executed.get("last_run_at").is_none() && executed.get("p50_ms").is_none(), "{executed}");
    let by_version = json!([{"version": 1, "success": 0, "failure": 0, "reported_success": 2, "reported_failure": 1}]);
    assert_eq!(executed["by_version"], by_version);
    // What was said stays readable, and things can be linked to it.
    let run = client.ok("get_run", json!({"run_id": first["run_id"]}));
    assert_eq!((&run["reported"], &run["notes"]), (&json!(true), &json!("The second drive.")), "{run}");
    let evidence = client.ok("get_run", json!({"run_id": first["run_id"], "read": "result"}));
    assert_eq!(
        serde_json::from_str::<Value>(text(&evidence, "text")).unwrap(),
        json!({"checksum": "ab12", "files": 3})
    );
    let photo = json!({"type": "photo", "uri": "https://example.org/tape.jpg"});
    client.ok("link_artifact", json!({"memory_type": "run", "memory_id": first["run_id"], "artifact": photo}));
    let runs = client.ok("list_runs", json!({"procedure_id": RUNBOOK}));
    let marked = runs["runs"].as_array().unwrap().iter().filter(|run| run["reported"] == json!(true)).count();
    assert_eq!((&runs["count"], marked), (&json!(4), 4), "{runs}");
}

#[test]
fn reports_say_nothing_of_the_code_and_executions_nothing_of_reading() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "halve", "steps": ["Halve the number"], "code": CODE}));
    let execute = |client: &mut RawClient, number: i64| {
        client.call("execute_procedure", json!({"procedure_id": "halve", "parameters": {"number": number}}));
    };
    (0..6).for_each(|_| execute(&mut client, 4));
    execute(&mut client, 3);
    let before = stats(&mut client, "halve");
    (0..9).for_each(|_| drop(record(&mut client, "halve", "failure")));
    let after = stats(&mut client, "halve");
    assert_eq!(after["code_confidence"], before["code_confidence"], "nobody tried the code");
    assert_eq!(after["avg_completion_time_ms"], before["avg_completion_time_ms"]);
    for field in ["success", "failure", "skipped", "paused", "p50_ms", "p95_ms", "last_run_at", "last_error", "trend"] {
        assert_eq!(after["execution_stats"][field], before["execution_stats"][field], "{field}");
    }
    assert!(before.get("reported_confidence").is_none(), "{before}");
    assert!(after["reported_confidence"].as_f64().unwrap() < 0.2, "{after}");
    // Together they say how often it helped, and that is what it is ranked by.
    assert!((after["success_rate"].as_f64().unwrap() - 6.0 / 16.0).abs() < 1e-9, "{after}");
    let found = client.ok("recall_procedures", json!({"query": "halve"}));
    assert_eq!(found["procedures"][0]["usage_count"], json!(16), "{found}");
    let read = after["reported_confidence"].clone();
    (0..3).for_each(|_| execute(&mut client, 4));
    let last = stats(&mut client, "halve");
    assert_eq!(last["reported_confidence"], read);
    assert!(last["code_confidence"].as_f64() > before["code_confidence"].as_f64(), "{last}");
}

#[test]
fn what_was_reported_belongs_to_the_steps_that_were_read() {
    let home = Home::new();
    let mut client = home.start();
    runbook(&mut client);
    (0..4).for_each(|_| drop(record(&mut client, RUNBOOK, "failure")));
    let failed = stats(&mut client, RUNBOOK)["reported_confidence"].clone();
    client.ok("update_procedure", json!({"procedure_id": RUNBOOK, "description": "Takes a night."}));
    assert_eq!(stats(&mut client, RUNBOOK)["reported_confidence"], failed, "there is the same to read");
    client.ok("update_procedure", json!({"procedure_id": RUNBOOK, "steps": ["Fetch both tapes", "Copy them back"]}));
    assert!(stats(&mut client, RUNBOOK).get("reported_confidence").is_none(), "nobody has tried the new steps");
    record(&mut client, RUNBOOK, "success");
    let stats_now = stats(&mut client, RUNBOOK);
    assert_eq!(stats_now["reported_confidence"], json!(0.6));
    assert_eq!(stats_now["reported_stats"]["failure"], json!(4), "what happened stays counted");
    client.ok("update_procedure", json!({"procedure_id": RUNBOOK, "steps": STEPS}));
    assert_eq!(stats(&mut client, RUNBOOK)["reported_confidence"], failed);
    let known = stats(&mut client, RUNBOOK);
    assert!(client.close().success());
    succeed(&home, &["doctor", "--rebuild"]);
    assert_eq!(stats(&mut home.start(), RUNBOOK), known, "a rebuilt index keeps what was reported");
}

#[test]
fn reports_that_make_no_sense_are_refused_and_count_nothing() {
    let home = Home::new();
    let mut client = home.start();
    runbook(&mut client);
    let refused = |client: &mut RawClient, wrong: Value, code: &str| {
        let mut call = json!({"procedure_id": RUNBOOK, "outcome": "success"});
        call.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        client.refused("record_outcome", call, code)
    };
    for wrong in [
        json!({"outcome": "paused"}),
        json!({"outcome": "great"}),
        json!({"duration_ms": -1}),
        json!({"duration_ms": 1e15}),
        json!({"notes": "x".repeat(20_001)}),
        json!({"evidence": ["x".repeat(70_000)]}),
        json!({"result": 5}),
    ] {
        refused(&mut client, wrong, "invalid_argument");
    }
    refused(&mut client, json!({"procedure_id": "restore_from_tap"}), "procedure_not_found");
    assert_eq!(stats(&mut client, RUNBOOK)["usage_count"], json!(0));
    assert_eq!(client.ok("list_runs", json!({}))["count"], json!(0));
    // Nothing was executed that could be gone on with or stopped.
    let run = record(&mut client, RUNBOOK, "success")["run_id"].clone();
    client.refused("resume_run", json!({"run_id": run}), "run_not_paused");
    client.ok("delete_procedure", json!({"procedure_id": RUNBOOK}));
    refused(&mut client, json!({}), "procedure_deleted");
    let mut reading = home.start_with(&["--read-only"], Protocol::V2025);
    assert!(reading.tools().iter().all(|tool| tool["name"] != json!("record_outcome")));
}

#[test]
fn only_what_somebody_sees_is_reported_on_and_only_they_read_what_was_said() {
    let home = Home::new();
    let start = |user: &str| home.start_with(&["--user", user], Protocol::V2025);
    let (mut ada, mut bob) = (start("ada"), start("bob"));
    ada.ok("remember_procedure", json!({"name": "mine", "steps": ["Keep it"]}));
    ada.ok("remember_procedure", json!({"name": "ours", "steps": ["Share it"], "is_shared": true}));
    bob.refused("record_outcome", json!({"procedure_id": "mine", "outcome": "failure"}), "procedure_not_found");
    assert_eq!(stats(&mut ada, "mine")["usage_count"], json!(0));
    let report = json!({"procedure_id": "ours", "outcome": "failure", "notes": "zarquon"});
    let run = bob.ok("record_outcome", report)["run_id"].clone();
    ada.refused("get_run", json!({"run_id": run}), "run_not_found");
    let seen = stats(&mut ada, "ours");
    assert_eq!(seen["reported_stats"]["failure"], json!(1));
    assert!(!seen.to_string().contains("zarquon"), "{seen}");
    assert_eq!(stats(&mut bob, "ours")["reported_stats"]["last_notes"], json!("zarquon"));
    let mut elsewhere = home.start_with(&["--user", "ada", "--tenant", "acme"], Protocol::V2025);
    elsewhere.refused("record_outcome", json!({"procedure_id": "ours", "outcome": "success"}), "procedure_not_found");
}

#[test]
fn the_terminal_reports_as_well_and_shows_both() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "halve", "steps": ["Halve the number"], "code": CODE}));
    client.ok("execute_procedure", json!({"procedure_id": "halve", "parameters": {"number": 8}}));
    let said = succeed(
        &home,
        &["record", "halve", "success", "--duration-ms", "1500", "--notes", "on paper", "--evidence", "{\"sheet\": 4}"],
    );
    assert!(said.starts_with("recorded `success` of `halve` (100% success of 2 uses) as run "), "{said}");
    succeed(&home, &["record", "halve", "failure", "--evidence", "the sheet is lost"]);
    let reported = stats(&mut client, "halve")["reported_stats"].clone();
    assert_eq!((&reported["success"], &reported["failure"]), (&json!(1), &json!(1)), "{reported}");
    let shown = succeed(&home, &["stats", "halve"]);
    for part in [
        "3 uses, 67% success",
        "executed: 1 succeeded, 0 failed",
        "reported: 1 succeeded, 1 failed, 0 skipped, mean 1500.00 ms, confidence 0.50",
        "last notes: on paper",
        "1 of 2",
    ] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    assert!(fail(&home, &["record", "quarter", "success"]).contains("`quarter`"));
    assert!(fail(&home, &["record", "halve", "success", "--duration-ms=-5"]).contains("`duration_ms` is -5"));
    assert!(!home.run(&["record", "halve", "paused"]).status.success());
    assert_eq!(stats(&mut client, "halve")["usage_count"], json!(3));
}

#[test]
fn totals_of_reports_stay_when_the_reports_are_too_old() {
    let home = Home::new();
    let mut client = home.start();
    runbook(&mut client);
    (0..3).for_each(|_| drop(record(&mut client, RUNBOOK, "success")));
    let known = stats(&mut client, RUNBOOK);
    client.close();
    let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    let age = 100 * 24 * 60 * 60 * 1000_i64;
    database.execute("UPDATE runs SET started_at = started_at - ?1, finished_at = finished_at - ?1", [age]).unwrap();
    drop(database);
    let mut client = home.start();
    eventually("all reports are gone", || client.ok("list_runs", json!({}))["count"] == json!(0));
    assert_eq!(stats(&mut client, RUNBOOK), known);
}
