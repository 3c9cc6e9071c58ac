//! Finding open runs that nobody takes care of.

use std::sync::Arc;

use super::Engine;
use crate::{
    config::Resume,
    domain::{Decider, Hinted as _, RunStatus},
    library::{
        LibraryError, blocking, now_ms,
        runs::{decision::Decision, registry::Active},
    },
};

impl Engine {
    /// Goes on with every run of this user whose process has ended, a few at a time, and with those whose time
    /// has come: they sleep no longer, or wait for what came too late. What ended its process before it came further rests
    /// longer each time, so that it can't end one after the other. The runs of others are for their own processes.
    pub async fn recover(self: &Arc<Self>) {
        let found = blocking(&self.library, |library| {
            library.close_dead_sessions()?;
            let config = library.config()?;
            let interrupted = if config.runs.resume == Resume::Auto {
                library.database.read(|reader| reader.interrupted_runs(&library.user, now_ms()))?
            } else {
                Vec::new()
            };
            let due = library.database.read(|reader| reader.due_runs(&library.user, now_ms()))?;
            Ok((interrupted, due))
        });
        let (interrupted, due) = match found.await {
            Ok(found) => found,
            Err(error) => return tracing::warn!(%error, "open runs can't be looked for"),
        };
        for id in due.into_iter().chain(interrupted) {
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
        match self.resume(run_id, Decision::Expire, Decider::Nobody, Active::unheard()).await {
            Ok(execution) => tracing::info!(run = run_id, status = execution.status.as_str(), "an open run went on"),
            Err(
                error @ (LibraryError::StateRefused { .. }
                | LibraryError::Parameters { .. }
                | LibraryError::PermissionDenied { .. }
                | LibraryError::PythonNotGranted { .. }
                | LibraryError::PackagesNotGranted { .. }),
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
