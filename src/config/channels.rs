//! The `[channels.NAME]` sections and `[notifications]`: where procedures may send notifications, beside the inbox.
//!
//! The user names the channels, so sending over one needs no other grant. A webhook's address is a secret: it may come
//! from the environment, and nothing prints it. Sending is the work of [`crate::host`].

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json};
use toml::{Table, Value};

use super::{
    Secret,
    program_bounds::{ProgramBounds, Surroundings, Written},
};
use crate::domain::inbox::IN_APP;

const LONGEST_NAME: usize = 64;

/// What texts of `arguments` may refer to.
pub const VARIABLES: [&str; 3] = ["message", "title", "level"];

/// The channels of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Channels {
    by_name: BTreeMap<String, Channel>,
    default: Option<String>,
}

/// A way to reach people.
#[derive(Debug, Clone)]
pub enum Channel {
    /// An address that takes messages as Slack does.
    Webhook(Webhook),
    /// A program that gets the message on its stdin.
    Command {
        /// The program first, then its arguments.
        command: Vec<String>,
        /// What it may reach; everything that the user may when `None`.
        bounds: Option<ProgramBounds>,
    },
    /// A tool of a downstream MCP server.
    Tool {
        server: String,
        tool: String,
        /// What it is called with; texts may refer to [`VARIABLES`] in braces. `None`: all of them under their names.
        arguments: Option<Map<String, Json>>,
    },
}

/// Where the address of a webhook is.
#[derive(Debug, Clone)]
pub enum Webhook {
    /// In the file.
    Address(Secret),
    /// In this environment variable.
    Variable(String),
}

impl Webhook {
    /// The address, as the environment has it now where it comes from there.
    ///
    /// # Errors
    /// What is wrong with it, in words that do not repeat it.
    pub fn address(&self) -> Result<Secret, String> {
        match self {
            Self::Address(address) => Ok(address.clone()),
            Self::Variable(variable) => {
                let value = std::env::var_os(variable).and_then(|value| value.into_string().ok());
                let address = value.as_deref().and_then(Secret::new);
                let address = address.ok_or_else(|| {
                    format!("the environment variable {variable} is not set where `repertoire` was started")
                })?;
                check_address(&address).map_err(|why| format!("the environment variable {variable} {why}"))?;
                Ok(address)
            }
        }
    }
}

impl Channels {
    /// The channel that is called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Channel> {
        self.by_name.get(name)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Where notifications go that name no channel; `None` when they stay in the inbox.
    #[must_use]
    pub fn default_name(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// Reads the sections.
    ///
    /// They come as tables because the parser's own messages quote the line, which may have the address of a webhook.
    pub(super) fn parse(sections: Table, notifications: Table, around: Surroundings<'_>) -> Result<Self, String> {
        let by_name = sections
            .into_iter()
            .map(|(name, section)| {
                let channel = parse_channel(&name, section, around)?;
                Ok((name, channel))
            })
            .collect::<Result<BTreeMap<_, _>, String>>()?;
        let Notifications { channel: default } = serde_path_to_error::deserialize(Value::Table(notifications))
            .map_err(|error| format!("`notifications.{}`: {}", error.path(), error.inner().message()))?;
        let default = default.filter(|name| name != IN_APP);
        if let Some(name) = default.as_ref().filter(|name| !by_name.contains_key(*name)) {
            return Err(format!(
                "`notifications.channel` is `{}`, but there is no section [channels.{0}]; add it, or name one of: \
                 {IN_APP}{}",
                name.escape_debug(),
                by_name.keys().map(|known| format!(", {known}")).collect::<String>()
            ));
        }
        Ok(Self { by_name, default })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Notifications {
    channel: Option<String>,
}

/// A section as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    webhook: Option<String>,
    webhook_env: Option<String>,
    command: Option<Vec<String>>,
    confined: Option<bool>,
    #[serde(default)]
    read: Vec<String>,
    #[serde(default)]
    write: Vec<String>,
    #[serde(default)]
    startup_files: bool,
    #[serde(default)]
    network: Vec<String>,
    tool: Option<String>,
    arguments: Option<Map<String, Json>>,
}

fn parse_channel(name: &str, section: Value, around: Surroundings<'_>) -> Result<Channel, String> {
    let is_slug = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_slug) {
        return Err(format!(
            "`channels.{}` is no name for a channel: use up to {LONGEST_NAME} letters, digits, `-`, `_` and `.`",
            name.escape_debug()
        ));
    }
    if name == IN_APP {
        return Err(format!(
            "`channels.{IN_APP}` can't be configured: `{IN_APP}` is the inbox itself; choose another name"
        ));
    }
    if !section.is_table() {
        return Err(format!("`channels.{name}` must be a table: write [channels.{name}] and its settings below"));
    }
    let section: Section = serde_path_to_error::deserialize(section).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { format!(".{path}") };
        // Not the value: it may be the address of a webhook.
        format!("`channels.{name}{field}`: {}", without_value(error.inner().message()))
    })?;
    section.check(around).map_err(|why| format!("`channels.{name}` {why}"))
}

/// The message of a type error with the value that it quotes left out.
fn without_value(message: &str) -> String {
    let quoted = message.split_once(" \"").and_then(|(before, rest)| Some((before, rest.rsplit_once('"')?.1)));
    quoted.map_or_else(|| message.to_owned(), |(before, after)| format!("{before}{after}"))
}

impl Section {
    fn check(self, around: Surroundings<'_>) -> Result<Channel, String> {
        let ways = [self.webhook.is_some(), self.webhook_env.is_some(), self.command.is_some(), self.tool.is_some()];
        if ways.iter().filter(|is_given| **is_given).count() != 1 {
            return Err("needs exactly one of `webhook`, `webhook_env`, `command` and `tool`".to_owned());
        }
        if self.arguments.is_some() && self.tool.is_none() {
            return Err("has `arguments`, which belong to a channel with `tool`".to_owned());
        }
        let bounds = Written {
            confined: self.confined,
            read: self.read,
            write: self.write,
            startup_files: self.startup_files,
            network: self.network,
        };
        if bounds.is_there() && self.command.is_none() {
            return Err(
                "has `confined` or bounds, which belong to a channel with `command`; walls are around programs"
                    .to_owned(),
            );
        }
        if let Some(address) = self.webhook {
            let address = Secret::new(&address).ok_or("has an empty `webhook`")?;
            check_address(&address).map_err(|why| format!("has a `webhook` that {why}"))?;
            return Ok(Channel::Webhook(Webhook::Address(address)));
        }
        if let Some(variable) = self.webhook_env {
            return Ok(Channel::Webhook(Webhook::Variable(check_variable(variable)?)));
        }
        if let Some(command) = self.command {
            let has_program = command.first().is_some_and(|program| !program.trim().is_empty());
            if !has_program || command.iter().any(|word| word.contains('\0')) {
                return Err("has a `command` without a program; write [\"program\", \"argument\"]".to_owned());
            }
            let bounds = bounds.check(None, around).map_err(|(field, why)| format!("has a `{field}` that {why}"))?;
            return Ok(Channel::Command { command, bounds });
        }
        let tool = self.tool.unwrap_or_default();
        let named = tool.split_once('/').filter(|(server, tool)| !server.trim().is_empty() && !tool.trim().is_empty());
        let Some((server, tool)) = named else {
            return Err(format!("has the tool `{}`; write \"server/tool\"", tool.escape_debug()));
        };
        if let Some(arguments) = &self.arguments {
            arguments.values().try_for_each(check_variables)?;
        }
        Ok(Channel::Tool { server: server.to_owned(), tool: tool.to_owned(), arguments: self.arguments })
    }
}

fn check_address(address: &Secret) -> Result<(), &'static str> {
    let (scheme, rest) = address.expose().split_once("://").unwrap_or_default();
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err("does not begin with `https://` or `http://`");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || rest.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err("names no host");
    }
    Ok(())
}

/// Takes names in capital letters only: an address that somebody wrote here is not repeated.
fn check_variable(variable: String) -> Result<String, String> {
    let is_name = variable.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_')
        && variable.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_');
    if is_name {
        return Ok(variable);
    }
    Err("has a `webhook_env` that is no name of an environment variable in capital letters, such as SLACK_WEBHOOK"
        .to_owned())
}

/// A variable that nobody fills in would be sent as it is.
fn check_variables(value: &Json) -> Result<(), String> {
    match value {
        Json::String(text) => {
            let names = text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
            let is_word = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            match names.filter(is_word).find(|name| !VARIABLES.contains(name)) {
                Some(name) => {
                    Err(format!("has `{{{name}}}` in `arguments`; there are {{message}}, {{title}} and {{level}}"))
                }
                None => Ok(()),
            }
        }
        Json::Array(items) => items.iter().try_for_each(check_variables),
        Json::Object(fields) => fields.values().try_for_each(check_variables),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<Channels, String> {
        let mut table: Table = toml::from_str(text).unwrap();
        let mut section =
            |name: &str| table.remove(name).and_then(|value| value.as_table().cloned()).unwrap_or_default();
        let (home, rules) = (std::path::Path::new("/nowhere/home"), std::sync::Arc::default());
        let around = Surroundings { home, file: home, rules: &rules };
        Channels::parse(section("channels"), section("notifications"), around)
    }

    #[test]
    fn every_way_is_read() {
        let channels = parse(
            "[channels.slack]\nwebhook_env = 'SLACK_WEBHOOK'\n[channels.team]\nwebhook = 'https://example.org/x?y=z'\n\
             [channels.desk]\ncommand = ['notify-send', 'Hello']\n\
             [channels.chat]\ntool = 'chat/post'\narguments = { channel = '#ops', text = '{title}: {message}' }\n\
             [notifications]\nchannel = 'slack'\n",
        )
        .unwrap();
        assert_eq!(channels.names().collect::<Vec<_>>(), ["chat", "desk", "slack", "team"]);
        assert_eq!(channels.default_name(), Some("slack"));
        let Some(Channel::Tool { server, tool, arguments: Some(arguments) }) = channels.get("chat") else {
            panic!("a tool");
        };
        assert_eq!((server.as_str(), tool.as_str(), &arguments["channel"]), ("chat", "post", &json!("#ops")));
        assert!(!format!("{channels:?}").contains("example.org"));
        assert_eq!(parse("[notifications]\nchannel = 'in_app'").unwrap().default_name(), None);
    }

    #[test]
    fn what_is_wrong_is_named_and_addresses_are_not_repeated() {
        for (text, wanted) in [
            ("[channels.a]\nwebhook = 'ftp://secret/x'", "does not begin with `https://`"),
            ("[channels.a]\nwebhook = 'https://'", "names no host"),
            ("[channels.a]\nwebhook_env = 'https://secret/x'", "capital letters"),
            ("[channels.a]\ncommand = 'https://secret/x'", "`channels.a.command`: invalid type: string, expected"),
            ("[channels.a]\nwebhok = 'https://secret/x'", "unknown field `webhok`"),
            ("[channels]\na = 'https://secret/x'", "must be a table"),
            ("[channels.a]\nwebhook = 'https://x'\ncommand = ['x']", "exactly one of"),
            ("[channels.a]", "exactly one of"),
            ("[channels.a]\ncommand = []", "without a program"),
            ("[channels.a]\ntool = 'post'", "write \"server/tool\""),
            ("[channels.a]\ncommand = ['x']\narguments = {}", "belong to a channel with `tool`"),
            ("[channels.a]\ntool = 'a/b'\narguments = { x = ['{mesage}'] }", "`{mesage}`"),
            ("[channels.a]\nwebhook = 'https://secret/x'\nconfined = true", "belong to a channel with `command`"),
            ("[channels.a]\ncommand = ['x']\nread = ['here']", "has a `read` that names `here`"),
            ("[channels.a]\ncommand = ['x']\nconfined = false\nnetwork = ['*']", "`confined` that is false, and there"),
            ("[channels.in_app]\ncommand = ['x']", "the inbox itself"),
            ("[channels.'a b']\ncommand = ['x']", "no name for a channel"),
            ("[channels.a]\ncommand = ['x']\n[notifications]\nchannel = 'b'", "name one of: in_app, a"),
            ("[notifications]\nchanel = 'b'", "unknown field `chanel`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(wanted) && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn programs_are_within_walls_where_their_section_says_so() {
        let channels = parse(
            "[channels.free]\ncommand = ['x']\n[channels.shut]\ncommand = ['x']\nconfined = true\n\
             [channels.hosts]\ncommand = ['x']\nnetwork = ['push.example.org']",
        )
        .unwrap();
        let is_held = |name: &str| match channels.get(name) {
            Some(Channel::Command { bounds, .. }) => bounds.is_some(),
            other => panic!("{other:?}"),
        };
        assert_eq!(["free", "shut", "hosts"].map(is_held), [false, true, true]);
    }

    #[test]
    fn braces_that_are_no_variables_stay() {
        parse("[channels.a]\ntool = 'a/b'\narguments = { x = '{\"text\": {message}} {} {a b}' }").unwrap();
    }
}
