//! Things that end before they are done: workers that die, clients that leave or give up.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, eventually, remember, text, toml_path};
#[cfg(target_os = "linux")]
use crate::{
    common::processes::{children_with, is_alive, kill, workers_of},
    hostile::{check_fine, start},
};

const SPIN: &str = r"from pathlib import Path

def spin() -> None:
    Path(MARKER).write_text('now')
    while True:
        pass
";

/// A procedure that says in a file that it is executing, and then never ends.
struct Spinner {
    marker: std::path::PathBuf,
}

impl Spinner {
    fn configure(home: &Home) -> Self {
        let folder = home.beside("files");
        home.configure(&format!("[policy]\nwrite = [{}]\n[limits]\nseconds = 60\n", toml_path(&folder)));
        Self { marker: folder.join("executing") }
    }

    fn start(&self, client: &mut RawClient) -> i64 {
        let marker = format!("{:?}", self.marker.to_str().unwrap());
        let code = SPIN.replace("MARKER", &marker);
        remember(client, "spin", &code);
        let id = client.send_call("execute_procedure", json!({"procedure_id": "spin"}));
        eventually("the endless loop executes", || self.marker.exists());
        id
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_killed_while_idle_is_replaced() {
    let home = Home::new();
    let mut client = start(&home);
    check_fine(&mut client);
    for _ in 0..3 {
        let workers = workers_of(client.process_id());
        assert!(!workers.is_empty());
        for worker in workers {
            kill(worker);
            eventually("the worker is gone", || !is_alive(worker));
        }
        check_fine(&mut client);
        client.ok("validate_procedure_code", json!({"code": "def f() -> int:\n    return 1\n"}));
    }
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "fine"}));
    assert_eq!(stats["success_rate"], json!(1.0), "{stats}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_whose_workers_are_killed_goes_on_in_others_but_not_for_ever() {
    let home = Home::new();
    let spinner = Spinner::configure(&home);
    let mut client = start(&home);
    let id = spinner.start(&mut client);
    for _ in 0..4 {
        eventually("the endless loop executes", || spinner.marker.exists());
        std::fs::remove_file(&spinner.marker).unwrap();
        workers_of(client.process_id()).into_iter().for_each(kill);
    }
    let answer = client.call_answer(id);
    assert_eq!(answer["error_code"], json!("run_failed"), "{answer}");
    assert!(text(&answer, "error").contains("ended unexpectedly"), "{answer}");
    check_fine(&mut client);
}

#[test]
fn closing_stdin_ends_the_server_and_its_workers_even_during_a_run() {
    let home = Home::new();
    let spinner = Spinner::configure(&home);
    let mut client = home.start();
    spinner.start(&mut client);
    #[cfg(target_os = "linux")]
    let workers = workers_of(client.process_id());
    #[cfg(target_os = "linux")]
    assert!(!workers.is_empty());
    client.close_stdin();
    let status = client.wait_for_exit(Duration::from_secs(2));
    assert!(status.success(), "{status}");
    #[cfg(target_os = "linux")]
    eventually("the workers are gone", || !workers.iter().any(|worker| is_alive(*worker)));
    // Nobody cancelled it: the next server may go on with it.
    home.configure("[runs]\nresume = 'manual'");
    let mut client = home.start();
    let runs = client.ok("list_runs", json!({}));
    assert_eq!(runs["runs"][0]["status"], json!("interrupted"), "{runs}");
}

/// Starts a run that waits for a program; returns the call and the program's process.
#[cfg(target_os = "linux")]
fn start_program(client: &mut RawClient) -> (i64, u32) {
    let code = "from repertoire import run_command\n\ndef wait():\n    run_command(['sleep', '61.25'])\n";
    remember(client, "wait", code);
    let id = client.send_call("execute_procedure", json!({"procedure_id": "wait"}));
    let mut programs = Vec::new();
    eventually("the program is started", || {
        programs = children_with(client.process_id(), "61.25");
        !programs.is_empty()
    });
    (id, programs[0])
}

#[cfg(target_os = "linux")]
#[test]
fn programs_that_a_run_started_end_with_it() {
    let home = Home::with_config("[policy]\ncommands = ['sleep']\n");
    let mut client = home.start();
    let (id, program) = start_program(&mut client);
    let runs = client.ok("list_runs", json!({"status": "running"}));
    client.ok("cancel_run", json!({"run_id": runs["runs"][0]["run_id"]}));
    assert_eq!(client.call_answer(id)["error_code"], json!("run_cancelled"));
    eventually("the program of a cancelled run is gone", || !is_alive(program));
    client.ok("delete_procedure", json!({"procedure_id": "wait"}));
    let (_, program) = start_program(&mut client);
    client.close_stdin();
    client.wait_for_exit(Duration::from_secs(10));
    eventually("the program of a client that left is gone", || !is_alive(program));
}

#[test]
fn closing_stdin_before_a_word_was_said_ends_the_server() {
    let home = Home::new();
    let mut silent = home.spawn(&[]);
    silent.close_stdin();
    assert!(silent.wait_for_exit(Duration::from_secs(2)).success());
    let mut idle = home.start();
    idle.ok("list_procedures", json!({}));
    idle.close_stdin();
    assert!(idle.wait_for_exit(Duration::from_secs(2)).success());
}

#[test]
fn a_cancelled_call_ends_its_run() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let spinner = Spinner::configure(&home);
        let mut client = home.start_with(&[], protocol);
        let id = spinner.start(&mut client);
        let cancelled = json!({"requestId": id, "reason": "the user gave up"});
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}));
        let mut runs = Value::Null;
        eventually("the run is cancelled", || {
            runs = client.ok("list_runs", json!({"procedure_id": "spin"}));
            runs["runs"][0]["status"] == json!("cancelled")
        });
        let stats = client.ok("get_procedure_stats", json!({"procedure_id": "spin"}));
        assert_eq!(stats["execution_stats"]["failure"], json!(0), "giving up says nothing about the code: {stats}");
    }
}

#[test]
fn cancel_run_ends_a_run_and_its_call_says_so() {
    let home = Home::new();
    let spinner = Spinner::configure(&home);
    let mut client = home.start();
    let id = spinner.start(&mut client);
    let runs = client.ok("list_runs", json!({"status": "running"}));
    let run = runs["runs"][0]["run_id"].clone();
    let view = client.ok("get_run", json!({"run_id": run}));
    assert_eq!(view["status"], json!("running"), "{view}");
    client.ok("cancel_run", json!({"run_id": run}));
    let answer = client.call_answer(id);
    assert_eq!((&answer["error_code"], &answer["status"]), (&json!("run_cancelled"), &json!("cancelled")), "{answer}");
    client.refused("cancel_run", json!({"run_id": run}), "run_ended");
    client.refused("resume_run", json!({"run_id": run}), "run_not_paused");
}

#[test]
fn a_long_run_reports_progress_to_a_client_that_asks_for_it() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = home.start_with(&[], protocol);
        remember(&mut client, "nap", "import time\n\ndef nap() -> str:\n    time.sleep(5)\n    return 'rested'\n");
        let arguments = json!({"procedure_id": "nap"});
        let params = json!({"name": "execute_procedure", "arguments": arguments, "_meta": {"progressToken": "mine"}});
        let started = Instant::now();
        let id = client.send_request("tools/call", params);
        // Other calls are answered meanwhile.
        client.ok("list_procedures", json!({}));
        assert!(started.elapsed() < Duration::from_secs(4), "a call waited for the long one");
        assert_eq!(client.call_answer(id)["result"], json!("rested"));
        let mut notes = client.take_notifications();
        notes.retain(|note| note["method"] != json!("notifications/resources/list_changed"));
        assert!(notes.len() >= 2, "{notes:?}");
        let mut last = 0.0;
        for note in notes {
            assert_eq!(note["method"], json!("notifications/progress"), "{note}");
            assert_eq!(note["params"]["progressToken"], json!("mine"), "{note}");
            assert!(text(&note["params"], "message").contains("nap"), "{note}");
            let progress = note["params"]["progress"].as_f64().unwrap();
            assert!(progress > last, "progress must grow: {note}");
            last = progress;
        }
        let id = client.send_call("execute_procedure", json!({"procedure_id": "nap"}));
        client.call_answer(id);
        assert_eq!(client.take_notifications(), Vec::<Value>::new(), "nobody asked for these");
    }
}

/// An upgrade replaces the program while a server runs; its workers must still be its own kind.
#[cfg(target_os = "linux")]
#[test]
fn a_server_whose_program_was_replaced_still_executes() {
    let home = Home::new();
    let program = home.beside("bin").join("repertoire");
    std::fs::copy(crate::common::PROGRAM, &program).unwrap();
    let mut command = crate::common::clean(std::process::Command::new(&program));
    command.arg("--home").arg(home.path()).args(["--no-starters", "serve"]);
    let mut client = RawClient::spawn(command);
    client.open(Protocol::V2025);
    client.ok("list_procedures", json!({}));
    std::fs::remove_file(&program).unwrap();
    remember(&mut client, "fine", "def fine() -> int:\n    return 42\n");
    check_fine(&mut client);
}
