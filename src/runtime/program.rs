//! What a session is given: the program, and the bounds within which it executes.

use std::{ffi::OsString, path::PathBuf, sync::Arc};

use serde_json::Value;

use super::{Budget, Capture};
use crate::{confinement, domain::Rules};

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

impl Program {
    /// Whether the code is executed as it is: nothing was added that calls a function of it.
    #[must_use]
    pub fn is_script(&self) -> bool {
        self.source.lines().count() == usize::try_from(self.code_lines).unwrap_or(usize::MAX)
    }
}

/// What a session may use.
#[derive(Clone)]
pub struct Bounds<'a> {
    /// Directories whose files the program sees.
    pub mounts: &'a [Mount],
    /// Whom writing in them is asked of, and where it is refused.
    pub rules: Arc<Rules>,
    /// Limits of this session alone.
    pub limits: Limits,
    /// Where its output goes.
    pub capture: Capture,
    /// What it shares with all sessions of its run.
    pub budget: Arc<Budget>,
    /// Which Python executes it, where that is no part of this program.
    pub interpreter: Option<&'a Interpreter>,
}

/// A Python of this machine.
#[derive(Clone)]
pub struct Interpreter {
    /// The program, by path or by its name in `PATH`.
    pub program: PathBuf,
    /// The folder of the packages, which the program belongs to; none where there are no packages.
    pub environment: Option<PathBuf>,
    /// What its processes may reach; all that the user may where there are no walls.
    pub bounds: Option<confinement::Bounds>,
    /// Their way to the network, where the bounds have one; made for each process, by what the hosts are called.
    pub gateway: Option<(String, Arc<dyn confinement::Gateway>)>,
    /// What its processes find in their environment.
    pub variables: Vec<(&'static str, OsString)>,
    /// Memory of one process in bytes.
    pub memory_bytes: usize,
    /// The longest file that it may write, in bytes.
    pub file_bytes: usize,
}

/// A directory whose files the program sees, under its own path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The absolute directory.
    pub path: PathBuf,
    /// Whether files in it may be changed.
    pub writable: bool,
    /// The directories that the user granted for changes, of those around it and in it: what other programs execute is
    /// closed but where one of these names it.
    pub grants: Vec<PathBuf>,
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
    /// Bytes that the whole run may write to files, for messages; what is left of them is in the budget.
    pub write_bytes: u64,
}
