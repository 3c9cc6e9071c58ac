//! Gemini's `generateContent`: <https://ai.google.dev/api/generate-content>.

use serde_json::{Map, Value, json};

use super::parts::{Answer, Request, Stop, add_temperature, joined, system_apart, tokens};
use crate::{
    config::{ModelSettings, Secret},
    models::{Message, Role, Usage},
};

pub(super) fn request(settings: &ModelSettings, key: Option<&Secret>, messages: &[Message]) -> Request {
    let (system, others) = system_apart(messages);
    let turn = |message: &Message| {
        let role = if message.role == Role::Assistant { "model" } else { "user" };
        json!({"role": role, "parts": [{"text": message.text}]})
    };
    let mut generation = Map::new();
    generation.insert("maxOutputTokens".to_owned(), json!(settings.max_output_tokens));
    add_temperature(&mut generation, settings);
    let mut body = Map::new();
    if let Some(system) = system {
        body.insert("systemInstruction".to_owned(), json!({"parts": [{"text": system}]}));
    }
    body.insert("contents".to_owned(), others.into_iter().map(turn).collect());
    body.insert("generationConfig".to_owned(), generation.into());
    let name = settings.name.strip_prefix("models/").unwrap_or(&settings.name);
    let url = format!("{}models/{name}:generateContent", settings.base_url);
    let headers = key.map(|key| ("x-goog-api-key", key.expose().to_owned())).into_iter().collect();
    Request { url, headers, body: body.into() }
}

pub(super) fn answer(body: &Value) -> Option<Answer> {
    let usage = &body["usageMetadata"];
    let usage = Usage {
        input_tokens: tokens(usage, &["promptTokenCount", "toolUsePromptTokenCount"]),
        // Reasoning is counted apart, also where nothing else was written.
        output_tokens: tokens(usage, &["candidatesTokenCount", "thoughtsTokenCount"]),
    };
    if let Some(word) = body["promptFeedback"]["blockReason"].as_str() {
        return Some(Answer { stop: Stop::Declined(word.to_owned()), usage, ..Answer::default() });
    }
    let candidate = body.get("candidates")?.get(0)?;
    // Where all tokens went into reasoning there are no parts.
    let parts = candidate["content"]["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = joined(parts, |part| part["thought"] != true);
    let stop = match candidate["finishReason"].as_str() {
        Some("MAX_TOKENS") => Stop::Cut,
        None | Some("STOP" | "FINISH_REASON_UNSPECIFIED") => Stop::Complete,
        Some(word) => Stop::Declined(word.to_owned()),
    };
    Some(Answer { text, stop, usage })
}
