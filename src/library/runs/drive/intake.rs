//! What the code calls: numbered, promised, answered at once, or given to the state machine.

use serde_json::{Map, Value};

use super::tree::{Stop, Tree};
use crate::{
    domain::Nature,
    host::{self, Action},
    library::runs::{
        call::PendingCall,
        frame::Frame,
        machine::{Effect, Event, Safety, Sequence},
    },
    runtime::{PythonError, Reply},
};

/// A host call as the runtime reports it.
pub struct MadeCall {
    pub function: String,
    pub args: Vec<Value>,
    pub kwargs: Map<String, Value>,
    /// Byte offset of the call in the source.
    pub offset: usize,
    /// The runtime's number for it.
    pub call_id: u32,
    pub is_awaited: bool,
}

/// What becomes of a call at the moment that it is made.
pub enum Intake {
    /// It will be answered later; the code goes on meanwhile.
    Promised,
    /// It is answered already.
    Answered(Reply),
    /// The code waits.
    Waits(Vec<Effect>),
}

/// The code of `frame` makes a host call.
pub async fn host_call(tree: &Tree, frame: &mut Frame, made: MadeCall) -> Result<Intake, Stop> {
    let MadeCall { function, args, kwargs, offset, call_id, is_awaited } = made;
    // Waiting asks nothing of anybody.
    if !host::is_timer(&function) && !tree.budget.take_call() {
        let most = tree.config.limits.host_calls;
        let message = format!("the run made more than {most} host calls (`host_calls` under [limits] in config.toml)");
        return Err(Stop::Limit(PythonError::new("HostCallLimit", message)));
    }
    let (arguments, refusal) = match host::named_arguments(&function, args, kwargs) {
        Ok(arguments) => {
            let recorded =
                tree.recording.as_ref().and_then(|recording| recording.answer(&function, &arguments, &tree.config));
            (arguments, recorded)
        }
        Err(error) => (Map::new(), Some(Reply::Raise(error))),
    };
    // What is refused does nothing, nor does what is answered already.
    let nature = match refusal {
        None => host::nature(&function, &arguments, &tree.config),
        Some(_) => Nature::Immediate,
    };
    let is_promised = is_awaited || u32::try_from(offset).is_ok_and(|offset| frame.deferrable.contains(&offset));
    let mut call = frame.call(function, arguments, Safety::from(nature), (call_id, offset));
    call.reply = refusal;
    let call = call.held(&frame.grants);
    let call = if tree.offers_grants() { call.offered(&frame.grants) } else { call };
    if is_promised {
        frame.deferred.push(call);
        return Ok(Intake::Promised);
    }
    if nature != Nature::Immediate {
        frame.is_direct = true;
        let sequence = call.sequence;
        return waits(tree, frame, vec![call], vec![sequence]).map(Intake::Waits);
    }
    // Nothing that outlives the run: after a crash the code does it again, and gets the same.
    let reply = match call.reply.clone() {
        Some(reply) => reply,
        None => perform_now(tree, frame, &call).await,
    };
    let entry = frame.entry(&call, &reply);
    frame.unwritten.push((call.sequence, entry));
    tree.note_answers(1);
    Ok(Intake::Answered(reply))
}

/// The code of `frame` waits for promises.
pub fn gathered(tree: &Tree, frame: &mut Frame, calls: &[u32]) -> Result<Vec<Effect>, Stop> {
    let is_awaited = |call: &mut PendingCall| calls.contains(&call.call_id);
    let new: Vec<PendingCall> = frame.deferred.extract_if(.., is_awaited).collect();
    let known = frame.waiting.iter().filter(|call| calls.contains(&call.call_id));
    let awaited: Vec<Sequence> = known.chain(&new).map(|call| call.sequence).collect();
    if awaited.is_empty() {
        let error = PythonError::new("RuntimeError", "the code waits for something that never comes");
        return Err(Stop::Limit(error));
    }
    frame.is_direct = false;
    waits(tree, frame, new, awaited)
}

fn waits(tree: &Tree, frame: &mut Frame, calls: Vec<PendingCall>, awaited: Vec<Sequence>) -> Result<Vec<Effect>, Stop> {
    let new = calls.iter().map(|call| (call.sequence, call.safety)).collect();
    frame.waiting.extend(calls);
    tree.note_progress(frame);
    Ok(frame.on(Event::Waits { new, awaited })?)
}

/// Performs a call that needs no journal.
async fn perform_now(tree: &Tree, frame: &Frame, call: &PendingCall) -> Reply {
    match host::call(&call.function, call.arguments.clone(), &tree.host_context(frame)).await {
        Action::Reply(reply) => reply,
        _ => Reply::Raise(PythonError::new("RuntimeError", "this can't be done here")),
    }
}
