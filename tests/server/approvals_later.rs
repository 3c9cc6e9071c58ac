//! Questions that wait: for another process, for a person at a terminal, or until it is too late.

use std::{
    io::Write as _,
    process::{Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    common::{Home, PROGRAM, Protocol, RawClient, eventually, has_program, remember, text},
    server::approvals::{DEPLOY, USER, with_user},
};

const HUMAN: &str = "[policy]\napprovals = 'human'";

/// A run that a server left waiting; the server was killed.
fn left(home: &Home, name: &str, code: &str) -> String {
    let mut client = home.start_with(&USER, Protocol::V2025);
    remember(&mut client, name, code);
    let paused = client.ok("execute_procedure", json!({"procedure_id": name}));
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    client.kill();
    text(&paused, "run_id").to_owned()
}

fn decide(home: &Home, arguments: &[&str]) -> Output {
    home.run(&[&USER, arguments].concat())
}

fn view(client: &mut RawClient, run: &str) -> Value {
    client.ok("get_run", json!({"run_id": run}))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn another_process_goes_on_with_what_a_killed_one_left() {
    let home = Home::new();
    let run = left(&home, "deploy", DEPLOY);
    let mut client = home.start_with(&USER, Protocol::V2025);
    let waits = view(&mut client, &run);
    assert_eq!((&waits["status"], &waits["waiting_for"]), (&json!("paused"), &json!("Deploy 1.2?")), "{waits}");
    assert!(waits.get("decisions").is_none() && waits.get("expires_at").is_none(), "{waits}");
    let done = client.ok("resume_run", json!({"run_id": run, "decision": "reject", "value": "not today"}));
    let refused = json!({"refused": "\"Deploy 1.2?\" was rejected by test: not today"});
    assert_eq!(done["result"], refused, "{done}");
    let decision = view(&mut client, &run)["decisions"][0].clone();
    assert_eq!((&decision["decision"], &decision["by"]), (&json!("reject"), &json!("test")), "{decision}");
    assert!(text(&decision, "at").parse::<jiff::Timestamp>().is_ok(), "{decision}");
}

#[test]
fn the_command_line_lists_what_waits_and_decides_it() {
    let home = Home::new();
    assert!(stdout(&decide(&home, &["approve"])).contains("No run waits."));
    let run = left(&home, "deploy", DEPLOY);
    let listed = stdout(&decide(&home, &["approve"]));
    assert!(listed.contains(&run) && listed.contains("deploy") && listed.contains("Deploy 1.2?"), "{listed}");
    let output = decide(&home, &["approve", &run]);
    assert!(!output.status.success() && stderr(&output).contains("`--yes` or `--reject`"), "{output:?}");
    let output = decide(&home, &["approve", &run, "--yes", "--value", "{\"by\": 9}"]);
    assert!(output.status.success(), "{output:?}");
    assert!(
        stdout(&output).contains("\"approved_by\": \"ada\"") && stdout(&output).contains("\"by\": 9"),
        "{output:?}"
    );
    let output = decide(&home, &["approve", &run, "--yes"]);
    assert!(!output.status.success() && stderr(&output).contains("succeeded, not paused"), "{output:?}");
    let run = left(&home, "again", &DEPLOY.replace("deploy", "again"));
    let output = decide(&home, &["approve", &run, "--reject", "--reason", "no wind"]);
    assert!(stdout(&output).contains("was rejected by ada: no wind"), "{output:?}");
    assert!(!decide(&home, &["approve", "no-such-run", "--yes"]).status.success());
}

#[test]
fn the_command_line_answers_questions_and_stops_at_the_next() {
    let code = "from repertoire import approve, ask\n\n\ndef paint() -> str:\n    colour = ask('Colour?', ['red', 'blue'])\n    \
                approve('Sure?')\n    return colour\n";
    let home = Home::new();
    let run = left(&home, "paint", code);
    let output = decide(&home, &["approve", &run, "--yes"]);
    assert!(!output.status.success() && stderr(&output).contains("pass it as `value`"), "{output:?}");
    let output = decide(&home, &["approve", &run, "--value", "green"]);
    assert!(!output.status.success() && stderr(&output).contains("choose one of `red`, `blue`"), "{output:?}");
    let output = decide(&home, &["approve", &run, "--value", "red"]);
    assert!(output.status.success() && stdout(&output).contains("waits again: Sure?"), "{output:?}");
    let output = decide(&home, &["approve", &run, "--yes"]);
    assert!(output.status.success() && stdout(&output).contains("red"), "{output:?}");
}

#[test]
fn where_the_policy_wants_a_person_an_agent_may_do_steps_and_decide_nothing() {
    let home = Home::with_config(HUMAN);
    let run = left(&home, "deploy", DEPLOY);
    let mut client = home.start_with(&USER, Protocol::V2025);
    for arguments in [
        json!({"run_id": run, "decision": "approve"}),
        json!({"run_id": run, "decision": "reject"}),
        json!({"run_id": run}),
    ] {
        let error = client.refused("resume_run", arguments, "approval_needs_human");
        assert!(error.contains("Deploy 1.2?") && error.contains(&format!("`repertoire approve {run}`")), "{error}");
    }
    for arguments in [&["approve", &run, "--yes"][..], &["approve", &run, "--reject"], &["approve", &run]] {
        let output = decide(&home, arguments);
        assert!(!output.status.success() && stderr(&output).contains("only a person"), "{output:?}");
    }
    assert_eq!(view(&mut client, &run)["status"], json!("paused"));
    let step = "from repertoire import manual_step\n\n\ndef look():\n    return manual_step('Look at the sky')\n";
    remember(&mut client, "look", step);
    let paused = client.ok("execute_procedure", json!({"procedure_id": "look"}));
    let done = client.ok("resume_run", json!({"run_id": paused["run_id"], "value": "blue"}));
    assert_eq!(done["result"], json!("blue"), "{done}");
    // Asked by their client, they have decided themselves.
    let mut client = with_user(&home, Protocol::V2025);
    let id = client.send_call("resume_run", json!({"run_id": run}));
    let request = client.server_request();
    client.respond(&request, json!({"action": "accept", "content": {"approve": true}}));
    assert_eq!(client.call_answer(id)["result"]["agreed"]["approved_by"], json!("test's user"));
}

/// What decides a run in a terminal, in which `typed` is typed.
pub fn in_a_terminal(home: &Home, run: &str, typed: &str) -> String {
    command_in_a_terminal(home, &format!("approve '{run}'"), typed)
}

/// A command, as it is written after the program's name, in a terminal in which `typed` is typed.
pub fn command_in_a_terminal(home: &Home, words: &str, typed: &str) -> String {
    let mut command = home.command(&[]);
    let place = home.path();
    let mut script = std::process::Command::new("script");
    script.env_clear().envs(command.env("TERM", "dumb").get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.env("PROGRAM", PROGRAM).env("PLACE", place).env("SHELL", "/bin/sh");
    script.args(["-qec", &format!("\"$PROGRAM\" --home \"$PLACE\" --user ada {words}"), "/dev/null"]);
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    stdout(&output)
}

#[test]
fn a_person_at_a_terminal_decides_one_question_after_the_other() {
    if !has_program("script") {
        return;
    }
    let code = "from repertoire import approve, ask\n\n\ndef paint() -> list:\n    agreed = approve('Paint?')\n    \
                return [agreed['approved_by'], ask('Colour?', ['red', 'blue'])]\n";
    let home = Home::with_config(HUMAN);
    let run = left(&home, "paint", code);
    let shown = in_a_terminal(&home, &run, "perhaps\ny\n2\n");
    assert!(shown.contains("Paint?") && shown.contains("2. blue") && shown.contains("paint"), "{shown}");
    let mut client = home.start_with(&USER, Protocol::V2025);
    let done = view(&mut client, &run);
    assert_eq!(done["status"], json!("succeeded"), "{shown}\n{done}");
    let result = client.ok("get_run", json!({"run_id": run, "read": "result"}));
    assert_eq!(result["text"], json!("[\"ada\",\"blue\"]"), "{shown}");
    let run = left(&home, "deploy", DEPLOY);
    let shown = in_a_terminal(&home, &run, "n not now\n");
    assert!(shown.contains("was rejected by ada: not now"), "{shown}");
}

fn expiring(seconds: &str) -> String {
    DEPLOY.replace("Deploy {version}?'", &format!("Deploy {{version}}?', timeout={seconds}"))
}

#[track_caller]
fn check_expired(client: &mut RawClient, run: &str) {
    let done = view(client, run);
    let decision = &done["decisions"][0];
    assert_eq!((&decision["decision"], &decision["by"]), (&json!("expired"), &json!("nobody")), "{done}");
    let result = client.ok("get_run", json!({"run_id": run, "read": "result"}));
    assert!(text(&result, "text").contains("nobody decided on"), "{result}");
}

#[test]
fn what_nobody_decides_in_time_is_refused_by_the_server() {
    let home = Home::new();
    let mut client = home.start_with(&USER, Protocol::V2025);
    remember(&mut client, "deploy", &expiring("1"));
    let paused = client.ok("execute_procedure", json!({"procedure_id": "deploy"}));
    let run = text(&paused, "run_id").to_owned();
    let waits = view(&mut client, &run);
    assert!(waits["status"] != json!("paused") || text(&waits, "expires_at").parse::<jiff::Timestamp>().is_ok());
    eventually("the run went on", || view(&mut client, &run)["status"] == json!("succeeded"));
    check_expired(&mut client, &run);
}

#[test]
fn a_decision_that_comes_too_late_is_none() {
    let home = Home::new();
    let run = left(&home, "deploy", &expiring("1"));
    thread::sleep(Duration::from_millis(1100));
    let output = decide(&home, &["approve", &run, "--yes"]);
    assert!(stdout(&output).contains("nobody decided on"), "{output:?}");
    check_expired(&mut home.start_with(&USER, Protocol::V2025), &run);
}

#[test]
fn a_question_expires_while_the_client_hangs() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = with_user(&home, protocol);
        remember(&mut client, "deploy", &expiring("1"));
        let id = client.send_call("execute_procedure", json!({"procedure_id": "deploy"}));
        let done = match protocol {
            Protocol::V2025 => {
                client.server_request();
                client.call_answer(id)
            }
            Protocol::V2026 => {
                let asked = client.answer(id)["result"].clone();
                thread::sleep(Duration::from_millis(1100));
                let yes = json!({"action": "accept", "content": {"approve": true}});
                let again = json!({"name": "execute_procedure", "arguments": {"procedure_id": "deploy"},
                    "requestState": asked["requestState"], "inputResponses": {"decision": yes}});
                let id = client.send_request("tools/call", again);
                let answer = client.call_answer(id);
                // The server may have closed it before the answer came.
                let run = asked["requestState"].as_str().unwrap().split('.').next().unwrap().to_owned();
                eventually("the run went on", || view(&mut client, &run)["status"] == json!("succeeded"));
                json!({"run_id": run, "answer": answer})
            }
        };
        check_expired(&mut client, text(&done, "run_id"));
    }
}
