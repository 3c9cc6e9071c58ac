//! Driving one frame: what its code does becomes events, and the effects are carried out.
//!
//! Calls are under way while the code executes and while it waits; a procedure that it calls is one of them, driven in
//! the same way. All frames of a run are driven by one task.

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _};

use super::{
    intake::{self, Intake, MadeCall},
    perform::{Called, Done, Finished, Performing, Spawner},
    tree::{Stop, Tree},
};
use crate::{
    library::{
        LibraryError, blocking,
        runs::{
            files,
            frame::{Frame, broken},
            interpreter,
            journal::{read, record::Ending, write},
            limits::session_limits,
            machine::{Effect, Event, Progress},
        },
    },
    runtime::{Bounds, Limit, Program, Reply, RuntimeError, Session, Suspension},
};

/// A frame whose workers are lost more often than this, without coming further, is likely to be the reason.
const MAX_LOSSES: u32 = 3;

/// How long code that waits keeps its worker. Going on in another costs about a millisecond.
const WORKER_KEPT: Duration = Duration::from_millis(50);

/// A frame while it is driven.
struct Drive<'t> {
    tree: &'t Tree,
    frame: Frame,
    /// The session that executes its code, unless that is put aside.
    session: Option<Box<dyn Session>>,
    performing: Performing<'t>,
}

/// A session, and what the code in it came to.
type Executed = (Box<dyn Session>, Suspension);

/// What happens next.
enum Next {
    /// The code went on and came to this.
    Suspended(Suspension),
    /// This is to be done.
    Effects(Vec<Effect>),
    /// Nothing, for now or for ever.
    Finished(Finished),
}

/// Executes `frame` from where it stands.
pub fn drive(tree: &Tree, spawner: Spawner, frame: Frame) -> BoxFuture<'_, (Frame, Finished)> {
    // Boxed, because frames drive those that they call.
    Box::pin(async move {
        let _busy = tree.activity.busy();
        let mut drive = Drive { tree, frame, session: None, performing: Performing::new(tree, spawner) };
        let finished = match drive.run().await {
            Ok(finished) => finished,
            Err(stop) => {
                // Its own time is over, not that of the run: whatever it called has no more, and ends as well.
                let is_late = matches!(stop, Stop::Runtime(RuntimeError::TimeLimit))
                    && drive.frame.has_less_time_than(&tree.budget);
                if !is_late {
                    tree.halt(stop);
                }
                // Dropping the session ends the code, which may still be computing.
                drive.session = None;
                drive.performing.abort(&mut drive.frame).await;
                if is_late { Finished::Ended(Ending::Error(drive.frame.time_is_up())) } else { Finished::Stopped }
            }
        };
        (drive.frame, finished)
    })
}

/// Executes a frame that another called, and tells it what that came to.
pub fn drive_called(tree: &Tree, spawner: Spawner, called: Called) -> BoxFuture<'_, ()> {
    let Called { frame, tell } = called;
    let driven = drive(tree, spawner, frame);
    // Nobody listens any more when the whole run is dropped.
    driven.map(|(frame, finished)| drop(tell.send((Box::new(frame), finished)))).boxed()
}

impl<'t> Drive<'t> {
    async fn run(&mut self) -> Result<Finished, Stop> {
        let mut next = Next::Effects(self.frame.on(Event::TakenUp)?);
        loop {
            let came_to = match next {
                Next::Effects(effects) => self.carry_out(effects).await,
                Next::Suspended(suspension) => self.suspended(suspension).await,
                Next::Finished(finished) => return Ok(finished),
            };
            next = match came_to {
                Err(Stop::Runtime(error)) => Next::Effects(self.worker_lost(error).await?),
                came_to => came_to?,
            };
        }
    }

    async fn suspended(&mut self, suspension: Suspension) -> Result<Next, Stop> {
        match suspension {
            Suspension::Call { function, args, kwargs, offset, call_id, is_awaited } => {
                let made = MadeCall { function, args, kwargs, offset, call_id, is_awaited };
                match Box::pin(intake::host_call(self.tree, &mut self.frame, made)).await? {
                    Intake::Promised => self.go_on_with(None).await,
                    Intake::Answered(reply) => self.go_on_with(Some(reply)).await,
                    Intake::Waits(effects) => Ok(Next::Effects(effects)),
                }
            }
            Suspension::Wait { calls } => intake::gathered(self.tree, &mut self.frame, &calls).map(Next::Effects),
            Suspension::Ended(value) => self.ended(Ending::Result(value)).await,
            Suspension::Raised { error, limit } => {
                let error = match limit {
                    Some(Limit::Time) if self.frame.has_less_time_than(&self.tree.budget) => self.frame.time_is_up(),
                    Some(limit) => self.tree.explain(error, limit, self.frame.origin.runtime),
                    None => error,
                };
                self.ended(Ending::Error(error)).await
            }
        }
    }

    /// The code is over. What it started and does not wait for is waited for here.
    async fn ended(&mut self, ending: Ending) -> Result<Next, Stop> {
        self.give_worker_back().await;
        self.performing.finish(&mut self.frame).await?;
        // What was under way when a server ended, and is not awaited any more.
        self.frame.abandon_calls();
        Ok(Next::Finished(Finished::Ended(ending)))
    }

    /// Does what the state machine wants; waits for a call where that is nothing.
    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Next, Stop> {
        for effect in effects {
            match effect {
                Effect::Save => self.save().await?,
                Effect::Perform(sequence) => self.performing.begin(&mut self.frame, sequence)?,
                Effect::Resume => return self.resume().await,
                Effect::Begin => return self.begin().await,
                Effect::Ask => {
                    // Whoever decides may take days: the worker is free until then.
                    self.give_worker_back().await;
                    return Ok(Next::Finished(Finished::Waits));
                }
            }
        }
        let done = self.next_done().await?.ok_or_else(|| broken("there is nothing to do"))?;
        self.performing.take_in(&mut self.frame, done).await.map(Next::Effects)
    }

    /// Waits for a call. The worker is kept for a short while only, and not at all where a procedure needs one.
    async fn next_done(&mut self) -> Result<Option<Done>, Stop> {
        // One that would have to execute its code again is kept, however long the call takes.
        let is_kept = self.tree.resources.journal.library().is_some();
        if !is_kept || self.session.as_ref().is_some_and(|session| session.is_dear()) {
            let _idle = self.tree.activity.idle();
            return Ok(self.performing.next().await);
        }
        if self.session.is_some() && !self.performing.has_procedure_of(&self.frame) {
            let idle = self.tree.activity.idle();
            let next = tokio::time::timeout(WORKER_KEPT, self.performing.next()).await;
            drop(idle);
            if let Ok(done) = next {
                return Ok(done);
            }
            if !self.frame.on(Event::Idle)?.is_empty() {
                self.save().await?;
            }
        }
        self.give_worker_back().await;
        let _idle = self.tree.activity.idle();
        Ok(self.performing.next().await)
    }

    async fn give_worker_back(&mut self) {
        if let Some(session) = self.session.take() {
            session.finish().await;
        }
    }

    async fn save(&mut self) -> Result<(), Stop> {
        if self.tree.resources.journal.library().is_none() {
            return Ok(());
        }
        let Some(session) = self.session.as_mut() else { return Err(broken("a call without an interpreter").into()) };
        let saved = session.save(self.frame.snapshot.known()).await?;
        let Tree { resources, budget, root_id, .. } = self.tree;
        let runtime = resources.runtimes.of(self.frame.origin.runtime).id();
        write::save(&resources.journal, runtime, &mut self.frame, saved, (root_id, budget)).await?;
        // It has come further.
        self.frame.losses = 0;
        Ok(())
    }

    /// The code was ended from outside. Where that was because its worker is lost, the frame goes on in another from
    /// where it was saved, unless that happens too often. Its calls stay under way.
    async fn worker_lost(&mut self, error: RuntimeError) -> Result<Vec<Effect>, Stop> {
        self.session = None;
        let losses = self.frame.losses + 1;
        let is_kept = self.tree.resources.journal.library().is_some();
        if !is_kept || !matches!(error, RuntimeError::Crashed(_)) || losses > MAX_LOSSES {
            return Err(Stop::Runtime(error));
        }
        tracing::info!(run = self.frame.origin.run_id, %error, "a worker was lost; its run goes on in another");
        let mut saved = self.saved_frame().await?;
        for call in &mut saved.state.calls {
            if self.performing.has(call.sequence) {
                call.progress = Progress::UnderWay;
            }
        }
        (saved.caller, saved.depth) = (self.frame.caller.take(), self.frame.depth);
        saved.children = std::mem::take(&mut self.frame.children);
        saved.losses = losses;
        saved.limit = self.frame.limit;
        saved.under(self.frame.budget());
        self.frame = saved;
        Ok(self.frame.on(Event::TakenUp)?)
    }

    /// The frame as it was saved last; where it had made no host call, as it was started.
    async fn saved_frame(&mut self) -> Result<Frame, LibraryError> {
        let (run_id, config) = (self.frame.origin.run_id.clone(), Arc::clone(&self.tree.config));
        let runtimes = self.tree.resources.runtimes.clone();
        let load = move |library: &_| read::load_frame(library, &runtimes, &run_id, &config);
        let library = self.tree.resources.journal.library();
        blocking(library.ok_or_else(|| broken("a run that is written down nowhere"))?, load).await
    }

    /// Gives the code the answers that are there, and lets it go on.
    async fn resume(&mut self) -> Result<Next, Stop> {
        let mut replies = self.frame.take_replies();
        self.tree.note_answers(replies.len());
        let session = self.session.take();
        let snapshot = if session.is_none() { self.frame.snapshot.whole().to_vec() } else { Vec::new() };
        let (is_direct, program, opening) = (self.frame.is_direct, Arc::clone(&self.frame.origin.program), self.open());
        self.execute(Box::pin(async move {
            let mut session = if let Some(session) = session {
                session
            } else {
                let mut session = opening.await?;
                session.restore(&program, snapshot).await?;
                session
            };
            let suspension = match replies.pop() {
                Some((_, reply)) if is_direct => session.answer(reply).await?,
                last => session.keep_promises(replies.into_iter().chain(last).collect()).await?,
            };
            Ok((session, suspension))
        }))
        .await
    }

    /// Starts the code from its beginning.
    async fn begin(&mut self) -> Result<Next, Stop> {
        let (program, opening): (Arc<Program>, _) = (Arc::clone(&self.frame.origin.program), self.open());
        self.execute(Box::pin(async move {
            let mut session = opening.await?;
            let suspension = session.start(&program).await?;
            Ok((session, suspension))
        }))
        .await
    }

    /// Answers the call that the code makes at this moment, or promises to.
    async fn go_on_with(&mut self, reply: Option<Reply>) -> Result<Next, Stop> {
        let Some(mut session) = self.session.take() else { return Err(broken("a call of nobody").into()) };
        self.execute(Box::pin(async move {
            let suspension = match reply {
                Some(reply) => session.answer(reply).await?,
                None => session.promise().await?,
            };
            Ok((session, suspension))
        }))
        .await
    }

    /// A session for this frame.
    fn open(&self) -> BoxFuture<'t, Result<Box<dyn Session>, RuntimeError>> {
        let (tree, grants, capture) = (self.tree, Arc::clone(&self.frame.grants), self.frame.capture.clone());
        let (kind, lock, program) =
            (self.frame.origin.runtime, self.frame.origin.lock.clone(), Arc::clone(&self.frame.origin.program));
        Box::pin(async move {
            let limits = session_limits(&tree.config.limits);
            let budget = Arc::clone(capture.budget());
            let library = tree.resources.journal.library();
            let files = files::of(kind, &program.source, library, &tree.config).await?;
            let mut interpreter =
                interpreter::of(kind, &program.source, lock.as_deref(), &tree.config, &grants, &budget).await?;
            if let (Some(interpreter), Some(files)) = (&mut interpreter, files) {
                interpreter::show(interpreter, files);
            }
            let (interpreter, rules) = (interpreter.as_ref(), Arc::clone(grants.rules()));
            let bounds = Bounds { mounts: grants.mounts(), rules, limits, capture, budget, interpreter };
            tree.resources.runtimes.of(kind).open(bounds).await
        })
    }

    /// Lets the code execute, and takes in what its calls come to meanwhile.
    async fn execute(
        &mut self,
        // Boxed: talking to a worker has a large state, which every future around it would carry along.
        mut code: BoxFuture<'_, Result<Executed, RuntimeError>>,
    ) -> Result<Next, Stop> {
        let (session, suspension) = loop {
            tokio::select! {
                biased;
                executed = &mut code => break executed?,
                Some(done) = self.performing.next() => {
                    let effects = self.performing.take_in(&mut self.frame, done).await?;
                    debug_assert!(effects.is_empty(), "code that executes can't be interrupted");
                }
            }
        };
        self.session = Some(session);
        Ok(Next::Suspended(suspension))
    }
}
