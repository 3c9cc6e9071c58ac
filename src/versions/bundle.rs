//! The files that travel with a procedure, and the id that git gives their folder.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Repository};

use super::objects;

/// How deep folders are read.
pub const MOST_DEPTH: usize = 32;

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
    id: String,
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
    for file in bundle.files() {
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
