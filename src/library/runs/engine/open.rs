//! Open runs: read from the database, claimed by this process, and left again where they can't go on.

use std::sync::Arc;

use super::Engine;
use crate::{
    config::{Approvals, Config},
    domain::{Run, RunStatus},
    library::{
        LibraryError, blocking, now_ms,
        runs::{
            drive::tree::Tree,
            frame::Frame,
            journal::read,
            limits::{Left, budget},
            registry::Active,
            unheard,
        },
    },
    runtime::PythonError,
    storage::StorageError,
};

/// An open run, read from the database.
pub struct Opened {
    pub run: Run,
    pub config: Arc<Config>,
    /// Nothing when it had made no host call.
    pub root: Option<Frame>,
    /// What is left of its budget.
    pub left: Option<Left>,
}

impl Opened {
    /// Who may decide what it waits for, when `active` is the handle of whoever does: what is set, else a person where
    /// either the caller of then or that of now can ask one.
    pub fn approvals(&self, active: &Active) -> Approvals {
        Approvals::of(self.config.approvals, self.run.can_be_asked || active.can_be_asked)
    }
}

impl Engine {
    pub(in crate::library::runs) async fn open_run(&self, run_id: &str) -> Result<Opened, LibraryError> {
        let (id, runtimes) = (run_id.to_owned(), self.resources.runtimes.clone());
        blocking(&self.library, move |library| {
            let config = library.config()?;
            let (run, _) = library.run(&id)?;
            if run.parent_run_id.is_some() {
                return Err(called(&run));
            }
            if !matches!(run.status, RunStatus::Paused | RunStatus::Interrupted | RunStatus::Running) {
                return Err(LibraryError::RunNotPaused { id: run.id, status: run.status });
            }
            let (root, left) = read::load(library, &runtimes, &run.id, &config)?;
            Ok(Opened { run, config, root, left })
        })
        .await
    }

    /// Makes this process the owner of an open run.
    pub(super) async fn claim(&self, run_id: &str) -> Result<(), LibraryError> {
        let id = run_id.to_owned();
        let is_ours = blocking(&self.library, move |library| {
            let session = library.session.id();
            Ok(library.database.write::<_, StorageError>(|writer| writer.claim_run(&id, session))?)
        });
        if is_ours.await? { Ok(()) } else { Err(LibraryError::RunElsewhere(run_id.to_owned())) }
    }

    /// Does something with a run that this process owns. Where that fails before the run has ended or pauses, nobody takes
    /// care of it any more, and it is left as a killed server leaves it.
    pub(in crate::library::runs) async fn or_released<T>(
        &self,
        run_id: &str,
        work: impl Future<Output = Result<T, LibraryError>>,
    ) -> Result<T, LibraryError> {
        let done = work.await;
        if let Err(why) = &done {
            let (id, why) = (run_id.to_owned(), why.to_string());
            let released = blocking(&self.library, move |library| {
                let session = library.session.id();
                Ok(library
                    .database
                    .write::<_, StorageError>(|writer| writer.release_run(&id, session, &why, now_ms()))?)
            });
            if let Err(error) = released.await {
                tracing::warn!(run = run_id, %error, "a run that failed to go on stays with this process");
            }
        }
        done
    }

    /// What executes an open run from where it stands.
    pub(super) fn tree(&self, opened: Opened, active: Active) -> (Tree, Option<Frame>) {
        let Opened { config, mut root, left, run } = opened;
        let limits = &config.limits;
        let all = Left::all(limits);
        let mut left = left.unwrap_or(all);
        // Of a state that is older than these counts.
        left.file_calls = left.file_calls.min(all.file_calls);
        left.write_bytes = left.write_bytes.min(all.write_bytes);
        let output = limits.output_bytes().saturating_sub(root.as_ref().map_or(0, Frame::printed));
        let budget = budget(left, output, &active);
        if let Some(root) = &mut root {
            root.under(&budget);
        }
        {
            let mut progress = active.progress();
            progress.steps_total = run.steps_total;
            progress.doing.clone_from(&run.procedure_name);
        }
        (Tree::new(Arc::clone(&self.resources), config, budget, active, run.id), root)
    }

    /// Ends an open run whose state is of no use. That it failed nobody but the inbox is told.
    pub(super) async fn end_without_state(
        &self,
        run_id: &str,
        status: RunStatus,
        why: &str,
    ) -> Result<(), LibraryError> {
        let (id, why) = (run_id.to_owned(), why.to_owned());
        blocking(&self.library, move |library| {
            let (run, _) = library.run(&id)?;
            library.database.write::<_, StorageError>(|writer| {
                writer.end_open_runs(&id, status, &why, now_ms())?;
                if status == RunStatus::Failed {
                    let error = PythonError::new("RuntimeError", why);
                    let item = unheard::failed(&run.procedure_name, Some(&error));
                    writer.add_item(&item, &id, run.procedure_id, &library.user, now_ms())?;
                }
                Ok(())
            })?;
            Ok(())
        })
        .await
    }
}

/// The error for what can't be done with a run that another called.
pub fn called(run: &Run) -> LibraryError {
    let parent = run.parent_run_id.as_deref().unwrap_or_default();
    LibraryError::invalid_with_hint(format!("run `{}` was called by run `{parent}`", run.id), "pass that one")
}
