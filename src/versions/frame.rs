//! What makes a folder a repository, beside the commits in it: a few files and folders that are always the same.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use git2::Repository;

const HEAD: &str = "HEAD";
const HEAD_TEXT: &str = "ref: refs/heads/main\n";
const CONFIG: &str = "config";
const CONFIG_TEXT: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\
                           \tlogallrefupdates = true\n[receive]\n\tdenyNonFastForwards = true\n\tdenyDeletes = true\n";
const FOLDERS: [&str; 3] = ["objects", "refs", "refs/heads"];

/// Puts back what is missing or no longer what it must be; what it replaces is kept beside it. `false` when nothing was
/// to be done, or the folder was never a repository.
pub fn mend(path: &Path) -> bool {
    if is_whole(path) && Repository::open_bare(path).is_ok() {
        return false;
    }
    let was_one =
        ["objects", "refs", "packed-refs", "logs", "repertoire.config"].iter().any(|name| path.join(name).exists());
    was_one
        && try_mend(path).unwrap_or_else(|error| {
            tracing::warn!(%error, repository = %path.display(), "the repository can't be put right");
            false
        })
}

fn try_mend(path: &Path) -> io::Result<bool> {
    let mut is_mended = false;
    for folder in FOLDERS.map(|name| path.join(name)) {
        if !folder.is_dir() {
            set_aside(&folder)?;
            fs::create_dir_all(&folder)?;
            is_mended = true;
        }
    }
    let head = path.join(HEAD);
    if !is_head(&head) {
        set_aside(&head)?;
        fs::write(&head, HEAD_TEXT)?;
        is_mended = true;
    }
    let config = path.join(CONFIG);
    if git2::Config::open(&config).and_then(|config| config.get_bool("core.bare")).is_err() {
        set_aside(&config)?;
        fs::write(&config, CONFIG_TEXT)?;
        is_mended = true;
    }
    if is_mended {
        tracing::warn!(repository = %path.display(), "the repository lacked what makes it one, which was put back");
    }
    Ok(is_mended)
}

/// Whether all is there but for the configuration.
pub fn is_whole(path: &Path) -> bool {
    is_head(&path.join(HEAD)) && FOLDERS.iter().all(|folder| path.join(folder).is_dir())
}

fn is_head(file: &Path) -> bool {
    fs::read_to_string(file)
        .is_ok_and(|text| text.starts_with("ref: refs/") && text.trim_end().len() > "ref: refs/".len())
}

fn set_aside(file: &Path) -> io::Result<()> {
    let kept: PathBuf = {
        let mut name = file.as_os_str().to_owned();
        name.push(".broken");
        name.into()
    };
    match fs::rename(file, kept) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
