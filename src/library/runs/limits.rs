//! What a run may use up, and what is left of it.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::registry::Active;
use crate::{
    config::Limits,
    runtime::{self, Budget},
};

/// What a tree of runs may use up.
pub fn budget(left: Left, output_bytes: usize, active: &Active) -> Arc<Budget> {
    let deadline = Instant::now() + left.time();
    let budget = Budget::new(deadline, active.cancel.child_token(), left.calls, output_bytes);
    Arc::new(budget.with_files(left.file_calls, left.write_bytes))
}

/// What each session of it may.
pub const fn session_limits(limits: &Limits) -> runtime::Limits {
    runtime::Limits {
        memory_bytes: limits.memory_bytes(),
        result_bytes: limits.result_bytes(),
        file_calls: limits.file_calls,
        write_bytes: limits.write_bytes(),
    }
}

/// What is left of the budget of a whole tree.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Left {
    pub time_ms: u64,
    pub calls: usize,
    /// Operations on files. What was saved before they were counted has all of them.
    #[serde(default = "all_calls")]
    pub file_calls: usize,
    /// Bytes that may be written to files.
    #[serde(default = "all_bytes")]
    pub write_bytes: u64,
}

const fn all_calls() -> usize {
    usize::MAX
}

const fn all_bytes() -> u64 {
    u64::MAX
}

impl Left {
    /// Everything that a run may use up.
    pub const fn all(limits: &Limits) -> Self {
        Self {
            time_ms: limits.seconds.saturating_mul(1000),
            calls: limits.host_calls,
            file_calls: limits.file_calls,
            write_bytes: limits.write_bytes(),
        }
    }

    /// So much time and so many calls, and nothing with files.
    pub fn without_files(time: Duration, calls: usize) -> Self {
        let time_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self { time_ms, calls, file_calls: 0, write_bytes: 0 }
    }

    /// What is left of `budget` now; never so little time that nothing can be done with it.
    pub fn of(budget: &Budget) -> Self {
        let time = budget.deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        Self {
            time_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            calls: budget.calls_left(),
            file_calls: budget.file_calls_left(),
            write_bytes: budget.bytes_left(),
        }
    }

    /// What two frames of a run agree on: they draw on the same budget, and were saved at different times.
    pub fn least(self, other: Self) -> Self {
        Self {
            time_ms: self.time_ms.min(other.time_ms),
            calls: self.calls.min(other.calls),
            file_calls: self.file_calls.min(other.file_calls),
            write_bytes: self.write_bytes.min(other.write_bytes),
        }
    }

    /// The time.
    pub const fn time(self) -> Duration {
        Duration::from_millis(self.time_ms)
    }
}
