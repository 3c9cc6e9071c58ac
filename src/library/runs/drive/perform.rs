//! Performing the host calls of a frame, and taking in what they come to.

use std::{collections::HashSet, sync::Arc};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{self, BoxFuture},
    stream::FuturesUnordered,
};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::tree::{Stop, Tree};
use crate::{
    domain::inbox::NewItem,
    host::{self, Action, GrantKind, HostContext, NewState},
    library::{
        CheckpointDraft, Library, LibraryError, State, blocking,
        runs::{
            frame::{Frame, broken},
            journal::{
                record::{self, Ending},
                write,
            },
            machine::{Effect, Event, Safety, Sequence},
            prepare,
        },
    },
    runtime::{Budget, PythonError, Reply, RuntimeError},
};

/// What driving a frame came to.
pub enum Finished {
    /// Its code is over; nothing of that is written down yet.
    Ended(Ending),
    /// Nothing goes on before somebody decides.
    Waits,
    /// The whole run is stopped; the tree knows why.
    Stopped,
}

/// A frame that was called, for whoever drives the frames of the run.
pub struct Called {
    pub frame: Frame,
    /// Takes what it came to.
    pub tell: oneshot::Sender<(Box<Frame>, Finished)>,
}

/// Takes what is to be executed beside the frame that gives it.
pub type Spawner = mpsc::UnboundedSender<Called>;

/// What a call that was under way came to.
pub enum Done {
    /// A host function did its part.
    Called(Sequence, Action),
    /// A wait for the clock is put aside.
    Parked(Sequence),
    /// A procedure that was called ended, waits or was stopped.
    Driven(Sequence, Box<Frame>, Finished),
}

/// The calls of one frame that are under way.
pub struct Performing<'t> {
    tree: &'t Tree,
    under_way: FuturesUnordered<BoxFuture<'t, Done>>,
    sequences: HashSet<Sequence>,
    /// Ends the waits for the clock that nobody waits for any more.
    over: CancellationToken,
    /// Where frames go that it calls.
    spawner: Spawner,
}

impl<'t> Performing<'t> {
    /// None yet.
    pub fn new(tree: &'t Tree, spawner: Spawner) -> Self {
        let over = CancellationToken::new();
        Self { tree, under_way: FuturesUnordered::new(), sequences: HashSet::new(), over, spawner }
    }

    /// Whether a call is under way.
    pub fn has(&self, sequence: Sequence) -> bool {
        self.sequences.contains(&sequence)
    }

    /// Whether a procedure that `frame` called is being executed.
    pub fn has_procedure_of(&self, frame: &Frame) -> bool {
        frame.waiting.iter().any(|call| call.safety == Safety::Nested && self.has(call.sequence))
    }

    /// What the next call comes to; `None` when none is under way.
    pub async fn next(&mut self) -> Option<Done> {
        self.under_way.next().await
    }

    /// Begins to do what a call of `frame` asks for.
    pub fn begin(&mut self, frame: &mut Frame, sequence: Sequence) -> Result<(), LibraryError> {
        self.sequences.insert(sequence);
        if let Some(child) = frame.take_child(sequence) {
            self.spawn(sequence, child);
            return Ok(());
        }
        let call = frame.waiting_for(sequence).ok_or_else(|| broken("a call that nobody made"))?.clone();
        if let Some(reply) = call.reply {
            self.under_way.push(future::ready(Done::Called(sequence, Action::Reply(reply))).boxed());
            return Ok(());
        }
        let (tree, grants, capture) = (self.tree, Arc::clone(&frame.grants), frame.capture.clone());
        if host::is_timer(&call.function) {
            let (due, over) = (call.due(), self.over.clone());
            self.under_way.push(wait(tree, sequence, due, Arc::clone(frame.budget()), over).boxed());
            return Ok(());
        }
        let performing = async move {
            let _busy = tree.activity.busy();
            // The newest settings of servers, or two runs that read them at different times would restart them for each
            // other.
            let is_tool = host::function(&call.function).is_some_and(|it| it.grant == Some(GrantKind::Tool));
            let config = match tree.resources.journal.library() {
                Some(library) if is_tool => blocking(library, Library::config).await.ok(),
                _ => None,
            };
            let context = HostContext {
                grants: &grants,
                capture: &capture,
                budget: capture.budget(),
                config: config.as_ref().unwrap_or(&tree.config),
                downstream: &tree.resources.downstream,
                meter: tree.meter.as_ref(),
            };
            Done::Called(sequence, host::call(&call.function, call.arguments, &context).await)
        };
        self.under_way.push(performing.boxed());
        Ok(())
    }

    /// Takes in what a call of `frame` came to; what is to be done then.
    pub async fn take_in(&mut self, frame: &mut Frame, done: Done) -> Result<Vec<Effect>, Stop> {
        match done {
            Done::Called(sequence, Action::CallProcedure { name, arguments }) => {
                self.call_procedure(frame, sequence, &name, arguments).await
            }
            Done::Called(sequence, action) => {
                self.sequences.remove(&sequence);
                match action {
                    // What was cut off because the server ends has not failed: the next one has to find it under way.
                    Action::Reply(Reply::Raise(_)) if self.tree.active.is_leaving() => {
                        Err(Stop::Runtime(RuntimeError::Cancelled))
                    }
                    Action::Reply(reply) => Ok(self.answered(frame, sequence, reply).await?),
                    Action::File(item) => Ok(self.filed(frame, sequence, item).await?),
                    Action::Checkpoint(state) => Ok(self.kept(frame, sequence, state).await?),
                    Action::CallProcedure { .. } => Err(broken("a procedure that was called is no answer").into()),
                }
            }
            Done::Parked(sequence) => {
                self.sequences.remove(&sequence);
                Ok(frame.on(Event::Suspended(sequence))?)
            }
            Done::Driven(sequence, mut child, finished) => {
                self.sequences.remove(&sequence);
                match finished {
                    Finished::Ended(ending) => {
                        let answer = frame.answer(sequence, ending.reply());
                        let answer = answer.ok_or_else(|| broken("nobody called"))?;
                        record::ended(&self.tree.resources.journal, &mut child, ending, Some(answer)).await?;
                        Ok(frame.on(Event::Answered(sequence))?)
                    }
                    Finished::Waits => {
                        frame.children.push(*child);
                        Ok(frame.on(Event::Suspended(sequence))?)
                    }
                    Finished::Stopped => {
                        frame.children.push(*child);
                        Err(Stop::Elsewhere)
                    }
                }
            }
        }
    }

    /// Waits for the calls whose answers nobody will ask for, because the code of `frame` is over.
    pub async fn finish(&mut self, frame: &mut Frame) -> Result<(), Stop> {
        self.over.cancel();
        while let Some(done) = self.next().await {
            if !matches!(done, Done::Called(_, Action::CallProcedure { .. }) | Done::Parked(_)) {
                self.take_in(frame, done).await?;
            }
        }
        Ok(())
    }

    /// Waits for everything that is under way to notice that the run is stopped.
    pub async fn abort(&mut self, frame: &mut Frame) {
        while let Some(done) = self.next().await {
            let taken_in = match done {
                Done::Driven(_, child, Finished::Waits | Finished::Stopped) => {
                    frame.children.push(*child);
                    Ok(())
                }
                Done::Called(_, Action::CallProcedure { .. }) | Done::Parked(_) => Ok(()),
                done => self.take_in(frame, done).await.map(drop),
            };
            if let Err(Stop::Broken(error)) = taken_in {
                tracing::warn!(run = frame.origin.run_id, %error, "an answer is lost");
            }
        }
    }

    /// A procedure is called: a frame of its own, driven beside this one. An error is for the caller's code.
    async fn call_procedure(
        &mut self,
        frame: &mut Frame,
        sequence: Sequence,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<Vec<Effect>, Stop> {
        match self.prepare_child(frame, sequence, name, arguments).await {
            Ok(child) => {
                record::started(&self.tree.resources.journal, &child, self.tree.active.can_be_asked).await?;
                self.spawn(sequence, child);
                Ok(Vec::new())
            }
            Err(error) => {
                self.sequences.remove(&sequence);
                Ok(self.answered(frame, sequence, Reply::Raise(error)).await?)
            }
        }
    }

    fn spawn(&mut self, sequence: Sequence, frame: Frame) {
        let (tell, told) = oneshot::channel();
        // Nobody listens any more when the whole run is dropped.
        let _ = self.spawner.send(Called { frame, tell });
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
        frame: &Frame,
        sequence: Sequence,
        name: &str,
        arguments: Map<String, Value>,
    ) -> Result<Frame, PythonError> {
        let Tree { resources, config, .. } = self.tree;
        let depth = frame.depth + 1;
        let deepest = config.limits.depth;
        if usize::try_from(depth).unwrap_or(usize::MAX) >= deepest {
            let message =
                format!("procedures call each other more than {deepest} deep (`depth` under [limits] in config.toml)");
            return Err(PythonError::new("RecursionError", message));
        }
        let Some(library) = resources.journal.library() else {
            return Err(PythonError::new("RuntimeError", "no procedure can be called here"));
        };
        let child =
            prepare::called(library, name, &arguments, config, (frame.budget(), self.tree.offers_grants())).await?;
        Ok(child.called_by(frame, sequence))
    }

    /// Writes the answer of a call down and tells the state machine.
    async fn answered(
        &mut self,
        frame: &mut Frame,
        sequence: Sequence,
        reply: Reply,
    ) -> Result<Vec<Effect>, LibraryError> {
        let answer = frame.answer(sequence, reply).ok_or_else(|| broken("an answer to no call"))?;
        write::save_answer(&self.tree.resources.journal, answer).await?;
        frame.on(Event::Answered(sequence))
    }

    /// Stores an item and writes the answer down with it.
    async fn filed(
        &mut self,
        frame: &mut Frame,
        sequence: Sequence,
        item: NewItem,
    ) -> Result<Vec<Effect>, LibraryError> {
        let (run_id, procedure_id) = (frame.origin.run_id.clone(), frame.origin.procedure_id);
        let call = frame.waiting_for(sequence).ok_or_else(|| broken("an item of no call"))?;
        let entry = frame.entry(call, &Reply::Value(Value::Null));
        let reply =
            write::save_item(&self.tree.resources.journal, item, (run_id, procedure_id, sequence), entry).await?;
        frame.set_reply(sequence, reply);
        frame.on(Event::Answered(sequence))
    }

    /// Saves a checkpoint and writes the answer down with it.
    async fn kept(
        &mut self,
        frame: &mut Frame,
        sequence: Sequence,
        new: NewState,
    ) -> Result<Vec<Effect>, LibraryError> {
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
        let reply = write::save_checkpoint(&self.tree.resources.journal, draft, sequence, entry).await?;
        frame.set_reply(sequence, reply);
        frame.on(Event::Answered(sequence))
    }
}

/// Waits for the clock as long as something else goes on, or the wait is short.
async fn wait(tree: &Tree, sequence: Sequence, due: Option<i64>, budget: Arc<Budget>, over: CancellationToken) -> Done {
    let ended = async {
        match due {
            Some(due) => tree.activity.wait(due).await,
            // The run is over before that, and says so then.
            None => future::pending().await,
        }
    };
    let reply = tokio::select! {
        biased;
        is_reached = ended => {
            if !is_reached {
                return Done::Parked(sequence);
            }
            Reply::Value(Value::Null)
        }
        () = over.cancelled() => Reply::Value(Value::Null),
        () = tokio::time::sleep_until(budget.deadline) => Reply::Value(Value::Null),
        () = budget.cancel.cancelled() => Reply::Raise(PythonError::new("Cancelled", "the run was cancelled")),
    };
    Done::Called(sequence, Action::Reply(reply))
}
