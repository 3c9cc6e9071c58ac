//! Telling saved state that this home wrote from everything else.
//!
//! A snapshot is the inside of an interpreter: whoever can write one decides what runs next. Each is kept with a keyed
//! hash, whose key never leaves the home.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use super::private;

pub(super) const FILE: &str = "state.key";
const KEY_BYTES: usize = 32;

/// The key of a home. Another one may be restored while it is in use, so that its file is looked at whenever it is used.
pub struct Key {
    file: PathBuf,
    known: Mutex<(Stamp, [u8; KEY_BYTES])>,
}

/// When a file was changed, where it is there.
type Stamp = Option<SystemTime>;

fn stamp(file: &Path) -> Stamp {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

impl Key {
    /// Reads the key of `home`, making it when there is none. One that is no key is kept under the name that is returned,
    /// and another takes its place. Callers hold the lock under which a home is made, so that two processes do not make
    /// two.
    ///
    /// # Errors
    /// When the file can't be read or made.
    pub fn open(home: &Path) -> io::Result<(Self, Option<String>)> {
        let path = home.join(FILE);
        let mut aside = None;
        match fs::read(&path) {
            Ok(bytes) => match <[u8; KEY_BYTES]>::try_from(bytes) {
                Ok(key) if key != [0; KEY_BYTES] => return Ok((Self::known(path, key), None)),
                _ => {
                    let kept = home.join(format!("{FILE}.broken-{}", jiff::Timestamp::now().as_second()));
                    fs::rename(&path, &kept)?;
                    aside = Some(kept.display().to_string());
                }
            },
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
        let key = random()?;
        let mut file = private::create_new(&path)?;
        file.write_all(&key)?;
        file.sync_all()?;
        Ok((Self::known(path, key), aside))
    }

    /// The key of a home in which nothing can be written: what is sealed with another one is not kept anyway.
    pub fn read(home: &Path) -> Self {
        let path = home.join(FILE);
        let key = key_in(&path).unwrap_or_else(|| random().unwrap_or([0; KEY_BYTES]));
        Self::known(path, key)
    }

    fn known(file: PathBuf, key: [u8; KEY_BYTES]) -> Self {
        Self { known: Mutex::new((stamp(&file), key)), file }
    }

    fn bytes(&self) -> [u8; KEY_BYTES] {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.file);
        if stamp != known.0
            && let Some(key) = key_in(&self.file)
        {
            *known = (stamp, key);
        }
        known.1
    }

    /// What tells this key from others and says nothing of it.
    pub fn mark(&self) -> String {
        self.seal(&[b"mark"]).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The keyed hash of `parts`, each with its length before it, so that no two lists give the same.
    pub fn seal(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new_keyed(&self.bytes());
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().as_bytes().to_vec()
    }

    /// Whether `seal` is the one of `parts`. Takes the same time for every wrong one.
    pub fn fits(&self, parts: &[&[u8]], seal: &[u8]) -> bool {
        let mine: Result<[u8; KEY_BYTES], _> = self.seal(parts).try_into();
        let given: Result<[u8; KEY_BYTES], _> = seal.try_into();
        match (mine, given) {
            // The comparison of hashes is one of constant time.
            (Ok(mine), Ok(given)) => blake3::Hash::from(mine) == blake3::Hash::from(given),
            _ => false,
        }
    }
}

fn key_in(file: &Path) -> Option<[u8; KEY_BYTES]> {
    fs::read(file).ok().and_then(|bytes| bytes.try_into().ok())
}

fn random() -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_keeps_its_key_and_nobody_else_may_read_it() {
        let home = tempfile::tempdir().unwrap();
        let seal = Key::open(home.path()).unwrap().0.seal(&[b"state"]);
        let (again, aside) = Key::open(home.path()).unwrap();
        assert_eq!(aside, None);
        assert!(again.fits(&[b"state"], &seal));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(home.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_key_is_kept_and_replaced() {
        for broken in ["", "short", "far longer than a key of thirty-two bytes is", "\0".repeat(KEY_BYTES).as_str()] {
            let home = tempfile::tempdir().unwrap();
            fs::write(home.path().join(FILE), broken).unwrap();
            let (key, aside) = Key::open(home.path()).unwrap();
            assert_eq!(fs::read_to_string(aside.unwrap()).unwrap(), broken);
            assert_eq!(Key::open(home.path()).unwrap().0.mark(), key.mark());
        }
    }

    #[test]
    fn whatever_was_changed_does_not_fit() {
        let home = tempfile::tempdir().unwrap();
        let (key, _) = Key::open(home.path()).unwrap();
        let seal = key.seal(&[b"ab", b"c"]);
        assert!(key.fits(&[b"ab", b"c"], &seal));
        assert!(
            !key.fits(&[b"a", b"bc"], &seal) && !key.fits(&[b"ab"], &seal) && !key.fits(&[b"ab", b"c"], &seal[1..])
        );
        let other = tempfile::tempdir().unwrap();
        assert!(!Key::open(other.path()).unwrap().0.fits(&[b"ab", b"c"], &seal));
    }
}
