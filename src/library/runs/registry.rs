//! The runs of this process that are open: executing, or paused.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::frame::Stack;

/// How far an executing run has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Host calls that have been answered.
    pub calls: u64,
    /// The step that is being executed, where the code marks its steps.
    pub step: Option<u32>,
    /// How many steps the procedure has.
    pub steps_total: u32,
    /// What the run is doing.
    pub doing: String,
}

/// A handle on an executing run: to watch it, and to stop it.
#[derive(Clone, Default)]
pub struct Active {
    /// Stops the run.
    pub cancel: CancellationToken,
    progress: Arc<Mutex<Progress>>,
}

impl Active {
    /// How far it has come.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub struct Registry {
    active: Mutex<HashMap<String, Active>>,
    paused: Mutex<HashMap<String, Stack>>,
}

impl Registry {
    pub fn activate(&self, id: &str, active: &Active) {
        self.active().insert(id.to_owned(), active.clone());
    }

    pub fn deactivate(&self, id: &str) {
        self.active().remove(id);
    }

    pub fn find_active(&self, id: &str) -> Option<Active> {
        self.active().get(id).cloned()
    }

    pub fn cancel_all(&self) {
        self.active().values().for_each(|active| active.cancel.cancel());
    }

    pub fn is_idle(&self) -> bool {
        self.active().is_empty()
    }

    pub fn put_paused(&self, id: &str, stack: Stack) {
        self.paused().insert(id.to_owned(), stack);
    }

    pub fn take_paused(&self, id: &str) -> Option<Stack> {
        self.paused().remove(id)
    }

    fn active(&self) -> MutexGuard<'_, HashMap<String, Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paused(&self) -> MutexGuard<'_, HashMap<String, Stack>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
