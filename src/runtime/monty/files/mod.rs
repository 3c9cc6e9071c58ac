//! Changes of files in granted folders, which are made here and not by the interpreter's own door: within the bytes that
//! the run may write, and never of what other programs execute (`domain::startup_files`).
//!
//! A path is judged as it is written, at every symbolic link on its way, and as where it leads. It is then walked again
//! without following any link, so that nobody can put one there in between. Reading stays with the interpreter's door.

mod act;
mod change;
mod place;

use std::{path::PathBuf, sync::Arc};

use cap_std::{ambient_authority, fs::Dir};
use monty_fs::MountError;
use monty_types::{ExcType, MontyException, MontyObject};

pub use change::Change;

use crate::runtime::{Budget, Limits, Mount};

/// A granted folder in which files may be changed.
#[derive(Debug)]
struct Folder {
    /// Its absolute path, by which code calls it as well.
    path: String,
    /// The grants from which paths are judged.
    grants: Vec<PathBuf>,
    dir: Dir,
}

/// The granted folders in which files may be changed.
#[derive(Debug, Clone)]
pub struct Folders(Arc<[Folder]>);

/// Why a change is not made.
#[derive(Debug)]
enum Refusal {
    /// The system, or the walls of the folder, say no.
    Io(std::io::Error, String),
    /// It is of something that other programs execute: the path, and the part of it that is closed.
    Closed(String, String),
    /// The run has written as much as it may.
    Full,
    /// A path that no file system takes.
    NullByte,
}

impl Folders {
    /// Opens those of `mounts` that may be written. One that has gone is not there for the code either.
    pub fn open(mounts: &[Mount]) -> Self {
        let folders = mounts.iter().filter(|mount| mount.writable).filter_map(|mount| {
            let dir = Dir::open_ambient_dir(&mount.path, ambient_authority()).ok()?;
            Some(Folder { path: mount.path.to_str()?.to_owned(), grants: mount.grants.clone(), dir })
        });
        Self(folders.collect())
    }

    /// Makes a change where it is of one of these folders. Blocks.
    pub fn make(
        &self,
        change: &Change,
        budget: &Budget,
        limits: Limits,
    ) -> Option<Result<MontyObject, MontyException>> {
        let folder = self.0.iter().find(|folder| change.paths().all(|path| folder.holds(path)))?;
        Some(folder.make(change, budget).map_err(|refusal| refusal.into_exception(limits)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Folder {
    /// Whether a normalised absolute path is this folder or lies in it.
    fn holds(&self, path: &str) -> bool {
        path == self.path || self.below(path).is_some()
    }

    /// The rest of a path that lies in this folder.
    fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.path == "/" { path.strip_prefix('/') } else { path.strip_prefix(&self.path)?.strip_prefix('/') }
    }
}

impl Refusal {
    fn into_exception(self, limits: Limits) -> MontyException {
        match self {
            Self::Io(error, path) => MountError::Io(error, path).into_exception(),
            Self::Closed(path, part) => MontyException::new(
                ExcType::PermissionError,
                Some(format!(
                    "`{path}` can't be changed: other programs execute `{part}` or take commands from it, so that a grant \
                     of a folder around it does not open it; the user can name it itself in `write` under [policy] in \
                     config.toml"
                )),
            ),
            Self::Full => MontyException::new(
                ExcType::OSError,
                Some(format!(
                    "[Errno 28] the run may write {} MiB to files and would exceed that (`write_mib` under [limits] in \
                     config.toml)",
                    limits.write_bytes / (1024 * 1024)
                )),
            ),
            Self::NullByte => MontyException::new(ExcType::ValueError, Some("embedded null byte".to_owned())),
        }
    }
}
