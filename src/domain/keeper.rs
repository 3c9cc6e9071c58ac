//! What keeps the clock of a home: starts what is due, goes on with what waits.

/// A kind of process that keeps the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// An MCP server, for as long as its client is there.
    Server,
    /// A daemon, which needs no client.
    Daemon,
}

impl Keeper {
    /// The word used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Daemon => "daemon",
        }
    }

    /// The kind that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Server, Self::Daemon].into_iter().find(|keeper| keeper.as_str() == text)
    }
}
