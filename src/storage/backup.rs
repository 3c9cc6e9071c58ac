//! Copies of the database file, made before something that could not be undone otherwise.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rusqlite::OpenFlags;

use super::{connection::connect, error::StorageError, file};

pub(super) const FOLDER: &str = "backups";
const PREFIX: &str = "repertoire-v";
const SUFFIX: &str = ".db";
/// The copy that is being made; the write lock sees to it that there is one.
const PARTIAL: &str = "partial";
/// How many are kept.
const KEPT: usize = 3;

/// Copies the database `path`, whose schema version is `version`, as it was last committed, and removes the oldest of
/// more than three copies. Callers hold the write lock.
pub fn make(path: &Path, version: u32) -> Result<PathBuf, StorageError> {
    let folder = folder(path);
    let time = Timestamp::now().strftime("%Y%m%dT%H%M%S%6fZ");
    let made = folder.join(format!("{PREFIX}{version}-{time}{SUFFIX}"));
    // Under another name until it is whole: a process that is killed meanwhile leaves nothing that looks like a backup.
    let partial = folder.join(PARTIAL);
    let error = |source: Box<dyn std::error::Error + Send + Sync>| StorageError::Backup { path: made.clone(), source };
    make_folder(&folder).map_err(|source| error(source.into()))?;
    copy(path, &partial).map_err(error)?;
    fs::rename(&partial, &made).map_err(|source| error(source.into()))?;
    for old in list(path).iter().skip(KEPT) {
        if let Err(error) = fs::remove_file(old) {
            tracing::warn!(backup = %old.display(), %error, "an old backup can't be removed");
        }
    }
    Ok(made)
}

/// The copies of the database `path`, newest first.
pub fn list(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(path)).into_iter().flatten().flatten();
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (_, time) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
            Some((time.to_owned(), entry.path()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

fn folder(path: &Path) -> PathBuf {
    path.with_file_name(FOLDER)
}

pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    file::copy(&connect(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?, to)
}
