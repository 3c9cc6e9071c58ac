//! What the frames of a run share while it executes: its budget, its settings, and the reason why it stops.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::{
    config::Config,
    domain::{RunId, RuntimeKind},
    host::HostContext,
    library::{
        LibraryError,
        model_use::ModelMeter,
        runs::{
            frame::Frame, limits::Left, recording::Recording, registry::Active, resources::Resources, wait::Activity,
        },
    },
    models::Meter,
    runtime::{Budget, Limit, PythonError, RuntimeError},
};

/// What all frames of a run share.
pub struct Tree {
    pub resources: Arc<Resources>,
    pub config: Arc<Config>,
    pub budget: Arc<Budget>,
    pub active: Active,
    pub root_id: RunId,
    /// What goes on in it.
    pub activity: Activity,
    /// What counts its requests to the language model, where they count.
    pub meter: Option<Arc<dyn Meter>>,
    /// What answers its host calls, where that is not the world.
    pub recording: Option<Recording>,
    /// Why it stops, where it does.
    stop: Mutex<Option<Stop>>,
}

/// Why a run is stopped from outside its code.
pub enum Stop {
    /// It was cancelled, hit a limit that the runtime watches, or lost its worker too often.
    Runtime(RuntimeError),
    /// It hit another limit.
    Limit(PythonError),
    /// It can't be written down, or the engine is at fault.
    Broken(LibraryError),
    /// Another of its frames knows.
    Elsewhere,
}

impl From<RuntimeError> for Stop {
    fn from(error: RuntimeError) -> Self {
        Self::Runtime(error)
    }
}

impl From<LibraryError> for Stop {
    fn from(error: LibraryError) -> Self {
        Self::Broken(error)
    }
}

impl Tree {
    pub fn new(
        resources: Arc<Resources>,
        config: Arc<Config>,
        budget: Arc<Budget>,
        active: Active,
        root_id: RunId,
    ) -> Self {
        let meter = resources
            .journal
            .library()
            .map(|library| Arc::new(ModelMeter::new(Arc::clone(library), Some(root_id.clone()))) as Arc<dyn Meter>);
        let activity = Activity::default();
        Self { resources, config, budget, active, root_id, activity, meter, recording: None, stop: Mutex::new(None) }
    }

    /// The same, answered by a recording instead of the world.
    pub fn answered_by(self, recording: Recording) -> Self {
        Self { recording: Some(recording), ..self }
    }

    /// Whether a person is asked for grants that calls lack.
    pub fn offers_grants(&self) -> bool {
        self.active.can_grant && self.config.offer_grants && self.recording.is_none()
    }

    /// Stops everything that the run does. The first reason counts.
    pub fn halt(&self, why: Stop) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if stop.is_none() && !matches!(why, Stop::Elsewhere) {
            *stop = Some(why);
        }
        self.budget.cancel.cancel();
    }

    /// Why the run was stopped, for whoever ends it.
    pub fn reason(&self) -> Option<Stop> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What a host function may use when `frame` calls it.
    pub fn host_context<'a>(&'a self, frame: &'a Frame) -> HostContext<'a> {
        HostContext {
            grants: &frame.grants,
            capture: &frame.capture,
            budget: frame.budget(),
            config: &self.config,
            downstream: &self.resources.downstream,
            meter: self.meter.as_ref(),
        }
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
    pub fn explain(&self, mut error: PythonError, limit: Limit, runtime: RuntimeKind) -> PythonError {
        let limits = &self.config.limits;
        let hint = match limit {
            Limit::Memory if runtime == RuntimeKind::Python => {
                format!(" (`memory_mib` = {} under [python] in config.toml)", self.config.python.memory_mib)
            }
            Limit::Memory => format!(" (`memory_mib` = {} under [limits] in config.toml)", limits.memory_mib),
            Limit::Time => format!(" (`seconds` = {} under [limits] in config.toml)", limits.seconds),
            Limit::FileCalls => format!(
                ": too many operations on files (`file_calls` = {} under [limits] in config.toml)",
                limits.file_calls
            ),
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
