//! The file behind a path: which one it is, and bringing one back that was taken away while it was open.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

/// Which file a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(u64, u64);

/// Which file `path` leads to; another one where it was replaced.
#[cfg(unix)]
pub fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).map(|metadata| Identity(metadata.dev(), metadata.ino()))
}

/// A file that is open can't be replaced here.
#[cfg(not(unix))]
pub fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|_| Identity(0, 0))
}

/// Whether a file that nobody here writes is still as it was: when it was changed, and how much waits to go into it.
pub type Stamp = (Option<SystemTime>, u64);

/// The stamp of a database file.
pub fn stamp(path: &Path) -> Stamp {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    (modified, fs::metadata(companion(path, "-wal")).map_or(0, |metadata| metadata.len()))
}

/// A file that SQLite keeps beside a database: `-wal` or `-shm`.
pub fn companion(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes an empty file for this user alone, or leaves the one that is there.
pub fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Copies all that `source` sees to `to`, which is made anew for this user alone.
pub fn copy(source: &Connection, to: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => make_private(to)?,
    }
    let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // In one go: with the write lock held nothing changes meanwhile, and readers don't wait for it.
    match Backup::new(source, &mut target)?.step(-1)? {
        StepResult::Done => Ok(()),
        _ => Err("the database is in use".into()),
    }
}

/// Puts the file back that `connection` has open and that is not at `path` any more. Callers see to it that nobody writes it. Where
/// another process was faster, theirs stays.
pub fn bring_back(connection: &Connection, path: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let partial = companion(path, &format!(".{}", std::process::id()));
    copy(connection, &partial)?;
    if path.exists() {
        return Ok(fs::remove_file(&partial)?);
    }
    // They belong to the file that is gone: beside this one they would be taken for its own.
    for ending in ["-wal", "-shm"] {
        match fs::remove_file(companion(path, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    let linked = fs::hard_link(&partial, path);
    fs::remove_file(&partial)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => Ok(linked?),
    }
}
