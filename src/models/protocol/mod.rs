//! What the providers' protocols say: the request, and what is read from its answer. Nothing here sends anything.
//!
//! They are written out here and not taken from a crate, because those that exist read an answer of any size.

mod anthropic;
mod gemini;
mod ollama;
mod openai;
mod parts;

use serde_json::Value;

use super::Message;
use crate::config::{ModelSettings, Provider, Secret};

pub(super) use parts::{Answer, Request, Stop};

/// The request that asks for the next message.
pub(super) fn request(settings: &ModelSettings, key: Option<&Secret>, messages: &[Message]) -> Request {
    match settings.provider {
        Provider::Anthropic => anthropic::request(settings, key, messages),
        Provider::OpenAi => openai::request(settings, key, messages),
        Provider::Ollama => ollama::request(settings, key, messages),
        Provider::Gemini => gemini::request(settings, key, messages),
    }
}

/// Reads an answer; `None` where it has not the form of one.
pub(super) fn answer(provider: Provider, body: &Value) -> Option<Answer> {
    match provider {
        Provider::Anthropic => anthropic::answer(body),
        Provider::OpenAi => openai::answer(body),
        Provider::Ollama => ollama::answer(body),
        Provider::Gemini => gemini::answer(body),
    }
}

#[cfg(test)]
mod tests;
