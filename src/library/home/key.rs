//! Telling saved state that this home wrote from everything else.
//!
//! A snapshot is the inside of an interpreter: whoever can write one decides what runs next. Each is kept with a keyed
//! hash, whose key never leaves the home.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write as _},
    path::Path,
};

const FILE: &str = "state.key";
const KEY_BYTES: usize = 32;

/// The key of a home.
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// Reads the key of `home`, making it when there is none. Callers hold the lock under which a home is made, so that
    /// two processes do not make two.
    ///
    /// # Errors
    /// When the file can't be read or made, or is not a key.
    pub fn open(home: &Path) -> io::Result<Self> {
        let path = home.join(FILE);
        let mut key = [0; KEY_BYTES];
        match fs::File::open(&path) {
            Ok(mut file) => {
                file.read_exact(&mut key).map_err(|error| {
                    let why = format!("`{}` is not a key of {KEY_BYTES} bytes: {error}; remove it, and paused runs will have to be executed again", path.display());
                    io::Error::new(error.kind(), why)
                })?;
                Ok(Self(key))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
                let mut options = OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(&path)?;
                file.write_all(&key)?;
                file.sync_all()?;
                Ok(Self(key))
            }
            Err(error) => Err(error),
        }
    }

    /// The keyed hash of `parts`, each with its length before it, so that no two lists give the same.
    pub fn seal(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_keeps_its_key_and_nobody_else_may_read_it() {
        let home = tempfile::tempdir().unwrap();
        let seal = Key::open(home.path()).unwrap().seal(&[b"state"]);
        let again = Key::open(home.path()).unwrap();
        assert!(again.fits(&[b"state"], &seal));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(home.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(home.path().join(FILE), "short").unwrap();
        assert!(Key::open(home.path()).is_err_and(|error| error.to_string().contains("is not a key")));
    }

    #[test]
    fn whatever_was_changed_does_not_fit() {
        let home = tempfile::tempdir().unwrap();
        let key = Key::open(home.path()).unwrap();
        let seal = key.seal(&[b"ab", b"c"]);
        assert!(key.fits(&[b"ab", b"c"], &seal));
        assert!(
            !key.fits(&[b"a", b"bc"], &seal) && !key.fits(&[b"ab"], &seal) && !key.fits(&[b"ab", b"c"], &seal[1..])
        );
        let other = tempfile::tempdir().unwrap();
        assert!(!Key::open(other.path()).unwrap().fits(&[b"ab", b"c"], &seal));
    }
}
