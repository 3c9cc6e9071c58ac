//! How much a program and all that it started wrote to files, as the system counts it.
//!
//! On Linux, which alone tells that, in `/proc/<process>/io`. What an ended process wrote is counted for whoever took leave of
//! it. So that nothing is missing that way, the launcher does so for all that nobody else does; what a process has the system
//! itself take leave of (`SIGCHLD` ignored) is counted as long as it lives.

#[cfg(target_os = "linux")]
use std::{fs, path::Path};
use std::{path::PathBuf, sync::Arc};

/// Tells how much a program that was started wrote, with all that this started.
#[derive(Debug, Clone)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux counts"))]
pub struct WriteMeter {
    /// The launcher.
    process: u32,
    /// When that was started: its number is given out again.
    started_at: Option<String>,
    /// Where the program writes.
    places: Arc<[PathBuf]>,
}

#[cfg(not(target_os = "linux"))]
impl WriteMeter {
    pub(super) fn of(_: u32, _: Vec<PathBuf>) -> Option<Self> {
        None
    }

    /// Nothing, here.
    #[must_use]
    pub const fn written(&self) -> u64 {
        0
    }

    /// Nothing, here.
    pub const fn end(&self) {}
}

#[cfg(target_os = "linux")]
impl WriteMeter {
    pub(super) fn of(process: u32, places: Vec<PathBuf>) -> Option<Self> {
        Path::new("/proc/self/io").exists().then(|| {
            let started_at = super::tree::started_at(process);
            Self { process, started_at, places: places.into() }
        })
    }

    /// How many bytes those that live wrote, and those that they took leave of: in whole pages of memory, once until the system
    /// has put them on a disk. Where a place is on no disk, all that was written counts, to pipes and connections too.
    #[must_use]
    pub fn written(&self) -> u64 {
        let field = if self.places.iter().any(|place| is_uncounted(place)) { "wchar:" } else { "write_bytes:" };
        super::tree::below(self.process).into_iter().filter_map(|process| counted(process, field)).sum()
    }

    /// Ends all that the launcher started.
    pub fn end(&self) {
        if super::tree::started_at(self.process) == self.started_at {
            super::tree::end_below(self.process);
        }
    }
}

#[cfg(target_os = "linux")]
fn counted(process: u32, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(field))?.trim().parse().ok()
}

/// Whether what is written there is not counted as going to a disk: it goes to memory, or to another program.
#[cfg(target_os = "linux")]
fn is_uncounted(place: &Path) -> bool {
    /// Of `tmpfs`, `ramfs` and FUSE.
    const KINDS: [u32; 3] = [0x0102_1994, 0x8584_58f6, 0x6573_5546];
    rustix::fs::statfs(place).is_ok_and(|found| KINDS.iter().any(|kind| i128::from(found.f_type) == i128::from(*kind)))
}
