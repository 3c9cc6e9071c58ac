//! Stopping runs, whether they execute or wait.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Engine,
    open::{Opened, called},
};
use crate::{
    domain::RunStatus,
    library::{
        Library, LibraryError, blocking, now_ms,
        runs::{
            drive::tree::Tree,
            journal::record::Ending,
            limits::{Left, budget},
            registry::Active,
        },
    },
    storage::StorageError,
};

/// How often a process that executes something looks whether others want it to end.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long whoever wants that waits for it.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

impl Engine {
    /// Stops a run that executes or waits.
    ///
    /// # Errors
    /// [`LibraryError::RunEnded`] or [`LibraryError::RunNotFound`]; [`LibraryError::RunElsewhere`] where the process that
    /// executes it does not heed that;
    /// [`LibraryError::Argument`] when another run called it.
    pub async fn cancel(&self, run_id: &str) -> Result<(), LibraryError> {
        if let Some(active) = self.registry.find_active(run_id) {
            active.stop();
            return Ok(());
        }
        let id = run_id.to_owned();
        let (run, _) = blocking(&self.library, move |library| library.run(&id)).await?;
        match run.status {
            RunStatus::Paused | RunStatus::Interrupted | RunStatus::Running if run.parent_run_id.is_some() => {
                Err(called(&run))
            }
            RunStatus::Paused | RunStatus::Interrupted => self.cancel_waiting(&run.id).await,
            RunStatus::Running => self.cancel_elsewhere(&run.id).await,
            status => Err(LibraryError::RunEnded { id: run.id, status }),
        }
    }

    /// Has the process that executes the run end it, and waits for that. Where the process is gone, or the run pauses
    /// meanwhile, it is ended here.
    async fn cancel_elsewhere(&self, run_id: &str) -> Result<(), LibraryError> {
        let asked = Instant::now();
        let id = run_id.to_owned();
        let ask = move |library: &Library| {
            library.close_dead_sessions()?;
            Ok(library.database.write::<_, StorageError>(|writer| writer.ask_to_cancel(&id, now_ms()))?)
        };
        blocking(&self.library, ask).await?;
        loop {
            let id = run_id.to_owned();
            let (run, _) = blocking(&self.library, move |library| library.run(&id)).await?;
            let ended = match run.status {
                RunStatus::Running if asked.elapsed() < LONGEST_WAIT => {
                    tokio::time::sleep(LOOK_AGAIN / 10).await;
                    continue;
                }
                RunStatus::Running => return Err(LibraryError::RunElsewhere(run.id)),
                RunStatus::Paused | RunStatus::Interrupted => self.cancel_waiting(run_id).await,
                RunStatus::Cancelled => Ok(()),
                status => Err(LibraryError::RunEnded { id: run.id, status }),
            };
            let id = run_id.to_owned();
            let forget = move |library: &Library| {
                Ok(library.database.write::<_, StorageError>(|writer| writer.forget_cancellation(&id))?)
            };
            blocking(&self.library, forget).await?;
            return ended;
        }
    }

    /// Looks, as long as this process executes anything, which of its runs others want to end.
    pub(super) fn heed_cancellations(&self) {
        let (registry, library) = (Arc::clone(&self.registry), Arc::clone(&self.library));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_AGAIN).await;
                if registry.rests() {
                    return;
                }
                let wanted = blocking(&library, |library| {
                    let session = library.session.id();
                    Ok(library.database.read::<_, StorageError>(|reader| reader.runs_to_cancel(session))?)
                });
                match wanted.await {
                    Ok(wanted) => wanted.iter().filter_map(|id| registry.find_active(id)).for_each(|run| run.stop()),
                    Err(error) => tracing::debug!(%error, "what others want to end can't be looked up"),
                }
            }
        });
    }

    /// Ends a run that is paused or interrupted.
    async fn cancel_waiting(&self, run_id: &str) -> Result<(), LibraryError> {
        self.claim(run_id).await?;
        self.or_released(run_id, self.cancel_claimed(run_id)).await
    }

    async fn cancel_claimed(&self, run_id: &str) -> Result<(), LibraryError> {
        match self.open_run(run_id).await {
            Ok(Opened { root: Some(root), config, .. }) => {
                let budget = budget(Left::without_files(Duration::ZERO, 0), 0, &Active::default());
                let tree = Tree::new(Arc::clone(&self.resources), config, budget, Active::default(), run_id.to_owned());
                tree.end_all(root, Ending::Cancelled).await?;
            }
            // Its state is not there or can't be read, but it can be ended.
            Ok(_) | Err(LibraryError::StateRefused { .. }) => {}
            Err(error) => return Err(error),
        }
        self.end_without_state(run_id, RunStatus::Cancelled, "the run was cancelled").await
    }
}
