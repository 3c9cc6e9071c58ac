//! Which processes use a home right now, so that nobody takes another's runs for abandoned.
//!
//! Each process holds an operating-system lock on a file of its own; the system drops it however the process ends.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

const FOLDER: &str = "sessions";

/// This process, as the home knows it.
pub struct Session {
    id: String,
    folder: PathBuf,
    /// Locked for as long as it is open.
    _file: File,
}

impl Session {
    /// Registers this process.
    ///
    /// # Errors
    /// When the lock file can't be made.
    pub fn start(home: &Path) -> io::Result<Self> {
        let folder = home.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let id = uuid::Uuid::now_v7().to_string();
        let file = File::create(folder.join(&id))?;
        file.lock()?;
        Ok(Self { id, folder, _file: file })
    }

    /// The id of this process's session.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the process of another session has ended.
    #[must_use]
    pub fn is_dead(&self, id: &str) -> bool {
        id != self.id && is_unlocked(&self.folder.join(id))
    }

    /// Removes the files of processes that have ended.
    pub fn remove_dead_files(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
            if self.is_dead(&name)
                && let Err(error) = fs::remove_file(self.folder.join(&name))
            {
                tracing::debug!(%error, "another process was faster in removing a dead session");
            }
        }
    }
}

fn is_unlocked(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => !matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// How many processes use a home.
pub fn count_open(home: &Path) -> usize {
    let entries = fs::read_dir(home.join(FOLDER)).into_iter().flatten().flatten();
    entries.filter(|entry| !is_unlocked(&entry.path())).count()
}

impl Drop for Session {
    fn drop(&mut self) {
        // Left behind when this fails; the next process that opens the home removes it.
        let _ = fs::remove_file(self.folder.join(&self.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_alive_until_it_is_dropped() {
        let home = tempfile::tempdir().unwrap();
        let (mine, other) = (Session::start(home.path()).unwrap(), Session::start(home.path()).unwrap());
        let id = other.id().to_owned();
        assert!(!mine.is_dead(&id));
        assert_eq!(count_open(home.path()), 2);
        drop(other);
        assert!(mine.is_dead(&id));
        assert_eq!(count_open(home.path()), 1);
        assert!(!mine.is_dead(mine.id()));
    }
}
