//! The one way in which folders and files of a home are made: for their user alone. What procedures were given and what
//! they found is nobody else's.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Files and folders of a home or of a tenant's stores.
const PARTS: [&str; 9] = [
    "repertoire.db",
    "repertoire.db-wal",
    "repertoire.db-shm",
    "state.key",
    "config.toml",
    "procedures.git",
    "sessions",
    "backups",
    "tenants",
];

/// Makes the folder, and those above it, where they are not there.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a file that must not be there yet.
pub fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file or folder whose rights are not as they should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub path: PathBuf,
    /// Its rights, as `chmod` takes them.
    pub mode: u32,
}

/// What of a home or of a tenant's stores others may read or write.
#[cfg(unix)]
pub fn open_to_others(folder: &Path) -> Vec<Open> {
    use std::os::unix::fs::PermissionsExt as _;
    let backups = fs::read_dir(folder.join("backups")).into_iter().flatten().flatten().map(|entry| entry.path());
    let parts = PARTS.iter().map(|name| folder.join(name));
    let all = std::iter::once(folder.to_owned()).chain(parts).chain(backups);
    let mode = |path: &Path| Some(fs::metadata(path).ok()?.permissions().mode() & 0o7777);
    all.filter_map(|path| mode(&path).map(|mode| Open { path, mode })).filter(|open| open.mode & 0o077 != 0).collect()
}

/// Rights work otherwise here: a folder has those of the one above, which is the user's own.
#[cfg(not(unix))]
pub fn open_to_others(_: &Path) -> Vec<Open> {
    Vec::new()
}

/// Takes away what others may do with a home or with a tenant's stores, as far as it belongs to this user.
pub fn narrow(folder: &Path) {
    for Open { path, mode } in open_to_others(folder) {
        match set_mode(&path, mode & 0o700) {
            Ok(()) => tracing::info!(path = %path.display(), mode = format!("{mode:o}"), "was open to others"),
            Err(error) => tracing::debug!(path = %path.display(), %error, "stays open to others"),
        }
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
