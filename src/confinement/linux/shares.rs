//! What Landlock lets a program reach where it stands alone: it adds and never subtracts, so a folder with something in it
//! that is not to be reached is shared by what else it holds.

use std::{
    fs,
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
};

use landlock::{AccessFs, BitFlags};
use rustix::fs::{FileType, Mode, OFlags};

use crate::confinement::plan::{Place, Walls};

/// Devices that are none. Terminals and shared memory are everybody's where there is no namespace of files.
const DEVICES: [&str; 5] = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
/// What the system says of the machine, and of no process but the program.
const OF_SYSTEM: [&str; 9] = [
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
];

/// A place that is open to the program.
pub struct Share {
    /// It itself, whatever gets its name later.
    pub place: OwnedFd,
    pub is_folder: bool,
    pub access: BitFlags<AccessFs>,
}

/// How somebody may use what they may read, and what they may write.
#[derive(Clone, Copy)]
pub struct Uses {
    pub reading: BitFlags<AccessFs>,
    pub writing: BitFlags<AccessFs>,
}

/// All of them.
pub fn all(walls: &Walls, temporary: &Path, uses: Uses) -> Vec<Share> {
    let mut shares = Shares(Vec::new());
    // Where a device or `/proc/self` leads is the system's word.
    let of_system = DEVICES.map(|device| (device, uses.reading | AccessFs::WriteFile | AccessFs::IoctlDev));
    for (path, access) in of_system.into_iter().chain(OF_SYSTEM.map(|path| (path, uses.reading))) {
        shares.add(&fs::canonicalize(path).unwrap_or_default(), access, &[]);
    }
    shares.add(temporary, uses.writing, &[]);
    let shut = |writable: bool| -> Vec<&Path> {
        let shut = walls.places.iter().filter(|(_, place)| match place {
            Place::Hidden => true,
            Place::Read => writable,
            Place::Write | Place::Empty | Place::Link(_) => false,
        });
        shut.map(|(path, _)| &**path).collect()
    };
    let (unread, unwritten) = (shut(false), shut(true));
    for (path, place) in &walls.places {
        match place {
            Place::Read => shares.add(path, uses.reading, &unread),
            Place::Write => shares.add(path, uses.writing, &unwritten),
            Place::Hidden | Place::Empty | Place::Link(_) => {}
        }
    }
    shares.0
}

struct Shares(Vec<Share>);

impl Shares {
    /// A place without what is `shut` in it: with such, nothing can be shared but what the folder holds now.
    fn add(&mut self, path: &Path, access: BitFlags<AccessFs>, shut: &[&Path]) {
        let inner: Vec<&Path> = shut.iter().copied().filter(|shut| shut.starts_with(path) && *shut != path).collect();
        if inner.is_empty() {
            self.0.extend(share(path, access));
            return;
        }
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            let path = entry.path();
            if !inner.iter().any(|shut| *shut == path) {
                self.add(&path, access, &inner);
            }
        }
    }
}

/// The place itself, if its name leads there and through no link: somebody who may write around it could make one.
fn share(path: &Path, access: BitFlags<AccessFs>) -> Option<Share> {
    let place = rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let real = fs::read_link(format!("/proc/self/fd/{}", place.as_raw_fd())).ok()?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&place).ok()?.st_mode);
    (real == path && kind != FileType::Symlink).then_some(Share {
        place,
        is_folder: kind == FileType::Directory,
        access,
    })
}
