//! The `[checkpoints]` section: how large states may be, and how long they are kept.

use serde::Deserialize;

use super::Keep;

/// A state may be allowed to be this large, and no larger: it is part of one message and one row.
const MAX_STATE_BYTES: usize = 32_000_000;

/// How checkpoints are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checkpoints {
    /// Largest state as JSON.
    pub state_bytes: usize,
    /// Checkpoints that are older are removed; 0 keeps them for ever.
    pub max_age_days: u32,
    /// While all states together take more than this, in MiB and as they are kept, the oldest are removed. Where an open
    /// run goes on is never among them. 0 sets no limit.
    pub max_mib: u32,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self { state_bytes: 1_000_000, max_age_days: 0, max_mib: 1024 }
    }
}

impl Checkpoints {
    /// How long they are kept, and how many.
    #[must_use]
    pub const fn keep(&self) -> Keep {
        Keep { max_age_days: self.max_age_days, max_mib: self.max_mib }
    }

    pub(super) fn check(self) -> Result<Self, String> {
        if (1..=MAX_STATE_BYTES).contains(&self.state_bytes) {
            return Ok(self);
        }
        Err(format!("`checkpoints.state_bytes` is {}; it must be from 1 to {MAX_STATE_BYTES}", self.state_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_that_no_message_can_have_is_refused() {
        for (state_bytes, is_possible) in [(0, false), (1, true), (MAX_STATE_BYTES, true), (MAX_STATE_BYTES + 1, false)]
        {
            let checked = Checkpoints { state_bytes, ..Checkpoints::default() }.check();
            assert_eq!(checked.is_ok(), is_possible, "{state_bytes}");
        }
    }
}
