//! The services as one async surface: what the MCP tools and the command line call.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{Examples, Library, LibraryError, Starters, aside, blocking, runs::Engine};
use crate::config::Config;

/// How often open runs that nobody takes care of are looked for.
const RECOVERY_INTERVAL: Duration = Duration::from_secs(5);

/// The library and the engine of one home.
pub struct Services {
    library: Arc<Library>,
    engine: Arc<Engine>,
    /// Whether it was said how to choose who decides.
    is_advised: AtomicBool,
}

impl Services {
    /// Opens the home of `config`; workers will be processes of the program `worker`.
    ///
    /// # Errors
    /// [`LibraryError`] when the home can't be used.
    pub async fn open(config: Config, starters: Starters, worker: PathBuf) -> Result<Self, LibraryError> {
        let trier = Box::new(Examples::at(worker.clone()));
        let opened = tokio::task::spawn_blocking(move || Library::open_trying(config, starters, trier)).await;
        let library = opened.map_err(|error| LibraryError::lost_task("opening the home", &error))??;
        let library = Arc::new(library);
        let engine = Arc::new(Engine::new(Arc::clone(&library), worker)?);
        Ok(Self { engine, library, is_advised: AtomicBool::new(false) })
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

    /// Once: the file in which to choose who decides, where nobody has chosen.
    #[must_use]
    pub fn advise_on_approvals(&self) -> Option<String> {
        let config = self.library.config().ok().filter(|config| config.approvals.is_none())?;
        (!self.is_advised.swap(true, Ordering::Relaxed)).then(|| config.file().display().to_string())
    }

    /// The engine, for a task of its own.
    pub(super) fn engine_handle(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// The library, for a task of its own.
    pub(super) fn library_handle(&self) -> Arc<Library> {
        Arc::clone(&self.library)
    }

    /// Goes on with open runs whose process has ended and with those whose time has come, until `stop`.
    pub async fn keep_runs(&self, stop: CancellationToken) {
        loop {
            self.engine.recover().await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RECOVERY_INTERVAL) => {}
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

    /// The same for what takes seconds and nobody waits for: it gives way to everything else.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Library) -> Result<T, LibraryError> + Send + 'static,
    ) -> Result<T, LibraryError> {
        aside(&self.library, work).await
    }
}
