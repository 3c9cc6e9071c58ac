//! Why a call of a downstream tool gave no result.

use std::time::Duration;

use super::tools::closest;

/// Why a call of a downstream tool gave no result. Every text names the server, and the tool where there is one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DownstreamError {
    /// The configuration has no such server.
    #[error(
        "no MCP server `{server}` is configured{hint}; the user can add it as [mcp_servers.{server}] to config.toml"
    )]
    UnknownServer {
        /// What was asked for.
        server: String,
        /// Which names are close.
        hint: String,
    },
    /// The server is switched off.
    #[error(
        "the MCP server `{server}` is switched off (`enabled = false` under [mcp_servers.{server}] in config.toml)"
    )]
    Disabled { server: String },
    /// The server has no such tool.
    #[error("the MCP server `{server}` has no tool `{tool}`{hint}")]
    UnknownTool {
        server: String,
        /// What was asked for.
        tool: String,
        /// Which names are close.
        hint: String,
    },
    /// The server can't be started or reached.
    #[error("the MCP server `{server}` can't be used: {message}")]
    Start { server: String, message: String },
    /// The server failed several times and gets a rest.
    #[error(
        "the MCP server `{server}` failed {failures} times in a row; the next attempt is possible in {:.1} s. Last time: \
         {message}",
        wait.as_secs_f64()
    )]
    Resting {
        server: String,
        failures: u32,
        /// How long it still rests.
        wait: Duration,
        /// What happened last.
        message: String,
    },
    /// The server ended, or the connection broke, before it answered.
    #[error("the MCP server `{server}` did not answer the call of `{server}/{tool}`: {message}")]
    Ended { server: String, tool: String, message: String },
    /// The time was up.
    #[error("the call of `{server}/{tool}` was stopped after {:.1} s{hint}", after.as_secs_f64())]
    TimedOut {
        server: String,
        tool: String,
        /// How long it was waited for.
        after: Duration,
        /// Which setting it was.
        hint: String,
    },
    /// The caller wants no answer any more.
    #[error("the call of `{server}/{tool}` was cancelled")]
    Cancelled { server: String, tool: String },
    /// The tool answered that it failed.
    #[error("`{server}/{tool}` failed: {text}")]
    Tool { server: String, tool: String, text: String },
    /// The server refused the call, for example for wrong arguments.
    #[error("the MCP server `{server}` refused the call of `{server}/{tool}`: {message}")]
    Refused { server: String, tool: String, message: String },
    /// The answer is none that can be used.
    #[error("the answer of `{server}/{tool}` can't be used: {message}")]
    Answer { server: String, tool: String, message: String },
}

impl DownstreamError {
    /// No server has this name.
    pub(super) fn unknown_server<'a>(server: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let mut names = names.peekable();
        let hint = if names.peek().is_some() { closest(server, names) } else { String::new() };
        Self::UnknownServer { server: server.to_owned(), hint }
    }

    /// No tool of the server has this name.
    pub(super) fn unknown_tool<'a>(server: &str, tool: &str, names: impl Iterator<Item = &'a str>) -> Self {
        Self::UnknownTool { server: server.to_owned(), tool: tool.to_owned(), hint: closest(tool, names) }
    }

    /// Whether the time was up.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
    }

    /// Whether a name was wrong.
    #[must_use]
    pub const fn is_unknown_name(&self) -> bool {
        matches!(self, Self::UnknownServer { .. } | Self::UnknownTool { .. })
    }
}
