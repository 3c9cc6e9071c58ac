//! Finding open runs that nobody takes care of.

use std::sync::Arc;

use super::Engine;
use crate::{
    config::Resume,
    domain::{Hinted as _, RunStatus},
    library::{
        LibraryError, blocking, now_ms,
        runs::{
            decision::{Decider, Decision},
            registry::Active,
        },
    },
};

impl Engine {
    /// Goes on with every run whose process has ended, a few at a time, and ends the gates that have waited too long.
    pub async fn recover(self: &Arc<Self>) {
        let found = blocking(&self.resources.library, |library| {
            library.close_dead_sessions()?;
            let config = library.config()?;
            let interrupted = if config.runs.resume == Resume::Auto {
                library.database.read(|reader| reader.interrupted_runs())?
            } else {
                Vec::new()
            };
            let expired = library.database.read(|reader| reader.expired_runs(now_ms()))?;
            Ok((interrupted, expired))
        });
        let (interrupted, expired) = match found.await {
            Ok(found) => found,
            Err(error) => return tracing::warn!(%error, "open runs can't be looked for"),
        };
        for id in expired.into_iter().chain(interrupted) {
            // The others are found again the next time.
            let Ok(place) = Arc::clone(&self.recoveries).try_acquire_owned() else { return };
            // A task of its own, because it may take as long as the run does. When the server stops, runs are told so by
            // the engine and not dropped.
            let engine = Arc::clone(self);
            tokio::spawn(async move {
                engine.recover_run(&id).await;
                drop(place);
            });
        }
    }

    async fn recover_run(&self, run_id: &str) {
        match self.resume(run_id, Decision::Expire, Decider::Nobody, Active::default()).await {
            Ok(execution) => tracing::info!(run = run_id, status = execution.status.as_str(), "an open run went on"),
            Err(
                error @ (LibraryError::StateRefused { .. }
                | LibraryError::Parameters { .. }
                | LibraryError::PermissionDenied { .. }),
            ) => {
                self.give_up(run_id, &error).await;
            }
            Err(error) => tracing::debug!(run = run_id, %error, "an open run was not taken up here"),
        }
    }

    /// A run that can't be gone on with fails, and says why.
    async fn give_up(&self, run_id: &str, error: &LibraryError) {
        tracing::warn!(run = run_id, %error, "an interrupted run can't go on");
        let ended = self.end_without_state(run_id, RunStatus::Failed, &error.in_full()).await;
        if let Err(error) = ended {
            tracing::warn!(run = run_id, %error, "its end can't be recorded");
        }
    }
}
