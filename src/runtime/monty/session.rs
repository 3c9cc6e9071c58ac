//! One piece of code being executed: runs to the next host call, pauses into bytes, goes on elsewhere.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use monty_pool::{
    Checkout, MountSpec, MountSpecMode, PoolError, PrintFuture, ReplConfig, ResumeValue, TurnEvent, on_print_sync,
};
use monty_types::{
    CallArgs, ExcType, IMPORT_CALL, MontyException, MontyObject, MontyUuid, NameLookupResult, NamedValues, OsPolicy,
    PrintStream, ResourceLimits, SleepMode,
};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Budget, Capture, MODULE, PythonError, SLEEP, Sandbox, SandboxError, values};

/// Host values, as JSON, may be this large on their way out of the sandbox as arguments.
const ARGUMENT_BYTES: usize = 8 * 1024 * 1024;
/// A sleep may outlast the deadline by this much: then it is the deadline that ends the run, and says so.
const SLEEP_MARGIN: Duration = Duration::from_mins(1);

/// How the interpreter calls `asyncio.sleep`.
const ASYNC_SLEEP: &str = "system.async_sleep";

/// A directory whose files the code sees, under its own path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The absolute directory.
    pub path: PathBuf,
    /// Whether files in it may be changed.
    pub writable: bool,
}

/// Limits of one session, beside its [`Budget`].
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Memory of the interpreter in bytes.
    pub memory_bytes: usize,
    /// Size of the result as JSON in bytes.
    pub result_bytes: usize,
    /// Operations on files and directories.
    pub file_calls: usize,
}

/// Where execution stands.
#[derive(Debug)]
pub enum Turn {
    /// The code calls a host function; answer with [`Session::resume`].
    Call {
        /// Its name in the host module.
        function: String,
        /// Positional arguments.
        args: Vec<Value>,
        /// Keyword arguments.
        kwargs: Map<String, Value>,
        /// Byte offset of the call in the code.
        offset: usize,
        /// The interpreter's number for it.
        call_id: u32,
        /// Whether the call stands under an `await`, so that [`Session::defer`] can answer it.
        is_awaited: bool,
    },
    /// Everything that could go on waits for calls that were deferred; answer with [`Session::resume_deferred`].
    Wait {
        /// Their numbers.
        calls: Vec<u32>,
    },
    /// The code ended with this value.
    Complete(Value),
    /// The code raised.
    Raised(PythonError),
}

/// The answer to a [`Turn::Call`].
#[derive(Debug, Clone)]
pub enum Reply {
    /// It returned a value.
    Value(Value),
    /// It returned an instance of a host class with these attributes.
    Instance {
        /// The class.
        class: &'static str,
        /// The attributes.
        fields: Map<String, Value>,
    },
    /// It raised.
    Raise(PythonError),
}

/// A dedicated worker. Dropping it kills the worker; [`Session::finish`] gives it back.
pub struct Session {
    checkout: Checkout,
    budget: Arc<Budget>,
    capture: Capture,
    mounts: Vec<MountSpec>,
    limits: SessionLimits,
    code_lines: u32,
    names: &'static [&'static str],
}

impl Sandbox {
    /// Gets a worker, waiting for one to become free, and prepares it. Tracebacks show the first `code_lines` lines of
    /// what it will execute.
    ///
    /// # Errors
    /// [`SandboxError`] when none can be had before the deadline.
    pub async fn open(
        &self,
        code_lines: u32,
        mounts: &[Mount],
        limits: SessionLimits,
        capture: Capture,
        budget: Arc<Budget>,
    ) -> Result<Session, SandboxError> {
        let left = budget.deadline.saturating_duration_since(Instant::now());
        let config = ReplConfig {
            limits: Some(
                ResourceLimits::default()
                    .max_feed_duration(left)
                    .max_memory(limits.memory_bytes)
                    .max_suspensions(budget.calls_left().saturating_add(limits.file_calls)),
            ),
            // By default a sleep is silently cut to ten seconds. Here it lasts as long as the run may.
            os_policy: OsPolicy { sleep: SleepMode::System(left.saturating_add(SLEEP_MARGIN)), ..OsPolicy::default() },
            ..ReplConfig::default()
        };
        let checkout = self.checkout(&config, &budget).await?;
        let mounts = mounts.iter().filter_map(open_mount).collect();
        Ok(Session { checkout, budget, capture, mounts, limits, code_lines, names: self.host.names })
    }

    /// Waits for a worker to become free.
    pub(super) async fn checkout(&self, config: &ReplConfig, budget: &Budget) -> Result<Checkout, SandboxError> {
        let pool = self.pool().await?;
        // Boxed: starting a worker has a large state, which every future around it would carry along.
        let checkout = Box::pin(guarded(budget, async {
            match pool.checkout(config).await {
                // An idle worker may have been killed from outside since it was last used; the pool has dropped it now.
                Err(PoolError::Crashed { .. }) => pool.checkout(config).await,
                other => other,
            }
        }));
        Ok(checkout.await??)
    }
}

/// The host module: a function for every name, or a class where the name is capitalised.
fn host_module(names: &[&str]) -> MontyObject {
    let members = names.iter().map(|name| {
        let value = if name.starts_with(char::is_uppercase) {
            values::to_class(name)
        } else {
            MontyObject::function(*name, None)
        };
        (MontyObject::string(*name), value)
    });
    MontyObject::module(MODULE, MontyUuid::from_u128(1), members)
}

/// A directory that has gone since the configuration was read is simply not there for the code either.
fn open_mount(mount: &Mount) -> Option<MountSpec> {
    let mode = if mount.writable { MountSpecMode::ReadWrite } else { MountSpecMode::ReadOnly };
    let path = mount.path.to_str()?;
    MountSpec::new(path, &mount.path, mode)
        .inspect_err(|error| tracing::warn!(directory = path, %error, "a granted directory can't be opened"))
        .ok()
}

/// Waits for `work`, but not past the budget's deadline, its output or a cancellation.
pub(super) async fn guarded<T>(budget: &Budget, work: impl Future<Output = T>) -> Result<T, SandboxError> {
    tokio::select! {
        biased;
        value = work => Ok(value),
        () = budget.cancel.cancelled() => Err(SandboxError::Cancelled),
        () = budget.output_exceeded() => Err(SandboxError::OutputLimit),
        () = tokio::time::sleep_until(budget.deadline) => Err(SandboxError::TimeLimit),
    }
}

impl Session {
    /// Starts executing `code` with `inputs` as global names.
    ///
    /// # Errors
    /// [`SandboxError`] when it ends otherwise than by itself.
    pub async fn start(&mut self, code: &str, inputs: &[(&str, Value)]) -> Result<Turn, SandboxError> {
        let mut named = NamedValues::new();
        for (name, value) in inputs {
            named.push(*name, values::to_python(value));
        }
        let mounts = self.mounts.clone();
        let mut print = printer(&self.capture);
        let event = guarded(&self.budget, self.checkout.feed(code, named, mounts, false, &mut print)).await?;
        self.drive(event).await
    }

    /// Answers the host call that the session waits at.
    ///
    /// # Errors
    /// [`SandboxError`] when the code ends otherwise than by itself.
    pub async fn resume(&mut self, reply: Reply) -> Result<Turn, SandboxError> {
        let event = self.answer(resume_value(reply)).await?;
        self.drive(event).await
    }

    /// Answers the host call that the session waits at with a promise, so that others can be made meanwhile.
    ///
    /// # Errors
    /// [`SandboxError`] when the code ends otherwise than by itself.
    pub async fn defer(&mut self) -> Result<Turn, SandboxError> {
        let event = self.answer(ResumeValue::Future).await?;
        self.drive(event).await
    }

    /// Keeps promises: answers calls by their numbers.
    ///
    /// # Errors
    /// [`SandboxError`] when the code ends otherwise than by itself.
    pub async fn resume_deferred(&mut self, replies: Vec<(u32, Reply)>) -> Result<Turn, SandboxError> {
        let values = replies.into_iter().map(|(call_id, reply)| (call_id, resume_value(reply))).collect();
        let mut print = printer(&self.capture);
        let event = guarded(&self.budget, self.checkout.resume_futures(values, &mut print)).await?;
        self.drive(event).await
    }

    /// The state of a session that waits at a host call, to go on from with [`Session::restore`].
    ///
    /// # Errors
    /// [`SandboxError`].
    pub async fn dump(&mut self) -> Result<Vec<u8>, SandboxError> {
        Ok(guarded(&self.budget, self.checkout.dump()).await??)
    }

    /// Puts a dumped session into this fresh one. It waits at the host call that it was dumped at.
    ///
    /// # Errors
    /// [`SandboxError`].
    pub async fn restore(&mut self, dump: Vec<u8>) -> Result<(), SandboxError> {
        let mounts = self.mounts.clone();
        let mut print = printer(&self.capture);
        match guarded(&self.budget, self.checkout.restore(dump, mounts, &mut print)).await?? {
            (Some(TurnEvent::FunctionCall { .. } | TurnEvent::ResolveFutures { .. }), _) => Ok(()),
            _ => Err(SandboxError::Crashed("the saved state does not wait at a host call".to_owned())),
        }
    }

    /// Gives the worker back to the pool, whatever the code was doing.
    pub async fn finish(self) {
        if let Err(error) = self.checkout.finish().await {
            tracing::debug!(%error, "a worker was not reused");
        }
    }

    async fn answer(&mut self, value: ResumeValue) -> Result<Result<TurnEvent, PoolError>, SandboxError> {
        let mut print = printer(&self.capture);
        guarded(&self.budget, self.checkout.resume(value, &mut print)).await
    }

    /// Answers what needs no decision (imports, files, sleeping) until the code calls a host function or ends.
    async fn drive(&mut self, mut event: Result<TurnEvent, PoolError>) -> Result<Turn, SandboxError> {
        loop {
            event = match event {
                Ok(TurnEvent::Complete(value)) => {
                    let json = values::to_json(value.as_ref(), self.limits.result_bytes);
                    return json.map(Turn::Complete).map_err(SandboxError::Result);
                }
                Ok(TurnEvent::FunctionCall {
                    function_name,
                    args,
                    call_id,
                    object_id: None,
                    allow_eager_await: is_awaited,
                    position,
                }) => {
                    let (function, offset) = (function_name, position.start as usize);
                    match call_arguments(&args) {
                        Ok((args, kwargs)) => {
                            return Ok(Turn::Call { function, args, kwargs, offset, call_id, is_awaited });
                        }
                        Err(message) => self.answer(raise(ExcType::ValueError, message)).await?,
                    }
                }
                Ok(TurnEvent::FunctionCall { function_name, .. }) => {
                    let message = format!("`{function_name}` is not a method of this object");
                    self.answer(raise(ExcType::AttributeError, message)).await?
                }
                Ok(TurnEvent::OsCall { function_name, args, .. }) if function_name == IMPORT_CALL => {
                    self.answer(import(&args, self.names)).await?
                }
                Ok(TurnEvent::OsCall { system_sleep: Some(delay), function_name, call_id, position, .. })
                    if function_name == ASYNC_SLEEP =>
                {
                    let (offset, args) = (position.start as usize, vec![Value::from(delay.as_secs_f64())]);
                    let (function, kwargs) = (SLEEP.to_owned(), Map::new());
                    return Ok(Turn::Call { function, args, kwargs, offset, call_id, is_awaited: true });
                }
                Ok(TurnEvent::OsCall { system_sleep: Some(delay), .. }) => self.sleep(delay).await?,
                Ok(TurnEvent::OsCall { function_name, args, .. }) => self.file(&function_name, &args).await?,
                Ok(TurnEvent::NameLookup { .. }) => {
                    let mut print = printer(&self.capture);
                    let undefined = self.checkout.resume_name_lookup(NameLookupResult::Undefined, &mut print);
                    guarded(&self.budget, undefined).await?
                }
                Ok(TurnEvent::ResolveFutures { pending_call_ids, .. }) => {
                    return Ok(Turn::Wait { calls: pending_call_ids });
                }
                Err(PoolError::Runtime(exception)) => {
                    return Ok(Turn::Raised(PythonError::from_exception(&exception, self.code_lines)));
                }
                Err(error) => return Err(error.into()),
            };
        }
    }

    async fn sleep(&mut self, delay: Duration) -> Result<Result<TurnEvent, PoolError>, SandboxError> {
        guarded(&self.budget, tokio::time::sleep(delay)).await?;
        self.answer(ResumeValue::Return(MontyObject::none())).await
    }

    /// Files come from the granted directories; everything else of the operating system is refused.
    async fn file(&mut self, function: &str, args: &CallArgs) -> Result<Result<TurnEvent, PoolError>, SandboxError> {
        let mut print = printer(&self.capture);
        match guarded(&self.budget, self.checkout.resume_from_mounts(&mut print)).await? {
            Ok(Some(event)) => Ok(Ok(event)),
            Ok(None) => self.answer(refuse(function, args)).await,
            Err(error) => Ok(Err(error)),
        }
    }
}

fn resume_value(reply: Reply) -> ResumeValue {
    match reply {
        Reply::Value(value) => ResumeValue::Return(values::to_python(&value)),
        Reply::Instance { class, fields } => ResumeValue::Return(values::to_instance(class, &fields)),
        Reply::Raise(error) => ResumeValue::Error(error.into_exception()),
    }
}

fn refuse(function: &str, args: &CallArgs) -> ResumeValue {
    let message = match args.arg(0).map(values::to_text) {
        Some(path) if function == "open" || function.starts_with("Path.") => format!(
            "`{path}` is in no granted directory; the user can grant one in `read` or `write` under [policy] in \
             config.toml (the procedure's own `permissions` must not leave it out)"
        ),
        _ => format!("`{function}` is not available to procedures; pass what is needed as a parameter"),
    };
    raise(ExcType::PermissionError, message)
}

fn import(args: &CallArgs, names: &[&str]) -> ResumeValue {
    match args.arg(0).and_then(|name| name.as_str()) {
        Some(MODULE) => ResumeValue::Return(host_module(names)),
        _ => ResumeValue::NotFound,
    }
}

fn raise(kind: ExcType, message: String) -> ResumeValue {
    ResumeValue::Error(MontyException::new(kind, Some(message)))
}

fn call_arguments(args: &CallArgs) -> Result<(Vec<Value>, Map<String, Value>), String> {
    let positional = args.args().map(|value| values::to_json(value, ARGUMENT_BYTES)).collect::<Result<_, _>>();
    let mut keywords = Map::new();
    for (key, value) in args.kwargs() {
        let key = key.as_str().unwrap_or_default().to_owned();
        keywords.insert(key, values::to_json(value, ARGUMENT_BYTES).map_err(|why| format!("an argument: {why}"))?);
    }
    Ok((positional.map_err(|why| format!("an argument: {why}"))?, keywords))
}

fn printer(capture: &Capture) -> impl FnMut(PrintStream, &str) -> PrintFuture + Send + use<> {
    let capture = capture.clone();
    on_print_sync(move |_, text| capture.push(text))
}
