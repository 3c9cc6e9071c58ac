//! A whole history as one file: the pack that git itself uses.

use std::{fs, io::Write as _, path::Path};

use git2::{Oid, Repository};

use super::{
    Versions, VersionsError,
    repository::{MAIN, create, git_error, write_durably},
};

impl Versions {
    /// Writes all that `commit` has to a pack.
    ///
    /// # Errors
    /// [`VersionsError::Git`], also when something in the history is damaged.
    pub fn pack_of(&self, commit: &str) -> Result<Vec<u8>, VersionsError> {
        self.with(|repo| {
            let mut walk = repo.revwalk()?;
            walk.push(Oid::from_str(commit)?)?;
            let mut builder = repo.packbuilder()?;
            builder.insert_walk(&mut walk)?;
            let mut bytes = git2::Buf::new();
            builder.write_buf(&mut bytes)?;
            Ok(bytes.to_vec())
        })
    }

    /// Makes the repository anew, with the history up to `commit` that is in a pack.
    ///
    /// # Errors
    /// [`VersionsError`] when there is one already, or the pack is damaged or lacks something.
    pub fn unpack(&self, pack: &[u8], commit: &str) -> Result<(), VersionsError> {
        let path = self.path();
        let fill = |repo: &Repository| {
            let odb = repo.odb()?;
            let mut writer = odb.packwriter()?;
            writer.write_all(pack).map_err(|error| git2::Error::from_str(&error.to_string()))?;
            writer.commit()?;
            odb.refresh()?;
            write_durably(repo)?;
            repo.find_commit(Oid::from_str(commit)?)?;
            repo.reference(MAIN, Oid::from_str(commit)?, false, "repertoire: restored").map(drop)
        };
        create(path).and_then(|repo| fill(&repo)).map_err(|error| git_error(path, &error))?;
        match self.check()?.damage.into_iter().next() {
            None => Ok(()),
            Some(damage) => Err(git_error(path, &git2::Error::from_str(&format!("{}: {}", damage.what, damage.why)))),
        }
    }

    /// Puts the repository at `fresh` in place of this one, which is kept at `aside`.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn replace_with(&self, fresh: &Path, aside: &Path) -> Result<(), VersionsError> {
        let path = self.path();
        let moved = if path.exists() { fs::rename(path, aside) } else { Ok(()) };
        moved
            .and_then(|()| fs::rename(fresh, path))
            .map_err(|error| git_error(path, &git2::Error::from_str(&error.to_string())))
    }
}
