//! The state machine of a frame: what an event makes of it, and what has to be done about that.
//!
//! Pure: no I/O, no clock, no interpreter. The engine feeds it what happened and carries out the effects, in their
//! order. Because the same function decides while a run executes and after its process was killed, "a completed call
//! never runs twice" is a property of this file, and is tested as one.

use crate::domain::Nature;

/// The position of a host call in the journal of its run, from 1.
pub type Sequence = u32;

/// What may be done about a call that was under way when the process ended: nobody knows whether it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// Making it again does no harm.
    Repeatable,
    /// It may have taken effect; a person or the agent has to look.
    Unknown,
    /// It is no work but a wait for somebody's decision.
    Gate,
    /// It is another procedure, which has a frame of its own and goes on where that stands.
    Nested,
}

impl From<Nature> for Safety {
    fn from(nature: Nature) -> Self {
        match nature {
            Nature::Immediate | Nature::Repeatable => Self::Repeatable,
            Nature::Once => Self::Unknown,
            Nature::Gate => Self::Gate,
            Nature::Nested => Self::Nested,
        }
    }
}

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nobody takes care of it.
    Open,
    /// Somebody decided that it is to be made, again perhaps.
    Wanted,
    /// It is being performed.
    UnderWay,
    /// It is a procedure that waits for a decision.
    Suspended,
    /// Its answer is in the journal.
    Answered,
    /// The code has got its answer, which is kept until the code is saved further on: after a crash it goes on from where
    /// it was saved.
    Delivered,
}

/// A host call that the code made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Where it stands in the journal.
    pub sequence: Sequence,
    /// What may be done about it after a crash.
    pub safety: Safety,
    /// How far it is.
    pub progress: Progress,
}

/// Where a frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A process takes care of it.
    Active,
    /// It waits for a decision; no process is needed.
    Paused,
    /// Nobody takes care of it: its process ended, or it has not started.
    Resting,
}

/// The part of a frame that decides what happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub phase: Phase,
    /// The calls whose answers the code has not got, or may have to get again.
    pub calls: Vec<Call>,
    /// Those that the code waits for now: it goes on as soon as one of them is answered.
    pub awaited: Vec<Sequence>,
    /// Whether the code is executing, rather than waiting.
    is_going: bool,
    /// Whether the code waits where it was saved.
    is_saved: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The code made these calls, and waits.
    Waits {
        /// Calls that it had not made when it last waited.
        new: Vec<(Sequence, Safety)>,
        awaited: Vec<Sequence>,
    },
    /// It has waited for so long that its worker is better used for others.
    Idle,
    /// The answer of a call is there.
    Answered(Sequence),
    /// The procedure that this call is can't go on before somebody decides.
    Suspended(Sequence),
    /// A process takes it up again.
    TakenUp,
    /// Somebody decided on a call that waits for it, or nobody waits any longer for a procedure that does.
    Decided {
        /// The call.
        sequence: Sequence,
        /// Whether it is to be made again, instead of being answered by the decision.
        again: bool,
    },
}

/// What the engine has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Write the interpreter's state and the calls that it waits at to the journal, before anything else.
    Save,
    /// Do what the call asks for.
    Perform(Sequence),
    /// Give the answers that are there to the code and let it go on.
    Resume,
    /// Nothing goes on before somebody decides; no process is needed meanwhile.
    Ask,
    /// Start the code from its beginning: it had made no call.
    Begin,
}

/// An event that can't happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this can't happen to a frame that is {0:?}")]
pub struct InvalidTransition(pub Phase);

impl State {
    /// A frame whose code has not started.
    #[must_use]
    pub const fn new() -> Self {
        Self::saved(Vec::new(), Vec::new())
    }

    /// A frame that waits where it was saved.
    #[must_use]
    pub const fn saved(calls: Vec<Call>, awaited: Vec<Sequence>) -> Self {
        Self { phase: Phase::Resting, calls, awaited, is_going: false, is_saved: true }
    }

    /// What `event` makes of this state, and what is to be done.
    ///
    /// # Errors
    /// [`InvalidTransition`]; the state stays as it is.
    pub fn on(&mut self, event: Event) -> Result<Vec<Effect>, InvalidTransition> {
        match (self.phase, event) {
            (Phase::Active, Event::Waits { new, awaited }) if self.is_going && !awaited.is_empty() => {
                Ok(self.wait(&new, awaited))
            }
            (Phase::Active, Event::Idle) if !self.is_going => {
                Ok(if self.is_saved { Vec::new() } else { vec![self.save()] })
            }
            (Phase::Active, Event::Answered(sequence)) => {
                self.find(sequence, Progress::UnderWay)?.progress = Progress::Answered;
                Ok(self.settle())
            }
            (Phase::Active, Event::Suspended(sequence)) => {
                self.find(sequence, Progress::UnderWay)?.progress = Progress::Suspended;
                Ok(self.settle())
            }
            (Phase::Paused | Phase::Resting, Event::TakenUp) => {
                self.phase = Phase::Active;
                if self.calls.is_empty() {
                    (self.is_going, self.is_saved) = (true, false);
                    return Ok(vec![Effect::Begin]);
                }
                let mut effects = self.perform(|call| match call.progress {
                    Progress::Open => matches!(call.safety, Safety::Repeatable | Safety::Nested),
                    Progress::Wanted | Progress::Suspended => true,
                    Progress::UnderWay | Progress::Answered | Progress::Delivered => false,
                });
                effects.extend(self.settle());
                Ok(effects)
            }
            (Phase::Paused | Phase::Resting, Event::Decided { sequence, again }) => {
                let decided = self.find(sequence, Progress::Open).is_ok();
                let progress = if decided { Progress::Open } else { Progress::Suspended };
                self.find(sequence, progress)?.progress = if again { Progress::Wanted } else { Progress::Answered };
                Ok(Vec::new())
            }
            (phase, _) => Err(InvalidTransition(phase)),
        }
    }

    /// Whether the code gets the answer of this call when it goes on.
    #[must_use]
    pub fn delivers(&self, sequence: Sequence) -> bool {
        self.calls.iter().any(|call| call.sequence == sequence && call.progress == Progress::Delivered)
    }

    fn find(&mut self, sequence: Sequence, progress: Progress) -> Result<&mut Call, InvalidTransition> {
        let phase = self.phase;
        let call = self.calls.iter_mut().find(|call| call.sequence == sequence && call.progress == progress);
        call.ok_or(InvalidTransition(phase))
    }

    fn wait(&mut self, new: &[(Sequence, Safety)], awaited: Vec<Sequence>) -> Vec<Effect> {
        self.is_going = false;
        self.awaited = awaited;
        let open = |(sequence, safety): &(Sequence, Safety)| Call {
            sequence: *sequence,
            safety: *safety,
            progress: Progress::Open,
        };
        self.calls.extend(new.iter().map(open));
        let is_new = |call: &Call| new.iter().any(|(sequence, _)| *sequence == call.sequence);
        let mut performed = self.perform(|call| is_new(call) && call.safety != Safety::Gate);
        // While a procedure executes, the worker of its caller is free for others.
        let gives_worker_back =
            self.calls.iter().any(|call| call.safety == Safety::Nested && call.progress == Progress::UnderWay);
        let mut effects = Vec::new();
        if !new.is_empty() || gives_worker_back {
            effects.push(self.save());
        }
        effects.append(&mut performed);
        effects.extend(self.settle());
        effects
    }

    fn save(&mut self) -> Effect {
        self.is_saved = true;
        self.calls.retain(|call| call.progress != Progress::Delivered);
        Effect::Save
    }

    fn perform(&mut self, is_performed: impl Fn(&Call) -> bool) -> Vec<Effect> {
        let performed = self.calls.iter_mut().filter(|call| is_performed(call));
        performed
            .map(|call| {
                call.progress = Progress::UnderWay;
                Effect::Perform(call.sequence)
            })
            .collect()
    }

    /// What is to be done where the code waits: it goes on where it can. Where nothing can, somebody is asked.
    fn settle(&mut self) -> Vec<Effect> {
        if self.is_going {
            return Vec::new();
        }
        for call in &mut self.calls {
            if call.progress == Progress::Answered && self.awaited.contains(&call.sequence) {
                call.progress = Progress::Delivered;
                self.is_going = true;
            }
        }
        if self.is_going {
            self.is_saved = false;
            return vec![Effect::Resume];
        }
        if self.calls.iter().any(|call| call.progress == Progress::UnderWay) {
            return Vec::new();
        }
        self.phase = Phase::Paused;
        if self.is_saved { vec![Effect::Ask] } else { vec![self.save(), Effect::Ask] }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
