//! Asking whoever can be asked, and giving the code what they decide.

use std::{sync::Arc, time::Duration};

use super::tree::Tree;
use crate::{
    config::Approvals,
    domain::{Decider, DecisionRecord, Extent, Permissions},
    library::{
        LibraryError, now_ms,
        runs::{
            decision::Decision,
            execution::Execution,
            frame::{Frame, broken},
            gate::{Asker, Gate},
            journal::{
                record::{self, Ending},
                write::{self, Decided},
            },
            machine::Event,
            registry::Active,
            wait::time_until,
        },
    },
};

/// What asking came to.
pub enum Asked {
    /// There is a decision, which the code gets when it goes on.
    Decided,
    /// There is none, and the run does not go on for now.
    Paused(Box<Execution>),
    /// The run is to end.
    Stopped,
}

/// What whoever can be asked says. `None` as well when the run is stopped meanwhile.
pub async fn asked(asker: &dyn Asker, gate: &Gate, active: &Active) -> Option<(Decision, Decider)> {
    tokio::select! {
        answer = asker.ask(gate) => answer,
        () = active.cancel.cancelled() => None,
    }
}

/// A run that waits for the clock no longer than this is not given back: its caller would only have
/// to look again. Clients wait for a minute.
const IN_CALL: Duration = Duration::from_secs(45);

/// Returns at a moment; never without one.
async fn until(moment: Option<i64>) {
    match moment {
        Some(moment) => tokio::time::sleep(time_until(moment)).await,
        None => std::future::pending().await,
    }
}

impl Tree {
    /// Asks whoever can be asked now what the run waits for; else the run pauses. Nothing of it is executed meanwhile.
    pub async fn ask(&mut self, root: &mut Frame) -> Result<Asked, LibraryError> {
        if !self.active.cancel.is_cancelled() && self.end_late(root).await? {
            return Ok(Asked::Decided);
        }
        let mut gates = Gate::all_of(root);
        let wakes_at = root.wakes_at().into_iter().chain(root.first_limit()).min();
        if gates.is_empty() {
            let wakes_at = wakes_at.ok_or_else(|| broken("it waits for nothing"))?;
            return self.wait_for_clock(root, wakes_at).await;
        }
        let gate = gates.swap_remove(0);
        // A step is work to be done with tools, not a question that a form can answer.
        let approvals = Approvals::of(self.config.approvals, self.active.can_be_asked);
        let asker = self.active.asker.clone().filter(|_| gate.asks_person(approvals) && !gate.is_late());
        if let Some(asker) = asker {
            let active = self.active.clone();
            // What sleeps meanwhile goes on when it is due: the question is put again after that.
            let answer = self
                .off_the_clock(root, async {
                    tokio::select! {
                        answer = asked(&*asker, &gate, &active) => answer,
                        () = until(wakes_at) => None,
                    }
                })
                .await;
            // What is no answer leaves the question open.
            let read = answer.and_then(|(decision, by)| Some((gate.read(decision, &by).ok()?, by)));
            if let Some((decision, decider)) = read {
                self.decide(root, &gate, &decision, &decider).await?;
                return Ok(Asked::Decided);
            }
        }
        if self.active.is_stopped() {
            return Ok(Asked::Stopped);
        }
        let is_due = wakes_at.is_some_and(|wakes_at| wakes_at <= now_ms());
        if !self.active.cancel.is_cancelled() && (self.end_late(root).await? || is_due) {
            return Ok(Asked::Decided);
        }
        self.pause(root).await.map(|execution| Asked::Paused(Box::new(execution)))
    }

    /// Waits where only the clock is waited for: here if that is not for long, else without any process.
    async fn wait_for_clock(&mut self, root: &mut Frame, wakes_at: i64) -> Result<Asked, LibraryError> {
        if time_until(wakes_at) <= IN_CALL {
            let cancel = self.active.cancel.clone();
            let is_there = self
                .off_the_clock(root, async {
                    tokio::select! {
                        biased;
                        () = cancel.cancelled() => false,
                        () = until(Some(wakes_at)) => true,
                    }
                })
                .await;
            if is_there {
                return Ok(Asked::Decided);
            }
        }
        if self.active.is_stopped() {
            return Ok(Asked::Stopped);
        }
        self.pause(root).await.map(|execution| Asked::Paused(Box::new(execution)))
    }

    /// Ends what has waited too long: procedures whose callers wait no longer, then questions. Whether there was any.
    pub async fn end_late(&mut self, root: &mut Frame) -> Result<bool, LibraryError> {
        let mut is_any = false;
        while let Some((run_id, sequence)) = root.find_late() {
            let frame = root.find_mut(&run_id).ok_or_else(|| broken("a call of nobody"))?;
            let mut child = frame.take_child(sequence).ok_or_else(|| broken("nobody was called"))?;
            let ending = Ending::Error(child.time_is_up());
            let answer = frame.answer(sequence, ending.reply()).ok_or_else(|| broken("nobody called"))?;
            child.abandon_calls();
            record::ended(&self.resources.journal, &mut child, ending, Some(answer)).await?;
            frame.on(Event::Decided { sequence, again: false })?;
            is_any = true;
        }
        for gate in Gate::all_of(root).iter().filter(|gate| gate.is_late()) {
            self.decide(root, gate, &Decision::Expire, &Decider::Nobody).await?;
            is_any = true;
        }
        Ok(is_any)
    }

    /// Writes a decision down and gives it to the code. What was granted by it is not asked for again.
    pub async fn decide(
        &mut self,
        root: &mut Frame,
        gate: &Gate,
        decision: &Decision,
        decider: &Decider,
    ) -> Result<(), LibraryError> {
        self.decide_one(root, gate, decision, decider).await?;
        let (Some(missing), Decision::Approve(value)) = (&gate.missing, decision) else { return Ok(()) };
        let extent = gate.extent(value.as_ref())?;
        if extent != Extent::Once {
            self.grant_for_good(root, gate, missing, extent).await;
        }
        for other in Gate::all_of(root) {
            if other.missing.is_some()
                && root.find_mut(&other.run_id).is_some_and(|frame| frame.has_all_for(other.sequence))
            {
                self.decide_one(root, &other, &Decision::Approve(None), decider).await?;
            }
        }
        Ok(())
    }

    /// Writes a grant into the policy. Where that can't be, it holds for this run, and the run's output says so.
    async fn grant_for_good(&mut self, root: &mut Frame, gate: &Gate, missing: &Permissions, extent: Extent) {
        let procedure = (extent == Extent::Procedure).then(|| gate.procedure.clone());
        let (config, more) = (Arc::clone(&self.config), missing.clone());
        let added = tokio::task::spawn_blocking(move || {
            config.add_grants(procedure.as_deref(), &more)?;
            config.reload()
        });
        match added.await {
            Ok(Ok(config)) => {
                self.config = Arc::new(config);
                root.under_policy(&self.config);
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "a grant could not be written into the policy");
                root.capture.push(&format!("The grant holds for this run alone: {error}\n"));
            }
            Err(error) => tracing::error!(%error, "a grant could not be written into the policy"),
        }
    }

    async fn decide_one(
        &self,
        root: &mut Frame,
        gate: &Gate,
        decision: &Decision,
        decider: &Decider,
    ) -> Result<(), LibraryError> {
        let reply = gate.reply(decision, decider)?;
        let frame = root.find_mut(&gate.run_id).ok_or_else(|| broken("a decision about nothing"))?;
        let again = reply.is_none();
        let answer = match reply {
            Some(reply) => frame.answer(gate.sequence, reply).map(|answer| Decided::Answer(Box::new(answer))),
            None if gate.holds_call() => {
                frame.permit(gate.sequence);
                Some(Decided::Permit(gate.sequence))
            }
            None => None,
        };
        let record = DecisionRecord {
            sequence: gate.sequence,
            question: gate.question.clone(),
            decision: decision.as_str().to_owned(),
            decided_by: decider.name().to_owned(),
            by_agent: decider.is_agent(),
            decided_at: now_ms(),
        };
        write::save_decision(&self.resources.journal, answer, gate.run_id.clone(), record).await?;
        frame.on(Event::Decided { sequence: gate.sequence, again })?;
        Ok(())
    }
}
