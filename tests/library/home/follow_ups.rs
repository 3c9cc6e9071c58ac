//! What is done stays done, and is told as done, when what follows it fails.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    common::{Home, RawClient, text},
    library::learning::candidates::fail,
};

/// Makes the database refuse something.
fn break_database(home: &Home, trigger: &str) -> Connection {
    let database = Connection::open(home.path().join("repertoire.db")).unwrap();
    database
        .execute_batch(&format!("CREATE TRIGGER broken BEFORE {trigger} BEGIN SELECT RAISE(ABORT, 'broken'); END"))
        .unwrap();
    database
}

fn mend(database: &Connection) {
    database.execute_batch("DROP TRIGGER broken").unwrap();
}

fn version(client: &mut RawClient, name: &str) -> Value {
    client.ok("get_procedure", json!({"procedure_id": name}))["version"].clone()
}

#[test]
fn a_change_that_is_committed_and_not_indexed_is_not_called_a_failed_change() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "greet", "steps": ["Say hello"]}));
    let database = break_database(&home, "INSERT ON versions");
    let update = json!({"procedure_id": "greet", "description": "Greet somebody"});
    let error = client.refused("update_procedure", update, "storage_error");
    assert!(error.contains("the change of `greet` is stored") && error.contains("don't repeat it"), "{error}");
    mend(&database);
    assert_eq!(version(&mut client, "greet"), json!(2));
    let history = client.ok("get_procedure_versions", json!({"procedure_id": "greet"}));
    assert_eq!(history["count"], json!(2), "{history}");
}

#[test]
fn a_candidate_whose_procedure_is_stored_was_approved() {
    let home = Home::new();
    let mut client = home.start();
    for run in ["a", "b", "c"] {
        fail(&mut client, run, "push", "refused", json!({"branch": "main"}));
    }
    let waiting = client.ok("list_candidates", json!({}))["candidates"].clone();
    let id = waiting[0]["candidate_id"].clone();
    let database = break_database(&home, "UPDATE OF status ON candidates");
    let decided =
        client.ok("review_candidate", json!({"candidate_id": id, "decision": "approve", "edits": {"name": "pitfall"}}));
    assert_eq!(text(&decided, "name"), "pitfall", "{decided}");
    mend(&database);
    // It is kept for the process that made the procedure; the next one finds that.
    client.refused("review_candidate", json!({"candidate_id": id, "decision": "approve"}), "candidate_busy");
    client.close();
    let mut client = home.start();
    let again =
        client.ok("review_candidate", json!({"candidate_id": id, "decision": "approve", "edits": {"name": "pitfall"}}));
    assert_eq!(again["procedure_id"], decided["procedure_id"], "{again}");
    assert_eq!(version(&mut client, "pitfall"), json!(1));
}
