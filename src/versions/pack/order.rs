//! In which order objects go into a pack, and under which names: newest first, and files of the same name together, so that
//! old versions are kept as what differs from newer ones.

use std::collections::HashSet;

use git2::{ObjectType, Oid, Repository};

/// Those of `ids` that can be read, each with a name that is alike for versions of the same file. What is broken stays
/// where it is: a pack of the others is better than none.
pub fn newest_first(repo: &Repository, ids: &HashSet<Oid>) -> Result<Vec<(Oid, Option<String>)>, git2::Error> {
    let odb = repo.odb()?;
    let mut readable: Vec<Oid> = Vec::with_capacity(ids.len());
    let mut commits: Vec<(i64, Oid, Oid)> = Vec::new();
    for id in ids {
        match odb.read(*id) {
            Ok(object) if object.kind() == ObjectType::Commit => {
                readable.push(*id);
                if let Ok(commit) = repo.find_commit(*id) {
                    commits.push((commit.time().seconds(), *id, commit.tree_id()));
                }
            }
            Ok(_) => readable.push(*id),
            Err(error) => tracing::warn!(object = %id, %error, "an object of the history can't be read, nor packed"),
        }
    }
    commits.sort_unstable_by(|a, b| b.cmp(a));
    let mut left: HashSet<Oid> = readable.iter().copied().collect();
    let mut ordered = Vec::with_capacity(readable.len());
    for (_, commit, tree) in commits {
        left.remove(&commit);
        ordered.push((commit, None));
        add_tree(repo, tree, &mut left, &mut ordered);
    }
    // What no commit among them has.
    ordered.extend(readable.into_iter().filter(|id| left.contains(id)).map(|id| (id, None)));
    Ok(ordered)
}

/// Adds what is left of a tree. Where a tree is elsewhere already, so is all that is in it.
fn add_tree(repo: &Repository, root: Oid, left: &mut HashSet<Oid>, ordered: &mut Vec<(Oid, Option<String>)>) {
    let mut trees = vec![(root, String::new())];
    while let Some((id, name)) = trees.pop() {
        if !left.remove(&id) {
            continue;
        }
        ordered.push((id, Some(name.clone())));
        let Ok(tree) = repo.find_tree(id) else { continue };
        for entry in &tree {
            if !left.contains(&entry.id()) {
                continue;
            }
            let entry_name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            match entry.kind() {
                Some(ObjectType::Tree) => trees.push((entry.id(), entry_name)),
                // The end of a name counts most: files of one procedure, and not all that are called `procedure.py`.
                _ if left.remove(&entry.id()) => ordered.push((entry.id(), Some(format!("{entry_name}/{name}")))),
                _ => {}
            }
        }
    }
}
