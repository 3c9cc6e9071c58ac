//! What a call does: a command, a tool of another server, a procedure, or something that only an agent does by hand.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{
    RecordedCall,
    shell::{self, Line},
};

/// One thing that was done.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// A command, word by word.
    Command(Vec<String>),
    /// A tool of another server, as `server/tool`.
    Tool(String, Map<String, Value>),
    /// A procedure of this home.
    Procedure(String, Map<String, Value>),
    /// What nothing automates, in words.
    Manual(String),
}

/// A deed, what it gave, and whether it only looked.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    pub deed: Deed,
    pub result: Option<Value>,
    pub is_looking: bool,
}

/// Names of tools that run command lines.
const SHELL_TOOLS: [&str; 13] = [
    "bash",
    "shell",
    "sh",
    "exec_command",
    "exec",
    "local_shell",
    "local_shell_call",
    "run_shell_command",
    "run_command",
    "run_terminal_cmd",
    "run_terminal_command",
    "execute_command",
    "terminal",
];
/// Tools of agents that only look, or that keep their own notes.
const LOOKING_TOOLS: [&str; 30] = [
    "read",
    "glob",
    "grep",
    "ls",
    "list_dir",
    "list_directory",
    "read_file",
    "view",
    "view_image",
    "cat",
    "search",
    "webfetch",
    "web_fetch",
    "websearch",
    "web_search",
    "toolsearch",
    "todowrite",
    "todoread",
    "update_plan",
    "notebookread",
    "task",
    "agent",
    "bashoutput",
    "write_stdin",
    "codebase_search",
    "file_search",
    "grep_search",
    "exitplanmode",
    "skill",
    "lsp",
];
/// How names of tools begin that only look.
const LOOKING_BEGINNINGS: [&str; 16] = [
    "get", "list", "search", "read", "find", "query", "fetch", "describe", "show", "lookup", "look", "recall", "view",
    "check", "count", "browse",
];
/// Programs that only look, whatever they are given.
const LOOKING_PROGRAMS: [&str; 34] = [
    "ls", "cat", "head", "tail", "less", "more", "pwd", "which", "whoami", "wc", "tree", "stat", "file", "env",
    "printenv", "echo", "date", "grep", "rg", "ag", "fd", "du", "df", "ps", "uname", "hostname", "id", "type", "man",
    "diff", "jq", "sleep", "test", "true",
];
/// Commands of programs that only look.
const LOOKING_COMMANDS: [(&str, &[&str]); 9] = [
    (
        "git",
        &["status", "log", "diff", "show", "blame", "rev-parse", "ls-files", "remote", "describe", "reflog", "grep"],
    ),
    ("cargo", &["metadata", "tree", "search"]),
    ("npm", &["ls", "view", "outdated"]),
    ("pip", &["list", "show", "freeze"]),
    ("docker", &["ps", "images", "logs", "inspect"]),
    ("kubectl", &["get", "describe", "logs", "explain", "top"]),
    ("gh", &["status", "search", "browse"]),
    ("systemctl", &["status", "is-active", "list-units"]),
    ("terraform", &["show", "output", "validate"]),
];
/// The server that this program is to its clients.
const OURS: &str = "repertoire";

/// What a call does; nothing where it failed, or only kept notes.
#[must_use]
pub fn of(call: &RecordedCall) -> Vec<Done> {
    if call.is_error || has_failed(call.result.as_ref()) {
        return Vec::new();
    }
    let result = call.result.clone().map(parsed);
    let last = |name: &str| name.rsplit([':', '.']).next().unwrap_or_default().to_lowercase();
    if let Some(lines) = command_lines(&call.tool, &call.arguments) {
        let count = lines.len();
        let done = lines.into_iter().enumerate().map(|(at, line)| {
            let (deed, is_looking) = match line {
                Line::Command(words) => {
                    let is_looking = only_looks(&words);
                    (Deed::Command(words), is_looking)
                }
                Line::Shell(text) => {
                    let is_looking = shlex::split(text.split(['|', ';', '>']).next().unwrap_or_default())
                        .is_some_and(|words| !text.contains('>') && only_looks(&words));
                    (Deed::Manual(format!("Run this in a shell: {}", text.replace('`', "'"))), is_looking)
                }
            };
            // What several commands gave together is what the last one gave, as far as anybody knows.
            Done { deed, result: result.clone().filter(|_| at + 1 == count), is_looking }
        });
        return done.collect();
    }
    if let Some((server, tool)) = server_and_tool(&call.tool) {
        if server == OURS {
            return ours(&tool, &call.arguments, result);
        }
        let is_looking = looks_by_name(&tool);
        return vec![Done { deed: Deed::Tool(format!("{server}/{tool}"), call.arguments.clone()), result, is_looking }];
    }
    let name = last(&call.tool);
    let is_looking = LOOKING_TOOLS.contains(&name.as_str()) || looks_by_name(&name);
    vec![Done { deed: Deed::Manual(in_words(&call.tool, &call.arguments)), result, is_looking }]
}

/// `mcp__server__tool`, `server__tool` and `server/tool`.
fn server_and_tool(name: &str) -> Option<(String, String)> {
    let name = name.strip_prefix("mcp__").unwrap_or(name);
    let (server, tool) = name.split_once("__").or_else(|| name.split_once('/'))?;
    let is_plain = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    (is_plain(server) && is_plain(tool)).then(|| (server.to_owned(), tool.to_owned()))
}

/// What was done with this program itself: only the procedures that were executed.
fn ours(tool: &str, arguments: &Map<String, Value>, result: Option<Value>) -> Vec<Done> {
    let name = arguments.get("procedure_id").and_then(Value::as_str);
    let Some(name) = name.filter(|_| tool == "execute_procedure") else { return Vec::new() };
    let parameters = arguments.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    vec![Done { deed: Deed::Procedure(name.to_owned(), parameters), result, is_looking: false }]
}

fn command_lines(tool: &str, arguments: &Map<String, Value>) -> Option<Vec<Line>> {
    let name = tool.rsplit([':', '.']).next().unwrap_or_default().to_lowercase();
    if !SHELL_TOOLS.contains(&name.as_str()) {
        return None;
    }
    let given = ["command", "cmd", "script", "input"].iter().find_map(|key| arguments.get(*key))?;
    match given {
        Value::String(text) => Some(shell::lines(text)),
        Value::Array(words) => {
            let words: Option<Vec<String>> = words.iter().map(|word| word.as_str().map(str::to_owned)).collect();
            Some(shell::lines_of_words(&words?))
        }
        _ => None,
    }
}

/// Whether a result says that it failed although nobody marked it so: by an exit code.
fn has_failed(result: Option<&Value>) -> bool {
    match result {
        Some(Value::Object(fields)) => {
            let code = ["exit_code", "exitCode", "returncode", "code"].iter().find_map(|key| fields.get(*key));
            let nested = fields.get("metadata");
            code.and_then(Value::as_i64).is_some_and(|code| code != 0)
                || fields.get("interrupted") == Some(&Value::Bool(true))
                || fields.get("success") == Some(&Value::Bool(false))
                || nested.is_some_and(|nested| has_failed(Some(nested)))
        }
        Some(Value::String(text)) => {
            let code = |after: &str| {
                let rest = text.split_once(after)?.1.trim_start();
                rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<i64>().ok()
            };
            let begins = text.get(..40).unwrap_or(text);
            (begins.starts_with("Exit code") && code("Exit code").is_some_and(|code| code != 0))
                || code("Process exited with code").is_some_and(|code| code != 0)
                || (text.starts_with('{')
                    && serde_json::from_str(text).is_ok_and(|value: Value| has_failed(Some(&value))))
        }
        _ => false,
    }
}

/// A result as the value that it is: text that is JSON, and what clients wrap around the output of a command.
fn parsed(result: Value) -> Value {
    match result {
        Value::String(text) => {
            let text = text.split_once("\nOutput:\n").map_or(text.as_str(), |(_, output)| output);
            let is_json = text.trim_start().starts_with(['{', '[']);
            let value = is_json.then(|| serde_json::from_str(text).ok()).flatten();
            value.map_or_else(|| Value::String(text.to_owned()), parsed)
        }
        Value::Object(fields) => match ["stdout", "output"].iter().find_map(|key| fields.get(*key)) {
            Some(Value::String(output)) => Value::String(output.clone()),
            _ => Value::Object(fields),
        },
        Value::Array(items) => {
            // Blocks of content, as MCP has them.
            let texts: Option<Vec<&str>> = items.iter().map(|item| item.get("text").and_then(Value::as_str)).collect();
            match texts.as_deref() {
                Some([text]) => parsed(Value::String((*text).to_owned())),
                Some(texts) if !texts.is_empty() => Value::String(texts.join("\n")),
                _ => Value::Array(items),
            }
        }
        other => other,
    }
}

fn only_looks(words: &[String]) -> bool {
    let program = words.first().map_or("", |program| program.rsplit('/').next().unwrap_or_default());
    let command = words.iter().skip(1).find(|word| !word.starts_with('-')).map_or("", String::as_str);
    if words.iter().skip(1).any(|word| matches!(word.as_str(), "--version" | "--help" | "-h")) {
        return true;
    }
    if program == "find" {
        return !words.iter().any(|word| matches!(word.as_str(), "-delete" | "-exec" | "-execdir"));
    }
    if program == "sed" {
        return words.iter().any(|word| word == "-n") && !words.iter().any(|word| word.starts_with("-i"));
    }
    LOOKING_PROGRAMS.contains(&program)
        || LOOKING_COMMANDS.iter().any(|(name, commands)| *name == program && commands.contains(&command))
}

fn looks_by_name(tool: &str) -> bool {
    let first = tool.split(['_', '-', '.']).next().unwrap_or_default();
    LOOKING_BEGINNINGS.contains(&first)
}

/// A call in words, for a step by hand. Without back-ticks: what stands in them would be run.
fn in_words(tool: &str, arguments: &Map<String, Value>) -> String {
    let path = ["file_path", "path", "notebook_path", "url"]
        .iter()
        .find_map(|key| arguments.get(*key))
        .and_then(Value::as_str);
    let verb = match tool.to_lowercase().as_str() {
        "edit" | "multiedit" | "notebookedit" | "apply_patch" | "str_replace_editor" => "Edit",
        "write" | "create_file" | "write_file" => "Write",
        _ => "",
    };
    let mut text = match (verb, path) {
        ("", path) => format!("Use {tool}{}", path.map(|path| format!(" on \"{path}\"")).unwrap_or_default()),
        (verb, Some(path)) => format!("{verb} the file \"{path}\""),
        (verb, None) => format!("{verb} the files"),
    };
    for key in ["old_string", "new_string", "content", "input", "patch", "query", "prompt"] {
        if let Some(value) = arguments.get(key).and_then(Value::as_str).filter(|value| !value.trim().is_empty()) {
            let shown: String = value.chars().take(600).collect();
            let _ = write!(text, "\n{}: {shown}", key.replace('_', " "));
        }
    }
    text.replace('`', "'")
}

impl Deed {
    /// What kind of thing it is, without its values: deeds of two recordings that are alike have the same.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Command(words) => {
                let command = words.get(1).filter(|word| is_subcommand(word)).map_or("", String::as_str);
                format!("command {} {command} {}", words.first().map_or("", String::as_str), words.len())
            }
            Self::Tool(path, arguments) => {
                format!("tool {path} {}", arguments.keys().map(String::as_str).collect::<Vec<_>>().join(","))
            }
            Self::Procedure(name, _) => format!("procedure {name}"),
            Self::Manual(text) => format!("manual {}", text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")),
        }
    }
}

/// `status` of `git status`.
#[must_use]
pub fn is_subcommand(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        && word.len() < 20
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(tool: &str, arguments: Value, result: Value) -> RecordedCall {
        let Value::Object(arguments) = arguments else { panic!("arguments have names") };
        RecordedCall { tool: tool.to_owned(), arguments, result: Some(result), is_error: false }
    }

    #[test]
    fn calls_of_every_client_are_understood() {
        let git = || vec!["git".to_owned(), "push".to_owned()];
        for one in [
            call("Bash", json!({"command": "git push", "description": "Push"}), json!("ok")),
            call(
                "shell",
                json!({"command": ["bash", "-lc", "git push"]}),
                json!("{\"output\":\"ok\",\"metadata\":{\"exit_code\":0}}"),
            ),
            call("exec_command", json!({"cmd": "git push"}), json!("Process exited with code 0\nOutput:\nok")),
            call("functions.exec_command", json!({"cmd": "git push"}), json!({"stdout": "ok", "exit_code": 0})),
        ] {
            let done = of(&one);
            assert_eq!((&done[0].deed, &done[0].result), (&Deed::Command(git()), &Some(json!("ok"))), "{one:?}");
        }
        for name in ["mcp__github__create_issue", "github/create_issue"] {
            let done = of(&call(name, json!({"title": "x"}), json!([{"type": "text", "text": "{\"number\": 7}"}])));
            assert!(matches!(&done[0].deed, Deed::Tool(path, _) if path == "github/create_issue"), "{done:?}");
            assert_eq!((done[0].result.clone(), done[0].is_looking), (Some(json!({"number": 7})), false));
        }
    }

    #[test]
    fn failures_are_no_deeds() {
        for result in [json!("Exit code 1\nno"), json!({"exit_code": 2}), json!("{\"metadata\":{\"exit_code\":1}}")] {
            assert!(of(&call("Bash", json!({"command": "make"}), result)).is_empty());
        }
        assert!(of(&RecordedCall { is_error: true, ..call("Bash", json!({"command": "make"}), json!("")) }).is_empty());
    }

    #[test]
    fn looking_around_is_told_from_doing() {
        let looks =
            |line: &str| of(&call("Bash", json!({"command": line}), json!(""))).iter().all(|done| done.is_looking);
        for line in ["ls -la", "git status", "cat a | head", "find . -name x", "cargo --version", "kubectl get pods"] {
            assert!(looks(line), "{line}");
        }
        for line in ["make", "git commit -m x", "find . -delete", "cat a > b", "kubectl apply -f x", "sed -i s/a/b/ f"]
        {
            assert!(!looks(line), "{line}");
        }
    }
}
