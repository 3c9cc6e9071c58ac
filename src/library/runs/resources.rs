//! What executing needs beside the run itself.

use super::journal::Journal;
use crate::{downstream::Downstream, runtime::Runtimes};

/// The stores, the interpreters and the other MCP servers: one of each for all runs of a process.
pub struct Resources {
    pub journal: Journal,
    pub runtimes: Runtimes,
    pub downstream: Downstream,
}
