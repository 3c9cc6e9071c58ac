//! Objects that are files of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use git2::Oid;

use super::index::PackIndex;

/// One such object.
pub struct LooseObject {
    pub id: Oid,
    pub path: PathBuf,
    pub bytes: u64,
    pub modified: SystemTime,
}

/// The folders `00` to `ff`, as far as they are there.
fn folders(objects: &Path) -> impl Iterator<Item = (String, fs::ReadDir)> + '_ {
    (0..=u8::MAX).filter_map(|first| {
        let name = format!("{first:02x}");
        let folder = fs::read_dir(objects.join(&name)).ok()?;
        Some((name, folder))
    })
}

/// How many there are.
pub fn count(objects: &Path) -> usize {
    folders(objects).map(|(_, folder)| folder.count()).sum()
}

/// All of them. What has no name of an object, such as one that is being written, is none.
pub fn list(objects: &Path) -> Vec<LooseObject> {
    let in_folder = |(first, folder): (String, fs::ReadDir)| {
        folder.flatten().filter_map(move |entry| {
            let name = format!("{first}{}", entry.file_name().to_str()?);
            let id = Oid::from_str(&name).ok().filter(|_| name.len() == 40)?;
            let metadata = entry.metadata().ok()?;
            Some(LooseObject { id, path: entry.path(), bytes: metadata.len(), modified: metadata.modified().ok()? })
        })
    };
    folders(objects).flat_map(in_folder).collect()
}

/// Removes those that a pack has, as a process leaves them that is killed after packing; gives the others.
pub fn without_packed(objects: Vec<LooseObject>, packs: &[PackIndex]) -> Vec<LooseObject> {
    let is_loose = |object: &LooseObject| {
        let is_packed = packs.iter().any(|pack| pack.has(object.id));
        !(is_packed && fs::remove_file(&object.path).is_ok())
    };
    objects.into_iter().filter(is_loose).collect()
}

/// Removes those that `pack` has; gives how many that were.
pub fn remove_packed(objects: &[LooseObject], pack: &PackIndex) -> usize {
    objects.iter().filter(|object| pack.has(object.id) && fs::remove_file(&object.path).is_ok()).count()
}
