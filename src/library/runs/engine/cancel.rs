//! Stopping runs, whether they execute or wait.

use std::{sync::Arc, time::Duration};

use super::{
    Engine,
    open::{Opened, called},
};
use crate::{
    domain::RunStatus,
    library::{
        LibraryError, blocking,
        runs::{drive::tree::Tree, journal::record::Ending, limits::budget, registry::Active},
    },
};

impl Engine {
    /// Stops a run that executes or waits.
    ///
    /// # Errors
    /// [`LibraryError::RunEnded`], [`LibraryError::RunElsewhere`] or [`LibraryError::RunNotFound`];
    /// [`LibraryError::Argument`] when another run called it.
    pub async fn cancel(&self, run_id: &str) -> Result<(), LibraryError> {
        if let Some(active) = self.registry.find_active(run_id) {
            active.stop();
            return Ok(());
        }
        let id = run_id.to_owned();
        let (run, _) = blocking(&self.resources.library, move |library| library.run(&id)).await?;
        match run.status {
            RunStatus::Paused | RunStatus::Interrupted | RunStatus::Running if run.parent_run_id.is_some() => {
                Err(called(&run))
            }
            RunStatus::Paused | RunStatus::Interrupted => self.cancel_waiting(&run.id).await,
            RunStatus::Running => Err(LibraryError::RunElsewhere(run.id)),
            status => Err(LibraryError::RunEnded { id: run.id, status }),
        }
    }

    /// Ends a run that is paused or interrupted.
    async fn cancel_waiting(&self, run_id: &str) -> Result<(), LibraryError> {
        self.claim(run_id).await?;
        self.or_released(run_id, self.cancel_claimed(run_id)).await
    }

    async fn cancel_claimed(&self, run_id: &str) -> Result<(), LibraryError> {
        match self.open_run(run_id).await {
            Ok(Opened { root: Some(root), config, .. }) => {
                let budget = budget(Duration::ZERO, 0, 0, &Active::default());
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
