//! The root of a confined program: an empty one, and in it what the program may see.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use rustix::{
    mount::{
        MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change, mount_remount,
        unmount,
    },
    process::pivot_root,
};

use super::table::Table;
use crate::confinement::{
    Layer,
    confined::{ROOT, TEMPORARY},
    plan::{Place, Walls},
};

/// Devices that are none.
const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];
const DEVICE_LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];
/// What is left of a file that is hidden.
const NOTHING: &str = ".hidden";

/// Makes it in the private `folder`, and goes there.
pub fn build(walls: &Walls, folder: &Path) -> io::Result<()> {
    let new = New { root: folder.join(ROOT), table: Table::read()? };
    // Nothing of this is to be seen outside.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    mount("tmpfs", &new.root, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=755,size=16m")?;
    File::create(new.root.join(NOTHING))?.set_permissions(fs::Permissions::from_mode(0o000))?;
    new.temporary(walls, folder)?;
    let mut hidden = Vec::new();
    for (path, place) in &walls.places {
        let at = |error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display()));
        match place {
            Place::Read => new.show(path, false).map_err(at)?,
            Place::Write => new.show(path, true).map_err(at)?,
            Place::Hidden => hidden.extend(new.hide(path).map_err(at)?),
            Place::Empty => drop(new.make_place(path, true).map_err(at)?),
            Place::Link(target) => new.link(path, target).map_err(at)?,
        }
    }
    for pin in &walls.pins {
        let at = |error: io::Error| io::Error::new(error.kind(), format!("`{}`: {error}", pin.path.display()));
        new.bind(&new.place(&pin.path), &pin.path, pin.writable).map_err(at)?;
    }
    new.devices()?;
    new.processes(walls)?;
    for path in hidden {
        mount_remount(path, MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV, c"")?;
    }
    new.enter()
}

struct New {
    root: PathBuf,
    table: Table,
}

impl New {
    /// Where something will be that is at `path` outside.
    fn place(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Something to mount on, if it is not there.
    fn make_place(&self, path: &Path, is_folder: bool) -> io::Result<PathBuf> {
        let place = self.place(path);
        if place.symlink_metadata().is_err() {
            if is_folder {
                fs::create_dir_all(&place)?;
            } else {
                fs::create_dir_all(place.parent().unwrap_or(&place))?;
                File::create(&place)?;
            }
        }
        Ok(place)
    }

    fn show(&self, path: &Path, writable: bool) -> io::Result<()> {
        self.make_place(path, path.is_dir())?;
        self.bind(path, path, writable)
    }

    /// Mounts `source` at the place of `path`, and everything that is mounted in it; never freer than it is.
    fn bind(&self, source: &Path, path: &Path, writable: bool) -> io::Result<()> {
        let place = self.place(path);
        mount_bind_recursive(source, &place)?;
        let more = if writable { MountFlags::empty() } else { MountFlags::RDONLY };
        let more = more | MountFlags::BIND | MountFlags::NOSUID | MountFlags::NODEV;
        mount_remount(&place, self.table.flags_at(path) | more, c"")?;
        for (inner, flags) in self.table.below(path) {
            // What is mounted over, or cannot be seen, is not there.
            let inner = self.place(inner);
            if inner.symlink_metadata().is_ok() {
                mount_remount(&inner, flags | more, c"")
                    .or_else(|error| if error == rustix::io::Errno::INVAL { Ok(()) } else { Err(error) })?;
            }
        }
        Ok(())
    }

    /// What is at `path` is not to be seen: an empty folder that is still to be closed, or a file that can't be opened.
    fn hide(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let place = self.place(path);
        if !path.is_dir() {
            mount_bind_recursive(self.root.join(NOTHING), &place)?;
            return Ok(None);
        }
        mount("tmpfs", &place, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=755,size=64k")?;
        Ok(Some(place))
    }

    fn link(&self, path: &Path, target: &Path) -> io::Result<()> {
        let place = self.place(path);
        fs::create_dir_all(place.parent().unwrap_or(&place))?;
        symlink(target, place)
    }

    fn temporary(&self, walls: &Walls, folder: &Path) -> io::Result<()> {
        let place = self.make_place(&walls.temporary, true)?;
        mount_bind_recursive(folder.join(TEMPORARY), &place)?;
        let flags = self.table.flags_at(folder) | MountFlags::BIND | MountFlags::NOSUID | MountFlags::NODEV;
        mount_remount(&place, flags, c"")?;
        fs::create_dir_all(self.root.join("run"))?;
        self.link(Path::new("/var/tmp"), &walls.temporary)
    }

    fn devices(&self) -> io::Result<()> {
        for name in DEVICES {
            let device = Path::new("/dev").join(name);
            mount_bind_recursive(&device, self.make_place(&device, false)?)?;
        }
        for (name, target) in DEVICE_LINKS {
            self.link(&Path::new("/dev").join(name), Path::new(target))?;
        }
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
        let shared = self.make_place(Path::new("/dev/shm"), true)?;
        mount("tmpfs", shared, "tmpfs", flags | MountFlags::NODEV, c"mode=1777,size=256m")?;
        let terminals = self.make_place(Path::new("/dev/pts"), true)?;
        mount("devpts", terminals, "devpts", flags, c"newinstance,ptmxmode=0666,mode=0600")?;
        Ok(())
    }

    /// The processes of the new namespace; nothing can be set there afterwards.
    fn processes(&self, walls: &Walls) -> io::Result<()> {
        let place = self.make_place(Path::new("/proc"), true)?;
        if walls.bounds.without.contains(&Layer::Processes) {
            return Ok(mount_bind_recursive("/proc", place)?);
        }
        let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        mount("proc", &place, "proc", flags, None)?;
        if !walls.bounds.without.contains(&Layer::Limits) {
            super::limits::of_namespace(&place, walls.bounds.limits);
        }
        mount_remount(&place, flags | MountFlags::BIND | MountFlags::RDONLY, c"")?;
        Ok(())
    }

    fn enter(&self) -> io::Result<()> {
        std::env::set_current_dir(&self.root)?;
        pivot_root(".", ".")?;
        unmount(".", UnmountFlags::DETACH)?;
        std::env::set_current_dir("/")?;
        mount_remount("/", MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV, c"")?;
        Ok(())
    }
}
