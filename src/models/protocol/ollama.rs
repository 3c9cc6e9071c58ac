//! Ollama's chat: <https://github.com/ollama/ollama/blob/main/docs/api.md>.

use serde_json::{Map, Value, json};

use super::parts::{Answer, Request, Stop, add_temperature, bearer, tokens, turns, without_thinking};
use crate::{
    config::{ModelSettings, Secret},
    models::{Message, Usage},
};

pub(super) fn request(settings: &ModelSettings, key: Option<&Secret>, messages: &[Message]) -> Request {
    let mut options = Map::new();
    options.insert("num_predict".to_owned(), json!(settings.max_output_tokens));
    add_temperature(&mut options, settings);
    let body = json!({"model": settings.name, "messages": turns(messages), "stream": false, "options": options});
    // It wants no key, but what stands in front of it may.
    Request { url: format!("{}api/chat", settings.base_url), headers: bearer(key), body }
}

pub(super) fn answer(body: &Value) -> Option<Answer> {
    let text = without_thinking(body.get("message")?.get("content")?.as_str()?).to_owned();
    let stop = if body["done_reason"] == "length" { Stop::Cut } else { Stop::Complete };
    let (input, output) = (tokens(body, &["prompt_eval_count"]), tokens(body, &["eval_count"]));
    Some(Answer { text, stop, usage: Usage { input_tokens: input, output_tokens: output } })
}
