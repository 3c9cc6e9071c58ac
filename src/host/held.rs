//! Calls that wait for a person because a rule of the user says so, and what that person reads.

use serde_json::{Map, Value};

use super::{
    action::GateRequest,
    call_tool,
    context::parse,
    function::{Fallible, GrantKind, HostFunction, Perform, as_given, as_said},
    grants::Grants,
    http_request,
};
use crate::{
    domain::{GateKind, Host, Nature, Rule, rule, visible_line},
    runtime::{PythonError, WRITE},
};

/// The most of one argument that is shown.
const SHOWN_CHARS: usize = 4000;
/// The most of the line that says what is done.
const LINE_CHARS: usize = 200;

/// Changing a file or folder about which the user wants to be asked. The interpreter does it itself, once it may.
pub const WRITE_FILE: HostFunction = HostFunction {
    name: WRITE,
    nature: |_, _| Nature::Gate,
    grant: None,
    fallible: Fallible::Yes,
    shown: as_given,
    said: as_said,
    perform: Perform::Gate(GateKind::Approval, read_write),
};

/// What a call is about, as rules name it.
pub(super) enum Target {
    Command(Vec<String>),
    Host { host: Host, port: u16, request: String },
    Tool { server: String, tool: String },
}

impl Target {
    /// `None` for what is no such call, and will say so itself when it is made.
    pub(super) fn of(kind: GrantKind, arguments: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        match kind {
            GrantKind::Command => {
                let words = arguments.get("command")?.as_array()?;
                words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>().map(Self::Command)
            }
            GrantKind::Host => {
                let (host, port) = http_request::target_of(text("url")?)?;
                let request = format!("{} {}", text("method").unwrap_or("GET"), text("url")?);
                Some(Self::Host { host, port, request })
            }
            GrantKind::Tool => {
                let (server, tool) = call_tool::named(text("tool")?)?;
                Some(Self::Tool { server: server.to_owned(), tool: tool.to_owned() })
            }
            GrantKind::Model => None,
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Command(words) => words.join(" "),
            Self::Host { request, .. } => request.clone(),
            Self::Tool { server, tool } => format!("{server}/{tool}"),
        }
    }
}

/// The rule by which a person decides on a call, where it would be made at all: about what is refused nobody is asked.
pub fn asked<'g>(kind: GrantKind, arguments: &Map<String, Value>, grants: &'g Grants) -> Option<&'g Rule> {
    let target = Target::of(kind, arguments)?;
    let ask = &grants.rules().ask;
    let (rule, granted) = match &target {
        Target::Command(words) => (rule::on_command(ask, words)?, grants.check_command(words).is_ok()),
        Target::Tool { server, tool } => (rule::on_tool(ask, server, tool)?, grants.check_tool(server, tool).is_ok()),
        Target::Host { host, port, .. } => {
            (rule::on_host(ask, host, *port)?, grants.check_host(host, *port, "").is_ok())
        }
    };
    granted.then_some(rule)
}

/// What is asked about a call of `function` that waits because of `rule`. `arguments` are as people may see them.
pub fn request(kind: Option<GrantKind>, function: &str, rule: &str, arguments: &Map<String, Value>) -> GateRequest {
    let line = kind.and_then(|kind| Target::of(kind, arguments)).map_or_else(String::new, |target| target.line());
    approval(function, &line, rule, arguments)
}

fn approval(what: &str, line: &str, rule: &str, arguments: &Map<String, Value>) -> GateRequest {
    let line = cut(&visible_line(line), LINE_CHARS);
    let question = format!("{what}: {line}\nThe policy asks before `{rule}`.{}", shown_lines(arguments));
    GateRequest { kind: GateKind::Approval, question, choices: Vec::new(), timeout: None, optional: false }
}

/// All arguments, each on a line of its own: as JSON, so that nothing in one can look like another.
pub(super) fn shown_lines(arguments: &Map<String, Value>) -> String {
    let line = |(name, value): (&String, &Value)| format!("\n  {name} = {}", cut(&value.to_string(), SHOWN_CHARS));
    arguments.iter().map(line).collect()
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}… ({} characters in all)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}

#[derive(serde::Deserialize)]
struct Write {
    /// What is done, as Python calls it.
    operation: String,
    path: String,
    rule: String,
    /// What else it is called with.
    #[serde(flatten)]
    others: Map<String, Value>,
}

fn read_write(_: GateKind, arguments: Map<String, Value>) -> Result<GateRequest, PythonError> {
    let Write { operation, path, rule, others } = parse(WRITE, arguments)?;
    let shown = Map::from_iter([("path".to_owned(), Value::from(path.clone()))]);
    Ok(approval(&operation, &path, &rule, &shown.into_iter().chain(others).collect()))
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use serde_json::json;

    use super::*;
    use crate::domain::{Permissions, Rules};

    fn grants() -> Grants {
        let list = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect();
        let policy = Permissions {
            commands: list(&["git"]),
            tools: list(&["github"]),
            network: list(&["api.example.org"]),
            ..Permissions::default()
        };
        let ask = ["git push", "rm", "http:api.example.org:443", "tool:github/create_issue"];
        let rules = Rules { ask: ask.map(|entry| Rule::parse(entry).unwrap()).to_vec(), deny: Vec::new() };
        Grants::new(&policy, None, Path::new("config.toml")).under(Arc::new(rules))
    }

    fn asked_about(kind: GrantKind, arguments: Value) -> Option<String> {
        let Value::Object(arguments) = arguments else { panic!("no object") };
        asked(kind, &arguments, &grants()).map(|rule| rule.text.clone())
    }

    #[test]
    fn a_person_is_asked_about_granted_calls_that_a_rule_is_about() {
        let command = |words: &[&str]| asked_about(GrantKind::Command, json!({"command": words}));
        assert_eq!(command(&["git", "-C", "x", "push"]).as_deref(), Some("git push"));
        assert_eq!(command(&["git", "log"]), None);
        assert_eq!(command(&["rm", "x"]), None, "it is not granted, and will be refused");
        let url = |url: &str| asked_about(GrantKind::Host, json!({"url": url}));
        assert_eq!(url("https://API.example.org./x").as_deref(), Some("http:api.example.org:443"));
        assert_eq!(url("http://api.example.org/x"), None);
        let tool = |tool: &str| asked_about(GrantKind::Tool, json!({"tool": tool}));
        assert_eq!(tool("github/create_issue").as_deref(), Some("tool:github/create_issue"));
        assert_eq!(tool("github/get"), None);
        for broken in
            [json!({}), json!({"command": "git push"}), json!({"command": ["git", 1]}), json!({"command": []})]
        {
            assert_eq!(asked_about(GrantKind::Command, broken), None);
        }
    }

    #[test]
    fn a_person_reads_all_arguments_and_nothing_that_looks_like_one() {
        let arguments =
            json!({"command": ["git", "push", "x\n  cwd = \"/safe\""], "cwd": "/data", "stdin": "y".repeat(5000)});
        let question =
            request(Some(GrantKind::Command), "run_command", "git push", arguments.as_object().unwrap()).question;
        let lines: Vec<&str> = question.lines().collect();
        assert_eq!(lines.len(), 5, "{question}");
        assert!(lines[0].starts_with("run_command: git push x"), "{question}");
        assert_eq!(lines[1], "The policy asks before `git push`.");
        assert_eq!(lines[2], r#"  command = ["git","push","x\n  cwd = \"/safe\""]"#);
        assert_eq!(lines[3], r#"  cwd = "/data""#);
        assert!(lines[4].ends_with("yyy… (5002 characters in all)"), "{question}");
    }
}
