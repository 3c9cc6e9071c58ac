//! Procedures and runs as resources, and being told of what changes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, execute_code, remember, text};

const CODE: &str = "def greet(name: str = \"you\") -> str:\n    \"\"\"Greet.\"\"\"\n    return \"Hello \" + name\n";

fn read(client: &mut RawClient, uri: &str) -> Vec<Value> {
    let answer = client.request("resources/read", json!({"uri": uri}));
    answer["result"]["contents"].as_array().unwrap_or_else(|| panic!("no contents in {answer}")).clone()
}

fn parsed(content: &Value) -> Value {
    serde_json::from_str(text(content, "text")).unwrap()
}

#[test]
fn a_procedure_is_read_with_its_stats_and_its_code() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = home.start_with(&[], protocol);
        execute_code(&mut client, "greet", CODE);
        let listed = client.request("resources/list", json!({}))["result"]["resources"].clone();
        assert_eq!(listed[0]["uri"], json!("repertoire://procedures/greet"), "{listed}");
        assert_eq!(listed[0]["name"], json!("greet"));
        let contents = read(&mut client, "repertoire://procedures/greet");
        let shown = parsed(&contents[0]);
        assert_eq!(shown["definition"]["steps"], json!(["Do it"]), "{shown}");
        assert_eq!(shown["stats"]["execution_stats"]["success"], json!(1), "{shown}");
        assert_eq!((text(&contents[1], "text"), text(&contents[1], "mimeType")), (CODE, "text/x-python"));

        let changed = CODE.replace("Hello", "Good day");
        client.ok("generate_procedure_code", json!({"procedure_id": "greet", "code": changed}));
        let before = read(&mut client, "repertoire://procedures/greet/versions/1");
        assert_eq!(text(&before[1], "text"), CODE);
        let now = read(&mut client, "repertoire://procedures/greet/versions/v2");
        assert_eq!(text(&now[1], "text"), changed);
    }
}

#[test]
fn names_of_any_letters_have_an_address() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "größe messen", "def größe_messen() -> int:\n    return 1\n");
    let listed = client.request("resources/list", json!({}))["result"]["resources"].clone();
    let uri = text(&listed[0], "uri").to_owned();
    assert!(uri.is_ascii(), "{uri}");
    assert_eq!(parsed(&read(&mut client, &uri)[0])["definition"]["name"], json!("größe_messen"));
}

#[test]
fn a_run_is_read_as_a_report() {
    let home = Home::new();
    let mut client = home.start();
    let run = execute_code(&mut client, "greet", CODE);
    let uri = format!("repertoire://runs/{}", text(&run, "run_id"));
    let report = parsed(&read(&mut client, &uri)[0]);
    assert_eq!((&report["result"], &report["status"]), (&json!("Hello you"), &json!("succeeded")), "{report}");
    let templates = client.request("resources/templates/list", json!({}))["result"]["resourceTemplates"].clone();
    let templates: Vec<&str> =
        templates.as_array().unwrap().iter().map(|template| text(template, "uriTemplate")).collect();
    for wanted in ["procedures/{name}", "procedures/{name}/versions/{version}", "runs/{run_id}"] {
        assert!(templates.contains(&&*format!("repertoire://{wanted}")), "{wanted}: {templates:?}");
    }
}

#[test]
fn what_is_not_there_is_said_to_be_missing() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = home.start_with(&[], protocol);
        remember(&mut client, "greet", CODE);
        for uri in [
            "repertoire://procedures/nothing",
            "repertoire://procedures/",
            "repertoire://procedures/a/b",
            "repertoire://procedures/greet/versions/9",
            "repertoire://procedures/%FF",
            "repertoire://runs/nothing",
            "repertoire://artifacts/1",
            "file:///etc/passwd",
            "",
        ] {
            let answer = client.request("resources/read", json!({"uri": uri}));
            let code = if protocol == Protocol::V2026 { -32602 } else { -32002 };
            assert_eq!(answer["error"]["code"], json!(code), "{uri}: {answer}");
        }
    }
}

#[test]
fn a_long_list_comes_in_pages() {
    let home = Home::new();
    let mut client = home.start();
    for number in 0..102 {
        client.ok("remember_procedure", json!({"name": format!("task {number}"), "steps": ["Do it"]}));
    }
    let (mut seen, mut pages, mut cursor) = (BTreeSet::new(), Vec::new(), json!(null));
    while pages.is_empty() || !cursor.is_null() {
        let asked = if cursor.is_null() { json!({}) } else { json!({"cursor": cursor}) };
        let page = client.request("resources/list", asked)["result"].clone();
        let uris = page["resources"].as_array().unwrap().iter().map(|resource| text(resource, "uri").to_owned());
        pages.push(page["resources"].as_array().unwrap().len());
        assert!(uris.into_iter().all(|uri| seen.insert(uri)), "nothing is listed twice");
        cursor = page["nextCursor"].clone();
    }
    // Each as what it is and as a skill.
    assert_eq!((pages, seen.len()), (vec![100, 100, 4], 204));
}

#[test]
fn an_older_client_is_told_of_what_it_follows_and_of_new_lists() {
    let home = Home::new();
    let (mut client, mut other) = (home.start(), home.start());
    execute_code(&mut client, "greet", CODE);
    let uri = "repertoire://procedures/greet";
    assert_eq!(client.request("resources/subscribe", json!({"uri": uri}))["result"], json!({}));
    client.take_notifications();
    // Whoever changes it: this one is another process.
    other.ok("execute_procedure", json!({"procedure_id": "greet"}));
    let told = client.notification("notifications/resources/updated");
    assert_eq!(told["params"]["uri"], json!(uri));
    other.ok("remember_procedure", json!({"name": "new one", "steps": ["Do it"]}));
    client.notification("notifications/resources/list_changed");
    assert_eq!(client.request("resources/unsubscribe", json!({"uri": uri}))["result"], json!({}));
    let refused = client.request("resources/subscribe", json!({"uri": "repertoire://artifacts/1"}));
    assert!(refused["error"]["message"].as_str().unwrap().contains("resource"), "{refused}");
}

#[test]
fn a_subscription_is_told_of_what_it_asked_for_and_nothing_else() {
    let home = Home::new();
    let mut client = home.start_with(&[], Protocol::V2026);
    execute_code(&mut client, "greet", CODE);
    let (uri, unknown) = ("repertoire://procedures/greet", "repertoire://artifacts/1");
    let wanted = json!({"notifications": {"resourceSubscriptions": [uri, unknown]}});
    let id = client.send_request("subscriptions/listen", wanted);
    let accepted = client.notification("notifications/subscriptions/acknowledged");
    assert_eq!(accepted["params"]["notifications"]["resourceSubscriptions"], json!([uri]), "{accepted}");
    client.ok("execute_procedure", json!({"procedure_id": "greet"}));
    let told = client.notification("notifications/resources/updated");
    assert_eq!(told["params"]["uri"], json!(uri));
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], json!(id), "{told}");
    client.ok("remember_procedure", json!({"name": "new one", "steps": ["Do it"]}));
    client.ok("execute_procedure", json!({"procedure_id": "greet"}));
    client.notification("notifications/resources/updated");
    let others = client.take_notifications();
    assert!(others.iter().all(|note| note["method"] != json!("notifications/resources/list_changed")), "{others:?}");
}
