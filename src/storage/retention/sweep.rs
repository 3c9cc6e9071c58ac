//! A walk over one kind of data: what it wants, and how far it has come.

use std::collections::HashSet;

/// A kind of data that would grow for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Runs with their host calls, decisions, saved states and checkpoints.
    Runs,
    /// How runs ended, which lessons are made of.
    Outcomes,
    Inbox,
    Checkpoints,
}

impl Kept {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Runs, Self::Outcomes, Self::Inbox, Self::Checkpoints];
}

/// A walk over one kind, oldest first, that removes what may go. Each step holds the write lock for a moment only.
#[derive(Debug, Clone)]
pub struct Sweep {
    pub(super) kind: Kept,
    /// What ended before goes; milliseconds since 1970.
    pub(super) before: Option<i64>,
    /// Bytes that the oldest must make room for.
    pub(super) excess: i64,
    /// How far it has come, by the key of the kind.
    pub(super) after_run: String,
    pub(super) after_row: i64,
    /// Runs that are named as evidence of a lesson.
    pub(super) evidence: HashSet<String>,
    /// Whether what nobody has acknowledged goes as well, where it asks for nothing.
    pub(super) takes_unread: bool,
    /// Whether something would have gone but for what will be done with it in a moment: it is worth coming back.
    pub comes_back: bool,
    /// How many were removed.
    pub removed: usize,
    /// The bytes that they took.
    pub freed: i64,
}

impl Sweep {
    pub(super) const fn new(kind: Kept, before: Option<i64>, excess: i64, evidence: HashSet<String>) -> Self {
        Self {
            kind,
            before,
            excess,
            after_run: String::new(),
            after_row: 0,
            evidence,
            takes_unread: false,
            comes_back: false,
            removed: 0,
            freed: 0,
        }
    }

    /// Whether nothing from `time` on is to go.
    pub(super) fn is_done_at(&self, time: i64) -> bool {
        self.excess <= self.freed && self.before.is_none_or(|before| time >= before)
    }

    /// Whether something that ended at `time` is to go.
    pub(super) fn wants(&self, time: i64) -> bool {
        self.excess > self.freed || self.before.is_some_and(|before| time < before)
    }

    /// Whether what has to stay takes more than it should.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.excess > self.freed
    }

    pub(super) fn count(&mut self, bytes: i64) {
        self.removed += 1;
        self.freed += bytes;
    }
}
