//! Runs as tasks: polled, outliving their server, asking, read, and cancelled.

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, eventually, remember, text};

const SLOW: &str = "import asyncio\nfrom repertoire import approve, log\n\n\nasync def slow(name: str) -> str:\n    \"\"\"Take a while, \
                    and ask.\"\"\"\n    log(\"begun\")\n    await asyncio.sleep(0.6)\n    approve(f\"Greet {name}?\")\n    \
                    return f\"Hello {name}\"\n";

fn client_of(home: &Home, capabilities: Value) -> RawClient {
    let mut client = home.spawn(&[]);
    client.declare(capabilities);
    client.open(Protocol::V2026);
    client
}

fn with_tasks() -> Value {
    json!({"elicitation": {"form": {}}, "extensions": {"io.modelcontextprotocol/tasks": {}}})
}

/// Begins a run that becomes a task; returns the task.
fn begin(client: &mut RawClient, parameters: Value) -> Value {
    let call = json!({"name": "execute_procedure", "arguments": {"procedure_id": "slow", "parameters": parameters}});
    let answer = client.request("tools/call", call);
    assert_eq!(answer["result"]["resultType"], json!("task"), "{answer}");
    answer["result"].clone()
}

fn get(client: &mut RawClient, id: &str) -> Value {
    let answer = client.request("tasks/get", json!({"taskId": id}));
    assert!(answer["result"].is_object(), "{answer}");
    answer["result"].clone()
}

/// Polls until the task stands so.
fn until(client: &mut RawClient, id: &str, status: &str) -> Value {
    let mut task = Value::Null;
    eventually(&format!("the task is {status}"), || {
        task = get(client, id);
        task["status"] == json!(status)
    });
    task
}

#[test]
fn a_long_run_is_polled_asks_outlives_its_server_and_is_read() {
    let home = Home::new();
    let mut client = client_of(&home, with_tasks());
    remember(&mut client, "slow", SLOW);
    let task = begin(&mut client, json!({"name": "Ada"}));
    let id = text(&task, "taskId").to_owned();
    assert_eq!(task["status"], json!("working"), "{task}");
    assert!(task["pollIntervalMs"].is_u64() && task["createdAt"].is_string() && task["ttlMs"].is_null(), "{task}");
    assert_eq!(get(&mut client, &id)["status"], json!("working"));
    client.kill();

    // Another server goes on with it, and knows it as a task.
    let mut client = client_of(&home, with_tasks());
    let task = until(&mut client, &id, "input_required");
    let requests = task["inputRequests"].as_object().unwrap();
    let (key, request) = requests.iter().next().unwrap();
    assert_eq!(request["method"], json!("elicitation/create"), "{task}");
    assert!(text(&request["params"], "message").contains("Greet Ada?"), "{task}");
    let answer =
        |key: &str| json!({"taskId": id, "inputResponses": {key: {"action": "accept", "content": {"approve": true}}}});
    // What is not asked is not answered.
    client.request("tasks/update", answer("another"));
    assert_eq!(get(&mut client, &id)["status"], json!("input_required"));
    let updated = client.request("tasks/update", answer(key));
    assert_eq!(updated["result"]["resultType"], json!("complete"), "{updated}");
    let task = until(&mut client, &id, "completed");
    assert_eq!(task["result"]["structuredContent"]["result"], json!("Hello Ada"), "{task}");
    assert_eq!(task["result"]["isError"], json!(false), "{task}");

    // And so does the next.
    drop(client);
    let mut client = client_of(&home, with_tasks());
    assert_eq!(get(&mut client, &id)["result"]["structuredContent"]["result"], json!("Hello Ada"));
}

#[test]
fn a_refusal_and_a_failure_are_told_as_the_call_would_have_told_them() {
    let home = Home::new();
    let mut client = client_of(&home, with_tasks());
    remember(&mut client, "slow", SLOW);
    let id = text(&begin(&mut client, json!({"name": "Ada"})), "taskId").to_owned();
    let task = until(&mut client, &id, "input_required");
    let key = task["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    client.request("tasks/update", json!({"taskId": id, "inputResponses": {key: {"action": "decline"}}}));
    let task = until(&mut client, &id, "completed");
    assert_eq!(task["result"]["isError"], json!(true), "{task}");
    assert_eq!(task["result"]["structuredContent"]["error_code"], json!("run_failed"), "{task}");
}

#[test]
fn a_task_is_cancelled() {
    let home = Home::new();
    let mut client = client_of(&home, with_tasks());
    remember(&mut client, "slow", SLOW);
    let id = text(&begin(&mut client, json!({"name": "Ada"})), "taskId").to_owned();
    let answer = client.request("tasks/cancel", json!({"taskId": id}));
    assert_eq!(answer["result"]["resultType"], json!("complete"), "{answer}");
    until(&mut client, &id, "cancelled");
    // Once more changes nothing.
    assert!(client.request("tasks/cancel", json!({"taskId": id}))["result"].is_object());
    let unknown = client.request("tasks/get", json!({"taskId": "nothing"}));
    assert_eq!(unknown["error"]["code"], json!(-32602), "{unknown}");
}

#[test]
fn who_knows_no_tasks_waits_and_what_is_quick_is_answered_at_once() {
    let home = Home::new();
    let mut client = client_of(&home, json!({}));
    remember(&mut client, "slow", &SLOW.replace("    approve(f\"Greet {name}?\")\n", ""));
    let answer = client.ok("execute_procedure", json!({"procedure_id": "slow", "parameters": {"name": "Ada"}}));
    assert_eq!(answer["result"], json!("Hello Ada"));
    let refused = client.request("tasks/get", json!({"taskId": answer["run_id"]}));
    assert!(refused["error"]["code"].is_i64(), "a client that does not know tasks has none: {refused}");

    let mut client = client_of(&home, with_tasks());
    remember(&mut client, "quick", "def quick() -> int:\n    return 1\n");
    // The first run waits for a worker to start.
    let mut answered = Value::Null;
    eventually("a quick run is answered at once", || {
        let call = json!({"name": "execute_procedure", "arguments": {"procedure_id": "quick"}});
        answered = client.request("tools/call", call)["result"].clone();
        answered["resultType"] != json!("task")
    });
    assert_eq!(answered["structuredContent"]["result"], json!(1), "{answered}");
}

#[test]
fn a_task_of_somebody_else_is_not_there() {
    let home = Home::new();
    let mut ada = RawClient::spawn(home.command(&["--user", "ada", "--no-starters", "serve"]));
    ada.declare(with_tasks());
    ada.open(Protocol::V2026);
    ada.ok("remember_procedure", json!({"name": "slow", "steps": ["Do it"], "code": SLOW}));
    let id = text(&begin(&mut ada, json!({"name": "Ada"})), "taskId").to_owned();
    let mut bob = RawClient::spawn(home.command(&["--user", "bob", "--no-starters", "serve"]));
    bob.declare(with_tasks());
    bob.open(Protocol::V2026);
    for (method, params) in [
        ("tasks/get", json!({"taskId": id})),
        ("tasks/cancel", json!({"taskId": id})),
        ("tasks/update", json!({"taskId": id, "inputResponses": {}})),
    ] {
        let answer = bob.request(method, params);
        assert_eq!(answer["error"]["code"], json!(-32602), "{method}: {answer}");
    }
    until(&mut ada, &id, "input_required");
}
