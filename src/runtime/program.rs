//! What a session is given: the program, and the bounds within which it executes.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value;

use super::{Budget, Capture};

/// The name of the module by which code reaches the host.
pub const MODULE: &str = "repertoire";

/// The global name under which a program finds its parameters.
pub const PARAMETERS: &str = "parameters";

/// What `from repertoire import …` finds.
#[derive(Debug, Clone, Copy)]
pub struct HostModule {
    /// Functions, and classes where the name is capitalised.
    pub names: &'static [&'static str],
}

/// Source to execute.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The procedure's code, and whatever the engine added below it.
    pub source: String,
    /// Lines of the procedure's own code at the beginning of `source`: tracebacks show these.
    pub code_lines: u32,
    /// What the source finds under the global name [`PARAMETERS`].
    pub parameters: Value,
}

/// What a session may use.
#[derive(Debug, Clone)]
pub struct Bounds<'a> {
    /// Directories whose files the program sees.
    pub mounts: &'a [Mount],
    /// Limits of this session alone.
    pub limits: Limits,
    /// Where its output goes.
    pub capture: Capture,
    /// What it shares with all sessions of its run.
    pub budget: Arc<Budget>,
}

/// A directory whose files the program sees, under its own path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The absolute directory.
    pub path: PathBuf,
    /// Whether files in it may be changed.
    pub writable: bool,
}

/// Limits of one session, beside its [`Budget`].
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory of the interpreter in bytes.
    pub memory_bytes: usize,
    /// Size of the result as JSON in bytes.
    pub result_bytes: usize,
    /// Operations on files and directories.
    pub file_calls: usize,
}
