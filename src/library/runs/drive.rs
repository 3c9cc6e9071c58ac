//! The loop that executes a stack of frames.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    engine::{Engine, Execution, prepare, session_limits},
    frame::{Frame, Stack},
    record::{self, Ending, blocking},
    registry::Active,
};
use crate::{
    config::Config,
    host::{self, Action, HostContext},
    library::{LibraryError, ProcedureRef},
    sandbox::{Budget, PythonError, Reply, SandboxError, Session, Turn},
};

/// A stack of frames that is being executed. The last one is on top.
pub struct Drive<'e> {
    pub engine: &'e Engine,
    pub config: Arc<Config>,
    pub budget: Arc<Budget>,
    pub active: Active,
    pub frames: Vec<Frame>,
}

/// What happens after a host call was looked at.
enum Next {
    Turn(Box<Session>, Result<Turn, SandboxError>),
    Stop(Result<Execution, LibraryError>),
}

impl Drive<'_> {
    /// Starts the one frame that there is.
    pub async fn start(mut self) -> Result<Execution, LibraryError> {
        match self.start_top().await {
            Ok((session, turn)) => Box::pin(self.run(session, turn)).await,
            Err(error) => self.fail(error).await,
        }
    }

    /// Goes on with the top frame, whose host call is answered with `reply`.
    pub async fn resume(mut self, reply: Reply) -> Result<Execution, LibraryError> {
        match self.restore_top(reply).await {
            Ok((session, turn)) => Box::pin(self.run(session, turn)).await,
            Err(error) => self.fail(error).await,
        }
    }

    async fn run(
        mut self,
        mut session: Session,
        mut turn: Result<Turn, SandboxError>,
    ) -> Result<Execution, LibraryError> {
        loop {
            let (ending, reply) = match turn {
                Ok(Turn::Call { function, args, kwargs, offset }) => {
                    match self.host_call(session, &function, args, kwargs, offset).await {
                        Next::Turn(next_session, next_turn) => {
                            (session, turn) = (*next_session, next_turn);
                            continue;
                        }
                        Next::Stop(execution) => return execution,
                    }
                }
                Ok(Turn::Complete(value)) => (Ending::Result(value.clone()), Reply::Value(value)),
                Ok(Turn::Raised(error)) => {
                    let error = self.explain(error);
                    (Ending::Error(error.clone()), Reply::Raise(error))
                }
                Err(error) => {
                    // Dropping the session kills the worker, which may still be computing.
                    drop(session);
                    return self.fail(error).await;
                }
            };
            session.finish().await;
            let Some(mut frame) = self.frames.pop() else {
                return Err(LibraryError::Invalid("a run ended twice".to_owned()));
            };
            let execution = record::ended(&self.engine.library, &mut frame, ending).await?;
            if self.frames.is_empty() {
                return Ok(execution);
            }
            match self.restore_top(reply).await {
                Ok((next_session, next_turn)) => (session, turn) = (next_session, next_turn),
                Err(error) => return self.fail(error).await,
            }
        }
    }

    async fn host_call(
        &mut self,
        mut session: Session,
        function: &str,
        args: Vec<Value>,
        kwargs: Map<String, Value>,
        offset: usize,
    ) -> Next {
        let Some(frame) = self.frames.last_mut() else {
            return Next::Stop(Err(LibraryError::Invalid("a host call without a run".to_owned())));
        };
        let named = host::named_arguments(function, args, kwargs);
        let shown = named.as_ref().map_or(Value::Null, |named| Value::Object(named.clone()));
        frame.call_started(function, shown, offset);
        if !self.budget.take_call() {
            let most = self.config.limits.host_calls;
            let message =
                format!("the run made more than {most} host calls (`host_calls` under [limits] in config.toml)");
            return Next::Stop(self.fail_with(&PythonError::new("HostCallLimit", message)).await);
        }
        self.note_progress(function);
        let action = match named {
            Ok(named) => {
                let Some(frame) = self.frames.last() else {
                    return Next::Stop(Err(LibraryError::Invalid("a host call without a run".to_owned())));
                };
                let context = HostContext { grants: &frame.grants, capture: &frame.capture, budget: &self.budget };
                host::call(function, named, &context).await
            }
            Err(error) => Action::Reply(Reply::Raise(error)),
        };
        match action {
            Action::Reply(reply) => {
                self.note_answer(&reply);
                let turn = session.resume(reply).await;
                Next::Turn(Box::new(session), turn)
            }
            Action::CallProcedure { name, arguments } => self.call_procedure(session, &name, arguments).await,
            Action::Pause { instruction } => Next::Stop(self.pause(session, instruction).await),
        }
    }

    async fn call_procedure(&mut self, mut session: Session, name: &str, arguments: Map<String, Value>) -> Next {
        let child = match self.prepare_child(name, arguments).await {
            Ok(child) => child,
            Err(error) => {
                let reply = Reply::Raise(error);
                self.note_answer(&reply);
                let turn = session.resume(reply).await;
                return Next::Turn(Box::new(session), turn);
            }
        };
        let dump = match session.dump().await {
            Ok(dump) => dump,
            Err(error) => return Next::Stop(self.fail(error).await),
        };
        session.finish().await;
        let parent = self.frames.last_mut().map(|parent| {
            parent.dump = dump;
            parent.run_id.clone()
        });
        if let Err(error) = record::started(&self.engine.library, &child, parent.as_deref()).await {
            return Next::Stop(Err(error));
        }
        self.frames.push(child);
        match self.start_top().await {
            Ok((session, turn)) => Next::Turn(Box::new(session), turn),
            Err(error) => Next::Stop(self.fail(error).await),
        }
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
        prepare(row, &arguments, &self.budget, &self.config).map_err(|error| {
            let kind = match error {
                LibraryError::Parameters { .. } => "TypeError",
                LibraryError::PermissionDenied { .. } => "PermissionError",
                _ => "RuntimeError",
            };
            PythonError::new(kind, error.to_string())
        })
    }

    async fn pause(&mut self, mut session: Session, instruction: String) -> Result<Execution, LibraryError> {
        let dump = match session.dump().await {
            Ok(dump) => dump,
            Err(error) => return self.fail(error).await,
        };
        session.finish().await;
        if let Some(top) = self.frames.last_mut() {
            top.dump = dump;
        }
        let mut root = None;
        for frame in self.frames.iter_mut().rev() {
            root = Some(record::ended(&self.engine.library, frame, Ending::Paused(instruction.clone())).await?);
            frame.spent += frame.since.elapsed();
        }
        let execution = root.ok_or_else(|| LibraryError::Invalid("a pause without a run".to_owned()))?;
        let stack = Stack {
            frames: std::mem::take(&mut self.frames),
            instruction,
            time_left: self.budget.deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1)),
            calls_left: self.budget.calls_left(),
        };
        self.engine.registry.put_paused(&execution.run_id, stack);
        Ok(execution)
    }

    async fn open_top(&self) -> Result<Session, SandboxError> {
        let Some(frame) = self.frames.last() else {
            return Err(SandboxError::Crashed("there is nothing to execute".to_owned()));
        };
        let limits = session_limits(&self.config.limits);
        let (capture, budget) = (frame.capture.clone(), Arc::clone(&self.budget));
        self.engine.sandbox.open(frame.code_lines, frame.grants.mounts(), limits, capture, budget).await
    }

    async fn start_top(&mut self) -> Result<(Session, Result<Turn, SandboxError>), SandboxError> {
        let mut session = self.open_top().await?;
        let Some(frame) = self.frames.last() else {
            return Err(SandboxError::Crashed("there is nothing to execute".to_owned()));
        };
        let inputs = [(super::bind::PARAMETERS, frame.parameters.clone())];
        let turn = session.start(&frame.source, &inputs).await;
        Ok((session, turn))
    }

    async fn restore_top(&mut self, reply: Reply) -> Result<(Session, Result<Turn, SandboxError>), SandboxError> {
        let mut session = self.open_top().await?;
        if let Some(frame) = self.frames.last_mut() {
            session.restore(std::mem::take(&mut frame.dump)).await?;
        }
        self.note_answer(&reply);
        let turn = session.resume(reply).await;
        Ok((session, turn))
    }

    fn note_answer(&mut self, reply: &Reply) {
        let Some(frame) = self.frames.last_mut() else { return };
        frame.call_ended(match reply {
            Reply::Value(value) => Ok(value.clone()),
            Reply::Instance { fields, .. } => Ok(Value::Object(fields.clone())),
            Reply::Raise(error) => Err(format!("{}: {}", error.kind, error.message)),
        });
        self.active.progress().calls += 1;
    }

    fn note_progress(&self, function: &str) {
        let mut progress = self.active.progress();
        if let Some(step) = self.frames.first().and_then(Frame::current_step) {
            progress.step = Some(step);
        }
        progress.doing = self.frames.last().map_or_else(String::new, |frame| format!("{}: {function}", frame.name));
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
    async fn fail(&mut self, error: SandboxError) -> Result<Execution, LibraryError> {
        let limits = &self.config.limits;
        let (kind, message) = match error {
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

    async fn fail_with(&mut self, error: &PythonError) -> Result<Execution, LibraryError> {
        self.end_all(|| Ending::Error(error.clone())).await
    }

    async fn end_all(&mut self, ending: impl Fn() -> Ending) -> Result<Execution, LibraryError> {
        let mut root = None;
        while let Some(mut frame) = self.frames.pop() {
            frame.call_ended(Err("the run ended here".to_owned()));
            root = Some(record::ended(&self.engine.library, &mut frame, ending()).await?);
        }
        root.ok_or_else(|| LibraryError::Invalid("a run ended twice".to_owned()))
    }
}
