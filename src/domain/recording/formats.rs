//! Session files of clients: Claude Code and Codex, a JSON object a line, and lists of messages as `OpenAI`'s interface has them.
//!
//! What is not known in a line is left out. Each thing that the user asked for begins a recording of its own.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{RecordedCall, Recording};

/// Longer results are cut: values are looked for in them, nothing else.
const MAX_RESULT_CHARS: usize = 20_000;
/// Answers and notes that clients write in the user's name.
const NOT_SAID: [&str; 9] = [
    "<command-",
    "<local-command",
    "<system-reminder",
    "<environment_context",
    "<user_instructions",
    "<permissions",
    "Caveat:",
    "# AGENTS.md",
    "<turn_aborted",
];

/// The recordings of a session file, one for each thing that was asked for; `None` where it is no such file.
#[must_use]
pub fn read(text: &str) -> Option<Vec<Recording>> {
    let mut session = Session::default();
    if let Ok(whole) = serde_json::from_str::<Value>(text) {
        let messages = whole.get("messages").unwrap_or(&whole);
        messages.as_array()?.iter().for_each(|message| session.message(message));
    } else {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            // The last line of a session that is still open may be half a line.
            if let Ok(line) = serde_json::from_str::<Value>(line) {
                session.line(&line);
            }
        }
    }
    session.is_known.then(|| session.end())
}

/// A session while it is read.
#[derive(Debug, Default)]
struct Session {
    is_known: bool,
    recordings: Vec<Recording>,
    /// Where the call with each id is: its recording and its place there.
    calls: HashMap<String, (usize, usize)>,
}

impl Session {
    fn end(self) -> Vec<Recording> {
        self.recordings.into_iter().filter(|recording| !recording.calls.is_empty()).collect()
    }

    fn line(&mut self, line: &Value) {
        let flag = |name: &str| line.get(name) == Some(&Value::Bool(true));
        if flag("isMeta") || flag("isSidechain") {
            self.is_known = true;
            return;
        }
        match (line.get("payload"), line.get("message")) {
            // Codex.
            (Some(payload), _) if line.get("type").is_some() => {
                self.is_known = true;
                if line.get("type").and_then(Value::as_str) == Some("response_item") {
                    self.item(payload);
                }
            }
            // Claude Code.
            (_, Some(message)) if line.get("type").is_some() => {
                self.is_known = true;
                self.message(message);
            }
            _ => self.message(line),
        }
    }

    /// A message with what it has: texts, calls and results.
    fn message(&mut self, message: &Value) {
        let Some(role) = message.get("role").and_then(Value::as_str) else {
            self.item(message);
            return;
        };
        self.is_known = true;
        let content = message.get("content").unwrap_or(&Value::Null);
        match role {
            "user" => {
                let blocks = content.as_array().cloned().unwrap_or_default();
                let results = blocks.iter().filter(|block| kind(block) == "tool_result");
                let mut has_results = false;
                for block in results {
                    has_results = true;
                    let is_error = block.get("is_error") == Some(&Value::Bool(true));
                    self.result(block.get("tool_use_id"), block.get("content"), is_error);
                }
                let said = text_of(content);
                if !has_results && !said.trim().is_empty() {
                    self.asked(&said);
                }
            }
            "assistant" => {
                for block in content.as_array().into_iter().flatten().filter(|block| kind(block) == "tool_use") {
                    self.call(block.get("id"), block.get("name"), block.get("input"));
                }
                for call in message.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                    let function = call.get("function").unwrap_or(call);
                    self.call(call.get("id"), function.get("name"), function.get("arguments"));
                }
            }
            "tool" => {
                let is_error = message.get("is_error") == Some(&Value::Bool(true));
                self.result(message.get("tool_call_id"), Some(content), is_error);
            }
            _ => {}
        }
    }

    /// An item of Codex, which is one of `OpenAI`'s Responses interface.
    fn item(&mut self, item: &Value) {
        let id = item.get("call_id").or_else(|| item.get("id"));
        match kind(item) {
            "message" => self.message(item),
            "function_call" | "custom_tool_call" => {
                self.is_known = true;
                let space = item.get("namespace").and_then(Value::as_str).filter(|space| space.starts_with("mcp__"));
                let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
                let name =
                    space.map_or_else(|| name.to_owned(), |space| format!("{}__{name}", space.trim_end_matches('_')));
                self.call(id, Some(&Value::String(name)), item.get("arguments").or_else(|| item.get("input")));
            }
            "local_shell_call" => {
                self.is_known = true;
                self.call(id, Some(&"local_shell".into()), item.get("action"));
            }
            "function_call_output" | "custom_tool_call_output" => {
                self.is_known = true;
                let output = item.get("output");
                let is_error = output.and_then(|output| output.get("success")) == Some(&Value::Bool(false));
                self.result(id, output.map(|output| output.get("content").unwrap_or(output)), is_error);
            }
            _ => {}
        }
    }

    fn asked(&mut self, said: &str) {
        if NOT_SAID.iter().any(|beginning| said.trim_start().starts_with(beginning)) {
            return;
        }
        self.recordings.push(Recording { prompt: said.to_owned(), calls: Vec::new() });
    }

    fn call(&mut self, id: Option<&Value>, name: Option<&Value>, arguments: Option<&Value>) {
        let Some(tool) = name.and_then(Value::as_str) else { return };
        if self.recordings.is_empty() {
            self.recordings.push(Recording::default());
        }
        let at = self.recordings.len() - 1;
        let call = RecordedCall { tool: tool.to_owned(), arguments: fields(arguments), result: None, is_error: false };
        self.recordings[at].calls.push(call);
        if let Some(id) = id.and_then(Value::as_str) {
            self.calls.insert(id.to_owned(), (at, self.recordings[at].calls.len() - 1));
        }
    }

    fn result(&mut self, id: Option<&Value>, result: Option<&Value>, is_error: bool) {
        let Some((at, place)) = id.and_then(Value::as_str).and_then(|id| self.calls.get(id)).copied() else { return };
        let call = &mut self.recordings[at].calls[place];
        call.result = result.map(|result| match result {
            Value::Array(_) => cut(text_of(result)),
            Value::String(text) => cut(text.clone()),
            other => other.clone(),
        });
        call.is_error = is_error;
    }
}

fn kind(block: &Value) -> &str {
    block.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// Arguments, which some clients write as JSON in a text.
fn fields(arguments: Option<&Value>) -> Map<String, Value> {
    match arguments {
        Some(Value::Object(fields)) => fields.clone(),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => fields,
            _ => [("input".to_owned(), Value::String(text.clone()))].into_iter().collect(),
        },
        _ => Map::new(),
    }
}

/// The text of a content, which may be a list of blocks.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            let texts: Vec<&str> =
                blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str)).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

fn cut(text: String) -> Value {
    if text.chars().nth(MAX_RESULT_CHARS).is_none() {
        return text.into();
    }
    text.chars().take(MAX_RESULT_CHARS).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(lines: &[Value]) -> Vec<Recording> {
        read(&lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap()
    }

    #[test]
    fn sessions_of_claude_code_are_read() {
        let recordings = lines(&[
            json!({"type": "summary", "summary": "x", "leafUuid": "y"}),
            json!({"type": "user", "isMeta": true, "message": {"role": "user", "content": "Caveat: …"}}),
            json!({"type": "user", "message": {"role": "user", "content": "<command-name>/clear</command-name>"}}),
            json!({"type": "user", "sessionId": "s", "message": {"role": "user", "content": "Push it"}}),
            json!({"type": "assistant", "message": {"role": "assistant", "content": [
                {"type": "text", "text": "I will."}, {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "git push"}}]}}),
            json!({"type": "user", "message": {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "done"}], "is_error": true}]}}),
            json!({"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": "Thanks"}]}}),
        ]);
        assert_eq!(recordings.len(), 1);
        let Recording { prompt, calls } = &recordings[0];
        assert_eq!((prompt.as_str(), calls[0].tool.as_str(), calls[0].is_error), ("Push it", "Bash", true));
        assert_eq!(calls[0].result, Some(json!("done")));
    }

    #[test]
    fn rollouts_of_codex_are_read() {
        let recordings = lines(&[
            json!({"timestamp": "t", "type": "session_meta", "payload": {"id": "x"}}),
            json!({"type": "response_item", "payload": {"type": "message", "role": "user",
                   "content": [{"type": "input_text", "text": "<environment_context>…"}]}}),
            json!({"type": "response_item", "payload": {"type": "message", "role": "user",
                   "content": [{"type": "input_text", "text": "Make it"}]}}),
            json!({"type": "response_item", "payload": {"type": "function_call", "name": "shell", "call_id": "c1",
                   "arguments": "{\"command\":[\"bash\",\"-lc\",\"make\"]}"}}),
            json!({"type": "response_item", "payload": {"type": "function_call_output", "call_id": "c1",
                   "output": "{\"output\":\"ok\",\"metadata\":{\"exit_code\":0}}"}}),
            json!({"type": "event_msg", "payload": {"type": "token_count"}}),
        ]);
        assert_eq!((recordings.len(), recordings[0].prompt.as_str()), (1, "Make it"));
        assert_eq!(recordings[0].calls[0].arguments["command"][2], json!("make"));
        assert!(recordings[0].calls[0].result.as_ref().unwrap().as_str().unwrap().contains("exit_code"));
    }

    #[test]
    fn lists_of_messages_are_read() {
        let messages = json!({"messages": [
            {"role": "system", "content": "Be nice."}, {"role": "user", "content": "Open an issue"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
             "function": {"name": "github__create_issue", "arguments": "{\"title\": \"x\"}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "{\"number\": 7}"},
        ]});
        let recordings = read(&serde_json::to_string_pretty(&messages).unwrap()).unwrap();
        assert_eq!(recordings[0].calls[0].arguments["title"], json!("x"));
        assert_eq!(recordings[0].calls[0].result, Some(json!("{\"number\": 7}")));
        for other in ["", "{}", "[1, 2]", "nothing", "{\"a\": 1}\n{\"b\": 2}"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
