//! A whole run: the frames of a procedure and of those that it calls, until it ends, pauses or is stopped.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{sync::mpsc, time::Instant};

use crate::library::runs::{
    drive::{
        ask::Decided,
        frame::{Finished, drive},
    },
    engine::execute::{Engine, Execution},
    frame::Frame,
    gate::Gate,
    journal::{
        record::{self, Ending},
        write::Left,
    },
    registry::Active,
};
use crate::{
    config::Config,
    domain::RunId,
    library::LibraryError,
    runtime::monty::{Budget, PythonError, SandboxError},
};

/// What all frames of a run share.
pub struct Tree<'e> {
    pub engine: &'e Engine,
    pub config: Arc<Config>,
    pub budget: Arc<Budget>,
    pub active: Active,
    /// The run at the root.
    pub root_id: RunId,
    stop: Mutex<Option<Stop>>,
}

/// Why a run is stopped from outside its code.
pub enum Stop {
    /// It was cancelled, or hit a limit that the sandbox watches.
    Sandbox(SandboxError),
    /// It hit another limit.
    Limit(PythonError),
    /// It can't be written down, or the engine is in disorder.
    Broken(LibraryError),
    /// Another of its frames knows.
    Elsewhere,
}

impl From<LibraryError> for Stop {
    fn from(error: LibraryError) -> Self {
        Self::Broken(error)
    }
}

/// The error for what can't happen.
pub fn broken(what: &str) -> LibraryError {
    LibraryError::Invalid(format!("the engine is in disorder: {what}"))
}

impl<'e> Tree<'e> {
    pub const fn new(
        engine: &'e Engine,
        config: Arc<Config>,
        budget: Arc<Budget>,
        active: Active,
        root_id: RunId,
    ) -> Self {
        Self { engine, config, budget, active, root_id, stop: Mutex::new(None) }
    }

    /// Executes `root` from where it stands until the run ends or pauses.
    pub async fn execute(mut self, mut root: Frame) -> Result<Execution, LibraryError> {
        loop {
            let finished;
            (root, finished) = self.drive(root).await;
            match finished {
                Finished::Ended(ending) => return record::ended(&self.engine.library, &mut root, ending, None).await,
                Finished::Stopped => return self.stopped(root).await,
                Finished::Waits => match self.ask(&mut root).await? {
                    Decided::Now => {}
                    Decided::Later(execution) => return Ok(*execution),
                    Decided::Stopped => return self.stopped(root).await,
                },
            }
        }
    }

    /// Drives `root` and the frames that it calls, side by side: nested in one another, a deep tree would need a deep
    /// stack.
    async fn drive(&self, root: Frame) -> (Frame, Finished) {
        let (spawner, mut spawned) = mpsc::unbounded_channel();
        let mut driven = FuturesUnordered::new();
        let mut root = drive(self, spawner, root);
        loop {
            tokio::select! {
                biased;
                finished = &mut root => return finished,
                Some(frame) = spawned.recv() => driven.push(frame),
                Some(()) = driven.next() => {}
            }
        }
    }

    /// Stops everything that the run does. The first reason counts.
    pub fn halt(&self, why: Stop) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if stop.is_none() && !matches!(why, Stop::Elsewhere) {
            *stop = Some(why);
        }
        self.budget.cancel.cancel();
    }

    async fn stopped(self, root: Frame) -> Result<Execution, LibraryError> {
        let why = self.stop.lock().unwrap_or_else(PoisonError::into_inner).take();
        match why {
            Some(Stop::Broken(error)) => Err(error),
            Some(Stop::Limit(error)) => self.end_all(root, Ending::Error(error)).await,
            Some(Stop::Sandbox(error)) => self.fail(root, error).await,
            None | Some(Stop::Elsewhere) => self.fail(root, SandboxError::Cancelled).await,
        }
    }

    async fn fail(&self, root: Frame, error: SandboxError) -> Result<Execution, LibraryError> {
        let limits = &self.config.limits;
        let (kind, message) = match error {
            // The run stays as it was saved, for the next server to go on with.
            SandboxError::Cancelled if self.active.is_leaving() => {
                return record::all_ended(&self.engine.library, root, Ending::Interrupted).await;
            }
            SandboxError::Cancelled => return self.end_all(root, Ending::Cancelled).await,
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
        self.end_all(root, Ending::Error(PythonError::new(kind, message))).await
    }

    /// Ends a frame and all that it called.
    pub async fn end_all(&self, mut frame: Frame, ending: Ending) -> Result<Execution, LibraryError> {
        frame.abandon_calls();
        record::all_ended(&self.engine.library, frame, ending).await
    }

    /// Pauses a whole run; its state is saved already.
    pub async fn pause(&self, root: &mut Frame) -> Result<Execution, LibraryError> {
        let mut paused = None;
        for (run_id, gates) in Gate::by_frame(root) {
            let first = gates.first().ok_or_else(|| broken("a pause without a question"))?.clone();
            let expires_at = gates.iter().filter_map(|gate| gate.expires_at).min();
            let ending = Ending::Paused { instruction: first.question.clone(), expires_at };
            let frame = root.find_mut(&run_id).ok_or_else(|| broken("a pause of nobody"))?;
            let execution = record::ended(&self.engine.library, frame, ending, None).await?;
            paused = Some(Execution { gate: Some(first), ..execution });
        }
        paused.ok_or_else(|| broken("a pause of nobody"))
    }

    /// Waits for something that takes nothing of the run's time: nothing of it is executed meanwhile.
    pub async fn off_the_clock<T>(&mut self, root: &mut Frame, work: impl Future<Output = T>) -> T {
        let left = Left::of(&self.budget);
        root.rest();
        let output = work.await;
        self.budget = Arc::new(self.budget.until(Instant::now() + left.time()));
        root.under(&self.budget);
        output
    }

    /// Says which setting was hit, where the interpreter only knows that a limit was.
    pub fn explain(&self, mut error: PythonError) -> PythonError {
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

    /// Tells whoever watches what `frame` waits for.
    pub fn note_progress(&self, frame: &Frame) {
        let mut progress = self.active.progress();
        if frame.depth == 0 {
            progress.steps = frame.current_steps().collect();
        }
        let functions: Vec<&str> = frame.waiting.iter().map(|call| call.function.as_str()).collect();
        progress.doing = format!("{}: {}", frame.origin.name, functions.join(", "));
    }

    pub fn note_answers(&self, count: usize) {
        self.active.progress().calls += u64::try_from(count).unwrap_or_default();
    }
}
