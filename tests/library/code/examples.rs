//! Examples are held against the code before it becomes what a procedure is.

use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, RawClient, text},
    runtime::python::has_python,
    survival::commit_outside,
};

fn doubles(factor: u32) -> String {
    format!(
        "def twice(n: int) -> int:\n    \"\"\"Return `n` twice.\"\"\"\n    if n < 0:\n        raise ValueError(\"`n` is below zero\")\n    return n * {factor}\n"
    )
}

fn examples() -> Value {
    json!([{"parameters": {"n": 3}, "result": 6}, {"parameters": {"n": -1}, "error": "ValueError: below zero"}])
}

fn filled() -> (Home, RawClient) {
    let home = Home::new();
    let mut client = home.start();
    let twice = json!({"name": "twice", "steps": ["Double it"], "examples": examples(), "code": doubles(2)});
    client.ok("remember_procedure", twice);
    (home, client)
}

fn versions(client: &mut RawClient) -> Vec<Value> {
    let answer = client.ok("get_procedure_versions", json!({"procedure_id": "twice"}));
    answer["versions"].as_array().unwrap().clone()
}

fn result(client: &mut RawClient) -> Value {
    client.ok("execute_procedure", json!({"procedure_id": "twice", "parameters": {"n": 3}}))["result"].clone()
}

#[test]
fn code_that_contradicts_an_example_is_not_stored() {
    let (_home, mut client) = filled();
    let given = json!({"procedure_id": "twice", "code": doubles(3)});
    let answer = client.ok("generate_procedure_code", given.clone());
    assert_eq!((&answer["version"], &answer["code"]), (&Value::Null, &json!(doubles(3))), "{answer}");
    assert_eq!(answer["issues"][0]["severity"], json!("error"), "{answer}");
    let told = text(&answer["issues"][0], "message");
    assert!(told.contains("example 1: {\"n\":3} has to give 6, and gives 9"), "{told}");
    assert_eq!((result(&mut client), versions(&mut client).len()), (json!(6), 1));
    // Whoever insists gets it, with less confidence, and the history says so.
    let mut insisting = given;
    insisting["accept_failing_examples"] = json!(true);
    let accepted = client.ok("generate_procedure_code", insisting);
    assert_eq!(accepted["version"], json!(2), "{accepted}");
    let stored = client.ok("get_procedure", json!({"procedure_id": "twice"}));
    assert_eq!(stored["code_confidence"], accepted["confidence"], "{stored}");
    assert_eq!(accepted["confidence"], json!(0.68), "of 0.9, with one of two examples against it: {accepted}");
    assert_eq!(result(&mut client), json!(9));
    let history = versions(&mut client);
    assert!(text(&history[0], "message").contains("(contradicts example 1; accepted)"), "{history:?}");
    // Back to what holds: nothing speaks against that.
    client.ok("rollback_procedure_code", json!({"procedure_id": "twice", "target_version": 1}));
    assert_eq!(result(&mut client), json!(6));
    let rollback = json!({"procedure_id": "twice", "target_version": 2});
    let error = client.refused("rollback_procedure_code", rollback.clone(), "examples_fail");
    assert!(error.contains("example 1"), "{error}");
    let mut insisting = rollback;
    insisting["accept_failing_examples"] = json!(true);
    client.ok("rollback_procedure_code", insisting);
    assert_eq!(result(&mut client), json!(9));
}

#[test]
fn definitions_and_new_procedures_are_held_to_their_examples() {
    let (home, mut client) = filled();
    let wrong = json!({"name": "other", "steps": ["x"], "examples": examples(), "code": doubles(4)});
    let answer = client.call("remember_procedure", wrong.clone());
    assert_eq!(answer["failing_examples"][0]["got"], json!("12"), "{answer}");
    client.refused("get_procedure", json!({"procedure_id": "other"}), "procedure_not_found");
    let mut insisting = wrong;
    insisting["accept_failing_examples"] = json!(true);
    client.ok("remember_procedure", insisting);
    // What does not change what is executed is not held up by what was accepted.
    client.ok("update_procedure", json!({"procedure_id": "other", "tags": ["a"]}));
    let more = json!({"procedure_id": "twice", "examples": [{"parameters": {"n": 1}, "result": 3}]});
    client.refused("update_procedure", more, "examples_fail");
    let raising = json!({"procedure_id": "twice", "examples": [{"parameters": {"m": 1}, "error": "TypeError"}]});
    client.ok("update_procedure", raising);
    // At the terminal.
    let printed = fail_out(&home, &["test"]);
    assert!(printed.contains("no other v2, example 1") && printed.contains("2 passed, 1 failed"), "{printed}");
    assert!(succeed(&home, &["test", "twice"]).contains("ok twice v2, example 1"));
    let printed: Value = serde_json::from_str(&succeed(&home, &["test", "twice", "--json"])).unwrap();
    assert_eq!((&printed["passed"], &printed["failed"]), (&json!(1), &json!(0)), "{printed}");
    let file = home.beside("files").join("twice.py");
    std::fs::write(&file, "def twice(m: int = 0) -> int:\n    return m\n").unwrap();
    let printed = fail_out(&home, &["code", "twice", file.to_str().unwrap()]);
    assert!(printed.contains("keeps the code") && printed.contains("example 1"), "{printed}");
}

fn fail_out(home: &Home, arguments: &[&str]) -> String {
    let output = home.run(arguments);
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn host_calls_are_answered_by_what_is_recorded_and_by_nothing_else() {
    let home = Home::with_config("[policy]\ncommands = [\"*\"]\n");
    let mut client = home.start();
    let mark = home.beside("files").join("mark");
    let code = format!(
        "from repertoire import log, run_command\n\n\ndef touches(name: str) -> str:\n    \"\"\"Touch; returns what was said.\"\"\"\n    log(name)\n    return run_command([\"touch\", {:?}]).stdout\n",
        mark.to_str().unwrap()
    );
    let call = json!({"function": "run_command", "arguments": {"command": ["touch", mark]}, "result": "touched it"});
    let mut example = json!({"parameters": {"name": "a"}, "result": "touched it", "calls": [call]});
    let remembered =
        |examples: &Value| json!({"name": "touches", "steps": ["x"], "code": code, "examples": [examples]});
    client.ok("remember_procedure", remembered(&example));
    assert!(!mark.exists(), "an example did something");
    assert_eq!(client.ok("list_runs", json!({}))["count"], json!(0));
    // What is recorded and is not what the code asks for is no answer.
    example["calls"][0]["arguments"]["command"][0] = json!("rm");
    let change = json!({"procedure_id": "touches", "examples": [example]});
    let error = client.refused("update_procedure", change, "examples_fail");
    assert!(error.contains("no answer to that is recorded"), "{error}");
    // Where nothing is recorded the example says nothing.
    example.as_object_mut().unwrap().remove("calls");
    client.ok("update_procedure", json!({"procedure_id": "touches", "examples": [example]}));
    let printed = succeed(&home, &["test"]);
    assert!(printed.contains("0 failed, 1 could not be tried"), "{printed}");
    assert!(!mark.exists(), "an example did something");
}

#[test]
fn a_finished_run_is_kept_as_an_example_without_its_secrets() {
    let home = Home::with_config("[policy]\ncommands = [\"echo\"]\n");
    let mut client = home.start();
    let code = "from repertoire import run_command\n\n\ndef says(word: str, token: str = \"\") -> str:\n    \"\"\"Say it.\"\"\"\n    if word == \"\":\n        raise ValueError(\"nothing to say\")\n    return run_command([\"echo\", word, \"--token\", token]).stdout.split()[0]\n";
    client.ok("remember_procedure", json!({"name": "says", "steps": ["x"], "code": code}));
    let run = |client: &mut RawClient, word: &str| {
        let parameters = json!({"word": word, "token": "hunter2hunter2"});
        let answer = client.call("execute_procedure", json!({"procedure_id": "says", "parameters": parameters}));
        text(&answer, "run_id").to_owned()
    };
    let (good, bad) = (run(&mut client, "hello"), run(&mut client, ""));
    let printed = succeed(&home, &["keep", &good]);
    assert!(printed.contains("example 1 of `says`"), "{printed}");
    client.ok("update_procedure", json!({"procedure_id": "says", "example_run": bad}));
    let definition = client.ok("get_procedure", json!({"procedure_id": "says"}))["definition"].clone();
    let kept = &definition["examples"];
    assert_eq!(
        (&kept[0]["result"], &kept[1]["error"]),
        (&json!("hello"), &json!("ValueError: nothing to say")),
        "{kept}"
    );
    assert_eq!(kept[0]["calls"][0]["function"], json!("run_command"), "{kept}");
    assert!(!definition.to_string().contains("hunter2"), "{definition}");
    assert!(succeed(&home, &["test", "says"]).contains("2 passed, 0 failed, 0 could"));
    // It is a gate from now on.
    let other = code.replace("split()[0]", "upper()");
    let answer = client.ok("generate_procedure_code", json!({"procedure_id": "says", "code": other}));
    assert_eq!(answer["version"], Value::Null, "{answer}");
    let error = fail(&home, &["keep", &good]);
    assert!(error.contains("is example 1"), "{error}");
    client.ok("remember_procedure", json!({"name": "else", "template": "Hello"}));
    let others = json!({"procedure_id": "else", "example_run": good});
    client.refused("update_procedure", others, "invalid_argument");
}

#[test]
fn what_is_pushed_and_contradicts_its_examples_is_a_version_and_not_current() {
    let (home, mut client) = filled();
    let file = "procedures/general/twice/procedure.py";
    commit_outside(&home.repository(), "Push five times", &[(file, Some(&doubles(5)))]);
    assert_eq!(result(&mut client), json!(6));
    let shown = client.ok("get_procedure", json!({"procedure_id": "twice"}));
    let why = text(&shown["broken"], "reason");
    assert!(why.contains("contradicts the examples of version 2: example 1") && why.contains("gives 15"), "{shown}");
    assert_eq!(shown["version"], json!(1), "{shown}");
    assert!(String::from_utf8_lossy(&home.run(&["doctor"]).stdout).contains("contradicts the examples of version 2"));
    let change = json!({"procedure_id": "twice", "description": "Mine."});
    let error = client.refused("update_procedure", change, "procedure_broken");
    assert!(error.contains("contradicts"), "{error}");
    // What holds becomes current, and settles it.
    let tidied = format!("{}\n# tidied\n", doubles(2));
    commit_outside(&home.repository(), "Push a remark", &[(file, Some(&tidied))]);
    let shown = client.ok("get_procedure", json!({"procedure_id": "twice"}));
    assert_eq!((&shown["version"], &shown["broken"]), (&json!(3), &Value::Null), "{shown}");
    assert_eq!(result(&mut client), json!(6));
    // Whoever wants what was pushed says so.
    let wanted = json!({"procedure_id": "twice", "target_version": 2, "accept_failing_examples": true});
    client.ok("rollback_procedure_code", wanted);
    assert_eq!(result(&mut client), json!(15));
    // An index that is built anew says the same.
    let before = versions(&mut client);
    drop(client);
    succeed(&home, &["doctor", "--rebuild"]);
    let mut client = home.start();
    assert_eq!(versions(&mut client), before);
    assert_eq!(result(&mut client), json!(15));
}

#[test]
fn a_pushed_procedure_has_no_code_until_its_examples_hold() {
    let home = Home::new();
    let mut client = home.start();
    let definition =
        |name: &str| json!({"name": name, "category": "general", "steps": ["x"], "examples": examples()}).to_string();
    client.ok("remember_procedure", json!({"name": "first", "template": "Hello"}));
    let named = |name: &str, factor: u32| doubles(factor).replace("twice", name);
    let file = |name: &str, file: &str| format!("procedures/general/{name}/{file}");
    let files = [
        (file("good", "procedure.json"), definition("good")),
        (file("good", "procedure.py"), named("good", 2)),
        (file("bad", "procedure.json"), definition("bad")),
        (file("bad", "procedure.py"), named("bad", 7)),
    ];
    let files: Vec<(&str, Option<&str>)> =
        files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
    commit_outside(&home.repository(), "Push two", &files);
    let good = client.ok("get_procedure", json!({"procedure_id": "good"}));
    assert_eq!((&good["broken"], &good["code"]), (&Value::Null, &json!(named("good", 2))), "{good}");
    let bad = client.ok("get_procedure", json!({"procedure_id": "bad"}));
    assert!(bad["code"].is_null() && text(&bad["broken"], "reason").contains("gives 21"), "{bad}");
    let run = client.call("execute_procedure", json!({"procedure_id": "bad", "parameters": {"n": 1}}));
    assert_eq!(run["outcome"], json!("skipped"), "{run}");
}

#[test]
fn code_for_the_other_runtime_is_held_to_examples_as_well() {
    if !has_python() {
        return;
    }
    let home = Home::with_config("[python]\nenabled = true\n");
    let mut client = home.start();
    // A class that inherits is for CPython alone.
    let code = |factor: u32| {
        format!(
            "class Number(int):\n    pass\n\n\ndef twice(n: int) -> int:\n    \"\"\"Return `n` twice.\"\"\"\n    return int(Number(n)) * {factor}\n"
        )
    };
    let twice = |factor: u32| {
        json!({"name": "twice", "steps": ["Double it"], "runtime": "python", "code": code(factor),
            "examples": [{"parameters": {"n": 3}, "result": 6}]})
    };
    let error = client.refused("remember_procedure", twice(3), "examples_fail");
    assert!(error.contains("example 1: {\"n\":3} has to give 6, and gives 9"), "{error}");
    client.ok("remember_procedure", twice(2));
    let answer = client.ok("generate_procedure_code", json!({"procedure_id": "twice", "code": code(3)}));
    assert_eq!(answer["version"], Value::Null, "{answer}");
    assert_eq!((result(&mut client), versions(&mut client).len()), (json!(6), 1));
}
