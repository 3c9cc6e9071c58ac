//! Files of other programs, written so that nothing is lost: through links, all at once, with their rights, and never
//! over what somebody wrote in between.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Added to the name of a file for the copy of what it was.
const SUFFIX: &str = ".before-repertoire";
/// Copies that there may be of a file.
const MOST_COPIES: usize = 99;

/// What is in a file; `None` where there is none.
pub fn read(file: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !file.is_symlink() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fails where a file is not to be written, before anything is made for it.
pub fn check_writable(file: &Path) -> io::Result<()> {
    if fs::metadata(file)?.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    Ok(())
}

/// Keeps what is in `file` beside it, unless a copy has just that; returns the copy that was made.
pub fn keep_copy(file: &Path, bytes: &[u8]) -> io::Result<Option<PathBuf>> {
    let name = file.file_name().unwrap_or_default().to_owned();
    for number in 1..=MOST_COPIES {
        let mut copy = name.clone();
        copy.push(SUFFIX);
        if number > 1 {
            copy.push(format!("-{number}"));
        }
        let copy = file.with_file_name(copy);
        match fs::OpenOptions::new().write(true).create_new(true).open(&copy) {
            Ok(mut created) => {
                // What only its owner may read stays so.
                created.set_permissions(fs::metadata(file)?.permissions())?;
                created.write_all(bytes)?;
                created.sync_all()?;
                return Ok(Some(copy));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if fs::read(&copy).is_ok_and(|there| there == bytes) {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("there are {MOST_COPIES} copies of it already")))
}

/// Makes the folders that a file needs; returns those that were not there, the outermost first.
pub fn make_folders(file: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = file.ancestors().skip(1).take_while(|folder| !folder.exists());
    let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    missing.reverse();
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(missing)
}

/// Puts `bytes` into a file in place of `before`.
///
/// # Errors
/// What the system refuses, and when the file is read-only or has something else in it than `before`.
pub fn replace(file: &Path, before: Option<&[u8]>, bytes: &[u8]) -> io::Result<()> {
    // A link stays, and what it leads to is replaced.
    let target = if before.is_some() { fs::canonicalize(file)? } else { file.to_owned() };
    let folder = target.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".repertoire-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut temporary = builder.tempfile_in(folder)?;
    if before.is_some() {
        check_writable(&target)?;
        temporary.as_file().set_permissions(fs::metadata(&target)?.permissions())?;
    }
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    if read(file)?.as_deref() != before {
        return Err(io::Error::other("another program changed it just now"));
    }
    temporary.persist(&target)?;
    Ok(())
}

/// Removes a file, and of `folders` those that are empty then.
pub fn remove(file: &Path, folders: &[PathBuf]) -> io::Result<()> {
    fs::remove_file(file)?;
    for folder in folders.iter().rev() {
        // One that has something else in it stays.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}
