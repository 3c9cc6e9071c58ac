//! Removing checkpoints that are too old or too many, by the rules of `[checkpoints]` in `config.toml`.

use crate::{
    library::{Library, LibraryError, now_ms},
    storage::StorageError,
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Removed at once: others may write in between.
const BATCH: u32 = 200;

impl Library {
    /// Removes checkpoints that are older than `max_age_days`, and the oldest while all take more than `max_mib`; gives
    /// how many that were. Where an open run goes on is removed for its age only.
    ///
    /// # Errors
    /// [`LibraryError::Config`] or [`LibraryError::Storage`].
    pub fn prune_checkpoints(&self) -> Result<usize, LibraryError> {
        let settings = self.config()?.checkpoints.clone();
        let mut removed = 0;
        if settings.max_age_days > 0 {
            let before = now_ms() - i64::from(settings.max_age_days) * DAY_MS;
            loop {
                let count =
                    self.database.write::<_, StorageError>(|writer| writer.remove_checkpoints_before(before, BATCH))?;
                removed += count;
                if count < BATCH as usize {
                    break;
                }
            }
        }
        if settings.max_mib > 0 {
            let most = i64::from(settings.max_mib) * 1024 * 1024;
            while self.database.read(|reader| reader.checkpoint_bytes(most))? > most {
                // Counted again under the lock: several servers do this at once, and each would remove all of it.
                let removal =
                    self.database.write::<_, StorageError>(|writer| match writer.checkpoint_bytes(most)? - most {
                        excess if excess > 0 => writer.remove_oldest_checkpoints(excess, BATCH).map(Some),
                        _ => Ok(None),
                    });
                match removal? {
                    Some(0) => {
                        tracing::warn!("open runs alone have more checkpoints than `checkpoints.max_mib` allows");
                        break;
                    }
                    count => removed += count.unwrap_or_default(),
                }
            }
        }
        if removed > 0 {
            tracing::info!(removed, "old checkpoints were removed, as [checkpoints] in config.toml says");
        }
        Ok(removed)
    }
}
