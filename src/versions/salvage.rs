//! A repository in which objects are damaged is made anew of those that can be read, and of texts that somebody else
//! still has. The damaged one is kept beside it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use git2::{ObjectType, Oid, Repository};

use super::{
    Versions, VersionsError, objects,
    repository::{create, git_error},
};

/// What is worth taking along beside objects and refs.
const TAKEN: [&str; 4] = ["config", "logs", "hooks", "info"];

impl Versions {
    /// Makes the repository anew of what can be read in it and of the blobs with these `texts`, and returns where the
    /// damaged one is now. `main` stays where it was, if that commit can be read.
    ///
    /// # Errors
    /// [`VersionsError::Git`] when that can't be done; nothing was changed then.
    pub fn salvage(&self, texts: &[String], now: i64) -> Result<PathBuf, VersionsError> {
        let path = self.path();
        let (fresh, aside) = (beside(path, "new"), beside(path, &format!("broken-{now}")));
        let failed = |error: io::Error| git_error(path, &git2::Error::from_str(&error.to_string()));
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(failed)?;
        }
        self.with(|old| {
            let new = create(&fresh)?;
            take_packs(old, &new);
            take_objects(old, &new)?;
            for text in texts {
                new.blob(text.as_bytes())?;
            }
            take_refs(old, &new);
            Ok(())
        })?;
        for name in TAKEN {
            if let Err(error) = copy(&path.join(name), &fresh.join(name)) {
                tracing::warn!(%error, name, "a part of the damaged repository was left behind");
            }
        }
        fs::rename(path, &aside).and_then(|()| fs::rename(&fresh, path)).map_err(failed)?;
        Ok(aside)
    }
}

/// A sibling of `path` whose name ends in `.{ending}`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    name.into()
}

/// Whole packs come over as they are, also where their index is gone.
fn take_packs(old: &Repository, new: &Repository) {
    let entries = fs::read_dir(old.path().join("objects/pack")).into_iter().flatten().flatten();
    for pack in entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "pack")) {
        let taken = fs::read(&pack).map_err(|error| git2::Error::from_str(&error.to_string())).and_then(|bytes| {
            let odb = new.odb()?;
            let mut writer = odb.packwriter()?;
            writer.write_all(&bytes).map_err(|error| git2::Error::from_str(&error.to_string()))?;
            writer.commit().map(drop)
        });
        if let Err(error) = taken {
            tracing::warn!(%error, pack = %pack.display(), "a pack is damaged; what can be read in it is taken");
        }
    }
}

fn take_objects(old: &Repository, new: &Repository) -> Result<(), git2::Error> {
    let (old_odb, new_odb) = (old.odb()?, new.odb()?);
    new_odb.refresh()?;
    let mut left = loose(old.path());
    // An error ends the listing of packs; the loose ones are there already.
    let _ = old_odb.foreach(|id| {
        left.push(*id);
        true
    });
    left.sort_unstable();
    left.dedup();
    for id in left {
        if new_odb.exists(id) {
            continue;
        }
        if let Ok(object) = objects::read(old, &old_odb, id)
            && matches!(object.kind(), ObjectType::Commit | ObjectType::Tree | ObjectType::Blob | ObjectType::Tag)
        {
            new_odb.write(object.kind(), object.data())?;
        }
    }
    Ok(())
}

fn loose(repository: &Path) -> Vec<Oid> {
    let folders = fs::read_dir(repository.join("objects")).into_iter().flatten().flatten();
    let files = folders.flat_map(|folder| {
        let start = folder.file_name().to_string_lossy().into_owned();
        let files = fs::read_dir(folder.path()).into_iter().flatten().flatten();
        files.map(move |file| format!("{start}{}", file.file_name().to_string_lossy()))
    });
    files.filter(|name| name.len() == 40).filter_map(|name| Oid::from_str(&name).ok()).collect()
}

fn take_refs(old: &Repository, new: &Repository) {
    let Ok(references) = old.references() else { return };
    for reference in references.flatten() {
        if let (Ok(name), Some(id)) = (reference.name(), reference.target())
            && new.find_object(id, None).is_ok()
            && let Err(error) = new.reference(name, id, true, "repertoire: the repository was made anew")
        {
            tracing::warn!(%error, name, "a ref of the damaged repository was left behind");
        }
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() {
        return fs::copy(from, to).map(drop);
    }
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
