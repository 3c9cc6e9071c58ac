//! What the code calls: numbered, deferred, or handed to the state machine.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    drive::{Drive, Next, broken},
    engine::origin_of,
    frame::{Frame, PendingCall},
    record::{self, blocking},
    state::{Event, Safety},
};
use crate::{
    host::{self, Nature},
    library::{LibraryError, ProcedureRef},
    sandbox::{Capture, PythonError, Reply, Session},
};

impl Drive<'_> {
    /// The code makes a host call.
    pub async fn host_call(
        &mut self,
        mut session: Session,
        function: String,
        args: Vec<Value>,
        kwargs: Map<String, Value>,
        at: (u32, usize),
        is_awaited: bool,
    ) -> Next {
        if !self.budget.take_call() {
            let most = self.config.limits.host_calls;
            let message =
                format!("the run made more than {most} host calls (`host_calls` under [limits] in config.toml)");
            return Next::stop(self.fail_with(&PythonError::new("HostCallLimit", message)).await);
        }
        let (arguments, refusal) = match host::named_arguments(&function, args, kwargs) {
            Ok(arguments) => (arguments, None),
            Err(error) => (Map::new(), Some(Reply::Raise(error))),
        };
        let nature = host::nature(&function, &arguments, &self.config);
        let Some(frame) = self.frames.last_mut() else { return Next::stop(Err(broken("a call of nobody"))) };
        let is_deferred = is_awaited || u32::try_from(at.1).is_ok_and(|offset| frame.deferrable.contains(&offset));
        let mut call = frame.call(function, arguments, Safety::from(nature), at);
        call.reply = refusal;
        if is_deferred {
            frame.deferred.push(call);
            let turn = session.defer().await;
            return Next::Turn(Box::new(session), turn);
        }
        if call.reply.is_none() && nature != Nature::Immediate {
            return Box::pin(self.called(session, vec![call], false)).await;
        }
        // Nothing that outlives the run: after a crash the code does it again, and gets the same.
        let reply = match call.reply.take() {
            Some(reply) => reply,
            None => self.perform_now(&call).await,
        };
        if let Some(frame) = self.frames.last_mut() {
            let entry = frame.entry(&call, &reply);
            frame.unwritten.push((call.sequence, entry));
        }
        self.note_answers(1);
        let turn = session.resume(reply).await;
        Next::Turn(Box::new(session), turn)
    }

    /// The code waits for calls that were deferred.
    pub async fn gathered(&mut self, session: Session, calls: &[u32]) -> Next {
        let Some(frame) = self.frames.last_mut() else { return Next::stop(Err(broken("a wait of nobody"))) };
        let (awaited, others) =
            std::mem::take(&mut frame.deferred).into_iter().partition(|call| calls.contains(&call.call_id));
        frame.deferred = others;
        let awaited: Vec<PendingCall> = awaited;
        if awaited.is_empty() {
            drop(session);
            let error = PythonError::new("RuntimeError", "the code waits for something that never comes");
            return Next::stop(self.fail_with(&error).await);
        }
        Box::pin(self.called(session, awaited, true)).await
    }

    async fn called(&mut self, session: Session, calls: Vec<PendingCall>, is_gathered: bool) -> Next {
        let Some(frame) = self.frames.last_mut() else { return Next::stop(Err(broken("a call of nobody"))) };
        frame.waiting = calls;
        frame.is_gathered = is_gathered;
        let event = Event::Called(Frame::calls_of(&frame.waiting));
        self.note_progress();
        match self.on(event) {
            Ok(effects) => self.carry_out(Some(session), effects).await,
            Err(error) => Next::stop(Err(error)),
        }
    }

    /// A procedure is called: a frame of its own on top. An error is for the caller's code.
    pub async fn call_procedure(&mut self, name: &str, arguments: Map<String, Value>) -> Result<Next, PythonError> {
        let child = self.prepare_child(name, arguments).await?;
        let parent = self.frames.last().map(|parent| parent.origin.run_id.clone());
        if let Err(error) = record::started(&self.engine.library, &child.origin, parent.as_deref()).await {
            return Ok(Next::stop(Err(error)));
        }
        self.frames.push(child);
        Ok(self.begin().await)
    }

    async fn prepare_child(&self, name: &str, arguments: Map<String, Value>) -> Result<Frame, PythonError> {
        let deepest = self.config.limits.depth;
        if self.frames.len() >= deepest {
            let message =
                format!("procedures call each other more than {deepest} deep (`depth` under [limits] in config.toml)");
            return Err(PythonError::new("RecursionError", message));
        }
        let wanted = ProcedureRef::Name(name.to_owned());
        let found = blocking(&self.engine.library, move |library| library.procedure(&wanted)).await;
        let row = found.map_err(|error| PythonError::new("LookupError", error.to_string()))?;
        if !row.definition.enabled || row.code.is_none() {
            let why = if row.code.is_none() { "has no code" } else { "is disabled" };
            return Err(PythonError::new("RuntimeError", format!("procedure `{name}` {why}")));
        }
        let origin = origin_of(row, &arguments, &self.config);
        let frame = origin.map(|origin| Frame::new(origin, Capture::new(Arc::clone(&self.budget)), &self.config));
        frame.map_err(|error| {
            let kind = match error {
                LibraryError::Parameters { .. } => "TypeError",
                LibraryError::PermissionDenied { .. } => "PermissionError",
                _ => "RuntimeError",
            };
            PythonError::new(kind, error.to_string())
        })
    }
}
