//! Processes for sessions: started, some of them ahead, each used once.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

use super::process::{self, Process};
use crate::runtime::{Budget, Interpreter, RuntimeError, guarded};

/// A process that was started ahead and that nobody wants is ended after this.
const KEPT: Duration = Duration::from_mins(5);

/// How long the next one is not started, so that the answer of the last is out before.
const AFTER: Duration = Duration::from_millis(10);

/// What a process does before it gets a program.
#[derive(Serialize)]
struct Ahead {
    imports: Vec<String>,
}

/// Everything that makes a process what it is.
type Key = String;

fn key(interpreter: &Interpreter) -> Key {
    let Interpreter { program, environment, bounds, gateway, variables, memory_bytes, file_bytes } = interpreter;
    let hosts = gateway.as_ref().map(|(hosts, _)| hosts);
    format!("{:?}", (program, environment, bounds, hosts, variables, memory_bytes, file_bytes))
}

/// Starts processes.
#[derive(Clone)]
pub struct Processes {
    /// Places for processes that compute; one that waits for the host needs none.
    pub places: Arc<Semaphore>,
    ready: Arc<Ready>,
}

/// Processes that were started ahead, by what they were started with.
#[derive(Default)]
struct Ready {
    waiting: Mutex<HashMap<Key, Waiting>>,
    /// Where a program that was named is, by how it was named.
    found: Mutex<HashMap<PathBuf, PathBuf>>,
    started: AtomicU64,
}

/// A process that is started ahead, or will be in a moment.
struct Waiting {
    number: u64,
    /// Told that it is wanted now.
    hurry: Arc<Notify>,
    starting: JoinHandle<Option<Process>>,
}

impl Waiting {
    async fn into_process(mut self) -> Option<Process> {
        self.hurry.notify_one();
        let process = (&mut self.starting).await.ok().flatten();
        process.and_then(|mut process| process.is_alive().then_some(process))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // What was started is dropped with it, and that ends it.
        self.starting.abort();
    }
}

/// The next process, which is started ahead once this one does not compute any more: it would take time from it.
pub struct Next {
    processes: Processes,
    interpreter: Interpreter,
    imports: Vec<String>,
}

impl Next {
    /// Starts it in a moment, or as soon as somebody wants it.
    pub fn start(self) {
        let Self { processes, interpreter, imports } = self;
        processes.start_ahead(interpreter, imports);
    }
}

impl Processes {
    /// At most `workers` processes compute at a time. Starts nothing yet.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(workers)), ready: Arc::default() }
    }

    /// A process that has executed nothing yet: one that was started ahead, or a new one. With it comes what starts another for
    /// the next, if that is not under way. It imports what this code does, since it is likely to be for the same.
    pub async fn fresh(
        &self,
        interpreter: &Interpreter,
        imports: Vec<String>,
        budget: &Budget,
    ) -> Result<(Process, Option<Next>), RuntimeError> {
        let waiting = self.ready.waiting().remove(&key(interpreter));
        let next = Next { processes: self.clone(), interpreter: interpreter.clone(), imports };
        // Where they are wanted faster than they start, two start at a time.
        let next = match &waiting {
            Some(waiting) if !waiting.starting.is_finished() => {
                next.start();
                None
            }
            _ => Some(next),
        };
        let waiting = match waiting {
            Some(waiting) => guarded(budget, waiting.into_process()).await?,
            None => None,
        };
        let process = if let Some(process) = waiting {
            process
        } else {
            let program = self.program(interpreter, budget).await?;
            guarded(budget, process::start(&program, interpreter, None)).await??
        };
        Ok((process, next))
    }

    /// A process whose hashes are those of another, which had `hash_seed`.
    pub async fn like(
        &self,
        interpreter: &Interpreter,
        hash_seed: u32,
        budget: &Budget,
    ) -> Result<Process, RuntimeError> {
        let program = self.program(interpreter, budget).await?;
        guarded(budget, process::start(&program, interpreter, Some(hash_seed))).await?
    }

    /// Ends those that were started ahead.
    pub fn close(&self) {
        self.ready.waiting().clear();
    }

    fn start_ahead(&self, interpreter: Interpreter, imports: Vec<String>) {
        let Some(program) = self.ready.known(&interpreter) else { return };
        let (number, key) = (self.ready.started.fetch_add(1, Ordering::Relaxed), key(&interpreter));
        let hurry = Arc::new(Notify::new());
        let wanted = Arc::clone(&hurry);
        let starting = tokio::spawn(async move {
            let _ = tokio::time::timeout(AFTER, wanted.notified()).await;
            let mut process = process::start(&program, &interpreter, None).await.ok()?;
            process.say(&Ahead { imports }).await.ok()?;
            Some(process)
        });
        {
            let mut waiting = self.ready.waiting();
            // Only the newest kind is kept: what is used is used again soon.
            waiting.clear();
            waiting.insert(key.clone(), Waiting { number, hurry, starting });
        }
        let ready = Arc::clone(&self.ready);
        tokio::spawn(async move {
            tokio::time::sleep(KEPT).await;
            let mut waiting = ready.waiting();
            if waiting.get(&key).is_some_and(|waiting| waiting.number == number) {
                waiting.remove(&key);
            }
        });
    }

    /// The interpreter itself: what is named may be a script that looks for it, each time anew.
    async fn program(&self, interpreter: &Interpreter, budget: &Budget) -> Result<PathBuf, RuntimeError> {
        if let Some(known) = self.ready.known(interpreter) {
            return Ok(known);
        }
        let found = guarded(budget, process::find(interpreter)).await??;
        self.ready.found().insert(interpreter.program.clone(), found.clone());
        Ok(found)
    }
}

impl Ready {
    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, PathBuf>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the program is, if that is known and still so. That of an environment is where it says.
    fn known(&self, interpreter: &Interpreter) -> Option<PathBuf> {
        if interpreter.environment.is_some() {
            return Some(interpreter.program.clone());
        }
        self.found().get(&interpreter.program).filter(|program| program.exists()).cloned()
    }
}
