//! Which procedures differ between two trees.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Repository, Tree};

use super::{RecordedChange, RecordedState};

/// The folder of all procedures in the repository.
pub const ROOT: &str = "procedures";
/// File of the definition in a procedure's folder.
pub const DEFINITION_FILE: &str = "procedure.json";
/// File of the code in a procedure's folder.
pub const CODE_FILE: &str = "procedure.py";

/// Entries of a tree that are folders, by name. Names that are not UTF-8 can't be procedures and are passed over.
fn folders(tree: Option<&Tree<'_>>) -> BTreeMap<String, Oid> {
    tree.into_iter()
        .flat_map(Tree::iter)
        .filter(|entry| entry.kind() == Some(ObjectType::Tree))
        .filter_map(|entry| Some((entry.name().ok()?.to_owned(), entry.id())))
        .collect()
}

/// The folder `name` of `tree`, when there is one.
pub fn folder<'r>(repo: &'r Repository, tree: Option<&Tree<'_>>, name: &str) -> Result<Option<Tree<'r>>, git2::Error> {
    match tree.and_then(|tree| tree.get_name(name)) {
        Some(entry) if entry.kind() == Some(ObjectType::Tree) => repo.find_tree(entry.id()).map(Some),
        _ => Ok(None),
    }
}

fn recorded_state(repo: &Repository, category: &str, folder: Oid) -> Result<Option<RecordedState>, git2::Error> {
    let tree = repo.find_tree(folder)?;
    let blob = |name: &str| {
        tree.get_name(name).filter(|entry| entry.kind() == Some(ObjectType::Blob)).map(|entry| entry.id().to_string())
    };
    Ok(blob(DEFINITION_FILE).map(|definition| RecordedState {
        category: category.to_owned(),
        definition,
        code: blob(CODE_FILE),
    }))
}

/// The procedures that `new` has otherwise than `old`, by name. A procedure that moved to another category is one
/// change. Only folders whose object ids differ are read, so the cost follows the size of the change.
pub fn between(
    repo: &Repository,
    old: Option<&Tree<'_>>,
    new: Option<&Tree<'_>>,
) -> Result<Vec<RecordedChange>, git2::Error> {
    let mut before: BTreeMap<String, RecordedState> = BTreeMap::new();
    let mut after: BTreeMap<String, RecordedState> = BTreeMap::new();
    let (old_root, new_root) = (folder(repo, old, ROOT)?, folder(repo, new, ROOT)?);
    let (old_categories, new_categories) = (folders(old_root.as_ref()), folders(new_root.as_ref()));
    let mut categories: Vec<&String> = old_categories.keys().chain(new_categories.keys()).collect();
    categories.sort_unstable();
    categories.dedup();
    for category in categories {
        let (old_id, new_id) = (old_categories.get(category), new_categories.get(category));
        if old_id == new_id {
            continue;
        }
        let open = |id: Option<&Oid>| id.map(|id| repo.find_tree(*id)).transpose();
        let (old_names, new_names) = (folders(open(old_id)?.as_ref()), folders(open(new_id)?.as_ref()));
        for (name, id) in &old_names {
            if new_names.get(name) != Some(id)
                && let Some(state) = recorded_state(repo, category, *id)?
            {
                before.insert(name.clone(), state);
            }
        }
        for (name, id) in &new_names {
            if old_names.get(name) != Some(id)
                && let Some(state) = recorded_state(repo, category, *id)?
            {
                after.insert(name.clone(), state);
            }
        }
    }
    let mut names: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    Ok(names
        .into_iter()
        .map(|name| RecordedChange { state: after.remove(&name), before: before.remove(&name), name })
        .collect())
}
