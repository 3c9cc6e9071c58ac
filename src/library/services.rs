//! The services as one async surface: what the MCP tools and the command line call.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{Library, LibraryError, Starters, blocking, runs::Engine};
use crate::config::Config;

/// How often open runs that nobody takes care of are looked for.
const RECOVERY_INTERVAL: Duration = Duration::from_secs(5);

/// How often checkpoints that are too old or too many are looked for.
const PRUNE_INTERVAL: Duration = Duration::from_hours(1);

/// The library and the engine of one home.
pub struct Services {
    library: Arc<Library>,
    engine: Arc<Engine>,
}

impl Services {
    /// Opens the home of `config`; workers will be processes of the program `worker`.
    ///
    /// # Errors
    /// [`LibraryError`] when the home can't be used.
    pub async fn open(config: Config, starters: Starters, worker: PathBuf) -> Result<Self, LibraryError> {
        let opened = tokio::task::spawn_blocking(move || Library::open(config, starters)).await;
        let library = opened.map_err(|error| LibraryError::lost_task("opening the home", &error))??;
        let library = Arc::new(library);
        Ok(Self { engine: Arc::new(Engine::new(Arc::clone(&library), worker)?), library })
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The library, for callers that may block.
    #[must_use]
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The engine, for a task of its own.
    pub(super) fn engine_handle(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// The library, for a task of its own.
    pub(super) fn library_handle(&self) -> Arc<Library> {
        Arc::clone(&self.library)
    }

    /// Goes on with open runs whose process has ended, and ends what has waited too long, until `stop`.
    pub async fn keep_runs(&self, stop: CancellationToken) {
        loop {
            self.engine.recover().await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RECOVERY_INTERVAL) => {}
            }
        }
    }

    /// Removes checkpoints that are too old or too many, now and each hour, until `stop`.
    pub async fn keep_checkpoints(&self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.blocking(Library::prune_checkpoints).await {
                tracing::warn!(%error, "old checkpoints were not removed");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PRUNE_INTERVAL) => {}
            }
        }
    }

    /// Runs `work` on a thread that may block.
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Library) -> Result<T, LibraryError> + Send + 'static,
    ) -> Result<T, LibraryError> {
        blocking(&self.library, work).await
    }
}
