//! What is mounted here, and how: what is mounted again may not become freer than that.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use rustix::mount::MountFlags;

/// The mounts of this namespace, in their order.
pub struct Table(Vec<(PathBuf, MountFlags)>);

impl Table {
    pub fn read() -> io::Result<Self> {
        Ok(Self::parse(&fs::read("/proc/self/mountinfo")?))
    }

    fn parse(text: &[u8]) -> Self {
        let lines = text.split(|byte| *byte == b'\n');
        Self(
            lines
                .filter_map(|line| {
                    let mut fields = line.split(|byte| *byte == b' ').skip(4);
                    let path = PathBuf::from(OsString::from_vec(unescaped(fields.next()?)));
                    Some((path, flags(fields.next()?)))
                })
                .collect(),
        )
    }

    /// How the file system is mounted that `path` is in.
    pub fn flags_at(&self, path: &Path) -> MountFlags {
        let mounts = self.0.iter().filter(|(mount, _)| path.starts_with(mount));
        // The last of those that are deepest is on top.
        mounts.max_by_key(|(mount, _)| mount.components().count()).map_or(MountFlags::empty(), |(_, flags)| *flags)
    }

    /// What is mounted below `path`.
    pub fn below(&self, path: &Path) -> impl Iterator<Item = (&Path, MountFlags)> {
        self.0
            .iter()
            .filter(move |(mount, _)| mount != path && mount.starts_with(path))
            .map(|(mount, flags)| (&**mount, *flags))
    }
}

fn flags(options: &[u8]) -> MountFlags {
    let options = options.split(|byte| *byte == b',');
    options.fold(MountFlags::empty(), |flags, option| {
        flags
            | match option {
                b"ro" => MountFlags::RDONLY,
                b"nosuid" => MountFlags::NOSUID,
                b"nodev" => MountFlags::NODEV,
                b"noexec" => MountFlags::NOEXEC,
                b"noatime" => MountFlags::NOATIME,
                b"nodiratime" => MountFlags::NODIRATIME,
                b"relatime" => MountFlags::RELATIME,
                _ => MountFlags::empty(),
            }
    })
}

/// Spaces and their like are three octal digits after a backslash.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| *first == b'\\');
        plain.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read_with_their_names_and_flags() {
        let text = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda rw\n\
                     30 22 0:5 / /a\\040b ro,nosuid,nodev shared:2 - tmpfs x rw\n\
                     31 30 0:6 / /a\\040b/c rw,noexec - tmpfs x rw\n";
        let table = Table::parse(text);
        assert_eq!(table.flags_at(Path::new("/x/y")), MountFlags::RELATIME);
        let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
        assert_eq!(table.flags_at(Path::new("/a b/d")), flags);
        let below: Vec<_> = table.below(Path::new("/a b")).collect();
        assert_eq!(below, [(Path::new("/a b/c"), MountFlags::NOEXEC)]);
    }
}
