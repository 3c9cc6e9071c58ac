//! Which commits there are, and what each changed; also where some of them can't be read any more.

use std::collections::{HashMap, HashSet, VecDeque};

use git2::{Commit, ObjectType, Oid, Patch, Repository, Signature, Time, Tree};

use super::{CommitRecord, ObjectId, RecordedChange, changes, objects, trailers};

/// Every commit that `to` has and `from` has not, ancestors first. What can't be read is passed over.
pub fn commits(repo: &Repository, from: Option<Oid>, to: Oid) -> Result<Vec<CommitRecord>, git2::Error> {
    // The newest one must be there: otherwise this is no gap but the end of the history.
    objects::tree_of(repo, &objects::find_commit(repo, to)?)?;
    let known: HashSet<Oid> = from.map(|from| ancestors(repo, from, to)).transpose()?.unwrap_or_default();
    let (order, has_gap) = below(repo, to, &known);
    if !has_gap {
        let records: Result<Vec<_>, _> =
            order.iter().map(|id| record(repo, &objects::find_commit(repo, *id)?)).collect();
        match records {
            Ok(records) => return Ok(records),
            Err(error) => tracing::warn!(%error, "some of the procedure history can't be read; the rest is taken"),
        }
    }
    Ok(readable(repo, from, order, has_gap))
}

/// What a walk from `to` must not take again: `from`, and where histories were merged what came before it.
fn ancestors(repo: &Repository, from: Oid, to: Oid) -> Result<HashSet<Oid>, git2::Error> {
    let mut commit = objects::find_commit(repo, to)?;
    // The everyday case: one commit upon the other.
    while commit.parent_count() == 1 {
        let parent = commit.parent_id(0)?;
        if parent == from {
            return Ok(HashSet::from([from]));
        }
        let Ok(next) = objects::find_commit(repo, parent) else { break };
        commit = next;
    }
    Ok(below(repo, from, &HashSet::new()).0.into_iter().collect())
}

/// Whether `to` has `from` among its ancestors, as far as they can be read.
pub fn descends(repo: &Repository, to: Oid, from: Oid) -> bool {
    if to == from {
        return true;
    }
    if objects::find_commit(repo, from).is_err() {
        return false;
    }
    let (mut left, mut seen) = (VecDeque::from([to]), HashSet::new());
    while let Some(id) = left.pop_front() {
        if id == from {
            return true;
        }
        if seen.insert(id)
            && let Ok(commit) = objects::find_commit(repo, id)
        {
            left.extend(commit.parent_ids());
        }
    }
    false
}

/// The readable ancestors of a commit and itself, ancestors first; and whether a parent of one was missing.
fn below(repo: &Repository, to: Oid, without: &HashSet<Oid>) -> (Vec<Oid>, bool) {
    enum Visit {
        Enter(Oid),
        Leave(Oid),
    }
    let (mut order, mut seen, mut has_gap) = (Vec::new(), HashSet::new(), false);
    let mut left = vec![Visit::Enter(to)];
    while let Some(visit) = left.pop() {
        match visit {
            Visit::Leave(id) => order.push(id),
            Visit::Enter(id) if without.contains(&id) || !seen.insert(id) => {}
            Visit::Enter(id) => match objects::find_commit(repo, id) {
                Ok(commit) => {
                    left.push(Visit::Leave(id));
                    left.extend(commit.parent_ids().map(Visit::Enter));
                }
                Err(_) => has_gap = true,
            },
        }
    }
    (order, has_gap)
}

fn readable(repo: &Repository, from: Option<Oid>, newer: Vec<Oid>, has_gap: bool) -> Vec<CommitRecord> {
    let mut order = Vec::new();
    if has_gap && from.is_none() {
        order = before_the_gap(repo, &newer);
    }
    order.extend(newer);
    let mut records = Vec::with_capacity(order.len());
    // What a commit is compared with whose parent is gone: the last that is there.
    let mut last: Option<Tree<'_>> =
        from.and_then(|from| objects::find_commit(repo, from).and_then(|commit| objects::tree_of(repo, &commit)).ok());
    for id in order {
        let Ok(commit) = objects::find_commit(repo, id) else { continue };
        match record_with(repo, &commit, last.as_ref()) {
            Ok(record) => {
                records.push(record);
                last = objects::tree_of(repo, &commit).ok().or(last);
            }
            Err(error) => {
                tracing::warn!(commit = %id, %error, "what a commit changed can't be read");
                records.push(record_of(&commit, Vec::new(), false));
            }
        }
    }
    records
}

/// Whether every file of a commit can be read.
pub fn is_whole(repo: &Repository, commit: Oid) -> bool {
    let Ok(tree) = objects::find_commit(repo, commit).and_then(|commit| objects::tree_of(repo, &commit)) else {
        return false;
    };
    let mut left = vec![tree];
    while let Some(tree) = left.pop() {
        for entry in &tree {
            match entry.kind() {
                Some(ObjectType::Tree) => match objects::find_tree(repo, entry.id()) {
                    Ok(tree) => left.push(tree),
                    Err(_) => return false,
                },
                Some(ObjectType::Blob) if objects::find_blob(repo, entry.id()).is_err() => return false,
                _ => {}
            }
        }
    }
    true
}

/// The commits that nothing leads to any more because those between are gone, ancestors first. A fork of what is known is
/// none of them: it lost a race, or was given up.
fn before_the_gap(repo: &Repository, known: &[Oid]) -> Vec<Oid> {
    let known: HashSet<Oid> = known.iter().copied().collect();
    let mut order = Vec::new();
    let mut taken = HashSet::new();
    for tip in tips(repo, &known) {
        let (found, _) = below(repo, tip, &HashSet::new());
        if found.iter().any(|id| known.contains(id) || taken.contains(id)) {
            continue;
        }
        taken.extend(found.iter().copied());
        // Tips come newest first, and what is older goes before.
        order.splice(0..0, found);
    }
    order
}

/// The readable commits that are no readable commit's parent and not in `known`, newest first.
pub fn tips(repo: &Repository, known: &HashSet<Oid>) -> Vec<Oid> {
    let mut times: HashMap<Oid, i64> = HashMap::new();
    let mut parents = HashSet::new();
    let mut look = |id: Oid| {
        let Ok(odb) = repo.odb() else { return };
        if !objects::header(repo, &odb, id).is_ok_and(|(_, kind)| kind == ObjectType::Commit) {
            return;
        }
        if let Ok(commit) = objects::find_commit(repo, id)
            && objects::tree_of(repo, &commit).is_ok()
        {
            parents.extend(commit.parent_ids());
            times.insert(id, commit.time().seconds());
        }
    };
    let mut all = Vec::new();
    if let Ok(odb) = repo.odb() {
        // An error ends the listing, and what was listed counts.
        let _ = odb.foreach(|id| {
            all.push(*id);
            true
        });
    }
    all.into_iter().for_each(&mut look);
    let mut tips: Vec<(i64, Oid)> = times
        .into_iter()
        .filter(|(id, _)| !parents.contains(id) && !known.contains(id))
        .map(|(id, at)| (at, id))
        .collect();
    tips.sort_unstable_by(|a, b| b.cmp(a));
    tips.into_iter().map(|(_, id)| id).collect()
}

fn record(repo: &Repository, commit: &Commit<'_>) -> Result<CommitRecord, git2::Error> {
    let parent = |id| objects::tree_of(repo, &objects::find_commit(repo, id)?);
    let parents = commit.parent_ids().map(parent).collect::<Result<Vec<_>, _>>()?;
    record_against(repo, commit, &parents)
}

/// The same, where parents may be gone: then it is compared with `instead`.
fn record_with(
    repo: &Repository,
    commit: &Commit<'_>,
    instead: Option<&Tree<'_>>,
) -> Result<CommitRecord, git2::Error> {
    let parent = |id| objects::tree_of(repo, &objects::find_commit(repo, id).ok()?).ok();
    let parents: Vec<Tree<'_>> = commit.parent_ids().filter_map(parent).collect();
    if parents.is_empty() && commit.parent_count() > 0 {
        return record_against(repo, commit, &instead.cloned().into_iter().collect::<Vec<_>>());
    }
    record_against(repo, commit, &parents)
}

/// What `commit` changed. For a merge that is only what differs from every parent: the rest was already recorded with
/// the commit that made it.
fn record_against(repo: &Repository, commit: &Commit<'_>, parents: &[Tree<'_>]) -> Result<CommitRecord, git2::Error> {
    let tree = objects::tree_of(repo, commit)?;
    let mut changes: Option<Vec<RecordedChange>> = None;
    for parent in parents {
        let against = changes::between(repo, Some(parent), Some(&tree))?;
        changes = Some(match changes {
            None => against,
            Some(first) => {
                first.into_iter().filter(|change| against.iter().any(|other| other.name == change.name)).collect()
            }
        });
    }
    let changes = match changes {
        Some(changes) => changes,
        None => changes::between(repo, None, Some(&tree))?,
    };
    Ok(record_of(commit, changes, true))
}

fn record_of(commit: &Commit<'_>, changes: Vec<RecordedChange>, is_whole: bool) -> CommitRecord {
    let (subject, annotation) = trailers::parse_message(&String::from_utf8_lossy(commit.message_bytes()));
    let when: Time = commit.time();
    CommitRecord {
        id: commit.id().to_string(),
        subject,
        author: name(&commit.author()),
        committed_at: when.seconds(),
        annotation,
        changes,
        is_whole,
    }
}

/// Whom a commit names.
pub fn name(signature: &Signature<'_>) -> String {
    String::from_utf8_lossy(signature.name_bytes()).into_owned()
}

/// Lines that differ between two blobs: added and removed.
pub fn blob_lines(repo: &Repository, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<(u32, u32), git2::Error> {
    if old == new {
        return Ok((0, 0));
    }
    let content = |id: Option<ObjectId>| -> Result<Vec<u8>, git2::Error> {
        match id {
            Some(id) => Ok(objects::find_blob(repo, Oid::from_str(&id)?)?.content().to_vec()),
            None => Ok(Vec::new()),
        }
    };
    let (old, new) = (content(old)?, content(new)?);
    let (_, added, removed) = Patch::from_buffers(&old, None, &new, None, None)?.line_stats()?;
    Ok((u32::try_from(added).unwrap_or(u32::MAX), u32::try_from(removed).unwrap_or(u32::MAX)))
}
