//! Whose turn it is: one process at a time keeps a home from growing.

use std::fs::{File, OpenOptions, TryLockError};

use crate::library::{Library, LibraryError};

const FILE: &str = "upkeep.lock";

/// It is this process's turn, for as long as this is there. The system takes it back however the process ends.
#[derive(Debug)]
pub struct Turn {
    _file: File,
}

impl Library {
    /// Takes the turn; `None` while another process has it.
    pub(super) fn take_turn(&self) -> Result<Option<Turn>, LibraryError> {
        let path = self.folder.join(FILE);
        let home_error = |error: std::io::Error| LibraryError::home(&path, &error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(home_error)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Turn { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(home_error(error)),
        }
    }
}
