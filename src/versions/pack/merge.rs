//! Making one pack of several small ones, so that few have to be looked through. A pack joins others that are at least half
//! as large together, so that each object is written again only as often as the history doubles.

use std::{collections::HashSet, fs, path::Path, slice};

use git2::{Oid, Repository};

use super::{
    files::{indexes, is_older},
    index::PackIndex,
    rule::{PackRule, Packed},
    write::write_pack,
};

/// A pack that has more is never written again.
const LARGEST: usize = 100_000;
/// What an object takes in an index.
const BYTES_PER_OBJECT: u64 = 28;

/// Whether a pack is small enough to become part of a larger one, by the length of its index.
pub fn may_be_merged(index: &Path) -> bool {
    let length = fs::metadata(index).map_or(u64::MAX, |metadata| metadata.len());
    length < LARGEST as u64 * BYTES_PER_OBJECT && !index.with_extension("keep").exists()
}

/// Removes packs that others have made needless, and merges the small ones where there are too many.
pub fn merge(repo: &Repository, objects: &Path, rule: &PackRule, done: &mut Packed) -> Result<(), git2::Error> {
    // Somebody keeps this repository with git's own means, which would miss the packs.
    if objects.join("pack/multi-pack-index").exists() {
        return Ok(());
    }
    let mut small = needed(indexes(objects), rule, done);
    small.retain(|pack| may_be_merged(&pack.path));
    if small.len() <= rule.packs {
        return Ok(());
    }
    let small = smallest(small);
    let ids: HashSet<Oid> = small.iter().flat_map(PackIndex::ids).collect();
    let Some(merged) = write_pack(repo, objects, &ids)? else { return Ok(()) };
    done.made += 1;
    if rule.grace.is_zero() {
        small
            .iter()
            .filter(|pack| pack.path != merged.path && is_in(pack, slice::from_ref(&merged)))
            .for_each(|pack| remove(pack, done));
    }
    Ok(())
}

/// The packs that have something which no newer one has. The others are removed when their time of grace is over.
fn needed(mut packs: Vec<PackIndex>, rule: &PackRule, done: &mut Packed) -> Vec<PackIndex> {
    packs.sort_by_key(|pack| pack.modified);
    let mut needed: Vec<PackIndex> = Vec::new();
    // From the newest to the oldest: of two packs with the same objects the newer one stays.
    while let Some(pack) = packs.pop() {
        let is_kept = pack.path.with_extension("keep").exists();
        if is_kept || !is_in(&pack, &needed) {
            needed.push(pack);
            continue;
        }
        let has_grace = needed.iter().any(|newer| !newer.modified.is_some_and(|at| is_older(at, rule.grace)));
        if !has_grace {
            remove(&pack, done);
        }
    }
    needed
}

/// Whether every object of a pack is in one of the others.
fn is_in(pack: &PackIndex, others: &[PackIndex]) -> bool {
    pack.ids().all(|id| others.iter().any(|other| other.has(id)))
}

/// The smallest packs, as long as the next is not much larger than all before it.
fn smallest(mut packs: Vec<PackIndex>) -> Vec<PackIndex> {
    packs.sort_by_key(PackIndex::len);
    let mut total = 0;
    let mut count = 0;
    for pack in &packs {
        if count >= 2 && (pack.len() > 2 * total || total + pack.len() > 2 * LARGEST) {
            break;
        }
        total += pack.len();
        count += 1;
    }
    packs.truncate(count);
    packs
}

/// The index first: without it nobody looks into the pack. What is in use on Windows stays for the next time.
fn remove(pack: &PackIndex, done: &mut Packed) {
    if fs::remove_file(&pack.path).is_err() {
        return;
    }
    done.removed += 1;
    for extension in ["pack", "rev", "bitmap", "mtimes"] {
        let _ = fs::remove_file(pack.path.with_extension(extension));
    }
}
