//! Procedures of the second runtime, executed by the Python of this machine.

mod choice;
mod documents;
mod durable;
mod journal;
mod language;
mod limits;
mod packages;
mod results;
mod types;
mod walls;

use std::process::Command;

use serde_json::{Value, json};

use crate::common::{Home, RawClient};

/// Whether there is a Python that executes procedures.
pub fn has_python() -> bool {
    let check = "import sys; sys.exit(sys.version_info < (3, 11))";
    let found = Command::new("python3").args(["-c", check]).status().is_ok_and(|status| status.success());
    if !found {
        eprintln!("skipped: there is no `python3` that is 3.11 or newer");
    }
    found
}

/// A home where it is allowed, with more in its `config.toml`.
fn home(more: &str) -> Home {
    Home::with_config(&format!("[python]\nenabled = true\n{more}"))
}

/// Remembers a procedure for it.
#[track_caller]
fn remember(client: &mut RawClient, name: &str, code: &str) -> Value {
    client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "code": code, "runtime": "python"}))
}

/// Remembers a procedure for it and executes that once.
#[track_caller]
fn execute(client: &mut RawClient, name: &str, code: &str) -> Value {
    remember(client, name, code);
    client.call("execute_procedure", json!({"procedure_id": name}))
}

/// What a procedure returns that must succeed.
#[track_caller]
fn result(client: &mut RawClient, name: &str, code: &str) -> Value {
    let answer = execute(client, name, code);
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    answer["result"].clone()
}
