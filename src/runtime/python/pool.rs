//! Processes for sessions: started, some of them ahead, each used once.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::sync::Semaphore;

use super::process::{self, Process};
use crate::runtime::{Budget, Interpreter, RuntimeError, guarded};

/// A process that was started ahead and that nobody wants is ended after this.
const KEPT: Duration = Duration::from_mins(5);

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
    waiting: Mutex<HashMap<Key, Process>>,
    /// Where a program that was named is, by how it was named.
    found: Mutex<HashMap<PathBuf, PathBuf>>,
}

impl Processes {
    /// At most `workers` processes compute at a time. Starts nothing yet.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(workers)), ready: Arc::default() }
    }

    /// A process that has executed nothing yet: one that was started ahead, or a new one. Another is started for the next.
    /// That one has imported what this code does, since it is likely to be for the same.
    pub async fn fresh(
        &self,
        interpreter: &Interpreter,
        imports: Vec<String>,
        budget: &Budget,
    ) -> Result<Process, RuntimeError> {
        let waiting = self.ready.waiting().remove(&key(interpreter));
        let waiting = waiting.and_then(|mut process| process.is_alive().then_some(process));
        let process = if let Some(process) = waiting {
            process
        } else {
            let program = self.program(interpreter, budget).await?;
            guarded(budget, process::start(&program, interpreter, None)).await??
        };
        self.start_ahead(interpreter.clone(), imports);
        Ok(process)
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
        let (ready, known) = (Arc::clone(&self.ready), self.ready.known(&interpreter));
        tokio::spawn(async move {
            if let Some(program) = known
                && let Ok(mut process) = process::start(&program, &interpreter, None).await
                && process.say(&Ahead { imports }).await.is_ok()
            {
                // Only the newest kind is kept: what is used is used again soon.
                let (hash_seed, key) = (process.hash_seed, key(&interpreter));
                {
                    let mut waiting = ready.waiting();
                    waiting.clear();
                    waiting.insert(key.clone(), process);
                }
                tokio::time::sleep(KEPT).await;
                let mut waiting = ready.waiting();
                if waiting.get(&key).is_some_and(|process| process.hash_seed == hash_seed) {
                    waiting.remove(&key);
                }
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
    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Process>> {
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
