//! What changes in a home, for whoever shows it. It is noticed by looking, since other processes change it as well.

use std::time::Duration;

use super::{Library, LibraryError, Services};
use crate::storage::Watch;

/// How often is looked: as fast as people notice.
const INTERVAL: Duration = Duration::from_millis(250);

/// A place in the history of a home, from which on changes are noticed.
pub struct Changes {
    watch: Watch,
    head: Option<String>,
}

/// What changed, beside what was written about runs and whatever else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// There are other procedures, or other versions of them.
    pub procedures: bool,
}

impl Library {
    fn watch(&self) -> Result<Changes, LibraryError> {
        Ok(Changes { watch: self.database.watch()?, head: self.versions.head()? })
    }

    fn changed(&self, changes: &mut Changes) -> Result<Option<Changed>, LibraryError> {
        let is_written = self.database.has_changed(&mut changes.watch)?;
        let head = self.versions.head()?;
        let procedures = std::mem::replace(&mut changes.head, head.clone()) != head;
        Ok((is_written || procedures).then_some(Changed { procedures }))
    }
}

impl Services {
    /// Notices from now on what is changed.
    ///
    /// # Errors
    /// [`LibraryError::Storage`] or [`LibraryError::Versions`].
    pub async fn watch(&self) -> Result<Changes, LibraryError> {
        self.blocking(Library::watch).await
    }

    /// Waits until something is changed, by this process or any other. What is changed together is told once.
    ///
    /// # Errors
    /// [`LibraryError::Storage`] or [`LibraryError::Versions`].
    pub async fn next_change(&self, changes: Changes) -> Result<(Changed, Changes), LibraryError> {
        let mut changes = changes;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let look = move |library: &Library| Ok((library.changed(&mut changes)?, changes));
            let (changed, looked) = self.blocking(look).await?;
            changes = looked;
            if let Some(changed) = changed {
                return Ok((changed, changes));
            }
        }
    }
}
