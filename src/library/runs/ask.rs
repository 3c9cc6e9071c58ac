//! Asking whoever can be asked, and what happens to a run while they think.

use std::sync::Arc;

use serde_json::Value;
use tokio::time::Instant;

use super::{
    drive::Drive,
    engine::{Engine, Execution},
    gate::{Asker, Decider, Decision, Gate},
    journal::{self, Left},
    recover::open_gate,
    registry::Active,
    state::{Event, Sequence},
};
use crate::{
    config::Approvals,
    domain::{Outcome, RunId, RunStatus},
    host::GateKind,
    library::LibraryError,
    sandbox::SandboxError,
    storage::RunRow,
};

/// What asking came to.
pub enum Decided {
    /// There is a decision.
    Now(Event),
    /// There is none, and the run does not go on for now.
    Later(Box<Execution>),
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
    pub run: RunRow,
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
        let gate = open_gate(&opened.frames, run_id)?;
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

impl Drive<'_> {
    /// Asks whoever can be asked now; else the run pauses.
    pub async fn ask(&mut self, sequence: Sequence) -> Result<Decided, LibraryError> {
        let gate = Gate::of(self.top()?, sequence);
        let Some(gate) = gate else { return Err(LibraryError::Invalid("a question without words".to_owned())) };
        // A step is work to be done with tools, not a question that a form can answer.
        let asker = self.active.asker.clone().filter(|_| gate.is_for_people() && !gate.is_late());
        if let Some(asker) = asker {
            let answer = self.ask_now(&*asker, &gate).await;
            if let Some((decision, decider)) = answer {
                let decision = gate.read(decision, &decider);
                return self.decide(&gate, &decision, &decider).await.map(Decided::Now);
            }
        }
        if self.active.is_stopped() {
            return self.fail(SandboxError::Cancelled).await.map(|execution| Decided::Later(Box::new(execution)));
        }
        if gate.is_late() && !self.active.cancel.is_cancelled() {
            return self.decide(&gate, &Decision::Expire, &Decider::nobody()).await.map(Decided::Now);
        }
        self.pause(&gate).await.map(|execution| Decided::Later(Box::new(execution)))
    }

    /// Asks; the clock of the run stands still meanwhile.
    async fn ask_now(&mut self, asker: &dyn Asker, gate: &Gate) -> Option<(Decision, Decider)> {
        let left = Left::of(&self.budget);
        for frame in &mut self.frames {
            frame.rest();
        }
        let answer = asked(asker, gate, &self.active).await;
        self.budget = Arc::new(self.budget.until(Instant::now() + left.time()));
        for frame in &mut self.frames {
            frame.under(&self.budget);
        }
        answer
    }

    /// Writes a decision down and gives it to the code.
    pub async fn decide(&mut self, gate: &Gate, decision: &Decision, decider: &Decider) -> Result<Event, LibraryError> {
        let reply = gate.reply(decision, decider)?;
        let word = match decision {
            Decision::Approve(_) => "approve",
            Decision::Reject(_) => "reject",
            Decision::Expire => "expired",
        };
        let library = Arc::clone(&self.engine.library);
        let frame = self.top()?;
        let run_id = frame.origin.run_id.clone();
        let again = reply.is_none();
        let answer = reply.and_then(|reply| frame.answer(gate.sequence, reply));
        let row = journal::decision(gate.sequence, gate.question.clone(), word, decider.name.clone());
        journal::save_decision(&library, answer, run_id, row).await?;
        Ok(Event::Decided { again })
    }
}
