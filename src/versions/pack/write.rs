//! Writing one pack.

use std::{collections::HashSet, fs, io, path::Path};

use git2::{Oid, Repository};

use super::{files::sync_folder, index::PackIndex, order};
use crate::versions::objects as readable;

/// Writes a pack of those of `ids` that can be read, and makes sure of it. `None` when there is none.
pub fn write_pack(repo: &Repository, objects: &Path, ids: &HashSet<Oid>) -> Result<Option<PackIndex>, git2::Error> {
    // From one that was cut off libgit2 never comes back.
    let ids: HashSet<Oid> = ids.iter().copied().filter(|id| readable::check(repo.path(), *id).is_ok()).collect();
    let ordered = order::newest_first(repo, &ids)?;
    if ordered.is_empty() {
        return Ok(None);
    }
    let mut builder = repo.packbuilder()?;
    builder.set_threads(1);
    for (id, name) in ordered {
        builder.insert_object(id, name.as_deref())?;
    }
    let folder = objects.join("pack");
    let io_error = |error: io::Error| git2::Error::from_str(&error.to_string());
    fs::create_dir_all(&folder).map_err(io_error)?;
    // Pack and index are synced before they get their names, because the repository is set so.
    builder.write(&folder, 0)?;
    let name = builder.name()?.map(str::to_owned).unwrap_or_default();
    drop(builder);
    sync_folder(&folder).map_err(io_error)?;
    let index = folder.join(format!("pack-{name}.idx"));
    let pack = PackIndex::open(&index).filter(|_| index.with_extension("pack").is_file());
    pack.map(Some).ok_or_else(|| git2::Error::from_str(&format!("the pack `{}` is not there", index.display())))
}
