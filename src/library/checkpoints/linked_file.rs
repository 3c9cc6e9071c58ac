//! A file that is linked to something: where it really is, whether the policy grants it, its hash, and why it can't be
//! had.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::{
    config::Config,
    domain::artifact::{ContentHash, HashKind, LinkedArtifact},
};

/// An artifact and what can be said of it at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    pub row: LinkedArtifact,
    /// What has become of the file, where that shows: `missing` or `changed`.
    pub status: Option<&'static str>,
}

/// Why a file can't be had.
#[derive(Debug)]
pub(super) enum FileRefusal {
    /// The path depends on the folder that a process is in.
    NotAbsolute,
    /// It lies where nothing may be read, with all links followed.
    NotGranted,
    /// There is nothing.
    Missing,
    /// There is something else, such as a folder.
    NoFile,
    /// The system does not give it.
    Unreadable(io::Error),
}

impl FileRefusal {
    fn of(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            _ => Self::Unreadable(error),
        }
    }
}

/// The file behind a path, all links followed, where the policy grants it. Outside of that nothing tells whether there is
/// one.
pub(super) fn real_file(config: &Config, given: &str) -> Result<PathBuf, FileRefusal> {
    let path = Path::new(given);
    if !path.is_absolute() {
        return Err(FileRefusal::NotAbsolute);
    }
    let real = fs::canonicalize(path).map_err(|error| {
        let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
        if folder.is_some_and(|folder| is_granted(config, &folder)) {
            FileRefusal::of(error)
        } else {
            FileRefusal::NotGranted
        }
    })?;
    if !is_granted(config, &real) {
        return Err(FileRefusal::NotGranted);
    }
    let metadata = fs::metadata(&real).map_err(FileRefusal::of)?;
    if metadata.is_file() { Ok(real) } else { Err(FileRefusal::NoFile) }
}

pub(super) fn is_granted(config: &Config, real: &Path) -> bool {
    config.policy.read.iter().chain(&config.policy.write).any(|directory| real.starts_with(directory))
}

/// What a look at the folder shows; whether the content is the same only reading shows.
pub(super) fn status(config: &Config, row: &LinkedArtifact) -> Option<&'static str> {
    if !row.is_file {
        return None;
    }
    match real_file(config, &row.location) {
        Ok(real) => {
            let size = fs::metadata(real).ok().map(|metadata| metadata.len());
            (size != row.size_bytes).then_some("changed")
        }
        Err(FileRefusal::Missing) => Some("missing"),
        Err(FileRefusal::NoFile) => Some("changed"),
        // Nobody here can tell.
        Err(FileRefusal::NotGranted | FileRefusal::NotAbsolute | FileRefusal::Unreadable(_)) => None,
    }
}

/// The hash of a file, and its length.
pub(super) fn hash_file(path: &Path, kind: HashKind) -> io::Result<(ContentHash, u64)> {
    hash_of(File::open(path)?, kind)
}

/// The hash of content, and its length.
pub(super) fn hash_of(mut content: impl Read, kind: HashKind) -> io::Result<(ContentHash, u64)> {
    match kind {
        HashKind::Blake3 => {
            let mut hasher = blake3::Hasher::new();
            let size = io::copy(&mut content, &mut hasher)?;
            Ok((ContentHash::new(kind, hasher.finalize().as_bytes()), size))
        }
        HashKind::Sha256 => {
            let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 64 * 1024]);
            loop {
                let read = content.read(&mut buffer)?;
                if read == 0 {
                    return Ok((ContentHash::new(kind, &hasher.finalize().into()), size));
                }
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Start;

    /// A configuration that grants the folder `granted` beside the home.
    fn config(folder: &Path) -> Config {
        let (home, granted) = (folder.join("home"), folder.join("granted"));
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(&granted).unwrap();
        let granted = fs::canonicalize(granted).unwrap();
        let policy = format!("[policy]\nread = [{:?}]\n", granted.to_str().unwrap());
        fs::write(home.join("config.toml"), policy).unwrap();
        let user = Some("ada".to_owned());
        Config::load(&Start { home: Some(home), user, tenant: None }).unwrap()
    }

    fn linked(path: &Path, size: u64) -> LinkedArtifact {
        LinkedArtifact {
            id: 1,
            memory_type: "run".to_owned(),
            memory_id: "r".to_owned(),
            kind: "report".to_owned(),
            location: path.to_str().unwrap().to_owned(),
            is_file: true,
            content_hash: None,
            size_bytes: Some(size),
            metadata: None,
            created_at: 0,
        }
    }

    #[test]
    fn what_became_of_a_file_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let granted = fs::canonicalize(folder.path().join("granted")).unwrap();
        let path = granted.join("a.txt");
        let found = || real_file(&config, path.to_str().unwrap());
        let seen = || status(&config, &linked(&path, 3));
        fs::write(&path, "abc").unwrap();
        assert_eq!((found().unwrap(), seen()), (path.clone(), None));
        fs::write(&path, "abcd").unwrap();
        assert_eq!(seen(), Some("changed"));
        fs::remove_file(&path).unwrap();
        assert!(matches!(found(), Err(FileRefusal::Missing)));
        assert_eq!(seen(), Some("missing"));
        fs::create_dir(&path).unwrap();
        assert!(matches!(found(), Err(FileRefusal::NoFile)));
        assert_eq!(seen(), Some("changed"));
        assert!(matches!(real_file(&config, "a.txt"), Err(FileRefusal::NotAbsolute)));
        let outside = folder.path().join("home").join("config.toml");
        assert!(matches!(real_file(&config, outside.to_str().unwrap()), Err(FileRefusal::NotGranted)));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_took_its_place_is_followed() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let path = fs::canonicalize(folder.path().join("granted")).unwrap().join("a.txt");
        let found = || real_file(&config, path.to_str().unwrap());
        let seen = || status(&config, &linked(&path, 3));
        symlink(folder.path().join("home").join("config.toml"), &path).unwrap();
        assert!(matches!(found(), Err(FileRefusal::NotGranted)));
        assert_eq!(seen(), None);
        fs::remove_file(&path).unwrap();
        // One that leads to itself can't be read by anybody, also not by the root user.
        symlink(&path, &path).unwrap();
        assert!(matches!(found(), Err(FileRefusal::Unreadable(_))));
        assert_eq!(seen(), None);
    }

    #[test]
    fn both_hashes_are_those_that_others_make() {
        let (blake3, size) = hash_of(&b"abc"[..], HashKind::Blake3).unwrap();
        assert_eq!((blake3.to_string(), size), (format!("blake3:{}", blake3::hash(b"abc").to_hex()), 3));
        let (sha256, size) = hash_of(&b"abc"[..], HashKind::Sha256).unwrap();
        let known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((sha256.to_string().as_str(), size), (known, 3));
    }
}
