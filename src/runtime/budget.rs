//! What a whole tree of nested procedures may use up, and what it printed.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::RuntimeError;

/// Shared by every session of one run and of the runs that it calls.
#[derive(Debug)]
pub struct Budget {
    /// When time is up.
    pub deadline: Instant,
    /// Cancelled when somebody wants the run to stop.
    pub cancel: CancellationToken,
    left: Arc<Left>,
}

/// What is left of that which is used up: the same for a tree and for parts of it with less time.
#[derive(Debug)]
struct Left {
    calls: AtomicUsize,
    output: AtomicUsize,
    file_calls: AtomicUsize,
    written: AtomicU64,
    overflow: Notify,
}

impl Budget {
    /// A full budget, for code that has no files.
    #[must_use]
    pub fn new(deadline: Instant, cancel: CancellationToken, calls: usize, output_bytes: usize) -> Self {
        let (calls, output) = (AtomicUsize::new(calls), AtomicUsize::new(output_bytes));
        let (file_calls, written) = (AtomicUsize::new(0), AtomicU64::new(0));
        let left = Left { calls, output, file_calls, written, overflow: Notify::new() };
        Self { deadline, cancel, left: Arc::new(left) }
    }

    /// The same, with so many operations on files and so many bytes to write.
    #[must_use]
    pub fn with_files(self, file_calls: usize, write_bytes: u64) -> Self {
        self.left.file_calls.store(file_calls, Ordering::Relaxed);
        self.left.written.store(write_bytes, Ordering::Relaxed);
        self
    }

    /// The same budget for a part of the tree that has to be done by `deadline`.
    #[must_use]
    pub fn within(&self, deadline: Instant) -> Self {
        Self { deadline: deadline.min(self.deadline), cancel: self.cancel.clone(), left: Arc::clone(&self.left) }
    }

    /// What is left of it, with another deadline: time that does not count has passed.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        let output = self.left.output.load(Ordering::Relaxed);
        Self::new(deadline, self.cancel.clone(), self.calls_left(), output)
            .with_files(self.file_calls_left(), self.bytes_left())
    }

    /// Takes one host call. `false` when none is left.
    pub fn take_call(&self) -> bool {
        self.left.calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// How many host calls are left.
    pub fn calls_left(&self) -> usize {
        self.left.calls.load(Ordering::Relaxed)
    }

    /// Takes one operation on files. `false` when none is left.
    pub fn take_file_call(&self) -> bool {
        self.left.file_calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// How many operations on files are left.
    pub fn file_calls_left(&self) -> usize {
        self.left.file_calls.load(Ordering::Relaxed)
    }

    /// Takes what is to be written to a file. `false`, and nothing is taken, when that is more than is left.
    pub fn take_written(&self, bytes: usize) -> bool {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.left.written.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    /// How many bytes may still be written to files.
    pub fn bytes_left(&self) -> u64 {
        self.left.written.load(Ordering::Relaxed)
    }

    /// Returns when more was printed than is allowed.
    pub async fn output_exceeded(&self) {
        self.left.overflow.notified().await;
    }

    /// Takes up to `wanted` bytes of output; returns how many are granted.
    fn take_output(&self, wanted: usize) -> usize {
        let before = self
            .left
            .output
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(wanted)))
            .unwrap_or_default();
        if before < wanted {
            // `notify_one` leaves a permit, so a waiter that comes later is woken as well.
            self.left.overflow.notify_one();
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

    /// The budget that it draws on.
    #[must_use]
    pub const fn budget(&self) -> &Arc<Budget> {
        &self.budget
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

/// Waits for `work`, but not past the budget's deadline, its output or a cancellation.
///
/// # Errors
/// [`RuntimeError`] that says which.
pub async fn guarded<T>(budget: &Budget, work: impl Future<Output = T>) -> Result<T, RuntimeError> {
    tokio::select! {
        biased;
        value = work => Ok(value),
        () = budget.cancel.cancelled() => Err(RuntimeError::Cancelled),
        () = budget.output_exceeded() => Err(RuntimeError::OutputLimit),
        () = tokio::time::sleep_until(budget.deadline) => Err(RuntimeError::TimeLimit),
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
    async fn a_part_with_less_time_draws_on_the_same() {
        let whole = budget(2, 5);
        let soon = Instant::now();
        let part = Arc::new(whole.within(soon));
        assert_eq!(
            (part.deadline, whole.within(whole.deadline + Duration::from_secs(9)).deadline),
            (soon, whole.deadline)
        );
        assert!(part.take_call() && whole.take_call() && !part.take_call());
        let (one, other) = (Capture::new(Arc::clone(&part)), Capture::new(Arc::clone(&whole)));
        one.push("abc");
        other.push("def");
        assert_eq!(other.text(), "de");
    }

    #[tokio::test]
    async fn what_files_take_runs_out_for_the_whole_tree() {
        let whole = Budget::new(Instant::now(), CancellationToken::new(), 0, 0).with_files(2, 10);
        let part = whole.within(Instant::now());
        assert!(part.take_file_call() && whole.take_file_call() && !part.take_file_call());
        assert!(part.take_written(7) && !whole.take_written(4) && whole.take_written(3) && part.take_written(0));
        assert!(!part.until(Instant::now()).take_written(1));
    }

    #[tokio::test]
    async fn calls_run_out() {
        let budget = budget(2, 0);
        assert!(budget.take_call() && budget.take_call() && !budget.take_call());
    }
}
