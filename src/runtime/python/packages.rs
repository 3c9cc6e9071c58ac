//! Packages: resolved once by `uv` into a lock, and put into a folder of their own when it is first needed.
//!
//! The lock is a list of requirements, each in one version with the digests of its files, for all platforms. Only wheels are taken, so
//! that nothing of a package is executed before the code imports it. Equal locks share a folder.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

use super::command::{self, Output};

/// In an environment's folder: when it was last used, as the time at which this was changed.
const USED: &str = "repertoire-used";
/// What was used so recently is not noted anew.
const NOTED_ANEW: Duration = Duration::from_hours(1);
/// In a folder in which an environment is made: what it is to have.
const REQUIREMENTS: &str = "requirements.txt";
/// Folders of environments that were not finished begin so.
const UNFINISHED: &str = "making-";
/// How much of what `uv` says is told.
const MOST_SAID_CHARS: usize = 1200;

/// How packages are got.
#[derive(Debug, Clone)]
pub struct Packages {
    /// The program `uv`.
    pub uv: PathBuf,
    /// The interpreter that they are for, where the code names no other.
    pub program: PathBuf,
    /// Where they come from; where `uv` looks by itself otherwise.
    pub index: Option<String>,
    /// What `uv` finds in its environment.
    pub variables: Vec<(OsString, OsString)>,
    /// Where environments are.
    pub folder: PathBuf,
}

/// Why packages can't be had.
#[derive(Debug, thiserror::Error)]
pub enum PackagesError {
    /// `uv` is not there.
    #[error("packages are got with `{}`, which is not installed or not in PATH", .0.display())]
    NoUv(PathBuf),
    /// `uv` found no versions that fit together.
    #[error("the dependencies can't be resolved: {0}")]
    Unresolved(String),
    /// `uv` could not put them into a folder.
    #[error("the packages can't be installed: {0}")]
    NotInstalled(String),
    /// The folder can't be used.
    #[error("the folder of the packages can't be used: {0}")]
    Folder(#[from] io::Error),
}

impl Packages {
    /// The lock of these dependencies for a Python as `requires` says, or for the interpreter.
    ///
    /// # Errors
    /// [`PackagesError`].
    pub async fn resolve(&self, dependencies: &[String], requires: Option<&str>) -> Result<String, PackagesError> {
        let python = self.python(requires);
        let mut arguments: Vec<OsString> =
            Vec::from(["pip", "compile", "-", "--universal", "--generate-hashes"].map(OsString::from));
        arguments.extend(["--no-build", "--no-header", "--no-annotate", "--quiet", "--python"].map(OsString::from));
        arguments.push(python);
        arguments.extend(self.index_arguments());
        let said = self.uv(arguments, &dependencies.join("\n")).await?;
        if said.succeeded && !said.stdout.trim().is_empty() {
            return Ok(said.stdout);
        }
        Err(PackagesError::Unresolved(told(&said)))
    }

    /// The interpreter of the environment that a lock describes, which is made where there is none.
    ///
    /// # Errors
    /// [`PackagesError`].
    pub async fn environment(&self, lock: &str, requires: Option<&str>) -> Result<PathBuf, PackagesError> {
        let python = self.python(requires);
        let key = blake3::hash(format!("{}\n{lock}", python.to_string_lossy()).as_bytes()).to_hex();
        let folder = self.folder.join(&key[..32]);
        let known = folder.clone();
        if !on_disk(move || Ok(note_use(&known))).await? {
            self.make(lock, python, &folder).await?;
        }
        Ok(interpreter_in(&folder))
    }

    async fn make(&self, lock: &str, python: OsString, folder: &Path) -> Result<(), PackagesError> {
        let (beside, lock) = (self.folder.clone(), lock.to_owned());
        // Beside it, so that it is whole as soon as it has its name: others may make the same.
        let making = on_disk(move || {
            fs::create_dir_all(&beside)?;
            let making = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&beside)?;
            fs::write(making.path().join(REQUIREMENTS), lock)?;
            Ok(Making(Some(making)))
        });
        let making = making.await?;
        let list = making.path().join(REQUIREMENTS);
        let inside = making.path().join("environment");
        let venv = [OsString::from("venv"), "--relocatable".into(), "--quiet".into(), "--python".into(), python];
        let made = self.uv(venv.into_iter().chain([inside.clone().into()]), "").await?;
        if !made.succeeded {
            return Err(PackagesError::NotInstalled(told(&made)));
        }
        let mut arguments: Vec<OsString> =
            Vec::from(["pip", "sync", "--require-hashes", "--no-build", "--compile-bytecode"].map(OsString::from));
        arguments.extend(["--quiet".into(), "--python".into(), inside.clone().into()]);
        arguments.extend(self.index_arguments());
        arguments.push(list.into());
        let made = self.uv(arguments, "").await?;
        if !made.succeeded {
            return Err(PackagesError::NotInstalled(told(&made)));
        }
        let folder = folder.to_owned();
        on_disk(move || {
            fs::write(inside.join(USED), "")?;
            match fs::rename(&inside, &folder) {
                // Somebody else was faster.
                Err(error) if !folder.join(USED).exists() => Err(error),
                _ => Ok(()),
            }
        })
        .await?;
        Ok(())
    }

    fn python(&self, requires: Option<&str>) -> OsString {
        requires.map_or_else(|| self.program.clone().into_os_string(), OsString::from)
    }

    fn index_arguments(&self) -> Vec<OsString> {
        self.index.iter().flat_map(|index| [OsString::from("--default-index"), index.into()]).collect()
    }

    /// What version of `uv` there is.
    ///
    /// # Errors
    /// [`PackagesError::NoUv`].
    pub async fn version(&self) -> Result<String, PackagesError> {
        let said = self.uv([OsString::from("--version")], "").await?;
        Ok(said.stdout.trim().to_owned())
    }

    async fn uv(&self, arguments: impl IntoIterator<Item = OsString>, stdin: &str) -> Result<Output, PackagesError> {
        // Nothing of a project that it happens to be started in, and no interpreters but those that are there.
        let arguments =
            arguments.into_iter().chain(["--no-config", "--no-python-downloads", "--no-progress"].map(OsString::from));
        let run = command::output(self.uv.as_os_str(), arguments, stdin, |command| {
            command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
            command.current_dir(std::env::temp_dir());
        });
        run.await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PackagesError::NoUv(self.uv.clone()),
            _ => PackagesError::Folder(error),
        })
    }
}

/// A folder in which an environment is made. What is left of it goes away off the async threads.
struct Making(Option<TempDir>);

impl Making {
    fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new(""), TempDir::path)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let folder = self.0.take();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || drop(folder))),
            Err(_) => drop(folder),
        }
    }
}

/// Does something with files off the async threads.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn told(said: &Output) -> String {
    let text = if said.stderr.trim().is_empty() { &said.stdout } else { &said.stderr };
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MOST_SAID_CHARS).collect()
}

fn interpreter_in(folder: &Path) -> PathBuf {
    if cfg!(windows) { folder.join("Scripts").join("python.exe") } else { folder.join("bin").join("python") }
}

/// Notes that an environment is used; `false` where there is none. Where that can't be written it may be removed sooner, and is
/// made again.
fn note_use(folder: &Path) -> bool {
    let Some(used_at) = used_at(folder) else { return false };
    if used_at.elapsed().is_ok_and(|since| since >= NOTED_ANEW) {
        let _ = fs::write(folder.join(USED), "");
    }
    true
}

fn used_at(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder.join(USED)).ok()?.modified().ok()
}

/// What environments take, and what was removed of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Environments {
    pub count: usize,
    pub bytes: u64,
}

/// The environments in `folder` that nobody has used for so long; all of them for none.
#[must_use]
pub fn environments(folder: &Path, unused_for: Duration) -> Environments {
    let mut found = Environments::default();
    for folder in unused(folder, unused_for) {
        found.count += 1;
        found.bytes += size_of(&folder);
    }
    found
}

/// Removes the environments in `folder` that nobody has used for so long, and tells what they took.
pub fn remove_environments(folder: &Path, unused_for: Duration) -> Environments {
    let mut removed = Environments::default();
    for folder in unused(folder, unused_for) {
        let bytes = size_of(&folder);
        // First the mark, so that half of one is never used.
        if fs::remove_file(folder.join(USED)).is_ok() && fs::remove_dir_all(&folder).is_ok() {
            removed.count += 1;
            removed.bytes += bytes;
        }
    }
    removed
}

fn unused(folder: &Path, unused_for: Duration) -> Vec<PathBuf> {
    let folders = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_unused =
        |folder: &PathBuf| used_at(folder).is_some_and(|at| at.elapsed().is_ok_and(|since| since >= unused_for));
    folders.filter(is_unused).collect()
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size_of(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |metadata| metadata.len()),
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_used_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["one", "two"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("module.py"), "x = 1\n").unwrap();
            fs::write(folder.path().join(name).join(USED), "").unwrap();
        }
        // One that is being made is left alone.
        fs::create_dir(folder.path().join(UNFINISHED)).unwrap();
        let long_ago = SystemTime::now() - Duration::from_hours(1000);
        fs::File::open(folder.path().join("one").join(USED)).unwrap().set_modified(long_ago).unwrap();
        let (all, month) = (Duration::ZERO, Duration::from_hours(720));
        assert_eq!(environments(folder.path(), all), Environments { count: 2, bytes: 12 });
        assert_eq!(remove_environments(folder.path(), month), Environments { count: 1, bytes: 6 });
        assert!(!folder.path().join("one").exists() && folder.path().join("two").exists());
    }
}
