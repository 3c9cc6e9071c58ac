//! The room that the stores take on the disk: the log of the database, its free pages, and the history.

use std::time::{Duration, Instant};

use super::retention::Taken;
use crate::{
    library::{Library, LibraryError},
    runtime::Environments,
    storage::{Space, StorageError},
    versions::{HistorySize, PackRule, Packed},
};

/// A log that is larger is cut off at once; readers that hold it back are tried again.
const LARGEST_LOG: u64 = 6 << 20;
/// A log that nothing was written to since the last look is cut off when it is larger than this.
const IDLE_LOG: u64 = 1 << 20;
/// The folders of the history are listed this often at most.
const HISTORY_INTERVAL: Duration = Duration::from_secs(10);
/// So many times what is worth packing, it is packed while changes come.
const FAR_TOO_MUCH: usize = 10;
/// Free room in the database that is left for what comes next: a quarter of it, or this much.
const ROOM: u64 = 16 << 20;
/// Pages that are given back at once.
const PAGES: u32 = 256;

/// What the stores take on the disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Taking {
    pub database: Space,
    pub history: HistorySize,
    /// By kind of data.
    pub data: Vec<Taken>,
}

/// What was done at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidied {
    /// How many were removed of each kind of data.
    pub removed: Vec<(&'static str, usize)>,
    pub objects_packed: usize,
    /// Packages that no procedure had used for long.
    pub environments: Environments,
}

/// What the log was at the last look.
#[derive(Debug, Default)]
pub struct LogWatch {
    bytes: u64,
}

impl LogWatch {
    /// Cuts the log of the database back where it is large, or nobody writes to it.
    pub fn look(&mut self, library: &Library) -> Result<(), LibraryError> {
        let bytes = library.database.log_bytes();
        let is_idle = bytes == self.bytes;
        if bytes > LARGEST_LOG || bytes > IDLE_LOG && is_idle {
            let is_cut = library.database.cut_log()?;
            tracing::debug!(bytes, is_cut, "the log of the database was to be cut back");
        }
        self.bytes = library.database.log_bytes();
        Ok(())
    }
}

/// What the history was at the last look.
#[derive(Debug, Default)]
pub struct HistoryWatch {
    seen: Option<(Instant, Option<String>)>,
    /// Whether the history has changed since it was last compared with the rule.
    is_due: bool,
}

impl HistoryWatch {
    /// Whether the history is to be packed. Its folders are listed only where it has changed, and as long as it goes on
    /// changing it is packed only where there is far too much: whoever changes it would wait for the disk.
    pub fn look(&mut self, library: &Library) -> Result<bool, LibraryError> {
        if self.seen.as_ref().is_some_and(|(at, _)| at.elapsed() < HISTORY_INTERVAL) {
            return Ok(false);
        }
        let head = library.versions.head()?;
        let has_changed = self.seen.as_ref().is_none_or(|(_, seen)| *seen != head);
        self.seen = Some((Instant::now(), head));
        if !has_changed && !std::mem::take(&mut self.is_due) {
            return Ok(false);
        }
        self.is_due = has_changed;
        let rule = PackRule::default();
        let rule = if has_changed { PackRule { loose: rule.loose * FAR_TOO_MUCH, ..rule } } else { rule };
        Ok(library.versions.wants_packing(&rule))
    }

    /// Has the next look list the folders, changed or not: packs that became needless are removed later.
    pub fn look_again(&mut self) {
        self.seen = Some((Instant::now(), None));
    }
}

impl Library {
    /// What the stores take on the disk, and what of it is too much.
    ///
    /// # Errors
    /// [`LibraryError`].
    pub fn taking(&self) -> Result<Taking, LibraryError> {
        Ok(Taking { database: self.database.space()?, history: self.versions.size(), data: self.data_taken()? })
    }

    pub(super) fn pack_history(&self, rule: &PackRule) -> Result<Packed, LibraryError> {
        let packed = self.versions.pack(rule)?;
        if packed != Packed::default() {
            let Packed { objects, made, removed } = packed;
            tracing::info!(objects, made, removed, "the procedure history was packed");
        }
        Ok(packed)
    }

    /// Whether finding procedures by words has become slower than it needs to be.
    pub(super) fn is_search_scattered(&self) -> Result<bool, LibraryError> {
        Ok(self.database.read(|reader| reader.is_search_scattered())?)
    }

    /// The next step of mending that; `false` when it is done.
    pub(super) fn condense_search_step(&self, is_first: bool) -> Result<bool, LibraryError> {
        Ok(self.database.write::<_, StorageError>(|writer| writer.condense_search(is_first))?)
    }

    /// Gives some free pages of the database back to the system, where there are many, or `all` are to go; `false` when
    /// that is done.
    pub(super) fn give_back_step(&self, all: bool) -> Result<bool, LibraryError> {
        let space = self.database.space()?;
        let room = if all { 0 } else { ROOM.max(space.file / 4) };
        if !space.gives_back || space.free <= room {
            return Ok(false);
        }
        self.database.write::<_, StorageError>(|writer| writer.give_back(PAGES))?;
        Ok(self.database.space()?.free < space.free)
    }
}
