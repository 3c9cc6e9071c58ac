//! Confidence is earned: the checks give a prior, outcomes move it, and new code starts again. Code that comes back has what it
//! had earned.

use git2::Repository;
use serde_json::{Value, json};

use crate::{
    cli::commands::succeed,
    common::{Home, RawClient, eventually, text},
};

const NAME: &str = "fragile";

fn code(condition: &str) -> String {
    format!(
        "def fragile(number: int) -> int:\n    \"\"\"Pass a number on.\n\n    Args:\n        number: The number.\n\n    \
         Returns:\n        The number.\n    \"\"\"\n    if {condition}:\n        raise ValueError('no')\n    return number\n"
    )
}

fn confidence(client: &mut RawClient) -> f64 {
    client.ok("get_procedure_stats", json!({"procedure_id": NAME}))["code_confidence"].as_f64().unwrap()
}

fn execute(client: &mut RawClient, times: usize, number: i64) {
    for _ in 0..times {
        client.call("execute_procedure", json!({"procedure_id": NAME, "parameters": {"number": number}}));
    }
}

#[test]
fn outcomes_move_the_confidence_of_the_version_that_they_belong_to() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": NAME, "steps": ["Pass it on"], "code": code("number < 0")}));
    let prior = confidence(&mut client);
    assert!((0.7..=0.9).contains(&prior), "{prior}");
    execute(&mut client, 10, 1);
    let risen = confidence(&mut client);
    assert!(risen > prior, "{risen} after ten successes, {prior} before");
    client.ok("update_procedure", json!({"procedure_id": NAME, "description": "The code is the same."}));
    assert!((confidence(&mut client) - risen).abs() < 1e-9, "a definition does not change what the code has earned");
    client.ok("generate_procedure_code", json!({"procedure_id": NAME, "code": code("number > 0")}));
    assert!((confidence(&mut client) - prior).abs() < 1e-9, "a new version starts from its own prior");
    execute(&mut client, 5, 1);
    let sunk = confidence(&mut client);
    assert!(sunk < 0.5, "{sunk} after five failures");
    let trusted = client.ok("search_procedures_by_confidence", json!({"min_confidence": 0.5}));
    assert_eq!(trusted["count"], json!(0), "{trusted}");
    assert!(client.close().success());
    let rebuilt = home.run(&["doctor", "--rebuild"]);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    assert!((confidence(&mut home.start()) - sunk).abs() < 1e-9, "a rebuilt index keeps what was earned");
}

const GOOD: &str = "number < 0";
const BAD: &str = "number > 0";

fn give(client: &mut RawClient, condition: &str) -> Value {
    client.ok("generate_procedure_code", json!({"procedure_id": NAME, "code": code(condition)}))
}

/// Number and confidence of each version, newest first.
fn by_version(client: &mut RawClient) -> Vec<(u64, f64)> {
    let answer = client.ok("get_procedure_versions", json!({"procedure_id": NAME, "limit": 100}));
    let versions = answer["versions"].as_array().unwrap().iter();
    versions.map(|row| (row["version"].as_u64().unwrap(), row["code_confidence"].as_f64().unwrap())).collect()
}

/// Code that did well 20 times, then other code that failed 5 times. Gives the confidence in both.
fn good_then_bad(client: &mut RawClient) -> (f64, f64) {
    client.ok("remember_procedure", json!({"name": NAME, "steps": ["Pass it on"], "code": code(GOOD)}));
    execute(client, 20, 1);
    let good = confidence(client);
    give(client, BAD);
    execute(client, 5, 1);
    let bad = confidence(client);
    assert!(good >= 0.98 && bad < 0.5, "{good}, {bad}");
    assert_eq!(by_version(client), [(2, bad), (1, good)]);
    (good, bad)
}

#[test]
fn code_that_comes_back_stands_where_it_stood() {
    let home = Home::new();
    let mut client = home.start();
    let (good, bad) = good_then_bad(&mut client);
    client.ok("rollback_procedure_code", json!({"procedure_id": NAME, "target_version": 1}));
    assert!((confidence(&mut client) - good).abs() < 1e-9);
    let trusted = client.ok("search_procedures_by_confidence", json!({"min_confidence": 0.95}));
    assert_eq!(trusted["procedures"][0]["name"], json!(NAME), "{trusted}");
    // The same by giving it again, and the bad code is no better for that.
    give(&mut client, BAD);
    assert!((confidence(&mut client) - bad).abs() < 1e-9);
    give(&mut client, GOOD);
    assert!((confidence(&mut client) - good).abs() < 1e-9);
    assert_eq!(by_version(&mut client), [(5, good), (4, bad), (3, good), (2, bad), (1, good)]);
    // What it does now speaks for all versions that have it.
    execute(&mut client, 3, -1);
    let now = confidence(&mut client);
    assert!(now < good);
    assert_eq!(by_version(&mut client), [(5, now), (4, bad), (3, now), (2, bad), (1, now)]);
    let shown = succeed(&home, &["show", NAME]);
    assert!(shown.contains("CONFIDENCE") && shown.contains(&format!("{bad:.2}")), "{shown}");
}

#[test]
fn what_code_has_earned_outlives_its_runs_a_rebuilt_index_and_its_procedure() {
    let home = Home::new();
    let mut client = home.start();
    let (good, _) = good_then_bad(&mut client);
    client.ok("rollback_procedure_code", json!({"procedure_id": NAME, "target_version": 1}));
    let known = by_version(&mut client);
    client.close();
    let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    let age = 100 * 24 * 60 * 60 * 1000_i64;
    database.execute("UPDATE runs SET started_at = started_at - ?1, finished_at = finished_at - ?1", [age]).unwrap();
    database.execute("DELETE FROM ended_runs", []).unwrap();
    drop(database);
    let mut client = home.start();
    let runs = json!({"procedure_id": NAME, "limit": 100});
    eventually("the runs are gone", || client.ok("list_runs", runs.clone())["count"].as_u64().unwrap() <= 5);
    client.close();
    succeed(&home, &["doctor", "--rebuild"]);
    let mut client = home.start();
    assert_eq!(by_version(&mut client), known);
    assert!((confidence(&mut client) - good).abs() < 1e-9);
    client.ok("delete_procedure", json!({"procedure_id": NAME}));
    client.ok("remember_procedure", json!({"name": NAME, "steps": ["Pass it on"], "code": code(GOOD)}));
    assert!((confidence(&mut client) - good).abs() < 1e-9, "it is the same code of the same procedure");
}

#[test]
fn a_history_that_somebody_rewrote_gives_no_code_what_other_code_has_earned() {
    let home = Home::new();
    let mut client = home.start();
    let (good, _) = good_then_bad(&mut client);
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": NAME}));
    let first = git2::Oid::from_str(text(&versions["versions"][1], "commit")).unwrap();
    let repo = Repository::open_bare(home.repository()).unwrap();
    repo.reference("refs/heads/main", first, true, "push --force").unwrap();
    // The next version has the number of the bad one.
    client.ok("update_procedure", json!({"procedure_id": NAME, "description": "The bad version never was."}));
    assert_eq!(by_version(&mut client), [(2, good), (1, good)]);
}

#[test]
fn databases_of_before_give_code_what_its_versions_have_earned() {
    let home = Home::new();
    let mut client = home.start();
    let (good, bad) = good_then_bad(&mut client);
    client.ok("rollback_procedure_code", json!({"procedure_id": NAME, "target_version": 1}));
    client.close();
    succeed(&home, &["db", "down", "--to", "11"]);
    let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    // As programs of before have it: only runs since the rollback count.
    database.execute("UPDATE procedures SET code_confidence = code_prior", []).unwrap();
    drop(database);
    let mut client = home.start();
    assert!((confidence(&mut client) - good).abs() < 1e-9);
    assert_eq!(by_version(&mut client), [(3, good), (2, bad), (1, good)]);
}

#[test]
fn equal_code_of_two_procedures_earns_for_each_of_them() {
    let home = Home::new();
    let mut client = home.start();
    let script = "parameters['number'] + 1\n";
    for name in ["one", "other"] {
        client.ok("remember_procedure", json!({"name": name, "steps": ["Add one"], "code": script}));
    }
    let stand = |client: &mut RawClient, name: &str| {
        client.ok("get_procedure_stats", json!({"procedure_id": name}))["code_confidence"].as_f64().unwrap()
    };
    let prior = stand(&mut client, "other");
    for _ in 0..5 {
        client.ok("execute_procedure", json!({"procedure_id": "one", "parameters": {"number": 1}}));
    }
    assert!(stand(&mut client, "one") > prior, "what each is for differs, and so does what they are called with");
    assert!((stand(&mut client, "other") - prior).abs() < 1e-9);
}
