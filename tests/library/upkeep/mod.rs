//! A home does not grow for ever, and nothing that counts is lost for that.

mod growth;
mod retention;
mod space;

use std::fs;

use serde_json::{Value, json};

use crate::common::{Home, RawClient};

/// A procedure that does nothing with a long text.
const MEASURE: &str = "def measure(text: str, number: int = 0) -> int:\n    return len(text) + number\n";

fn database(home: &Home) -> rusqlite::Connection {
    rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap()
}

/// The length of a file in the home; 0 when it is not there.
fn length(home: &Home, name: &str) -> u64 {
    fs::metadata(home.path().join(name)).map_or(0, |metadata| metadata.len())
}

/// Executes `measure` with a text of this length; gives the run.
#[track_caller]
fn measure(client: &mut RawClient, bytes: usize) -> String {
    let parameters = json!({"text": "x".repeat(bytes)});
    let run = client.ok("execute_procedure", json!({"procedure_id": "measure", "parameters": parameters}));
    run["run_id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn count_runs(client: &mut RawClient) -> usize {
    client.ok("list_runs", json!({"limit": 100}))["runs"].as_array().unwrap().len()
}

/// What a procedure's runs add up to, without the time of the answer.
#[track_caller]
fn stats(client: &mut RawClient, procedure: &str) -> Value {
    let mut stats = client.ok("get_procedure_stats", json!({"procedure_id": procedure}));
    stats.as_object_mut().unwrap().remove("timestamp");
    stats
}
