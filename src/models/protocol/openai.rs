//! `OpenAI`'s chat completions, which many others speak: <https://platform.openai.com/docs/api-reference/chat>.

use serde_json::{Map, Value, json};

use super::parts::{Answer, Request, Stop, add_temperature, bearer, joined, tokens, turns, without_thinking};
use crate::{
    config::{ModelSettings, Secret},
    models::{Message, Usage},
};

pub(super) fn request(settings: &ModelSettings, key: Option<&Secret>, messages: &[Message]) -> Request {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(settings.name));
    body.insert("messages".to_owned(), turns(messages));
    body.insert(limit_field(&settings.name).to_owned(), json!(settings.max_output_tokens));
    add_temperature(&mut body, settings);
    let url = format!("{}chat/completions", settings.base_url);
    Request { url, headers: bearer(key), body: body.into() }
}

/// `OpenAI`'s own models that reason, from `o1` and `gpt-5` on, refuse the field that everybody else knows.
fn limit_field(model: &str) -> &'static str {
    let name = model.rsplit('/').next().unwrap_or(model);
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>().ok();
    let is_reasoning = name.strip_prefix('o').and_then(number).is_some()
        || name.strip_prefix("gpt-").and_then(number).is_some_and(|version| version >= 5);
    if is_reasoning { "max_completion_tokens" } else { "max_tokens" }
}

pub(super) fn answer(body: &Value) -> Option<Answer> {
    let choice = body.get("choices")?.get(0)?;
    let message = choice.get("message")?;
    let text = match message.get("content") {
        Some(Value::String(text)) => without_thinking(text).to_owned(),
        Some(Value::Array(parts)) => joined(parts, |part| part["type"] == "text"),
        _ => String::new(),
    };
    let stop = match (choice["finish_reason"].as_str(), message["refusal"].as_str()) {
        (_, Some(refusal)) if text.is_empty() => Stop::Declined(refusal.to_owned()),
        (Some(word @ "content_filter"), _) => Stop::Declined(word.to_owned()),
        (Some("length"), _) => Stop::Cut,
        _ => Stop::Complete,
    };
    let usage = &body["usage"];
    let (input, output) = (tokens(usage, &["prompt_tokens"]), tokens(usage, &["completion_tokens"]));
    Some(Answer { text, stop, usage: Usage { input_tokens: input, output_tokens: output } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_has_the_name_that_the_model_knows() {
        for name in ["o1", "o3-mini", "o4-mini-high", "gpt-5", "gpt-5.1-codex", "gpt-12", "openai/gpt-6"] {
            assert_eq!(limit_field(name), "max_completion_tokens", "{name}");
        }
        for name in ["gpt-4o", "gpt-4.1", "gpt-oss-20b", "olmo-2", "qwen3", "orca", "gpt-3.5-turbo"] {
            assert_eq!(limit_field(name), "max_tokens", "{name}");
        }
    }
}
