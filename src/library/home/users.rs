//! Whose runs the user of this process sees.

use crate::{library::Library, storage::Users};

impl Library {
    /// This user, and those who show their runs to all of the home. None but this one where nobody can tell.
    pub(in crate::library) fn seen_users(&self) -> Users {
        match self.config() {
            Ok(config) => Users::new(&self.user, &config.runs.shared_by),
            Err(_) => Users::new(&self.user, &[]),
        }
    }
}
