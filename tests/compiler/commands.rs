//! Commands in steps: their variables, and those that sentences have in back-ticks.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, text};

/// Remembers, compiles and executes; returns the issues as one text, and the answer.
#[track_caller]
fn run(client: &mut RawClient, name: &str, definition: Value, parameters: Value) -> (String, Value) {
    let mut whole = json!({"name": name});
    whole.as_object_mut().unwrap().extend(definition.as_object().unwrap().clone());
    client.ok("remember_procedure", whole);
    let generated = client.ok("generate_procedure_code", json!({"procedure_id": name, "use_llm": false}));
    let issues = generated["issues"].as_array().unwrap();
    let messages = issues.iter().map(|issue| text(issue, "message")).collect::<Vec<_>>().join("\n");
    (messages, client.call("execute_procedure", json!({"procedure_id": name, "parameters": parameters})))
}

const ECHO: &str = "[policy]\ncommands = ['echo', 'awk', 'sh']\n";

#[test]
fn variables_in_single_braces_are_filled_in_commands() {
    let home = Home::with_config(ECHO);
    let mut client = home.start();
    let (_, answer) = run(
        &mut client,
        "greets",
        json!({"steps": [{"command": ["echo", "hi {who}"]}, {"step_id": "again", "command": ["echo", "{{who}}:", "{step_1_output}"]}]}),
        json!({"who": "Ada"}),
    );
    assert_eq!(answer["result"], json!({"step_1": "hi Ada\n", "again": "Ada: hi Ada\n\n"}), "{answer}");
    // It is asked for, as in other steps.
    let error = client.refused("execute_procedure", json!({"procedure_id": "greets"}), "invalid_parameters");
    assert!(error.contains("missing parameter `who`"), "{error}");
    let (_, answer) = run(
        &mut client,
        "by_sentence",
        json!({"steps": ["Run `echo {who} {{what}}`"]}),
        json!({"who": "Ada", "what": "sings"}),
    );
    assert_eq!(answer["result"], json!({"step_1": "Ada sings\n"}), "{answer}");
}

#[test]
fn braces_that_programs_need_stay() {
    let home = Home::with_config(ECHO);
    let mut client = home.start();
    let steps = json!([
        {"command": ["echo", "${who} %{http_code} @{u} \\{who} {} {a b}"]},
        {"command": ["awk", "BEGIN {print} {who}"]},
        {"command": ["sh", "-c", "for i in 1; do echo {who} {print} ${i}; done"]},
    ]);
    let definition = json!({"steps": steps, "parameters": [{"name": "who", "type": "string", "default": "Ada"}]});
    let (issues, answer) = run(&mut client, "braces", definition, json!({}));
    assert_eq!(answer["result"]["step_1"], json!("${who} %{http_code} @{u} {who} {} {a b}\n"), "{answer}");
    assert_eq!(answer["result"]["step_3"], json!("Ada {print} 1\n"), "{answer}");
    assert!(issues.contains("`{print}` stays as it is, because nothing is called `print`"), "{issues}");
    assert!(!issues.contains("http_code"), "{issues}");
}

#[test]
fn names_that_are_known_are_filled_in_arguments() {
    let home = Home::new();
    let mut client = home.start();
    crate::common::remember(&mut client, "shown", "def shown(text: str, n) -> list:\n    return [text, n]\n");
    let definition = json!({
        "steps": [{"procedure": "shown", "arguments": {"text": "query {user} { id {name} }", "n": "{count}"}}],
        "parameters": [{"name": "name", "type": "string"}, {"name": "count", "type": "integer"}],
    });
    let (issues, answer) = run(&mut client, "queries", definition, json!({"name": "Ada", "count": 3}));
    assert_eq!(answer["result"]["step_1"], json!(["query {user} { id Ada }", 3]), "{answer}");
    assert!(issues.contains("`{user}` stays as it is"), "{issues}");
}

#[test]
fn a_sentence_that_is_a_command_or_has_one_runs_it() {
    let home = Home::with_config(ECHO);
    let mut client = home.start();
    let sentences =
        json!(["`echo one`", "Say it with echo, `echo two`, and go on", "Three: `echo three`.", " `echo` "]);
    let (issues, answer) = run(&mut client, "says", json!({"steps": sentences}), json!({}));
    let expected = json!({"step_1": "one\n", "step_2": "two\n", "step_3": "three\n", "step_4": "\n"});
    assert_eq!(answer["result"], expected, "{answer}");
    assert!(!issues.contains("is not run"), "{issues}");
}

#[test]
fn a_command_that_is_left_to_a_person_is_said() {
    let home = Home::with_config(ECHO);
    let mut client = home.start();
    for (name, sentence, why) in [
        ("shell", "`echo a | wc -c`", "it needs a shell"),
        ("several", "Run `echo a`, then `echo b`", "more than one command"),
        ("doubt", "Run `git push --force` only if you are sure", "leave open whether"),
    ] {
        let (issues, answer) = run(&mut client, name, json!({"steps": [sentence]}), json!({}));
        assert_eq!(answer["outcome"], json!("paused"), "{answer}");
        let expected = "step 1: its command is not run but handed to the agent or a person";
        assert!(issues.contains(expected) && issues.contains(why), "{issues}");
    }
}
