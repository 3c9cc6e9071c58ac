//! The loop that executes a stack of frames: what the code does becomes events, and the effects are carried out.

use std::sync::Arc;

use super::{
    ask::Decided,
    engine::{Engine, Execution, session_limits},
    frame::Frame,
    gate::Gate,
    journal,
    perform::Performed,
    record::{self, Ending},
    registry::Active,
    state::{Effect, Event},
};
use crate::{
    config::Config,
    library::LibraryError,
    sandbox::{Budget, PythonError, Reply, SandboxError, Session, Turn},
};

/// A run whose workers are lost more often than this, without coming further, is likely to be the reason.
const MOST_LOSSES: u32 = 3;

/// A stack of frames that is being executed. The last one is on top.
pub struct Drive<'e> {
    pub engine: &'e Engine,
    pub config: Arc<Config>,
    pub budget: Arc<Budget>,
    pub active: Active,
    pub frames: Vec<Frame>,
    /// How often its workers were lost since it came further.
    pub losses: u32,
}

/// What happens next.
pub enum Next {
    /// The code went on and came to this.
    Turn(Box<Session>, Result<Turn, SandboxError>),
    /// Nothing, for now or for ever.
    Stop(Box<Result<Execution, LibraryError>>),
}

impl Next {
    /// Nothing, for now or for ever.
    pub fn stop(result: Result<Execution, LibraryError>) -> Self {
        Self::Stop(Box::new(result))
    }
}

/// The error for what can't happen.
pub fn broken(what: &str) -> LibraryError {
    LibraryError::Invalid(format!("the engine is in disorder: {what}"))
}

impl Drive<'_> {
    /// Starts the one frame that there is.
    pub async fn start(mut self) -> Result<Execution, LibraryError> {
        let next = self.begin().await;
        Box::pin(self.run(next)).await
    }

    /// Goes on with frames that were saved: `event` happens to the top one.
    pub async fn go_on(mut self, event: Event) -> Result<Execution, LibraryError> {
        let next = match self.on(event) {
            Ok(effects) => self.carry_out(None, effects).await,
            Err(error) => Next::stop(Err(error)),
        };
        Box::pin(self.run(next)).await
    }

    async fn run(mut self, mut next: Next) -> Result<Execution, LibraryError> {
        loop {
            let (session, turn) = match next {
                Next::Turn(session, turn) => (*session, turn),
                Next::Stop(execution) => return *execution,
            };
            next = match turn {
                Ok(Turn::Call { function, args, kwargs, offset, call_id, is_awaited }) => {
                    let at = (call_id, offset);
                    Box::pin(self.host_call(session, function, args, kwargs, at, is_awaited)).await
                }
                Ok(Turn::Wait { calls }) => Box::pin(self.gathered(session, &calls)).await,
                Ok(Turn::Complete(value)) => {
                    session.finish().await;
                    self.returned(Ending::Result(value.clone()), Reply::Value(value)).await
                }
                Ok(Turn::Raised(error)) => {
                    session.finish().await;
                    let error = self.explain(error);
                    self.returned(Ending::Error(error.clone()), Reply::Raise(error)).await
                }
                Err(error) => {
                    // Dropping the session kills the worker, which may still be computing.
                    drop(session);
                    self.stumble(error).await
                }
            };
        }
    }

    /// The top frame.
    pub fn top(&mut self) -> Result<&mut Frame, LibraryError> {
        self.frames.last_mut().ok_or_else(|| broken("nothing is being executed"))
    }

    pub fn on(&mut self, event: Event) -> Result<Vec<Effect>, LibraryError> {
        self.top()?.state.on(event).map_err(|error| broken(&error.to_string()))
    }

    /// Does what the state machine wants, until the code goes on or nothing is left to do.
    pub async fn carry_out(&mut self, mut session: Option<Session>, mut effects: Vec<Effect>) -> Next {
        loop {
            let mut to_perform = Vec::new();
            let mut to_ask = None;
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::Save => match self.save(session.as_mut()).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => return self.stumble(error).await,
                        Err(error) => return Next::stop(Err(error)),
                    },
                    Effect::Perform(sequence) => to_perform.push(sequence),
                    Effect::Ask(sequence) => to_ask = Some(sequence),
                    Effect::Hand => return self.hand(session).await,
                    Effect::Begin => return self.begin().await,
                    Effect::Finish => return Next::stop(Err(broken("it ended twice"))),
                }
            }
            if let Some(sequence) = to_ask {
                // Whoever decides may take days: the worker is free until then.
                if let Some(session) = session.take() {
                    session.finish().await;
                }
                match self.ask(sequence).await {
                    Ok(Decided::Now(event)) => match self.on(event) {
                        Ok(more) => effects = more,
                        Err(error) => return Next::stop(Err(error)),
                    },
                    Ok(Decided::Later(execution)) => return Next::stop(Ok(*execution)),
                    Err(error) => return Next::stop(Err(error)),
                }
                continue;
            }
            if to_perform.is_empty() {
                return Next::stop(Err(broken("there is nothing to do")));
            }
            let performed = self.perform(&to_perform).await;
            if self.active.is_leaving() {
                return Next::stop(self.fail(SandboxError::Cancelled).await);
            }
            match performed {
                Ok(Performed::Effects(more)) => effects = more,
                Ok(Performed::Called { name, arguments }) => {
                    if let Some(session) = session.take() {
                        session.finish().await;
                    }
                    match self.call_procedure(&name, arguments).await {
                        Ok(next) => return next,
                        Err(error) => match self.answered_call(Reply::Raise(error)).await {
                            Ok(more) => effects = more,
                            Err(error) => return Next::stop(Err(error)),
                        },
                    }
                }
                Err(error) => return Next::stop(Err(error)),
            }
        }
    }

    async fn save(&mut self, session: Option<&mut Session>) -> Result<Result<(), SandboxError>, LibraryError> {
        let Some(session) = session else { return Err(broken("a call without an interpreter")) };
        let dump = match session.dump().await {
            Ok(dump) => dump,
            Err(error) => return Ok(Err(error)),
        };
        let depth = self.frames.len().saturating_sub(1);
        let root = self.root_id();
        let frame = self.frames.last_mut().ok_or_else(|| broken("nothing to save"))?;
        frame.snapshot = dump;
        journal::save(&self.engine.library, frame, &root, depth, &self.budget).await?;
        // It has come further.
        self.losses = 0;
        Ok(Ok(()))
    }

    /// A worker is lost: the run goes on in another from where it was saved, unless that happens too often or the error
    /// is another one.
    async fn stumble(&mut self, error: SandboxError) -> Next {
        if !matches!(error, SandboxError::Crashed(_)) || self.losses >= MOST_LOSSES {
            return Next::stop(self.fail(error).await);
        }
        self.losses += 1;
        tracing::info!(run = self.root_id(), %error, "a worker was lost; its run goes on in another");
        match self.engine.saved_frames(&self.root_id(), &self.config).await {
            Ok((frames, _)) => self.frames = frames,
            Err(error) => return Next::stop(Err(error)),
        }
        for frame in &mut self.frames {
            frame.under(&self.budget);
        }
        match self.on(Event::TakenUp) {
            Ok(effects) => Box::pin(self.carry_out(None, effects)).await,
            Err(error) => Next::stop(Err(error)),
        }
    }

    /// The run at the bottom of the stack.
    pub fn root_id(&self) -> String {
        self.frames.first().map(|frame| frame.origin.run_id.clone()).unwrap_or_default()
    }

    /// The code gets all answers that it waits for.
    async fn hand(&mut self, session: Option<Session>) -> Next {
        let session = match session {
            Some(session) => Ok(session),
            None => self.restore_top().await,
        };
        let mut session = match session {
            Ok(session) => session,
            Err(error) => return self.stumble(error).await,
        };
        let Some(frame) = self.frames.last_mut() else { return Next::stop(Err(broken("an answer for nobody"))) };
        let mut replies: Vec<(u32, Reply)> =
            frame.waiting.iter_mut().filter_map(|call| Some((call.call_id, call.reply.take()?))).collect();
        let is_gathered = frame.is_gathered;
        self.note_answers(replies.len());
        let turn = match (is_gathered, replies.pop()) {
            (false, Some((_, reply))) => session.resume(reply).await,
            (true, Some(last)) => {
                replies.push(last);
                session.resume_deferred(replies).await
            }
            (_, None) => return Next::stop(Err(broken("an answer is missing"))),
        };
        Next::Turn(Box::new(session), turn)
    }

    /// The top frame's code is over. Whoever called it goes on with `reply`.
    async fn returned(&mut self, ending: Ending, reply: Reply) -> Next {
        let Some(mut frame) = self.frames.pop() else { return Next::stop(Err(broken("it ended twice"))) };
        let answer = match self.frames.last_mut() {
            None => return Next::stop(record::ended(&self.engine.library, &mut frame, ending, None).await),
            Some(caller) => caller.answer_call(reply),
        };
        let Some((answer, sequence)) = answer else { return Next::stop(Err(broken("nobody called"))) };
        if let Err(error) = record::ended(&self.engine.library, &mut frame, ending, Some(answer)).await {
            return Next::stop(Err(error));
        }
        match self.on(Event::Answered(sequence)).map(|effects| self.or_next_call(effects)) {
            Ok(effects) => Box::pin(self.carry_out(None, effects)).await,
            Err(error) => Next::stop(Err(error)),
        }
    }

    /// Starts the top frame's code from its beginning.
    pub async fn begin(&mut self) -> Next {
        let mut session = match self.open_top().await {
            Ok(session) => session,
            Err(error) => return self.stumble(error).await,
        };
        let Some(frame) = self.frames.last() else { return Next::stop(Err(broken("there is nothing to execute"))) };
        let inputs = [(super::bind::PARAMETERS, frame.origin.parameters.clone())];
        let turn = session.start(&frame.origin.source, &inputs).await;
        Next::Turn(Box::new(session), turn)
    }

    async fn open_top(&self) -> Result<Session, SandboxError> {
        let Some(frame) = self.frames.last() else {
            return Err(SandboxError::Crashed("there is nothing to execute".to_owned()));
        };
        let limits = session_limits(&self.config.limits);
        let (capture, budget) = (frame.capture.clone(), Arc::clone(&self.budget));
        self.engine.sandbox.open(frame.origin.code_lines, frame.grants.mounts(), limits, capture, budget).await
    }

    async fn restore_top(&mut self) -> Result<Session, SandboxError> {
        let mut session = self.open_top().await?;
        if let Some(frame) = self.frames.last_mut() {
            session.restore(frame.snapshot.clone()).await?;
        }
        Ok(session)
    }

    /// Pauses the whole stack at `gate`; its state is saved already.
    pub async fn pause(&mut self, gate: &Gate) -> Result<Execution, LibraryError> {
        let mut root = None;
        for frame in self.frames.iter_mut().rev() {
            let ending = Ending::Paused { instruction: gate.question.clone(), expires_at: gate.expires_at };
            root = Some(record::ended(&self.engine.library, frame, ending, None).await?);
        }
        let paused = root.ok_or_else(|| broken("a pause of nobody"))?;
        Ok(Execution { gate: Some(gate.clone()), ..paused })
    }

    pub fn note_answers(&self, count: usize) {
        self.active.progress().calls += u64::try_from(count).unwrap_or_default();
    }

    pub fn note_progress(&self) {
        let mut progress = self.active.progress();
        if let Some(step) = self.frames.first().and_then(Frame::current_step) {
            progress.step = Some(step);
        }
        progress.doing = self.frames.last().map_or_else(String::new, |frame| {
            let functions: Vec<&str> = frame.waiting.iter().map(|call| call.function.as_str()).collect();
            format!("{}: {}", frame.origin.name, functions.join(", "))
        });
    }

    /// Says which setting was hit, where the interpreter only knows that a limit was.
    fn explain(&self, mut error: PythonError) -> PythonError {
        let limits = &self.config.limits;
        let hint = match error.kind.as_str() {
            "MemoryError" => format!(" (`memory_mib` = {} under [limits] in config.toml)", limits.memory_mib),
            "TimeoutError" if error.message.contains("time limit") => {
                format!(" (`seconds` = {} under [limits] in config.toml)", limits.seconds)
            }
            // Host calls are counted before, so it can only be files.
            "RuntimeError" if error.message.starts_with("suspension limit") => {
                format!(
                    ": too many operations on files (`file_calls` = {} under [limits] in config.toml)",
                    limits.file_calls
                )
            }
            _ => return error,
        };
        error.message.push_str(&hint);
        error.traceback.push_str(&hint);
        error
    }

    /// Ends the whole tree because of something outside its code.
    pub async fn fail(&mut self, error: SandboxError) -> Result<Execution, LibraryError> {
        let limits = &self.config.limits;
        let (kind, message) = match error {
            SandboxError::Cancelled if self.active.is_leaving() => return self.leave().await,
            SandboxError::Cancelled => return self.end_all(|| Ending::Cancelled).await,
            SandboxError::TimeLimit => (
                "TimeoutError",
                format!("the run was stopped after {} s (`seconds` under [limits] in config.toml)", limits.seconds),
            ),
            SandboxError::OutputLimit => (
                "OutputLimit",
                format!(
                    "the run printed more than {} KiB (`output_kib` under [limits] in config.toml)",
                    limits.output_kib
                ),
            ),
            SandboxError::Result(why) => (
                "ResultLimit",
                format!("{why} (`result_kib` under [limits] in config.toml); return less, or write it to a file"),
            ),
            other => ("SandboxError", other.to_string()),
        };
        self.fail_with(&PythonError::new(kind, message)).await
    }

    pub async fn fail_with(&mut self, error: &PythonError) -> Result<Execution, LibraryError> {
        self.end_all(|| Ending::Error(error.clone())).await
    }

    async fn end_all(&mut self, ending: impl Fn() -> Ending) -> Result<Execution, LibraryError> {
        let mut root = None;
        while let Some(mut frame) = self.frames.pop() {
            frame.abandon_calls();
            root = Some(record::ended(&self.engine.library, &mut frame, ending(), None).await?);
        }
        root.ok_or_else(|| broken("it ended twice"))
    }

    /// The server ends: the run stays as it was saved, for the next one to go on with.
    async fn leave(&mut self) -> Result<Execution, LibraryError> {
        let mut root = None;
        for frame in self.frames.iter_mut().rev() {
            root = Some(record::ended(&self.engine.library, frame, Ending::Interrupted, None).await?);
        }
        root.ok_or_else(|| broken("it ended twice"))
    }
}
