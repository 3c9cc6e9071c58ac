//! What a paused run waits for, and going on with it when nobody has said what was decided.

use serde_json::Value;

use super::Engine;
use crate::{
    config::Approvals,
    domain::{Decider, GateKind, Outcome, Run, RunStatus},
    library::{
        LibraryError,
        runs::{decision::Decision, drive::ask::asked, execution::Execution, gate::Gate, registry::Active},
    },
};

/// A run that waits, and what for.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub run: Run,
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
            waits_until: None,
            duration_ms: run.duration_ms.unwrap_or_default(),
        }
    }
}

impl Engine {
    /// What a paused run waits for, and whether whoever `active` is a handle of may decide it.
    ///
    /// # Errors
    /// [`LibraryError::RunNotPaused`], [`LibraryError::RunNotFound`], [`LibraryError::StateRefused`].
    pub async fn waiting(&self, run_id: &str, active: &Active) -> Result<Waiting, LibraryError> {
        let opened = self.open_run(run_id).await?;
        if opened.run.status != RunStatus::Paused {
            return Err(LibraryError::RunNotPaused { id: opened.run.id, status: opened.run.status });
        }
        let gate = Gate::open_in(opened.root.as_ref(), run_id, None)?;
        let approvals = gate.left_to(opened.approvals(active));
        Ok(Waiting { run: opened.run, gate, approvals })
    }

    /// All questions that a paused run waits with, the first one first; none where it only waits for the clock.
    ///
    /// # Errors
    /// As [`Engine::waiting`].
    pub async fn questions(&self, run_id: &str) -> Result<Vec<Gate>, LibraryError> {
        let opened = self.open_run(run_id).await?;
        if opened.run.status != RunStatus::Paused {
            return Err(LibraryError::RunNotPaused { id: opened.run.id, status: opened.run.status });
        }
        Ok(opened.root.as_ref().map(Gate::all_of).unwrap_or_default())
    }

    /// Goes on with an open run without a decision: a step counts as done, with this value, which also answers a
    /// question; what needs a yes or no is put before whoever can be asked.
    ///
    /// # Errors
    /// As [`Engine::resume`]; and [`LibraryError::Argument`] where a decision is wanted and nobody can be asked for it.
    pub async fn resume_undecided(
        &self,
        run_id: &str,
        value: Option<Value>,
        decider: Decider,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        let waiting = match self.waiting(run_id, &active).await {
            Ok(waiting) => waiting,
            // It needs no decision, and gets none, should it have come to a question by now; where it waits for the clock, that
            // may say that its time has come.
            Err(LibraryError::RunNotPaused { status: RunStatus::Interrupted, .. } | LibraryError::Argument { .. }) => {
                return self.resume(run_id, Decision::Expire, Decider::Nobody, active).await;
            }
            Err(error) => return Err(error),
        };
        let Waiting { run, gate, approvals } = waiting;
        let is_answered = gate.request.kind == GateKind::Question && value.is_some() && approvals == Approvals::Client;
        if !gate.asks_person(approvals) || gate.is_late() || is_answered {
            // What is no answer is told, rather than taken for a refusal.
            gate.reply(&Decision::Approve(value.clone()), &decider)?;
            return self.answer(run_id, &gate.id(), Decision::Approve(value), decider, active).await;
        }
        let Some(asker) = active.asker.clone() else {
            return Err(match (approvals, gate.request.kind) {
                (Approvals::Human, _) => LibraryError::ApprovalNeedsHuman { id: run.id, question: gate.question },
                (_, GateKind::Question) => LibraryError::invalid_with_hint(
                    format!("run `{}` waits for an answer to \"{}\"", run.id, gate.question),
                    "ask your user, and pass it as `value`",
                ),
                _ => LibraryError::invalid_with_hint(
                    format!("run `{}` waits for a yes or no to \"{}\"", run.id, gate.question),
                    "ask your user, and say `decision`: `approve` or `reject`",
                ),
            });
        };
        match asked(&*asker, &gate, &active).await {
            Some((decision, decider)) => self.answer(run_id, &gate.id(), decision, decider, active).await,
            None => Ok(Waiting { run, gate, approvals }.into_execution()),
        }
    }
}
