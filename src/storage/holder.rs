//! Which program holds the lock of a database file, where the system tells.

use std::path::Path;

use rusqlite::ErrorCode;

use super::error::StorageError;

/// Whether somebody else has the file.
pub fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// That somebody else has it, as SQLite says it.
pub fn busy() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

/// The error, with the holder of the lock where it is about one.
pub fn named(error: rusqlite::Error, path: &Path) -> StorageError {
    if is_busy(&error) { StorageError::Busy { path: path.to_owned(), holder: holder(path) } } else { error.into() }
}

/// The program that holds the lock of the database `path`, with its process id.
#[cfg(target_os = "linux")]
fn holder(path: &Path) -> Option<String> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let mut shared = path.as_os_str().to_owned();
    shared.push("-shm");
    let process = [(Path::new(&shared), true), (path, false)].into_iter().find_map(|(file, is_shared)| {
        use std::os::unix::fs::MetadataExt as _;
        let inode = std::fs::metadata(file).ok()?.ino();
        locks
            .lines()
            .find_map(|line| writer_of(line, inode, is_shared))
            .filter(|process| *process != std::process::id())
    })?;
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
    Some(format!("`{}`, process {process}", name.trim()))
}

#[cfg(not(target_os = "linux"))]
fn holder(_: &Path) -> Option<String> {
    None
}

/// The process that a line of `/proc/locks` names, if it keeps writers off this file. In the file that processes share
/// beside a database, these are the locks of the first three bytes that SQLite locks there; the others are readers'.
#[cfg(target_os = "linux")]
fn writer_of(line: &str, inode: u64, is_shared: bool) -> Option<u32> {
    const LOCK_BYTES: std::ops::RangeInclusive<u64> = 120..=122;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, _, _, "WRITE", process, file, start, ..] = fields[..] else { return None };
    let is_this = file.rsplit(':').next().and_then(|inode| inode.parse::<u64>().ok()) == Some(inode);
    let keeps_off = !is_shared || start.parse().is_ok_and(|start| LOCK_BYTES.contains(&start));
    if is_this && keeps_off { process.parse().ok() } else { None }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn only_who_keeps_writers_off_is_a_holder() {
        for (line, shared, file) in [
            ("3: POSIX  ADVISORY  WRITE 812 fe:00:77 120 120", Some(812), Some(812)),
            ("3: POSIX  ADVISORY  READ  812 fe:00:77 120 120", None, None),
            ("3: POSIX  ADVISORY  WRITE 812 fe:00:78 120 120", None, None),
            ("3: POSIX  ADVISORY  WRITE 812 fe:00:77 124 124", None, Some(812)),
            ("3: POSIX  ADVISORY  WRITE 812 fe:00:77 1073741824 1073742335", None, Some(812)),
            ("3: -> POSIX  ADVISORY  WRITE 812 fe:00:77 120 120", None, None),
            ("4: FLOCK  ADVISORY  WRITE 900 fe:00:77 0 EOF", None, Some(900)),
            ("", None, None),
        ] {
            assert_eq!((writer_of(line, 77, true), writer_of(line, 77, false)), (shared, file), "{line}");
        }
    }
}
