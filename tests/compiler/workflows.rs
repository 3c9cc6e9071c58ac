//! Definitions with typed actions and dependencies: compiled, and really run.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::common::{Home, RawClient, downstream::Setup, text, toml_path};

/// Remembers a definition and compiles it to code that no check objects to.
#[track_caller]
fn define(client: &mut RawClient, name: &str, steps: Value) -> Value {
    let remembered = client.ok("remember_procedure", json!({"name": name, "steps": steps}));
    let generated = client.ok("generate_procedure_code", json!({"procedure_id": name, "use_llm": false}));
    let issues = generated["issues"].as_array().unwrap();
    let found: Vec<&Value> = issues.iter().filter(|issue| issue["severity"] != json!("info")).collect();
    assert!(found.is_empty(), "{found:#?}\n{}", text(&generated, "code"));
    for check in ["docstring", "error_handling", "types", "runnable"] {
        assert_eq!(generated["validation"]["checks"][check], json!(true), "{check}: {generated}");
    }
    remembered
}

fn execute(client: &mut RawClient, name: &str, parameters: Value) -> Value {
    client.call("execute_procedure", json!({"procedure_id": name, "parameters": parameters}))
}

#[track_caller]
fn result(client: &mut RawClient, name: &str, parameters: Value) -> Value {
    let answer = execute(client, name, parameters);
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    answer["result"].clone()
}

/// The error of a run, which names the step.
#[track_caller]
fn failed(answer: &Value, parts: &[&str]) {
    assert_eq!(answer["outcome"], json!("failure"), "{answer}");
    for part in parts {
        assert!(text(answer, "error").contains(part), "`{part}` is not in {answer}");
    }
}

/// What procedures left in the inbox, oldest first: kind, title and text.
fn inbox(client: &mut RawClient) -> Vec<Value> {
    let items = client.ok("list_inbox", json!({}))["items"].as_array().unwrap().clone();
    let left = items.iter().rev().filter(|item| item.get("id").is_some());
    left.map(|item| json!([item["kind"], item["title"], item["body"]])).collect()
}

fn notification(step_id: &str, message: &str, more: Value) -> Value {
    let mut step =
        json!({"step_id": step_id, "action_type": "send_notification", "config": {"message_template": message}});
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    step
}

fn skill(step_id: &str, config: Value, more: Value) -> Value {
    let mut step = json!({"step_id": step_id, "action_type": "run_skill", "config": config});
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    step
}

#[test]
fn actions_end_in_the_inbox_and_their_outputs_chain() {
    let home = Home::new();
    let mut client = home.start();
    let brief = "def brief(day: str, style: str) -> dict:\n    return {'text': f'{style} brief of {day}', 'items': [{'who': 'Ada'}]}\n";
    client.ok("remember_procedure", json!({"name": "brief", "steps": ["Write it"], "code": brief}));
    let compose = "def compose(topic: str) -> dict:\n    return {'body': f'Dear all, {topic}'}\n";
    client.ok("remember_procedure", json!({"name": "compose", "steps": ["Write it"], "code": compose}));
    let remembered = define(
        &mut client,
        "morning",
        json!([
            skill("brief", json!({"skill_id": "brief", "style": "short", "input_mapping": {"day": "{{trigger.date}}"}}), json!({})),
            notification("tell", "Good morning!\n{latest_output.text}", json!({})),
            {"step_id": "task", "action_type": "create_task", "config": {
                "task_title": "Read no. {tell_output.id}", "assignee": "{{brief_output.items.0.who}}", "labels": ["daily"]}},
            {"step_id": "mail", "action_type": "draft_email", "input_mapping": {"topic": "{brief_output.text}"},
                "config": {"subject_template": "{task_output.title}", "body_skill": "compose", "to_mapping": "{{people}}"}},
        ]),
    );
    let procedure = client.ok("get_procedure", json!({"procedure_id": remembered["procedure_id"]}));
    let asked: Vec<&str> = procedure["definition"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| text(parameter, "name"))
        .collect();
    assert_eq!(asked, ["trigger", "people"]);
    let parameters = json!({"trigger": {"date": "2026-08-03"}, "people": ["ada@example.org", "bob@example.org"]});
    let answer = execute(&mut client, "morning", parameters);
    let result = &answer["result"];
    assert_eq!(result["mail"]["to"], json!(["ada@example.org", "bob@example.org"]), "{answer}");
    assert_eq!((&result["task"]["assignee"], &result["task"]["description"]), (&json!("Ada"), &json!("Labels: daily")));
    let expected = json!([
        ["notification", null, "Good morning!\nshort brief of 2026-08-03"],
        ["task", "Read no. 1", "Labels: daily"],
        ["email_draft", "Read no. 1", "Dear all, short brief of 2026-08-03"],
    ]);
    assert_eq!(json!(inbox(&mut client)), expected);
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    assert_eq!(run["step_outputs"][2]["output"]["title"], json!("Read no. 1"), "{run}");
    assert_eq!((&run["steps_completed"], &run["steps_total"]), (&json!(4), &json!(4)));
}

#[test]
fn an_approved_action_is_done_and_a_rejected_one_stops_the_run() {
    let home = Home::new();
    let mut client = home.start();
    let gate = json!({"requires_approval": true, "timeout_seconds": 600, "on_failure": "skip"});
    let steps = json!([notification("tell", "{day} is closed", gate), notification("after", "Told.", json!({}))]);
    define(&mut client, "close", steps);
    for decision in ["reject", "approve"] {
        let paused = execute(&mut client, "close", json!({"day": "Friday"}));
        assert_eq!(paused["outcome"], json!("paused"), "{paused}");
        let waiting_for = text(&paused, "waiting_for");
        assert!(waiting_for.contains("Friday is closed") && waiting_for.contains("step 1, tell"), "{waiting_for}");
        assert_eq!(inbox(&mut client), Vec::<Value>::new());
        let resumed = client.call("resume_run", json!({"run_id": paused["run_id"], "decision": decision}));
        if decision == "reject" {
            failed(&resumed, &["Friday is closed", "rejected"]);
            assert_eq!(resumed["error_type"], json!("PermissionError"));
            assert_eq!(inbox(&mut client), Vec::<Value>::new(), "nothing is done, whatever `on_failure` says");
        } else {
            assert_eq!(resumed["outcome"], json!("success"), "{resumed}");
        }
    }
    let expected = json!([["notification", null, "Friday is closed"], ["notification", null, "Told."]]);
    assert_eq!(json!(inbox(&mut client)), expected);
}

/// A procedure that fails until it was called `times`, and counts its calls in a file.
fn remember_flaky(client: &mut RawClient, folder: &Path, times: usize) {
    let code = format!(
        "from pathlib import Path\n\ndef flaky(name: str) -> int:\n    file = Path({:?}) / name\n    \
         count = int(file.read_text()) + 1 if file.exists() else 1\n    file.write_text(str(count))\n    \
         if count < {times}:\n        raise RuntimeError(f'attempt {{count}} came to nothing')\n    return count\n",
        folder.to_str().unwrap()
    );
    client.ok("remember_procedure", json!({"name": "flaky", "steps": ["Try"], "code": code}));
}

#[test]
fn what_a_failure_does_is_the_steps_choice() {
    let home = Home::new();
    let folder = home.beside("files");
    home.configure(&format!("[policy]\nwrite = [{}]\n", toml_path(&folder)));
    let mut client = home.start();
    remember_flaky(&mut client, &folder, 3);
    let flaky = |on_failure: &str| {
        skill(on_failure, json!({"skill_id": "flaky", "name": "{{case}}"}), json!({"on_failure": on_failure}))
    };
    define(&mut client, "retries", json!([flaky("retry"), notification("tell", "At {latest_output}", json!({}))]));
    assert_eq!(result(&mut client, "retries", json!({"case": "a"}))["retry"], json!(3));
    assert_eq!(json!(inbox(&mut client)), json!([["notification", null, "At 3"]]));
    define(&mut client, "stops", json!([flaky("stop"), notification("tell", "Never", json!({}))]));
    let stopped = execute(&mut client, "stops", json!({"case": "b"}));
    failed(&stopped, &["step 1 (stop) failed: attempt 1 came to nothing"]);
    assert_eq!((stopped["error_type"].as_str(), inbox(&mut client).len()), (Some("RuntimeError"), 1));
    define(
        &mut client,
        "skips",
        json!([flaky("skip"), skill("uses", json!({"skill_id": "shown", "given": "{{latest_output}}"}), json!({}))]),
    );
    client.ok(
        "remember_procedure",
        json!({"name": "shown", "steps": ["x"], "code": "def shown(given) -> list:\n    return [given]\n"}),
    );
    let answer = execute(&mut client, "skips", json!({"case": "c"}));
    assert_eq!(answer["result"], json!({"skip": null, "uses": [null]}), "{answer}");
    assert!(text(&answer, "output").contains("step 1 (skip) failed and is skipped: attempt 1"), "{answer}");
}

#[test]
fn three_attempts_are_made_and_nobody_who_refused_is_asked_again() {
    let home = Home::new();
    let folder = home.beside("files");
    home.configure(&format!("[policy]\nwrite = [{}]\n", toml_path(&folder)));
    let mut client = home.start();
    remember_flaky(&mut client, &folder, 10);
    let retry = json!({"on_failure": "retry"});
    define(&mut client, "in_vain", json!([skill("a", json!({"skill_id": "flaky", "name": "a"}), retry.clone())]));
    failed(&execute(&mut client, "in_vain", json!({})), &["step 1 (a) failed at attempt 3: attempt 3 came to nothing"]);
    define(&mut client, "asks", json!([notification("tell", "Hello", json!({"requires_approval": true}))]));
    define(&mut client, "outer", json!([skill("inner", json!({"skill_id": "asks"}), retry)]));
    let paused = execute(&mut client, "outer", json!({}));
    let answer =
        client.call("resume_run", json!({"run_id": paused["run_id"], "decision": "reject", "value": "not now"}));
    failed(&answer, &["step 1 (inner) failed at attempt 1", "not now"]);
}

#[test]
fn a_missing_variable_is_named_and_never_an_empty_text() {
    let home = Home::new();
    let mut client = home.start();
    client.ok(
        "remember_procedure",
        json!({"name": "found", "steps": ["x"], "code": "def found() -> dict:\n    return {'a': {'b': [1]}}\n"}),
    );
    let found = skill("find", json!({"skill_id": "found"}), json!({}));
    let cases = [
        ("parameter", "{{trigger.date.day}}", "step 2 (tell) failed: the variable `trigger.date.day` is missing"),
        ("output", "{find_output.a.c}", "step 2 (tell) failed: the variable `find_output.a.c` is missing"),
        ("item", "{latest_output.a.b.1}", "step 2 (tell) failed: the variable `latest_output.a.b.1` is missing"),
        ("input", "{who.name}", "step 2 (tell) failed: the variable `who.name` is missing"),
    ];
    for (name, message, expected) in cases {
        let inputs = json!({"input_mapping": {"who": "somebody"}});
        define(&mut client, name, json!([found, notification("tell", message, inputs)]));
        let parameters = if name == "parameter" { json!({"trigger": {"date": {"month": 3}}}) } else { json!({}) };
        failed(&execute(&mut client, name, parameters), &[expected]);
    }
    // Nothing gives it, so a caller has to.
    define(&mut client, "asked", json!([notification("tell", "Hello {whom}", json!({}))]));
    let error = client.refused("execute_procedure", json!({"procedure_id": "asked"}), "invalid_parameters");
    assert!(error.contains("missing parameter `whom`"), "{error}");
    let skipped = skill("try", json!({"skill_id": "nowhere"}), json!({"on_failure": "skip"}));
    define(&mut client, "of_skipped", json!([skipped, notification("tell", "Got {try_output}", json!({}))]));
    let expected = "step 2 (tell) failed: the variable `try_output` is missing";
    failed(&execute(&mut client, "of_skipped", json!({})), &[expected]);
    define(
        &mut client,
        "at_gate",
        json!([notification("tell", "{a.b}", json!({"requires_approval": true, "on_failure": "skip"}))]),
    );
    failed(
        &execute(&mut client, "at_gate", json!({"a": {}})),
        &["step 1 (tell) failed: the variable `a.b` is missing"],
    );
    define(&mut client, "sentence", json!([found, "Look at {{step_1_output}} and {{find_output.x}}"]));
    failed(
        &execute(&mut client, "sentence", json!({"step_1_output": "it"})),
        &["step 2", "`find_output.x` is missing"],
    );
    assert_eq!(inbox(&mut client), Vec::<Value>::new());
}

#[test]
fn tools_are_called_by_steps_and_by_actions() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    define(
        &mut client,
        "sums",
        json!([
            {"tool": "test/add", "arguments": {"a": 2, "b": 3}},
            skill("more", json!({"skill": "test/add", "a": "{{step_1_output.sum}}", "b": 10}), json!({"timeout_seconds": 30})),
            {"step_id": "said", "tool": "test/echo", "arguments": {"text": "It is {{more_output.sum}}."}},
        ]),
    );
    let expected = json!({"step_1": {"sum": 5}, "more": {"sum": 15}, "said": "It is 15."});
    assert_eq!(result(&mut client, "sums", json!({})), expected);
    define(&mut client, "slow", json!([skill("wait", json!({"skill": "test/slow"}), json!({"timeout_seconds": 1}))]));
    failed(&execute(&mut client, "slow", json!({})), &["step 1 (wait) failed", "`test/slow` was stopped after 1"]);
}

/// A command that writes down when it began and ended, a second apart.
fn timed(folder: &Path, name: &str) -> Value {
    let file = folder.join(name);
    let script = format!("date +%s%N > '{0}'; sleep 1; date +%s%N >> '{0}'", file.display());
    json!(["sh", "-c", script])
}

/// When a [`timed`] command began and ended, in nanoseconds.
fn times(folder: &Path, name: &str) -> (u64, u64) {
    let written = fs::read_to_string(folder.join(name)).unwrap();
    let times: Vec<u64> = written.lines().map(|line| line.parse().unwrap()).collect();
    (times[0], times[1])
}

#[test]
fn independent_branches_run_at_the_same_time() {
    let home = Home::new();
    let folder = home.beside("files");
    let (sent, quoted) = (timed(&folder, "sent"), |command: &Value| command.to_string());
    home.configure(&format!(
        "[policy]\ncommands = ['sh']\nwrite = [{}]\n[channels.slow]\ncommand = {}\n",
        toml_path(&folder),
        quoted(&sent)
    ));
    let mut client = home.start();
    let depends_on = |names: &[&str]| json!({"depends_on": names});
    let mut send = notification("send", "Begun", json!({}));
    send["config"]["channel"] = json!("slow");
    define(
        &mut client,
        "release",
        json!([
            {"step_id": "build", "command": timed(&folder, "build")},
            {"step_id": "check", "command": timed(&folder, "check")},
            send,
            {"step_id": "test", "command": timed(&folder, "test"), "depends_on": ["build"]},
            notification("tell", "Tested{test_output}", depends_on(&["test", "check"])),
        ]),
    );
    let answer = execute(&mut client, "release", json!({}));
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    let overlap = |a: &str, b: &str| {
        let (a, b) = (times(&folder, a), times(&folder, b));
        a.0 < b.1 && b.0 < a.1
    };
    assert!(overlap("build", "check") && overlap("build", "sent") && overlap("check", "sent"));
    assert!(times(&folder, "build").1 <= times(&folder, "test").0, "it depends on it");
    assert_eq!(inbox(&mut client).last(), Some(&json!(["notification", null, "Tested"])));
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    let steps: Vec<&Value> = run["calls"].as_array().unwrap().iter().map(|call| &call["step"]).collect();
    assert_eq!(steps.len(), 5, "{run}");
    assert!((1..=5).all(|step| steps.contains(&&json!(step))), "{run}");
}

#[test]
fn an_approval_holds_up_only_what_needs_it() {
    let home = Home::new();
    let mut client = home.start();
    let gate = json!({"requires_approval": true});
    define(
        &mut client,
        "branches",
        json!([
            notification("ask_first", "First", gate.clone()),
            notification("after_first", "After first", json!({"depends_on": ["ask_first"]})),
            notification("ask_second", "Second", gate),
            notification("free", "Free", json!({})),
            notification("after_free", "After free", json!({"depends_on": ["free"]})),
            notification("last", "Last", json!({"depends_on": ["after_first", "ask_second", "after_free"]})),
        ]),
    );
    let paused = execute(&mut client, "branches", json!({}));
    let bodies = |client: &mut RawClient| -> Vec<Value> { inbox(client).iter().map(|item| item[2].clone()).collect() };
    assert!(text(&paused, "waiting_for").contains("First"), "{paused}");
    assert_eq!(json!(bodies(&mut client)), json!(["Free", "After free"]));
    let approve = json!({"run_id": paused["run_id"], "decision": "approve"});
    let paused = client.ok("resume_run", approve.clone());
    assert!(text(&paused, "waiting_for").contains("Second"), "{paused}");
    assert_eq!(bodies(&mut client)[2..], [json!("First"), json!("After first")]);
    let done = client.ok("resume_run", approve);
    assert_eq!(done["outcome"], json!("success"), "{done}");
    assert_eq!(bodies(&mut client)[4..], [json!("Second"), json!("Last")]);
}

#[test]
fn a_branch_fails_by_name_and_its_policy_is_its_own() {
    let home = Home::new();
    let folder = home.beside("files");
    home.configure(&format!("[policy]\ncommands = ['sh']\nwrite = [{}]\n", toml_path(&folder)));
    let mut client = home.start();
    remember_flaky(&mut client, &folder, 2);
    let command = |step_id: &str, script: &str| json!({"step_id": step_id, "command": ["sh", "-c", script]});
    let lost = |on_failure: &str| skill("lost", json!({"skill_id": "nowhere"}), json!({"on_failure": on_failure}));
    let join = notification("join", "Joined", json!({"depends_on": ["good", "lost"]}));
    define(&mut client, "skips", json!([command("good", "echo yes"), lost("skip"), join]));
    let answer = execute(&mut client, "skips", json!({}));
    assert_eq!((&answer["result"]["good"], &answer["result"]["lost"]), (&json!("yes\n"), &json!(null)), "{answer}");
    let again = skill("lost", json!({"skill_id": "flaky", "name": "a"}), json!({"on_failure": "retry"}));
    define(&mut client, "retries", json!([command("good", "echo yes"), again, join]));
    assert_eq!(result(&mut client, "retries", json!({}))["lost"], json!(2));
    define(&mut client, "stops", json!([command("good", "echo yes"), lost("stop"), join]));
    failed(&execute(&mut client, "stops", json!({})), &["step 2 (lost) failed", "`nowhere`"]);
    define(&mut client, "breaks", json!([command("good", "echo no >&2; exit 3"), lost("skip"), join]));
    failed(&execute(&mut client, "breaks", json!({})), &["step 1 (good) failed"]);
    assert_eq!(inbox(&mut client).len(), 2, "one for each that came to its end");
}

#[test]
fn what_can_not_work_is_refused_when_it_is_defined() {
    let home = Home::new();
    let mut client = home.start();
    for (step, expected) in [
        (skill("a", json!({"skill_id": "server/"}), json!({})), "step 1: the skill in `config` is `server/`"),
        (skill("a", json!({"skill_id": "x"}), json!({"depends_on": ["b"]})), "step 1: `depends_on` names `b`"),
        (skill("a", json!({"skill_id": "x"}), json!({"depends_on": ["a"]})), "in a circle"),
        (
            json!({"step_id": "a", "action_type": "draft_email", "config": {"body": "Hi", "tone": "warm"}}),
            "step 1: `config` has `tone`, which is no part of an email",
        ),
    ] {
        let error = client.refused("remember_procedure", json!({"name": "odd", "steps": [step]}), "invalid_argument");
        assert!(error.contains(expected), "{error}");
    }
}
