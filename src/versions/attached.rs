//! The files that travel with a procedure, in the repository: a folder that is named by its id, so that each version keeps its
//! own and equal ones are there once.

use git2::{FileMode, ObjectType, Oid, Repository, Tree};

use super::{
    Versions, VersionsError,
    bundle::{Attached, MOST_DEPTH},
    objects::{find_blob, find_tree},
};

impl Versions {
    /// The files of a folder, sorted by their paths. What is no file (a link, another repository) is passed over.
    ///
    /// # Errors
    /// [`VersionsError::Unreadable`] when one is gone or damaged.
    pub fn files(&self, id: &str) -> Result<Vec<Attached>, VersionsError> {
        let found = self.with(|repo| {
            let mut files = Vec::new();
            let read = Oid::from_str(id)
                .and_then(|id| find_tree(repo, id))
                .and_then(|tree| collect(repo, &tree, "", MOST_DEPTH, &mut files));
            match read {
                Ok(()) => Ok(Ok(files)),
                Err(error) if super::repository::is_denied(&error) => Err(error),
                Err(error) => Ok(Err(error.message().to_owned())),
            }
        })?;
        let mut files = found.map_err(|why| VersionsError::Unreadable { id: id.to_owned(), why })?;
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }
}

fn collect(
    repo: &Repository,
    tree: &Tree<'_>,
    above: &str,
    depth: usize,
    files: &mut Vec<Attached>,
) -> Result<(), git2::Error> {
    for entry in tree {
        let Ok(name) = entry.name() else { continue };
        let path = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        match entry.kind() {
            Some(ObjectType::Tree) if depth > 0 => {
                collect(repo, &find_tree(repo, entry.id())?, &path, depth - 1, files)?;
            }
            Some(ObjectType::Blob) if entry.filemode() != i32::from(FileMode::Link) => {
                let bytes = find_blob(repo, entry.id())?.content().to_vec();
                files.push(Attached {
                    path,
                    bytes,
                    is_executable: entry.filemode() == i32::from(FileMode::BlobExecutable),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::bundle::{Bundle, write};

    fn file(path: &str, text: &str) -> Attached {
        Attached { path: path.to_owned(), bytes: text.into(), is_executable: path.strip_suffix(".sh").is_some() }
    }

    #[test]
    fn files_come_back_as_they_were_and_git_agrees_on_their_id() {
        let folder = tempfile::tempdir().unwrap();
        let versions = Versions::at(folder.path().to_owned());
        versions.create().unwrap();
        let files = vec![file("a.sh", "x"), file("a/b/c", "y"), file("a-b", ""), file("ab", "\0\u{ff}")];
        let bundle = Bundle::new(files).unwrap();
        let repo = Repository::open_bare(folder.path()).unwrap();
        write(&repo, &bundle).unwrap();
        assert_eq!(versions.files(bundle.id()).unwrap(), bundle.files());
        let mut index = git2::Index::new().unwrap();
        for file in bundle.files() {
            let id = repo.blob(&file.bytes).unwrap();
            let entry = git2::IndexEntry {
                ctime: git2::IndexTime::new(0, 0),
                mtime: git2::IndexTime::new(0, 0),
                dev: 0,
                ino: 0,
                mode: if file.is_executable { 0o100_755 } else { 0o100_644 },
                uid: 0,
                gid: 0,
                file_size: 0,
                id,
                flags: 0,
                flags_extended: 0,
                path: file.path.clone().into_bytes(),
            };
            index.add(&entry).unwrap();
        }
        assert_eq!(index.write_tree_to(&repo).unwrap().to_string(), bundle.id());
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for path in ["../a", "a/../b", "", "/a", "a//b", ".git/config", "a/.GIT/x"] {
            assert!(Bundle::new(vec![file(path, "")]).is_err(), "{path}");
        }
        assert!(Bundle::new(vec![file("a", ""), file("a/b", "")]).is_err());
        assert!(Bundle::new(vec![file("a", ""), file("a", "")]).is_err());
    }
}
