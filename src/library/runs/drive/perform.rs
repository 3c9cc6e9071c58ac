//! Performing host calls, and taking in what they come to.

use std::sync::Arc;

use futures_util::{FutureExt as _, future};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::library::runs::{
    drive::{
        frame::{Drive, Finished, drive},
        tree::{Stop, broken},
    },
    frame::{Caller, Frame, PendingCall},
    journal::{
        record::{self, blocking},
        write,
    },
    machine::{Effect, Event, Sequence},
};
use crate::{
    domain::inbox::NewItem,
    host::{self, Action, HostContext, NewState},
    library::{CheckpointDraft, Library, LibraryError, State},
    runtime::monty::{PythonError, Reply, SandboxError},
};

/// What a call that was under way came to.
pub enum Done {
    /// A host function did its part.
    Called(Sequence, Action),
    /// A procedure that was called ended, waits or was stopped.
    Driven(Sequence, Box<Frame>, Finished),
}

impl Drive<'_, '_> {
    /// Begins to do what a call asks for.
    pub fn perform(&mut self, sequence: Sequence) -> Result<(), LibraryError> {
        self.numbers.insert(sequence);
        if let Some(child) = self.frame.take_child(sequence) {
            self.drive_child(sequence, child);
            return Ok(());
        }
        let call = self.frame.waiting_for(sequence).ok_or_else(|| broken("a call that nobody made"))?.clone();
        if let Some(reply) = call.reply {
            self.under_way.push(future::ready(Done::Called(sequence, Action::Reply(reply))).boxed());
            return Ok(());
        }
        let (tree, grants, capture) = (self.tree, Arc::clone(&self.frame.grants), self.frame.capture.clone());
        let performing = async move {
            // The newest settings of servers, or two runs that read them at different times would restart them for each
            // other.
            let config = match call.function.as_str() {
                "call_tool" => blocking(&tree.engine.library, Library::config).await.ok(),
                _ => None,
            };
            let context = HostContext {
                grants: &grants,
                capture: &capture,
                budget: &tree.budget,
                config: config.as_ref().unwrap_or(&tree.config),
                downstream: &tree.engine.downstream,
            };
            Done::Called(sequence, host::call(&call.function, call.arguments, &context).await)
        };
        self.under_way.push(performing.boxed());
        Ok(())
    }

    /// Performs a call that needs no journal.
    pub async fn perform_now(&mut self, call: &PendingCall) -> Reply {
        let context = HostContext {
            grants: &self.frame.grants,
            capture: &self.frame.capture,
            budget: &self.tree.budget,
            config: &self.tree.config,
            downstream: &self.tree.engine.downstream,
        };
        match host::call(&call.function, call.arguments.clone(), &context).await {
            Action::Reply(reply) => reply,
            _ => Reply::Raise(PythonError::new("RuntimeError", "this can't be done here")),
        }
    }

    /// Takes in what a call came to.
    pub async fn done(&mut self, done: Done) -> Result<Vec<Effect>, Stop> {
        match done {
            Done::Called(sequence, Action::CallProcedure { name, arguments }) => {
                self.call_procedure(sequence, &name, arguments).await
            }
            Done::Called(sequence, Action::Reply(reply)) => {
                self.numbers.remove(&sequence);
                // What was cut off because the server ends has not failed: the next one has to find it under way.
                if self.tree.active.is_leaving() && matches!(reply, Reply::Raise(_)) {
                    return Err(Stop::Sandbox(SandboxError::Cancelled));
                }
                Ok(self.answered(sequence, reply).await?)
            }
            Done::Called(sequence, Action::File(item)) => {
                self.numbers.remove(&sequence);
                Ok(self.filed(sequence, item).await?)
            }
            Done::Called(sequence, Action::Checkpoint(state)) => {
                self.numbers.remove(&sequence);
                Ok(self.kept(sequence, state).await?)
            }
            Done::Driven(sequence, mut frame, finished) => {
                self.numbers.remove(&sequence);
                match finished {
                    Finished::Ended(ending) => {
                        let answer = self.frame.answer(sequence, ending.reply());
                        let answer = answer.ok_or_else(|| broken("nobody called"))?;
                        record::ended(&self.tree.engine.library, &mut frame, ending, Some(answer)).await?;
                        Ok(self.on(Event::Answered(sequence))?)
                    }
                    Finished::Waits => {
                        self.frame.children.push(*frame);
                        Ok(self.on(Event::Suspended(sequence))?)
                    }
                    Finished::Stopped => {
                        self.frame.children.push(*frame);
                        Err(Stop::Elsewhere)
                    }
                }
            }
        }
    }

    /// Takes in what a call came to whose answer nobody will ask for, because the code is over.
    pub async fn done_after_end(&mut self, done: Done) -> Result<(), Stop> {
        match done {
            Done::Called(_, Action::CallProcedure { .. }) => Ok(()),
            done => self.done(done).await.map(drop),
        }
    }

    /// Waits for everything that is under way to notice that the run is stopped.
    pub async fn collect_rest(&mut self) {
        use futures_util::StreamExt as _;
        while let Some(done) = self.under_way.next().await {
            let taken_in = match done {
                Done::Driven(_, frame, Finished::Waits | Finished::Stopped) => {
                    self.frame.children.push(*frame);
                    Ok(())
                }
                Done::Called(_, Action::CallProcedure { .. }) => Ok(()),
                done => self.done(done).await.map(drop),
            };
            if let Err(Stop::Broken(error)) = taken_in {
                tracing::warn!(run = self.frame.origin.run_id, %error, "an answer is lost");
            }
        }
    }

    /// A procedure is called: a frame of its own, driven beside this one. An error is for the caller's code.
    async fn call_procedure(
        &mut self,
        sequence: Sequence,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<Vec<Effect>, Stop> {
        match self.prepare_child(sequence, name, arguments).await {
            Ok(child) => {
                record::started(&self.tree.engine.library, &child).await?;
                self.drive_child(sequence, child);
                Ok(Vec::new())
            }
            Err(error) => {
                self.numbers.remove(&sequence);
                Ok(self.answered(sequence, Reply::Raise(error)).await?)
            }
        }
    }

    fn drive_child(&mut self, sequence: Sequence, child: Frame) {
        let (tell, told) = oneshot::channel();
        let driven = drive(self.tree, self.spawner.clone(), child);
        let driven = driven.map(|(frame, finished)| {
            // Nobody listens any more when the whole run is dropped.
            let _ = tell.send((Box::new(frame), finished));
        });
        let _ = self.spawner.send(driven.boxed());
        let done = async move {
            match told.await {
                Ok((frame, finished)) => Done::Driven(sequence, frame, finished),
                Err(_) => future::pending().await,
            }
        };
        self.under_way.push(done.boxed());
    }

    async fn prepare_child(
        &mut self,
        sequence: Sequence,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<Frame, PythonError> {
        let depth = self.frame.depth + 1;
        let deepest = self.tree.config.limits.depth;
        if usize::try_from(depth).unwrap_or(usize::MAX) >= deepest {
            let message =
                format!("procedures call each other more than {deepest} deep (`depth` under [limits] in config.toml)");
            return Err(PythonError::new("RecursionError", message));
        }
        let caller = Caller { run_id: self.frame.origin.run_id.clone(), sequence };
        let frame = self.tree.engine.called(name, &arguments, &self.tree.config, &self.tree.budget).await?;
        Ok(frame.called_by(caller, depth))
    }

    /// Writes the answer of a call down and tells the state machine.
    async fn answered(&mut self, sequence: Sequence, reply: Reply) -> Result<Vec<Effect>, LibraryError> {
        let answer = self.frame.answer(sequence, reply).ok_or_else(|| broken("an answer to no call"))?;
        write::save_answer(&self.tree.engine.library, answer).await?;
        self.on(Event::Answered(sequence))
    }

    /// Stores an item and writes the answer down with it.
    async fn filed(&mut self, sequence: Sequence, item: NewItem) -> Result<Vec<Effect>, LibraryError> {
        let frame = &mut self.frame;
        let (run_id, procedure_id) = (frame.origin.run_id.clone(), frame.origin.procedure_id);
        let call = frame.waiting_for(sequence).ok_or_else(|| broken("an item of no call"))?;
        let entry = frame.entry(call, &Reply::Value(Value::Null));
        let library = &self.tree.engine.library;
        let reply = write::save_item(library, item, (run_id, procedure_id, sequence), entry).await?;
        frame.set_reply(sequence, reply);
        self.on(Event::Answered(sequence))
    }

    /// Saves a checkpoint and writes the answer down with it.
    async fn kept(&mut self, sequence: Sequence, new: NewState) -> Result<Vec<Effect>, LibraryError> {
        let frame = &mut self.frame;
        let call = frame.waiting_for(sequence).ok_or_else(|| broken("a checkpoint of no call"))?;
        let entry = frame.entry(call, &Reply::Value(Value::Null));
        let at_step = || entry.step.map_or_else(|| call.function.clone(), |step| format!("step {step}"));
        let draft = CheckpointDraft {
            workflow_id: frame.origin.name.clone(),
            run_id: frame.origin.run_id.clone(),
            node_id: new.name.unwrap_or_else(at_step),
            state: State::Fields(new.state),
            ..CheckpointDraft::default()
        };
        let reply = write::save_checkpoint(&self.tree.engine.library, draft, sequence, entry).await?;
        frame.set_reply(sequence, reply);
        self.on(Event::Answered(sequence))
    }
}
