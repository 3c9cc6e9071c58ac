//! What a whole tree of nested procedures may use up, and what it printed.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// Shared by every session of one run and of the runs that it calls.
#[derive(Debug)]
pub struct Budget {
    /// When time is up.
    pub deadline: Instant,
    /// Cancelled when somebody wants the run to stop.
    pub cancel: CancellationToken,
    calls_left: AtomicUsize,
    output_left: AtomicUsize,
    overflow: Notify,
}

impl Budget {
    /// A full budget.
    #[must_use]
    pub fn new(deadline: Instant, cancel: CancellationToken, calls: usize, output_bytes: usize) -> Self {
        Self {
            deadline,
            cancel,
            calls_left: AtomicUsize::new(calls),
            output_left: AtomicUsize::new(output_bytes),
            overflow: Notify::new(),
        }
    }

    /// What is left of it, with another deadline: time that does not count has passed.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        let output = self.output_left.load(Ordering::Relaxed);
        Self::new(deadline, self.cancel.clone(), self.calls_left(), output)
    }

    /// Takes one host call. `false` when none is left.
    pub fn take_call(&self) -> bool {
        self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// How many host calls are left.
    pub fn calls_left(&self) -> usize {
        self.calls_left.load(Ordering::Relaxed)
    }

    /// Returns when more was printed than is allowed.
    pub async fn output_exceeded(&self) {
        self.overflow.notified().await;
    }

    /// Takes up to `wanted` bytes of output; returns how many are granted.
    fn take_output(&self, wanted: usize) -> usize {
        let before = self
            .output_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(wanted)))
            .unwrap_or_default();
        if before < wanted {
            // `notify_one` leaves a permit, so a waiter that comes later is woken as well.
            self.overflow.notify_one();
        }
        before.min(wanted)
    }
}

/// What one run printed and logged, cut where the budget ends.
#[derive(Debug, Clone)]
pub struct Capture {
    text: Arc<Mutex<String>>,
    budget: Arc<Budget>,
}

impl Capture {
    /// An empty capture that draws on `budget`.
    #[must_use]
    pub fn new(budget: Arc<Budget>) -> Self {
        Self { text: Arc::default(), budget }
    }

    /// What was captured before, to be continued with [`Capture::under`] a budget.
    #[must_use]
    pub fn holding(text: String) -> Self {
        let nothing_left = Budget::new(Instant::now(), CancellationToken::new(), 0, 0);
        Self { text: Arc::new(Mutex::new(text)), budget: Arc::new(nothing_left) }
    }

    /// How much was captured, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing was captured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds text, as far as the budget allows.
    pub fn push(&self, text: &str) {
        let mut granted = self.budget.take_output(text.len());
        while !text.is_char_boundary(granted) {
            granted -= 1;
        }
        self.text.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text[..granted]);
    }

    /// The same text, to be continued under another budget.
    #[must_use]
    pub fn under(&self, budget: Arc<Budget>) -> Self {
        Self { text: Arc::clone(&self.text), budget }
    }

    /// Everything so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn budget(calls: usize, output: usize) -> Arc<Budget> {
        Arc::new(Budget::new(Instant::now() + Duration::from_secs(1), CancellationToken::new(), calls, output))
    }

    #[tokio::test]
    async fn output_is_cut_at_a_character_and_reported() {
        let budget = budget(1, 5);
        let (first, second) = (Capture::new(Arc::clone(&budget)), Capture::new(Arc::clone(&budget)));
        first.push("abc");
        second.push("äö");
        assert_eq!((first.text().as_str(), second.text().as_str()), ("abc", "ä"));
        budget.output_exceeded().await;
    }

    #[tokio::test]
    async fn calls_run_out() {
        let budget = budget(2, 0);
        assert!(budget.take_call() && budget.take_call() && !budget.take_call());
    }
}
