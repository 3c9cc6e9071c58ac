//! What the user's rules say beside the grants: what is never done, and on what a person decides.

use std::{path::Path, sync::Arc};

use super::grants::Grants;
use crate::{
    domain::{Host, Rule, Rules, rule},
    runtime::PythonError,
};

impl Grants {
    /// The same, with the rules of the user.
    #[must_use]
    pub fn under(mut self, rules: Arc<Rules>) -> Self {
        self.rules = rules;
        self
    }

    /// The rules of the user.
    #[must_use]
    pub const fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// The rule by which a person decides before this host is reached.
    pub(super) fn asked_host(&self, host: &Host, port: u16) -> Option<&Rule> {
        rule::on_host(&self.rules.ask, host, port)
    }

    pub(super) fn check_command_rules(&self, command: &[String], shown: &str) -> Result<(), PythonError> {
        self.check_rule(rule::on_command(&self.rules.deny, command), shown)
    }

    pub(super) fn check_tool_rules(&self, server: &str, tool: &str) -> Result<(), PythonError> {
        self.check_rule(rule::on_tool(&self.rules.deny, server, tool), &format!("{server}/{tool}"))
    }

    pub(super) fn check_host_rules(&self, host: &Host, port: u16, shown: &str) -> Result<(), PythonError> {
        self.check_rule(rule::on_host(&self.rules.deny, host, port), shown)
    }

    fn check_rule(&self, denied: Option<&Rule>, shown: &str) -> Result<(), PythonError> {
        let Some(rule) = denied else { return Ok(()) };
        Err(PythonError::new("PermissionError", refusal(rule, shown, &self.policy_file)))
    }
}

/// What is said of something that is never done.
pub(super) fn refusal(rule: &Rule, shown: &str, policy_file: &Path) -> String {
    let (text, file) = (&rule.text, policy_file.display());
    format!("`{shown}` is denied: the user has `{text}` in `deny` under [policy] in {file}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Permissions;

    #[test]
    fn what_is_denied_is_refused_whatever_is_granted() {
        let list = |entries: &[&str]| entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>();
        let policy = Permissions {
            commands: list(&["git"]),
            tools: list(&["github"]),
            network: list(&["*.example.org"]),
            ..Permissions::default()
        };
        let deny = ["git push", "tool:github/delete", "http:evil.example.org"].map(|entry| Rule::parse(entry).unwrap());
        let rules = Arc::new(Rules { deny: deny.to_vec(), ask: Vec::new() });
        let grants = Grants::new(&policy, None, Path::new("config.toml")).under(rules);
        let command = |text: &str| grants.check_command(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(command("git log").is_ok() && grants.check_tool("github", "get").is_ok());
        let host = |name: &str| grants.check_host(&Host::parse(name).unwrap(), 443, name).map(|_| ());
        assert!(host("a.example.org").is_ok());
        for (refused, entry) in [
            (command("git -C x push").unwrap_err(), "git push"),
            (grants.check_tool("github", "delete").unwrap_err(), "tool:github/delete"),
            (host("evil.example.org").unwrap_err(), "http:evil.example.org"),
        ] {
            assert_eq!(refused.kind, "PermissionError");
            let said = format!("is denied: the user has `{entry}` in `deny` under [policy] in config.toml");
            assert!(refused.message.contains(&said), "{}", refused.message);
        }
    }
}
