//! Where a path leads, and whether what is there may be changed.

use std::{
    collections::VecDeque,
    io::{Error, ErrorKind},
    path::{Component, Path, PathBuf},
};

use cap_fs_ext::DirExt as _;
use cap_std::fs::Dir;

use super::{Folder, Refusal};
use crate::domain::startup_files::{GitDirectory, leads_to_startup_files, makes_git_directory, startup_file};

/// As many links in one path as Linux follows.
const MAX_LINKS: usize = 40;
/// What file systems take.
const MAX_PATH_BYTES: usize = 4096;
const MAX_NAME_BYTES: usize = 255;
const MAX_DEPTH: usize = 64;

/// A place in a folder: real names from the folder on, none of them a link.
pub struct Place {
    names: Vec<String>,
    /// As code wrote it, for messages.
    pub shown: String,
}

/// What is to be done at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A file's content: a link is followed.
    Content,
    /// The name itself.
    Name,
    /// The name, for what is brought there from elsewhere.
    Target,
}

impl Folder {
    /// Finds where `path` leads, and refuses what is closed there.
    pub(super) fn place(&self, path: &str, wanted: Use) -> Result<Place, Refusal> {
        let io = |kind, text: &str| Refusal::Io(Error::new(kind, text), path.to_owned());
        if path.contains('\0') {
            return Err(Refusal::NullByte);
        }
        let below = self.below(path).unwrap_or_default();
        let mut ahead: VecDeque<String> = below.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if path.len() > MAX_PATH_BYTES
            || ahead.len() > MAX_DEPTH
            || ahead.iter().any(|name| name.len() > MAX_NAME_BYTES)
        {
            return Err(io(ErrorKind::InvalidFilename, "File name too long"));
        }
        self.judge(&[], &ahead, path, wanted)?;
        let (mut names, mut links): (Vec<String>, usize) = (Vec::new(), 0);
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                names.pop().ok_or_else(|| io(ErrorKind::PermissionDenied, "out of the folder"))?;
                continue;
            }
            names.push(name);
            let is_followed = !ahead.is_empty() || wanted == Use::Content;
            let here: PathBuf = names.iter().collect();
            let is_link = self.dir.symlink_metadata(&here).is_ok_and(|metadata| metadata.is_symlink());
            if !is_followed || !is_link {
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(io(ErrorKind::Other, "Too many levels of symbolic links"));
            }
            let target = self.dir.read_link_contents(&here).map_err(|error| Refusal::Io(error, path.to_owned()))?;
            names.pop();
            for part in target.components().rev() {
                match part {
                    Component::Normal(part) => ahead.push_front(part.to_string_lossy().into_owned()),
                    Component::ParentDir => ahead.push_front("..".to_owned()),
                    Component::CurDir => {}
                    Component::RootDir | Component::Prefix(_) => {
                        return Err(io(ErrorKind::PermissionDenied, "out of the folder"));
                    }
                }
            }
            self.judge(&names, &ahead, path, wanted)?;
        }
        Ok(Place { names, shown: path.to_owned() })
    }

    /// Refuses what the names, and those ahead, say is closed.
    fn judge(&self, names: &[String], ahead: &VecDeque<String>, shown: &str, wanted: Use) -> Result<(), Refusal> {
        let mut path = PathBuf::from(&self.path);
        path.extend(names);
        for name in ahead {
            if name == ".." {
                path.pop();
            } else {
                path.push(name);
            }
        }
        let closed = |below: &Path| {
            startup_file(below, GitDirectory::Closed)
                .or_else(|| (wanted != Use::Name && makes_git_directory(below)).then(|| "HEAD".to_owned()))
                .or_else(|| {
                    (wanted == Use::Target && leads_to_startup_files(below)).then(|| below.display().to_string())
                })
        };
        let mut part = None;
        let folder = PathBuf::from(&self.path);
        let has_grant = self.grants_of(&path).next().is_some();
        let fallback = (!has_grant).then_some(&folder);
        for grant in self.grants_of(&path).chain(fallback) {
            part = closed(path.strip_prefix(grant).unwrap_or(&path));
            if part.is_none() {
                // One of the grants reaches there.
                return Ok(());
            }
        }
        part.map_or(Ok(()), |part| Err(Refusal::Closed(shown.to_owned(), part)))
    }

    /// The grants that a path lies in.
    fn grants_of<'g>(&'g self, path: &'g Path) -> impl Iterator<Item = &'g PathBuf> {
        self.grants.iter().filter(move |grant| path.starts_with(grant))
    }

    /// The folder in which a place lies, come to without following a link, and its name there.
    pub(super) fn parent<'p>(&self, place: &'p Place, makes: bool) -> Result<(Dir, &'p str), Refusal> {
        let io = |error| Refusal::Io(error, place.shown.clone());
        let Some((name, parents)) = place.names.split_last() else {
            return Err(io(Error::new(ErrorKind::PermissionDenied, "the folder itself")));
        };
        let mut dir = self.dir.try_clone().map_err(io)?;
        let mut path = PathBuf::from(&self.path);
        self.check_store(&dir, &path, place)?;
        for part in parents {
            dir = match dir.open_dir_nofollow(part) {
                Err(error) if makes && error.kind() == ErrorKind::NotFound => {
                    dir.create_dir(part)
                        .or_else(|error| match error.kind() {
                            ErrorKind::AlreadyExists => Ok(()),
                            _ => Err(error),
                        })
                        .map_err(io)?;
                    dir.open_dir_nofollow(part).map_err(io)?
                }
                opened => opened.map_err(io)?,
            };
            path.push(part);
            self.check_store(&dir, &path, place)?;
        }
        Ok((dir, name))
    }

    /// Refuses a folder that git would take for one of its directories, whatever its name, unless a grant names it.
    fn check_store(&self, dir: &Dir, path: &Path, place: &Place) -> Result<(), Refusal> {
        let has = |name: &str| dir.symlink_metadata(name).is_ok();
        let is_store = has("HEAD") && (has("objects") || has("commondir"));
        if !is_store {
            return Ok(());
        }
        let whole: PathBuf = Path::new(&self.path).join(place.names.iter().collect::<PathBuf>());
        if self.grants_of(&whole).any(|grant| grant.starts_with(path)) {
            return Ok(());
        }
        Err(Refusal::Closed(place.shown.clone(), path.display().to_string()))
    }
}
