//! The entry points: execute, cancel, look. Going on with open runs is in `recover`.

use std::{borrow::Cow, collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    bind::bind,
    frame::{Frame, Origin},
    gate::Gate,
    journal,
    record::{self, blocking},
    recover::AT_ONCE,
    registry::{Active, Registry},
    tree::Tree,
    view::RunView,
};
use crate::{
    config::{Config, Limits},
    domain::{Outcome, Procedure, Run, RunId, RunStatus},
    downstream::{self, Downstream},
    host::{self, Grants},
    library::{Library, LibraryError, ProcedureRef, now_ms},
    runtime::monty::{Budget, Capture, PythonError, Sandbox, SessionLimits, Verdict},
    storage::{NewRun, StorageError},
};

/// Parameters that are larger than this, as JSON, belong in a file.
const MAX_PARAMETER_BYTES: usize = 4 * 1024 * 1024;
/// Looking at code may take this long.
const CHECK_TIME: Duration = Duration::from_secs(10);
/// How long the tools of other servers are waited for when code is checked.
const LISTING_TIME: Duration = Duration::from_secs(5);
/// How long runs that were told to stop may take to do so.
const SHUTDOWN_TIME: Duration = Duration::from_secs(3);

/// Executes procedures.
pub struct Engine {
    pub(super) library: Arc<Library>,
    pub(super) sandbox: Sandbox,
    pub(super) downstream: Downstream,
    pub(super) registry: Registry,
    /// Places for runs that are taken up.
    pub(super) recoveries: Arc<Semaphore>,
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
    /// The same, for whoever asks.
    pub gate: Option<Gate>,
    /// Time spent executing, in milliseconds.
    pub duration_ms: f64,
}

impl Engine {
    /// An engine for `library` whose workers are processes of the program `worker`.
    ///
    /// # Errors
    /// [`LibraryError::Config`].
    pub fn new(library: Arc<Library>, worker: PathBuf) -> Result<Self, LibraryError> {
        let sandbox = Sandbox::new(worker, library.config()?.limits.workers, *host::MODULE);
        let recoveries = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self { library, sandbox, downstream: Downstream::new(), registry: Registry::default(), recoveries })
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
        let budget = budget(limits.duration(), limits.host_calls, limits.output_bytes(), &active);
        let frame = Frame::new(origin_of(row, &parameters, &config)?, Capture::new(Arc::clone(&budget)), &config);
        record::started(&self.library, &frame).await?;
        {
            let mut progress = active.progress();
            progress.steps_total = frame.origin.steps_total;
            progress.doing.clone_from(&frame.origin.name);
        }
        let root_id = frame.origin.run_id.clone();
        let tree = Tree::new(self, config, budget, active, root_id.clone());
        self.or_released(&root_id, self.execute_tree(tree, frame)).await
    }

    /// Executes a run from where its root stands.
    pub(super) async fn execute_tree(&self, tree: Tree<'_>, root: Frame) -> Result<Execution, LibraryError> {
        let id = tree.root_id.clone();
        self.registry.activate(&id, &tree.active);
        // Boxed, because the state of a whole run is large and would be moved with every caller's future.
        let ended = Box::pin(tree.execute(root)).await;
        self.registry.deactivate(&id);
        ended
    }

    /// The frame of a procedure that code calls by its name. An error is for that code.
    pub(super) async fn called(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        config: &Config,
        budget: &Arc<Budget>,
    ) -> Result<Frame, PythonError> {
        let wanted = ProcedureRef::Name(name.to_owned());
        let found = blocking(&self.library, move |library| library.procedure(&wanted)).await;
        let row = found.map_err(|error| PythonError::new("LookupError", error.to_string()))?;
        if !row.definition.enabled || row.code.is_none() {
            let why = if row.code.is_none() { "has no code" } else { "is disabled" };
            return Err(PythonError::new("RuntimeError", format!("procedure `{name}` {why}")));
        }
        let origin = origin_of(row, arguments, config);
        let frame = origin.map(|origin| Frame::new(origin, Capture::new(Arc::clone(budget)), config));
        frame.map_err(|error| {
            let kind = match error {
                LibraryError::Parameters { .. } => "TypeError",
                LibraryError::PermissionDenied { .. } => "PermissionError",
                _ => "RuntimeError",
            };
            PythonError::new(kind, error.to_string())
        })
    }

    /// Stops a run that executes or waits.
    ///
    /// # Errors
    /// [`LibraryError::RunEnded`], [`LibraryError::RunElsewhere`] or [`LibraryError::RunNotFound`];
    /// [`LibraryError::Invalid`] when another run called it.
    pub async fn cancel(&self, run_id: &str) -> Result<(), LibraryError> {
        if let Some(active) = self.registry.find_active(run_id) {
            active.stop();
            return Ok(());
        }
        let id = run_id.to_owned();
        let (run, _) = blocking(&self.library, move |library| library.run(&id)).await?;
        match run.status {
            RunStatus::Paused | RunStatus::Interrupted | RunStatus::Running if run.parent_run_id.is_some() => {
                Err(called(&run))
            }
            RunStatus::Paused | RunStatus::Interrupted => self.cancel_waiting(&run.id).await,
            RunStatus::Running => Err(LibraryError::RunElsewhere(run.id)),
            status => Err(LibraryError::RunEnded { id: run.id, status }),
        }
    }

    /// What is known of a run; of one that executes here, also how far it is.
    ///
    /// # Errors
    /// [`LibraryError::RunNotFound`].
    pub async fn view(&self, run_id: &str) -> Result<RunView, LibraryError> {
        let under_way = self.registry.find_active(run_id).map(|active| active.progress().steps.clone());
        let id = run_id.to_owned();
        blocking(&self.library, move |library| {
            let (run, calls) = library.run(&id)?;
            let decisions = library.database.read(|reader| reader.decisions(&id))?;
            let under_way = match under_way {
                Some(steps) => steps,
                None if run.status.is_open() => journal::current_steps(library, &id)?,
                None => BTreeSet::new(),
            };
            Ok(RunView::new(run, calls, decisions, &under_way))
        })
        .await
    }

    /// What the interpreter's compiler and type checker say of `code`; nothing of it is executed.
    ///
    /// # Errors
    /// [`LibraryError::Sandbox`].
    pub async fn check(&self, code: &str) -> Result<Verdict, LibraryError> {
        let config = blocking(&self.library, Library::config).await?;
        let stub = self.stub_for(code, &config).await;
        check(&self.sandbox, code, &stub, &config.limits).await
    }

    /// The stub to check `code` against: where it names all tools that it calls, with their signatures. That may start
    /// the servers which have them.
    async fn stub_for(&self, code: &str, config: &Config) -> Cow<'static, str> {
        let calls = code.matches("call_tool(").count();
        let named = code.matches("call_tool(\"").count() + code.matches("call_tool('").count();
        if calls == 0 || calls != named {
            return Cow::Borrowed(host::STUB);
        }
        let is_called = |name: &str| code.contains(&format!("\"{name}/")) || code.contains(&format!("'{name}/"));
        let listing = self.downstream.list(&config.mcp_servers, is_called);
        let listed = tokio::time::timeout(LISTING_TIME, listing).await.unwrap_or_default();
        let tools: Result<Vec<_>, _> = listed.into_iter().map(|(_, tools)| tools).collect();
        match tools.map(|tools| tools.concat()) {
            Ok(tools) if !tools.is_empty() => Cow::Owned(host::stub_with(&downstream::stub(&tools))),
            _ => Cow::Borrowed(host::STUB),
        }
    }

    /// Stops every run and waits a little for their ends to be recorded.
    pub async fn shut_down(&self) {
        self.registry.leave_all();
        let started = Instant::now();
        while !self.registry.is_idle() && started.elapsed() < SHUTDOWN_TIME {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::join!(self.sandbox.close(), self.downstream.close());
    }

    async fn skip(&self, row: Procedure, parameters: String) -> Result<Execution, LibraryError> {
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
            gate: None,
            duration_ms: 0.0,
        };
        blocking(&self.library, move |library| {
            library.database.write::<_, StorageError>(|writer| {
                writer.skip_run(&NewRun {
                    id: &execution.run_id,
                    procedure_id: row.id,
                    version: row.version,
                    caller: None,
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
}

/// The error for what can't be done with a run that another called.
pub(super) fn called(run: &Run) -> LibraryError {
    let parent = run.parent_run_id.as_deref().unwrap_or_default();
    LibraryError::Invalid(format!("run `{}` was called by run `{parent}`; pass that one", run.id))
}

/// What a tree of runs may use up.
pub(super) fn budget(time: Duration, calls: usize, output_bytes: usize, active: &Active) -> Arc<Budget> {
    Arc::new(Budget::new(Instant::now() + time, active.cancel.child_token(), calls, output_bytes))
}

pub(super) const fn session_limits(limits: &Limits) -> SessionLimits {
    SessionLimits {
        memory_bytes: limits.memory_bytes(),
        result_bytes: limits.result_bytes(),
        file_calls: limits.file_calls,
    }
}

/// What makes a run of a procedure that has code: permissions are checked first, then parameters, which are bound.
pub(super) fn origin_of(
    row: Procedure,
    parameters: &Map<String, Value>,
    config: &Config,
) -> Result<Origin, LibraryError> {
    let Procedure { id, definition, code, version, .. } = row;
    let code = code.unwrap_or_default();
    let name = definition.name.to_string();
    Grants::new(&config.policy, definition.permissions.as_ref(), &config.file())
        .check_declared()
        .map_err(|error| LibraryError::PermissionDenied { name: name.clone(), message: error.message })?;
    let size = serde_json::to_string(parameters).map_or(0, |text| text.len());
    if size > MAX_PARAMETER_BYTES {
        let most = MAX_PARAMETER_BYTES / (1024 * 1024);
        let message = format!("its parameters are {size} bytes of JSON, at most {most} MiB are possible; pass a file");
        return Err(LibraryError::Parameters { name, message });
    }
    let bound = bind(&code, &definition, parameters)
        .map_err(|error| LibraryError::Parameters { name: name.clone(), message: error.message })?;
    Ok(Origin {
        run_id: uuid::Uuid::now_v7().to_string(),
        procedure_id: id,
        name,
        version,
        steps_total: u32::try_from(definition.steps.len()).unwrap_or(u32::MAX),
        source: bound.source,
        code_lines: u32::try_from(code.lines().count()).unwrap_or(u32::MAX),
        parameters: bound.parameters,
        permissions: definition.permissions,
    })
}

/// What the interpreter's compiler and type checker say of `code`; nothing of it is executed.
pub async fn check(sandbox: &Sandbox, code: &str, stub: &str, limits: &Limits) -> Result<Verdict, LibraryError> {
    let budget = budget(CHECK_TIME, 1, limits.output_bytes(), &Active::default());
    Ok(sandbox.check(code, stub, session_limits(limits), budget).await?)
}
