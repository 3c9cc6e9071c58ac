//! Driving one frame: what its code does becomes events, and the effects are carried out.
//!
//! Calls are under way while the code executes and while it waits; a procedure that it calls is one of them, driven in
//! the same way. All frames of a run are driven by one task.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures_util::{
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt as _},
};
use tokio::sync::mpsc;

use crate::library::runs::{
    drive::{
        perform::Done,
        tree::{Stop, Tree, broken},
    },
    engine::execute::session_limits,
    frame::{Frame, PendingCall},
    journal::{record::Ending, write},
    machine::{Effect, Event, Progress, Safety, Sequence},
};
use crate::{
    library::LibraryError,
    runtime::monty::{Reply, SandboxError, Session, Turn},
};

/// A frame whose workers are lost more often than this, without coming further, is likely to be the reason.
const MAX_LOSSES: u32 = 3;

/// How long code that waits keeps its worker. Going on in another costs about a millisecond.
const WORKER_KEPT: Duration = Duration::from_millis(50);

/// What driving a frame came to.
pub enum Finished {
    /// Its code is over; nothing of that is written down yet.
    Ended(Ending),
    /// Nothing goes on before somebody decides.
    Waits,
    /// The whole run is stopped; the tree knows why.
    Stopped,
}

/// A frame while it is driven.
pub struct Drive<'t, 'e> {
    pub tree: &'t Tree<'e>,
    pub frame: Frame,
    /// The worker that has its interpreter, unless that is put aside.
    pub session: Option<Session>,
    /// The calls that are being performed.
    pub under_way: FuturesUnordered<BoxFuture<'t, Done>>,
    /// Their numbers.
    pub numbers: HashSet<Sequence>,
    /// Where frames go that it calls.
    pub spawner: Spawner<'t>,
}

/// Takes what is to be executed beside the frame that gives it.
pub type Spawner<'t> = mpsc::UnboundedSender<BoxFuture<'t, ()>>;

/// What happens next.
pub enum Next {
    /// The code went on and came to this.
    Turn(Result<Turn, SandboxError>),
    /// This is to be done.
    Effects(Vec<Effect>),
    /// Nothing, for now or for ever.
    Finished(Finished),
}

/// Executes `frame` from where it stands.
pub fn drive<'t>(tree: &'t Tree<'_>, spawner: Spawner<'t>, frame: Frame) -> BoxFuture<'t, (Frame, Finished)> {
    // Boxed, because frames drive those that they call.
    Box::pin(async move {
        let (under_way, numbers) = (FuturesUnordered::new(), HashSet::new());
        let mut drive = Drive { tree, frame, session: None, under_way, numbers, spawner };
        let finished = match drive.run().await {
            Ok(finished) => finished,
            Err(stop) => {
                tree.halt(stop);
                // Dropping the session kills the worker, which may still be computing.
                drive.session = None;
                drive.collect_rest().await;
                Finished::Stopped
            }
        };
        (drive.frame, finished)
    })
}

impl<'t> Drive<'t, '_> {
    async fn run(&mut self) -> Result<Finished, Stop> {
        let mut next = Next::Effects(self.on(Event::TakenUp)?);
        loop {
            next = match next {
                Next::Effects(effects) => self.carry_out(effects).await?,
                Next::Turn(Ok(turn)) => self.came_to(turn).await?,
                Next::Turn(Err(error)) => Next::Effects(self.stumble(error).await?),
                Next::Finished(finished) => return Ok(finished),
            };
        }
    }

    pub fn on(&mut self, event: Event) -> Result<Vec<Effect>, LibraryError> {
        self.frame.state.on(event).map_err(|error| broken(&error.to_string()))
    }

    async fn came_to(&mut self, turn: Turn) -> Result<Next, Stop> {
        match turn {
            Turn::Call { function, args, kwargs, offset, call_id, is_awaited } => {
                Box::pin(self.host_call(function, args, kwargs, (call_id, offset), is_awaited)).await
            }
            Turn::Wait { calls } => self.gathered(&calls),
            Turn::Complete(value) => self.ended(Ending::Result(value)).await,
            Turn::Raised(error) => self.ended(Ending::Error(self.tree.explain(error))).await,
        }
    }

    /// The code is over. What it started and does not wait for is waited for here.
    async fn ended(&mut self, ending: Ending) -> Result<Next, Stop> {
        self.give_worker_back().await;
        while let Some(done) = self.under_way.next().await {
            self.done_after_end(done).await?;
        }
        // What was under way when a server ended, and is not awaited any more.
        self.frame.abandon_calls();
        Ok(Next::Finished(Finished::Ended(ending)))
    }

    /// Does what the state machine wants; waits for a call where that is nothing.
    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Next, Stop> {
        for effect in effects {
            match effect {
                Effect::Save => {
                    if let Err(error) = self.save().await? {
                        return Ok(Next::Turn(Err(error)));
                    }
                }
                Effect::Perform(sequence) => self.perform(sequence)?,
                Effect::Hand => return self.hand().await.map(Next::Turn),
                Effect::Begin => return self.begin().await.map(Next::Turn),
                Effect::Ask => {
                    // Whoever decides may take days: the worker is free until then.
                    self.give_worker_back().await;
                    return Ok(Next::Finished(Finished::Waits));
                }
            }
        }
        let done = match self.next_done().await? {
            Ok(done) => done.ok_or_else(|| broken("there is nothing to do"))?,
            Err(error) => return Ok(Next::Turn(Err(error))),
        };
        self.done(done).await.map(Next::Effects)
    }

    /// Waits for a call. The worker is kept for a short while only, and not at all where a procedure needs one.
    async fn next_done(&mut self) -> Result<Result<Option<Done>, SandboxError>, LibraryError> {
        let is_nested = |call: &PendingCall| call.safety == Safety::Nested && self.numbers.contains(&call.sequence);
        if self.session.is_some() && !self.frame.waiting.iter().any(is_nested) {
            if let Ok(done) = tokio::time::timeout(WORKER_KEPT, self.under_way.next()).await {
                return Ok(Ok(done));
            }
            if !self.on(Event::Lingers)?.is_empty()
                && let Err(error) = self.save().await?
            {
                return Ok(Err(error));
            }
        }
        self.give_worker_back().await;
        Ok(Ok(self.under_way.next().await))
    }

    async fn give_worker_back(&mut self) {
        if let Some(session) = self.session.take() {
            session.finish().await;
        }
    }

    async fn save(&mut self) -> Result<Result<(), SandboxError>, LibraryError> {
        let Some(session) = self.session.as_mut() else { return Err(broken("a call without an interpreter")) };
        self.frame.snapshot = match session.dump().await {
            Ok(dump) => dump,
            Err(error) => return Ok(Err(error)),
        };
        write::save(&self.tree.engine.library, &mut self.frame, &self.tree.root_id, &self.tree.budget).await?;
        // It has come further.
        self.frame.losses = 0;
        Ok(Ok(()))
    }

    /// The worker is lost: the frame goes on in another from where it was saved, unless that happens too often or the
    /// error is another one. Its calls stay under way.
    async fn stumble(&mut self, error: SandboxError) -> Result<Vec<Effect>, Stop> {
        self.session = None;
        let losses = self.frame.losses + 1;
        if !matches!(error, SandboxError::Crashed(_)) || losses > MAX_LOSSES {
            return Err(Stop::Sandbox(error));
        }
        tracing::info!(run = self.frame.origin.run_id, %error, "a worker was lost; its run goes on in another");
        let mut saved = self.tree.engine.saved_frame(&self.frame.origin.run_id, &self.tree.config).await?;
        for call in &mut saved.state.calls {
            if self.numbers.contains(&call.sequence) {
                call.progress = Progress::UnderWay;
            }
        }
        (saved.caller, saved.depth) = (self.frame.caller.take(), self.frame.depth);
        saved.children = std::mem::take(&mut self.frame.children);
        saved.losses = losses;
        saved.under(&self.tree.budget);
        self.frame = saved;
        Ok(self.on(Event::TakenUp)?)
    }

    /// Gives the code the answers that are there, and lets it go on.
    async fn hand(&mut self) -> Result<Result<Turn, SandboxError>, Stop> {
        let mut replies = self.frame.take_replies();
        self.tree.note_answers(replies.len());
        let session = self.session.take();
        let snapshot = if session.is_none() { self.frame.snapshot.clone() } else { Vec::new() };
        let (is_direct, opening) = (self.frame.is_direct, self.opening());
        self.meanwhile(Box::pin(async move {
            let mut session = if let Some(session) = session {
                session
            } else {
                let mut session = opening.await?;
                session.restore(snapshot).await?;
                session
            };
            let turn = match replies.pop() {
                Some((_, reply)) if is_direct => session.resume(reply).await?,
                last => session.resume_deferred(replies.into_iter().chain(last).collect()).await?,
            };
            Ok((session, turn))
        }))
        .await
    }

    /// Starts the code from its beginning.
    async fn begin(&mut self) -> Result<Result<Turn, SandboxError>, Stop> {
        let (source, parameters) = (self.frame.origin.source.clone(), self.frame.origin.parameters.clone());
        let opening = self.opening();
        self.meanwhile(Box::pin(async move {
            let mut session = opening.await?;
            let turn = session.start(&source, &[(crate::library::runs::bind::PARAMETERS, parameters)]).await?;
            Ok((session, turn))
        }))
        .await
    }

    /// Answers the call that the code makes at this moment.
    pub async fn go_on_with(&mut self, reply: Option<Reply>) -> Result<Next, Stop> {
        let Some(mut session) = self.session.take() else { return Err(broken("a call of nobody").into()) };
        let turn = self.meanwhile(Box::pin(async move {
            let turn = match reply {
                Some(reply) => session.resume(reply).await?,
                None => session.defer().await?,
            };
            Ok((session, turn))
        }));
        turn.await.map(Next::Turn)
    }

    /// A worker for this frame.
    fn opening(&self) -> BoxFuture<'t, Result<Session, SandboxError>> {
        let (tree, grants) = (self.tree, Arc::clone(&self.frame.grants));
        let (code_lines, capture) = (self.frame.origin.code_lines, self.frame.capture.clone());
        Box::pin(async move {
            let limits = session_limits(&tree.config.limits);
            let budget = Arc::clone(&tree.budget);
            tree.engine.sandbox.open(code_lines, grants.mounts(), limits, capture, budget).await
        })
    }

    /// Lets the code execute, and takes in what its calls come to meanwhile.
    async fn meanwhile(
        &mut self,
        // Boxed: talking to a worker has a large state, which every future around it would carry along.
        mut work: BoxFuture<'_, Result<(Session, Turn), SandboxError>>,
    ) -> Result<Result<Turn, SandboxError>, Stop> {
        let executed = loop {
            tokio::select! {
                biased;
                executed = &mut work => break executed,
                Some(done) = self.under_way.next() => {
                    let effects = self.done(done).await?;
                    debug_assert!(effects.is_empty(), "code that executes can't be interrupted");
                }
            }
        };
        Ok(executed.map(|(session, turn)| {
            self.session = Some(session);
            turn
        }))
    }
}
