//! The entry points: execute, resume, cancel.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    bind::bind,
    drive::Drive,
    frame::{Frame, Stack},
    record::{self, Ending, blocking},
    registry::{Active, Registry},
    steps::StepLines,
    view::RunView,
};
use crate::{
    config::{Config, Limits},
    domain::{Outcome, RunId, RunStatus},
    host::{self, Grants},
    library::{Library, LibraryError, ProcedureRef, now_ms},
    sandbox::{Budget, Capture, PythonError, Reply, Sandbox, SessionLimits, Verdict},
    storage::{NewRun, ProcedureRow, StorageError},
};

/// Parameters that are larger than this, as JSON, belong in a file.
const MOST_PARAMETER_BYTES: usize = 4 * 1024 * 1024;
/// Looking at code may take this long.
const CHECK_TIME: Duration = Duration::from_secs(10);
/// How long runs that were told to stop may take to do so.
const SHUTDOWN_TIME: Duration = Duration::from_secs(3);

/// Executes procedures.
pub struct Engine {
    pub(super) library: Arc<Library>,
    pub(super) sandbox: Sandbox,
    pub(super) registry: Registry,
}

/// What an execution came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// The run.
    pub run_id: RunId,
    /// What was executed.
    pub procedure_id: i64,
    /// Its name.
    pub name: String,
    /// Where the run stands.
    pub status: RunStatus,
    /// How it answered.
    pub outcome: Outcome,
    /// What the code returned.
    pub result: Option<Value>,
    /// What it printed and logged.
    pub output: String,
    /// What it raised, or the limit that it hit.
    pub error: Option<PythonError>,
    /// What a paused run waits for.
    pub waiting_for: Option<String>,
    /// Time spent executing, in milliseconds.
    pub duration_ms: f64,
}

/// The answer that a paused run goes on with.
#[derive(Debug, Clone)]
pub enum Decision {
    /// The step is done, with this value.
    Approve(Value),
    /// The step won't be done; the code sees an exception with this reason.
    Reject(Option<String>),
}

impl Engine {
    /// An engine for `library` whose workers are processes of the program `worker`.
    ///
    /// # Errors
    /// [`LibraryError::Config`].
    pub fn new(library: Arc<Library>, worker: PathBuf) -> Result<Self, LibraryError> {
        let sandbox = Sandbox::new(worker, library.config()?.limits.workers, host::MODULE);
        Ok(Self { library, sandbox, registry: Registry::default() })
    }

    /// Executes a procedure and waits until it ends or pauses. `active` lets the caller watch and stop it.
    ///
    /// # Errors
    /// [`LibraryError`] when it can't be executed at all; what its code does wrong is an [`Execution`].
    pub async fn execute(
        &self,
        wanted: &ProcedureRef,
        parameters: Map<String, Value>,
        active: Active,
    ) -> Result<Execution, LibraryError> {
        let wanted = wanted.clone();
        let look_up = move |library: &Library| Ok((library.procedure(&wanted)?, library.config()?));
        let (row, config) = blocking(&self.library, look_up).await?;
        if !row.definition.enabled {
            return Err(LibraryError::Disabled(row.definition.name.to_string()));
        }
        if row.code.is_none() {
            return self.skip(row, Value::Object(parameters).to_string()).await;
        }
        let limits = &config.limits;
        let budget = budget(limits.duration(), limits.host_calls, limits, &active);
        let frame = prepare(row, &parameters, &budget, &config)?;
        record::started(&self.library, &frame, None).await?;
        {
            let mut progress = active.progress();
            progress.steps_total = frame.steps_total;
            progress.doing.clone_from(&frame.name);
        }
        let id = frame.run_id.clone();
        self.registry.activate(&id, &active);
        // Boxed, because the state of a whole run is large and would be moved with every caller's future.
        let ended = Box::pin(Drive { engine: self, config, budget, active, frames: vec![frame] }.start()).await;
        self.registry.deactivate(&id);
        ended
    }

    /// Goes on with a paused run.
    ///
    /// # Errors
    /// [`LibraryError::RunNotPaused`] or [`LibraryError::RunNotFound`].
    pub async fn resume(&self, run_id: &str, decision: Decision, active: Active) -> Result<Execution, LibraryError> {
        // First, because the run stays paused when the configuration can't be read.
        let config = blocking(&self.library, Library::config).await?;
        let Some(stack) = self.registry.take_paused(run_id) else { return Err(self.why_not_paused(run_id).await?) };
        let Stack { mut frames, instruction, time_left, calls_left } = stack;
        let budget = budget(time_left, calls_left, &config.limits, &active);
        let ids: Vec<RunId> = frames.iter().map(|frame| frame.run_id.clone()).collect();
        blocking(&self.library, move |library| {
            Ok(library
                .database
                .write::<_, StorageError>(|writer| ids.iter().try_for_each(|id| writer.reopen_run(id)))?)
        })
        .await?;
        for frame in &mut frames {
            frame.capture = frame.capture.under(Arc::clone(&budget));
            frame.since = Instant::now();
        }
        let reply = match decision {
            Decision::Approve(value) => Reply::Value(value),
            Decision::Reject(reason) => {
                let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                Reply::Raise(PythonError::new(
                    "RuntimeError",
                    format!("the step \"{instruction}\" was rejected{reason}"),
                ))
            }
        };
        self.registry.activate(run_id, &active);
        let ended = Box::pin(Drive { engine: self, config, budget, active, frames }.resume(reply)).await;
        self.registry.deactivate(run_id);
        ended
    }

    /// Stops a run that executes or waits.
    ///
    /// # Errors
    /// [`LibraryError::RunEnded`], [`LibraryError::RunElsewhere`] or [`LibraryError::RunNotFound`].
    pub async fn cancel(&self, run_id: &str) -> Result<(), LibraryError> {
        if let Some(active) = self.registry.find_active(run_id) {
            active.cancel.cancel();
            return Ok(());
        }
        if let Some(stack) = self.registry.take_paused(run_id) {
            for mut frame in stack.frames {
                frame.call_ended(Err("cancelled".to_owned()));
                record::ended(&self.library, &mut frame, Ending::Cancelled).await?;
            }
            return Ok(());
        }
        let id = run_id.to_owned();
        let (run, _) = blocking(&self.library, move |library| library.run(&id)).await?;
        Err(if run.status.is_open() {
            LibraryError::RunElsewhere(run.id)
        } else {
            LibraryError::RunEnded { id: run.id, status: run.status }
        })
    }

    /// What is known of a run; of one that executes here, also how far it is.
    ///
    /// # Errors
    /// [`LibraryError::RunNotFound`].
    pub async fn view(&self, run_id: &str) -> Result<RunView, LibraryError> {
        let progress = self.registry.find_active(run_id).map(|active| active.progress().clone());
        let id = run_id.to_owned();
        let (run, calls) = blocking(&self.library, move |library| library.run(&id)).await?;
        Ok(RunView::new(run, calls, progress))
    }

    /// What the interpreter's compiler and type checker say of `code`; nothing of it is executed.
    ///
    /// # Errors
    /// [`LibraryError::Sandbox`].
    pub async fn check(&self, code: &str) -> Result<Verdict, LibraryError> {
        let config = blocking(&self.library, Library::config).await?;
        check(&self.sandbox, code, &config.limits).await
    }

    /// Stops every run and waits a little for their ends to be recorded.
    pub async fn shut_down(&self) {
        self.registry.cancel_all();
        let started = Instant::now();
        while !self.registry.is_idle() && started.elapsed() < SHUTDOWN_TIME {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.sandbox.close().await;
    }

    async fn skip(&self, row: ProcedureRow, parameters: String) -> Result<Execution, LibraryError> {
        let name = row.definition.name.to_string();
        let error = format!("procedure `{name}` has no code yet; generate_procedure_code makes it");
        let execution = Execution {
            run_id: uuid::Uuid::now_v7().to_string(),
            procedure_id: row.id,
            name,
            status: RunStatus::Succeeded,
            outcome: Outcome::Skipped,
            result: None,
            output: String::new(),
            error: Some(PythonError::new("NoCode", error)),
            waiting_for: None,
            duration_ms: 0.0,
        };
        blocking(&self.library, move |library| {
            library.database.write::<_, StorageError>(|writer| {
                writer.skip_run(&NewRun {
                    id: &execution.run_id,
                    procedure_id: row.id,
                    version: row.version,
                    parent_run_id: None,
                    session: library.session.id(),
                    parameters: &parameters,
                    steps_total: u32::try_from(row.definition.steps.len()).unwrap_or(u32::MAX),
                    started_at: now_ms(),
                })
            })?;
            Ok(execution)
        })
        .await
    }

    async fn why_not_paused(&self, run_id: &str) -> Result<LibraryError, LibraryError> {
        let id = run_id.to_owned();
        let (run, _) = blocking(&self.library, move |library| library.run(&id)).await?;
        Ok(if run.status == RunStatus::Paused {
            LibraryError::RunElsewhere(run.id)
        } else {
            LibraryError::RunNotPaused { id: run.id, status: run.status }
        })
    }
}

fn budget(time: Duration, calls: usize, limits: &Limits, active: &Active) -> Arc<Budget> {
    Arc::new(Budget::new(Instant::now() + time, active.cancel.clone(), calls, limits.output_bytes()))
}

pub(super) const fn session_limits(limits: &Limits) -> SessionLimits {
    SessionLimits {
        memory_bytes: limits.memory_bytes(),
        result_bytes: limits.result_bytes(),
        file_calls: limits.file_calls,
    }
}

/// A frame for a procedure that has code: permissions checked, parameters bound.
pub(super) fn prepare(
    row: ProcedureRow,
    parameters: &Map<String, Value>,
    budget: &Arc<Budget>,
    config: &Config,
) -> Result<Frame, LibraryError> {
    let ProcedureRow { id, definition, code, version, .. } = row;
    let code = code.unwrap_or_default();
    let name = definition.name.to_string();
    let grants = Grants::new(&config.policy, definition.permissions.as_ref(), &config.file());
    grants
        .check_declared()
        .map_err(|error| LibraryError::PermissionDenied { name: name.clone(), message: error.message })?;
    let size = serde_json::to_string(parameters).map_or(0, |text| text.len());
    if size > MOST_PARAMETER_BYTES {
        let most = MOST_PARAMETER_BYTES / (1024 * 1024);
        let message = format!("its parameters are {size} bytes of JSON, at most {most} MiB are possible; pass a file");
        return Err(LibraryError::Parameters { name, message });
    }
    let bound = bind(&code, &definition, parameters)
        .map_err(|error| LibraryError::Parameters { name: name.clone(), message: error.message })?;
    Ok(Frame {
        run_id: uuid::Uuid::now_v7().to_string(),
        procedure_id: id,
        name,
        version,
        steps_total: u32::try_from(definition.steps.len()).unwrap_or(u32::MAX),
        source: bound.source,
        code_lines: u32::try_from(code.lines().count()).unwrap_or(u32::MAX),
        parameters: bound.parameters,
        grants,
        capture: Capture::new(Arc::clone(budget)),
        step_lines: StepLines::read(&code),
        calls: Vec::new(),
        pending: None,
        dump: Vec::new(),
        since: Instant::now(),
        spent: Duration::ZERO,
    })
}

/// What the interpreter's compiler and type checker say of `code`; nothing of it is executed.
pub async fn check(sandbox: &Sandbox, code: &str, limits: &Limits) -> Result<Verdict, LibraryError> {
    let budget = budget(CHECK_TIME, 1, limits, &Active::default());
    Ok(sandbox.check(code, session_limits(limits), budget).await?)
}
