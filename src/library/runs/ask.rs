//! Asking whoever can be asked, and what happens to a run while they think.

use serde_json::Value;

use super::{
    engine::{Engine, Execution},
    frame::Frame,
    gate::{Asker, Decider, Decision, Gate},
    journal,
    recover::open_gate,
    registry::Active,
    state::Event,
    tree::{Tree, broken},
};
use crate::{
    config::Approvals,
    domain::{GateKind, Outcome, Run, RunId, RunStatus},
    library::LibraryError,
};

/// What asking came to.
pub enum Decided {
    /// There is a decision.
    Now,
    /// There is none, and the run does not go on for now.
    Later(Box<Execution>),
    /// The run is to end.
    Stopped,
}

/// Which question of a run is meant: the one that the call `sequence` of the run `run_id` asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionId {
    /// The run whose code asks.
    pub run_id: RunId,
    /// Its call.
    pub sequence: u32,
}

impl Gate {
    /// What tells this question from all others.
    #[must_use]
    pub fn id(&self) -> QuestionId {
        QuestionId { run_id: self.run_id.clone(), sequence: self.sequence }
    }
}

/// A run that waits, and what for.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The run.
    pub run: Run,
    /// What it waits for.
    pub gate: Gate,
    /// Who may decide.
    pub approvals: Approvals,
}

impl Waiting {
    /// As an execution that came to this.
    #[must_use]
    pub fn into_execution(self) -> Execution {
        let Self { run, gate, .. } = self;
        Execution {
            run_id: run.id,
            procedure_id: run.procedure_id,
            name: run.procedure_name,
            status: RunStatus::Paused,
            outcome: Outcome::Paused,
            result: None,
            output: run.output.unwrap_or_default(),
            error: None,
            waiting_for: run.waiting_for,
            gate: Some(gate),
            duration_ms: run.duration_ms.unwrap_or_default(),
        }
    }
}

impl Engine {
    /// What a paused run waits for.
    ///
    /// # Errors
    /// [`LibraryError::RunNotPaused`], [`LibraryError::RunNotFound`], [`LibraryError::StateRefused`].
    pub async fn waiting(&self, run_id: &str) -> Result<Waiting, LibraryError> {
        let opened = self.open_run(run_id).await?;
        if opened.run.status != RunStatus::Paused {
            return Err(LibraryError::RunNotPaused { id: opened.run.id, status: opened.run.status });
        }
        let gate = open_gate(opened.root.as_ref(), run_id, None)?;
        Ok(Waiting { run: opened.run, gate, approvals: opened.config.approvals })
    }

    /// Goes on with an open run without a decision: a step counts as done, with this value, which also answers a
    /// question; what needs a yes or no is put before whoever can be asked.
    ///
    /// # Errors
    /// As [`Engine::resume`]; and [`LibraryError::Invalid`] where a decision is wanted and nobody can be asked for it.
    pub async fn resume_undecided(
        &self,
        run_id: &str,
        value: Option<Value>,
        decider: Decider,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        let waiting = match self.waiting(run_id).await {
            Ok(waiting) => waiting,
            // It needs no decision; and gets none, should it have come to a question by now.
            Err(LibraryError::RunNotPaused { status: RunStatus::Interrupted, .. }) => {
                return self.resume(run_id, Decision::Expire, Decider::nobody(), active).await;
            }
            Err(error) => return Err(error),
        };
        let Waiting { run, gate, approvals } = waiting;
        let is_answered = gate.request.kind == GateKind::Question && value.is_some();
        if !gate.is_for_people() || gate.is_late() || is_answered {
            // What is no answer is told, rather than taken for a refusal.
            gate.reply(&Decision::Approve(value.clone()), &decider)?;
            return self.answer(run_id, &gate.id(), Decision::Approve(value), decider, active).await;
        }
        let Some(asker) = active.asker.clone() else {
            return Err(match (approvals, gate.request.kind) {
                (Approvals::Human, _) => LibraryError::ApprovalNeedsHuman { id: run.id, question: gate.question },
                (_, GateKind::Question) => LibraryError::Invalid(format!(
                    "run `{}` waits for an answer to \"{}\"; ask your user, and pass it as `value`",
                    run.id, gate.question
                )),
                _ => LibraryError::Invalid(format!(
                    "run `{}` waits for a yes or no to \"{}\"; ask your user, and say `decision`: `approve` or `reject`",
                    run.id, gate.question
                )),
            });
        };
        match asked(&*asker, &gate, &active).await {
            Some((decision, decider)) => self.answer(run_id, &gate.id(), decision, decider, active).await,
            None => Ok(Waiting { run, gate, approvals }.into_execution()),
        }
    }
}

/// What whoever can be asked says. `None` as well when the run is stopped meanwhile.
async fn asked(asker: &dyn Asker, gate: &Gate, active: &Active) -> Option<(Decision, Decider)> {
    tokio::select! {
        answer = asker.ask(gate) => answer,
        () = active.cancel.cancelled() => None,
    }
}

impl Tree<'_> {
    /// Asks whoever can be asked now what the run waits for; else the run pauses. Nothing of it is executed meanwhile.
    pub async fn ask(&mut self, root: &mut Frame) -> Result<Decided, LibraryError> {
        let mut gates = Gate::all_of(root);
        let late = gates.iter().position(Gate::is_late).unwrap_or_default();
        let gate = if gates.is_empty() { return Err(broken("it waits for nothing")) } else { gates.swap_remove(late) };
        // A step is work to be done with tools, not a question that a form can answer.
        let asker = self.active.asker.clone().filter(|_| gate.is_for_people() && !gate.is_late());
        if let Some(asker) = asker {
            let active = self.active.clone();
            let answer = self.off_the_clock(root, asked(&*asker, &gate, &active)).await;
            if let Some((decision, decider)) = answer {
                let decision = gate.read(decision, &decider);
                return self.decide(root, &gate, &decision, &decider).await;
            }
        }
        if self.active.is_stopped() {
            return Ok(Decided::Stopped);
        }
        if gate.is_late() && !self.active.cancel.is_cancelled() {
            return self.decide(root, &gate, &Decision::Expire, &Decider::nobody()).await;
        }
        self.pause(root).await.map(|execution| Decided::Later(Box::new(execution)))
    }

    /// Writes a decision down and gives it to the code.
    pub async fn decide(
        &self,
        root: &mut Frame,
        gate: &Gate,
        decision: &Decision,
        decider: &Decider,
    ) -> Result<Decided, LibraryError> {
        let reply = gate.reply(decision, decider)?;
        let word = match decision {
            Decision::Approve(_) => "approve",
            Decision::Reject(_) => "reject",
            Decision::Expire => "expired",
        };
        let frame = root.find_mut(&gate.run_id).ok_or_else(|| broken("a decision about nothing"))?;
        let again = reply.is_none();
        let answer = reply.and_then(|reply| frame.answer(gate.sequence, reply));
        let row = journal::decision(gate.sequence, gate.question.clone(), word, decider.name.clone());
        journal::save_decision(&self.engine.library, answer, gate.run_id.clone(), row).await?;
        let decided = Event::Decided { sequence: gate.sequence, again };
        frame.state.on(decided).map_err(|error| broken(&error.to_string()))?;
        Ok(Decided::Now)
    }
}
