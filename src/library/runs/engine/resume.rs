//! Going on with open runs: paused ones when somebody decides, interrupted ones when a process takes them up.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::library::runs::{
    drive::{ask::QuestionId, tree::Tree},
    engine::execute::{Engine, Execution, budget, called, origin_of},
    frame::{Caller, Frame},
    gate::{Decider, Decision, Gate},
    journal::{
        record::{Ending, blocking},
        write::{self, Left},
    },
    machine::{Progress, Safety},
    registry::Active,
};
use crate::{
    config::{Approvals, Config, Resume},
    domain::{Run, RunStatus},
    library::{Library, LibraryError, now_ms},
    runtime::monty::Capture,
    storage::StorageError,
};

/// A run that ends its server each time is not taken up more often than this, unless it comes further.
const MAX_ATTEMPTS: u32 = 20;

/// How many runs are taken up at the same time.
pub(in crate::library::runs) const AT_ONCE: usize = 16;

/// An open run, read from the database.
pub(in crate::library::runs) struct Opened {
    pub run: Run,
    pub config: Arc<Config>,
    /// Nothing when it had made no host call.
    pub root: Option<Frame>,
    left: Option<Left>,
}

impl Engine {
    /// Goes on with a paused run as `decision` says, or with an interrupted one, which needs none.
    ///
    /// # Errors
    /// [`LibraryError::RunNotPaused`], [`LibraryError::RunNotFound`], [`LibraryError::ApprovalNeedsHuman`] where the
    /// policy wants a person, [`LibraryError::StateRefused`] when the saved state can't be trusted.
    pub async fn resume(
        &self,
        run_id: &str,
        decision: Decision,
        decider: Decider,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        // Boxed, because the state of a whole run is large and would be moved with every caller's future.
        Box::pin(self.resume_at(run_id, None, decision, decider, active)).await
    }

    /// Goes on with a run that waits for an answer to `question`. An answer that can't be read is a refusal.
    ///
    /// # Errors
    /// As [`Engine::resume`]; [`LibraryError::AlreadyDecided`] when the run does not wait for that any more.
    pub async fn answer(
        &self,
        run_id: &str,
        question: &QuestionId,
        decision: Decision,
        decider: Decider,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        Box::pin(self.resume_at(run_id, Some(question), decision, decider, active)).await
    }

    async fn resume_at(
        &self,
        run_id: &str,
        question: Option<&QuestionId>,
        decision: Decision,
        decider: Decider,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        let opened = self.open_run(run_id).await?;
        match opened.run.status {
            RunStatus::Paused => {}
            RunStatus::Interrupted => return Box::pin(self.take_up(opened, active)).await,
            status => return Err(LibraryError::RunNotPaused { id: opened.run.id, status }),
        }
        let gate = open_gate(opened.root.as_ref(), run_id, question)?;
        if gate.is_late() {
            return self.decide(run_id, &gate, &Decision::Expire, &Decider::nobody(), active).await;
        }
        if decision == Decision::Expire {
            return Err(LibraryError::Invalid(format!("run `{run_id}` still waits for a decision")));
        }
        if gate.is_for_people() && opened.config.approvals == Approvals::Human && !decider.is_person {
            return Err(LibraryError::ApprovalNeedsHuman { id: run_id.to_owned(), question: gate.question });
        }
        let decision = if question.is_some() { gate.read(decision, &decider) } else { decision };
        // What is no answer is refused before anything changes.
        gate.reply(&decision, &decider)?;
        self.decide(run_id, &gate, &decision, &decider, active).await
    }

    /// Goes on with every run whose process has ended, a few at a time, and ends the gates that have waited too long.
    pub async fn recover(self: &Arc<Self>) {
        let found = blocking(&self.library, |library| {
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
        match self.resume(run_id, Decision::Expire, Decider::nobody(), Active::default()).await {
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

    /// Ends a run that is paused or interrupted.
    pub(in crate::library::runs) async fn cancel_waiting(&self, run_id: &str) -> Result<(), LibraryError> {
        self.claim(run_id).await?;
        self.or_released(run_id, self.cancel_claimed(run_id)).await
    }

    async fn cancel_claimed(&self, run_id: &str) -> Result<(), LibraryError> {
        match self.open_run(run_id).await {
            Ok(Opened { root: Some(root), config, .. }) => {
                let budget = budget(Duration::ZERO, 0, 0, &Active::default());
                let tree = Tree::new(self, config, budget, Active::default(), run_id.to_owned());
                tree.end_all(root, Ending::Cancelled).await?;
            }
            // Its state is not there or can't be read, but it can be ended.
            Ok(_) | Err(LibraryError::StateRefused { .. }) => {}
            Err(error) => return Err(error),
        }
        self.end_without_state(run_id, RunStatus::Cancelled, "the run was cancelled").await
    }

    pub(in crate::library::runs) async fn open_run(&self, run_id: &str) -> Result<Opened, LibraryError> {
        let id = run_id.to_owned();
        blocking(&self.library, move |library| {
            let config = library.config()?;
            let (run, _) = library.run(&id)?;
            if run.parent_run_id.is_some() {
                return Err(called(&run));
            }
            if !matches!(run.status, RunStatus::Paused | RunStatus::Interrupted | RunStatus::Running) {
                return Err(LibraryError::RunNotPaused { id: run.id, status: run.status });
            }
            let (root, left) = write::load(library, &run.id, &config)?;
            Ok(Opened { run, config, root, left })
        })
        .await
    }

    /// Makes this process the owner of an open run.
    async fn claim(&self, run_id: &str) -> Result<(), LibraryError> {
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

    async fn decide(
        &self,
        run_id: &str,
        gate: &Gate,
        decision: &Decision,
        decider: &Decider,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        self.claim(run_id).await?;
        self.or_released(run_id, Box::pin(self.decide_claimed(run_id, gate, decision, decider, active))).await
    }

    async fn decide_claimed(
        &self,
        run_id: &str,
        gate: &Gate,
        decision: &Decision,
        decider: &Decider,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        // Somebody may have decided in the meantime, and the run may wait for something else by now.
        let opened = self.open_run(run_id).await?;
        let still_open = open_gate(opened.root.as_ref(), run_id, Some(&gate.id()));
        let (tree, root) = self.tree(opened, active);
        let Some(mut root) = root else { return Err(nothing_waits(run_id)) };
        let decided = match still_open {
            Ok(_) => tree.decide(&mut root, gate, decision, decider).await,
            Err(error) => Err(error),
        };
        match decided {
            Ok(_) => self.execute_tree(tree, root).await,
            Err(error) => {
                tree.pause(&mut root).await?;
                Err(error)
            }
        }
    }

    async fn take_up(&self, opened: Opened, active: Active) -> Result<Execution, LibraryError> {
        if opened.run.attempts >= MAX_ATTEMPTS {
            let reason = format!("its server ended {MAX_ATTEMPTS} times while it was executing");
            return Err(LibraryError::StateRefused { id: opened.run.id, reason });
        }
        self.claim(&opened.run.id).await?;
        let id = opened.run.id.clone();
        self.or_released(&id, Box::pin(self.take_up_claimed(opened, active))).await
    }

    async fn take_up_claimed(&self, opened: Opened, active: Active) -> Result<Execution, LibraryError> {
        let (id, config) = (opened.run.id.clone(), Arc::clone(&opened.config));
        let (root, left) = blocking(&self.library, move |library| {
            let (root, left) = write::load(library, &id, &config)?;
            let mut root = match root {
                Some(root) => root,
                None => begun(library, &id, &config)?,
            };
            begin_children(library, &mut root, &config)?;
            Ok((root, left))
        })
        .await?;
        let (tree, root) = self.tree(Opened { root: Some(root), left, ..opened }, active);
        let Some(root) = root else { return Err(nothing_waits(&tree.root_id)) };
        self.execute_tree(tree, root).await
    }

    /// The frame of a run as it was saved; where it had made no host call, as it was started.
    pub(in crate::library::runs) async fn saved_frame(
        &self,
        run_id: &str,
        config: &Arc<Config>,
    ) -> Result<Frame, LibraryError> {
        let (id, config) = (run_id.to_owned(), Arc::clone(config));
        blocking(&self.library, move |library| match write::load_frame(library, &id, &config)? {
            Some(frame) => Ok(frame),
            None => begun(library, &id, &config),
        })
        .await
    }

    fn tree(&self, opened: Opened, active: Active) -> (Tree<'_>, Option<Frame>) {
        let Opened { config, mut root, left, run } = opened;
        let limits = &config.limits;
        let left = left.unwrap_or(Left { time_ms: limits.seconds.saturating_mul(1000), calls: limits.host_calls });
        let output = limits.output_bytes().saturating_sub(root.as_ref().map_or(0, Frame::printed));
        let budget = budget(left.time(), left.calls, output, &active);
        if let Some(root) = &mut root {
            root.under(&budget);
        }
        {
            let mut progress = active.progress();
            progress.steps_total = run.steps_total;
            progress.doing.clone_from(&run.procedure_name);
        }
        (Tree::new(self, config, budget, active, run.id), root)
    }

    /// A run that can't be gone on with fails, and says why.
    async fn give_up(&self, run_id: &str, error: &LibraryError) {
        tracing::warn!(run = run_id, %error, "an interrupted run can't go on");
        let ended = self.end_without_state(run_id, RunStatus::Failed, &error.to_string()).await;
        if let Err(error) = ended {
            tracing::warn!(run = run_id, %error, "its end can't be recorded");
        }
    }

    async fn end_without_state(&self, run_id: &str, status: RunStatus, why: &str) -> Result<(), LibraryError> {
        let (id, why) = (run_id.to_owned(), why.to_owned());
        blocking(&self.library, move |library| {
            library.database.write::<_, StorageError>(|writer| writer.end_open_runs(&id, status, &why, now_ms()))?;
            Ok(())
        })
        .await
    }
}

/// The question that a run waits for: the one that is meant; else the first that has stopped waiting, or the first.
pub(in crate::library::runs) fn open_gate(
    root: Option<&Frame>,
    run_id: &str,
    meant: Option<&QuestionId>,
) -> Result<Gate, LibraryError> {
    let mut gates = root.map(Gate::all_of).unwrap_or_default();
    if gates.is_empty() {
        return Err(nothing_waits(run_id));
    }
    let at = match meant {
        Some(meant) => gates.iter().position(|gate| gate.id() == *meant),
        None => Some(gates.iter().position(Gate::is_late).unwrap_or_default()),
    };
    at.map(|at| gates.swap_remove(at)).ok_or_else(|| LibraryError::AlreadyDecided(run_id.to_owned()))
}

fn nothing_waits(run_id: &str) -> LibraryError {
    LibraryError::StateRefused { id: run_id.to_owned(), reason: "it waits for nothing".to_owned() }
}

/// The frame of a run that had made no host call, as it was started.
fn begun(library: &Library, run_id: &str, config: &Config) -> Result<Frame, LibraryError> {
    let (run, _) = library.run(run_id)?;
    let row = library.procedure_in_version(run.procedure_id, run.version)?;
    let parameters: Map<String, Value> = serde_json::from_str(&run.parameters).unwrap_or_default();
    let mut origin = origin_of(row, &parameters, config)?;
    origin.run_id = run.id;
    Ok(Frame::new(origin, Capture::holding(String::new()), config))
}

/// Adds the procedures that a frame and all that it called had started, and that had made no host call.
fn begin_children(library: &Library, frame: &mut Frame, config: &Config) -> Result<(), LibraryError> {
    for child in &mut frame.children {
        begin_children(library, child, config)?;
    }
    let is_open =
        |call: &crate::library::runs::machine::Call| call.safety == Safety::Nested && call.progress == Progress::Open;
    if !frame.state.calls.iter().any(is_open) {
        return Ok(());
    }
    let run_id = frame.origin.run_id.clone();
    for (id, sequence) in library.database.read(|reader| reader.open_children(&run_id))? {
        if !frame.children.iter().any(|child| child.origin.run_id == id) {
            let caller = Caller { run_id: run_id.clone(), sequence };
            frame.children.push(begun(library, &id, config)?.called_by(caller, frame.depth + 1));
        }
    }
    Ok(())
}
