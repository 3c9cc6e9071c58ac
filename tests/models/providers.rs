//! Language models, asked over the wire: a server on the loopback interface stands where the provider's would.

use std::time::{Duration, Instant};

use repertoire::{
    config::{Config, ModelSettings, Secret, Start},
    domain::Hinted as _,
    models::{Completion, Message, Model, ModelError, Role, Usage},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::common::{
    Home, PATIENCE,
    model_server::{KEY, ModelServer, Protocol, Reply, TOKENS},
};

const PROTOCOLS: [Protocol; 5] =
    [Protocol::Anthropic, Protocol::OpenAi, Protocol::OpenAiLocal, Protocol::Ollama, Protocol::Gemini];

/// The name of the variable; nobody sets it, these tests hand the key over.
const KEY_ENV: &str = "REPERTOIRE_TEST_MODEL_KEY";

/// The settings of a `config.toml` that points to this address.
fn settings(protocol: Protocol, base_url: &str, more: &str) -> ModelSettings {
    let provider = match protocol {
        Protocol::Anthropic => "anthropic",
        Protocol::OpenAi | Protocol::OpenAiLocal => "openai",
        Protocol::Ollama => "ollama",
        Protocol::Gemini => "gemini",
    };
    let key_env = if wants_key(protocol) { format!("key_env = '{KEY_ENV}'") } else { String::new() };
    let text = format!(
        "[model]\nprovider = '{provider}'\nname = 'the-model-high'\nbase_url = '{base_url}'\n{key_env}\n{more}"
    );
    Config::load(&Start { home: Some(Home::with_config(&text).path()), ..Start::default() }).unwrap().model.unwrap()
}

fn wants_key(protocol: Protocol) -> bool {
    !matches!(protocol, Protocol::OpenAiLocal | Protocol::Ollama)
}

fn model(protocol: Protocol, base_url: &str, more: &str) -> Model {
    let key = wants_key(protocol).then(|| Secret::new(KEY).unwrap());
    Model::with_key(&settings(protocol, base_url, more), key).unwrap()
}

fn message(role: Role, text: &str) -> Message {
    Message { role, text: text.to_owned() }
}

/// Asks; returns the notes of the retries too.
async fn ask(model: &Model) -> (Result<Completion, ModelError>, Vec<String>) {
    let notes = std::sync::Mutex::new(Vec::new());
    let note = |note: &str| notes.lock().unwrap().push(note.to_owned());
    let messages = [message(Role::System, "Write code."), message(Role::User, "Add two numbers.")];
    let result = model.complete(&messages, &CancellationToken::new(), note).await;
    (result, notes.into_inner().unwrap())
}

/// Asks a server of Anthropic's protocol with this script.
async fn ask_script(
    more: &str,
    replies: impl IntoIterator<Item = Reply>,
) -> (Result<Completion, ModelError>, Vec<String>, usize) {
    let server = ModelServer::start(Protocol::Anthropic, replies);
    let (result, notes) = ask(&model(Protocol::Anthropic, &server.url(), more)).await;
    (result, notes, server.requests().len())
}

fn status(status: u16) -> Reply {
    Reply::Status(status, "come back later".to_owned(), None)
}

#[tokio::test]
async fn every_provider_answers() {
    for protocol in PROTOCOLS {
        let server = ModelServer::start(protocol, [Reply::Text("def add(): ...\n\n# é".to_owned())]);
        let model = model(protocol, &server.url(), "temperature = 0.5\nmax_output_tokens = 500");
        let messages = [
            message(Role::System, "Write code."),
            message(Role::User, "Add."),
            message(Role::Assistant, "1 + 1"),
            message(Role::User, "Again."),
        ];
        let result = model.complete(&messages, &CancellationToken::new(), |_| {}).await;
        let completion = result.unwrap_or_else(|error| panic!("{protocol:?}: {error}"));
        assert_eq!(completion.text, "def add(): ...\n\n# é", "{protocol:?}");
        assert!(!completion.truncated);
        assert_eq!(completion.usage, Usage { input_tokens: TOKENS.0, output_tokens: TOKENS.1 });

        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        let body = &requests[0].body;
        let turns = [("user", "Add."), ("assistant", "1 + 1"), ("user", "Again.")];
        let mut turns: Vec<_> = turns.map(|(role, content)| json!({"role": role, "content": content})).into();
        match protocol {
            Protocol::Anthropic => {
                assert_eq!(body["model"], "the-model-high");
                assert_eq!((&body["system"], &body["messages"]), (&json!("Write code."), &json!(turns)));
                assert_eq!((&body["max_tokens"], &body["temperature"]), (&json!(500), &json!(0.5)));
            }
            Protocol::OpenAi | Protocol::OpenAiLocal => {
                turns.insert(0, json!({"role": "system", "content": "Write code."}));
                assert_eq!((&body["model"], &body["messages"]), (&json!("the-model-high"), &json!(turns)));
                assert_eq!((&body["max_tokens"], &body["temperature"]), (&json!(500), &json!(0.5)));
                assert_eq!(body["reasoning_effort"], json!(null));
            }
            Protocol::Ollama => {
                turns.insert(0, json!({"role": "system", "content": "Write code."}));
                assert_eq!((&body["model"], &body["messages"]), (&json!("the-model-high"), &json!(turns)));
                assert_eq!(body["options"], json!({"num_predict": 500, "temperature": 0.5}));
            }
            Protocol::Gemini => {
                assert_eq!(requests[0].path, "/v1beta/models/the-model-high:generateContent");
                assert_eq!(body["generationConfig"], json!({"maxOutputTokens": 500, "temperature": 0.5}));
                assert_eq!(body["systemInstruction"]["parts"][0]["text"], "Write code.");
                assert_eq!(body["contents"][1], json!({"role": "model", "parts": [{"text": "1 + 1"}]}));
            }
        }
    }
}

#[tokio::test]
async fn a_cut_answer_says_so() {
    for protocol in PROTOCOLS {
        let server = ModelServer::start(protocol, [Reply::Truncated("def add(".to_owned())]);
        let (result, _) = ask(&model(protocol, &server.url(), "")).await;
        let completion = result.unwrap();
        assert!(completion.truncated && completion.text == "def add(", "{protocol:?}: {completion:?}");
    }
}

#[tokio::test]
async fn too_many_requests_are_repeated_when_the_provider_says() {
    let started = Instant::now();
    let limited = Reply::Status(429, "slow down".to_owned(), Some(2));
    let (result, notes, requests) = ask_script("", [limited, Reply::Text("ok".to_owned())]).await;
    assert_eq!(result.unwrap().text, "ok");
    assert_eq!(requests, 2);
    // Longer than the first wait of our own can be.
    assert!(started.elapsed() >= Duration::from_secs(2));
    assert_eq!(notes, ["the model takes no more requests for now; trying again in 2.0 s (1 of 3)"]);
}

#[tokio::test]
async fn failures_that_pass_are_repeated() {
    for failure in [status(408), status(500), status(503), status(529), Reply::Disconnect] {
        let (result, notes, requests) = ask_script("", [failure.clone(), Reply::Text("ok".to_owned())]).await;
        assert_eq!(result.unwrap().text, "ok", "{failure:?}");
        assert_eq!((requests, notes.len()), (2, 1), "{failure:?}");
    }
}

#[tokio::test]
async fn failures_that_stay_are_told_after_the_last_attempt() {
    let (result, notes, requests) = ask_script("retries = 2", [status(500), status(502), status(529)]).await;
    let error = result.unwrap_err();
    assert_eq!((error.code(), requests, notes.len()), ("model_unreachable", 3, 2));
    let text = error.to_string();
    assert!(text.contains("`the-model-high` of `anthropic`") && text.contains("tried 3 times"), "{text}");
    assert!(text.contains("status 529, come back later"), "{text}");

    let (result, _, requests) = ask_script("retries = 1", [status(429), status(429)]).await;
    assert_eq!((result.unwrap_err().code(), requests), ("model_rate_limited", 2));
    let (result, notes, requests) = ask_script("retries = 0", [status(500)]).await;
    assert_eq!((result.unwrap_err().code(), requests, notes.len()), ("model_unreachable", 1, 0));
}

#[tokio::test]
async fn nobody_at_the_address_is_said_so() {
    // An address that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (result, notes) = ask(&model(Protocol::Ollama, &format!("http://{address}"), "retries = 1")).await;
    let text = result.unwrap_err().to_string();
    assert!(text.contains(&address.to_string()) && text.contains("can't be reached (tried 2 times)"), "{text}");
    assert_eq!(notes.len(), 1);
}

#[tokio::test]
async fn a_hang_ends_with_the_second_timeout() {
    let started = Instant::now();
    let (result, notes, requests) = ask_script("timeout_seconds = 1", [Reply::Hang, Reply::Hang]).await;
    let text = result.unwrap_err().to_string();
    assert!(text.contains("no answer within 1 seconds (tried 2 times)"), "{text}");
    assert_eq!((requests, notes.len()), (2, 1));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());

    let (result, ..) = ask_script("timeout_seconds = 1", [Reply::Hang, Reply::Text("ok".to_owned())]).await;
    assert_eq!(result.unwrap().text, "ok");
}

#[tokio::test]
async fn a_wrong_key_is_named_but_not_shown() {
    for protocol in PROTOCOLS.into_iter().filter(|protocol| wants_key(*protocol)) {
        let server = ModelServer::start(protocol, []);
        let key = Secret::new("sk-wrong-hunter2");
        let model = Model::with_key(&settings(protocol, &server.url(), ""), key).unwrap();
        assert!(!format!("{model:?}").contains("hunter2"));
        let (result, notes) = ask(&model).await;
        let error = result.unwrap_err();
        assert!(matches!(error, ModelError::WrongKey { .. }), "{protocol:?}: {error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(KEY_ENV) && !text.contains("hunter2"), "{text}");
        assert_eq!((server.requests().len(), notes.len()), (1, 0));
    }
}

#[tokio::test]
async fn a_server_that_wants_a_key_is_told_apart() {
    let server = ModelServer::start(Protocol::OpenAi, []);
    let (result, _) = ask(&model(Protocol::OpenAiLocal, &server.url(), "")).await;
    let error = result.unwrap_err();
    assert!(matches!(error, ModelError::WrongKey { variable: None, .. }), "{error:?}");
    assert!(error.to_string().contains("`model.key_env`"), "{error}");
}

#[test]
fn a_missing_key_is_told_before_anything_is_sent() {
    let settings = settings(Protocol::Anthropic, "http://127.0.0.1:9", "");
    let error = Model::new(&settings).unwrap_err();
    assert!(matches!(&error, ModelError::MissingKey { variable, .. } if variable == KEY_ENV), "{error:?}");
    let error = Model::with_key(&settings, Secret::new("hunter2\r\nx: y")).unwrap_err();
    assert!(matches!(error, ModelError::WrongKey { .. }) && !error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_provider_that_repeats_the_key_is_not_quoted() {
    for code in [400, 401, 404, 429, 500] {
        let message = format!("Bad  key\n{KEY} ({KEY}), {}", "x".repeat(1000));
        let (result, ..) = ask_script("retries = 0", [Reply::Status(code, message, None)]).await;
        let error = result.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("Bad key … (…)") && !text.contains(KEY), "{text}");
        assert!(error.to_string().chars().count() < 700, "{text}");
    }
}

#[tokio::test]
async fn a_request_that_the_provider_refuses_is_not_repeated() {
    let (result, notes, requests) = ask_script("", [Reply::Status(404, "model: the-model".to_owned(), None)]).await;
    let error = result.unwrap_err();
    assert!(matches!(error, ModelError::Refused { status: 404, .. }), "{error:?}");
    assert!(error.in_full().contains("status 404: model: the-model; see that `model.name`"), "{error}");
    assert_eq!((requests, notes.len()), (1, 0));
}

#[tokio::test]
async fn the_key_does_not_follow_a_redirect() {
    let elsewhere = ModelServer::start(Protocol::Anthropic, [Reply::Text("ok".to_owned())]);
    let to = format!("{}/v1/messages", elsewhere.url());
    let (result, _, requests) = ask_script("", [Reply::Redirect(to.clone())]).await;
    let error = result.unwrap_err();
    assert!(matches!(error, ModelError::Refused { status: 307, .. }) && error.to_string().contains(&to), "{error}");
    assert_eq!((requests, elsewhere.requests().len()), (1, 0));
}

#[tokio::test]
async fn an_answer_without_text_can_not_be_used() {
    let (result, _, requests) = ask_script("", [Reply::Html]).await;
    let error = result.unwrap_err();
    assert!(matches!(error, ModelError::Unreadable { .. }) && error.to_string().contains("web page"), "{error}");
    assert_eq!(requests, 1);
    for protocol in PROTOCOLS {
        for (reply, hint) in
            [(Reply::Text(" \n".to_owned()), "no text"), (Reply::Truncated(String::new()), "max_output_tokens")]
        {
            let server = ModelServer::start(protocol, [reply]);
            let error = ask(&model(protocol, &server.url(), "")).await.0.unwrap_err();
            assert!(matches!(error, ModelError::Unreadable { .. }), "{protocol:?}: {error:?}");
            assert!(error.to_string().contains(hint), "{protocol:?}: {error}");
        }
    }
}

#[tokio::test]
async fn an_answer_is_read_no_further_than_the_model_may_write() {
    let text = |megabytes: usize| "x".repeat(megabytes * 1_000_000);
    for protocol in PROTOCOLS {
        for reply in
            [Reply::Text(text(30)), Reply::Packed(text(30)), Reply::Raw(format!("[{}1]", "[],".repeat(1_000_000)))]
        {
            let server = ModelServer::start(protocol, [reply]);
            let error = ask(&model(protocol, &server.url(), "")).await.0.unwrap_err();
            assert!(matches!(error, ModelError::Unreadable { .. }), "{protocol:?}: {error:?}");
            assert!(error.to_string().contains("longer than 1179648 bytes"), "{protocol:?}: {error}");
            assert_eq!(server.requests().len(), 1);
        }
        // Whoever asks for more gets more.
        let server = ModelServer::start(protocol, [Reply::Packed(text(3))]);
        let completion = ask(&model(protocol, &server.url(), "max_output_tokens = 1000000")).await.0.unwrap();
        assert_eq!(completion.text.len(), 3_000_000, "{protocol:?}");
    }
    // Where the status says all, a long text is not read either.
    let (result, ..) = ask_script("retries = 0", [Reply::Status(400, text(30), None)]).await;
    assert!(matches!(result, Err(ModelError::Refused { status: 400, .. })), "{result:?}");
}

#[tokio::test]
async fn an_answer_in_another_form_is_said_to_be_so() {
    for (body, words) in [
        ("{\"ok\": true}", "has not the form"),
        ("{\"error\": {\"message\": \"no such deployment\"}}", "no such deployment"),
        ("{\"choices\"", "not valid JSON"),
    ] {
        for protocol in PROTOCOLS {
            let server = ModelServer::start(protocol, [Reply::Raw(body.to_owned())]);
            let error = ask(&model(protocol, &server.url(), "")).await.0.unwrap_err();
            assert!(matches!(error, ModelError::Unreadable { .. }), "{protocol:?}: {error:?}");
            assert!(error.to_string().contains(words), "{protocol:?}: {error}");
        }
    }
}

#[tokio::test]
async fn cancelling_ends_a_request_and_a_wait_at_once() {
    let wait = Reply::Status(429, "slow down".to_owned(), Some(60));
    for reply in [Reply::Hang, wait] {
        let server = ModelServer::start(Protocol::Anthropic, [reply.clone()]);
        let model = model(Protocol::Anthropic, &server.url(), "");
        let cancel = CancellationToken::new();
        let messages = [message(Role::User, "Add.")];
        let asking = model.complete(&messages, &cancel, |_| {});
        let cancelling = async {
            while server.requests().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            cancel.cancel();
            Instant::now()
        };
        let both = async { tokio::join!(asking, cancelling) };
        let (result, cancelled_at) = tokio::time::timeout(PATIENCE, both).await.unwrap();
        assert_eq!(result, Err(ModelError::Cancelled), "{reply:?}");
        assert!(cancelled_at.elapsed() < Duration::from_secs(2), "{reply:?}: {:?}", cancelled_at.elapsed());
    }
}

#[tokio::test]
async fn nothing_is_asked_when_it_is_cancelled_already() {
    let server = ModelServer::start(Protocol::Anthropic, []);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let model = model(Protocol::Anthropic, &server.url(), "");
    assert_eq!(model.complete(&[message(Role::User, "Add.")], &cancel, |_| {}).await, Err(ModelError::Cancelled));
    assert!(server.requests().is_empty());
}

#[test]
fn tokens_have_a_price_when_the_configuration_names_one() {
    let mut usage = Usage { input_tokens: 1_000_000, output_tokens: 200_000 };
    usage.add(Usage { input_tokens: 1_000_000, output_tokens: 0 });
    let prices = "input_cost_per_million = 3\noutput_cost_per_million = 15.0";
    let cost = usage.cost_usd(&settings(Protocol::Ollama, "http://localhost", prices)).unwrap();
    assert!((cost - 9.0).abs() < 1e-9, "{cost}");
    assert_eq!(usage.cost_usd(&settings(Protocol::Ollama, "http://localhost", "")), None);
}
