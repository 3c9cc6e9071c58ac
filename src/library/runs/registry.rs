//! The runs that this process executes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{domain::RunId, library::runs::gate::Asker};

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
    /// Whether its caller has a way to ask a person at all.
    pub can_be_asked: bool,
    /// Whether a person can be asked for grants that it lacks.
    pub can_grant: bool,
    /// Whether nobody waits for how it ends: that it failed is told in the inbox then.
    pub is_unheard: bool,
    progress: Arc<Mutex<Progress>>,
    begun: Arc<Begun>,
    leaving: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
}

/// The run that is executed, once that is recorded.
#[derive(Default)]
struct Begun {
    id: OnceLock<RunId>,
    told: Notify,
}

impl Active {
    /// The same, whose run can ask somebody, unless nobody is to be asked for now.
    #[must_use]
    pub fn asking(self, asker: Option<Arc<dyn Asker>>) -> Self {
        Self { asker, can_be_asked: true, can_grant: true, ..self }
    }

    /// A handle whose run waits for grants that it lacks, or doesn't.
    #[must_use]
    pub fn granting(can_grant: bool) -> Self {
        Self { can_grant, ..Self::default() }
    }

    /// A handle whose run nobody waits for.
    #[must_use]
    pub fn unheard() -> Self {
        Self { is_unheard: true, ..Self::default() }
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

    /// Notes which run it is a handle of. What is recorded outlives whoever waits for it.
    pub(in crate::library) fn begin(&self, id: &str) {
        if self.begun.id.set(id.to_owned()).is_ok() {
            self.begun.told.notify_waiters();
        }
    }

    /// The run that it is a handle of, as soon as that is recorded.
    pub async fn begun(&self) -> RunId {
        loop {
            let told = self.begun.told.notified();
            if let Some(id) = self.begun.id.get() {
                return id.clone();
            }
            told.await;
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub struct Registry(Mutex<Runs>);

#[derive(Default)]
struct Runs {
    active: HashMap<String, Active>,
    /// Whether somebody looks which of them others want to end.
    are_watched: bool,
}

impl Registry {
    /// Whether somebody has to begin to look which runs others want to end, until [`Self::rests`].
    pub fn activate(&self, id: &str, active: &Active) -> bool {
        let mut runs = self.runs();
        runs.active.insert(id.to_owned(), active.clone());
        !std::mem::replace(&mut runs.are_watched, true)
    }

    pub fn deactivate(&self, id: &str) {
        self.runs().active.remove(id);
    }

    pub fn find_active(&self, id: &str) -> Option<Active> {
        self.runs().active.get(id).cloned()
    }

    pub fn leave_all(&self) {
        self.runs().active.values().for_each(Active::leave);
    }

    pub fn is_idle(&self) -> bool {
        self.runs().active.is_empty()
    }

    /// Whether nothing is executed; then nobody looks any more.
    pub fn rests(&self) -> bool {
        let mut runs = self.runs();
        runs.are_watched = !runs.active.is_empty();
        !runs.are_watched
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
