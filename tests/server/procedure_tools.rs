//! Procedures as tools of their own, and as prompts.

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, remember, text};

const DOUBLE: &str = "def double(number: int, times: int = 2) -> int:\n    \"\"\"Multiply.\n\n    Args:\n        number: What is \
                      multiplied.\n        times: By what.\n\n    Returns:\n        The product.\n    \"\"\"\n    return number * times\n";

fn start(home: &Home) -> RawClient {
    home.start_with(&["--procedure-tools", "--toolsets", "default"], Protocol::V2025)
}

fn own_tools(client: &mut RawClient) -> Vec<Value> {
    client.tools().into_iter().filter(|tool| text(tool, "name").starts_with("run_")).collect()
}

#[test]
fn a_procedure_that_has_earned_it_is_a_tool() {
    let home = Home::new();
    let mut client = start(&home);
    let parameters = json!([{"name": "number", "type": "integer", "description": "What is multiplied."}]);
    client.ok(
        "remember_procedure",
        json!({"name": "double", "description": "Doubles a number.", "parameters": parameters, "steps": ["Do it"], "code": DOUBLE}),
    );
    assert_eq!(own_tools(&mut client), Vec::<Value>::new());
    for _ in 0..4 {
        client.ok("execute_procedure", json!({"procedure_id": "double", "parameters": {"number": 4}}));
    }
    assert_eq!(own_tools(&mut client), Vec::<Value>::new(), "four are too few");
    client.ok("execute_procedure", json!({"procedure_id": "double", "parameters": {"number": 4}}));
    client.notification("notifications/tools/list_changed");
    let [tool] = &own_tools(&mut client)[..] else { panic!("not one tool") };
    assert_eq!(text(tool, "name"), "run_double");
    assert_eq!(text(tool, "description"), "Doubles a number.");
    let input = &tool["inputSchema"];
    assert_eq!(input["properties"]["number"], json!({"type": "integer", "description": "What is multiplied."}));
    assert_eq!((&input["properties"]["times"]["type"], &input["required"]), (&json!("integer"), &json!(["number"])));
    assert_eq!(tool["outputSchema"]["properties"]["result"], json!({"type": ["integer", "null"]}));
    assert_eq!(tool["annotations"]["readOnlyHint"], json!(true), "{tool}");
    let called = client.ok("run_double", json!({"number": "21"}));
    assert_eq!(called["result"], json!(42), "{called}");
    let refused = client.call("run_double", json!({"numbr": 1}));
    assert!(text(&refused, "error").contains("numbr"), "{refused}");
}

#[test]
fn nobody_sees_them_who_did_not_ask() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "double", DOUBLE);
    for _ in 0..6 {
        client.ok("execute_procedure", json!({"procedure_id": "double", "parameters": {"number": 4}}));
    }
    assert_eq!(own_tools(&mut client), Vec::<Value>::new());
    let answer = client.request("tools/call", json!({"name": "run_double", "arguments": {"number": 1}}));
    assert_eq!(answer["error"]["code"], json!(-32602), "{answer}");
}

#[test]
fn there_are_ten_at_most_with_names_that_every_client_takes() {
    let home = Home::new();
    let mut client = start(&home);
    let long = "a name that is longer than names of tools may be for clients";
    let names: Vec<String> =
        (0..10).map(|number| format!("task {number}")).chain(["größe".into(), long.into()]).collect();
    for (at, name) in names.iter().enumerate() {
        client.ok(
            "remember_procedure",
            json!({"name": name, "steps": ["Do it"], "code": "def main(count: int) -> int:\n    \"\"\"Count.\"\"\"\n    return count\n"}),
        );
        for _ in 0..5 + at {
            client.ok("execute_procedure", json!({"procedure_id": name, "parameters": {"count": 1}}));
        }
    }
    let tools = own_tools(&mut client);
    assert_eq!(tools.len(), 10);
    let listed: Vec<&str> = tools.iter().map(|tool| text(tool, "name")).collect();
    assert!(
        listed
            .iter()
            .all(|name| name.len() < 48 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
    );
    assert!(listed[0].starts_with("run_procedure_"), "the one that is used most is the first: {listed:?}");
    assert!(!listed.contains(&"run_task_0"), "{listed:?}");
    let called = client.ok(listed[1], json!({"count": 3}));
    assert_eq!(called["result"], json!(3));
}

#[test]
fn a_template_is_a_prompt_where_that_is_wanted() {
    let home = Home::new();
    let mut client = home.start_with(&["--template-prompts"], Protocol::V2026);
    let parameters = json!([
        {"name": "name", "type": "string", "description": "Who gets it."},
        {"name": "greeting", "type": "string", "default": "Dear"},
    ]);
    client.ok(
        "remember_procedure",
        json!({"name": "cover letter", "description": "Writes a letter.", "parameters": parameters, "template": "{{greeting}} {{name}}!"}),
    );
    let listed = client.request("prompts/list", json!({}))["result"]["prompts"].clone();
    let prompt = listed.as_array().unwrap().iter().find(|prompt| prompt["name"] == json!("procedure_cover_letter"));
    let prompt = prompt.unwrap_or_else(|| panic!("not in {listed}"));
    let arguments: Vec<(&str, bool)> = prompt["arguments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|argument| (text(argument, "name"), argument["required"].as_bool().unwrap()))
        .collect();
    assert_eq!(arguments, [("greeting", false), ("name", true)]);
    let get = |arguments: Value| json!({"name": "procedure_cover_letter", "arguments": arguments});
    let filled = client.request("prompts/get", get(json!({"name": "Ada"})));
    assert_eq!(filled["result"]["messages"][0]["content"]["text"], json!("Dear Ada!"), "{filled}");
    let refused = client.request("prompts/get", get(json!({})));
    assert!(refused["error"]["message"].as_str().unwrap().contains("`name`"), "{refused}");
    let mut without = home.start();
    let refused = without.request("prompts/get", get(json!({"name": "Ada"})));
    assert!(refused["error"]["message"].as_str().unwrap().contains("there is no prompt"), "{refused}");
}
