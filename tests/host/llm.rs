//! `llm`: procedures that ask the configured model, over stdio and with a loopback server as the model.

use std::{
    fs,
    time::{Duration, Instant},
};

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

#[test]
fn a_run_and_a_day_have_calls_and_tokens_that_are_used_up() {
    let many = || std::iter::repeat_with(|| Reply::Text("Paris".to_owned())).take(40);
    let loops = "def each(times: int) -> list:\n    \"\"\"Ask so often.\"\"\"\n    got = []\n    for number in range(times):\n        \
                 try:\n            got.append(llm('Capital?'))\n        except RuntimeError as error:\n            \
                 got.append(str(error))\n    return got\n";
    let code = format!("from repertoire import llm\n\n{loops}");
    for (limits, first, second, setting) in [
        ("calls_per_run = 2\n", 2, 2, "model.calls_per_run"),
        ("calls_per_day = 3\n", 3, 0, "model.calls_per_day"),
        // An answer of the server takes 165 tokens.
        ("tokens_per_run = 170\n", 2, 2, "model.tokens_per_run"),
        ("tokens_per_day = 350\n", 3, 0, "model.tokens_per_day"),
        ("calls_per_run = 0\ncalls_per_day = 0\ntokens_per_run = 0\ntokens_per_day = 0\n", 4, 4, ""),
    ] {
        let server = ModelServer::start(Protocol::OpenAiLocal, many());
        let home = Home::with_config(&format!(
            "[policy]\nmodel = true\n[model]\nprovider = 'openai'\nname = 'the-model'\nbase_url = '{}'\n{limits}",
            server.url()
        ));
        let mut client = home.start();
        remember(&mut client, "each", &code);
        for answered in [first, second] {
            let answer = client.ok("execute_procedure", json!({"procedure_id": "each", "parameters": {"times": 4}}));
            let got = answer["result"].as_array().unwrap();
            assert_eq!(got.iter().filter(|one| **one == json!("Paris")).count(), answered, "{limits}: {answer}");
            let refused = got.iter().filter(|one| **one != json!("Paris"));
            refused.for_each(|one| assert!(one.to_string().contains(setting), "{limits}: {one}"));
        }
        assert_eq!(server.requests().len(), first + second, "{limits}");
        // What counts is in the database, not in the process.
        if first == 3 {
            client.close();
            let mut client = home.start();
            let answer = client.ok("execute_procedure", json!({"procedure_id": "each", "parameters": {"times": 1}}));
            assert!(answer["result"][0].to_string().contains(setting), "{limits}: {answer}");
            // Writing code asks the model as well.
            let error = client.call("generate_procedure_code", json!({"procedure_id": "each"}));
            assert_eq!(error["error_code"], json!("model_limit_reached"), "{error}");
        }
    }
}

#[test]
fn requests_at_once_do_not_all_take_what_is_left_for_one() {
    // None of them is answered, so all that are made are under way.
    let server = ModelServer::start(Protocol::OpenAiLocal, std::iter::repeat_n(Reply::Hang, 20));
    let home = Home::with_config(&format!(
        "[policy]\nmodel = true\n[model]\nprovider = 'openai'\nname = 'the-model'\nbase_url = '{}'\nmax_output_tokens = 400\n\
         tokens_per_run = 1000\nretries = 0\ntimeout_seconds = 1\n",
        server.url()
    ));
    let mut client = home.start();
    let code = "import asyncio\nfrom repertoire import llm\n\nasync def each(times: int) -> list:\n    \
                return await asyncio.gather(*[llm('Capital?') for _ in range(times)])\n";
    remember(&mut client, "each", code);
    let answer = client.call("execute_procedure", json!({"procedure_id": "each", "parameters": {"times": 12}}));
    // Each may write 400, so three of them reach the thousand.
    assert!(text(&answer, "error").contains("1200 tokens in this run, with those of requests under way"), "{answer}");
    assert!(server.requests().len() <= 3, "{answer}");
}

#[test]
fn what_is_called_draws_on_the_limits_of_its_caller() {
    let replies = std::iter::repeat_with(|| Reply::Text("Paris".to_owned())).take(9);
    let (server, home, mut client) = setup(Protocol::Anthropic, replies, "");
    let inner = "from repertoire import llm\n\ndef inner() -> str:\n    return llm('Capital?')\n";
    remember(&mut client, "inner", inner);
    let outer = "from repertoire import call_procedure\n\ndef outer() -> list:\n    \
                 return [call_procedure('inner') for _ in range(3)]\n";
    home.configure(
        &fs::read_to_string(home.path().join("config.toml"))
            .unwrap()
            .replace("retries = 1", "retries = 1\ncalls_per_run = 2"),
    );
    let answer = execute_code(&mut client, "outer", outer);
    assert!(text(&answer, "error").contains("model.calls_per_run"), "{answer}");
    assert_eq!(server.requests().len(), 2);
}
