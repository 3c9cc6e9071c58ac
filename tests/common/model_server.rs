//! A language model of the tests' own: it speaks the protocols of the providers on the loopback interface, answers from
//! a script, and is as strict about requests as the real ones.

use std::{
    collections::VecDeque,
    io::Write as _,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::loopback::Loopback;

/// The key that the server wants.
pub const KEY: &str = "sk-test-0123456789abcdef";

/// What every answer says that it has read and written.
pub const TOKENS: (u64, u64) = (120, 45);

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Anthropic's Messages.
    Anthropic,
    /// `OpenAI`'s chat completions.
    OpenAi,
    /// The same without a key, as llama.cpp and others have it.
    OpenAiLocal,
    /// Ollama.
    Ollama,
    /// Gemini.
    Gemini,
}

/// How the server answers one request that is valid.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With this text.
    Text(String),
    /// With this text, cut at the limit of tokens.
    Truncated(String),
    /// With this text, packed.
    Packed(String),
    /// With this body, as JSON.
    Raw(String),
    /// With a failure: status, message, and for how many seconds to stay away.
    Status(u16, String, Option<u64>),
    /// Never.
    Hang,
    /// By closing the connection.
    Disconnect,
    /// With a web page.
    Html,
    /// By sending the client to another address.
    Redirect(String),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The path that was asked for.
    pub path: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; null when it is not JSON.
    pub body: Value,
}

impl Recorded {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The server; it ends with the value.
pub struct ModelServer {
    service: Loopback,
    script: Arc<Script>,
}

struct Script {
    protocol: Protocol,
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<Recorded>>,
}

impl ModelServer {
    /// Starts one that gives these answers in turn.
    pub fn start(protocol: Protocol, replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = Mutex::new(replies.into_iter().collect());
        let script = Arc::new(Script { protocol, replies, requests: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&script));
        Self { service: Loopback::serve(app), script }
    }

    /// Its address, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.service.address())
    }

    /// Every request that came, also those that were refused.
    pub fn requests(&self) -> Vec<Recorded> {
        self.script.requests.lock().unwrap().clone()
    }
}

async fn answer(
    State(script): State<Arc<Script>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let protocol = script.protocol;
    let request =
        Recorded { path: uri.path().to_owned(), headers, body: serde_json::from_slice(&body).unwrap_or_default() };
    script.requests.lock().unwrap().push(request.clone());
    if method != Method::POST || !protocol.has(&request.path) {
        return protocol.failure(404, &format!("no {method} {}", request.path), None);
    }
    if !protocol.accepts_key(&request) {
        return protocol.wrong_key();
    }
    if let Err(problem) = protocol.check(&request) {
        return protocol.failure(400, &problem, None);
    }
    let Some(reply) = script.replies.lock().unwrap().pop_front() else {
        return protocol.failure(400, "the test's script has no more replies", None);
    };
    match reply {
        Reply::Text(text) => json_response(200, &protocol.completion(&text, false)),
        Reply::Truncated(text) => json_response(200, &protocol.completion(&text, true)),
        Reply::Packed(text) => {
            let body = protocol.completion(&text, false).to_string();
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(body.as_bytes()).unwrap();
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")];
            (headers, packed.finish().unwrap()).into_response()
        }
        Reply::Raw(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Reply::Status(status, message, retry_after) => protocol.failure(status, &message, retry_after),
        Reply::Hang => std::future::pending().await,
        // Ends the task that has the connection, without a word of the panic hook.
        Reply::Disconnect => std::panic::resume_unwind(Box::new("disconnect")),
        Reply::Html => {
            ([(header::CONTENT_TYPE, "text/html")], "<!doctype html><title>Not a model</title>").into_response()
        }
        Reply::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
    }
}

fn json_response(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

impl Protocol {
    fn has(self, path: &str) -> bool {
        match self {
            Self::Anthropic => path == "/v1/messages",
            Self::OpenAi | Self::OpenAiLocal => path == "/v1/chat/completions",
            Self::Ollama => path == "/api/chat",
            Self::Gemini => path
                .strip_prefix("/v1beta/models/")
                .and_then(|rest| rest.strip_suffix(":generateContent"))
                .is_some_and(|name| !name.is_empty() && !name.contains('/')),
        }
    }

    fn accepts_key(self, request: &Recorded) -> bool {
        match self {
            Self::Anthropic => request.header("x-api-key") == Some(KEY),
            Self::OpenAi => request.header("authorization") == Some(&format!("Bearer {KEY}")),
            Self::OpenAiLocal | Self::Ollama => request.header("authorization").is_none(),
            Self::Gemini => request.header("x-goog-api-key") == Some(KEY),
        }
    }

    /// Refuses what the real interface refuses.
    fn check(self, request: &Recorded) -> Result<(), String> {
        let body = &request.body;
        let kind = request.header("content-type").unwrap_or_default();
        if !kind.starts_with("application/json") || !body.is_object() {
            return Err("the body is not a JSON object".to_owned());
        }
        let (list, roles, fields): (_, &[&str], &[&str]) = match self {
            Self::Anthropic => {
                if request.header("anthropic-version") != Some("2023-06-01") {
                    return Err("anthropic-version: header is required".to_owned());
                }
                if body["max_tokens"].as_u64().is_none_or(|most| most == 0) {
                    return Err("max_tokens: Field required".to_owned());
                }
                let fields = &["model", "messages", "max_tokens", "system", "stream", "temperature"];
                ("messages", &["user", "assistant"], fields)
            }
            Self::OpenAi | Self::OpenAiLocal => {
                let fields = &["model", "messages", "max_tokens", "max_completion_tokens", "stream", "temperature"];
                ("messages", &["system", "user", "assistant"], fields)
            }
            Self::Ollama => ("messages", &["system", "user", "assistant"], &["model", "messages", "options", "stream"]),
            Self::Gemini => ("contents", &["user", "model"], &["contents", "systemInstruction", "generationConfig"]),
        };
        let unknown = body.as_object().unwrap().keys().find(|field| !fields.contains(&field.as_str()));
        if let Some(field) = unknown {
            return Err(format!("{field}: Extra inputs are not permitted"));
        }
        if self != Self::Gemini && body["model"].as_str().is_none_or(str::is_empty) {
            return Err("model: Field required".to_owned());
        }
        if body["stream"] == json!(true) {
            return Err("stream: this server does not".to_owned());
        }
        let messages = body[list].as_array().filter(|messages| !messages.is_empty());
        for message in messages.ok_or_else(|| format!("{list}: at least one message is required"))? {
            if !roles.contains(&message["role"].as_str().unwrap_or_default()) {
                return Err(format!("role: {} is none of {roles:?}", message["role"]));
            }
            let text = if self == Self::Gemini { &message["parts"][0]["text"] } else { &message["content"] };
            if text.as_str().is_none_or(str::is_empty) {
                return Err("text content must be non-empty".to_owned());
            }
        }
        Ok(())
    }

    fn completion(self, text: &str, truncated: bool) -> Value {
        let (input, output) = TOKENS;
        match self {
            Self::Anthropic => json!({
                "id": "msg_01", "type": "message", "role": "assistant", "model": "the-model",
                "content": [{"type": "text", "text": text}],
                "stop_reason": if truncated { "max_tokens" } else { "end_turn" }, "stop_sequence": null,
                "usage": {"input_tokens": input, "output_tokens": output},
            }),
            Self::OpenAi | Self::OpenAiLocal => json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1_760_000_000, "model": "the-model",
                "choices": [{
                    "index": 0, "message": {"role": "assistant", "content": text, "refusal": null}, "logprobs": null,
                    "finish_reason": if truncated { "length" } else { "stop" },
                }],
                "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
            }),
            Self::Ollama => json!({
                "model": "the-model", "created_at": "2026-08-01T12:00:00Z",
                "message": {"role": "assistant", "content": text}, "done": true,
                "done_reason": if truncated { "length" } else { "stop" },
                "prompt_eval_count": input, "eval_count": output,
            }),
            Self::Gemini => json!({
                "candidates": [{
                    "index": 0, "content": {"role": "model", "parts": [{"text": text}]},
                    "finishReason": if truncated { "MAX_TOKENS" } else { "STOP" },
                }],
                "usageMetadata": {
                    "promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output,
                },
                "modelVersion": "the-model",
            }),
        }
    }

    fn wrong_key(self) -> Response {
        if self == Self::Gemini {
            let message = "API key not valid. Please pass a valid API key.";
            let details = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]);
            let error = json!({"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": details});
            return json_response(400, &json!({"error": error}));
        }
        self.failure(401, "invalid x-api-key", None)
    }

    fn failure(self, status: u16, message: &str, retry_after: Option<u64>) -> Response {
        let body = match self {
            Self::Anthropic => {
                let kind = match status {
                    401 => "authentication_error",
                    404 => "not_found_error",
                    429 => "rate_limit_error",
                    529 => "overloaded_error",
                    500.. => "api_error",
                    _ => "invalid_request_error",
                };
                json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_01"})
            }
            Self::OpenAi | Self::OpenAiLocal => {
                let kind = if status == 429 { "rate_limit_exceeded" } else { "invalid_request_error" };
                json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
            }
            Self::Ollama => json!({"error": message}),
            Self::Gemini => json!({"error": {"code": status, "message": message, "status": "FAILED"}}),
        };
        let mut response = json_response(status, &body);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
