//! What other programs execute (`domain::startup_files`), in folders that may be written: what is there stays as it is, and
//! what was not there before is set aside when the program has ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    fs, io,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use serde::{Deserialize, Serialize};

use crate::domain::startup_files::{GitDirectory, PLACES, leads_to_startup_files, startup_file};

/// More than anybody keeps in a folder that programs may write.
const MOST_PINS: usize = 20_000;
/// Follows the name of what was set aside.
const ASIDE: &str = ".set-aside";
/// How deep folders are looked through; no path that systems take has more parts.
const DEPTH: usize = 2048;
const GIT: &str = ".git";
/// What a git directory has whose names are anybody's, and which are many.
const GIT_FREE: [&str; 3] = ["objects", "refs", "logs"];

/// A place in a writable folder that stays where it is, so that nothing else takes its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it may be written.
    pub writable: bool,
}

/// What of writable folders other programs execute, as it was before a program ran: where links lead is part of that.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Inventory {
    /// Where it was looked.
    pub folders: Vec<PathBuf>,
    known: BTreeMap<PathBuf, Option<PathBuf>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It stays as it is, with everything below.
    Closed,
    /// A git directory: it stays where it is.
    Git,
    /// It makes the folder around it a git directory, or is a link: it can't be pinned.
    Loose,
}

/// What is in these folders now, and what of it is to be pinned, outer places first.
///
/// # Errors
/// Says that there is too much of it.
pub fn take_stock(folders: &[PathBuf]) -> io::Result<(Inventory, Vec<Pin>)> {
    let found = look_through(folders);
    let known = found.iter().map(|(path, _)| (path.clone(), fs::read_link(path).ok()));
    let inventory = Inventory { known: known.collect(), folders: folders.to_vec() };
    Ok((inventory, pins(found, folders)?))
}

fn pins(found: Vec<(PathBuf, Kind)>, folders: &[PathBuf]) -> io::Result<Vec<Pin>> {
    let mut pins: BTreeMap<PathBuf, bool> = BTreeMap::new();
    for (path, kind) in found {
        if kind == Kind::Loose {
            continue;
        }
        // A folder above it could be renamed, and another one made in its place.
        for outer in path.ancestors().skip(1).take_while(|outer| !folders.iter().any(|folder| folder == outer)) {
            pins.entry(outer.to_owned()).or_insert(true);
        }
        pins.insert(path, kind == Kind::Git);
        if pins.len() > MOST_PINS {
            return Err(io::Error::other(format!(
                "the writable folders hold more than {MOST_PINS} files that other programs execute; grant smaller ones"
            )));
        }
    }
    Ok(pins.into_iter().map(|(path, writable)| Pin { path, writable }).collect())
}

/// Sets aside what is there now and was not, by giving it another name; returns what it was called.
#[must_use]
pub fn set_aside(inventory: &Inventory) -> Vec<PathBuf> {
    let mut set_aside: Vec<PathBuf> = Vec::new();
    for (path, _) in look_through(&inventory.folders) {
        let was = inventory.known.get(&path);
        let is_known = was.is_some_and(|led_to| *led_to == fs::read_link(&path).ok());
        if is_known || set_aside.iter().any(|outer| path.starts_with(outer)) {
            continue;
        }
        if let Err(error) = rename_away(&path) {
            tracing::warn!(path = %path.display(), %error, "what other programs execute can't be set aside");
        }
        set_aside.push(path);
    }
    set_aside
}

pub fn rename_away(path: &Path) -> io::Result<()> {
    let named = |number: usize| {
        let mut name = path.as_os_str().to_owned();
        name.push(ASIDE);
        if number > 0 {
            name.push(format!("-{number}"));
        }
        PathBuf::from(name)
    };
    let free = (0..100).map(named).find(|name| name.symlink_metadata().is_err());
    fs::rename(path, free.ok_or_else(|| io::Error::other("there are a hundred of its kind"))?)
}

/// All of it in these folders, outer places first.
fn look_through(folders: &[PathBuf]) -> Vec<(PathBuf, Kind)> {
    let mut found = Vec::new();
    let mut left: Vec<(PathBuf, Option<PathBuf>, usize)> =
        folders.iter().map(|folder| (folder.clone(), None, 0)).collect();
    while let Some((folder, judged, depth)) = left.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let entries: Vec<(OsString, fs::FileType)> =
            entries.flatten().filter_map(|entry| Some((entry.file_name(), entry.file_type().ok()?))).collect();
        let judged = judged.or_else(|| {
            is_git_directory(&entries).then(|| {
                found.push((folder.join("HEAD"), Kind::Loose));
                PathBuf::from(GIT)
            })
        });
        for (name, kind) in entries {
            let path = || folder.join(&name);
            let judged = match &judged {
                Some(judged) => judged.join(&name),
                None if may_be_closed(&name) => PathBuf::from(&name),
                None if kind.is_dir() => {
                    left.push((path(), None, depth + 1));
                    continue;
                }
                None => continue,
            };
            let closed = startup_file(&judged, GitDirectory::OpenForCommits);
            let is_git = closed.as_deref() == Some(GIT) && kind.is_dir();
            match closed {
                Some(_) if kind.is_symlink() => found.push((path(), Kind::Loose)),
                Some(_) if is_git => found.push((path(), Kind::Git)),
                Some(_) => {
                    found.push((path(), Kind::Closed));
                    continue;
                }
                None => {}
            }
            let is_in_git = startup_file(&judged, GitDirectory::Closed).is_some();
            let is_free = is_in_git && GIT_FREE.iter().any(|free| name == *free);
            if kind.is_dir() && depth < DEPTH && !is_free {
                let goes_on = is_in_git || leads_to_startup_files(&judged);
                left.push((path(), goes_on.then_some(judged), depth + 1));
            }
        }
    }
    found.sort();
    found
}

/// Whether a folder has what makes git take it for one of its directories, under any name.
fn is_git_directory(entries: &[(OsString, fs::FileType)]) -> bool {
    ["HEAD", "objects", "refs"].iter().all(|wanted| entries.iter().any(|(name, _)| name == wanted))
}

/// Whether a name is worth a closer look. Most are not, and there are many.
fn may_be_closed(name: &OsStr) -> bool {
    // Those without a dot before them: few.
    static NAMES: LazyLock<BTreeSet<&[u8]>> = LazyLock::new(|| {
        let first = PLACES.iter().filter_map(|place| place.first());
        first.filter(|name| !name.starts_with('.')).map(|name| name.as_bytes()).collect()
    });
    let bytes = name.as_encoded_bytes();
    let is_odd = |byte: &u8| !byte.is_ascii() || matches!(byte, b'~' | b':' | b'\\');
    let is_git = |end: &[u8]| end.eq_ignore_ascii_case(GIT.as_bytes());
    bytes.starts_with(b".")
        || matches!(bytes.last(), Some(b'.' | b' '))
        || bytes.last_chunk::<{ GIT.len() }>().is_some_and(|end| is_git(end))
        || bytes.iter().any(is_odd)
        || NAMES.iter().any(|known| bytes.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, each in the folders that its path names.
    fn folder_with(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap();
        files.iter().for_each(|file| make(&path.join(file)));
        (folder, path)
    }

    fn make(file: &Path) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "x").unwrap();
    }

    fn below<'p>(root: &Path, paths: impl IntoIterator<Item = &'p PathBuf>) -> Vec<String> {
        paths.into_iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn what_is_there_is_pinned_with_the_folders_around_it() {
        let (_folder, root) = folder_with(&[
            "a.txt",
            "src/main.rs",
            ".git/HEAD",
            ".git/config",
            ".git/hooks/pre-commit",
            ".git/objects/ab/config",
            ".git/refs/heads/hooks",
            ".git/modules/lib/config",
            "deep/er/.envrc",
            ".github/workflows/ci.yml",
            ".github/dependabot.yml",
        ]);
        let (_, pins) = take_stock(std::slice::from_ref(&root)).unwrap();
        let of = |writable: bool| {
            let pins: Vec<&PathBuf> = pins.iter().filter(|pin| pin.writable == writable).map(|pin| &pin.path).collect();
            below(&root, pins)
        };
        assert_eq!(
            of(false),
            [".git/config", ".git/hooks", ".git/modules/lib/config", ".github/workflows", "deep/er/.envrc"]
        );
        assert_eq!(of(true), [".git", ".git/modules", ".git/modules/lib", ".github", "deep", "deep/er"]);
    }

    #[test]
    fn what_is_new_is_set_aside_and_the_rest_stays() {
        let (_folder, root) = folder_with(&[".git/HEAD", ".git/config", ".envrc", "src/a.rs"]);
        std::os::unix::fs::symlink("nowhere", root.join(".vscode")).unwrap();
        let (before, _) = take_stock(std::slice::from_ref(&root)).unwrap();
        for file in [
            "src/.git/config",
            ".git/commondir",
            ".git/index",
            "src/.ENVRC",
            "src/b.rs",
            "bare/HEAD",
            "bare/objects/x",
            "bare/refs/x",
        ] {
            make(&root.join(file));
        }
        fs::remove_file(root.join(".vscode")).unwrap();
        std::os::unix::fs::symlink("src", root.join(".vscode")).unwrap();
        let found = set_aside(&before);
        assert_eq!(below(&root, &found), [".git/commondir", ".vscode", "bare/HEAD", "src/.ENVRC", "src/.git"]);
        for path in &found {
            assert!(path.symlink_metadata().is_err(), "{}", path.display());
        }
        for kept in [".git/index", ".envrc", "src/b.rs", "src/.git.set-aside/config", "bare/objects/x"] {
            assert!(root.join(kept).exists(), "{kept}");
        }
        assert_eq!(set_aside(&before), Vec::<PathBuf>::new());
    }

    #[test]
    fn links_are_not_followed() {
        let (_other, other) = folder_with(&[".envrc"]);
        let (_folder, root) = folder_with(&["a"]);
        std::os::unix::fs::symlink(&other, root.join("link")).unwrap();
        assert!(take_stock(&[root]).unwrap().1.is_empty());
    }
}
