//! From a line of the client to a message, or to what is answered instead.
//!
//! Whoever sends a request waits for an answer with its id, so a line that can't be read is refused with the id that is in it.
//! What is only written oddly is understood: texts with half a character in them, an empty list or text where an object without
//! entries is meant.

use rmcp::{
    RoleServer,
    model::{
        CallToolRequest, CallToolRequestMethod, CallToolRequestParams, ClientRequest, ErrorData, JsonRpcVersion2_0,
        RequestId,
    },
    service::RxJsonRpcMessage,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    envelope::{self, Envelope, Id, Seen},
    large_argument::{self, LargeArgument},
    repair,
};
use crate::domain::json;

/// As deep as `serde_json` reads, and as is safe for everything that walks through values.
const MAX_DEPTH: usize = 127;
/// The levels of a message around the arguments of a tool.
const LEVELS_AROUND_ARGUMENTS: usize = 3;
/// Longest name that is repeated in an error.
const MAX_SHOWN_CHARS: usize = 100;

/// The methods whose requests have parameters, and which. What does not have them arrives as a request that nobody knows.
const PARAMETERS: [(&str, &str); 14] = [
    ("tools/call", "`name` (a text) and, if any, `arguments` (an object)"),
    ("prompts/get", "`name` (a text) and, if any, `arguments` (an object)"),
    ("resources/read", "`uri` (a text)"),
    (
        "initialize",
        "`protocolVersion` (a text), `capabilities` (an object) and `clientInfo` (`name` and `version`, texts)",
    ),
    ("tools/list", "at most `cursor` (a text)"),
    ("prompts/list", "at most `cursor` (a text)"),
    ("resources/list", "at most `cursor` (a text)"),
    ("resources/templates/list", "at most `cursor` (a text)"),
    ("ping", "nothing"),
    ("server/discover", "nothing"),
    ("completion/complete", "`ref` and `argument` (objects)"),
    ("logging/setLevel", "`level` (a text)"),
    ("resources/subscribe", "`uri` (a text)"),
    ("resources/unsubscribe", "`uri` (a text)"),
];

/// What a line comes to.
#[derive(Debug)]
pub enum Line {
    /// A message.
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// Nothing that anybody waits for.
    Nothing,
    /// Errors for those that wait.
    Refused(Vec<Refusal>),
}

/// An error that answers a request which was not read.
#[derive(Debug)]
pub struct Refusal {
    error: ErrorData,
    id: Id,
}

impl Refusal {
    /// The message, with the id as it stood in the request.
    ///
    /// # Errors
    /// When the error can't be JSON.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let error = serde_json::to_string(&self.error)?;
        let id = match &self.id {
            Id::Is(json) => format!("\"id\":{json},"),
            Id::Null => "\"id\":null,".to_owned(),
            Id::Absent | Id::Unusable => String::new(),
        };
        Ok(format!("{{\"jsonrpc\":\"2.0\",{id}\"error\":{error}}}").into_bytes())
    }
}

/// Reads a line.
pub fn read(line: &[u8], large_arguments: &[LargeArgument]) -> Line {
    if line.is_empty() {
        return Line::Nothing;
    }
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if let Err(unkept) = json::check_names(line) {
        let error = ErrorData::invalid_request(format!("the message was not read: {unkept}"), None);
        return refused(envelope::scan(line), &error);
    }
    if let Some((params, id)) = large_argument::read(line, large_arguments, read_call).or_else(|| read_call(line)) {
        return Line::Message(Box::new(call_of(params, id)));
    }
    let seen = envelope::scan(line);
    match message_in(line, &seen) {
        Ok(message) => Line::Message(Box::new(message)),
        Err(error) => refused(seen, &error),
    }
}

/// What answers a line of which only this was seen.
pub fn refused(seen: Seen, error: &ErrorData) -> Line {
    if seen.messages.is_empty() {
        return Line::Refused(vec![Refusal { error: error.clone(), id: Id::Absent }]);
    }
    if let [message] = &seen.messages[..]
        && message.is_answer()
    {
        // What the server asked has come to nothing; whoever waits for it must know.
        return match &message.id {
            Id::Is(json) => serde_json::from_str(json).map_or(Line::Nothing, |id| {
                Line::Message(Box::new(RxJsonRpcMessage::<RoleServer>::error(error.clone(), Some(id))))
            }),
            _ => Line::Nothing,
        };
    }
    let waiting = |message: &Envelope| !message.is_notification() && !message.is_answer();
    let refusals: Vec<Refusal> = seen
        .messages
        .into_iter()
        .filter(waiting)
        .map(|message| Refusal { error: error.clone(), id: message.id })
        .collect();
    if refusals.is_empty() {
        tracing::debug!(error = %error.message, "a notification that can't be read was ignored");
        return Line::Nothing;
    }
    Line::Refused(refusals)
}

/// A call of a tool, which is what nearly every line is. rmcp takes a message apart twice to find out what it is: with
/// the state of a workflow in it that is most of the time that saving it takes. What does not look exactly like this goes
/// the general way.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolCall {
    #[serde(rename = "jsonrpc")]
    _version: JsonRpcVersion2_0,
    id: RequestId,
    #[serde(rename = "method")]
    _method: CallToolRequestMethod,
    params: CallToolRequestParams,
}

fn read_call(line: &[u8]) -> Option<(CallToolRequestParams, RequestId)> {
    let ToolCall { id, params, .. } = serde_json::from_slice(line).ok()?;
    Some((params, id))
}

fn call_of(mut params: CallToolRequestParams, id: RequestId) -> RxJsonRpcMessage<RoleServer> {
    // Where rmcp looks for it.
    let meta = params.meta.take();
    let mut request = CallToolRequest::new(params);
    if let Some(meta) = meta {
        request.extensions.insert(meta);
    }
    RxJsonRpcMessage::<RoleServer>::request(ClientRequest::CallToolRequest(request), id)
}

fn message_in(line: &[u8], seen: &Seen) -> Result<RxJsonRpcMessage<RoleServer>, ErrorData> {
    if seen.is_batch {
        return Err(ErrorData::invalid_request("batches are not taken; send each message in a line of its own", None));
    }
    if seen.messages.len() > 1 {
        return Err(ErrorData::invalid_request(
            "there are several messages in a line; end each with a line break",
            None,
        ));
    }
    if seen.deepest > MAX_DEPTH {
        return Err(too_deep(seen.deepest));
    }
    let value = serde_json::from_str(&repair::repaired(line))
        .map_err(|error| ErrorData::parse_error(format!("the line is no JSON: {error}"), None))?;
    let (Value::Object(mut fields), Some(envelope)) = (value, seen.messages.first()) else {
        return Err(ErrorData::invalid_request("the line is no JSON-RPC message, which is an object", None));
    };
    check_id(&fields, envelope)?;
    let method = fields.get("method").and_then(Value::as_str).map(str::to_owned);
    if let Some(method) = &method {
        understand(method, &mut fields)?;
    }
    if let Some(why) = why_no_message(&fields) {
        return Err(ErrorData::invalid_request(why, None));
    }
    let message: RxJsonRpcMessage<RoleServer> = serde_json::from_value(Value::Object(fields))
        .map_err(|error| ErrorData::invalid_request(format!("the message can't be understood: {error}"), None))?;
    match (&message, method.as_deref().and_then(parameters_of)) {
        (RxJsonRpcMessage::<RoleServer>::Request(request), Some((method, parameters)))
            if matches!(request.request, ClientRequest::CustomRequest(_)) =>
        {
            Err(ErrorData::invalid_params(format!("`params` of `{method}` must have {parameters}"), None))
        }
        _ => Ok(message),
    }
}

fn too_deep(deepest: usize) -> ErrorData {
    let most = MAX_DEPTH - LEVELS_AROUND_ARGUMENTS;
    let message = format!(
        "the message is nested {deepest} deep and {MAX_DEPTH} is the most that is read, so what is in `arguments` may be \
         nested {most} deep; flatten it, or pass it as JSON text"
    );
    ErrorData::parse_error(message, None)
}

/// Whether an answer can have the id that the request has. A notification has none, and may do without.
fn check_id(fields: &Map<String, Value>, envelope: &Envelope) -> Result<(), ErrorData> {
    let refuse = |why: String| Err(ErrorData::invalid_request(why, None));
    if envelope.has_two_ids {
        return refuse("the message has two `id`s that differ".to_owned());
    }
    if envelope.method.is_none() {
        return Ok(());
    }
    match &envelope.id {
        Id::Absent => Ok(()),
        Id::Is(json) => {
            let is_kept = fields.get("id").is_some_and(|id| RequestId::deserialize(id).is_ok())
                && serde_json::from_str::<Value>(json).ok().as_ref() == fields.get("id");
            if is_kept {
                Ok(())
            } else {
                refuse(format!("the id must be a text or a whole number of 64 bits, got {}", shown(json)))
            }
        }
        Id::Null | Id::Unusable => refuse("the id must be a text or a whole number".to_owned()),
    }
}

/// Takes what means no parameters, or an object of them, as that.
fn understand(method: &str, fields: &mut Map<String, Value>) -> Result<(), ErrorData> {
    let refuse =
        |what: &str| Err(ErrorData::invalid_params(format!("{what} of `{}` must be an object", shown(method)), None));
    if fields.get("params").is_some_and(is_nothing) {
        fields.remove("params");
    }
    let Some(params) = fields.get_mut("params") else { return Ok(()) };
    let Value::Object(params) = params else { return refuse("`params`") };
    if params.get("_meta").is_some_and(is_nothing) {
        params.remove("_meta");
    }
    if params.get("_meta").is_some_and(|meta| !meta.is_object()) {
        return refuse("`_meta` in `params`");
    }
    if matches!(method, "tools/call" | "prompts/get") {
        if params.get("arguments").is_some_and(is_nothing) {
            params.remove("arguments");
        }
        let unpacked = match params.get("arguments") {
            Some(Value::String(text)) => serde_json::from_str::<Map<String, Value>>(text).ok().map(Value::Object),
            _ => None,
        };
        if let Some(arguments) = unpacked {
            params.insert("arguments".to_owned(), arguments);
        }
        if params.get("arguments").is_some_and(|arguments| !arguments.is_object()) {
            return refuse("`arguments` in `params`");
        }
    }
    if method == "initialize" && params.get("capabilities").is_none_or(is_nothing) {
        params.insert("capabilities".to_owned(), Value::Object(Map::new()));
    }
    Ok(())
}

/// Languages that have one kind of array write an empty object as an empty list.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn why_no_message(fields: &Map<String, Value>) -> Option<&'static str> {
    let has_result = ["result", "error"].iter().any(|key| fields.contains_key(*key));
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Some("`jsonrpc` must be \"2.0\"");
    }
    match fields.get("method") {
        Some(Value::String(_)) if has_result => Some("a message has a `method` or a `result`, not both"),
        Some(Value::String(_)) => None,
        Some(_) => Some("`method` must be a text"),
        None if has_result => None,
        None => Some("the message has no `method`"),
    }
}

fn parameters_of(method: &str) -> Option<(&'static str, &'static str)> {
    PARAMETERS.into_iter().find(|(known, _)| *known == method)
}

fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
