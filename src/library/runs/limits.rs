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
pub fn budget(time: Duration, calls: usize, output_bytes: usize, active: &Active) -> Arc<Budget> {
    Arc::new(Budget::new(Instant::now() + time, active.cancel.child_token(), calls, output_bytes))
}

/// What each session of it may.
pub const fn session_limits(limits: &Limits) -> runtime::Limits {
    runtime::Limits {
        memory_bytes: limits.memory_bytes(),
        result_bytes: limits.result_bytes(),
        file_calls: limits.file_calls,
    }
}

/// What is left of the budget of a whole tree.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Left {
    pub time_ms: u64,
    pub calls: usize,
}

impl Left {
    /// What is left of `budget` now; never so little time that nothing can be done with it.
    pub fn of(budget: &Budget) -> Self {
        let time = budget.deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        Self { time_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX), calls: budget.calls_left() }
    }

    /// What two frames of a run agree on: they draw on the same budget, and were saved at different times.
    pub fn least(self, other: Self) -> Self {
        Self { time_ms: self.time_ms.min(other.time_ms), calls: self.calls.min(other.calls) }
    }

    /// The time.
    pub const fn time(self) -> Duration {
        Duration::from_millis(self.time_ms)
    }
}
