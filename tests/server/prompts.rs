//! The prompt that lets an agent write code itself, and that code written by it passes.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, text};

const STEPS: [&str; 2] = ["Read the log of {{service}}", "Count the lines with an error"];

fn prompt(client: &mut RawClient, arguments: Value) -> Value {
    client.request("prompts/get", json!({"name": "write_procedure_code", "arguments": arguments}))
}

#[test]
fn the_prompt_has_what_it_takes_to_write_the_code() {
    let home = Home::with_config("[policy]\ncommands = ['journalctl']\n");
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "count errors", "steps": STEPS}));
    let listed = client.request("prompts/list", json!({}));
    assert_eq!(listed["result"]["prompts"][0]["name"], json!("write_procedure_code"), "{listed}");
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
