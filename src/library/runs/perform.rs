//! Performing host calls: alone, or several at the same time.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use serde_json::{Map, Value};

use super::{
    drive::Drive,
    frame::{Frame, PendingCall},
    journal::{self, Answer},
    record::blocking,
    state::{Effect, Event, Sequence},
};
use crate::{
    domain::inbox::NewItem,
    host::{self, Action, HostContext},
    library::{Library, LibraryError},
    sandbox::{PythonError, Reply},
};

/// What performing came to.
pub enum Performed {
    /// The answers are in the journal; this is to be done next.
    Effects(Vec<Effect>),
    /// Another procedure is called.
    Called {
        /// Its name.
        name: String,
        /// Its parameters.
        arguments: Map<String, Value>,
    },
}

const CALL_PROCEDURE: &str = "call_procedure";

impl Drive<'_> {
    /// Performs the calls with these numbers at the same time; procedures are called one after the other, and last.
    pub async fn perform(&mut self, sequences: &[Sequence]) -> Result<Performed, LibraryError> {
        let frame = self.top()?;
        let calls = frame.waiting.iter().filter(|call| sequences.contains(&call.sequence)).cloned();
        let (procedures, others): (Vec<PendingCall>, Vec<PendingCall>) =
            calls.partition(|call| call.function == CALL_PROCEDURE);
        let (grants, capture) = (Arc::clone(&frame.grants), frame.capture.clone());
        let engine = self.engine;
        let budget = Arc::clone(&self.budget);
        // The newest settings of servers, or two runs that read them at different times would restart them for each other.
        let config = if others.iter().any(|call| call.function == "call_tool") {
            blocking(&engine.library, Library::config).await?
        } else {
            Arc::clone(&self.config)
        };
        let context = HostContext {
            grants: &grants,
            capture: &capture,
            budget: &budget,
            config: &config,
            downstream: &engine.downstream,
        };
        let mut under_way: FuturesUnordered<_> = others
            .into_iter()
            .map(|call| {
                let context = &context;
                async move { (call.sequence, host::call(&call.function, call.arguments, context).await) }
            })
            .collect();
        let mut effects = Vec::new();
        while let Some((sequence, action)) = under_way.next().await {
            // What was cut off because the server ends has not failed: the next one has to find it under way.
            if self.active.is_leaving() {
                break;
            }
            effects = match action {
                Action::Reply(reply) => self.answered(sequence, reply).await?,
                Action::File(item) => self.filed(sequence, item).await?,
                Action::CallProcedure { .. } => {
                    let error = PythonError::new("RuntimeError", "this can't be done here");
                    self.answered(sequence, Reply::Raise(error)).await?
                }
            };
        }
        let Some(first) = procedures.into_iter().next() else { return Ok(Performed::Effects(effects)) };
        match host::call(&first.function, first.arguments, &context).await {
            Action::CallProcedure { name, arguments } => Ok(Performed::Called { name, arguments }),
            Action::Reply(reply) => {
                let effects = self.answered(first.sequence, reply).await?;
                Ok(Performed::Effects(self.or_next_call(effects)))
            }
            Action::File(_) => Err(LibraryError::Invalid("no procedure was called".to_owned())),
        }
    }

    /// Performs a call that needs no journal.
    pub async fn perform_now(&self, call: &PendingCall) -> Reply {
        let Some(frame) = self.frames.last() else { return Reply::Value(Value::Null) };
        let context = HostContext {
            grants: &frame.grants,
            capture: &frame.capture,
            budget: &self.budget,
            config: &self.config,
            downstream: &self.engine.downstream,
        };
        match host::call(&call.function, call.arguments.clone(), &context).await {
            Action::Reply(reply) => reply,
            _ => Reply::Raise(PythonError::new("RuntimeError", "this can't be done here")),
        }
    }

    /// Writes the answer of a call down and tells the state machine.
    async fn answered(&mut self, sequence: Sequence, reply: Reply) -> Result<Vec<Effect>, LibraryError> {
        let answer = self.top()?.answer(sequence, reply);
        let Some(answer) = answer else { return Err(LibraryError::Invalid("an answer to no call".to_owned())) };
        journal::save_answer(&self.engine.library, answer).await?;
        self.top()?.state.on(Event::Answered(sequence)).map_err(|error| LibraryError::Invalid(error.to_string()))
    }

    /// Stores an item and writes the answer down with it.
    async fn filed(&mut self, sequence: Sequence, item: NewItem) -> Result<Vec<Effect>, LibraryError> {
        let frame = self.top()?;
        let (run_id, procedure_id) = (frame.origin.run_id.clone(), frame.origin.procedure_id);
        let call = frame.waiting_for(sequence).cloned();
        let Some(call) = call else { return Err(LibraryError::Invalid("an item of no call".to_owned())) };
        let entry = frame.entry(&call, &Reply::Value(Value::Null));
        let reply = journal::save_item(&self.engine.library, item, (run_id, procedure_id, sequence), entry).await?;
        let frame = self.top()?;
        frame.set_reply(sequence, reply);
        frame.state.on(Event::Answered(sequence)).map_err(|error| LibraryError::Invalid(error.to_string()))
    }

    /// The answer of the procedure that the top frame called.
    pub async fn answered_call(&mut self, reply: Reply) -> Result<Vec<Effect>, LibraryError> {
        let sequence = self.top()?.called_procedure();
        let Some(sequence) = sequence else { return Err(LibraryError::Invalid("no procedure was called".to_owned())) };
        let effects = self.answered(sequence, reply).await?;
        Ok(self.or_next_call(effects))
    }

    /// The next procedure that was gathered, where nothing else is to be done.
    pub fn or_next_call(&self, effects: Vec<Effect>) -> Vec<Effect> {
        if !effects.is_empty() {
            return effects;
        }
        self.frames.last().and_then(Frame::called_procedure).map(Effect::Perform).into_iter().collect()
    }
}

impl Frame {
    /// The call of a procedure that is under way, or next.
    pub fn called_procedure(&self) -> Option<Sequence> {
        let call = self.waiting.iter().find(|call| call.function == CALL_PROCEDURE && call.reply.is_none())?;
        Some(call.sequence)
    }

    /// Takes the answer of the procedure that it called; what has to be written down of it, and for which call.
    pub fn answer_call(&mut self, reply: Reply) -> Option<(Answer, Sequence)> {
        let sequence = self.called_procedure()?;
        Some((self.answer(sequence, reply)?, sequence))
    }

    /// Takes the answer of a call; what has to be written down of it.
    pub fn answer(&mut self, sequence: Sequence, reply: Reply) -> Option<Answer> {
        let entry = self.entry(self.waiting_for(sequence)?, &reply);
        self.set_reply(sequence, reply.clone());
        Some(Answer { run_id: self.origin.run_id.clone(), sequence, entry, reply })
    }

    /// Takes the answer of a call.
    pub fn set_reply(&mut self, sequence: Sequence, reply: Reply) {
        if let Some(call) = self.waiting.iter_mut().find(|call| call.sequence == sequence) {
            call.reply = Some(reply);
        }
    }

    /// Notes in the journal that nobody will answer what it waits for.
    pub fn abandon_calls(&mut self) {
        let ended = Reply::Raise(PythonError::new("Ended", "the run ended here"));
        let entries: Vec<_> = self
            .waiting
            .iter()
            .filter(|call| call.reply.is_none())
            .filter(|call| !self.state.calls.iter().any(|known| known.sequence == call.sequence && known.answered))
            .map(|call| (call.sequence, self.entry(call, &ended)))
            .collect();
        self.unwritten.extend(entries);
    }
}
