//! What is too old or too much goes; totals, and what somebody waits for or has linked, stay.

use serde_json::{Value, json};

use super::{MEASURE, count_runs, database, length, measure, stats};
use crate::{
    cli::commands::succeed,
    common::{Home, RawClient, eventually, remember, text},
};

const HUNDRED_DAYS: i64 = 100 * 24 * 60 * 60 * 1000;

const WAIT: &str = "from repertoire import manual_step\n\n\ndef wait(text: str) -> int:\n    manual_step('Look')\n    return len(text)\n";
const FAIL: &str = "def fail(text: str) -> int:\n    raise ValueError('no ' + str(len(text)))\n";
const TELL: &str = "from repertoire import notify, create_task\n\n\ndef tell(word: str) -> None:\n    notify(word)\n    create_task(word)\n";

#[test]
fn the_oldest_runs_go_when_they_are_too_many_and_the_database_stays_as_large_as_it_is() {
    let home = Home::with_config("[retention]\nmax_mib = 1\n");
    let mut client = home.start();
    remember(&mut client, "measure", MEASURE);
    remember(&mut client, "wait", WAIT);
    let long = json!({"text": "y".repeat(200_000)});
    let paused = client.ok("execute_procedure", json!({"procedure_id": "wait", "parameters": long}))["run_id"].clone();
    let linked = measure(&mut client, 200_000);
    let artifact = json!({"type": "report", "uri": "https://example.org/report"});
    client.ok("link_artifact", json!({"memory_type": "run", "memory_id": linked, "artifact": artifact}));
    let oldest = measure(&mut client, 200_000);
    let mut largest = 0;
    for round in 1..=6 {
        (0..10).for_each(|_| drop(measure(&mut client, 200_000)));
        let known = stats(&mut client, "measure");
        assert_eq!(known["execution_stats"]["success"], 2 + 10 * round);
        // Of about 200 KB each, with the two that stay.
        eventually("the oldest runs are gone", || count_runs(&mut client) <= 7);
        assert_eq!(stats(&mut client, "measure"), known, "what they add up to is the same");
        largest = largest.max(length(&home, "repertoire.db"));
    }
    assert!(largest < 8 << 20, "62 runs of 200 KB made the database {largest} bytes large");
    client.refused("get_run", json!({"run_id": oldest}), "run_not_found");
    assert_eq!(client.ok("get_run", json!({"run_id": linked}))["status"], "succeeded");
    let done = client.ok("resume_run", json!({"run_id": paused, "value": "seen"}));
    assert_eq!(done["result"], 200_000, "{done}");
}

#[test]
fn runs_go_when_they_are_too_old_with_all_that_is_theirs() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "fail", FAIL);
    remember(
        &mut client,
        "call_it",
        "from repertoire import call_procedure, checkpoint\n\n\ndef call_it() -> int:\n    checkpoint({'a': 1})\n    return call_procedure('measure', {'text': 'abc'})\n",
    );
    remember(&mut client, "measure", MEASURE);
    for _ in 0..4 {
        client.ok("execute_procedure", json!({"procedure_id": "call_it"}));
    }
    client.call("execute_procedure", json!({"procedure_id": "fail", "parameters": {"text": "one"}}));
    let known: Vec<Value> = ["measure", "call_it", "fail"].map(|name| stats(&mut client, name)).to_vec();
    assert_eq!(known[2]["execution_stats"]["last_error"], "ValueError: no 3".split_once(": ").unwrap().1);
    eventually("what the runs teach is learned", || left(&home, "ended_runs") == 0);
    client.close();
    make_older(&home, "runs", &["started_at", "finished_at"]);
    let mut client = home.start();
    eventually("all runs are gone", || count_runs(&mut client) == 0);
    for table in ["runs", "host_calls", "frames", "answers", "decisions", "checkpoints", "workflow_runs"] {
        assert_eq!(left(&home, table), 0, "{table}");
    }
    let mut after: Vec<Value> = ["measure", "call_it", "fail"].map(|name| stats(&mut client, name)).to_vec();
    // The runs were made older: when the last one was is what they say of themselves.
    for (before, after) in known.iter().zip(&mut after) {
        after["execution_stats"]["last_run_at"] = before["execution_stats"]["last_run_at"].clone();
    }
    assert_eq!(after, known);
    client.ok("execute_procedure", json!({"procedure_id": "measure", "parameters": {"text": "abc"}}));
    assert_eq!(stats(&mut client, "measure")["execution_stats"]["success"], 5);
}

#[test]
fn what_is_done_with_goes_from_the_inbox_and_what_is_open_stays() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "tell", TELL);
    for word in ["old", "open"] {
        client.ok("execute_procedure", json!({"procedure_id": "tell", "parameters": {"word": word}}));
    }
    for item in items(&mut client) {
        if item["body"] == "old" || item["title"] == "old" {
            client.ok("resolve_inbox_item", json!({"item_id": item["id"]}));
        }
    }
    assert_eq!((items(&mut client).len(), left(&home, "inbox")), (2, 4));
    client.close();
    make_older(&home, "inbox", &["created_at", "resolved_at"]);
    let mut client = home.start();
    eventually("what was done with is gone", || left(&home, "inbox") == 2);
    assert_eq!(items(&mut client).len(), 2);
}

#[test]
fn outcomes_go_and_are_not_found_any_more_but_those_that_speak_for_a_lesson() {
    let home = Home::new();
    let mut client = home.start();
    let complete = |client: &mut RawClient, run: String, workflow: &str, error: Option<&str>| {
        let outcome = if error.is_some() { "failure" } else { "success" };
        client.ok(
            "complete_workflow",
            json!({"workflow_id": workflow, "run_id": run, "outcome": outcome, "duration_ms": 5, "node_count": 1,
                   "nodes_succeeded": 1, "nodes_failed": 0, "error_message": error, "artifacts": [{"größe": 1.5}]}),
        );
    };
    for number in 0..40 {
        complete(&mut client, format!("plain-{number}"), &format!("plain-{number}"), None);
    }
    for number in 0..3 {
        complete(&mut client, format!("bad-{number}"), "bad", Some("the disk is full"));
    }
    let candidates = client.ok("list_candidates", json!({}));
    assert_eq!(candidates["count"], 1, "{candidates}");
    client.close();
    make_older(&home, "workflow_outcomes", &["created_at"]);
    let mut client = home.start();
    complete(&mut client, "young".to_owned(), "plain-young", None);
    eventually("the old ones are gone", || left(&home, "workflow_outcomes") == 4);
    let found = client.ok("recall_outcomes", json!({"workflow_id": "plain-7", "query": "plain"}));
    assert_eq!(found["count"], 0, "{found}");
    let found = client.ok("recall_outcomes", json!({"workflow_id": "plain-young", "query": "plain young"}));
    assert_eq!(found["count"], 1, "{found}");
    let candidates = client.ok("list_candidates", json!({}));
    assert_eq!(candidates["candidates"][0]["evidence"]["count"], 3, "{candidates}");
    let sound = "INSERT INTO outcome_search (outcome_search) VALUES ('integrity-check')";
    database(&home).execute(sound, []).unwrap();
}

#[test]
fn a_setting_that_is_changed_counts_at_once_and_one_that_is_wrong_is_named() {
    let home = Home::with_config("[retention]\nmax_age_days = 0\nmax_mib = 0\n");
    let mut client = home.start();
    remember(&mut client, "measure", MEASURE);
    (0..8).for_each(|_| drop(measure(&mut client, 400_000)));
    home.configure("[retention]\nruns = { max_mib = 1 }\n");
    eventually("the new limit holds", || count_runs(&mut client) <= 2);
    home.configure("[retention]\nrun = { max_mib = 1 }\n");
    let error = client.refused("execute_procedure", json!({"procedure_id": "measure"}), "configuration_error");
    assert!(error.contains("`run`") && error.contains("`runs`"), "{error}");
}

#[test]
fn a_person_sees_what_is_taken_and_has_it_freed() {
    let home = Home::with_config("[retention]\nmax_mib = 0\n");
    let mut client = home.start();
    remember(&mut client, "measure", MEASURE);
    (0..12).for_each(|_| drop(measure(&mut client, 400_000)));
    eventually("what the runs teach is learned", || left(&home, "ended_runs") == 0);
    client.close();
    home.configure("[retention]\nruns = { max_mib = 1 }\n");
    let said = succeed(&home, &["doctor"]);
    for part in ["database ", "log ", "loose objects", "at most 1.0 MiB", "too much", "`repertoire tidy`"] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    let tidied = succeed(&home, &["tidy"]);
    assert!(tidied.contains("Removed from runs, as config.toml says: 1"), "{tidied}");
    assert!(tidied.contains("1 pack with") && tidied.contains(" 0 loose objects"), "{tidied}");
    assert!(!succeed(&home, &["doctor"]).contains("too much"));
    assert!(length(&home, "repertoire.db") < 3 << 20, "free pages were given back");
}

fn items(client: &mut RawClient) -> Vec<Value> {
    client.ok("list_inbox", json!({}))["items"].as_array().unwrap().clone()
}

fn left(home: &Home, table: &str) -> i64 {
    database(home).query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn make_older(home: &Home, table: &str, columns: &[&str]) {
    let columns: Vec<String> = columns.iter().map(|column| format!("{column} = {column} - {HUNDRED_DAYS}")).collect();
    database(home).execute(&format!("UPDATE {table} SET {}", columns.join(", ")), []).unwrap();
}

#[test]
fn what_a_removed_run_was_called_is_said() {
    let home = Home::with_config("[retention]\nmax_mib = 1\n");
    let mut client = home.start();
    remember(&mut client, "measure", MEASURE);
    let first = measure(&mut client, 900_000);
    (0..3).for_each(|_| drop(measure(&mut client, 900_000)));
    eventually("it is gone", || client.call("get_run", json!({"run_id": first}))["success"] == false);
    let error = client.call("get_run", json!({"run_id": first}));
    assert!(text(&error, "error").contains("[retention]"), "{error}");
}
