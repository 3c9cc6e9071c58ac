//! What executing needs beside the run itself.

use std::sync::Arc;

use crate::{downstream::Downstream, library::Library, runtime::Runtimes};

/// The stores, the interpreters and the other MCP servers: one of each for all runs of a process.
pub struct Resources {
    pub library: Arc<Library>,
    pub runtimes: Runtimes,
    pub downstream: Downstream,
}
