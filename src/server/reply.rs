//! From what a service answers to what the protocol carries.

use jiff::Timestamp;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, InputRequiredResult};
use serde_json::{Map, Value, json};

use super::{
    answer::{ALWAYS_TOLD, Answer},
    excerpt, verbatim,
};
use crate::{domain::Hinted as _, library::LibraryError};

/// An answer that would be longer than this, as text, has its longest parts cut. An agent pays for every character.
pub const MAX_CHARS: usize = 20_000;

/// An answer before it becomes a protocol message.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The structured content.
    pub content: Map<String, Value>,
    /// The same as compact JSON, for clients that show no structured content, without what only programs need.
    pub text: String,
    /// Whether it tells of a failure.
    pub is_error: bool,
    /// What the client is to ask its user before there is an answer.
    pub question: Option<InputRequiredResult>,
}

/// The reply for an answer of a tool.
pub fn answer<A: Answer>(answer: A) -> Reply {
    let error_code = answer.error_code();
    let mut content = match answer.into_content() {
        Ok(Value::Object(content)) => content,
        Ok(other) => Map::from_iter([("result".to_owned(), other)]),
        Err(error) => return refusal(&LibraryError::internal_because("the answer can't be written", &error)),
    };
    content.retain(|name, value| !value.is_null() || ALWAYS_TOLD.contains(&name.as_str()));
    if let Some(code) = error_code {
        content.insert("error_code".to_owned(), json!(code));
    }
    finish(content, error_code.is_some(), A::WHOLE)
}

/// The reply for a refusal or a failure of a service.
pub fn refusal(error: &LibraryError) -> Reply {
    failure(error.code(), &error.in_full(), error.details())
}

/// A failure with its stable code.
pub fn failure(code: &str, message: &str, details: Option<(&'static str, Value)>) -> Reply {
    let mut content = Map::new();
    content.insert("error".to_owned(), json!(message));
    content.insert("error_code".to_owned(), json!(code));
    if let Some((name, value)) = details {
        content.insert(name.to_owned(), value);
    }
    finish(content, true, false)
}

fn finish(mut content: Map<String, Value>, is_error: bool, is_whole: bool) -> Reply {
    content.insert("success".to_owned(), json!(!is_error));
    let text = if is_whole { whole_text(&content) } else { capped_text(&mut content) };
    content.insert("timestamp".to_owned(), json!(Timestamp::now().to_string()));
    Reply { content, text, is_error, question: None }
}

/// A short text of content that stays as it is.
fn whole_text(content: &Map<String, Value>) -> String {
    match verbatim::shown(content, MAX_CHARS / 2) {
        Some(shown) => excerpt::of(&shown, MAX_CHARS),
        None => excerpt::of(content, MAX_CHARS),
    }
}

fn to_text(content: &Map<String, Value>) -> String {
    serde_json::to_string(content).unwrap_or_default()
}

/// The content as text, after its longest parts were cut until it is short enough. A safety net: tools that return
/// something long cut it themselves and say how to read the rest.
fn capped_text(content: &mut Map<String, Value>) -> String {
    let mut text = to_text(content);
    let mut allowance = MAX_CHARS / 4;
    while text.len() > MAX_CHARS && allowance > 64 {
        content.values_mut().for_each(|value| shorten(value, allowance));
        content.insert("truncated".to_owned(), json!(true));
        text = to_text(content);
        allowance /= 2;
    }
    text
}

fn shorten(value: &mut Value, most: usize) {
    match value {
        Value::String(text) if text.len() > most => {
            let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let dropped = text[end..].chars().count();
            text.truncate(end);
            text.push_str(&format!("… [{dropped} characters more]"));
        }
        Value::Array(items) => {
            let most_items = (most / 16).max(4);
            if items.len() > most_items {
                let dropped = items.len() - most_items;
                items.truncate(most_items);
                items.push(json!(format!("… [{dropped} more]")));
            }
            items.iter_mut().for_each(|item| shorten(item, most));
        }
        Value::Object(map) => map.values_mut().for_each(|item| shorten(item, most)),
        _ => {}
    }
}

impl Reply {
    /// The same, or rather a question.
    #[must_use]
    pub fn asking(self, question: Option<InputRequiredResult>) -> Self {
        Self { question, ..self }
    }

    /// The run that asks the user something, where this is its question.
    #[must_use]
    pub fn asked_run(&self) -> Option<&str> {
        self.question.as_ref()?;
        self.content.get("run_id")?.as_str()
    }

    /// The protocol's form.
    #[must_use]
    pub fn into_response(self) -> CallToolResponse {
        match self.question {
            Some(question) => question.into(),
            None => self.into_result().into(),
        }
    }

    /// The same of what asks nothing.
    #[must_use]
    pub fn into_result(self) -> CallToolResult {
        let content = vec![ContentBlock::text(self.text)];
        let mut result = if self.is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
        result.structured_content = Some(Value::Object(self.content));
        result
    }
}

/// A part of a long text, and where the next one begins.
#[must_use]
pub fn window(text: &str, offset: usize, most: usize) -> (String, Option<usize>) {
    let part: String = text.chars().skip(offset).take(most).collect();
    let end = offset + part.chars().count();
    let next = (end < text.chars().count()).then_some(end);
    (part, next)
}
