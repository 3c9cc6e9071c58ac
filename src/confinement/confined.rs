//! A program within bounds, as whoever started it sees it.

#[cfg(any(target_os = "linux", target_os = "macos"))]
use std::ffi::{OsStr, OsString};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use tokio::process::Command;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use super::listener::Listener;
#[cfg(any(target_os = "linux", target_os = "macos"))]
use super::{Bounds, Network, closed};
#[cfg(any(target_os = "linux", target_os = "macos"))]
use crate::launch;
use crate::launch::{Launched, WriteMeter};

/// Files of the private folder: what is wanted,
#[cfg(target_os = "linux")]
pub const BOUNDS: &str = "bounds.json";
/// the walls that were planned for that,
#[cfg(target_os = "linux")]
pub const WALLS: &str = "walls.json";
/// what other programs execute and was there before,
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub const INVENTORY: &str = "inventory.json";
/// and how it ended.
pub const ENDED: &str = "ended.json";
/// Its folders: for temporary files of the program,
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub const TEMPORARY: &str = "tmp";
/// and where its root is made.
#[cfg(target_os = "linux")]
pub const ROOT: &str = "root";

/// Begins the name of a private folder.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const PREFIX: &str = "repertoire-";
/// Where it may be, if not in the folder for temporary files: somewhere that the program may not write.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const OTHER_FOLDERS: [&str; 3] = ["/var/tmp", "/dev/shm", "/run"];

/// How a confined program ended, where its exit code does not say it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By a signal.
    Signal(i32),
    /// It was never started, because a wall could not be built.
    NoWall(String),
    /// It was stopped, because it used more than it may.
    Exceeded(String),
}

/// A program that was started, within bounds or, where nobody wanted any, without. Dropping it ends it with all that it
/// started.
pub struct Confined {
    child: Launched,
    private: Option<TempDir>,
    listener: Option<Listener>,
}

impl From<Launched> for Confined {
    fn from(child: Launched) -> Self {
        Self { child, private: None, listener: None }
    }
}

/// Starts it by way of the stages that build walls.
#[cfg(target_os = "linux")]
pub(super) fn start<A: AsRef<OsStr>>(
    program: &OsStr,
    arguments: impl IntoIterator<Item = A>,
    bounds: &Bounds,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<Confined> {
    let private = private_folder(&bounds.write)?;
    fs::write(private.path().join(BOUNDS), serde_json::to_vec(bounds)?)?;
    fs::create_dir(private.path().join(ROOT))?;
    let listener = (bounds.network == Network::Proxied).then(|| Listener::expected(private.path())).transpose()?;
    let of_stage = [private.path().as_os_str().to_owned(), program.to_owned()];
    let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
    let arguments: Vec<OsString> = of_stage.into_iter().chain(arguments).collect();
    let child = launch::launch_as(launch::CONFINE, arguments, prepare)?;
    let child = child.ok_or_else(|| unsupported("this program can't be its own launcher"))?;
    Ok(Confined { child, private: Some(private), listener })
}

/// Starts it by way of the system's program that builds walls.
#[cfg(target_os = "macos")]
pub(super) fn start<A: AsRef<OsStr>>(
    program: &OsStr,
    arguments: impl IntoIterator<Item = A>,
    bounds: &Bounds,
    prepare: impl FnOnce(&mut Command),
) -> io::Result<Confined> {
    if bounds.network == Network::Proxied {
        let why = "a grant of hosts takes a network of the program's own, which this system does not have";
        return Err(unsupported(why));
    }
    let private = private_folder(&bounds.write)?;
    let temporary = private.path().join(TEMPORARY);
    let mut pins = Vec::new();
    if !bounds.startup_files {
        let inventory;
        (inventory, pins) = closed::take_stock(&super::plan::still_real(&bounds.write))?;
        fs::write(private.path().join(INVENTORY), serde_json::to_vec(&inventory)?)?;
    }
    let walls = super::plan::plan(bounds.clone(), pins, Path::new(program), &temporary);
    let profile = super::profile::profile(&walls, &temporary);
    let of_system = [OsString::from("-p"), OsString::from(profile), program.to_owned()];
    let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
    let arguments: Vec<OsString> = of_system.into_iter().chain(arguments).collect();
    let child = launch::launch("/usr/bin/sandbox-exec", arguments, |command| {
        prepare(command);
        command.env("TMPDIR", &temporary);
    })?;
    Ok(Confined { child, private: Some(private), listener: None })
}

/// A folder of this user alone that the program gets a part of.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn private_folder(write: &[PathBuf]) -> io::Result<TempDir> {
    let others = OTHER_FOLDERS.into_iter().map(PathBuf::from);
    let mut folders =
        std::iter::once(std::env::temp_dir()).chain(others).filter_map(|path| fs::canonicalize(path).ok());
    let is_apart = |folder: &PathBuf| !write.iter().any(|granted| folder.starts_with(granted));
    let folder =
        folders.find(is_apart).ok_or_else(|| io::Error::other("all folders for temporary files are granted"))?;
    let private = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder)?;
    fs::create_dir(private.path().join(TEMPORARY))?;
    Ok(private)
}

/// That there are no walls here.
pub(super) fn unsupported(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

impl Confined {
    /// Its stdin, once, where it was given a pipe.
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin()
    }

    /// Its stdout, once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout()
    }

    /// Its stderr, once.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr()
    }

    /// The listener that the program finds in its network, once, where that is [`Network::Proxied`]. What connects to it waits
    /// for whoever serves it.
    pub fn listener(&mut self) -> Option<Listener> {
        self.listener.take()
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// What the system says; that a wall could not be built, as [`io::ErrorKind::Unsupported`]; that it was stopped because it
    /// used more than it may, as [`io::ErrorKind::QuotaExceeded`].
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        match self.private.as_ref().and_then(|private| ended(private.path())) {
            Some(Ended::NoWall(why)) => Err(unsupported(&why)),
            Some(Ended::Exceeded(what)) => Err(io::Error::new(io::ErrorKind::QuotaExceeded, what)),
            Some(Ended::Signal(_)) | None => Ok(status),
        }
    }

    /// What tells how much it and all that it started wrote to files; `None` where the system does not tell that. `write` is
    /// where it may.
    #[must_use]
    pub fn write_meter(&self, write: &[PathBuf]) -> Option<WriteMeter> {
        let own = self.private.as_ref().map_or_else(std::env::temp_dir, |private| private.path().to_owned());
        self.child.write_meter(write.iter().cloned().chain([own]).collect())
    }

    /// Whether it has ended, as far as that is known without waiting.
    pub fn has_ended(&mut self) -> bool {
        !self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Asks it to end; `false` where that can't be asked.
    #[cfg(unix)]
    pub fn terminate(&self) -> bool {
        self.child.terminate()
    }

    /// Ends it with everything that it started.
    pub fn end(&mut self) {
        self.child.end();
    }

    /// When it has ended: sets aside what it left in writable folders that makes other programs run code, and removes its
    /// private folder. Returns what was set aside, as it was called.
    pub async fn clear_up(mut self) -> Vec<PathBuf> {
        let Some(private) = self.private.take() else { return Vec::new() };
        let cleared = tokio::task::spawn_blocking(move || {
            let found = set_aside(private.path());
            drop(private);
            found
        });
        cleared.await.unwrap_or_default()
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        self.child.end();
        let Some(private) = self.private.take() else { return };
        let clear_up = move || {
            let _ = set_aside(private.path());
        };
        // There may be much to remove.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(clear_up)),
            Err(_) => clear_up(),
        }
    }
}

/// Without walls nothing was looked at before.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
const fn set_aside(_: &Path) -> Vec<PathBuf> {
    Vec::new()
}

/// What is said of its end in its private folder.
pub(super) fn ended(private: &Path) -> Option<Ended> {
    serde_json::from_slice(&fs::read(private.join(ENDED)).ok()?).ok()
}

/// Sets aside what a program left that has ended.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn set_aside(private: &Path) -> Vec<PathBuf> {
    let inventory = fs::read(private.join(INVENTORY)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let Some(inventory): Option<closed::Inventory> = inventory else { return Vec::new() };
    #[cfg(target_os = "linux")]
    let mut found = super::kept::put_back(private, &inventory.folders);
    #[cfg(not(target_os = "linux"))]
    let mut found = Vec::new();
    found.extend(closed::set_aside(&inventory));
    found
}
