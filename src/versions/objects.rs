//! Reading objects. libgit2 never comes back from a loose object that was cut off, so each is looked at before.

use std::{
    collections::HashMap,
    fs::{self, Metadata},
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
    time::SystemTime,
};

use flate2::{Decompress, FlushDecompress, Status};
use git2::{Blob, Commit, ErrorClass, ErrorCode, ObjectType, Odb, OdbObject, Oid, Repository, Tree, TreeBuilder};

/// The most files that are known to be whole.
const MOST_KNOWN: usize = 16_384;

/// The files that were looked at, or written here. Looking unpacks all of an object, and the folder of a thousand
/// procedures is read for each change of one; that a file is still the same is said by the system at once.
static KNOWN: LazyLock<Mutex<HashMap<Oid, Stamp>>> = LazyLock::new(Mutex::default);

/// What tells a file from what it was, and from others with the object of the same name.
#[derive(PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let file = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let file = (0, 0);
        Self { file, length: metadata.len(), modified: metadata.modified().ok() }
    }
}

pub fn find_commit(repo: &Repository, id: Oid) -> Result<Commit<'_>, git2::Error> {
    check(repo.path(), id)?;
    repo.find_commit(id)
}

pub fn find_tree(repo: &Repository, id: Oid) -> Result<Tree<'_>, git2::Error> {
    check(repo.path(), id)?;
    repo.find_tree(id)
}

/// The root folder of a commit.
pub fn tree_of<'r>(repo: &'r Repository, commit: &Commit<'_>) -> Result<Tree<'r>, git2::Error> {
    find_tree(repo, commit.tree_id())
}

pub fn find_blob(repo: &Repository, id: Oid) -> Result<Blob<'_>, git2::Error> {
    check(repo.path(), id)?;
    repo.find_blob(id)
}

pub fn header(repo: &Repository, odb: &Odb<'_>, id: Oid) -> Result<(usize, ObjectType), git2::Error> {
    check(repo.path(), id)?;
    odb.read_header(id)
}

pub fn read<'o>(repo: &Repository, odb: &'o Odb<'_>, id: Oid) -> Result<OdbObject<'o>, git2::Error> {
    check(repo.path(), id)?;
    odb.read(id)
}

/// Writes a blob, which is whole then.
pub fn write_blob(repo: &Repository, bytes: &[u8]) -> Result<Oid, git2::Error> {
    repo.blob(bytes).inspect(|id| written(repo, *id))
}

/// Writes a folder, which is whole then.
pub fn write_tree(repo: &Repository, folder: &TreeBuilder<'_>) -> Result<Oid, git2::Error> {
    folder.write().inspect(|id| written(repo, *id))
}

/// Notes that an object was written here a moment ago.
pub fn written(repo: &Repository, id: Oid) {
    if let Ok(metadata) = fs::metadata(file_of(repo.path(), id)) {
        know(id, Stamp::new(&metadata));
    }
}

fn know(id: Oid, stamp: Stamp) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(id, stamp);
}

fn file_of(repository: &Path, id: Oid) -> PathBuf {
    let name = id.to_string();
    let (folder, file) = name.split_at(2);
    repository.join("objects").join(folder).join(file)
}

/// Whether the object, if it is a loose one, is there to its end.
pub fn check(repository: &Path, id: Oid) -> Result<(), git2::Error> {
    let file = file_of(repository, id);
    // What is in a pack has no file, and what can't be opened libgit2 says itself.
    let Ok(metadata) = fs::metadata(&file) else { return Ok(()) };
    let stamp = Stamp::new(&metadata);
    if KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&id) == Some(&stamp) {
        return Ok(());
    }
    let Ok(bytes) = fs::read(&file) else { return Ok(()) };
    if is_complete(&bytes) {
        know(id, stamp);
        return Ok(());
    }
    let message = format!("object {id} is cut off or damaged");
    Err(git2::Error::new(ErrorCode::GenericError, ErrorClass::Odb, message))
}

fn is_complete(bytes: &[u8]) -> bool {
    let (mut stream, mut output) = (Decompress::new(true), [0; 8192]);
    loop {
        let (read, written) = (stream.total_in(), stream.total_out());
        let Some(rest) = usize::try_from(read).ok().and_then(|read| bytes.get(read..)) else { return false };
        match stream.decompress(rest, &mut output, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return true,
            Ok(_) if stream.total_in() > read || stream.total_out() > written => {}
            Ok(_) | Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    #[test]
    fn only_a_whole_stream_is_complete() {
        for text in [String::new(), "short".to_owned(), "long and varied 0123456789 ".repeat(5000)] {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            let whole = encoder.finish().unwrap();
            assert!(is_complete(&whole));
            for length in (0..whole.len()).step_by(1 + whole.len() / 40) {
                assert!(!is_complete(&whole[..length]), "{length} of {}", whole.len());
            }
        }
        assert!(!is_complete(b"no stream at all"));
    }

    #[test]
    fn an_object_that_is_cut_off_after_it_was_written_or_read_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(folder.path()).unwrap();
        let texts = [b"one".repeat(900), b"two".repeat(900)];
        let written = write_blob(&repo, &texts[0]).unwrap();
        let found = repo.blob(&texts[1]).unwrap();
        for id in [written, found] {
            check(repo.path(), id).unwrap();
            let file = file_of(repo.path(), id);
            let bytes = fs::read(&file).unwrap();
            fs::remove_file(&file).unwrap();
            fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
            assert!(check(repo.path(), id).unwrap_err().message().contains("cut off"));
            fs::write(&file, &bytes).unwrap();
            check(repo.path(), id).unwrap();
        }
    }
}
