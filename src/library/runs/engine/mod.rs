//! The entry points: execute a procedure, go on with a run, stop it, look at it.

mod cancel;
mod execute;
mod inspect;
mod open;
mod recover;
mod resume;
mod waiting;

pub use inspect::check;
pub use waiting::Waiting;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

use crate::{
    downstream::Downstream,
    host,
    library::{
        Library, LibraryError,
        runs::{registry::Registry, resources::Resources},
    },
    runtime::{self, Runtime},
};

/// How long runs that were told to stop may take to do so.
const SHUTDOWN_TIME: Duration = Duration::from_secs(3);
/// How many runs are taken up at the same time.
const MAX_RECOVERIES: usize = 16;

/// Executes procedures.
pub struct Engine {
    pub(super) resources: Arc<Resources>,
    pub(super) registry: Registry,
    /// Places for runs that are taken up.
    pub(super) recoveries: Arc<Semaphore>,
}

impl Engine {
    /// An engine for `library` whose workers are processes of the program `worker`.
    ///
    /// # Errors
    /// [`LibraryError::Config`].
    pub fn new(library: Arc<Library>, worker: PathBuf) -> Result<Self, LibraryError> {
        let runtime = runtime::sandbox(worker, library.config()?.limits.workers, *host::MODULE);
        Ok(Self::with_runtime(library, runtime))
    }

    /// An engine for `library` whose code is executed by `runtime`.
    pub(in crate::library::runs) fn with_runtime(library: Arc<Library>, runtime: Arc<dyn Runtime>) -> Self {
        let resources = Arc::new(Resources { library, runtime, downstream: Downstream::new() });
        let recoveries = Arc::new(Semaphore::new(MAX_RECOVERIES));
        Self { resources, registry: Registry::default(), recoveries }
    }

    /// Stops every run and waits a little for their ends to be recorded.
    pub async fn shut_down(&self) {
        self.registry.leave_all();
        let started = Instant::now();
        while !self.registry.is_idle() && started.elapsed() < SHUTDOWN_TIME {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::join!(self.resources.runtime.close(), self.resources.downstream.close());
    }
}
