//! What a call of the interpreter wants to change.

use monty_types::{
    CallArgs, FileMode,
    unstable::{self, MontyNode},
};

use crate::runtime::monty::values;

/// A call that changes something. Paths are absolute, without `.` and `..`.
#[derive(Debug)]
pub enum Change {
    /// The whole of a file, or what comes behind it.
    Write {
        path: String,
        data: Vec<u8>,
        /// Whether what is there stays.
        appends: bool,
        /// What the call returns: characters of a text, bytes otherwise.
        count: usize,
    },
    /// A file that is made, and emptied where it is there and the mode says so.
    Open { path: String, mode: FileMode },
    /// A folder.
    Mkdir { path: String, parents: bool, exist_ok: bool },
    /// A file that is removed.
    Unlink { path: String },
    /// A folder that is removed.
    Rmdir { path: String },
    /// What is moved.
    Rename { from: String, to: String },
}

impl Change {
    /// Reads a call; `None` where it changes nothing.
    pub fn of(function: &str, args: &CallArgs) -> Option<Self> {
        let text = |index| args.arg(index).map(values::to_text).unwrap_or_default();
        let flag =
            |name: &str| args.kwargs().any(|(key, value)| key.as_str() == Some(name) && value.as_bool() == Some(true));
        let path = text(0);
        Some(match function {
            "Path.write_text" | "Path.append_text" => {
                let data = text(1);
                let count = data.chars().count();
                Self::Write { path, data: data.into_bytes(), appends: function == "Path.append_text", count }
            }
            "Path.write_bytes" | "Path.append_bytes" => {
                let data = match args.arg(1).map(unstable::node) {
                    Some(MontyNode::Bytes(bytes)) => bytes.clone(),
                    _ => Vec::new(),
                };
                let count = data.len();
                Self::Write { path, data, appends: function == "Path.append_bytes", count }
            }
            "open" => {
                let mode: FileMode = text(1).parse().ok()?;
                if !mode.create() {
                    return None;
                }
                Self::Open { path, mode }
            }
            "Path.mkdir" => Self::Mkdir { path, parents: flag("parents"), exist_ok: flag("exist_ok") },
            "Path.unlink" => Self::Unlink { path },
            "Path.rmdir" => Self::Rmdir { path },
            "Path.rename" => Self::Rename { from: path, to: text(1) },
            _ => return None,
        })
    }

    /// The paths that it names.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let (first, second) = match self {
            Self::Write { path, .. }
            | Self::Open { path, .. }
            | Self::Mkdir { path, .. }
            | Self::Unlink { path }
            | Self::Rmdir { path } => (path, None),
            Self::Rename { from, to } => (from, Some(to)),
        };
        std::iter::once(first).chain(second).map(String::as_str)
    }
}
