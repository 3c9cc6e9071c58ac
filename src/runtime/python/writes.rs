//! What a process and all that it starts write to files: counted while it is there, and limited for the whole run.
//!
//! No wall limits that, so the server looks again and again, and ends what wrote too much.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    launch::WriteMeter,
    runtime::{Budget, RuntimeError},
};

/// How often it is looked; more often where what is left could be written sooner.
const SELDOM: Duration = Duration::from_millis(100);
const OFTEN: Duration = Duration::from_millis(10);
/// So many bytes may be written in a millisecond: about as many as a fast machine takes from one process.
const BYTES_PER_MS: u64 = 2 * 1024 * 1024;

/// What a process writes, taken from the budget of its run as it is seen.
pub struct Writes {
    counted: Option<Arc<Counted>>,
    /// Cancelled when it wrote more than was left.
    exceeded: CancellationToken,
    /// Ends the looking.
    #[expect(dead_code, reason = "it ends that when it is dropped")]
    looking: DropGuard,
}

struct Counted {
    meter: WriteMeter,
    budget: Arc<Budget>,
    /// What was taken from the budget. What ended processes wrote may not be counted any more, and is not given back.
    taken: Mutex<u64>,
}

impl Writes {
    /// Looks, from now on, for as long as this is there. Without a meter there is nothing to see.
    pub fn watch(meter: Option<WriteMeter>, budget: Arc<Budget>) -> Self {
        let counted = meter.map(|meter| Arc::new(Counted { meter, budget, taken: Mutex::default() }));
        let (exceeded, looking) = (CancellationToken::new(), CancellationToken::new());
        if let Some(counted) = counted.clone() {
            let (exceeded, until) = (exceeded.clone(), looking.clone());
            tokio::spawn(async move { until.run_until_cancelled(counted.look_again(exceeded)).await });
        }
        Self { counted, exceeded, looking: looking.drop_guard() }
    }

    /// Returns when more was written than may be.
    pub async fn exceeded(&self) {
        self.exceeded.cancelled().await;
    }

    /// What ended the process, if it was not `error`, but what it wrote.
    pub fn or_limit(&self, error: RuntimeError) -> RuntimeError {
        if self.exceeded.is_cancelled() { RuntimeError::WriteLimit } else { error }
    }

    /// Takes in what the process wrote to its end, while it is still there.
    ///
    /// # Errors
    /// [`RuntimeError::WriteLimit`].
    pub async fn settle(&self) -> Result<(), RuntimeError> {
        match &self.counted {
            Some(counted) if !Arc::clone(counted).take().await => Err(RuntimeError::WriteLimit),
            _ => Ok(()),
        }
    }
}

impl Counted {
    async fn look_again(self: Arc<Self>, exceeded: CancellationToken) {
        loop {
            let soonest = Duration::from_millis(self.budget.bytes_left() / BYTES_PER_MS);
            tokio::time::sleep(soonest.clamp(OFTEN, SELDOM)).await;
            if !Arc::clone(&self).take().await {
                exceeded.cancel();
                let ending = tokio::task::spawn_blocking(move || self.meter.end());
                // Whoever waits for the process ends it as well.
                let _ = ending.await;
                return;
            }
        }
    }

    /// Takes what was written since from the budget; `false` where it has less left.
    async fn take(self: Arc<Self>) -> bool {
        let taking = tokio::task::spawn_blocking(move || {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let written = self.meter.written();
            let new = written.saturating_sub(*taken);
            *taken = (*taken).max(written);
            self.budget.take_written(usize::try_from(new).unwrap_or(usize::MAX))
        });
        // Where nobody could look, nothing was seen.
        taking.await.unwrap_or(true)
    }
}
