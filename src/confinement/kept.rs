//! Where nothing can be pinned: what other programs execute is copied before a program runs in folders that it may write, and
//! put back when it has ended, as it was.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use super::closed::{Pin, rename_away};

/// The folder of copies in the private one, and the list of what they are copies of.
const COPIES: &str = "kept";
const LIST: &str = "kept.json";
/// The most that is copied; more of it is in no folder that somebody grants with care.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Copies what is closed of `pins` into the private folder.
///
/// # Errors
/// What the system says, and that it is too much.
pub fn keep(pins: &[Pin], private: &Path) -> io::Result<()> {
    // Nobody executes a pipe or a socket.
    let is_there = |path: &&Path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() || metadata.is_dir());
    let paths = pins.iter().filter(|pin| !pin.writable).map(|pin| &*pin.path);
    let paths: Vec<&Path> = paths.filter(is_there).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let copies = private.join(COPIES);
    fs::create_dir(&copies)?;
    let mut left = MOST_BYTES;
    for (index, path) in paths.iter().enumerate() {
        let at =
            |error: io::Error| io::Error::new(error.kind(), format!("`{}` can't be kept: {error}", path.display()));
        copy(path, &copies.join(index.to_string()), &mut left).map_err(at)?;
    }
    fs::write(private.join(LIST), serde_json::to_vec(&paths)?)
}

/// Puts back what is there no more as it was, in these folders; what came in its place gets another name. Returns what that
/// was called.
pub fn put_back(private: &Path, folders: &[PathBuf]) -> Vec<PathBuf> {
    let list = fs::read(private.join(LIST)).ok().and_then(|text| serde_json::from_slice::<Vec<PathBuf>>(&text).ok());
    let mut changed = Vec::new();
    for (index, path) in list.unwrap_or_default().into_iter().enumerate() {
        let copy = private.join(COPIES).join(index.to_string());
        if is_same(&copy, &path) && is_reached(&path, folders) {
            continue;
        }
        if let Err(error) = put(&copy, &path, folders) {
            tracing::warn!(path = %path.display(), %error, "what other programs execute can't be put back");
        }
        changed.push(path);
    }
    changed
}

fn put(kept: &Path, path: &Path, folders: &[PathBuf]) -> io::Result<()> {
    for folder in around(path, folders).into_iter().rev() {
        match folder.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => continue,
            Ok(_) => rename_away(folder)?,
            Err(_) => {}
        }
        fs::create_dir(folder)?;
    }
    if path.symlink_metadata().is_ok() {
        rename_away(path)?;
    }
    copy(kept, path, &mut { u64::MAX })
}

/// The folders around `path`, inner ones first, up to the one that is granted.
fn around<'p>(path: &'p Path, folders: &[PathBuf]) -> Vec<&'p Path> {
    path.ancestors().skip(1).take_while(|outer| !folders.iter().any(|folder| folder == outer)).collect()
}

/// Whether no link leads there.
fn is_reached(path: &Path, folders: &[PathBuf]) -> bool {
    around(path, folders).iter().all(|folder| folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()))
}

fn copy(from: &Path, to: &Path, left: &mut u64) -> io::Result<()> {
    let metadata = from.symlink_metadata()?;
    if metadata.is_symlink() {
        return symlink(fs::read_link(from)?, to);
    }
    if metadata.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()), left)?;
        }
        return fs::set_permissions(to, metadata.permissions());
    }
    if !metadata.is_file() {
        return Ok(());
    }
    *left = left.checked_sub(metadata.len()).ok_or_else(|| {
        io::Error::other(format!(
            "the writable folders hold more than {} MiB of what other programs execute; grant smaller ones",
            MOST_BYTES / (1024 * 1024)
        ))
    })?;
    fs::copy(from, to)?;
    Ok(())
}

/// Whether two trees are alike, down to what may be executed.
fn is_same(one: &Path, other: &Path) -> bool {
    let (Ok(first), Ok(second)) = (one.symlink_metadata(), other.symlink_metadata()) else { return false };
    if first.is_symlink() || second.is_symlink() {
        return matches!((fs::read_link(one), fs::read_link(other)), (Ok(first), Ok(second)) if first == second);
    }
    if first.permissions().mode() != second.permissions().mode() {
        return false;
    }
    if first.is_dir() {
        let names = |folder: &Path| {
            let mut names: Vec<_> =
                fs::read_dir(folder)?.flatten().filter(is_kept).map(|entry| entry.file_name()).collect();
            names.sort();
            Ok::<_, io::Error>(names)
        };
        let (Ok(first), Ok(second)) = (names(one), names(other)) else { return false };
        return first == second && first.iter().all(|name| is_same(&one.join(name), &other.join(name)));
    }
    first.len() == second.len()
        && matches!((fs::read(one), fs::read(other)), (Ok(first), Ok(second)) if first == second)
}

/// Whether a copy has it, too.
fn is_kept(entry: &fs::DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_dir() || kind.is_symlink())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confinement::closed;

    #[test]
    fn what_was_changed_is_put_back_and_the_change_is_still_there() {
        let (private, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = fs::canonicalize(folder.path()).unwrap();
        for (name, text) in [(".envrc", "a"), ("sub/.git/config", "b"), (".vscode/tasks.json", "c"), (".npmrc", "d")] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), text).unwrap();
        }
        let folders = [root.clone()];
        keep(&closed::take_stock(&folders).unwrap().1, private.path()).unwrap();
        assert_eq!(put_back(private.path(), &folders), Vec::<PathBuf>::new());
        fs::write(root.join(".envrc"), "pwned").unwrap();
        fs::write(root.join(".vscode/more.json"), "pwned").unwrap();
        fs::set_permissions(root.join(".npmrc"), fs::Permissions::from_mode(0o777)).unwrap();
        // The same text by way of a link is another file tomorrow.
        fs::rename(root.join("sub"), root.join("moved")).unwrap();
        symlink("moved", root.join("sub")).unwrap();
        let mut changed = put_back(private.path(), &folders);
        changed.sort();
        let expected = [".envrc", ".npmrc", ".vscode", "sub/.git/config"].map(|name| root.join(name));
        assert_eq!(changed, expected);
        let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        assert_eq!((read(".envrc"), read(".envrc.set-aside")), ("a".to_owned(), "pwned".to_owned()));
        assert_eq!((read("sub/.git/config"), read(".vscode/tasks.json")), ("b".to_owned(), "c".to_owned()));
        assert!(!root.join(".vscode/more.json").exists() && !root.join("sub").is_symlink());
        assert_eq!(put_back(private.path(), &folders), Vec::<PathBuf>::new());
    }
}
