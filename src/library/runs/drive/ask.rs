//! Asking whoever can be asked, and giving the code what they decide.

use super::tree::Tree;
use crate::{
    domain::DecisionRecord,
    library::{
        LibraryError,
        runs::{
            decision::{Decider, Decision},
            execution::Execution,
            frame::{Frame, broken},
            gate::{Asker, Gate},
            journal::write,
            machine::Event,
            registry::Active,
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

impl Tree {
    /// Asks whoever can be asked now what the run waits for; else the run pauses. Nothing of it is executed meanwhile.
    pub async fn ask(&mut self, root: &mut Frame) -> Result<Asked, LibraryError> {
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
                self.decide(root, &gate, &decision, &decider).await?;
                return Ok(Asked::Decided);
            }
        }
        if self.active.is_stopped() {
            return Ok(Asked::Stopped);
        }
        if gate.is_late() && !self.active.cancel.is_cancelled() {
            self.decide(root, &gate, &Decision::Expire, &Decider::Nobody).await?;
            return Ok(Asked::Decided);
        }
        self.pause(root).await.map(|execution| Asked::Paused(Box::new(execution)))
    }

    /// Writes a decision down and gives it to the code.
    pub async fn decide(
        &self,
        root: &mut Frame,
        gate: &Gate,
        decision: &Decision,
        decider: &Decider,
    ) -> Result<(), LibraryError> {
        let reply = gate.reply(decision, decider)?;
        let frame = root.find_mut(&gate.run_id).ok_or_else(|| broken("a decision about nothing"))?;
        let again = reply.is_none();
        let answer = reply.and_then(|reply| frame.answer(gate.sequence, reply));
        let record = DecisionRecord {
            sequence: gate.sequence,
            question: gate.question.clone(),
            decision: decision.as_str().to_owned(),
            decided_by: decider.name().to_owned(),
            decided_at: crate::library::now_ms(),
        };
        write::save_decision(&self.resources.library, answer, gate.run_id.clone(), record).await?;
        frame.on(Event::Decided { sequence: gate.sequence, again })?;
        Ok(())
    }
}
