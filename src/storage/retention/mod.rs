//! What is kept only so long, and only so much of: how much there is of it, and removing the oldest in small steps.
//!
//! Totals are not among it: what runs add up to stays when they go.

mod checkpoints;
mod inbox;
mod outcomes;
mod runs;
mod sweep;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use super::{Reader, StorageError, Writer};

pub use sweep::{Kept, Sweep};

impl Reader<'_> {
    /// About how many bytes one kind takes on the disk. Reads all of it, though not the long texts.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn bytes_of(&self, kind: Kept) -> Result<i64, StorageError> {
        let sql = match kind {
            Kept::Runs => return self.bytes_of_runs(),
            Kept::Outcomes => format!("SELECT coalesce(sum({}), 0) FROM workflow_outcomes", outcomes::BYTES),
            Kept::Inbox => format!("SELECT coalesce(sum({}), 0) FROM inbox", inbox::BYTES),
            Kept::Checkpoints => format!("SELECT coalesce(sum({}), 0) FROM checkpoints", checkpoints::BYTES),
        };
        Ok(self.0.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }

    /// A sweep that removes what ended before `before`, and the oldest until `excess` bytes are freed.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn sweep_of(&self, kind: Kept, before: Option<i64>, excess: i64) -> Result<Sweep, StorageError> {
        let evidence = match kind {
            Kept::Runs => self.evidence(runs::SHOWN_AS_EVIDENCE)?,
            Kept::Outcomes => self.evidence(outcomes::LEARNED_FROM)?,
            Kept::Inbox | Kept::Checkpoints => HashSet::new(),
        };
        Ok(Sweep::new(kind, before, excess, evidence))
    }

    /// The newest `most` runs that speak for each lesson which waits or was approved.
    fn evidence(&self, most: u32) -> Result<HashSet<String>, StorageError> {
        let mut statement =
            self.0.prepare_cached("SELECT user, pattern FROM candidates WHERE status IN ('candidate', 'active')")?;
        let lessons = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut runs = HashSet::new();
        for lesson in lessons {
            let (user, pattern) = lesson?;
            runs.extend(self.runs_with_pattern(&user, &pattern, most)?);
        }
        Ok(runs)
    }
}

impl Writer<'_> {
    /// The next step of a sweep, which takes about as long as `most`; `false` when there is nothing more to remove.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn sweep(&self, sweep: &mut Sweep, most: Duration) -> Result<bool, StorageError> {
        let until = Instant::now() + most;
        match sweep.kind {
            Kept::Runs => self.sweep_runs(sweep, until),
            Kept::Outcomes => self.sweep_outcomes(sweep, until),
            Kept::Inbox => self.sweep_inbox(sweep, until),
            Kept::Checkpoints => self.sweep_checkpoints(sweep, until),
        }
    }
}
