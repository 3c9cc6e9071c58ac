//! Removing what is too old or too much, by `[retention]` and `[checkpoints]` in `config.toml`.

use std::time::{Duration, Instant};

use crate::{
    config::{Config, Keep},
    library::{Library, LibraryError, now_ms},
    storage::{Kept, StorageError, Sweep},
};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const MIB: i64 = 1 << 20;
/// How long the write lock is held at a time. Others write in between.
const STEP: Duration = Duration::from_millis(4);
/// Whole sweeps are made this often, and sooner where the database has grown.
const INTERVAL: Duration = Duration::from_hours(1);
/// The same, where something could not go yet.
const INTERVAL_OF_RETURN: Duration = Duration::from_secs(3);
/// A kind that is too large is brought below its limit by this share of it, so that the next run does not exceed it again.
const SLACK: i64 = 16;

/// How long one kind is kept.
const fn keep(config: &Config, kind: Kept) -> Keep {
    match kind {
        Kept::Runs => config.retention.runs,
        Kept::Outcomes => config.retention.outcomes,
        Kept::Inbox => config.retention.inbox,
        Kept::Checkpoints => config.checkpoints.keep(),
    }
}

/// The name of a kind in texts.
pub const fn name(kind: Kept) -> &'static str {
    match kind {
        Kept::Runs => "runs",
        Kept::Outcomes => "outcomes",
        Kept::Inbox => "inbox",
        Kept::Checkpoints => "checkpoints",
    }
}

/// Says in the log what was removed.
pub fn tell(kind: Kept, sweep: &Sweep) {
    let Sweep { removed, freed, .. } = sweep;
    if *removed > 0 {
        let kind = name(kind);
        tracing::info!(kind, removed, bytes = freed, "what was too old or too much was removed, as config.toml says");
    }
    if sweep.is_short() && !sweep.comes_back {
        let kind = name(kind);
        tracing::warn!(kind, "what has to stay alone takes more than `max_mib` in config.toml allows");
    }
}

/// Says when sweeps are due.
#[derive(Debug, Default)]
pub struct Due {
    swept: Option<(Instant, u64, Vec<Keep>)>,
    comes_back: bool,
}

impl Due {
    /// Whether they are: an hour after the last ones, when the settings were changed, and when the database is larger than
    /// a limit and has grown.
    pub fn look(&mut self, library: &Library) -> Result<bool, LibraryError> {
        let config = library.config()?;
        let rules: Vec<Keep> = Kept::ALL.into_iter().map(|kind| keep(&config, kind)).collect();
        let used = library.database.space()?.used();
        let is_due = self.swept.as_ref().is_none_or(|(at, then, known)| {
            let limits = rules.iter().map(|rule| rule.max_mib).filter(|limit| *limit > 0);
            let smallest = limits.min().map_or(u64::MAX, |limit| u64::from(limit) << 20);
            let step = (smallest / 32).max(1 << 20);
            let interval = if self.comes_back { INTERVAL_OF_RETURN } else { INTERVAL };
            at.elapsed() > interval || *known != rules || used > smallest && used >= then.saturating_add(step)
        });
        if is_due {
            self.swept = Some((Instant::now(), used, rules));
        }
        Ok(is_due)
    }

    /// Notes what the database takes after the sweeps, and whether something could not go yet.
    pub fn note(&mut self, library: &Library, comes_back: bool) -> Result<(), LibraryError> {
        self.comes_back = comes_back;
        let used = library.database.space()?.used();
        if let Some((_, then, _)) = &mut self.swept {
            *then = used;
        }
        Ok(())
    }
}

/// What would be removed of one kind, or takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// `runs`, `outcomes`, `inbox` or `checkpoints`.
    pub name: &'static str,
    /// What it takes, in bytes.
    pub bytes: u64,
    /// By how much it is above its limit.
    pub excess: u64,
    pub max_mib: u32,
    pub max_age_days: u32,
}

impl Library {
    /// A sweep over one kind as the settings want it, of what is too old, or of what is too much as well; `None` where they
    /// want none.
    pub(super) fn plan_sweep(&self, kind: Kept, by_size: bool) -> Result<Option<Sweep>, LibraryError> {
        let rule = keep(&*self.config()?, kind);
        let before = (rule.max_age_days > 0).then(|| now_ms() - i64::from(rule.max_age_days) * DAY_MS);
        let limit = i64::from(rule.max_mib) * MIB;
        let excess = if by_size && limit > 0 { self.excess_of(kind, limit)? } else { 0 };
        if before.is_none() && excess == 0 {
            return Ok(None);
        }
        Ok(Some(self.database.read(|reader| reader.sweep_of(kind, before, excess))?))
    }

    /// How many bytes the oldest of one kind are to make room for. The file is looked at first: one that is small has
    /// nothing large in it.
    fn excess_of(&self, kind: Kept, limit: i64) -> Result<i64, LibraryError> {
        if i64::try_from(self.database.space()?.used()).is_ok_and(|used| used <= limit) {
            return Ok(0);
        }
        let bytes = self.database.read(|reader| reader.bytes_of(kind))?;
        Ok(if bytes > limit { bytes - limit + limit / SLACK } else { 0 })
    }

    /// The next step of a sweep, and whether there is another one.
    pub(super) fn sweep_step(&self, mut sweep: Sweep) -> Result<(Sweep, bool), LibraryError> {
        let more = self.database.write::<_, StorageError>(|writer| writer.sweep(&mut sweep, STEP))?;
        Ok((sweep, more))
    }

    /// What each kind of data takes, and by how much that is too much.
    ///
    /// # Errors
    /// [`LibraryError`].
    pub fn data_taken(&self) -> Result<Vec<Taken>, LibraryError> {
        let config = self.config()?;
        let taken = self.database.read(|reader| reader.bytes_by_kind())?;
        let taken = taken.into_iter().map(|(kind, bytes)| {
            let Keep { max_age_days, max_mib } = keep(&config, kind);
            let bytes = u64::try_from(bytes).unwrap_or_default();
            let excess = if max_mib == 0 { 0 } else { bytes.saturating_sub(u64::from(max_mib) << 20) };
            Taken { name: name(kind), bytes, excess, max_mib, max_age_days }
        });
        Ok(taken.collect())
    }
}
