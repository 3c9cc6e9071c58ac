//! Texts of steps and templates: what is filled in, what stays as it is, and how values read.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, remember, text};

/// Remembers, compiles and executes.
#[track_caller]
fn run(client: &mut RawClient, definition: Value, parameters: Value) -> (Value, Value) {
    let name = definition["name"].clone();
    client.ok("remember_procedure", definition);
    let generated = client.ok("generate_procedure_code", json!({"procedure_id": name, "use_llm": false}));
    (generated, client.call("execute_procedure", json!({"procedure_id": name, "parameters": parameters})))
}

#[test]
fn a_backslash_keeps_what_looks_like_a_variable() {
    let home = Home::new();
    let mut client = home.start();
    let config = json!({"title": r"Put \{word} into $\{HOME} for {name}", "description": r"C:\\{name} and \{{name}}"});
    let definition = json!({
        "name": "literal", "parameters": [{"name": "name", "type": "string"}],
        "steps": [{"step_id": "a", "action_type": "create_task", "config": config}],
        "template": r"Dear {{name}}, write \{{name}} or ${HOME}.",
    });
    let (_, answer) = run(&mut client, definition, json!({"name": "Ada"}));
    assert_eq!(answer["result"]["text"], json!("Dear Ada, write {{name}} or ${HOME}."), "{answer}");
    assert_eq!(answer["result"]["a"]["title"], json!("Put {word} into ${HOME} for Ada"), "{answer}");
    let inbox = client.ok("list_inbox", json!({})).to_string();
    assert!(inbox.contains(r"C:\\Ada and {{name}}"), "{inbox}");
}

#[test]
fn an_optional_parameter_without_a_value_is_noted_and_shown_as_nothing() {
    let home = Home::new();
    let mut client = home.start();
    let definition = json!({
        "name": "greets", "template": "Hello {{name}}{{suffix}}!",
        "parameters": [{"name": "name", "type": "string"}, {"name": "suffix", "type": "string", "required": false}],
    });
    let (generated, answer) = run(&mut client, definition, json!({"name": "Ada"}));
    assert_eq!(answer["result"]["text"], json!("Hello Ada!"), "{answer}");
    let issues = generated["issues"].to_string();
    assert!(issues.contains("`suffix`") && issues.contains("no default"), "{issues}");
    let given = json!({"procedure_id": "greets", "parameters": {"name": "Ada", "suffix": ", dear"}});
    assert_eq!(client.call("execute_procedure", given)["result"]["text"], json!("Hello Ada, dear!"));
}

#[test]
fn dictionaries_and_lists_read_as_json_in_texts() {
    let home = Home::new();
    let mut client = home.start();
    remember(
        &mut client,
        "facts",
        "def facts() -> dict:\n    return {\"größe\": 2, \"is_open\": True, \"rest\": None, \"names\": [\"it's\"]}\n",
    );
    let email = json!({"to": "ada@example.org", "subject": "Facts", "body": "Here: {latest_output}"});
    let definition = json!({"name": "mails", "steps": [
        {"procedure": "facts", "step_id": "found"},
        {"step_id": "mail", "action_type": "draft_email", "config": email},
        {"step_id": "by_skill", "action_type": "draft_email",
            "config": {"to": "ada@example.org", "subject": "Facts", "body_skill": "facts"}},
    ]});
    let (_, answer) = run(&mut client, definition, json!({}));
    assert_eq!(text(&answer, "outcome"), "success", "{answer}");
    let facts = r#"{"größe": 2, "is_open": true, "rest": null, "names": ["it's"]}"#;
    let inbox = client.ok("list_inbox", json!({}))["items"].clone();
    let bodies: Vec<String> =
        inbox.as_array().unwrap().iter().map(|item| item["body"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(bodies.contains(&format!("Here: {facts}")) && bodies.contains(&facts.to_owned()), "{inbox}");
}
