//! What a person changes at the terminal: the same that tools change.

use std::process::Stdio;

use serde_json::{Value, json};

use super::commands::{fail, succeed};
use crate::common::{Home, RawClient, eventually, remember, text};

const ENDLESS: &str = "def spin():\n    while True:\n        pass\n";

#[test]
fn a_procedure_is_disabled_enabled_and_deleted() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "tidy", "def tidy() -> int:\n    \"\"\"Return 1.\"\"\"\n    return 1\n");
    assert!(succeed(&home, &["disable", "tidy"]).contains("`tidy` is disabled now (version 2)."));
    client.refused("execute_procedure", json!({"procedure_id": "tidy"}), "procedure_disabled");
    assert!(succeed(&home, &["disable", "1"]).contains("`tidy` is disabled already."));
    assert!(succeed(&home, &["enable", "1"]).contains("`tidy` is enabled now (version 3)."));
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "tidy"}))["result"], json!(1));
    let error = fail(&home, &["delete", "tidy", "--expected-version", "2"]);
    assert!(error.contains("version") && error.contains('3'), "{error}");
    let printed = succeed(&home, &["delete", "tidy"]);
    assert!(printed.contains("`tidy` is removed") && printed.contains("repertoire show 1"), "{printed}");
    client.refused("execute_procedure", json!({"procedure_id": "tidy"}), "procedure_deleted");
    assert!(succeed(&home, &["show", "1"]).contains("(deleted)"));
    for command in ["enable", "disable", "delete", "generate"] {
        assert!(fail(&home, &[command, "nowhere"]).contains("`nowhere`"), "{command}");
    }
}

#[test]
fn code_is_generated_from_the_steps() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "greet", "template": "Hello {{whom}}"}));
    let printed = succeed(&home, &["generate", "greet"]);
    assert!(printed.contains("`greet` has code by compiling the steps in version 2"), "{printed}");
    assert!(printed.contains("no model is configured"), "{printed}");
    assert!(succeed(&home, &["run", "greet", "whom=Ada"]).contains("Hello Ada"));
    assert!(!succeed(&home, &["generate", "greet", "--no-model"]).contains("no model is configured"));
    let written = "def greet(whom: str) -> str:\n    \"\"\"Greet `whom`; returns it.\"\"\"\n    return whom\n";
    client.ok("generate_procedure_code", json!({"procedure_id": "greet", "code": written}));
    let printed = succeed(&home, &["generate", "greet"]);
    assert!(printed.contains("`greet` keeps the code that it has."), "{printed}");
    succeed(&home, &["rollback", "greet", "2"]);
    assert!(succeed(&home, &["run", "greet", "whom=Ada"]).contains("Hello Ada"));
}

fn only_run(client: &mut RawClient) -> Value {
    client.ok("list_runs", json!({}))["runs"][0].clone()
}

#[test]
fn a_run_is_cancelled_whichever_process_executes_it() {
    let home = Home::with_config("[limits]\nseconds = 120\n");
    let (mut client, mut other) = (home.start(), home.start());
    remember(&mut client, "spin", ENDLESS);
    let call = json!({"procedure_id": "spin"});
    let is_running = |client: &mut RawClient| only_run(client)["status"] == json!("running");

    // A server's, at the terminal.
    let id = client.send_call("execute_procedure", call.clone());
    eventually("the run executes", || is_running(&mut other));
    let run = only_run(&mut other)["run_id"].clone();
    let printed = succeed(&home, &["cancel", run.as_str().unwrap()]);
    assert!(printed.contains("is cancelled"), "{printed}");
    assert_eq!(only_run(&mut other)["status"], json!("cancelled"));
    let answer = client.call_answer(id);
    assert_eq!(answer["error_code"], json!("run_cancelled"), "{answer}");

    // A server's, through another.
    let id = client.send_call("execute_procedure", call.clone());
    eventually("the second run executes", || is_running(&mut other));
    let run = only_run(&mut other)["run_id"].clone();
    other.ok("cancel_run", json!({"run_id": run}));
    assert_eq!(client.call_answer(id)["error_code"], json!("run_cancelled"));
    other.refused("cancel_run", json!({"run_id": run}), "run_ended");

    // One of the terminal, through a server.
    let mut command = home.command(&["run", "spin"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap();
    eventually("the third run executes", || is_running(&mut other));
    let run = only_run(&mut other)["run_id"].clone();
    other.ok("cancel_run", json!({"run_id": run}));
    assert!(!child.wait().unwrap().success());
    assert_eq!(only_run(&mut other)["status"], json!("cancelled"));

    // One that waits, and one whose process is gone.
    client.ok("remember_procedure", json!({"name": "look", "steps": ["Look at the sky"]}));
    client.ok("generate_procedure_code", json!({"procedure_id": "look"}));
    let paused = client.ok("execute_procedure", json!({"procedure_id": "look"}));
    succeed(&home, &["cancel", text(&paused, "run_id")]);
    assert_eq!(only_run(&mut other)["status"], json!("cancelled"));
    assert!(fail(&home, &["cancel", text(&paused, "run_id")]).contains("already"));
    assert!(fail(&home, &["cancel", "nothing"]).contains("`nothing`"));
}

#[test]
fn the_database_goes_up_step_by_step() {
    let home = Home::new();
    home.start().ok("list_procedures", json!({}));
    let newest: u32 = {
        let status = succeed(&home, &["db", "status"]);
        let known = status.lines().find_map(|line| line.split("this program knows ").nth(1)).unwrap();
        known.trim().parse().unwrap()
    };
    succeed(&home, &["db", "down", "--to", "3"]);
    let printed = succeed(&home, &["db", "up", "--to", "5"]);
    assert!(printed.contains("from schema version 3 to 5") && printed.contains("A program that knows"), "{printed}");
    assert!(succeed(&home, &["db", "status"]).contains("schema version 5;"));
    assert!(succeed(&home, &["db", "up", "--to", "5"]).contains("has schema version 5 already"));
    let below = fail(&home, &["db", "up", "--to", "4"]);
    assert!(below.contains("4 is below it") && below.contains("db down --to 4"), "{below}");
    let above = fail(&home, &["db", "up", "--to", &(newest + 1).to_string()]);
    assert!(above.contains(&format!("the newest that this program knows is {newest}")), "{above}");
    assert!(succeed(&home, &["db", "status"]).contains("schema version 5;"), "nothing was changed");
    let printed = succeed(&home, &["db", "up", "--to", &newest.to_string()]);
    assert!(
        printed.contains(&format!("from schema version 5 to {newest}")) && !printed.contains("A program"),
        "{printed}"
    );
    home.start().ok("list_procedures", json!({}));
}
