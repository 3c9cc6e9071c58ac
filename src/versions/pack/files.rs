//! The files of packs, and what is left of those that were not finished.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::index::PackIndex;

/// What a process left behind that was killed while it wrote is removed after this time.
const ABANDONED: Duration = Duration::from_mins(10);

/// Makes the names in a folder survive a power cut. Windows has no such thing.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The index files of packs that are whole.
pub fn pack_files(objects: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(objects.join("pack")).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_index = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "idx");
    entries.filter(|path| is_index(path) && path.with_extension("pack").is_file()).collect()
}

pub fn indexes(objects: &Path) -> Vec<PackIndex> {
    pack_files(objects).iter().filter_map(|path| PackIndex::open(path)).collect()
}

/// Removes files that a killed process did not come to name.
pub fn remove_abandoned(objects: &Path) {
    for (folder, prefix) in [(objects.join("pack"), "pack_git2_"), (objects.to_owned(), "tmp_object_git2_")] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix));
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            if is_ours && modified.is_ok_and(|at| is_older(at, ABANDONED)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

pub fn is_older(time: SystemTime, age: Duration) -> bool {
    time.elapsed().is_ok_and(|elapsed| elapsed >= age)
}
