//! Anthropic's Messages: <https://docs.anthropic.com/en/api/messages>.

use serde_json::{Map, Value, json};

use super::parts::{Answer, Request, Stop, add_temperature, joined, system_apart, tokens, turns};
use crate::{
    config::{ModelSettings, Secret},
    models::{Message, Usage},
};

/// The only version that there is.
const VERSION: &str = "2023-06-01";

pub(super) fn request(settings: &ModelSettings, key: Option<&Secret>, messages: &[Message]) -> Request {
    let (system, others) = system_apart(messages);
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(settings.name));
    body.insert("max_tokens".to_owned(), json!(settings.max_output_tokens));
    if let Some(system) = system {
        body.insert("system".to_owned(), json!(system));
    }
    body.insert("messages".to_owned(), turns(others));
    add_temperature(&mut body, settings);
    let mut headers = vec![("anthropic-version", VERSION.to_owned())];
    headers.extend(key.map(|key| ("x-api-key", key.expose().to_owned())));
    Request { url: format!("{}messages", settings.base_url), headers, body: body.into() }
}

pub(super) fn answer(body: &Value) -> Option<Answer> {
    let text = joined(body.get("content")?.as_array()?, |part| part["type"] == "text");
    let stop = match body["stop_reason"].as_str() {
        Some("max_tokens" | "model_context_window_exceeded") => Stop::Cut,
        Some(word @ "refusal") => Stop::Declined(word.to_owned()),
        _ => Stop::Complete,
    };
    let usage = &body["usage"];
    // What was written to its cache, or read from there, is not among the others.
    let input = tokens(usage, &["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"]);
    let usage = Usage { input_tokens: input, output_tokens: tokens(usage, &["output_tokens"]) };
    Some(Answer { text, stop, usage })
}
