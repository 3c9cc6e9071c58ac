//! The index of a pack: which objects it has. Version 2 of the format, which git and libgit2 write.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use git2::Oid;

const MAGIC: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
const FANOUT: usize = 256;
const NAMES: usize = MAGIC.len() + FANOUT * 4;
const ID: usize = 20;
/// Check sums of the pack and of the index.
const TRAILER: usize = 2 * ID;
/// What is kept of an object beside its name: a check sum and an offset.
const REST: usize = 8;

/// The objects of one pack.
pub struct PackIndex {
    pub path: PathBuf,
    pub modified: Option<SystemTime>,
    names: Vec<u8>,
}

impl PackIndex {
    /// Reads the index at `path`; `None` when it is not there or not such a one. Then nothing is said to be in the pack.
    pub fn open(path: &Path) -> Option<Self> {
        let data = fs::read(path).ok()?;
        let names = names(&data)?;
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        Some(Self { path: path.to_owned(), modified, names: names.to_vec() })
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.names.len() / ID
    }

    /// Whether the pack has an object.
    pub fn has(&self, id: Oid) -> bool {
        let (names, _) = self.names.as_chunks::<ID>();
        names.binary_search_by(|name| name.as_slice().cmp(id.as_bytes())).is_ok()
    }

    /// All of them, in the order of their names.
    pub fn ids(&self) -> impl Iterator<Item = Oid> + '_ {
        self.names.chunks_exact(ID).filter_map(|name| Oid::from_bytes(name).ok())
    }
}

/// The names of the objects, sorted. `None` when the file is cut off or something else.
fn names(data: &[u8]) -> Option<&[u8]> {
    if data.get(..MAGIC.len())? != MAGIC {
        return None;
    }
    let count = u32::from_be_bytes(data.get(NAMES - 4..NAMES)?.try_into().ok()?) as usize;
    let names = data.get(NAMES..NAMES.checked_add(count.checked_mul(ID)?)?)?;
    let is_whole = data.len() >= NAMES + count * (ID + REST) + TRAILER;
    let is_sorted = names.as_chunks::<ID>().0.is_sorted();
    (is_whole && is_sorted).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(ids: &[[u8; ID]]) -> Vec<u8> {
        let mut data = MAGIC.to_vec();
        for first in 0..FANOUT {
            let count = ids.iter().filter(|id| usize::from(id[0]) <= first).count();
            data.extend(u32::try_from(count).unwrap().to_be_bytes());
        }
        ids.iter().for_each(|id| data.extend(id));
        data.extend(vec![0; ids.len() * REST + TRAILER]);
        data
    }

    #[test]
    fn what_is_in_a_pack_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack-1.idx");
        let ids: Vec<[u8; ID]> = (0..=250).step_by(5).map(|n| [n; ID]).collect();
        fs::write(&path, file(&ids)).unwrap();
        let index = PackIndex::open(&path).unwrap();
        assert_eq!(index.len(), ids.len());
        for n in 0..=255 {
            assert_eq!(index.has(Oid::from_bytes(&[n; ID]).unwrap()), n % 5 == 0 && n <= 250, "{n}");
        }
        assert_eq!(index.ids().count(), ids.len());
    }

    #[test]
    fn an_index_that_is_cut_off_or_something_else_has_nothing() {
        let whole = file(&[[1; ID], [2; ID]]);
        assert!(names(&whole).is_some());
        for length in 0..whole.len() {
            assert!(names(&whole[..length]).is_none(), "{length}");
        }
        assert!(names(&file(&[[2; ID], [1; ID]])).is_none(), "not sorted");
        assert!(names(&vec![0; whole.len()]).is_none());
    }
}
