//! Writing the trees of a commit.

use std::collections::BTreeMap;

use git2::{FileMode, ObjectType, Oid, Repository, Tree, TreeBuilder};

use super::{
    Files, ProcedureChange, RecordedChange, RecordedState, bundle,
    changes::{self, ATTACHED, CODE_FILE, DEFINITION_FILE, LOCK_FILE, ROOT},
    objects,
};

/// Writes blobs and trees for `changes` on top of `old`; returns the new root tree and what changed.
pub fn apply(
    repo: &Repository,
    old: Option<&Tree<'_>>,
    changes: &[ProcedureChange],
) -> Result<(Oid, Vec<RecordedChange>), git2::Error> {
    let old_root = changes::folder(repo, old, ROOT)?;
    let mut root = repo.treebuilder(old_root.as_ref())?;
    // Changes of one category share one tree builder, so that adding many procedures writes its tree once.
    let mut categories: BTreeMap<&str, (Option<Tree<'_>>, TreeBuilder<'_>)> = BTreeMap::new();
    for name in changes.iter().flat_map(|change| std::iter::once(&change.category).chain(&change.old_category)) {
        if !categories.contains_key(name.as_str()) {
            let tree = changes::folder(repo, old_root.as_ref(), name)?;
            let builder = repo.treebuilder(tree.as_ref())?;
            categories.insert(name, (tree, builder));
        }
    }
    let mut recorded = Vec::with_capacity(changes.len());
    for change in changes {
        let name = change.name.as_str();
        let before_category = change.old_category.as_ref().unwrap_or(&change.category);
        let before = match categories.get(before_category.as_str()) {
            Some((tree, _)) => {
                changes::folder(repo, tree.as_ref(), name)?.map(|folder| state_of(before_category, &folder))
            }
            None => None,
        }
        .flatten();
        // Whatever is in a folder that goes, goes with it: also what was no procedure.
        let leaves = change.old_category.iter().chain(change.files.is_none().then_some(&change.category));
        for category in leaves {
            if let Some((_, builder)) = categories.get_mut(category.as_str())
                && builder.get(name)?.is_some()
            {
                builder.remove(name)?;
            }
        }
        let mut state = None;
        if let (Some(files), Some((_, builder))) = (&change.files, categories.get_mut(change.category.as_str())) {
            let (folder, written) = write_files(repo, &change.category, files)?;
            builder.insert(name, folder, FileMode::Tree.into())?;
            state = Some(written);
        }
        recorded.push(RecordedChange { name: name.to_owned(), state, before, broken: None });
    }
    for (name, (_, builder)) in categories {
        if builder.is_empty() {
            if root.get(name)?.is_some() {
                root.remove(name)?;
            }
        } else {
            root.insert(name, objects::write_tree(repo, &builder)?, FileMode::Tree.into())?;
        }
    }
    let mut top = repo.treebuilder(old)?;
    if root.is_empty() {
        if top.get(ROOT)?.is_some() {
            top.remove(ROOT)?;
        }
    } else {
        top.insert(ROOT, objects::write_tree(repo, &root)?, FileMode::Tree.into())?;
    }
    Ok((objects::write_tree(repo, &top)?, recorded))
}

fn state_of(category: &str, folder: &Tree<'_>) -> Option<RecordedState> {
    let blob = |name: &str| {
        let entry = folder.get_name(name).filter(|entry| entry.kind() == Some(ObjectType::Blob));
        entry.map(|entry| entry.id().to_string())
    };
    Some(RecordedState {
        category: category.to_owned(),
        definition: blob(DEFINITION_FILE)?,
        code: blob(CODE_FILE),
        lock: blob(LOCK_FILE),
    })
}

fn write_files(repo: &Repository, category: &str, files: &Files) -> Result<(Oid, RecordedState), git2::Error> {
    let mut folder = repo.treebuilder(None)?;
    let definition = objects::write_blob(repo, files.definition.as_bytes())?;
    folder.insert(DEFINITION_FILE, definition, FileMode::Blob.into())?;
    let code = files.code.as_ref().map(|code| objects::write_blob(repo, code.as_bytes())).transpose()?;
    if let Some(code) = code {
        folder.insert(CODE_FILE, code, FileMode::Blob.into())?;
    }
    let lock = files.lock.as_ref().map(|lock| objects::write_blob(repo, lock.as_bytes())).transpose()?;
    if let Some(lock) = lock {
        folder.insert(LOCK_FILE, lock, FileMode::Blob.into())?;
    }
    if let Some(bundle) = &files.brought {
        bundle::write(repo, bundle)?;
    }
    // One that is gone is missed where it is read: nothing that is written here may depend on it.
    let attached = files.attached.as_deref().and_then(|id| Oid::from_str(id).ok());
    if let Some(attached) = attached.filter(|id| objects::find_tree(repo, *id).is_ok()) {
        folder.insert(ATTACHED, attached, FileMode::Tree.into())?;
    }
    let state = RecordedState {
        category: category.to_owned(),
        definition: definition.to_string(),
        code: code.map(|code| code.to_string()),
        lock: lock.map(|lock| lock.to_string()),
    };
    Ok((objects::write_tree(repo, &folder)?, state))
}
