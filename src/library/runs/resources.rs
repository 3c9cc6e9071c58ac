//! What executing needs beside the run itself.

use super::journal::Journal;
use crate::{downstream::Downstream, host, runtime::Runtimes};

/// The stores, the interpreters and the other MCP servers: one of each for all runs of a process.
pub struct Resources {
    pub journal: Journal,
    pub runtimes: Runtimes,
    pub downstream: Downstream,
}

/// The other MCP servers, none of them started yet.
#[must_use]
pub fn downstream() -> Downstream {
    Downstream::new(host::walls_of_server)
}
