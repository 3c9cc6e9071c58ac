//! The `[mcp_servers.NAME]` sections: MCP servers whose tools procedures may call.
//!
//! How they are started or reached, and where their secrets are: `env_vars` and `headers_env` name variables of the
//! environment, which are read when a server is started. Speaking to them is the work of [`crate::downstream`].

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf, time::Duration};

use serde::Deserialize;
use toml::{Table, Value};

use super::{
    Secret,
    environment::clean_environment,
    mcp_headers::{Complaint, HeaderSource, check_header, header_source},
    program_bounds::{ProgramBounds, Surroundings, Written},
};

const LONGEST_NAME: usize = 64;
const LONGEST_CALL_SECONDS: u64 = 3600;
const LONGEST_START_SECONDS: u64 = 600;

/// Headers that carry secrets by their nature: a value in the file is refused.
const SECRET_HEADERS: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"];

/// One MCP server of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    pub reach: Reach,
    /// Seconds that one call of a tool may take.
    pub timeout_seconds: u64,
    /// Seconds from its start until it has answered the handshake.
    pub start_timeout_seconds: u64,
    /// Whether procedures may call it at all.
    pub enabled: bool,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It is a program that speaks over its stdin and stdout.
    Command(CommandSettings),
    /// It is somewhere else and speaks streamable HTTP.
    Http(HttpSettings),
}

/// A program to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSettings {
    /// A name that is looked up in `PATH`, or an absolute path.
    pub command: PathBuf,
    pub args: Vec<String>,
    /// Variables beside the clean environment.
    pub env: BTreeMap<String, String>,
    /// Names of variables that are passed on from our own environment.
    pub env_vars: Vec<String>,
    /// Where it runs; a folder for temporary files when `None`.
    pub cwd: Option<PathBuf>,
    /// What it may reach; everything that the user may when `None`.
    pub bounds: Option<ProgramBounds>,
}

/// An address to speak to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// The address of its MCP endpoint.
    pub url: String,
    /// Headers of every request.
    pub headers: BTreeMap<String, String>,
    /// Headers whose values come from the environment.
    pub headers_env: BTreeMap<String, HeaderSource>,
}

impl ServerSettings {
    /// Time that one call may take.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// Time that a start may take.
    #[must_use]
    pub const fn start_timeout(&self) -> Duration {
        Duration::from_secs(self.start_timeout_seconds)
    }

    /// Reads the sections.
    ///
    /// They come as a table because the parser's own messages quote the line, which may have a secret in the wrong
    /// place.
    pub(super) fn parse_all(sections: Table, around: Surroundings<'_>) -> Result<BTreeMap<String, Self>, String> {
        sections.into_iter().map(|(name, section)| Ok((name.clone(), Self::parse(&name, section, around)?))).collect()
    }

    fn parse(name: &str, section: Value, around: Surroundings<'_>) -> Result<Self, String> {
        let is_slug = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_slug) {
            return Err(format!(
                "`mcp_servers.{}` is no name for a server: use up to {LONGEST_NAME} letters, digits, `-`, `_` and `.`, \
                 because tools are called as `server/tool`",
                name.escape_debug()
            ));
        }
        let Value::Table(section) = section else {
            return Err(format!(
                "`mcp_servers.{name}` must be a table: write [mcp_servers.{name}] and its settings below"
            ));
        };
        let section: Section = serde_path_to_error::deserialize(Value::Table(section)).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { String::new() } else { format!(".{path}") };
            format!("`mcp_servers.{name}{field}`: {}", error.into_inner().message())
        })?;
        section.check(around).map_err(|(field, why)| {
            let field = if field.is_empty() { String::new() } else { format!(".{field}") };
            format!("`mcp_servers.{name}{field}` {why}")
        })
    }
}

impl CommandSettings {
    /// All variables of the program: the clean environment, those that are passed on, and those of the file.
    ///
    /// # Errors
    /// Names the variable that should be passed on and is not set.
    pub fn environment(&self) -> Result<Vec<(OsString, OsString)>, String> {
        let mut variables: Vec<(OsString, OsString)> =
            clean_environment().map(|(name, value)| (name.into(), value)).collect();
        for name in &self.env_vars {
            let value = std::env::var_os(name).ok_or_else(|| {
                format!(
                    "the environment variable `{name}`, which `env_vars` names, is not set; set it where this program is \
                     started"
                )
            })?;
            variables.push((name.into(), value));
        }
        variables.extend(self.env.iter().map(|(name, value)| (name.into(), value.into())));
        Ok(variables)
    }
}

impl HttpSettings {
    /// The headers whose values come from the environment, with the values that it has now.
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn secret_headers(&self) -> Result<Vec<(&str, Secret)>, String> {
        let read = |(header, source): (&'_ String, &HeaderSource)| {
            let value = std::env::var_os(&source.variable).and_then(|value| value.into_string().ok());
            let secret = value.and_then(|value| Secret::new(&value)).and_then(|secret| match &source.scheme {
                Some(scheme) => Secret::new(&format!("{scheme} {}", secret.expose())),
                None => Some(secret),
            });
            secret.ok_or_else(|| {
                format!(
                    "the environment variable `{}`, which `headers_env` names for `{header}`, is not set; set it where \
                     this program is started",
                    source.variable
                )
            })
        };
        self.headers_env.iter().map(|(header, source)| Ok((header.as_str(), read((header, source))?))).collect()
    }
}

/// A section as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Section {
    #[serde(rename = "type")]
    kind: Option<String>,
    command: Option<String>,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    env_vars: Vec<String>,
    cwd: Option<String>,
    confined: Option<bool>,
    read: Vec<String>,
    write: Vec<String>,
    startup_files: bool,
    network: Vec<String>,
    url: Option<String>,
    headers: BTreeMap<String, String>,
    headers_env: BTreeMap<String, String>,
    timeout_seconds: u64,
    start_timeout_seconds: u64,
    enabled: bool,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            kind: None,
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            env_vars: Vec::new(),
            cwd: None,
            confined: None,
            read: Vec::new(),
            write: Vec::new(),
            startup_files: false,
            network: Vec::new(),
            url: None,
            headers: BTreeMap::new(),
            headers_env: BTreeMap::new(),
            timeout_seconds: 60,
            start_timeout_seconds: 20,
            enabled: true,
        }
    }
}

impl Section {
    fn check(mut self, around: Surroundings<'_>) -> Result<ServerSettings, Complaint> {
        let kind_fits = match self.kind.as_deref() {
            None => true,
            Some("stdio") => self.command.is_some(),
            Some("http" | "streamable-http" | "streamable_http" | "streamableHttp") => self.url.is_some(),
            Some(_) => false,
        };
        if !kind_fits {
            let kind = self.kind.unwrap_or_default();
            return Err(("type", format!("is `{}`; leave it out: `command` or `url` says it", kind.escape_debug())));
        }
        check_seconds("timeout_seconds", self.timeout_seconds, LONGEST_CALL_SECONDS)?;
        check_seconds("start_timeout_seconds", self.start_timeout_seconds, LONGEST_START_SECONDS)?;
        let (timeout_seconds, start_timeout_seconds, enabled) =
            (self.timeout_seconds, self.start_timeout_seconds, self.enabled);
        let bounds = Written {
            confined: self.confined,
            read: std::mem::take(&mut self.read),
            write: std::mem::take(&mut self.write),
            startup_files: self.startup_files,
            network: std::mem::take(&mut self.network),
        };
        let reach = match (&self.command, &self.url) {
            (Some(_), None) => self.check_command(bounds, around)?,
            (None, Some(_)) if bounds.is_there() => {
                return Err((
                    "confined",
                    "and bounds belong to a server with `command`; walls are around programs".to_owned(),
                ));
            }
            (None, Some(_)) => self.check_http()?,
            (None, None) => return Err(("", "needs `command` (a program to start) or `url` (an address)".to_owned())),
            (Some(_), Some(_)) => return Err(("", "has both `command` and `url`; keep one of them".to_owned())),
        };
        Ok(ServerSettings { reach, timeout_seconds, start_timeout_seconds, enabled })
    }

    fn check_command(self, bounds: Written, around: Surroundings<'_>) -> Result<Reach, Complaint> {
        if !self.headers.is_empty() || !self.headers_env.is_empty() {
            return Err(("headers", "belongs to a server with `url`; a program gets `env` and `env_vars`".to_owned()));
        }
        let command = self.command.unwrap_or_default();
        let path = super::paths::expand_tilde(&command);
        if command.trim().is_empty() || command.contains('\0') {
            return Err(("command", "is empty; it is the program to start".to_owned()));
        }
        if !path.is_absolute() && command.contains(['/', '\\']) {
            let why = format!("is `{command}`; write an absolute path, or a name that is found in PATH");
            return Err(("command", why));
        }
        if self.args.iter().any(|argument| argument.contains('\0')) {
            return Err(("args", "has a NUL character, which no argument can have".to_owned()));
        }
        for name in self.env.keys().chain(&self.env_vars) {
            if name.is_empty() || name.contains(['=', '\0']) {
                let why = format!("names `{}`, which is no name of a variable", name.escape_debug());
                return Err(("env", why));
            }
        }
        if self.env.values().any(|value| value.contains('\0')) {
            return Err(("env", "has a value with a NUL character, which no variable can have".to_owned()));
        }
        let cwd = self.cwd.as_deref().map(super::paths::expand_tilde);
        if let Some(cwd) = cwd.as_ref().filter(|cwd| !cwd.is_absolute()) {
            return Err(("cwd", format!("is `{}`; it must be an absolute folder", cwd.display())));
        }
        let bounds = bounds.check(cwd.as_deref(), around)?;
        Ok(Reach::Command(CommandSettings {
            command: path,
            args: self.args,
            env: self.env,
            env_vars: self.env_vars,
            cwd,
            bounds,
        }))
    }

    fn check_http(self) -> Result<Reach, Complaint> {
        let is_for_programs =
            !self.args.is_empty() || !self.env.is_empty() || !self.env_vars.is_empty() || self.cwd.is_some();
        if is_for_programs {
            let why = "has `args`, `env`, `env_vars` or `cwd`, which belong to a server with `command`";
            return Err(("", why.to_owned()));
        }
        let url = self.url.unwrap_or_default().trim().to_owned();
        check_url(&url)?;
        for (name, value) in &self.headers {
            check_header(name, "headers")?;
            if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                // The value is not repeated: it may be the secret.
                let why = format!(
                    "has a value for `{name}`; secrets come only from the environment: name a variable in \
                     `headers_env`, such as {{ {name} = \"Bearer MY_TOKEN\" }}"
                );
                return Err(("headers", why));
            }
            if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
                return Err(("headers", format!("has a value for `{name}` that no header can have")));
            }
        }
        let mut headers_env = BTreeMap::new();
        for (name, source) in self.headers_env {
            check_header(&name, "headers_env")?;
            let source = header_source(&source).ok_or_else(|| {
                // What was written may be the secret itself.
                let why = format!(
                    "must name an environment variable in capital letters for `{name}`, such as MY_TOKEN or Bearer \
                     MY_TOKEN"
                );
                ("headers_env", why)
            })?;
            headers_env.insert(name, source);
        }
        Ok(Reach::Http(HttpSettings { url, headers: self.headers, headers_env }))
    }
}

fn check_seconds(field: &'static str, seconds: u64, most: u64) -> Result<(), Complaint> {
    if (1..=most).contains(&seconds) {
        return Ok(());
    }
    Err((field, format!("is {seconds}; it is from 1 to {most}")))
}

fn check_url(url: &str) -> Result<(), Complaint> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(("url", "must begin with `http://` or `https://`".to_owned()));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        let why = "must not have a user or a password; secrets come only from the environment, with `headers_env`";
        return Err(("url", why.to_owned()));
    }
    if authority.is_empty() || url.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(("url", "names no host".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
#[path = "mcp_servers_tests.rs"]
mod tests;
