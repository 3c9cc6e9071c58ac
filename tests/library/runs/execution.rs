//! Executing procedures: parameters, outcomes, nesting, pauses, long results, the journal.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, execute_code, remember, text};

fn execute(client: &mut RawClient, name: &str, parameters: Value) -> Value {
    client.call("execute_procedure", json!({"procedure_id": name, "parameters": parameters}))
}

fn manual(client: &mut RawClient, name: &str, steps: Value) -> Value {
    client.ok("remember_procedure", json!({"name": name, "steps": steps}));
    client.ok("generate_procedure_code", json!({"procedure_id": name}));
    client.ok("execute_procedure", json!({"procedure_id": name}))
}

#[test]
fn parameters_that_do_not_fit_are_named_before_anything_runs() {
    let home = Home::new();
    let mut client = home.start();
    let code = "def deploy(target: str, count: int = 1, *, dry: bool = False) -> str:\n    print('ran')\n    \
                return f'{target} {count} {dry}'\n";
    remember(&mut client, "deploy", code);
    let cases = [
        (json!({}), "missing parameter `target`"),
        (json!({"target": "a", "speed": 1}), "unknown parameter `speed`"),
        (json!({"target": [5]}), "parameter `target` must be `str`, got [5]"),
        (json!({"target": "a", "count": "2.5"}), "parameter `count` must be `int`"),
        (json!({"target": "a", "count": true}), "parameter `count` must be `int`"),
        (json!({"target": "a", "dry": 0}), "parameter `dry` must be `bool`"),
        (json!({"target": null}), "parameter `target` must be `str`"),
    ];
    for (parameters, message) in cases {
        let call = json!({"procedure_id": "deploy", "parameters": parameters});
        let error = client.refused("execute_procedure", call, "invalid_parameters");
        assert!(error.contains(message) && error.contains("`deploy`"), "{parameters}: {error}");
    }
    assert_eq!(client.ok("list_runs", json!({}))["count"], json!(0), "nothing ran");
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "deploy"}));
    assert_eq!(stats["usage_count"], json!(0), "{stats}");
    let answer = execute(&mut client, "deploy", json!({"target": "a", "dry": true}));
    assert_eq!((&answer["result"], &answer["output"]), (&json!("a 1 True"), &json!("ran\n")), "{answer}");
}

#[test]
fn every_kind_of_entry_point_is_called() {
    let home = Home::new();
    let mut client = home.start();
    let entries = [
        ("named", "def helper():\n    return 0\n\ndef named(x: int) -> int:\n    return x\n"),
        ("with_main", "def helper():\n    return 0\n\ndef main(x: int) -> int:\n    return x\n"),
        ("only_public", "def _helper():\n    return 0\n\ndef anything(x: int) -> int:\n    return x\n"),
        ("in_async", "async def in_async(x: int) -> int:\n    return x\n"),
        ("any_keyword", "def any_keyword(**rest) -> int:\n    return rest['x']\n"),
        ("by_position", "def by_position(x, /) -> int:\n    return x\n"),
        ("script", "parameters['x']\n"),
    ];
    for (name, code) in entries {
        remember(&mut client, name, code);
        let answer = execute(&mut client, name, json!({"x": 7}));
        assert_eq!(answer["result"], json!(7), "{name}: {answer}");
    }
}

#[test]
fn a_default_of_the_definition_fills_in() {
    let home = Home::new();
    let mut client = home.start();
    let parameters = json!([{"name": "whom", "type": "string", "default": "world"}]);
    let code = "def greet(whom):\n    return 'hello ' + whom\n";
    client
        .ok("remember_procedure", json!({"name": "greet", "steps": ["Greet"], "parameters": parameters, "code": code}));
    assert_eq!(execute(&mut client, "greet", json!({}))["result"], json!("hello world"));
    assert_eq!(execute(&mut client, "greet", json!({"whom": "you"}))["result"], json!("hello you"));
}

#[test]
fn a_failure_shows_its_lines() {
    let home = Home::new();
    let mut client = home.start();
    let code = "def outer(n: int) -> int:\n    return inner(n)\n\n\ndef inner(n: int) -> int:\n    \
                print('before')\n    raise KeyError(f'no {n}')\n";
    remember(&mut client, "outer", code);
    let answer = execute(&mut client, "outer", json!({"n": 3}));
    assert_eq!((&answer["error_type"], &answer["outcome"]), (&json!("KeyError"), &json!("failure")), "{answer}");
    assert!(text(&answer, "error").contains("no 3"), "{answer}");
    assert_eq!(answer["output"], json!("before\n"), "{answer}");
    let traceback = text(&answer, "traceback");
    let order = ["Traceback", "line 2", "return inner(n)", "line 7", "raise KeyError", "KeyError:"];
    let positions: Vec<Option<usize>> = order.iter().map(|part| traceback.find(part)).collect();
    assert!(positions.iter().all(Option::is_some) && positions.is_sorted(), "{traceback}");
    assert!(!traceback.contains("line 8") && !traceback.contains("parameters"), "{traceback}");
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    assert_eq!((&run["status"], &run["outcome"]), (&json!("failed"), &json!("failure")), "{run}");
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "outer"}));
    assert!(text(&stats["execution_stats"], "last_error").contains("no 3"), "{stats}");
}

#[test]
fn without_code_the_outcome_is_skipped() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "idea", "steps": ["Think"]}));
    let answer = execute(&mut client, "idea", json!({}));
    assert_eq!((&answer["outcome"], &answer["error_code"]), (&json!("skipped"), &json!("no_code")), "{answer}");
    assert!(text(&answer, "error").contains("generate_procedure_code"), "{answer}");
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "idea"}));
    assert_eq!(stats["execution_stats"]["skipped"], json!(1), "{stats}");
    assert_eq!(stats["success_rate"], Value::Null, "a skipped run is neither success nor failure: {stats}");
    // Nor has it succeeded, wherever runs are told of.
    assert_eq!(answer["status"], json!("skipped"), "{answer}");
    let view = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    assert_eq!(
        (&view["status"], &view["outcome"], &view["progress"]),
        (&json!("skipped"), &json!("skipped"), &json!(0.0))
    );
    let code = "def done():\n    \"\"\"Return 1.\"\"\"\n    return 1\n";
    execute_code(&mut client, "done", code);
    for (status, names) in [("skipped", vec!["idea"]), ("succeeded", vec!["done"]), ("failed", vec![])] {
        let runs = client.ok("list_runs", json!({"status": status}));
        let found: Vec<&str> = runs["runs"].as_array().unwrap().iter().map(|run| text(run, "name")).collect();
        assert_eq!(found, names, "{status}");
    }
    client.refused("cancel_run", json!({"run_id": answer["run_id"]}), "run_ended");
}

#[test]
fn a_disabled_procedure_is_not_executed() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "off", "def off() -> int:\n    return 1\n");
    client.ok("update_procedure", json!({"procedure_id": "off", "enabled": false}));
    let error = client.refused("execute_procedure", json!({"procedure_id": "off"}), "procedure_disabled");
    assert!(error.contains("`enabled: true`"), "{error}");
    let caller = "from repertoire import call_procedure\n\ndef caller():\n    return call_procedure('off')\n";
    let answer = execute_code(&mut client, "caller", caller);
    assert!(text(&answer, "error").contains("disabled"), "{answer}");
    client.ok("update_procedure", json!({"procedure_id": "off", "enabled": true}));
    assert_eq!(execute(&mut client, "off", json!({}))["result"], json!(1));
}

#[test]
fn procedures_call_each_other_and_see_each_others_errors() {
    let home = Home::new();
    let mut client = home.start();
    remember(
        &mut client,
        "half",
        "def half(n: int) -> float:\n    if n < 0:\n        raise ValueError('negative')\n    return n / 2\n",
    );
    let code = "from repertoire import call_procedure\n\ndef both(n: int) -> dict:\n    value = \
                call_procedure('half', {'n': n})\n    try:\n        call_procedure('half', {'n': -1})\n    \
                except ValueError as error:\n        return {'value': value, 'caught': str(error)}\n";
    remember(&mut client, "both", code);
    let answer = execute(&mut client, "both", json!({"n": 5}));
    assert_eq!(answer["result"], json!({"value": 2.5, "caught": "negative"}), "{answer}");
    let loose = "from repertoire import call_procedure\n\ndef loose():\n    call_procedure('half', {'n': -1})\n";
    let answer = execute_code(&mut client, "loose", loose);
    assert_eq!(answer["error_type"], json!("ValueError"), "{answer}");
    for (name, call, kind) in [
        ("unknown", "call_procedure('hlaf', {'n': 1})", "LookupError"),
        ("misfit", "call_procedure('half', {'m': 1})", "TypeError"),
        ("shapeless", "call_procedure('half', 5)", "TypeError"),
        ("too_many", "call_procedure('half', {}, 3, 4)", "TypeError"),
    ] {
        let code = format!("from repertoire import call_procedure\n\ndef {name}():\n    return {call}\n");
        let answer = execute_code(&mut client, name, &code);
        assert_eq!(answer["error_type"], json!(kind), "{name}: {answer}");
    }
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "half"}));
    let counts = &stats["execution_stats"];
    assert_eq!((&counts["success"], &counts["failure"]), (&json!(1), &json!(2)), "each call counts: {stats}");
}

#[test]
fn a_manual_step_pauses_and_goes_on_with_what_is_brought_back() {
    let home = Home::new();
    let mut client = home.start();
    let code = "from repertoire import log, manual_step\n\ndef check():\n    log('start')\n    # Step 1\n    colour = \
                manual_step('What colour is the sky?')\n    # Step 2\n    size = manual_step('How large is it?')\n    \
                return [colour, size]\n";
    client.ok("remember_procedure", json!({"name": "check", "steps": ["Colour", "Size"], "code": code}));
    let paused = client.ok("execute_procedure", json!({"procedure_id": "check"}));
    assert_eq!((&paused["outcome"], &paused["status"]), (&json!("paused"), &json!("paused")), "{paused}");
    assert_eq!(paused["waiting_for"], json!("What colour is the sky?"), "{paused}");
    let run = json!({"run_id": paused["run_id"]});
    let view = client.ok("get_run", run.clone());
    assert_eq!((&view["status"], &view["current_step"]), (&json!("paused"), &json!(1)), "{view}");
    assert_eq!((&view["steps_total"], &view["progress"]), (&json!(2), &json!(0.0)), "{view}");
    let waiting = client.ok("list_runs", json!({"status": "paused"}));
    assert_eq!(waiting["runs"][0]["waiting_for"], json!("What colour is the sky?"), "{waiting}");
    let next = client.ok("resume_run", json!({"run_id": paused["run_id"], "value": {"blue": true}}));
    assert_eq!((&next["outcome"], &next["waiting_for"]), (&json!("paused"), &json!("How large is it?")), "{next}");
    let view = client.ok("get_run", run.clone());
    assert_eq!((&view["current_step"], &view["progress"]), (&json!(2), &json!(0.5)), "{view}");
    let done = client.ok("resume_run", json!({"run_id": paused["run_id"], "decision": "approve", "value": 3}));
    assert_eq!(done["result"], json!([{"blue": true}, 3]), "{done}");
    assert_eq!(done["output"], json!("start\n"), "{done}");
    let view = client.ok("get_run", run);
    assert_eq!((&view["status"], &view["progress"]), (&json!("succeeded"), &json!(1.0)), "{view}");
    assert_eq!(
        view["step_outputs"],
        json!([{"step": 1, "output": {"blue": true}}, {"step": 2, "output": 3}]),
        "{view}"
    );
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "check"}));
    assert_eq!((&stats["usage_count"], &stats["success_rate"]), (&json!(1), &json!(1.0)), "{stats}");
    client.refused("resume_run", json!({"run_id": paused["run_id"]}), "run_not_paused");
}

#[test]
fn a_rejected_step_is_an_error_in_the_code() {
    let home = Home::new();
    let mut client = home.start();
    let paused = manual(&mut client, "ask", json!(["Look at the sky"]));
    let reject = json!({"run_id": paused["run_id"], "decision": "reject", "value": "it is night"});
    let answer = client.call("resume_run", reject);
    assert_eq!((&answer["outcome"], &answer["error_type"]), (&json!("failure"), &json!("RuntimeError")), "{answer}");
    let error = text(&answer, "error");
    assert!(error.contains("Look at the sky") && error.contains("it is night"), "{error}");
}

#[test]
fn a_paused_run_can_be_cancelled() {
    let home = Home::new();
    let mut client = home.start();
    let paused = manual(&mut client, "ask", json!(["Look at the sky"]));
    let run = json!({"run_id": paused["run_id"]});
    client.ok("cancel_run", run.clone());
    assert_eq!(client.ok("get_run", run.clone())["status"], json!("cancelled"));
    client.refused("resume_run", run.clone(), "run_not_paused");
    client.refused("cancel_run", run, "run_ended");
}

#[test]
fn a_pause_inside_a_called_procedure_pauses_the_whole() {
    let home = Home::new();
    let mut client = home.start();
    client.ok(
        "remember_procedure",
        json!({"name": "inner", "steps": ["Look at the sky"], "code":
        "from repertoire import manual_step\n\ndef inner():\n    return manual_step('Look')\n"}),
    );
    let outer = "from repertoire import call_procedure\n\ndef outer():\n    return ['saw', call_procedure('inner')]\n";
    let paused = execute_code(&mut client, "outer", outer);
    assert_eq!((&paused["outcome"], &paused["waiting_for"]), (&json!("paused"), &json!("Look")), "{paused}");
    let done = client.ok("resume_run", json!({"run_id": paused["run_id"], "value": "stars"}));
    assert_eq!(done["result"], json!(["saw", "stars"]), "{done}");
    for name in ["inner", "outer"] {
        let stats = client.ok("get_procedure_stats", json!({"procedure_id": name}));
        assert_eq!((&stats["usage_count"], &stats["success_rate"]), (&json!(1), &json!(1.0)), "{stats}");
    }
}

/// Reads a part of a run to its end.
fn read_part(client: &mut RawClient, run: &Value, part: &str) -> String {
    let (mut read, mut offset) = (String::new(), json!(0));
    loop {
        let piece = client.ok("get_run", json!({"run_id": run, "read": part, "offset": offset}));
        read.push_str(text(&piece, "text"));
        match piece.get("next_offset") {
            Some(next) => offset = next.clone(),
            None => return read,
        }
    }
}

#[test]
fn long_output_and_results_are_cut_and_can_be_read_in_full() {
    let home = Home::new();
    let mut client = home.start();
    let code =
        "def long():\n    for line in range(2000):\n        print(f'größer {line}')\n    return ['é' * 10] * 3000\n";
    let answer = execute_code(&mut client, "long", code);
    assert!(answer["success"] == json!(true) && text(&answer, "note").contains("get_run"), "{answer}");
    assert!(answer.to_string().chars().count() < 20_000);
    let output: String = (0..2000).map(|line| format!("größer {line}\n")).collect();
    assert_eq!(read_part(&mut client, &answer["run_id"], "output"), output);
    let result: Value = serde_json::from_str(&read_part(&mut client, &answer["run_id"], "result")).unwrap();
    assert_eq!(result, json!(vec!["é".repeat(10); 3000]));
    assert_eq!(read_part(&mut client, &answer["run_id"], "traceback"), "");
}

#[test]
fn host_calls_are_journalled_with_their_steps() {
    let home = Home::new();
    let mut client = home.start();
    let code = "from repertoire import call_procedure, log\n\ndef journal():\n    # Step 1: say\n    log('one')\n    \
                # Step 2: try\n    try:\n        call_procedure('missing')\n    except LookupError:\n        pass\n    \
                # Step 3: say again\n    log(message='three')\n";
    client.ok("remember_procedure", json!({"name": "journal", "steps": ["a", "b", "c"], "code": code}));
    let answer = client.ok("execute_procedure", json!({"procedure_id": "journal"}));
    let view = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    let calls = view["calls"].as_array().unwrap();
    let seen: Vec<(&str, &Value, &Value)> =
        calls.iter().map(|call| (text(call, "function"), &call["step"], &call["line"])).collect();
    let expected = [("log", 1, 5), ("call_procedure", 2, 8), ("log", 3, 12)];
    assert_eq!(seen.len(), expected.len(), "{view}");
    for ((function, step, line), wanted) in seen.into_iter().zip(expected) {
        assert_eq!((function, step, line), (wanted.0, &json!(wanted.1), &json!(wanted.2)), "{view}");
    }
    assert_eq!(calls[0]["arguments"], json!({"message": "one"}), "{view}");
    assert!(text(&calls[1], "error").contains("LookupError"), "{view}");
    assert_eq!(calls[2]["arguments"], json!({"message": "three"}), "{view}");
}

#[test]
fn runs_are_listed_newest_first_and_filtered() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "good", "def good() -> int:\n    return 1\n");
    remember(&mut client, "bad", "def bad() -> int:\n    raise ValueError('no')\n");
    let mut ids: Vec<Value> = (0..3).map(|_| execute(&mut client, "good", json!({}))["run_id"].clone()).collect();
    ids.push(execute(&mut client, "bad", json!({}))["run_id"].clone());
    ids.reverse();
    let listed = |client: &mut RawClient, filter: Value| -> Vec<Value> {
        let answer = client.ok("list_runs", filter);
        answer["runs"].as_array().unwrap().iter().map(|run| run["run_id"].clone()).collect()
    };
    assert_eq!(listed(&mut client, json!({})), ids);
    assert_eq!(listed(&mut client, json!({"procedure_id": "good"})), ids[1..]);
    assert_eq!(listed(&mut client, json!({"status": "failed"})), ids[..1]);
    assert_eq!(listed(&mut client, json!({"limit": 2})), ids[..2]);
    assert_eq!(listed(&mut client, json!({"status": "running"})), Vec::<Value>::new());
}
