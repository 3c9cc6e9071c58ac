//! What the protocols have in common.

use serde_json::{Map, Value, json};

use crate::{
    config::{ModelSettings, Secret},
    models::{Message, Role, Usage},
};

/// A request to a provider.
pub struct Request {
    pub url: String,
    /// Names and values; those with the key are secret.
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

/// What an answer has that matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What the model wrote, without its reasoning.
    pub text: String,
    pub stop: Stop,
    pub usage: Usage,
}

/// Why a model stopped writing.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// It had said all.
    #[default]
    Complete,
    /// At the limit of tokens.
    Cut,
    /// It, or a filter of the provider, does not want to answer. With the provider's word for that.
    Declined(String),
}

/// The list of messages as all providers but Gemini have it, with the system's among the others.
pub fn turns<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Value {
    let turn = |message: &Message| {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({"role": role, "content": message.text})
    };
    messages.into_iter().map(turn).collect()
}

/// The texts of the system's messages as one, and the messages of the others, for protocols that keep them apart.
pub fn system_apart(messages: &[Message]) -> (Option<String>, Vec<&Message>) {
    let (system, others): (Vec<&Message>, Vec<&Message>) =
        messages.iter().partition(|message| message.role == Role::System);
    let system = system.into_iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n\n");
    ((!system.is_empty()).then_some(system), others)
}

/// The header that most providers, and what stands in front of others, want the key in.
pub fn bearer(key: Option<&Secret>) -> Vec<(&'static str, String)> {
    key.map(|key| ("authorization", format!("Bearer {}", key.expose()))).into_iter().collect()
}

/// Adds the temperature under this name, where one is set.
pub fn add_temperature(fields: &mut Map<String, Value>, settings: &ModelSettings) {
    if let Some(temperature) = settings.temperature {
        fields.insert("temperature".to_owned(), json!(temperature));
    }
}

/// The sum of those of these counts that are there.
pub fn tokens(usage: &Value, names: &[&str]) -> u64 {
    let counts = names.iter().filter_map(|name| usage.get(name)?.as_u64());
    counts.fold(0, u64::saturating_add)
}

/// The text of the parts of this kind, in their order.
pub fn joined<'a>(parts: impl IntoIterator<Item = &'a Value>, is_text: impl Fn(&Value) -> bool) -> String {
    parts.into_iter().filter(|part| is_text(part)).filter_map(|part| part.get("text")?.as_str()).collect()
}

/// A text without the reasoning that local models put in front of it, between `<think>` and `</think>`.
pub fn without_thinking(text: &str) -> &str {
    let thought = text.trim_start().strip_prefix("<think>").and_then(|rest| rest.split_once("</think>"));
    thought.map_or(text, |(_, said)| said.trim_start())
}
