//! Runs that outlive their process: code begins again and gets the answers that it had.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{has_python, home, remember};
use crate::common::{Home, RawClient, eventually, text, toml_path};

fn configured(resume: &str) -> (Home, std::path::PathBuf) {
    let home = home("");
    let folder = home.beside("work");
    let policy = format!("[policy]\ncommands = ['sh']\nwrite = [{}]\n", toml_path(&folder));
    home.configure(&format!("[python]\nenabled = true\n{policy}[runs]\nresume = '{resume}'\n"));
    (home, folder)
}

fn execute(client: &mut RawClient, name: &str, folder: &Path) -> Value {
    client.call("execute_procedure", json!({"procedure_id": name, "parameters": {"folder": folder}}))
}

fn result(client: &mut RawClient, run: &str) -> Value {
    let view = client.ok("get_run", json!({"run_id": run, "read": "result"}));
    serde_json::from_str(view["text"].as_str().unwrap_or_else(|| panic!("{view}"))).unwrap()
}

fn status(client: &mut RawClient, run: &str) -> String {
    client.ok("get_run", json!({"run_id": run}))["status"].as_str().unwrap().to_owned()
}

/// Whatever differs from one execution to the next in other Pythons, before and after a pause.
const HONEST: &str = r#"
import datetime
import os
import random
import secrets
import time
import uuid
from repertoire import approve, run_command


def seen() -> list:
    words = {"one", "two", "three", "four", "five", "six"}
    now = datetime.datetime.now()
    return [
        random.random(), random.sample(range(1000), 3), str(uuid.uuid4()), time.time(), now.isoformat(),
        isinstance(now, datetime.datetime), list(words), hash("text"), secrets.token_hex(4), os.urandom(2).hex(),
        datetime.date.today().isoformat(), time.monotonic(),
    ]


def honest(folder: str) -> dict:
    """Pause in the middle."""
    print("before")
    before = seen()
    run_command(["sh", "-c", "echo effect >> effects"], cwd=folder)
    run_command(["sh", "-c", "cat > first"], stdin=repr(before), cwd=folder)
    given = approve(f"Go on with {before[2]}?")
    run_command(["sh", "-c", "cat > second"], stdin=repr(before), cwd=folder)
    print("after")
    return {"agreed": bool(given), "later": time.time() >= before[3]}
"#;

#[test]
fn a_pause_outlives_the_server_and_needs_no_process() {
    if !has_python() {
        return;
    }
    let (home, folder) = configured("auto");
    let mut client = home.start();
    remember(&mut client, "honest", HONEST);
    let paused = execute(&mut client, "honest", &folder);
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    let run = text(&paused, "run_id").to_owned();
    client.kill();
    let approved = home.run(&["approve", &run, "--yes"]);
    let mut client = home.start();
    assert_eq!(status(&mut client, &run), "succeeded", "{approved:?}");
    assert_eq!(result(&mut client, &run), json!({"agreed": true, "later": true}));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("first"), read("second"), "the code saw something else when it was executed again");
    assert_eq!(read("effects"), "effect\n", "a call was made twice");
    let view = client.ok("get_run", json!({"run_id": run, "read": "output"}));
    assert_eq!(text(&view, "text"), "before\nafter\n", "what was printed before is printed once");
}

#[test]
fn two_runs_see_other_chances() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code = "import random\nimport uuid\n\n\ndef draw() -> list:\n    return [random.random(), str(uuid.uuid4())]\n";
    remember(&mut client, "draw", code);
    let mut draw = || client.ok("execute_procedure", json!({"procedure_id": "draw"}))["result"].clone();
    let (one, other) = (draw(), draw());
    assert!(one[0] != other[0] && one[1] != other[1], "{one} {other}");
}

#[test]
fn a_killed_run_goes_on_from_its_last_answer() {
    if !has_python() {
        return;
    }
    let (home, folder) = configured("auto");
    fs::write(folder.join("hold"), "").unwrap();
    let mut client = home.start();
    let code = r#"
import asyncio
import os
import time
from repertoire import run_command


async def step(folder, number):
    done = await run_command(["sh", "-c", f"echo {number} >> steps; echo {number}"], cwd=folder)
    return int(done.stdout)


async def walk(folder: str) -> list:
    """Take steps, and stay where the folder says so."""
    done = [await step(folder, 1)]
    done += await asyncio.gather(step(folder, 2), step(folder, 3))
    while os.path.exists(os.path.join(folder, "hold")):
        time.sleep(0.02)
    return done + [await step(folder, 4)]
"#;
    remember(&mut client, "walk", code);
    client.send_call("execute_procedure", json!({"procedure_id": "walk", "parameters": {"folder": folder}}));
    let run = loop {
        let runs = client.ok("list_runs", json!({}));
        if let Some(run) = runs["runs"][0]["run_id"].as_str() {
            break run.to_owned();
        }
    };
    eventually("three steps are answered", || {
        client.ok("get_run", json!({"run_id": run}))["calls"].as_array().is_some_and(|calls| calls.len() == 3)
    });
    client.kill();
    fs::remove_file(folder.join("hold")).unwrap();
    let mut client = home.start();
    eventually("the run has ended", || status(&mut client, &run) == "succeeded");
    assert_eq!(result(&mut client, &run), json!([1, 2, 3, 4]));
    let mut steps: Vec<String> = fs::read_to_string(folder.join("steps")).unwrap().lines().map(str::to_owned).collect();
    steps.sort();
    assert_eq!(steps, ["1", "2", "3", "4"], "a completed call was made twice");
}

#[test]
fn code_that_calls_something_else_when_it_is_executed_again_ends() {
    if !has_python() {
        return;
    }
    let (home, folder) = configured("manual");
    let mut client = home.start();
    let code = r#"
import os
from repertoire import approve, run_command


def fickle(folder: str) -> str:
    """Call what the environment of the process says."""
    number = len(os.listdir(folder))
    run_command(["sh", "-c", f"touch file{number}"], cwd=folder)
    approve("Go on?")
    return "unreachable"
"#;
    remember(&mut client, "fickle", code);
    let paused = execute(&mut client, "fickle", &folder);
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    let ended = client.call("resume_run", json!({"run_id": paused["run_id"], "decision": "approve"}));
    assert_eq!(ended["error_type"], json!("nondeterministic"), "{ended}");
    for part in ["touch file0", "touch file1"] {
        assert!(text(&ended, "error").contains(part), "{ended}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "the other call was made");
}

#[test]
fn an_answer_that_is_longer_than_the_journal_shows_is_kept_whole() {
    if !has_python() {
        return;
    }
    let (home, folder) = configured("auto");
    let mut client = home.start();
    let code = r#"
from repertoire import approve, run_command


def long(folder: str) -> list:
    """Keep a long answer over a pause."""
    text = run_command(["sh", "-c", "head -c 300000 /dev/zero | tr '\\0' 'x'"], cwd=folder).stdout
    approve("Go on?")
    return [len(text), set(text) == {"x"}]
"#;
    remember(&mut client, "long", code);
    let paused = execute(&mut client, "long", &folder);
    client.kill();
    let mut client = home.start();
    let ended = client.ok("resume_run", json!({"run_id": paused["run_id"], "decision": "approve"}));
    assert_eq!(ended["result"], json!([300_000, true]), "{ended}");
}
