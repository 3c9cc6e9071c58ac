//! The entry points: execute a procedure, go on with a run, stop it, look at it.

mod cancel;
mod execute;
mod inspect;
mod open;
mod recover;
mod rehearse;
mod resume;
mod uncalled;
mod waiting;

pub use inspect::check;
pub use rehearse::{Rehearsal, rehearse};
pub use uncalled::Refused;
pub use waiting::Waiting;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time::Instant};

use crate::{
    host,
    library::{
        Library, LibraryError,
        runs::{
            journal::Journal,
            registry::Registry,
            resources::{self, Resources},
        },
    },
    runtime::{self, Runtimes},
};

/// How long runs that were told to stop may take to do so.
const SHUTDOWN_TIME: Duration = Duration::from_secs(3);
/// How many runs are taken up at the same time.
const MAX_RECOVERIES: usize = 16;

/// Executes procedures.
pub struct Engine {
    pub(super) library: Arc<Library>,
    pub(super) resources: Arc<Resources>,
    pub(super) registry: Arc<Registry>,
    /// Places for runs that are taken up.
    pub(super) recoveries: Arc<Semaphore>,
}

impl Engine {
    /// An engine for `library` whose workers are processes of the program `worker`.
    ///
    /// # Errors
    /// [`LibraryError::Config`].
    pub fn new(library: Arc<Library>, worker: PathBuf) -> Result<Self, LibraryError> {
        let workers = library.config()?.limits.workers;
        let sandbox = runtime::sandbox(worker, workers, *host::MODULE);
        Ok(Self::with_runtimes(library, Runtimes { sandbox, python: runtime::python(workers) }))
    }

    /// An engine for `library` whose code is executed by `runtimes`.
    pub(in crate::library::runs) fn with_runtimes(library: Arc<Library>, runtimes: Runtimes) -> Self {
        let journal = Journal::Of(Arc::clone(&library));
        let resources = Arc::new(Resources { journal, runtimes, downstream: resources::downstream() });
        let recoveries = Arc::new(Semaphore::new(MAX_RECOVERIES));
        Self { library, resources, registry: Arc::default(), recoveries }
    }

    /// Stops every run and waits a little for their ends to be recorded.
    pub async fn shut_down(&self) {
        self.registry.leave_all();
        let started = Instant::now();
        while !self.registry.is_idle() && started.elapsed() < SHUTDOWN_TIME {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let Runtimes { sandbox, python } = &self.resources.runtimes;
        tokio::join!(sandbox.close(), python.close(), self.resources.downstream.close());
    }
}
