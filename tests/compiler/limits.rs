//! How long a step may take, and what becomes of the run when it fails: the same for every kind of step.

use std::{fs, path::Path, time::Instant};

use serde_json::{Value, json};

use crate::common::{Home, RawClient, downstream::Setup, eventually, remember, text, toml_path};

/// Remembers and compiles; returns the issues as one text.
#[track_caller]
fn define(client: &mut RawClient, name: &str, steps: Value) -> String {
    client.ok("remember_procedure", json!({"name": name, "steps": steps}));
    let generated = client.ok("generate_procedure_code", json!({"procedure_id": name, "use_llm": false}));
    let issues = generated["issues"].as_array().unwrap();
    let is_fine = |issue: &&Value| issue["severity"] == json!("info") || text(issue, "message").contains("not granted");
    let found: Vec<&Value> = issues.iter().filter(|issue| !is_fine(issue)).collect();
    assert!(found.is_empty(), "{found:#?}\n{}", text(&generated, "code"));
    issues.iter().map(|issue| text(issue, "message")).collect::<Vec<_>>().join("\n")
}

fn execute(client: &mut RawClient, name: &str) -> Value {
    client.call("execute_procedure", json!({"procedure_id": name}))
}

#[track_caller]
fn failed(answer: &Value, parts: &[&str]) {
    assert_eq!(answer["outcome"], json!("failure"), "{answer}");
    for part in parts {
        assert!(text(answer, "error").contains(part), "`{part}` is not in {answer}");
    }
}

fn skill(name: &str, more: Value) -> Value {
    let mut step = json!({"step_id": "call", "action_type": "run_skill", "config": {"skill_id": name}});
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    step
}

const SLOW: [(&str, &str); 4] = [
    ("computes", "def computes() -> int:\n    total = 0\n    while True:\n        total += 1\n"),
    ("sleeps", "import time\n\ndef sleeps() -> int:\n    time.sleep(30)\n    return 1\n"),
    (
        "waits",
        "from repertoire import run_command\n\ndef waits() -> str:\n    return run_command(['sleep', '30']).stdout\n",
    ),
    ("calls", "from repertoire import call_procedure\n\ndef calls() -> int:\n    return call_procedure('sleeps')\n"),
];

#[test]
fn a_procedure_that_takes_longer_than_its_step_says_is_stopped() {
    let home = Home::with_config("[policy]\ncommands = ['sleep']\n");
    let mut client = home.start();
    for (name, code) in SLOW {
        remember(&mut client, name, code);
    }
    for (name, _) in SLOW {
        let limit = json!({"timeout_seconds": 1});
        define(&mut client, "by_action", json!([skill(name, limit.clone())]));
        let started = Instant::now();
        failed(&execute(&mut client, "by_action"), &["step 1 (call) failed", "was stopped after 1 s"]);
        define(&mut client, "by_step", json!([{"procedure": name, "timeout_seconds": 1}]));
        let answer = execute(&mut client, "by_step");
        failed(&answer, &["was stopped after 1 s"]);
        assert_eq!(answer["error_type"], json!("TimeoutError"), "{answer}");
        assert!(started.elapsed().as_secs() < 15, "{name}: {:?}", started.elapsed());
        client.ok("delete_procedure", json!({"procedure_id": "by_action"}));
        client.ok("delete_procedure", json!({"procedure_id": "by_step"}));
    }
    let runs = client.ok("list_runs", json!({"status": "running"}));
    assert_eq!(runs["count"], json!(0), "nothing that was called goes on: {runs}");
}

#[test]
fn what_is_left_of_a_run_goes_on_after_a_call_was_stopped() {
    let home = Home::with_config("[policy]\ncommands = ['sleep']\n");
    let mut client = home.start();
    for (name, code) in SLOW {
        remember(&mut client, name, code);
    }
    let done = json!({"step_id": "tell", "action_type": "send_notification", "config": {"message": "On we go"}});
    define(&mut client, "goes_on", json!([skill("calls", json!({"timeout_seconds": 1, "on_failure": "skip"})), done]));
    let answer = execute(&mut client, "goes_on");
    assert_eq!((&answer["outcome"], &answer["result"]["call"]), (&json!("success"), &json!(null)), "{answer}");
    assert!(text(&answer, "output").contains("step 1 (call) failed and is skipped: `calls` was stopped after 1 s"));
    // The one that was called, and the one that it called in turn.
    for name in ["calls", "sleeps"] {
        let runs = client.ok("get_procedure_stats", json!({"procedure_id": name}));
        assert_eq!(runs["execution_stats"]["failure"], json!(1), "{runs}");
    }
    let code = "import asyncio\nfrom repertoire import call_procedure\n\nasync def both() -> list:\n    return await \
                asyncio.gather(call_procedure('quick'), call_procedure('waits', timeout=1), return_exceptions=True)\n";
    let code = code.replace(", return_exceptions=True", "");
    let code = code
        .replace("    return await", "    try:\n        return await")
        .replace("timeout=1))\n", "timeout=1))\n    except TimeoutError as error:\n        return [str(error)]\n");
    remember(&mut client, "quick", "def quick() -> int:\n    return 7\n");
    remember(&mut client, "both", &code);
    let answer = execute(&mut client, "both");
    assert_eq!(answer["result"], json!(["`waits` was stopped after 1 s"]), "{answer}");
}

#[test]
fn a_called_procedure_that_waits_for_somebody_is_ended_when_its_time_is_up() {
    let home = Home::new();
    let mut client = home.start();
    define(&mut client, "asks", json!(["Look at the sky"]));
    let told = json!({"step_id": "tell", "action_type": "send_notification", "config": {"message": "Nobody looked"}});
    define(&mut client, "outer", json!([skill("asks", json!({"timeout_seconds": 2, "on_failure": "skip"})), told]));
    let paused = execute(&mut client, "outer");
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    let run = text(&paused, "run_id").to_owned();
    let view = client.ok("get_run", json!({"run_id": run}));
    assert!(view["status"] != json!("paused") || view.get("expires_at").is_some(), "{view}");
    // Another process keeps the time as well.
    client.kill();
    let mut client = home.start();
    eventually("the run went on", || client.ok("get_run", json!({"run_id": run}))["status"] == json!("succeeded"));
    let inner = client.ok("get_procedure_stats", json!({"procedure_id": "asks"}));
    assert_eq!(inner["execution_stats"]["failure"], json!(1), "{inner}");
    client.refused("resume_run", json!({"run_id": run}), "run_not_paused");
}

#[test]
fn commands_tools_and_channels_have_the_time_of_their_step() {
    let Some(setup) = Setup::bare() else { return };
    setup.home.configure(&format!(
        "[policy]\ncommands = ['sleep']\ntools = ['test']\n[channels.slow]\ncommand = ['sleep', '20']\n{}",
        setup.section("test", &[], "")
    ));
    let mut client = setup.home.start();
    let slow = [
        ("command", json!({"command": ["sleep", "20"], "timeout_seconds": 1}), "`sleep 20` was stopped after "),
        ("tool", json!({"tool": "test/slow", "timeout_seconds": 1}), "`test/slow` was stopped after "),
        (
            "channel",
            json!({"step_id": "x", "action_type": "send_notification", "timeout_seconds": 1,
                "config": {"channel": "slow", "message": "Hello"}}),
            "`sleep` was stopped after ",
        ),
    ];
    for (name, step, expected) in slow {
        define(&mut client, name, json!([step]));
        failed(&execute(&mut client, name), &[expected]);
        let mut skipped = step;
        skipped["on_failure"] = json!("skip");
        skipped["step_id"] = json!("x");
        define(&mut client, &format!("{name}_skipped"), json!([skipped]));
        let answer = execute(&mut client, &format!("{name}_skipped"));
        assert_eq!(answer["result"], json!({"x": null}), "{answer}");
        assert!(text(&answer, "output").contains(expected), "{answer}");
    }
}

#[test]
fn a_command_is_tried_again_or_left_out_as_its_step_says() {
    let home = Home::new();
    let folder = home.beside("files");
    home.configure(&format!("[policy]\ncommands = ['sh', 'echo']\nwrite = [{}]\n", toml_path(&folder)));
    let mut client = home.start();
    let script = |file: &Path| format!("echo x >> '{0}'; [ $(wc -l < '{0}') -ge 2 ] && echo done", file.display());
    let command = |name: &str, on_failure: &str| json!({"step_id": "it", "command": ["sh", "-c", script(&folder.join(name))], "on_failure": on_failure});
    define(&mut client, "retried", json!([command("retried", "retry")]));
    let answer = execute(&mut client, "retried");
    assert_eq!(answer["result"], json!({"it": "done\n"}), "{answer}");
    assert_eq!(fs::read_to_string(folder.join("retried")).unwrap().lines().count(), 2);
    let told = json!({"command": ["echo", "after {it_output}"]});
    define(&mut client, "left_out", json!([command("left_out", "skip"), {"command": ["echo", "after"]}]));
    assert_eq!(execute(&mut client, "left_out")["result"], json!({"it": null, "step_2": "after\n"}));
    define(&mut client, "missed", json!([command("missed", "skip"), told]));
    failed(&execute(&mut client, "missed"), &["the variable `it_output` is missing"]);
    define(&mut client, "stops", json!([command("stops", "stop")]));
    failed(&execute(&mut client, "stops"), &["step 1 (it) failed"]);
}

#[test]
fn a_gate_whose_time_is_up_skips_its_step_where_a_failure_does() {
    let home = Home::new();
    let mut client = home.start();
    let tell = |id: &str, more: Value| {
        let mut step =
            json!({"step_id": id, "action_type": "send_notification", "config": {"message": format!("{id} was sent")}});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    };
    let gate = |on_failure: &str| json!({"requires_approval": true, "timeout_seconds": 1, "on_failure": on_failure});
    define(&mut client, "skips", json!([tell("first", gate("skip")), tell("second", json!({}))]));
    define(&mut client, "stops", json!([tell("first", gate("stop")), tell("second", json!({}))]));
    let run = |client: &mut RawClient, name: &str| text(&execute(client, name), "run_id").to_owned();
    let (skips, stops) = (run(&mut client, "skips"), run(&mut client, "stops"));
    let ended = |client: &mut RawClient, run: &str, status: &str| {
        eventually("its time is up", || client.ok("get_run", json!({"run_id": run}))["status"] == json!(status));
        client.ok("get_run", json!({"run_id": run}))
    };
    let stopped = ended(&mut client, &stops, "failed");
    assert!(text(&stopped, "error").contains("nobody decided on"), "{stopped}");
    let skipped = ended(&mut client, &skips, "succeeded");
    assert_eq!(skipped["decisions"][0]["decision"], json!("expired"), "{skipped}");
    let output = client.ok("get_run", json!({"run_id": skips, "read": "output"}));
    assert!(text(&output, "text").contains("step 1 (first) is skipped: nobody decided on it in 1 s"), "{output}");
    let inbox = client.ok("list_inbox", json!({}));
    let has = |body: &str| inbox["items"].as_array().unwrap().iter().any(|item| item["body"] == json!(body));
    assert!(has("second was sent") && !has("first was sent"), "{inbox}");
    // Who refuses still stops the run.
    define(
        &mut client,
        "refused",
        json!([tell("first", json!({"requires_approval": true, "timeout_seconds": 600, "on_failure": "skip"}))]),
    );
    let refused = run(&mut client, "refused");
    failed(&client.call("resume_run", json!({"run_id": refused, "decision": "reject"})), &["was rejected"]);
}

#[test]
fn what_a_step_says_and_code_can_not_do_is_said() {
    let home = Home::new();
    let mut client = home.start();
    let task = json!({"step_id": "task", "action_type": "create_task", "timeout_seconds": 5,
        "config": {"title": "Look", "description": 3}});
    let mail = json!({"step_id": "mail", "action_type": "draft_email", "config": {
        "to": "a@example.org", "subject": "Hello", "body": "Hi", "body_skill": "composer"}});
    let issues = define(&mut client, "odd", json!([task, mail, {"tool": "nowhere/list"}, {"procedure": "no_such"}]));
    for expected in [
        "step 1: there is nothing that `timeout_seconds` (5) could limit",
        "step 1: `description` in `config` is 3, which is no text, and is not used",
        "step 2: `body_template` is not used, because `body_skill` writes the text",
        "step 2 calls `composer`, but there is no procedure of that name",
        "step 3 calls `nowhere/list`, but there is no MCP server `nowhere`",
        "step 4 calls `no_such`, but there is no procedure of that name",
    ] {
        assert!(issues.contains(expected), "`{expected}` is not in\n{issues}");
    }
    // What is there is not said to be missing.
    client.ok("remember_procedure", json!({"name": "composer", "steps": ["Write"]}));
    let issues = define(&mut client, "later", json!([mail]));
    assert!(issues.contains("calls `composer`, but that has no code yet"), "{issues}");
    remember(&mut client, "written", "def written() -> str:\n    return 'Hi'\n");
    let issues = define(&mut client, "fine", json!([skill("written", json!({})), {"procedure": "fine"}]));
    assert!(!issues.contains("calls"), "{issues}");
    client.ok("update_procedure", json!({"procedure_id": "written", "enabled": false}));
    let issues = define(&mut client, "off", json!([skill("written", json!({}))]));
    assert!(issues.contains("calls `written`, but that is disabled"), "{issues}");
}
