//! What is kept of an answer: read up to a limit, and told as text and JSON.

use reqwest::{
    Response,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::{Map, Value, json};

use super::{clients::root_cause, request::Request};
use crate::{
    domain::json::{self, ReadError},
    runtime::PythonError,
};

/// The most that a body may have, unpacked.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// The most values that JSON is parsed with: a short text of many small objects takes a hundred times its memory.
const MAX_JSON_VALUES: usize = 250_000;

/// An answer that was read to its end.
pub struct Received {
    pub status: u16,
    pub text: String,
    headers: Map<String, Value>,
    url: String,
    is_json: bool,
}

impl Received {
    /// Reads the body, which may come packed, until it is complete or too long.
    pub async fn read(mut response: Response, request: &Request) -> Result<Self, PythonError> {
        let failed = |reason: String| {
            let message = format!("the answer to `{}` {reason}", request.shown());
            request.after_redirect(PythonError::new("RuntimeError", message))
        };
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| failed(format!("broke off: {}", root_cause(&error))))? else {
                break;
            };
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                let most = MAX_BODY_BYTES / (1024 * 1024);
                return Err(failed(format!("is longer than {most} MiB; ask for less of it, in pages or a range")));
            }
            body.extend_from_slice(&chunk);
        }
        let content_type =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self {
            status: response.status().as_u16(),
            text: text(body, content_type),
            headers: headers(response.headers()),
            url: request.url().to_owned(),
            is_json: is_json(content_type),
        })
    }

    /// The attributes of `HttpResponse`, and what should be known about them.
    pub fn into_fields(self) -> (Map<String, Value>, Option<String>) {
        let Self { status, text, headers, url, is_json } = self;
        let (parsed, note) = match text.trim_start_matches('\u{feff}') {
            json if !is_json || json.trim().is_empty() => (Value::Null, None),
            json if json.bytes().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > MAX_JSON_VALUES => {
                let note = format!(
                    "the answer of {url} has more than {MAX_JSON_VALUES} values, so `json` is None; parse `text`, or ask \
                     for less of it"
                );
                (Value::Null, Some(note))
            }
            text => match json::read(text) {
                Ok(value) => (value, None),
                Err(ReadError::Syntax(_)) => (Value::Null, None),
                Err(ReadError::Unkept(unkept)) => {
                    let note = format!("`json` of the answer of {url} is None: {unkept}; parse `text`");
                    (Value::Null, Some(note))
                }
            },
        };
        let mut fields = Map::new();
        fields.insert("status".to_owned(), json!(status));
        fields.insert("headers".to_owned(), Value::Object(headers));
        fields.insert("text".to_owned(), Value::String(text));
        fields.insert("json".to_owned(), parsed);
        fields.insert("url".to_owned(), Value::String(url));
        (fields, note)
    }
}

/// Names in lower case; what comes several times is joined with commas, as HTTP has it.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut shown = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        shown.insert(name.to_string(), Value::String(values.join(", ")));
    }
    shown
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

/// UTF-8, which nearly everything is, unless the answer says that it is the other common encoding.
fn text(body: Vec<u8>, content_type: &str) -> String {
    let charset = content_type.to_ascii_lowercase();
    let charset = charset.split_once("charset=").map_or("", |(_, charset)| charset.trim_matches(['"', ' ']));
    if ["iso-8859-1", "latin1", "windows-1252"].iter().any(|latin| charset.starts_with(latin)) {
        return body.into_iter().map(char::from).collect();
    }
    String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str, content_type: &str) -> (Value, Option<String>) {
        let (url, headers) = ("http://a/".to_owned(), Map::new());
        let text = super::text(text.as_bytes().to_vec(), content_type);
        let (mut fields, note) =
            Received { status: 200, text, headers, url, is_json: is_json(content_type) }.into_fields();
        (fields.remove("json").unwrap(), note)
    }

    #[test]
    fn json_is_parsed_where_it_is_said_to_be_json() {
        for kind in ["application/json", "application/problem+json; charset=utf-8", "Text/JSON"] {
            assert_eq!(fields("\u{feff}{\"a\": [1]}", kind).0, json!({"a": [1]}), "{kind}");
        }
        for (text, kind) in [("{}", "text/plain"), ("{", "application/json"), ("", "application/json"), ("{}", "")] {
            assert_eq!(fields(text, kind), (Value::Null, None), "{text} {kind}");
        }
        let (parsed, note) = fields(&format!("[{}{{}}]", "{},".repeat(MAX_JSON_VALUES / 2)), "application/json");
        assert!(parsed.is_null() && note.unwrap().contains("values"));
    }

    #[test]
    fn text_is_read_in_its_encoding() {
        assert_eq!(text(vec![b'g', 0xf6], "text/plain; charset=\"ISO-8859-1\""), "gö");
        assert_eq!(text("gö".into(), "text/plain"), "gö");
        assert_eq!(text(vec![b'g', 0xf6], "text/plain"), "g\u{fffd}");
    }
}
