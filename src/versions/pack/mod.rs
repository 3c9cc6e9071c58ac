//! Packing the repository: loose objects go into packs, and small packs into larger ones.
//!
//! The one rule that keeps everything beside this safe, whoever reads or writes meanwhile and wherever it is killed: a file
//! is removed only when a pack that is on the disk, synced with its index and its folder, has each object that is in it.
//! Whether anything refers to an object is not asked, so that of a commit that another process is about to make nothing is
//! lost. Who looks for an object and does not find its file any more looks at the packs again; git and libgit2 both do.

mod files;
mod index;
mod loose;
mod merge;
mod order;
mod rule;
mod write;

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use git2::Oid;

use super::{Versions, VersionsError, repository};
use files::{indexes, pack_files, remove_abandoned};
use write::write_pack;

pub use rule::{HistorySize, PackRule, Packed};

/// Held by the process that packs: two that remove packs at once could each rely on what the other one removes. The system
/// drops it however the process ends.
const LOCK: &str = "repertoire.pack.lock";
/// Objects of one pack that is made at once: what deltas are looked for among is held in memory.
const MOST_AT_ONCE: usize = 20_000;

impl Versions {
    /// Whether there is something to pack. Lists folders, nothing else.
    #[must_use]
    pub fn wants_packing(&self, rule: &PackRule) -> bool {
        let objects = self.objects_folder();
        let small = pack_files(&objects).into_iter().filter(|index| merge::may_be_merged(index));
        loose::count(&objects) >= rule.loose || small.count() > rule.packs
    }

    /// What it takes on the disk.
    #[must_use]
    pub fn size(&self) -> HistorySize {
        let objects = self.objects_folder();
        let loose = loose::list(&objects);
        let packs = pack_files(&objects);
        let length = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        HistorySize {
            loose: loose.len(),
            loose_bytes: loose.iter().map(|object| object.bytes).sum(),
            packs: packs.len(),
            pack_bytes: packs.iter().map(|index| length(index) + length(&index.with_extension("pack"))).sum(),
        }
    }

    /// Packs what is loose, where there is enough of it, and makes fewer packs of many. Takes seconds where there is much;
    /// everything else goes on meanwhile. Nothing is done while another process does so.
    ///
    /// # Errors
    /// [`VersionsError::Git`]. What was done until then stays done.
    pub fn pack(&self, rule: &PackRule) -> Result<Packed, VersionsError> {
        let failed = |error: git2::Error| repository::git_error(self.path(), &error);
        let Some(_lock) = self.lock_packs().map_err(|error| failed(git2::Error::from_str(&error.to_string())))? else {
            return Ok(Packed::default());
        };
        let objects = self.objects_folder();
        remove_abandoned(&objects);
        let mut done = Packed::default();
        // A handle of its own: nobody waits for it, and what it reads leaves no trace in the caches of the other one.
        loop {
            let repo = repository::open_durable(self.path()).map_err(failed)?;
            let mut left = loose::list(&objects);
            left.sort_by_key(|object| object.modified);
            left = loose::without_packed(left, &indexes(&objects));
            if left.is_empty() || left.len() < rule.loose {
                break;
            }
            left.truncate(MOST_AT_ONCE);
            let ids: HashSet<Oid> = left.iter().map(|object| object.id).collect();
            let Some(pack) = write_pack(&repo, &objects, &ids).map_err(failed)? else { break };
            done.made += 1;
            done.objects += loose::remove_packed(&left, &pack);
        }
        let repo = repository::open_durable(self.path()).map_err(failed)?;
        merge::merge(&repo, &objects, rule, &mut done).map_err(failed)?;
        Ok(done)
    }

    /// `None` while another process packs.
    fn lock_packs(&self) -> std::io::Result<Option<File>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(self.path().join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn objects_folder(&self) -> PathBuf {
        self.path().join("objects")
    }
}
