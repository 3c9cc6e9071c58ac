//! What executing needs beside the run itself.

use std::sync::Arc;

use crate::{downstream::Downstream, library::Library, runtime::Runtime};

/// The stores, the interpreter and the other MCP servers: one of each for all runs of a process.
pub struct Resources {
    pub library: Arc<Library>,
    pub runtime: Arc<dyn Runtime>,
    pub downstream: Downstream,
}
