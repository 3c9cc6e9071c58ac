//! What a program may reach.

use std::{collections::BTreeSet, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::Means;

/// What a program may reach, beside what every program needs: the folders of the system, those on `PATH`, its own files, the
/// settings of git, and a private folder for temporary files.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Bounds {
    /// Folders and files it may read: real paths, without links in them. What is a link when the walls are built is left out.
    pub read: Vec<PathBuf>,
    /// Folders it may write, likewise, but for what makes other programs run code there.
    pub write: Vec<PathBuf>,
    /// Never to be seen, whatever the rest says: the home of Repertoire.
    pub hidden: Vec<PathBuf>,
    /// Whether it may also write what makes other programs run code: `.git/config`, hooks, `.envrc` and their like.
    pub startup_files: bool,
    /// What of the network it reaches.
    pub network: Network,
    /// How much it may use.
    pub limits: ProgramLimits,
    /// What the walls are made of: whoever starts a program finds that out.
    #[serde(default)]
    pub means: Means,
    /// Walls that are left out, to see what they are for. Nothing sets this but tests.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without: BTreeSet<Layer>,
}

/// What of the network a program reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nothing, not even this machine.
    #[default]
    None,
    /// One listener, of whoever started it: see [`super::Confined::listener`].
    Proxied,
    /// The user's own.
    Open,
}

/// How much a program may use; `None` is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramLimits {
    /// Memory in bytes: of each process, and, looked at several times a second, of all together.
    pub memory: Option<u64>,
    /// Processes and threads at the same time.
    pub processes: Option<u64>,
    /// Size of a file that it writes, in bytes.
    pub file: Option<u64>,
}

const GIB: u64 = 1 << 30;

impl ProgramLimits {
    /// Memory in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.memory.unwrap_or(4 * GIB)
    }

    /// Processes and threads.
    #[must_use]
    pub fn processes(&self) -> u64 {
        self.processes.unwrap_or(512)
    }

    /// Size of a file in bytes.
    #[must_use]
    pub fn file(&self) -> u64 {
        self.file.unwrap_or(2 * GIB)
    }
}

/// A wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// A user namespace: being root there is being nobody outside.
    User,
    /// A mount namespace whose root has what the program may see, and nothing else.
    Files,
    /// What other programs execute stays as it is in writable folders.
    Closed,
    /// A namespace of processes: no others are seen, and none is left behind.
    Processes,
    /// A network namespace without a way out.
    Network,
    /// No capabilities, and no way to new ones: setuid programs gain nothing.
    Privileges,
    /// Landlock: files once more, abstract sockets, signals.
    Landlock,
    /// The filter of system calls.
    Calls,
    /// Limits of memory, processes and files.
    Limits,
}
