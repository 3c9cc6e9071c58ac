//! Waiting for a server, but not for ever.

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::DownstreamError;
use crate::config::ServerSettings;

/// Who waits for what, and until when.
pub(super) struct Waiting<'a> {
    pub(super) server: &'a str,
    /// The tool that is called; the method, where it is none.
    pub(super) tool: &'a str,
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// Which setting the deadline comes from, for the message.
    pub(super) hint: String,
    pub(super) cancel: &'a CancellationToken,
}

impl Waiting<'_> {
    /// The same, but from now on at most as long as the settings of the server say.
    pub(super) fn no_longer_than(&self, settings: &ServerSettings) -> Self {
        let own = Instant::now() + settings.timeout();
        let hint = if own < self.deadline {
            format!(" (`timeout_seconds` under [mcp_servers.{}] in config.toml)", self.server)
        } else {
            self.hint.clone()
        };
        Self { deadline: own.min(self.deadline), hint, ..*self }
    }

    /// What `work` gives, unless the time is up before or nobody wants it any more.
    pub(super) async fn on<T>(&self, work: impl Future<Output = T>) -> Result<T, DownstreamError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(self.cancelled()),
            done = work => Ok(done),
            () = tokio::time::sleep_until(self.deadline) => Err(self.timed_out()),
        }
    }

    fn timed_out(&self) -> DownstreamError {
        DownstreamError::TimedOut {
            server: self.server.to_owned(),
            tool: self.tool.to_owned(),
            after: self.since.elapsed(),
            hint: self.hint.clone(),
        }
    }

    fn cancelled(&self) -> DownstreamError {
        DownstreamError::Cancelled { server: self.server.to_owned(), tool: self.tool.to_owned() }
    }
}
