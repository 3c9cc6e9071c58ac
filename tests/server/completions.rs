//! What a client proposes while its user fills in arguments.

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, execute_code, remember, text};

fn complete(client: &mut RawClient, reference: Value, argument: &str, beginning: &str, known: Value) -> Vec<String> {
    let params = json!({
        "ref": reference,
        "argument": {"name": argument, "value": beginning},
        "context": {"arguments": known},
    });
    let answer = client.request("completion/complete", params);
    let completion = &answer["result"]["completion"];
    let values: Vec<String> =
        serde_json::from_value(completion["values"].clone()).unwrap_or_else(|_| panic!("no values in {answer}"));
    assert_eq!(completion["total"], json!(values.len()), "{answer}");
    assert_eq!(completion["hasMore"], json!(false), "{answer}");
    values
}

#[test]
fn arguments_are_completed_from_what_is_there() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = home.start_with(&[], protocol);
        let prompt = json!({"type": "ref/prompt", "name": "use_procedure"});
        let address = |path: &str| json!({"type": "ref/resource", "uri": format!("repertoire://{path}")});
        remember(&mut client, "clean_text", "def clean_text() -> int:\n    return 1\n");
        remember(&mut client, "unclean", "def unclean() -> int:\n    return 1\n");
        let run = execute_code(&mut client, "archive", "def archive() -> int:\n    return 1\n");

        assert_eq!(complete(&mut client, prompt.clone(), "procedure_id", "cl", json!({})), ["clean_text", "unclean"]);
        assert_eq!(complete(&mut client, prompt.clone(), "procedure_id", "Clean T", json!({})), ["clean_text"]);
        assert_eq!(complete(&mut client, address("procedures/{name}"), "name", "arc", json!({})), ["archive"]);
        let id = text(&run, "run_id");
        assert_eq!(complete(&mut client, address("runs/{run_id}"), "run_id", &id[..9], json!({})), [id]);
        let versions = address("procedures/{name}/versions/{version}");
        client.ok("update_procedure", json!({"procedure_id": "archive", "description": "Archives"}));
        assert_eq!(complete(&mut client, versions.clone(), "version", "", json!({"name": "archive"})), ["2", "1"]);
        assert_eq!(complete(&mut client, versions.clone(), "version", "", json!({"name": "no such"})), [""; 0]);
        assert_eq!(complete(&mut client, versions, "version", "", json!({})), [""; 0]);
        assert_eq!(complete(&mut client, prompt, "task", "any", json!({})), [""; 0]);
    }
}

#[test]
fn what_others_own_is_not_proposed() {
    let home = Home::new();
    let mut ada = RawClient::spawn(home.command(&["--user", "ada", "--no-starters", "serve"]));
    ada.open(Protocol::V2025);
    let mut bob = RawClient::spawn(home.command(&["--user", "bob", "--no-starters", "serve"]));
    bob.open(Protocol::V2025);
    ada.ok("remember_procedure", json!({"name": "mine alone", "steps": ["Do it"]}));
    let prompt = json!({"type": "ref/prompt", "name": "use_procedure"});
    assert_eq!(complete(&mut ada, prompt.clone(), "procedure_id", "mine", json!({})), ["mine_alone"]);
    assert_eq!(complete(&mut bob, prompt, "procedure_id", "mine", json!({})), [""; 0]);
}

#[test]
fn a_long_list_says_that_there_is_more() {
    let home = Home::new();
    let mut client = home.start();
    for number in 0..105 {
        client.ok("remember_procedure", json!({"name": format!("task {number}"), "steps": ["Do it"]}));
    }
    let params = json!({
        "ref": {"type": "ref/prompt", "name": "use_procedure"},
        "argument": {"name": "procedure_id", "value": "task"},
    });
    let answer = client.request("completion/complete", params)["result"]["completion"].clone();
    assert_eq!(answer["values"].as_array().unwrap().len(), 100);
    assert_eq!((&answer["total"], &answer["hasMore"]), (&json!(105), &json!(true)));
}
