//! Reading everything in a history, to find what is damaged. libgit2 compares the hash of each object that it reads.

use std::collections::HashSet;

use git2::{ErrorCode, ObjectType, Oid, Repository, Tree};

use super::{ObjectId, Versions, VersionsError, objects, repository::MAIN};

/// What was read, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    pub commits: usize,
    pub objects: usize,
    pub damage: Vec<Damage>,
}

/// Something that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// A ref, a commit, or the path of a file or folder.
    pub what: String,
    /// The object behind it, where it has one.
    pub object: Option<ObjectId>,
    /// The newest commit that has it.
    pub commit: Option<ObjectId>,
    pub why: String,
    /// Whether it is not there at all.
    pub is_gone: bool,
    /// Whether the newest commit has it.
    pub is_current: bool,
}

impl Damage {
    /// Whether making the history anew changes anything: what is gone from earlier commits is gone.
    #[must_use]
    pub const fn can_be_mended(&self) -> bool {
        self.is_current || !self.is_gone
    }
}

impl Versions {
    /// Reads every object that a ref leads to.
    ///
    /// # Errors
    /// [`VersionsError`] when the repository can't be opened.
    pub fn check(&self) -> Result<Checked, VersionsError> {
        self.with(|repo| {
            let head = repo.refname_to_id(MAIN).ok();
            let mut check = Check { repo, head, seen: HashSet::new(), found: Checked::default() };
            let starts = check.refs()?;
            check.commits(starts);
            Ok(check.found)
        })
    }
}

struct Check<'r> {
    repo: &'r Repository,
    head: Option<Oid>,
    seen: HashSet<Oid>,
    found: Checked,
}

impl Check<'_> {
    fn refs(&mut self) -> Result<Vec<Oid>, git2::Error> {
        let mut starts = Vec::new();
        match self.repo.refname_to_id(MAIN) {
            Ok(id) => starts.push(id),
            Err(error) => self.wrong(MAIN.to_owned(), None, None, error.message(), false),
        }
        // One that can't be read ends the listing.
        for name in self.repo.references()?.names() {
            let Ok(name) = name.map(str::to_owned) else { break };
            match self.repo.refname_to_id(&name) {
                Ok(id) => starts.push(id),
                Err(error) if name != MAIN => self.wrong(name, None, None, error.message(), false),
                Err(_) => {}
            }
        }
        Ok(starts)
    }

    fn commits(&mut self, mut left: Vec<Oid>) {
        left.reverse();
        while let Some(id) = left.pop() {
            if !self.seen.insert(id) {
                continue;
            }
            let Ok(commit) = self.read(id, || format!("commit {id}"), id, ObjectType::Commit) else { continue };
            self.found.commits += 1;
            if let Ok(commit) = self.repo.find_commit(commit) {
                self.tree(commit.tree_id(), id);
                left.extend(commit.parent_ids());
            }
        }
    }

    fn tree(&mut self, root: Oid, commit: Oid) {
        let mut left = vec![(root, String::new())];
        while let Some((id, path)) = left.pop() {
            if !self.seen.insert(id) {
                continue;
            }
            let name = || if path.is_empty() { "the root folder".to_owned() } else { format!("the folder `{path}`") };
            let Ok(Ok(tree)) = self.read(id, name, commit, ObjectType::Tree).map(|id| self.repo.find_tree(id)) else {
                continue;
            };
            self.entries(&tree, &path, commit, &mut left);
        }
    }

    fn entries(&mut self, tree: &Tree<'_>, path: &str, commit: Oid, left: &mut Vec<(Oid, String)>) {
        for entry in tree {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            match entry.kind() {
                Some(ObjectType::Tree) => left.push((entry.id(), path)),
                Some(ObjectType::Blob) if self.seen.insert(entry.id()) => {
                    let _ = self.read(entry.id(), || format!("`{path}`"), commit, ObjectType::Blob);
                }
                _ => {}
            }
        }
    }

    fn read(&mut self, id: Oid, what: impl FnOnce() -> String, commit: Oid, kind: ObjectType) -> Result<Oid, ()> {
        let read = self.repo.odb().and_then(|odb| objects::read(self.repo, &odb, id).map(|object| object.kind()));
        match read {
            Ok(found) if found == kind => {
                self.found.objects += 1;
                return Ok(id);
            }
            Ok(found) => {
                self.wrong(what(), Some(id), Some(commit), &format!("it is a {found}, not a {kind}"), false);
            }
            Err(error) => {
                let is_gone = error.code() == ErrorCode::NotFound;
                self.wrong(what(), Some(id), Some(commit), error.message(), is_gone);
            }
        }
        Err(())
    }

    fn wrong(&mut self, what: String, object: Option<Oid>, commit: Option<Oid>, why: &str, is_gone: bool) {
        self.found.damage.push(Damage {
            what,
            object: object.map(|id| id.to_string()),
            commit: commit.map(|id| id.to_string()),
            why: why.to_owned(),
            is_gone,
            is_current: object.is_none() || commit == self.head,
        });
    }
}
