//! When packing is worth its while, and what comes of it.

use std::time::Duration;

/// When packing is worth its while.
#[derive(Debug, Clone, Copy)]
pub struct PackRule {
    /// From so many loose objects on.
    pub loose: usize,
    /// From more packs than this on, small ones become one.
    pub packs: usize,
    /// How long packs stay that another pack has made needless: whoever has begun to read them goes on.
    pub grace: Duration,
}

impl Default for PackRule {
    fn default() -> Self {
        Self { loose: 1000, packs: 10, grace: Duration::from_mins(1) }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Packed {
    /// Loose objects that are in a pack now.
    pub objects: usize,
    /// Packs that were made.
    pub made: usize,
    /// Packs that were removed.
    pub removed: usize,
}

/// What the repository takes on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistorySize {
    pub loose: usize,
    pub loose_bytes: u64,
    pub packs: usize,
    pub pack_bytes: u64,
}
