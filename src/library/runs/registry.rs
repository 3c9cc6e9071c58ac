//! The runs that this process executes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

use crate::library::runs::gate::Asker;

/// How far an executing run has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Host calls that have been answered.
    pub calls: u64,
    /// The steps that are being executed, where the code marks its steps.
    pub steps: BTreeSet<u32>,
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
    /// Who can be asked while it executes.
    pub asker: Option<Arc<dyn Asker>>,
    progress: Arc<Mutex<Progress>>,
    leaving: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
}

impl Active {
    /// A handle whose run can ask somebody.
    #[must_use]
    pub fn with_asker(asker: Option<Arc<dyn Asker>>) -> Self {
        Self { asker, ..Self::default() }
    }

    /// Stops the run because its process ends: it stays open, for another to go on with.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        self.cancel.cancel();
    }

    /// Whether it stops because its process ends.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Stops the run because somebody wants it to end, also where it waits for an answer. A caller that only gave up
    /// cancels it instead: a run that waits then goes on waiting.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.cancel.cancel();
    }

    /// Whether somebody wants it to end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// How far it has come.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub struct Registry {
    active: Mutex<HashMap<String, Active>>,
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

    pub fn leave_all(&self) {
        self.active().values().for_each(Active::leave);
    }

    pub fn is_idle(&self) -> bool {
        self.active().is_empty()
    }

    fn active(&self) -> MutexGuard<'_, HashMap<String, Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
