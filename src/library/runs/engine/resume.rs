//! Going on with open runs: paused ones when somebody decides, interrupted ones when a process takes them up.

use std::sync::Arc;

use super::{Engine, open::Opened};
use crate::{
    config::{Approvals, Config},
    domain::{Decider, RunStatus},
    library::{
        Library, LibraryError, blocking, now_ms,
        runs::{
            decision::Decision,
            execution::Execution,
            frame::Frame,
            gate::{Gate, QuestionId, nothing_waits},
            journal::read,
            machine::{Call, Progress, Safety},
            prepare::begun,
            registry::Active,
        },
    },
};

/// A run that ends its server each time is not taken up more often than this, unless it comes further.
const MAX_ATTEMPTS: u32 = 20;

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
        if question.is_some() {
            Gate::open_in(opened.root.as_ref(), run_id, question)?;
        }
        if opened.root.as_ref().is_some_and(is_due) {
            return self.wake(run_id, active).await;
        }
        let gate = Gate::open_in(opened.root.as_ref(), run_id, question)?;
        if decision == Decision::Expire {
            return Err(LibraryError::invalid(format!("run `{run_id}` still waits for a decision")));
        }
        let approvals = gate.left_to(opened.approvals(&active));
        if approvals == Approvals::Human && gate.asks_person(approvals) && decider.is_agent() {
            return Err(LibraryError::ApprovalNeedsHuman { id: run_id.to_owned(), question: gate.question });
        }
        let decision = if question.is_some() { gate.read(decision, &decider)? } else { decision };
        // What is no answer is refused before anything changes.
        gate.reply(&decision, &decider)?;
        self.decide(run_id, &gate, &decision, &decider, active).await
    }

    /// Goes on with a paused run whose time has come: something in it sleeps no longer, or has waited too long.
    async fn wake(&self, run_id: &str, active: Active) -> Result<Execution, LibraryError> {
        self.claim(run_id).await?;
        let woken = async {
            let (mut tree, root) = self.tree(self.open_run(run_id).await?, active);
            let Some(mut root) = root else { return Err(nothing_waits(run_id)) };
            tree.end_late(&mut root).await?;
            self.execute_tree(tree, root).await
        };
        self.or_released(run_id, Box::pin(woken)).await
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
        let still_open = Gate::open_in(opened.root.as_ref(), run_id, Some(&gate.id()));
        let (mut tree, root) = self.tree(opened, active);
        let Some(mut root) = root else { return Err(nothing_waits(run_id)) };
        let decided = match still_open {
            Ok(_) => tree.decide(&mut root, gate, decision, decider).await,
            Err(error) => Err(error),
        };
        match decided {
            Ok(()) => self.execute_tree(tree, root).await,
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
        let runtimes = self.resources.runtimes.clone();
        let (root, left) = blocking(&self.library, move |library| {
            let (root, left) = read::load(library, &runtimes, &id, &config)?;
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
}

/// Whether the clock goes on with a paused run.
fn is_due(root: &Frame) -> bool {
    root.wakes_at().is_some_and(|wakes_at| wakes_at <= now_ms())
        || root.find_late().is_some()
        || Gate::all_of(root).iter().any(Gate::is_late)
}

/// Adds the procedures that a frame and all that it called had started, and that had made no host call.
fn begin_children(library: &Library, frame: &mut Frame, config: &Config) -> Result<(), LibraryError> {
    for child in &mut frame.children {
        begin_children(library, child, config)?;
    }
    let is_open = |call: &Call| call.safety == Safety::Nested && call.progress == Progress::Open;
    if !frame.state.calls.iter().any(is_open) {
        return Ok(());
    }
    let run_id = frame.origin.run_id.clone();
    for (id, sequence) in library.database.read(|reader| reader.open_children(&run_id))? {
        if !frame.children.iter().any(|child| child.origin.run_id == id) {
            let child = begun(library, &id, config)?.called_by(frame, sequence);
            frame.children.push(child);
        }
    }
    Ok(())
}
