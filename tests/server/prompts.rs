//! The prompt that lets an agent write code itself, and that code written by it passes.

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, text};

const STEPS: [&str; 2] = ["Read the log of {{service}}", "Count the lines with an error"];

fn prompt(client: &mut RawClient, arguments: Value) -> Value {
    client.request("prompts/get", json!({"name": "write_procedure_code", "arguments": arguments}))
}

#[test]
fn the_prompt_has_what_it_takes_to_write_the_code() {
    let home = Home::with_config("[policy]\ncommands = ['journalctl']\n");
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "count errors", "steps": STEPS}));
    let answer = prompt(&mut client, json!({"procedure_id": "count_errors"}));
    let guide = answer["result"]["messages"][0]["content"]["text"].as_str().unwrap();
    for part in [
        "`count_errors`",
        "run_command(command: list[str]",
        "journalctl",
        "Count the lines with an error",
        "\"service\"",
    ] {
        assert!(guide.contains(part), "{part}: {guide}");
    }
    // What somebody writes who has only read the guide.
    let code = "from repertoire import run_command\n\n\ndef count_errors(service: str) -> int:\n    \"\"\"Count the errors \
                in a service's log.\n\n    Args:\n        service: Which service.\n\n    Returns:\n        How many lines \
                have an error.\n    \"\"\"\n    try:\n        log = run_command([\"journalctl\", \"-u\", service]).stdout\n    \
                except RuntimeError as error:\n        raise RuntimeError(f\"the log can't be read: {error}\")\n    return \
                sum(1 for line in log.splitlines() if \"error\" in line)\n";
    let stored = client.ok("generate_procedure_code", json!({"procedure_id": "count_errors", "code": code}));
    assert_eq!((&stored["issues"], &stored["version"]), (&json!([]), &json!(2)), "{stored}");
    assert!(stored.get("guide").is_none(), "who wrote the code needs no guide: {stored}");
}

#[test]
fn an_answer_that_leaves_steps_to_people_says_how_to_do_better() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "by hand", "steps": ["Look at the sky"]}));
    let compiled = client.ok("generate_procedure_code", json!({"procedure_id": "by_hand"}));
    assert!(text(&compiled, "guide").contains("Look at the sky"), "{compiled}");
    client.ok("remember_procedure", json!({"name": "by machine", "steps": ["Run `uname -a`"]}));
    let compiled = client.ok("generate_procedure_code", json!({"procedure_id": "by_machine"}));
    assert!(compiled.get("guide").is_none(), "{compiled}");
}

#[test]
fn a_prompt_that_makes_no_sense_is_refused() {
    let home = Home::new();
    let mut client = home.start();
    for (arguments, named) in [
        (json!({}), "procedure_id"),
        (json!({"procedure_id": "nothing"}), "nothing"),
        (json!({"procedure_id": []}), "number"),
    ] {
        let answer = prompt(&mut client, arguments);
        assert!(answer["error"]["message"].as_str().unwrap().contains(named), "{answer}");
    }
    let answer = client.request("prompts/get", json!({"name": "write_poetry"}));
    assert!(answer["error"]["message"].as_str().unwrap().contains("write_poetry"), "{answer}");
    client.ok("list_procedures", json!({}));
}

#[test]
fn there_is_a_prompt_for_each_thing_that_a_user_asks_for() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = home.start_with(&[], protocol);
        let listed = client.request("prompts/list", json!({}))["result"]["prompts"].clone();
        let names: Vec<&str> = listed.as_array().unwrap().iter().map(|prompt| text(prompt, "name")).collect();
        assert_eq!(names, ["use_procedure", "reflect_on_session", "review_candidates", "write_procedure_code"]);
        for prompt in listed.as_array().unwrap() {
            assert!(!text(prompt, "title").is_empty() && !text(prompt, "description").is_empty(), "{prompt}");
        }
    }
}

fn text_of(client: &mut RawClient, name: &str, arguments: Value) -> String {
    let answer = client.request("prompts/get", json!({"name": name, "arguments": arguments}));
    answer["result"]["messages"][0]["content"]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn a_procedure_is_used_by_calling_it_or_step_by_step() {
    let home = Home::new();
    let mut client = home.start();
    let parameters = json!([{"name": "service", "type": "string", "description": "Which one."}]);
    client.ok(
        "remember_procedure",
        json!({"name": "restart", "description": "Restarts a service.", "steps": ["Restart {{service}}", "Look at its log"],
            "parameters": parameters, "preconditions": ["nobody uses it"]}),
    );
    let by_hand = text_of(&mut client, "use_procedure", json!({"procedure_id": "restart", "task": "the web is down"}));
    for part in [
        "`restart`",
        "the web is down",
        "Restarts a service.",
        "`service` (str, required): Which one.",
        "nobody uses it",
        "2. Look at its log",
        "record_outcome",
    ] {
        assert!(by_hand.contains(part), "{part}: {by_hand}");
    }
    let code = "def restart(service: str) -> str:\n    return service\n";
    client.ok("generate_procedure_code", json!({"procedure_id": "restart", "code": code}));
    let called = text_of(&mut client, "use_procedure", json!({"procedure_id": "1"}));
    assert!(called.contains("execute_procedure") && !called.contains("Look at its log"), "{called}");
    let refused = client.request("prompts/get", json!({"name": "use_procedure", "arguments": {}}));
    assert!(refused["error"]["message"].as_str().unwrap().contains("procedure_id"), "{refused}");
}

#[test]
fn reflecting_asks_for_lessons_with_their_principle_and_review_leaves_deciding_to_the_user() {
    let home = Home::new();
    let mut client = home.start();
    let reflect = text_of(&mut client, "reflect_on_session", json!({"session_name": "the outage"}));
    for part in ["the outage", "`reasoning`", "principle", "submit_lessons", "submit_trace"] {
        assert!(reflect.contains(part), "{part}: {reflect}");
    }
    let review = text_of(&mut client, "review_candidates", json!({}));
    for part in ["list_candidates", "review_candidate", "repertoire review"] {
        assert!(review.contains(part), "{part}: {review}");
    }
}
