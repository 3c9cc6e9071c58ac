//! What the hooks of each client say and how they are answered, as their documentation has it.
//!
//! | client | read | told |
//! |---|---|---|
//! | Claude Code | `UserPromptSubmit`, `PostToolUse`, `PostToolUseFailure`, `SessionEnd` | context for the prompt |
//! | Codex | the same, but a session has no end: each turn has one, `Stop` | context for the prompt |
//! | Gemini CLI | `BeforeAgent`, `AfterTool`, `SessionEnd` | context for the prompt |
//! | Cursor | `beforeSubmitPrompt`, `afterShellExecution`, `afterMCPExecution`, `stop`, `sessionEnd` | nothing: its prompts take no context |

use serde_json::{Map, Value, json};

use crate::domain::recording::RecordedCall;

/// Clients that have hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Client {
    ClaudeCode,
    Codex,
    GeminiCli,
    Cursor,
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    Prompt(String),
    Call(RecordedCall),
    End,
}

/// What a hook was told.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub session: String,
    pub happening: Happening,
    /// As the client calls it.
    name: String,
}

impl Client {
    /// What an input of a hook says; `None` where it is nothing that is listened to.
    pub fn read(self, input: &Value) -> Option<Event> {
        let text = |field: &str| input.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = text("hook_event_name");
        let happening = match (self, name.as_str()) {
            (Self::ClaudeCode | Self::Codex, "UserPromptSubmit")
            | (Self::GeminiCli, "BeforeAgent")
            | (Self::Cursor, "beforeSubmitPrompt") => Happening::Prompt(text("prompt")),
            (Self::ClaudeCode | Self::Codex, "PostToolUse" | "PostToolUseFailure") | (Self::GeminiCli, "AfterTool") => {
                Happening::Call(called(input))
            }
            (Self::Cursor, "afterShellExecution") => Happening::Call(shell_of_cursor(input)),
            (Self::Cursor, "afterMCPExecution") => Happening::Call(tool_of_cursor(input)),
            (Self::ClaudeCode | Self::GeminiCli, "SessionEnd")
            | (Self::Codex, "Stop")
            | (Self::Cursor, "stop" | "sessionEnd") => Happening::End,
            _ => return None,
        };
        let session = if self == Self::Cursor { text("conversation_id") } else { text("session_id") };
        Some(Event { session, happening, name })
    }

    /// Whether what is known for a prompt can be told.
    pub fn takes_context(self) -> bool {
        self != Self::Cursor
    }
}

impl Event {
    /// Tells what is known for this prompt.
    pub fn answer(&self, context: &str) -> Value {
        json!({"hookSpecificOutput": {"hookEventName": self.name, "additionalContext": context}})
    }
}

/// `tool_name`, `tool_input`, `tool_response`, and what says that it failed: the event, a field of the response, or that of Gemini.
fn called(input: &Value) -> RecordedCall {
    let response = input.get("tool_response").filter(|response| !response.is_null());
    let has = |field: &str| response.and_then(|response| response.get(field)).filter(|value| !value.is_null());
    let is_error = input.get("hook_event_name").is_some_and(|name| name == "PostToolUseFailure")
        || has("is_error") == Some(&Value::Bool(true))
        || (has("llmContent").is_some() && has("error").is_some());
    RecordedCall {
        tool: input.get("tool_name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        arguments: input.get("tool_input").and_then(Value::as_object).cloned().unwrap_or_default(),
        result: has("llmContent").or(response).cloned(),
        is_error,
    }
}

fn shell_of_cursor(input: &Value) -> RecordedCall {
    let command = input.get("command").cloned().unwrap_or_default();
    let arguments = Map::from_iter([("command".to_owned(), command)]);
    RecordedCall { tool: "shell".to_owned(), arguments, result: input.get("output").cloned(), is_error: false }
}

/// Arguments and result come as text that is JSON; the server of a tool as part of its name, as in `MCP:server:tool`.
fn tool_of_cursor(input: &Value) -> RecordedCall {
    let parsed = |field: &str| match input.get(field)? {
        Value::String(text) => serde_json::from_str(text).ok().or_else(|| Some(Value::String(text.clone()))),
        other => Some(other.clone()),
    };
    let name = input.get("tool_name").and_then(Value::as_str).unwrap_or_default();
    let parts: Vec<&str> = name.split(':').collect();
    let tool = match parts.as_slice() {
        ["MCP", server, tool] => format!("mcp__{}__{}", server.trim(), tool.trim()),
        _ => name.to_owned(),
    };
    let result = parsed("result_json").filter(|result| !result.is_null());
    let is_error = result.as_ref().and_then(|result| result.get("isError")) == Some(&Value::Bool(true));
    let arguments = parsed("tool_input").as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    RecordedCall { tool, arguments, result, is_error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(client: Client, input: &Value) -> RecordedCall {
        match client.read(input).map(|event| event.happening) {
            Some(Happening::Call(call)) => call,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn inputs_are_read_as_clients_document_them() {
        let claude = json!({
            "session_id": "abc123", "transcript_path": "/t.jsonl", "cwd": "/w", "permission_mode": "default",
            "hook_event_name": "PostToolUseFailure", "tool_name": "Bash", "tool_input": {"command": "npm test"},
            "tool_use_id": "toolu_01", "error": "Command exited with non-zero status code 1", "is_interrupt": false,
        });
        assert!(call(Client::ClaudeCode, &claude).is_error);
        let codex = json!({
            "session_id": "s", "turn_id": "t", "transcript_path": null, "cwd": "/w", "hook_event_name": "PostToolUse",
            "model": "m", "permission_mode": "default", "tool_name": "Bash", "tool_input": {"command": "printf three"},
            "tool_response": "three", "tool_use_id": "call-1",
        });
        let read = call(Client::Codex, &codex);
        assert_eq!((read.arguments["command"].as_str(), read.result), (Some("printf three"), Some(json!("three"))));
        let mut gemini = json!({
            "session_id": "s", "transcript_path": "/t.json", "cwd": "/w", "hook_event_name": "AfterTool",
            "timestamp": "2026-01-01T00:00:00Z", "tool_name": "run_shell_command", "tool_input": {"command": "ls"},
            "tool_response": {"llmContent": "a b", "returnDisplay": "a b"},
        });
        let read = call(Client::GeminiCli, &gemini);
        assert_eq!((read.is_error, read.result), (false, Some(json!("a b"))));
        gemini["tool_response"]["error"] = json!({"message": "no"});
        assert!(call(Client::GeminiCli, &gemini).is_error);
        let cursor = json!({
            "conversation_id": "c", "generation_id": "g", "hook_event_name": "afterMCPExecution", "workspace_roots": [],
            "tool_name": "MCP:tickets:close", "tool_input": "{\"id\": 7}", "result_json": "{\"isError\": false}",
            "duration": 12,
        });
        let read = call(Client::Cursor, &cursor);
        assert_eq!(
            (read.tool.as_str(), &read.arguments["id"], read.is_error),
            ("mcp__tickets__close", &json!(7), false)
        );
        let cursor = json!({
            "conversation_id": "c", "hook_event_name": "afterShellExecution", "command": "make", "output": "done",
            "duration": 9, "cwd": "/w",
        });
        assert_eq!(call(Client::Cursor, &cursor).result, Some(json!("done")));
    }

    #[test]
    fn sessions_end_where_their_client_says_so() {
        let said = |client: Client, name: &str| {
            let input = json!({"hook_event_name": name, "session_id": "s", "conversation_id": "c", "prompt": "p"});
            client.read(&input).map(|event| (event.session, event.happening))
        };
        let end = |session: &str| Some((session.to_owned(), Happening::End));
        assert_eq!(said(Client::Codex, "Stop"), end("s"));
        assert_eq!(said(Client::ClaudeCode, "Stop"), None);
        assert_eq!(said(Client::ClaudeCode, "SessionEnd"), end("s"));
        assert_eq!(said(Client::GeminiCli, "SessionEnd"), end("s"));
        assert_eq!(said(Client::Cursor, "stop"), end("c"));
        let prompt = |session: &str| Some((session.to_owned(), Happening::Prompt("p".to_owned())));
        assert_eq!(said(Client::GeminiCli, "BeforeAgent"), prompt("s"));
        assert_eq!(said(Client::Cursor, "beforeSubmitPrompt"), prompt("c"));
        assert_eq!(said(Client::GeminiCli, "UserPromptSubmit"), None);
        assert_eq!(Client::Cursor.read(&json!([1])), None);
    }
}
