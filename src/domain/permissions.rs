//! What a procedure may touch outside the sandbox.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}

impl Permissions {
    /// Whether nothing at all is granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.read.is_empty() && self.write.is_empty()
    }

    /// Whether one of the command grants covers `arguments` (the program first).
    #[must_use]
    pub fn allows_command(&self, arguments: &[String]) -> bool {
        self.commands.iter().any(|grant| command_grant_covers(grant, arguments))
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
    fn an_empty_grant_covers_nothing() {
        assert!(!command_grant_covers("  ", &command("rm -rf /")));
    }
}
