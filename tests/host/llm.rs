//! `llm`: procedures that ask the configured model, over stdio and with a loopback server as the model.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{
    Home, RawClient,
    client::Protocol as Mcp,
    eventually, execute_code,
    model_server::{KEY, ModelServer, Protocol, Reply},
    remember, text,
};

fn setup(protocol: Protocol, replies: impl IntoIterator<Item = Reply>, more: &str) -> (ModelServer, Home, RawClient) {
    let server = ModelServer::start(protocol, replies);
    let provider = if protocol == Protocol::Anthropic { "anthropic" } else { "openai" };
    let home = Home::with_config(&format!(
        "[policy]\nmodel = true\n{more}\n[model]\nprovider = '{provider}'\nname = 'the-model'\nbase_url = '{}'\n\
         key_env = 'MODEL_KEY'\nmax_output_tokens = 500\nretries = 1\ntimeout_seconds = 20\n",
        server.url()
    ));
    let mut command = home.command(&["--no-starters", "serve"]);
    command.env("MODEL_KEY", KEY);
    let mut client = RawClient::spawn(command);
    client.open(Mcp::V2025);
    (server, home, client)
}

fn code(name: &str, call: &str) -> String {
    format!("from repertoire import llm\n\ndef {name}() -> str:\n    return {call}\n")
}

#[track_caller]
fn ask(client: &mut RawClient, name: &str, call: &str) -> Value {
    execute_code(client, name, &code(name, call))
}

#[track_caller]
fn failed(answer: &Value, kind: &str, part: &str) {
    assert_eq!(answer["error_type"], json!(kind), "{answer}");
    assert!(text(answer, "error").contains(part), "`{part}` is not in {answer}");
}

#[test]
fn a_procedure_gets_the_answer_of_the_model() {
    let replies = || [Reply::Text("Paris".to_owned()), Reply::Truncated("Once upon".to_owned())];
    let (server, _home, mut client) = setup(Protocol::Anthropic, replies(), "");
    let answer = ask(&mut client, "capital", "llm('Capital of France?', system='One word.', max_tokens=9000)");
    assert_eq!(answer["result"], json!("Paris"), "{answer}");
    let answer = ask(&mut client, "story", "llm('A story.', max_tokens=7)");
    assert_eq!(answer["result"], json!("Once upon"), "{answer}");
    assert!(answer["output"].to_string().contains("cut at 7 tokens"), "{answer}");
    let requests = server.requests();
    let [first, second] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(first.body["messages"], json!([{"role": "user", "content": "Capital of France?"}]), "{first:?}");
    assert!(first.body["system"].to_string().contains("One word."), "{first:?}");
    assert_eq!((&first.body["max_tokens"], &second.body["max_tokens"]), (&json!(500), &json!(7)));
    assert!(second.body["system"].is_null(), "{second:?}");

    let (server, _home, mut client) = setup(Protocol::OpenAi, replies(), "");
    assert_eq!(ask(&mut client, "capital", "llm(prompt='Capital?', system='x')")["result"], json!("Paris"));
    assert_eq!(server.requests()[0].body["messages"][0]["role"], json!("system"));
}

#[test]
fn the_model_is_asked_only_where_it_is_granted_and_there() {
    let (server, home, mut client) = setup(Protocol::Anthropic, [], "");
    failed(&ask(&mut client, "empty", "llm('  ')"), "ValueError", "`prompt` is empty");
    failed(&ask(&mut client, "none", "llm('x', max_tokens=0)"), "ValueError", "`max_tokens` is 0");
    let narrow =
        json!({"name": "narrow", "steps": ["x"], "permissions": {"commands": []}, "code": code("narrow", "llm('x')")});
    client.ok("remember_procedure", narrow);
    failed(
        &client.call("execute_procedure", json!({"procedure_id": "narrow"})),
        "PermissionError",
        "own `permissions`",
    );
    home.configure("[policy]\nmodel = true\n");
    failed(&ask(&mut client, "absent", "llm('x')"), "RuntimeError", "[model] in config.toml");
    home.configure("");
    failed(&ask(&mut client, "denied", "llm('x')"), "PermissionError", "`model = true` under [policy]");
    assert!(server.requests().is_empty());
}

#[test]
fn failures_of_the_model_are_told_in_their_words() {
    let refusal = Reply::Status(404, "no model `the-model`".to_owned(), None);
    let (server, _home, mut client) = setup(Protocol::Anthropic, [refusal], "");
    let answer = ask(&mut client, "refused", "llm('x')");
    failed(&answer, "RuntimeError", "no model `the-model`");
    assert!(!answer.to_string().contains(KEY), "{answer}");
    drop(server);
    failed(&ask(&mut client, "gone", "llm('x')"), "RuntimeError", "can't be reached");
}

#[test]
fn a_model_that_hangs_ends_with_the_run() {
    let hanging = || [Reply::Hang, Reply::Hang];
    let (server, _home, mut client) = setup(Protocol::Anthropic, hanging(), "[limits]\nseconds = 1\n");
    failed(&ask(&mut client, "slow", "llm('x')"), "TimeoutError", "stopped after 1 s");
    drop((server, client));

    let (server, _home, mut client) = setup(Protocol::Anthropic, hanging(), "");
    remember(&mut client, "wait", &code("wait", "llm('x')"));
    let id = client.send_call("execute_procedure", json!({"procedure_id": "wait"}));
    eventually("the model is asked", || !server.requests().is_empty());
    let started = Instant::now();
    let runs = client.ok("list_runs", json!({"status": "running"}));
    client.ok("cancel_run", json!({"run_id": runs["runs"][0]["run_id"]}));
    assert_eq!(client.call_answer(id)["error_code"], json!("run_cancelled"));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
