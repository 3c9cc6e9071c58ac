//! What a procedure may touch outside the sandbox.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::network::{Host, HostGrant};

/// Grants by kind. The same shape states what a procedure asks for, what the policy allows and what a piece of code
/// was seen to need. An empty list grants nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// Programs, each optionally with leading arguments: `git` grants every git command, `git status` only that one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// Directories whose files may be read; `*` stands for every directory that the policy grants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// Directories whose files may be read and written; `*` stands for every directory that the policy grants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// Tools of other MCP servers: `server` grants all of that server's, `server/tool` one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Hosts that may be reached: `api.example.org`, `*.example.org`, perhaps with `:port`. Private addresses must be
    /// named themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    /// Whether the configured language model may be asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub model: bool,
}

impl Permissions {
    /// Whether nothing at all is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These and others, each once.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        let both = |mine: &[String], theirs: &[String]| -> Vec<String> {
            let new = theirs.iter().filter(|entry| !mine.contains(entry));
            mine.iter().chain(new).cloned().collect()
        };
        Self {
            commands: both(&self.commands, &others.commands),
            read: both(&self.read, &others.read),
            write: both(&self.write, &others.write),
            tools: both(&self.tools, &others.tools),
            network: both(&self.network, &others.network),
            model: self.model || others.model,
        }
    }

    /// Whether one of the command grants covers `arguments` (the program first).
    #[must_use]
    pub fn allows_command(&self, arguments: &[String]) -> bool {
        self.commands.iter().any(|grant| command_grant_covers(grant, arguments))
    }

    /// Whether one of the grants covers this tool of this server.
    #[must_use]
    pub fn allows_tool(&self, server: &str, tool: &str) -> bool {
        self.tools.iter().any(|grant| tool_grant_covers(grant, server, tool))
    }

    /// The grants of hosts that cover this one at this port; entries that name no host grant nothing.
    pub fn host_grants(&self, host: &Host, port: u16) -> impl Iterator<Item = HostGrant> {
        self.network.iter().filter_map(|entry| HostGrant::parse(entry)).filter(move |grant| grant.covers(host, port))
    }
}

/// Whether `grant` (`server` or `server/tool`) covers this tool of this server.
#[must_use]
pub fn tool_grant_covers(grant: &str, server: &str, tool: &str) -> bool {
    match grant.split_once('/') {
        Some((granted_server, granted_tool)) => granted_server == server && granted_tool == tool,
        None => !grant.is_empty() && grant == server,
    }
}

/// Whether `grant` (`git`, `git status`, …) is a prefix, word by word, of the command `arguments`.
#[must_use]
pub fn command_grant_covers(grant: &str, arguments: &[String]) -> bool {
    let mut words = grant.split_whitespace().peekable();
    if words.peek().is_none() {
        return false;
    }
    let mut arguments = arguments.iter();
    words.all(|word| arguments.next().is_some_and(|argument| argument == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_command_grant_is_a_prefix_of_words() {
        let grants = Permissions { commands: vec!["git status".into(), "ls".into()], ..Permissions::default() };
        assert!(grants.allows_command(&command("git status --short")));
        assert!(grants.allows_command(&command("ls -la /tmp")));
        assert!(!grants.allows_command(&command("git")));
        assert!(!grants.allows_command(&command("git push")));
        assert!(!grants.allows_command(&command("lsof")));
        assert!(!grants.allows_command(&[]));
    }

    #[test]
    fn a_tool_grant_is_a_server_or_one_of_its_tools() {
        let grants =
            Permissions { tools: vec!["all".into(), "one/read".into(), String::new()], ..Permissions::default() };
        assert!(grants.allows_tool("all", "anything") && grants.allows_tool("one", "read"));
        assert!(!grants.allows_tool("one", "read_all") && !grants.allows_tool("on", "e/read"));
        assert!(!grants.allows_tool("", "x") && !grants.allows_tool("al", "x"));
    }

    #[test]
    fn an_empty_grant_covers_nothing() {
        assert!(!command_grant_covers("  ", &command("rm -rf /")));
    }
}
