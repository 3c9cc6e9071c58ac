//! The state machine of a run: what an event makes of it, and what has to be done about that.
//!
//! Pure: no I/O, no clock, no interpreter. The engine feeds it what happened and carries out the effects, in their
//! order. Because the same function decides while a run executes and after its process was killed, "a completed call
//! never runs twice" is a property of this file, and is tested as one.

use crate::host::Nature;

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
}

impl From<Nature> for Safety {
    fn from(nature: Nature) -> Self {
        match nature {
            Nature::Immediate | Nature::Repeatable => Self::Repeatable,
            Nature::Once => Self::Unknown,
            Nature::Gate => Self::Gate,
        }
    }
}

/// A host call that the code waits at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Where it stands in the journal.
    pub sequence: Sequence,
    /// What may be done about it after a crash.
    pub safety: Safety,
    /// Whether its answer is in the journal.
    pub answered: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A process takes care of it.
    Active,
    /// It waits for a decision; no process is needed.
    Paused,
    /// The process that took care of it ended.
    Interrupted,
    /// It is over.
    Ended,
}

/// The part of a run that decides what happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Where it stands.
    pub phase: Phase,
    /// The calls that its code waited at last; several where they were gathered. They stay until it makes others,
    /// because after a crash it goes on from there.
    pub calls: Vec<Call>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The code makes these calls and waits.
    Called(Vec<Call>),
    /// The answer of a call is there.
    Answered(Sequence),
    /// Its process ended.
    Lost,
    /// A process takes it up again, without a decision.
    TakenUp,
    /// Somebody decided on what it waits for; `again` has the call made once more.
    Decided {
        /// Whether the call is to be made again, instead of being answered by the decision.
        again: bool,
    },
    /// The code returned or raised, or the run was stopped.
    Ended,
}

/// What the engine has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Write the interpreter's state and the calls that it waits at to the journal, before anything else.
    Save,
    /// Do what the call asks for.
    Perform(Sequence),
    /// Give all answers to the code and let it go on.
    Hand,
    /// Let somebody decide on this call; no process is needed meanwhile.
    Ask(Sequence),
    /// Start the code from its beginning: it had made no call.
    Begin,
    /// Record how it ended and forget its saved state.
    Finish,
}

/// An event that can't happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {0:?} can't do this")]
pub struct Impossible(pub Phase);

impl State {
    /// A run whose code is about to start.
    #[must_use]
    pub const fn new() -> Self {
        Self { phase: Phase::Active, calls: Vec::new() }
    }

    /// What `event` makes of this state, and what is to be done.
    ///
    /// # Errors
    /// [`Impossible`]; the state stays as it is.
    pub fn on(&mut self, event: Event) -> Result<Vec<Effect>, Impossible> {
        match (self.phase, event) {
            (Phase::Active, Event::Called(calls))
                if self.calls.iter().all(|call| call.answered) && !calls.is_empty() =>
            {
                self.calls = calls;
                let mut effects = vec![Effect::Save];
                effects.extend(self.next(|safety| safety != Safety::Gate));
                Ok(effects)
            }
            (Phase::Active, Event::Answered(sequence)) => {
                let Some(call) = self.calls.iter_mut().find(|call| call.sequence == sequence && !call.answered) else {
                    return Err(Impossible(self.phase));
                };
                call.answered = true;
                let is_under_way = |call: &Call| !call.answered && call.safety != Safety::Gate;
                // Others that were gathered with it are still being performed.
                if self.calls.iter().any(is_under_way) { Ok(Vec::new()) } else { Ok(self.next(|_| false)) }
            }
            (Phase::Active, Event::Lost) => {
                self.phase = Phase::Interrupted;
                Ok(Vec::new())
            }
            // The decision stays to be made, whichever process goes.
            (Phase::Paused, Event::Lost) => Ok(Vec::new()),
            (Phase::Interrupted, Event::TakenUp) => {
                self.phase = Phase::Active;
                if self.calls.is_empty() {
                    return Ok(vec![Effect::Begin]);
                }
                Ok(self.next(|safety| safety == Safety::Repeatable))
            }
            (Phase::Paused, Event::Decided { again }) => {
                let Some(asked) = self.calls.iter_mut().find(|call| !call.answered) else {
                    return Err(Impossible(self.phase));
                };
                self.phase = Phase::Active;
                if again {
                    return Ok(vec![Effect::Perform(asked.sequence)]);
                }
                asked.answered = true;
                Ok(self.next(|_| false))
            }
            (Phase::Active | Phase::Paused | Phase::Interrupted, Event::Ended) => {
                self.phase = Phase::Ended;
                self.calls.clear();
                Ok(vec![Effect::Finish])
            }
            (phase, _) => Err(Impossible(phase)),
        }
    }

    /// Performs the calls that `may_perform` allows; when there are none, asks about the first that is not answered;
    /// when there is none of those either, the code goes on.
    fn next(&mut self, may_perform: impl Fn(Safety) -> bool) -> Vec<Effect> {
        let open = || self.calls.iter().filter(|call| !call.answered);
        let performed: Vec<Effect> =
            open().filter(|call| may_perform(call.safety)).map(|call| Effect::Perform(call.sequence)).collect();
        if !performed.is_empty() {
            return performed;
        }
        if let Some(call) = open().next() {
            self.phase = Phase::Paused;
            return vec![Effect::Ask(call.sequence)];
        }
        vec![Effect::Hand]
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const fn call(sequence: Sequence, safety: Safety) -> Call {
        Call { sequence, safety, answered: false }
    }

    fn run(events: impl IntoIterator<Item = Event>) -> (State, Vec<Effect>) {
        let mut state = State::new();
        let effects = events.into_iter().flat_map(|event| state.on(event).unwrap()).collect();
        (state, effects)
    }

    #[test]
    fn a_call_is_saved_before_it_is_performed_and_handed_over_when_it_is_answered() {
        let (state, effects) = run([Event::Called(vec![call(1, Safety::Unknown)]), Event::Answered(1)]);
        assert_eq!(effects, [Effect::Save, Effect::Perform(1), Effect::Hand]);
        assert_eq!(state.phase, Phase::Active);
    }

    #[test]
    fn gathered_calls_are_performed_together_and_handed_over_together() {
        let calls = vec![call(1, Safety::Unknown), call(2, Safety::Unknown), call(3, Safety::Gate)];
        let (state, effects) =
            run([Event::Called(calls), Event::Answered(2), Event::Answered(1), Event::Decided { again: false }]);
        let expected = [Effect::Save, Effect::Perform(1), Effect::Perform(2), Effect::Ask(3), Effect::Hand];
        assert_eq!(effects, expected);
        assert_eq!(state.phase, Phase::Active);
    }

    #[test]
    fn after_a_crash_answered_calls_are_handed_over_and_safe_ones_repeated() {
        let lost = [Event::Answered(1), Event::Lost, Event::TakenUp];
        let (_, effects) =
            run([Event::Called(vec![call(1, Safety::Unknown), call(2, Safety::Repeatable)])].into_iter().chain(lost));
        assert_eq!(effects, [Effect::Save, Effect::Perform(1), Effect::Perform(2), Effect::Perform(2)]);
        let (_, effects) =
            run([Event::Called(vec![call(1, Safety::Unknown)]), Event::Answered(1), Event::Lost, Event::TakenUp]);
        assert_eq!(effects[2..], [Effect::Hand, Effect::Hand]);
    }

    #[test]
    fn after_a_crash_nobody_repeats_what_may_have_taken_effect() {
        let (state, effects) = run([Event::Called(vec![call(1, Safety::Unknown)]), Event::Lost, Event::TakenUp]);
        assert_eq!(effects, [Effect::Save, Effect::Perform(1), Effect::Ask(1)]);
        assert_eq!(state.phase, Phase::Paused);
    }

    #[test]
    fn code_that_had_made_no_call_begins_again() {
        let (_, effects) = run([Event::Lost, Event::TakenUp]);
        assert_eq!(effects, [Effect::Begin]);
    }

    #[test]
    fn what_is_over_stays_over() {
        let (mut state, _) = run([Event::Ended]);
        for event in [Event::Lost, Event::TakenUp, Event::Answered(1), Event::Decided { again: true }, Event::Ended] {
            assert_eq!(state.on(event), Err(Impossible(Phase::Ended)));
        }
    }

    fn safety() -> impl Strategy<Value = Safety> {
        prop_oneof![Just(Safety::Repeatable), Just(Safety::Unknown), Just(Safety::Gate)]
    }

    /// One thing that may happen next; numbers choose among what is possible.
    #[derive(Debug, Clone)]
    enum Move {
        Call(Vec<Safety>),
        Answer(usize),
        Crash,
        Decide(bool),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            prop::collection::vec(safety(), 1..4).prop_map(Move::Call),
            any::<usize>().prop_map(Move::Answer),
            Just(Move::Crash),
            any::<bool>().prop_map(Move::Decide),
        ];
        prop::collection::vec(one, 1..60)
    }

    proptest! {
        /// An engine that does what the effects say, crashes anywhere, and counts.
        #[test]
        fn no_completed_call_is_performed_again_and_none_is_lost(moves in moves()) {
            let mut state = State::new();
            let mut under_way: Vec<Sequence> = Vec::new();
            let mut known: HashMap<Sequence, Safety> = HashMap::new();
            let mut completed: Vec<Sequence> = Vec::new();
            let mut next = 1;
            for one in moves {
                let mut asked_again = None;
                let effects = match one {
                    Move::Call(safeties) => {
                        let calls: Vec<Call> = safeties.iter().zip(next..).map(|(safety, n)| call(n, *safety)).collect();
                        let Ok(effects) = state.on(Event::Called(calls.clone())) else { continue };
                        next += u32::try_from(calls.len()).unwrap();
                        known.extend(calls.iter().map(|call| (call.sequence, call.safety)));
                        effects
                    }
                    Move::Answer(which) => {
                        if under_way.is_empty() { continue }
                        let sequence = under_way.remove(which % under_way.len());
                        completed.push(sequence);
                        state.on(Event::Answered(sequence)).unwrap()
                    }
                    Move::Crash => {
                        if state.phase == Phase::Paused {
                            prop_assert!(state.on(Event::Lost).unwrap().is_empty());
                            continue;
                        }
                        under_way.clear();
                        state.on(Event::Lost).unwrap();
                        state.on(Event::TakenUp).unwrap()
                    }
                    Move::Decide(again) => {
                        let asked = state.calls.iter().find(|call| !call.answered).map(|call| call.sequence);
                        let Ok(effects) = state.on(Event::Decided { again }) else { continue };
                        if again { asked_again = asked } else { completed.extend(asked) }
                        effects
                    }
                };
                for effect in effects {
                    match effect {
                        Effect::Perform(sequence) => {
                            prop_assert!(!completed.contains(&sequence), "{sequence} was completed before");
                            prop_assert!(!under_way.contains(&sequence), "{sequence} is under way");
                            let is_repeated = asked_again == Some(sequence);
                            prop_assert!(known[&sequence] != Safety::Gate || is_repeated);
                            under_way.push(sequence);
                        }
                        Effect::Hand => {
                            prop_assert!(under_way.is_empty());
                            prop_assert_eq!(completed.len(), usize::try_from(next).unwrap() - 1, "an answer is missing");
                        }
                        Effect::Ask(sequence) => {
                            prop_assert!(under_way.is_empty() && !completed.contains(&sequence));
                        }
                        Effect::Begin => prop_assert_eq!(next, 1, "calls were made before"),
                        Effect::Save | Effect::Finish => {}
                    }
                }
            }
        }
    }
}
