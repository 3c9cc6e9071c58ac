//! From the answer of a tool to the value that code gets.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::{Map, Value, json};

use super::lines::MAX_ANSWER_BYTES;
use crate::domain::json;

/// A tool's own words about its failure are cut at this length.
const MAX_ERROR_CHARS: usize = 2000;

/// What an answer says.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// The result of the call.
    Value(Value),
    /// The tool failed, in its own words.
    Failed(String),
    /// It can't be used, for this reason.
    Unusable(String),
}

/// Takes an answer apart: the structured content where there is one, else the content.
pub(super) fn read(result: CallToolResult) -> Answer {
    if result.is_error == Some(true) {
        return Answer::Failed(failure(&result));
    }
    let mut value = match result.structured_content {
        Some(value) => value,
        None => from_content(result.content),
    };
    if let Err(unkept) = json::settle(&mut value) {
        return Answer::Unusable(format!("it can't be kept: {unkept}"));
    }
    let mut size = Size(0);
    if serde_json::to_writer(&mut size, &value).is_err() || size.0 > MAX_ANSWER_BYTES {
        let most = MAX_ANSWER_BYTES / (1024 * 1024);
        return Answer::Unusable(format!("it has more than {most} MiB; ask the tool for less"));
    }
    Answer::Value(value)
}

fn failure(result: &CallToolResult) -> String {
    let texts: Vec<&str> = result
        .content
        .iter()
        .filter_map(|block| match block {
            ContentBlock::Text(text) => Some(text.text.trim()),
            _ => None,
        })
        .filter(|text| !text.is_empty())
        .collect();
    let said = match &result.structured_content {
        Some(value) if texts.is_empty() => value.to_string(),
        _ => texts.join("\n"),
    };
    if said.is_empty() { "it does not say why".to_owned() } else { said.chars().take(MAX_ERROR_CHARS).collect() }
}

/// Nothing is `None`, one block its value, several a list of their values.
fn from_content(content: Vec<ContentBlock>) -> Value {
    let mut values: Vec<Value> = content.into_iter().map(from_block).collect();
    match values.len() {
        0 => Value::Null,
        1 => values.remove(0),
        _ => Value::Array(values),
    }
}

fn from_block(block: ContentBlock) -> Value {
    match block {
        ContentBlock::Text(text) => from_text(text.text),
        ContentBlock::Image(image) => json!({"type": "image", "mime_type": image.mime_type, "data": image.data}),
        ContentBlock::Audio(audio) => json!({"type": "audio", "mime_type": audio.mime_type, "data": audio.data}),
        ContentBlock::Resource(embedded) => match embedded.resource {
            ResourceContents::TextResourceContents { uri, mime_type, text, .. } => {
                fields(&[("uri", Some(uri)), ("mime_type", mime_type), ("text", Some(text))], "resource")
            }
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                fields(&[("uri", Some(uri)), ("mime_type", mime_type), ("data", Some(blob))], "resource")
            }
            #[allow(unreachable_patterns, reason = "the protocol may get more kinds")]
            _ => json!({"type": "resource"}),
        },
        ContentBlock::ResourceLink(link) => fields(
            &[
                ("uri", Some(link.uri)),
                ("name", Some(link.name)),
                ("mime_type", link.mime_type),
                ("description", link.description),
            ],
            "resource_link",
        ),
        _ => json!({"type": "unknown"}),
    }
}

/// Many servers write JSON into their text, because older clients know nothing else. A number or a word stays text: the
/// tool may well mean it.
fn from_text(text: String) -> Value {
    let looks_like_json = text.trim_start().starts_with(['{', '[']);
    match json::read(&text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) if looks_like_json => value,
        _ => Value::String(text),
    }
}

fn fields(fields: &[(&str, Option<String>)], kind: &str) -> Value {
    let kind = ("type".to_owned(), Value::from(kind));
    let given = fields.iter().filter_map(|(name, value)| Some(((*name).to_owned(), Value::from(value.clone()?))));
    Value::Object(std::iter::once(kind).chain(given).collect::<Map<_, _>>())
}

/// Counts what is written.
struct Size(usize);

impl std::io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(result: Value) -> Answer {
        read(serde_json::from_value(result).unwrap())
    }

    #[test]
    fn structured_content_comes_first() {
        let result = json!({"content": [{"type": "text", "text": "3"}], "structuredContent": {"sum": 3}});
        assert_eq!(answer(result), Answer::Value(json!({"sum": 3})));
    }

    #[test]
    fn texts_are_values_where_they_are_json_and_themselves_otherwise() {
        for (text, value) in [
            ("{\"a\": [1]}", json!({"a": [1]})),
            (" [1, 2]\n", json!([1, 2])),
            ("42", json!("42")),
            ("true", json!("true")),
            ("{not json}", json!("{not json}")),
            ("", json!("")),
        ] {
            assert_eq!(answer(json!({"content": [{"type": "text", "text": text}]})), Answer::Value(value), "{text}");
        }
        let several = json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "[1]"}]});
        assert_eq!(answer(several), Answer::Value(json!(["a", [1]])));
        assert_eq!(answer(json!({"content": []})), Answer::Value(Value::Null));
    }

    #[test]
    fn images_and_resources_are_small_dictionaries() {
        let result = json!({"content": [
            {"type": "image", "data": "AAAA", "mimeType": "image/png"},
            {"type": "resource", "resource": {"uri": "a://b", "text": "c"}},
            {"type": "resource_link", "uri": "a://d", "name": "d"},
        ]});
        let expected = json!([
            {"type": "image", "mime_type": "image/png", "data": "AAAA"},
            {"type": "resource", "uri": "a://b", "text": "c"},
            {"type": "resource_link", "uri": "a://d", "name": "d"},
        ]);
        assert_eq!(answer(result), Answer::Value(expected));
    }

    #[test]
    fn failures_are_told_in_the_words_of_the_tool() {
        let failed = |content: Value| answer(json!({"isError": true, "content": content}));
        assert_eq!(failed(json!([{"type": "text", "text": " no \n"}])), Answer::Failed("no".to_owned()));
        assert_eq!(failed(json!([])), Answer::Failed("it does not say why".to_owned()));
        let Answer::Failed(text) = failed(json!([{"type": "text", "text": "x".repeat(5000)}])) else {
            panic!("it worked")
        };
        assert_eq!(text.len(), MAX_ERROR_CHARS);
    }

    #[test]
    fn an_answer_that_is_too_large_is_told() {
        let text = "x".repeat(MAX_ANSWER_BYTES + 1);
        let Answer::Unusable(why) = answer(json!({"content": [{"type": "text", "text": text}]})) else {
            panic!("fits")
        };
        assert!(why.contains("more than 8 MiB"), "{why}");
    }
}
