//! The files that travel with a procedure: a folder of git, named by its id, so that each version keeps its own and equal
//! ones are there once.

use std::collections::BTreeMap;

use git2::{FileMode, ObjectType, Oid, Repository, Tree};

use super::{
    ObjectId, Versions, VersionsError,
    objects::{self, find_blob, find_tree},
};

/// How deep folders are read.
const MOST_DEPTH: usize = 32;

/// A file that travels with a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Where it is in their folder, with `/` between the parts; none is `.` or `..`.
    pub path: String,
    pub bytes: Vec<u8>,
    pub is_executable: bool,
}

/// Files, and the id that their folder has or would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    id: ObjectId,
    files: Vec<Attached>,
}

impl Bundle {
    /// The folder of these files, sorted by their paths.
    ///
    /// # Errors
    /// Which path is none, or stands for a file and a folder.
    pub fn new(mut files: Vec<Attached>) -> Result<Self, String> {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let mut root = Folder::default();
        for file in &files {
            root.add(file)?;
        }
        let mut nothing = |_: ObjectType, _: &[u8]| Ok(());
        let id = root.id(&mut nothing).map_err(|error| error.message().to_owned())?;
        Ok(Self { id: id.to_string(), files })
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub fn files(&self) -> &[Attached] {
        &self.files
    }
}

/// A folder that is being put together.
#[derive(Default)]
struct Folder<'f> {
    files: BTreeMap<&'f str, &'f Attached>,
    folders: BTreeMap<&'f str, Folder<'f>>,
}

impl<'f> Folder<'f> {
    fn add(&mut self, file: &'f Attached) -> Result<(), String> {
        let mut at = self;
        let mut parts: Vec<&str> = file.path.split('/').collect();
        let name = parts.pop().unwrap_or_default();
        let is_name = |part: &&str| {
            !matches!(*part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git") && !part.contains('\0')
        };
        if parts.len() >= MOST_DEPTH || !parts.iter().chain([&name]).all(is_name) {
            return Err(format!("`{}` is no path of a file that can be kept", file.path));
        }
        let twice = || format!("`{}` is there as a file and as a folder", file.path);
        for part in parts {
            if at.files.contains_key(part) {
                return Err(twice());
            }
            at = at.folders.entry(part).or_default();
        }
        if at.folders.contains_key(name) || at.files.insert(name, file).is_some() {
            return Err(twice());
        }
        Ok(())
    }

    /// Its id; each object that it consists of is handed to `write`, those that others name first.
    fn id(&self, write: &mut impl FnMut(ObjectType, &[u8]) -> Result<(), git2::Error>) -> Result<Oid, git2::Error> {
        // Git sorts a folder as if its name ended with `/`.
        let mut entries: BTreeMap<String, (&str, &str, Oid)> = BTreeMap::new();
        for (name, file) in &self.files {
            let mode = if file.is_executable { "100755" } else { "100644" };
            write(ObjectType::Blob, &file.bytes)?;
            entries.insert((*name).to_owned(), (mode, name, Oid::hash_object(ObjectType::Blob, &file.bytes)?));
        }
        for (name, folder) in &self.folders {
            entries.insert(format!("{name}/"), ("40000", name, folder.id(write)?));
        }
        let mut bytes = Vec::new();
        for (mode, name, id) in entries.into_values() {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(id.as_bytes());
        }
        write(ObjectType::Tree, &bytes)?;
        Oid::hash_object(ObjectType::Tree, &bytes)
    }
}

/// Puts the files where a folder can name theirs.
pub fn write(repo: &Repository, bundle: &Bundle) -> Result<(), git2::Error> {
    let mut root = Folder::default();
    for file in &bundle.files {
        root.add(file).map_err(|why| git2::Error::from_str(&why))?;
    }
    let odb = repo.odb()?;
    let mut write = |kind, bytes: &[u8]| {
        let id = Oid::hash_object(kind, bytes)?;
        if !odb.exists(id) {
            objects::written(repo, odb.write(kind, bytes)?);
        }
        Ok(())
    };
    root.id(&mut write).map(drop)
}

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
