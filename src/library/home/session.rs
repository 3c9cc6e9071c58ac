//! Which processes use a home right now, so that nobody takes another's runs for abandoned.
//!
//! Each process holds an operating-system lock on a file of its own; the system drops it however the process ends.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::private;
use crate::launch;

const FOLDER: &str = "sessions";

/// This process, as the home knows it.
pub struct Session {
    id: String,
    folder: PathBuf,
    /// Locked for as long as it is open. None where nothing can be written, so that nobody looks for it.
    _file: Option<File>,
}

impl Session {
    /// Registers this process.
    ///
    /// # Errors
    /// When the lock file can't be made.
    pub fn start(home: &Path) -> io::Result<Self> {
        let folder = home.join(FOLDER);
        private::make_folder(&folder)?;
        loop {
            let id = uuid::Uuid::now_v7().to_string();
            let path = folder.join(&id);
            let mut file = private::create_new(&path)?;
            file.lock()?;
            file.write_all(launch::owner().as_bytes())?;
            // Another process may have come in between, and taken the file for one that was left behind.
            if path.exists() {
                return Ok(Self { id, folder, _file: Some(file) });
            }
        }
    }

    /// A session that nobody else sees, of a process that writes nothing.
    #[must_use]
    pub fn unseen(home: &Path) -> Self {
        Self { id: uuid::Uuid::now_v7().to_string(), folder: home.join(FOLDER), _file: None }
    }

    /// The id of this process's session.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the process of another session has ended, and with it what it had started: whoever goes on with its runs
    /// does not do so beside it.
    #[must_use]
    pub fn is_dead(&self, id: &str) -> bool {
        let path = self.folder.join(id);
        id != self.id && is_unlocked(&path) && !has_left(&path)
    }

    /// Removes the files of processes that have ended.
    pub fn remove_dead_files(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for name in entries.filter_map(|entry| entry.file_name().into_string().ok()) {
            let path = self.folder.join(&name);
            let Ok(file) = File::open(&path) else { continue };
            // Kept locked until it is gone: whoever is about to lock the file that they have just made sees that.
            if name != self.id
                && file.try_lock().is_ok()
                && !has_left(&path)
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::debug!(%error, "a dead session can't be removed");
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

/// Whether something lives yet that the process of a session started.
fn has_left(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|owner| !owner.is_empty() && launch::has_left(&owner))
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
    fn sessions_that_start_while_others_clean_up_are_alive() {
        let home = tempfile::tempdir().unwrap();
        let cleaner = Session::start(home.path()).unwrap();
        let is_done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    cleaner.remove_dead_files();
                }
            });
            let mut dead = 0;
            for _ in 0..20 {
                let started: Vec<Session> = (0..100).map(|_| Session::start(home.path()).unwrap()).collect();
                dead += started.iter().filter(|session| cleaner.is_dead(session.id())).count();
            }
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(dead, 0);
        });
    }

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
