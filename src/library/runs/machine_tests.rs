//! Examples, and an engine that does what the effects say, crashes anywhere, and counts.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn waits(new: &[(Sequence, Safety)], awaited: &[Sequence]) -> Event {
    Event::Waits { new: new.to_vec(), awaited: awaited.to_vec() }
}

fn made(new: &[(Sequence, Safety)]) -> Event {
    let awaited: Vec<Sequence> = new.iter().map(|(sequence, _)| *sequence).collect();
    waits(new, &awaited)
}

fn begun() -> State {
    let mut state = State::new();
    assert_eq!(state.on(Event::TakenUp), Ok(vec![Effect::Begin]));
    state
}

fn run(events: impl IntoIterator<Item = Event>) -> (State, Vec<Effect>) {
    let mut state = begun();
    let effects = events.into_iter().flat_map(|event| state.on(event).unwrap()).collect();
    (state, effects)
}

/// What the journal says after a crash: answers that came are there, and nobody takes care of anything.
fn crashed(saved: &State, state: &State) -> State {
    let is_answered = |sequence| {
        let call = state.calls.iter().find(|call| call.sequence == sequence);
        call.is_none_or(|call| matches!(call.progress, Progress::Answered | Progress::Delivered))
    };
    let mut calls = saved.calls.clone();
    for call in &mut calls {
        call.progress = if is_answered(call.sequence) { Progress::Answered } else { Progress::Open };
    }
    State::saved(calls, saved.awaited.clone())
}

#[test]
fn a_call_is_saved_before_it_is_performed_and_delivered_when_it_is_answered() {
    let (state, effects) = run([made(&[(1, Safety::Unknown)]), Event::Answered(1)]);
    assert_eq!(effects, [Effect::Save, Effect::Perform(1), Effect::Resume]);
    assert_eq!(state.phase, Phase::Active);
}

#[test]
fn gathered_calls_are_performed_together_and_each_is_delivered_when_it_is_answered() {
    let (_, effects) = run([
        made(&[(1, Safety::Unknown), (2, Safety::Repeatable)]),
        Event::Answered(2),
        waits(&[(3, Safety::Unknown)], &[1, 3]),
        Event::Answered(3),
        waits(&[], &[1]),
        Event::Answered(1),
    ]);
    let begun = [Effect::Save, Effect::Perform(1), Effect::Perform(2), Effect::Resume];
    assert_eq!(effects[..4], begun);
    assert_eq!(effects[4..], [Effect::Save, Effect::Perform(3), Effect::Resume, Effect::Resume]);
}

#[test]
fn an_answer_that_comes_while_the_code_executes_is_delivered_when_it_waits_again() {
    let (_, effects) = run([
        made(&[(1, Safety::Unknown), (2, Safety::Unknown)]),
        Event::Answered(1),
        Event::Answered(2),
        waits(&[], &[2]),
    ]);
    assert_eq!(effects[3..], [Effect::Resume, Effect::Resume]);
}

#[test]
fn only_what_the_code_waits_for_is_delivered() {
    let (state, effects) = run([
        made(&[(1, Safety::Unknown), (2, Safety::Unknown)]),
        Event::Answered(1),
        waits(&[(3, Safety::Unknown)], &[3]),
        Event::Answered(2),
    ]);
    assert_eq!(effects[4..], [Effect::Save, Effect::Perform(3)]);
    assert!(state.calls.iter().any(|call| call.sequence == 2 && call.progress == Progress::Answered));
}

#[test]
fn somebody_is_asked_when_nothing_else_can_go_on() {
    let (mut state, effects) =
        run([made(&[(1, Safety::Unknown), (2, Safety::Gate)]), Event::Answered(1), waits(&[], &[2])]);
    assert_eq!(effects, [Effect::Save, Effect::Perform(1), Effect::Resume, Effect::Save, Effect::Ask]);
    assert_eq!(state.phase, Phase::Paused);
    assert_eq!(state.on(Event::Decided { sequence: 2, again: false }), Ok(vec![]));
    assert_eq!(state.on(Event::TakenUp), Ok(vec![Effect::Resume]));
}

#[test]
fn a_procedure_that_waits_holds_up_nobody_else() {
    let (mut state, effects) = run([
        made(&[(1, Safety::Nested), (2, Safety::Nested)]),
        Event::Suspended(1),
        Event::Answered(2),
        waits(&[], &[1]),
    ]);
    let begun = [Effect::Save, Effect::Perform(1), Effect::Perform(2), Effect::Resume];
    assert_eq!(effects[..4], begun);
    assert_eq!(effects[4..], [Effect::Save, Effect::Ask]);
    assert_eq!(state.on(Event::TakenUp), Ok(vec![Effect::Perform(1)]));
}

#[test]
fn after_a_crash_answered_calls_are_delivered_and_safe_ones_repeated() {
    let mut state = begun();
    state.on(made(&[(1, Safety::Unknown), (2, Safety::Repeatable)])).unwrap();
    let saved = state.clone();
    state.on(Event::Answered(1)).unwrap();
    let mut state = crashed(&saved, &state);
    assert_eq!(state.on(Event::TakenUp), Ok(vec![Effect::Perform(2), Effect::Resume]));
}

#[test]
fn after_a_crash_nobody_repeats_what_may_have_taken_effect() {
    let mut state = begun();
    state.on(made(&[(1, Safety::Unknown)])).unwrap();
    let mut state = crashed(&state.clone(), &state);
    assert_eq!(state.on(Event::TakenUp), Ok(vec![Effect::Ask]));
    assert_eq!(state.phase, Phase::Paused);
    assert_eq!(state.on(Event::Decided { sequence: 1, again: true }), Ok(vec![]));
    assert_eq!(state.on(Event::TakenUp), Ok(vec![Effect::Perform(1)]));
}

#[test]
fn code_that_had_made_no_call_begins_again() {
    assert_eq!(State::saved(vec![], vec![]).on(Event::TakenUp), Ok(vec![Effect::Begin]));
}

#[test]
fn what_nobody_asked_for_changes_nothing() {
    let (mut state, _) = run([made(&[(1, Safety::Unknown)])]);
    let before = state.clone();
    let strays = [Event::Answered(2), Event::TakenUp, made(&[(2, Safety::Gate)]), Event::Suspended(7)];
    for event in strays.into_iter().chain([Event::Decided { sequence: 1, again: true }]) {
        assert_eq!(state.on(event), Err(InvalidTransition(Phase::Active)));
        assert_eq!(state, before);
    }
}

fn safety() -> impl Strategy<Value = Safety> {
    prop_oneof![Just(Safety::Repeatable), Just(Safety::Unknown), Just(Safety::Gate), Just(Safety::Nested)]
}

/// One thing that may happen next; numbers choose among what is possible.
#[derive(Debug, Clone)]
enum Move {
    /// The code waits, after new calls; the mask says which of the old ones it waits for.
    Wait(Vec<Safety>, u32),
    Answer(usize),
    Suspend(usize),
    Linger,
    Crash,
    Decide(usize, bool),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (prop::collection::vec(safety(), 0..4), any::<u32>()).prop_map(|(new, mask)| Move::Wait(new, mask)),
        4 => any::<usize>().prop_map(Move::Answer),
        1 => any::<usize>().prop_map(Move::Suspend),
        1 => Just(Move::Linger),
        1 => Just(Move::Crash),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, again)| Move::Decide(which, again)),
    ];
    prop::collection::vec(one, 1..80)
}

/// What the machine was told and what it ordered.
#[derive(Default)]
struct Ledger {
    known: HashMap<Sequence, Safety>,
    under_way: Vec<Sequence>,
    completed: Vec<Sequence>,
    suspended: Vec<Sequence>,
    /// What the code has, when it was saved and now.
    had: Vec<Sequence>,
    has: Vec<Sequence>,
    wanted: Vec<Sequence>,
    is_lost: Vec<Sequence>,
}

proptest! {
    #[test]
    fn no_completed_call_is_performed_again_and_none_is_lost(moves in moves()) {
        let mut state = begun();
        let mut saved = State::new();
        let mut ledger = Ledger::default();
        let mut next = 1;
        for one in moves {
            let effects = match one {
                Move::Wait(safeties, mask) => {
                    if !state.is_going { continue }
                    let new: Vec<(Sequence, Safety)> = (next..).zip(safeties).collect();
                    let old = state.calls.iter().filter(|call| call.progress != Progress::Delivered);
                    let mut awaited: Vec<Sequence> =
                        old.map(|call| call.sequence).filter(|sequence| mask & (1 << (sequence % 32)) != 0).collect();
                    awaited.extend(new.iter().map(|(sequence, _)| *sequence));
                    if awaited.is_empty() { continue }
                    next += u32::try_from(new.len()).unwrap();
                    ledger.known.extend(new.iter().copied());
                    state.on(Event::Waits { new, awaited }).unwrap()
                }
                Move::Answer(which) => {
                    if ledger.under_way.is_empty() { continue }
                    let sequence = ledger.under_way.remove(which % ledger.under_way.len());
                    ledger.completed.push(sequence);
                    state.on(Event::Answered(sequence)).unwrap()
                }
                Move::Suspend(which) => {
                    let is_nested = |sequence: &&Sequence| ledger.known[*sequence] == Safety::Nested;
                    let nested: Vec<Sequence> = ledger.under_way.iter().filter(is_nested).copied().collect();
                    if nested.is_empty() { continue }
                    let sequence = nested[which % nested.len()];
                    ledger.under_way.retain(|other| *other != sequence);
                    ledger.suspended.push(sequence);
                    state.on(Event::Suspended(sequence)).unwrap()
                }
                Move::Linger => {
                    let Ok(effects) = state.on(Event::Idle) else { continue };
                    prop_assert!(!effects.contains(&Effect::Resume));
                    effects
                }
                Move::Crash => {
                    // What was paused is taken up only when somebody has decided.
                    if state.phase == Phase::Paused { continue }
                    state = crashed(&saved, &state);
                    ledger.is_lost = std::mem::take(&mut ledger.under_way);
                    ledger.suspended.clear();
                    ledger.has = ledger.had.clone();
                    state.on(Event::TakenUp).unwrap()
                }
                Move::Decide(which, again) => {
                    if state.phase != Phase::Paused { continue }
                    let is_asked = |call: &&Call| call.progress == Progress::Open && state.awaited.contains(&call.sequence);
                    let asked: Vec<Call> = state.calls.iter().filter(is_asked).copied().collect();
                    if let Some(call) = asked.get(which % asked.len().max(1)) {
                        let again = again && call.safety != Safety::Gate;
                        state.on(Event::Decided { sequence: call.sequence, again }).unwrap();
                        if again { ledger.wanted.push(call.sequence) } else { ledger.completed.push(call.sequence) }
                    }
                    ledger.suspended.clear();
                    state.on(Event::TakenUp).unwrap()
                }
            };
            for effect in effects {
                match effect {
                    Effect::Save => {
                        saved = state.clone();
                        ledger.had = ledger.has.clone();
                    }
                    Effect::Perform(sequence) => {
                        prop_assert!(!ledger.completed.contains(&sequence), "{sequence} was completed before");
                        prop_assert!(!ledger.under_way.contains(&sequence), "{sequence} is under way");
                        let safety = ledger.known[&sequence];
                        prop_assert!(safety != Safety::Gate, "{sequence} is nobody's to perform");
                        let is_unsafe = safety == Safety::Unknown && ledger.is_lost.contains(&sequence);
                        prop_assert!(!is_unsafe || ledger.wanted.contains(&sequence), "{sequence} may have taken effect");
                        prop_assert!(saved.calls.iter().any(|call| call.sequence == sequence), "{sequence} is not saved");
                        ledger.under_way.push(sequence);
                    }
                    Effect::Resume => {
                        let handed: Vec<Sequence> = state
                            .calls
                            .iter()
                            .filter(|call| call.progress == Progress::Delivered && !ledger.has.contains(&call.sequence))
                            .map(|call| call.sequence)
                            .collect();
                        prop_assert!(!handed.is_empty(), "nothing is handed over");
                        prop_assert!(handed.iter().all(|sequence| ledger.completed.contains(sequence)), "no answer");
                        ledger.has.extend(handed);
                    }
                    Effect::Ask => {
                        prop_assert!(ledger.under_way.is_empty(), "something goes on");
                        let open = |sequence: &Sequence| !ledger.completed.contains(sequence);
                        prop_assert!(state.awaited.iter().any(open), "there is nothing to decide");
                        prop_assert_eq!(&saved.awaited, &state.awaited, "it pauses where it is not saved");
                    }
                    Effect::Begin => prop_assert_eq!(saved.calls.len(), 0, "calls were made before"),
                }
            }
        }
    }
}
