//! Which procedures differ between two trees, and what in a tree can't be one.

use std::collections::{BTreeMap, BTreeSet};

use git2::{ObjectType, Oid, Repository, Tree, TreeEntry};

use super::{BrokenFile, RecordedChange, RecordedState, objects};

/// The folder of all procedures in the repository.
pub const ROOT: &str = "procedures";
/// File of the definition in a procedure's folder.
pub const DEFINITION_FILE: &str = "procedure.json";
/// File of the code in a procedure's folder.
pub const CODE_FILE: &str = "procedure.py";
/// File of the packages that the code needs, in a procedure's folder.
pub const LOCK_FILE: &str = "procedure.lock";
/// The folder of what travels with it, in a procedure's folder.
pub const ATTACHED: &str = "files";

/// Larger files are no procedure: reading one must not take the memory of a server.
pub const MAX_FILE_BYTES: usize = 4 << 20;
/// How git marks a link in a tree.
const SYMBOLIC_LINK: i32 = 0o120_000;

/// What a name of a tree leads to, where that is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Folder(Oid),
    Other(&'static str),
}

/// Entries of a tree by name. Names that are not UTF-8 can't be procedures and are passed over.
fn places(tree: Option<&Tree<'_>>) -> BTreeMap<String, Place> {
    let place = |entry: &TreeEntry<'_>| match entry.kind() {
        Some(ObjectType::Tree) => Place::Folder(entry.id()),
        _ => Place::Other(what_it_is(entry)),
    };
    let entries = tree.into_iter().flat_map(Tree::iter);
    entries.filter_map(|entry| Some((entry.name().ok()?.to_owned(), place(&entry)))).collect()
}

fn what_it_is(entry: &TreeEntry<'_>) -> &'static str {
    match entry.kind() {
        Some(ObjectType::Tree) => "is a directory",
        Some(ObjectType::Commit) => "is a submodule",
        _ if entry.filemode() == SYMBOLIC_LINK => "is a symbolic link",
        _ => "is a file",
    }
}

/// The folder `name` of `tree`, when there is one.
pub fn folder<'r>(repo: &'r Repository, tree: Option<&Tree<'_>>, name: &str) -> Result<Option<Tree<'r>>, git2::Error> {
    match tree.and_then(|tree| tree.get_name(name)) {
        Some(entry) if entry.kind() == Some(ObjectType::Tree) => objects::find_tree(repo, entry.id()).map(Some),
        _ => Ok(None),
    }
}

/// What is in the folder of a procedure.
enum Found {
    /// Nothing of one.
    Nothing,
    Procedure(RecordedState),
    Broken(BrokenFile),
}

impl Found {
    fn state(self) -> Option<RecordedState> {
        match self {
            Self::Procedure(state) => Some(state),
            Self::Nothing | Self::Broken(_) => None,
        }
    }
}

/// The file `name` of a procedure's folder: its blob, or why it is none.
fn file(repo: &Repository, folder: &Tree<'_>, name: &str) -> Result<Option<Oid>, String> {
    let Some(entry) = folder.get_name(name) else { return Ok(None) };
    if entry.kind() != Some(ObjectType::Blob) || entry.filemode() == SYMBOLIC_LINK {
        return Err(format!("{}, not a file", what_it_is(&entry)));
    }
    // One that can't be read is found when it is read.
    let size = repo.odb().and_then(|odb| objects::header(repo, &odb, entry.id())).map_or(0, |(size, _)| size);
    if size > MAX_FILE_BYTES {
        return Err(format!("has {size} bytes, at most {MAX_FILE_BYTES} are read"));
    }
    Ok(Some(entry.id()))
}

fn look(repo: &Repository, category: &str, name: &str, folder: Oid) -> Result<Found, git2::Error> {
    let tree = objects::find_tree(repo, folder)?;
    let path = |file: &str| format!("{ROOT}/{category}/{name}/{file}");
    let broken = |file: &str, reason: String| Ok(Found::Broken(BrokenFile { file: path(file), reason }));
    let definition = match file(repo, &tree, DEFINITION_FILE) {
        Ok(definition) => definition,
        Err(reason) => return broken(DEFINITION_FILE, reason),
    };
    let code = match file(repo, &tree, CODE_FILE) {
        Ok(code) => code,
        Err(reason) => return broken(CODE_FILE, reason),
    };
    let lock = match file(repo, &tree, LOCK_FILE) {
        Ok(lock) => lock,
        Err(reason) => return broken(LOCK_FILE, reason),
    };
    match (definition, code) {
        (None, None) => Ok(Found::Nothing),
        (None, Some(_)) => broken(DEFINITION_FILE, format!("is missing, and `{CODE_FILE}` is there")),
        (Some(definition), code) => Ok(Found::Procedure(RecordedState {
            category: category.to_owned(),
            definition: definition.to_string(),
            code: code.map(|code| code.to_string()),
            lock: lock.map(|lock| lock.to_string()),
        })),
    }
}

/// The procedures that `new` has otherwise than `old`, by name. A procedure that moved to another category is one
/// change. Only folders whose object ids differ are read, so the cost follows the size of the change.
pub fn between(
    repo: &Repository,
    old: Option<&Tree<'_>>,
    new: Option<&Tree<'_>>,
) -> Result<Vec<RecordedChange>, git2::Error> {
    let (old_categories, new_categories) = (Categories::of(repo, old)?, Categories::of(repo, new)?);
    let mut names = BTreeSet::new();
    for category in old_categories.names().chain(new_categories.names()) {
        let (before, after) = (old_categories.place(category), new_categories.place(category));
        if before == after {
            continue;
        }
        let (before, after) = (old_categories.entries(repo, category)?, new_categories.entries(repo, category)?);
        // A file in a category's folder is no procedure, unless it is where one was.
        let is_procedure = |entries: &BTreeMap<String, Place>, name: &String| {
            matches!(entries.get(name), Some(Place::Folder(_) | Place::Other("is a submodule")))
        };
        let differing = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
        names.extend(differing.filter(|name| is_procedure(&before, name) || is_procedure(&after, name)).cloned());
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (old_trees, new_trees) = (old_categories.open(repo)?, new_categories.open(repo)?);
    let change = |name: String| {
        let before = in_trees(repo, &old_trees, &name)?.into_iter().find_map(Found::state);
        let mut found = in_trees(repo, &new_trees, &name)?;
        let was_there = before.as_ref().map(|state| state.category.clone());
        let after = match found.len() {
            0 => match was_there.as_deref().and_then(|category| new_categories.other_at(category)) {
                Some(broken) => Found::Broken(broken),
                None => Found::Nothing,
            },
            1 => found.remove(0),
            _ => twice(&new_trees, &name, was_there.as_deref()),
        };
        Ok(match after {
            Found::Broken(broken) => RecordedChange { name, state: None, before, broken: Some(broken) },
            after => RecordedChange { name, state: after.state(), before, broken: None },
        })
    };
    names.into_iter().map(change).collect()
}

/// The folders of categories in a tree.
struct Categories(BTreeMap<String, Place>, Option<&'static str>);

impl Categories {
    fn of(repo: &Repository, tree: Option<&Tree<'_>>) -> Result<Self, git2::Error> {
        let root = folder(repo, tree, ROOT)?;
        let instead = tree.and_then(|tree| tree.get_name(ROOT)).filter(|_| root.is_none());
        Ok(Self(places(root.as_ref()), instead.map(|entry| what_it_is(&entry))))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn place(&self, category: &str) -> Option<Place> {
        self.0.get(category).copied()
    }

    fn entries(&self, repo: &Repository, category: &str) -> Result<BTreeMap<String, Place>, git2::Error> {
        match self.0.get(category) {
            Some(Place::Folder(id)) => Ok(places(Some(&objects::find_tree(repo, *id)?))),
            Some(Place::Other(_)) | None => Ok(BTreeMap::new()),
        }
    }

    fn open<'r>(&self, repo: &'r Repository) -> Result<Vec<(String, Tree<'r>)>, git2::Error> {
        let folders = self.0.iter().filter_map(|(name, place)| match place {
            Place::Folder(id) => Some((name, *id)),
            Place::Other(_) => None,
        });
        folders.map(|(name, id)| Ok((name.clone(), objects::find_tree(repo, id)?))).collect()
    }

    /// What stands where the folder of `category` was, or that of all categories.
    fn other_at(&self, category: &str) -> Option<BrokenFile> {
        if let Some(what) = self.1 {
            return Some(BrokenFile { file: ROOT.to_owned(), reason: format!("{what}, not a folder") });
        }
        match self.0.get(category) {
            Some(Place::Other(what)) => {
                Some(BrokenFile { file: format!("{ROOT}/{category}"), reason: format!("{what}, not a folder") })
            }
            Some(Place::Folder(_)) | None => None,
        }
    }
}

/// What the categories have of a procedure, in their order.
fn in_trees(repo: &Repository, trees: &[(String, Tree<'_>)], name: &str) -> Result<Vec<Found>, git2::Error> {
    let mut found = Vec::new();
    for (category, tree) in trees {
        let Some(entry) = tree.get_name(name) else { continue };
        match entry.kind() {
            Some(ObjectType::Tree) => match look(repo, category, name, entry.id())? {
                Found::Nothing => {}
                something => found.push(something),
            },
            _ => found.push(Found::Broken(BrokenFile {
                file: format!("{ROOT}/{category}/{name}"),
                reason: format!("{}, not a folder", what_it_is(&entry)),
            })),
        }
    }
    Ok(found)
}

/// A name is one procedure. Where it has two folders, the one that came last is said to be wrong.
fn twice(trees: &[(String, Tree<'_>)], name: &str, was_there: Option<&str>) -> Found {
    let places: Vec<&String> =
        trees.iter().filter(|(_, tree)| tree.get_name(name).is_some()).map(|(category, _)| category).collect();
    let first = was_there.filter(|category| places.iter().any(|place| place == category));
    let first = first.or_else(|| places.first().map(|place| place.as_str())).unwrap_or_default();
    let other = places.iter().find(|place| place.as_str() != first).map_or(first, |place| place.as_str());
    Found::Broken(BrokenFile {
        file: format!("{ROOT}/{other}/{name}"),
        reason: format!("is there beside `{ROOT}/{first}/{name}`, and a name is one procedure"),
    })
}
