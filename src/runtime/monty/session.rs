//! One piece of code being executed: runs to the next host call, pauses into bytes, goes on elsewhere.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use monty_pool::{
    Checkout, MountSpec, MountSpecMode, PoolError, PrintFuture, ReplConfig, ResumeValue, TurnEvent, on_print_sync,
};
use monty_types::{
    CallArgs, ExcType, IMPORT_CALL, MontyException, MontyObject, MontyUuid, NameLookupResult, NamedValues, OsPolicy,
    PrintStream, ResourceLimits, SleepMode,
};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    Monty,
    errors::{self, Origin},
    files::{Change, Folders},
    values::{self, Refusal},
    writes::{self, Judged},
};
use crate::{
    domain::{Rules, seconds::MOST_SECONDS},
    runtime::{
        Bounds, Budget, Capture, Limits, MODULE, Mount, PARAMETERS, Program, PythonError, Reply, RuntimeError, SLEEP,
        Saved, Session, Suspension, TIME_SLEEP, WRITE,
        dialect::{Rewritten, rewrite},
        guarded,
    },
};

/// Host values, as JSON, may be this large on their way out of the sandbox as arguments.
const ARGUMENT_BYTES: usize = 8 * 1024 * 1024;
/// What the interpreter cuts sleeps at: longer than anything waits, so that what is cut is no wait that ever ends.
const LONGEST_SLEEP: Duration = Duration::from_secs(MOST_SECONDS as u64 + 1);

/// What the interpreter does otherwise than Python, and is put right before the code: `round` to digits rounds what a float
/// exactly is, not what it looks like.
const PRELUDE: &str = include_str!("prelude.py");
/// Code without it needs no prelude.
const PRELUDE_NAME: &str = "round";

/// Sleeping for longer is for the host to arrange: nobody has to hold a worker for it.
const SHORT_SLEEP: Duration = Duration::from_secs(1);

/// How the interpreter calls `asyncio.sleep`.
const ASYNC_SLEEP: &str = "system.async_sleep";

/// A dedicated worker. Dropping it kills the worker.
pub struct MontySession {
    checkout: Checkout,
    budget: Arc<Budget>,
    capture: Capture,
    mounts: Vec<MountSpec>,
    /// The same directories, for those who judge what is changed in them.
    granted: Vec<Mount>,
    rules: Arc<Rules>,
    folders: Folders,
    /// The change that a person was asked about, as it will be made.
    asked: Option<(String, CallArgs)>,
    limits: Limits,
    origin: Origin,
    names: &'static [&'static str],
}

impl Monty {
    /// Gets a worker and prepares it.
    pub(super) async fn open_session(&self, bounds: Bounds<'_>) -> Result<Box<dyn Session>, RuntimeError> {
        let Bounds { mounts, rules, limits, capture, budget, interpreter: _ } = bounds;
        let left = budget.deadline.saturating_duration_since(Instant::now());
        let config = ReplConfig {
            limits: Some(
                ResourceLimits::default()
                    .max_feed_duration(left)
                    .max_memory(limits.memory_bytes)
                    .max_suspensions(budget.calls_left().saturating_add(limits.file_calls)),
            ),
            // By default a sleep is silently cut to ten seconds. Here it lasts as long as it says.
            os_policy: OsPolicy { sleep: SleepMode::System(LONGEST_SLEEP), ..OsPolicy::default() },
            ..ReplConfig::default()
        };
        let checkout = self.checkout(&config, &budget).await?;
        let folders = Folders::open(mounts);
        let (granted, mounts) = (mounts.to_vec(), mounts.iter().filter_map(open_mount).collect());
        let names = self.module.names;
        Ok(Box::new(MontySession {
            checkout,
            budget,
            capture,
            mounts,
            granted,
            rules,
            folders,
            asked: None,
            limits,
            origin: Origin::default(),
            names,
        }))
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

impl Session for MontySession {
    fn start<'a>(&'a mut self, program: &'a Program) -> BoxFuture<'a, Result<Suspension, RuntimeError>> {
        Box::pin(async move {
            let Rewritten { source, modules, edits } = rewrite(&program.source, program.is_script());
            self.origin = Origin::of(program, &source, edits);
            if program.source.contains(PRELUDE_NAME) {
                self.define(PRELUDE).await?;
            }
            for (module, wanted) in modules {
                self.define(&module.definition(&wanted)).await?;
            }
            let mut inputs = NamedValues::new();
            inputs.push(PARAMETERS, values::to_python(&program.parameters));
            let mounts = self.mounts.clone();
            let mut print = printer(&self.capture);
            let fed = self.checkout.feed(&*source, inputs, mounts, false, &mut print);
            let event = guarded(&self.budget, fed).await?;
            self.drive(event).await
        })
    }

    fn answer(&mut self, reply: Reply) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        Box::pin(async move {
            let event = match reply {
                Reply::Proceed => self.proceed().await?,
                reply => self.resume(resume_value(reply)).await?,
            };
            self.drive(event).await
        })
    }

    fn promise(&mut self) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        Box::pin(async move {
            let event = self.resume(ResumeValue::Future).await?;
            self.drive(event).await
        })
    }

    fn keep_promises(&mut self, replies: Vec<(u32, Reply)>) -> BoxFuture<'_, Result<Suspension, RuntimeError>> {
        Box::pin(async move {
            let values = replies.into_iter().map(|(call_id, reply)| (call_id, resume_value(reply))).collect();
            let mut print = printer(&self.capture);
            let event = guarded(&self.budget, self.checkout.resume_futures(values, &mut print)).await?;
            self.drive(event).await
        })
    }

    fn save(&mut self, _: usize) -> BoxFuture<'_, Result<Saved, RuntimeError>> {
        let dumped = guarded(&self.budget, self.checkout.dump());
        Box::pin(async move { Ok(Saved { grown: Vec::new(), rest: dumped.await?? }) })
    }

    fn restore<'a>(&'a mut self, program: &'a Program, saved: Vec<u8>) -> BoxFuture<'a, Result<(), RuntimeError>> {
        Box::pin(async move {
            let Rewritten { source, edits, .. } = rewrite(&program.source, program.is_script());
            self.origin = Origin::of(program, &source, edits);
            let mounts = self.mounts.clone();
            let mut print = printer(&self.capture);
            match guarded(&self.budget, self.checkout.restore(saved, mounts, &mut print)).await?? {
                (
                    Some(
                        TurnEvent::FunctionCall { .. }
                        | TurnEvent::ResolveFutures { .. }
                        | TurnEvent::OsCall { system_sleep: Some(_), .. },
                    ),
                    _,
                ) => Ok(()),
                // It waits to be told that it may.
                (Some(TurnEvent::OsCall { function_name, args, .. }), _)
                    if writes::is_change(&function_name, &args) =>
                {
                    self.asked = Some((function_name, args));
                    Ok(())
                }
                _ => Err(RuntimeError::Crashed("the saved state does not wait at a host call".to_owned())),
            }
        })
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Err(error) = self.checkout.finish().await {
                tracing::debug!(%error, "a worker was not reused");
            }
        })
    }
}

impl MontySession {
    /// Executes what is defined before the code.
    async fn define(&mut self, source: &str) -> Result<(), RuntimeError> {
        let mut print = printer(&self.capture);
        let fed = self.checkout.feed(source, NamedValues::new(), Vec::new(), false, &mut print);
        guarded(&self.budget, fed).await??;
        Ok(())
    }

    async fn resume(&mut self, value: ResumeValue) -> Result<Result<TurnEvent, PoolError>, RuntimeError> {
        let mut print = printer(&self.capture);
        guarded(&self.budget, self.checkout.resume(value, &mut print)).await
    }

    /// Answers what needs no decision (imports, files, sleeping) until the code calls a host function or ends.
    async fn drive(&mut self, mut event: Result<TurnEvent, PoolError>) -> Result<Suspension, RuntimeError> {
        loop {
            event = match event {
                Ok(TurnEvent::Complete(value)) => {
                    return match values::to_json(value.as_ref(), "result", self.limits.result_bytes) {
                        Ok(value) => Ok(Suspension::Ended(value)),
                        Err(Refusal::Value(error)) => Ok(Suspension::Raised { error, limit: None }),
                        Err(Refusal::Size(why)) => Err(RuntimeError::Result(why)),
                        Err(Refusal::Depth(why)) => Err(RuntimeError::Nesting(why)),
                    };
                }
                Ok(TurnEvent::FunctionCall {
                    function_name,
                    args,
                    call_id,
                    object_id: None,
                    allow_eager_await: is_awaited,
                    position,
                }) => {
                    let (function, offset) = (function_name, self.origin.offset(position.start as usize));
                    match call_arguments(&function, &args) {
                        Ok((args, kwargs)) => {
                            return Ok(Suspension::Call { function, args, kwargs, offset, call_id, is_awaited });
                        }
                        Err(error) => self.resume(ResumeValue::Error(errors::exception(error))).await?,
                    }
                }
                Ok(TurnEvent::FunctionCall { function_name, .. }) => {
                    let message = format!("`{function_name}` is not a method of this object");
                    self.resume(raise(ExcType::AttributeError, message)).await?
                }
                Ok(TurnEvent::OsCall { function_name, args, .. }) if function_name == IMPORT_CALL => {
                    self.resume(import(&args, self.names)).await?
                }
                Ok(TurnEvent::OsCall { system_sleep: Some(delay), function_name, call_id, position, .. })
                    if function_name == ASYNC_SLEEP =>
                {
                    let offset = self.origin.offset(position.start as usize);
                    let args = vec![Value::from(delay.as_secs_f64())];
                    let (function, kwargs) = (SLEEP.to_owned(), Map::new());
                    return Ok(Suspension::Call { function, args, kwargs, offset, call_id, is_awaited: true });
                }
                Ok(TurnEvent::OsCall { system_sleep: Some(delay), call_id, position, .. }) if delay > SHORT_SLEEP => {
                    let offset = self.origin.offset(position.start as usize);
                    let args = vec![Value::from(delay.as_secs_f64())];
                    let (function, kwargs) = (TIME_SLEEP.to_owned(), Map::new());
                    return Ok(Suspension::Call { function, args, kwargs, offset, call_id, is_awaited: false });
                }
                Ok(TurnEvent::OsCall { system_sleep: Some(delay), .. }) => self.sleep(delay).await?,
                Ok(TurnEvent::OsCall { function_name, args, call_id, position, .. }) => {
                    match writes::judge(&self.rules, &self.granted, &function_name, &args).await {
                        Judged::Free => self.file(&function_name, &args).await?,
                        Judged::Denied(why) => self.resume(raise(ExcType::PermissionError, why)).await?,
                        Judged::Asked(kwargs) => {
                            self.asked = Some((function_name, args));
                            let (function, offset) = (WRITE.to_owned(), self.origin.offset(position.start as usize));
                            let args = Vec::new();
                            return Ok(Suspension::Call { function, args, kwargs, offset, call_id, is_awaited: false });
                        }
                    }
                }
                Ok(TurnEvent::NameLookup { .. }) => {
                    let mut print = printer(&self.capture);
                    let undefined = self.checkout.resume_name_lookup(NameLookupResult::Undefined, &mut print);
                    guarded(&self.budget, undefined).await?
                }
                Ok(TurnEvent::ResolveFutures { pending_call_ids, .. }) => {
                    return Ok(Suspension::Wait { calls: pending_call_ids });
                }
                Err(PoolError::Runtime(exception)) => {
                    let error = errors::python_error(&exception, &self.origin);
                    return Ok(Suspension::Raised { limit: errors::limit_of(&error), error });
                }
                Err(error) => return Err(error.into()),
            };
        }
    }

    async fn sleep(&mut self, delay: Duration) -> Result<Result<TurnEvent, PoolError>, RuntimeError> {
        guarded(&self.budget, tokio::time::sleep(delay)).await?;
        self.resume(ResumeValue::Return(MontyObject::none())).await
    }

    /// Makes the change that was asked about.
    async fn proceed(&mut self) -> Result<Result<TurnEvent, PoolError>, RuntimeError> {
        match self.asked.take() {
            Some((function, args)) => self.file(&function, &args).await,
            None => Err(RuntimeError::Crashed("nobody was asked about a change".to_owned())),
        }
    }

    /// Makes a change where it is of a granted folder in which files may be changed.
    async fn change(&self, change: Change) -> Result<Option<Made>, RuntimeError> {
        let (folders, budget, limits) = (self.folders.clone(), Arc::clone(&self.budget), self.limits);
        let making = tokio::task::spawn_blocking(move || folders.make(&change, &budget, limits));
        guarded(&self.budget, making).await?.map_err(|error| RuntimeError::Crashed(error.to_string()))
    }

    /// Files come from the granted directories; everything else of the operating system is refused.
    async fn file(&mut self, function: &str, args: &CallArgs) -> Result<Result<TurnEvent, PoolError>, RuntimeError> {
        if !self.budget.take_file_call() {
            return self.resume(raise(ExcType::RuntimeError, errors::NO_FILE_CALLS.to_owned())).await;
        }
        if let Some(change) = Change::of(function, args).filter(|_| !self.folders.is_empty())
            && let Some(made) = self.change(change).await?
        {
            return self.resume(made.map_or_else(ResumeValue::Error, ResumeValue::Return)).await;
        }
        let mut print = printer(&self.capture);
        match guarded(&self.budget, self.checkout.resume_from_mounts(&mut print)).await? {
            Ok(Some(event)) => Ok(Ok(event)),
            Ok(None) => self.resume(refuse(function, args)).await,
            Err(error) => Ok(Err(error)),
        }
    }
}

/// A change that was made, or refused.
type Made = Result<MontyObject, MontyException>;

fn resume_value(reply: Reply) -> ResumeValue {
    match reply {
        Reply::Value(value) => ResumeValue::Return(values::to_python(&value)),
        Reply::Instance { class, fields } => ResumeValue::Return(values::to_instance(class, &fields)),
        Reply::Raise(error) => ResumeValue::Error(errors::exception(error)),
        Reply::Proceed => ResumeValue::Return(MontyObject::none()),
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

fn call_arguments(function: &str, args: &CallArgs) -> Result<(Vec<Value>, Map<String, Value>), PythonError> {
    let read = |name: &str, value| {
        values::to_json(value, name, ARGUMENT_BYTES).map_err(|refusal| {
            let PythonError { kind, message, .. } = refusal.into_error();
            PythonError::new(&kind, format!("{function}(): {message}"))
        })
    };
    let positional = args.args().enumerate().map(|(index, value)| read(&format!("argument {}", index + 1), value));
    let positional = positional.collect::<Result<_, _>>()?;
    let mut keywords = Map::new();
    for (key, value) in args.kwargs() {
        let key = key.as_str().unwrap_or_default().to_owned();
        let value = read(&key, value)?;
        keywords.insert(key, value);
    }
    Ok((positional, keywords))
}

fn printer(capture: &Capture) -> impl FnMut(PrintStream, &str) -> PrintFuture + Send + use<> {
    let capture = capture.clone();
    on_print_sync(move |_, text| capture.push(text))
}
