//! Code that a model writes, over stdio: the real program asks a loopback server in the provider's own protocol.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{
    Home, RawClient,
    client::Protocol as Mcp,
    model_server::{KEY, ModelServer, Protocol, Reply, TOKENS},
    text,
};

const GOOD: &str = r#"def add_up(first: int, second: int = 2) -> dict[str, int]:
    """Add two numbers.

    Args:
        first: One number.
        second: The other one.

    Returns:
        Their sum.
    """
    # Step 1: add them
    return {"sum": first + second}
"#;
/// It runs, but says little about itself.
const POOR: &str = "def add_up(first, second=2):\n    return {'sum': first + second}\n";
/// The interpreter has no `string`.
const WRONG: &str =
    "import struct\n\ndef add_up(first: int, second: int = 2) -> bytes:\n    return struct.pack('i', first)\n";
const HOSTILE: &str = "import os\n\ndef add_up(first, second=2):\n    return os.system('rm -rf ~')\n";

const BOTH: [Protocol; 2] = [Protocol::Anthropic, Protocol::OpenAi];

fn fenced(code: &str) -> Reply {
    Reply::Text(format!("Here is the code.\n\n```python\n{code}```\n"))
}

fn configuration(protocol: Protocol, server: &ModelServer, more: &str) -> String {
    let provider = if protocol == Protocol::Anthropic { "anthropic" } else { "openai" };
    format!(
        "[model]\nprovider = '{provider}'\nname = 'the-model'\nbase_url = '{}'\nkey_env = 'MODEL_KEY'\n{more}",
        server.url()
    )
}

struct Setup {
    home: Home,
    server: ModelServer,
    client: RawClient,
}

impl Setup {
    fn new(protocol: Protocol, replies: impl IntoIterator<Item = Reply>, more: &str) -> Self {
        Self::with_key(protocol, replies, more, Some(KEY))
    }

    fn with_key(protocol: Protocol, replies: impl IntoIterator<Item = Reply>, more: &str, key: Option<&str>) -> Self {
        let server = ModelServer::start(protocol, replies);
        let home = Home::with_config(&configuration(protocol, &server, more));
        let mut command = home.command(&["--no-starters", "serve"]);
        if let Some(key) = key {
            command.env("MODEL_KEY", key);
        }
        let mut client = RawClient::spawn(command);
        client.open(Mcp::V2025);
        let definition = json!({
            "name": "add_up",
            "description": "Add two numbers and return the sum.",
            "steps": ["Add `first` and `second`"],
            "parameters": [
                {"name": "first", "type": "integer"},
                {"name": "second", "type": "integer", "default": 2},
            ],
        });
        client.ok("remember_procedure", definition);
        Self { home, server, client }
    }

    fn generate(&mut self) -> Value {
        self.client.ok("generate_procedure_code", json!({"procedure_id": "add_up"}))
    }

    fn refused(&mut self, code: &str) -> String {
        self.client.refused("generate_procedure_code", json!({"procedure_id": "add_up"}), code)
    }

    fn has_code(&mut self) -> bool {
        self.client.ok("get_procedure", json!({"procedure_id": "add_up"}))["code"].is_string()
    }
}

fn notes(answer: &Value) -> String {
    let issues = answer["issues"].as_array().unwrap();
    issues.iter().map(|issue| format!("{}: {}\n", issue["code"], issue["message"])).collect()
}

#[test]
fn a_model_writes_code_that_runs() {
    for protocol in BOTH {
        let prices = "input_cost_per_million = 3.0\noutput_cost_per_million = 15.0";
        let mut setup = Setup::new(protocol, [fenced(GOOD)], prices);
        let answer = setup.generate();
        assert_eq!((text(&answer, "source"), text(&answer, "code")), ("llm", GOOD), "{answer}");
        assert_eq!(answer["version"], json!(2), "{answer}");
        assert!(answer["confidence"].as_f64().unwrap() >= 0.85, "{answer}");
        let (read, written) = TOKENS;
        let usage = &answer["usage"];
        assert_eq!((&usage["rounds"], &usage["input_tokens"]), (&json!(1), &json!(read)), "{answer}");
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let cost = (read as f64 * 3.0 + written as f64 * 15.0) / 1e6;
        assert!((usage["cost_usd"].as_f64().unwrap() - cost).abs() < 1e-12, "{answer}");

        let run = setup.client.ok("execute_procedure", json!({"procedure_id": "add_up", "parameters": {"first": 3}}));
        assert_eq!(run["result"], json!({"sum": 5}), "{run}");
        let versions = setup.client.ok("get_procedure_versions", json!({"procedure_id": "add_up"}));
        assert_eq!(versions["versions"][0]["message"], json!("Generate the code of add_up"), "{versions}");

        let requests = setup.server.requests();
        assert_eq!(requests.len(), 1);
        let prompt = requests[0].body.to_string();
        for part in [
            "def run_command(",
            "Add two numbers and return the sum.",
            "It lacks:",
            "Granted on this machine",
            "`add_up`",
        ] {
            assert!(prompt.contains(part), "{part} is missing in {prompt}");
        }
        assert!(!setup.client.log().contains(KEY), "the key must not be logged");
    }
}

#[test]
fn poor_code_goes_back_twice_and_the_best_answer_wins() {
    for protocol in BOTH {
        let mut setup = Setup::new(protocol, [fenced(WRONG), fenced(POOR), fenced(GOOD)], "");
        let answer = setup.generate();
        assert_eq!((text(&answer, "code"), &answer["usage"]["rounds"]), (GOOD, &json!(3)), "{answer}");
        let requests = setup.server.requests();
        assert_eq!(requests.len(), 3);
        let (second, third) = (requests[1].body.to_string(), requests[2].body.to_string());
        assert!(second.contains("RPT2") && second.contains("struct"), "the error was not told: {second}");
        assert!(third.contains("RPT401"), "the missing docstring was not told: {third}");

        // Three poor answers, and the best of them is not the last.
        let mut setup = Setup::new(protocol, [fenced(WRONG), fenced(POOR), fenced(WRONG)], "");
        let answer = setup.generate();
        assert_eq!((text(&answer, "code"), setup.server.requests().len()), (POOR, 3), "{answer}");
    }
}

#[test]
fn without_refinement_the_first_answer_counts() {
    let mut setup = Setup::new(Protocol::Anthropic, [fenced(POOR)], "");
    let arguments = json!({"procedure_id": "add_up", "refine_on_low_confidence": false});
    let answer = setup.client.ok("generate_procedure_code", arguments);
    assert_eq!((text(&answer, "code"), setup.server.requests().len()), (POOR, 1), "{answer}");
}

#[test]
fn too_many_requests_are_waited_out() {
    for protocol in BOTH {
        let mut setup = Setup::new(protocol, [Reply::Status(429, "slow down".into(), Some(1)), fenced(GOOD)], "");
        let answer = setup.generate();
        assert_eq!((text(&answer, "code"), setup.server.requests().len()), (GOOD, 2), "{answer}");
        assert_eq!(answer["usage"]["rounds"], json!(1), "a repeated request is no round: {answer}");
    }
}

#[test]
fn a_model_that_hangs_is_left_after_the_timeout() {
    for protocol in BOTH {
        let mut setup =
            Setup::new(protocol, [Reply::Hang, Reply::Hang, Reply::Hang], "timeout_seconds = 1\nretries = 5");
        let started = Instant::now();
        let error = setup.refused("model_timed_out");
        assert!(error.contains("within 1 second") && error.contains("timeout_seconds"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        assert!(!setup.has_code());
    }
}

#[test]
fn a_truncated_answer_is_asked_for_again() {
    for protocol in BOTH {
        let cut = format!("```python\n{}", &GOOD[..GOOD.len() / 2]);
        let mut setup = Setup::new(protocol, [Reply::Truncated(cut.clone()), fenced(GOOD)], "");
        let answer = setup.generate();
        assert_eq!(text(&answer, "code"), GOOD, "{answer}");
        assert!(setup.server.requests()[1].body.to_string().contains("cut off"));

        let cut = [Reply::Truncated(cut.clone()), Reply::Truncated(cut.clone()), Reply::Truncated(cut)];
        let mut setup = Setup::new(protocol, cut, "");
        let error = setup.refused("model_answer_unreadable");
        assert!(error.contains("none of 3"), "{error}");
        assert!(!setup.has_code());
    }
}

#[test]
fn prose_is_no_code() {
    for protocol in BOTH {
        let prose = || Reply::Text("I would first think about what adding means.".into());
        let mut setup = Setup::new(protocol, [prose(), fenced(GOOD)], "");
        assert_eq!(text(&setup.generate(), "code"), GOOD);
        let mut setup = Setup::new(protocol, [prose(), prose(), prose()], "");
        let error = setup.refused("model_answer_unreadable");
        assert!(error.contains("Python code") && error.contains("`code`"), "{error}");
    }
}

#[test]
fn hostile_code_is_refused_and_not_stored() {
    for protocol in BOTH {
        let mut setup = Setup::new(protocol, [fenced(HOSTILE), fenced(HOSTILE), fenced(HOSTILE)], "");
        let error = setup.refused("code_rejected");
        assert!(error.contains("not stored") && error.contains("run_command"), "{error}");
        assert!(!setup.has_code());
        // Told what is wrong, a model may yet do better.
        let mut setup = Setup::new(protocol, [fenced(HOSTILE), fenced(GOOD)], "");
        assert_eq!(text(&setup.generate(), "code"), GOOD);
    }
}

#[test]
fn a_wrong_or_missing_key_is_said_clearly_and_never_shown() {
    for protocol in BOTH {
        let wrong = "sk-wrong-but-secret";
        let mut setup = Setup::with_key(protocol, [], "", Some(wrong));
        let error = setup.refused("model_key_wrong");
        assert!(error.contains("MODEL_KEY"), "{error}");
        assert!(!error.contains(wrong) && !setup.client.log().contains(wrong), "{error}");
        let mut setup = Setup::with_key(protocol, [], "", None);
        let error = setup.refused("model_key_missing");
        assert!(error.contains("MODEL_KEY"), "{error}");
    }
}

#[test]
fn where_the_configuration_says_so_the_steps_are_compiled_when_the_model_fails() {
    let failing = || [Reply::Status(500, "overloaded".into(), None), Reply::Status(500, "overloaded".into(), None)];
    let mut setup = Setup::new(Protocol::OpenAi, failing(), "retries = 1\nfallback = true");
    let answer = setup.generate();
    assert_eq!(text(&answer, "source"), "heuristic", "{answer}");
    assert!(notes(&answer).contains("the model was not used") && notes(&answer).contains("overloaded"), "{answer}");
    let mut setup = Setup::new(Protocol::OpenAi, failing(), "retries = 1");
    let error = setup.refused("model_unreachable");
    assert!(error.contains("overloaded"), "{error}");
    assert!(!setup.has_code());
}

#[test]
fn a_failure_during_refinement_keeps_the_best_code_so_far() {
    let mut setup = Setup::new(Protocol::Anthropic, [fenced(POOR), Reply::Status(400, "no".into(), None)], "");
    let answer = setup.generate();
    assert_eq!(text(&answer, "code"), POOR, "{answer}");
    assert!(notes(&answer).contains("failed in round 2"), "{answer}");
}

#[test]
fn code_that_is_worse_than_the_current_one_is_returned_but_not_stored() {
    let mut setup = Setup::new(Protocol::Anthropic, [fenced(POOR), fenced(POOR), fenced(POOR)], "");
    setup.client.ok("generate_procedure_code", json!({"procedure_id": "add_up", "code": GOOD}));
    let answer = setup.generate();
    assert_eq!((text(&answer, "code"), &answer["version"]), (POOR, &Value::Null), "{answer}");
    assert!(notes(&answer).contains("version 2 is kept"), "{answer}");
    let kept = setup.client.ok("get_procedure", json!({"procedure_id": "add_up"}));
    assert_eq!((text(&kept, "code"), &kept["version"]), (GOOD, &json!(2)), "{kept}");
}

#[test]
fn a_model_sees_the_current_code_and_how_it_failed() {
    let mut setup = Setup::new(Protocol::OpenAi, [fenced(GOOD)], "");
    let failing = GOOD.replace("return {\"sum\": first + second}", "return {\"sum\": first // (second - 2)}");
    setup.client.ok("generate_procedure_code", json!({"procedure_id": "add_up", "code": failing}));
    for first in 3..6 {
        let arguments = json!({"procedure_id": "add_up", "parameters": {"first": first}});
        setup.client.refused("execute_procedure", arguments, "run_failed");
    }
    let answer = setup.generate();
    assert_eq!(answer["version"], json!(3), "code that keeps failing is worth less than new code: {answer}");
    let prompt = setup.server.requests()[0].body.to_string();
    for part in ["first // (second - 2)", "ZeroDivisionError", "It failed lately", r#"\"first\":5"#] {
        assert!(prompt.contains(part), "{part} is missing in {prompt}");
    }
}

#[test]
fn a_cancelled_generation_ends_and_the_server_goes_on() {
    let mut setup = Setup::new(Protocol::Anthropic, [Reply::Hang], "");
    let id = setup.client.send_call("generate_procedure_code", json!({"procedure_id": "add_up"}));
    let server = &setup.server;
    crate::common::eventually("the model is asked", || !server.requests().is_empty());
    let params = json!({"requestId": id, "reason": "enough"});
    setup.client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}));
    let started = Instant::now();
    assert!(!setup.has_code());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_slow_generation_reports_its_progress() {
    let mut setup =
        Setup::new(Protocol::Anthropic, [Reply::Status(429, "slow down".into(), Some(3)), fenced(GOOD)], "");
    let params = json!({
        "name": "generate_procedure_code",
        "arguments": {"procedure_id": "add_up"},
        "_meta": {"progressToken": "mine"},
    });
    let id = setup.client.send_request("tools/call", params);
    setup.client.answer(id);
    let reports = setup.client.take_notifications();
    let said = serde_json::to_string(&reports).unwrap();
    assert!(said.contains("asking the-model") && said.contains("no more requests for now"), "{said}");
}

#[test]
fn a_key_in_the_configuration_is_refused() {
    let setup = Setup::new(Protocol::Anthropic, [], "");
    setup.home.configure("[model]\nprovider = 'anthropic'\nname = 'm'\napi_key = 'sk-secret'\n");
    let output = setup.home.run(&["list"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("environment") && !error.contains("sk-secret"), "{error}");
}
