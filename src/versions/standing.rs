//! Where the history stands: whether it is there, what `main` leads to, and what is known when it leads nowhere.

use std::{
    collections::HashSet,
    fs,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
    time::Duration,
};

use git2::{ErrorCode, Oid, Repository};

use super::{
    ObjectId, RecordedState, Versions, VersionsError, changes, objects,
    repository::{LOCK_PATIENCE, MAIN, is_denied},
    walk,
};

/// How much of the end of a log is read; a line is far shorter.
const LAST_LINES: u64 = 8192;

/// Where `main` of a history stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Main {
    /// There is no repository.
    Absent,
    /// A repository in which nothing was ever committed.
    Empty,
    /// At a commit that can be read.
    At(ObjectId),
    /// It is not there or leads nowhere, and something was committed once.
    Lost,
    /// At a commit that can't be read any more.
    Damaged {
        commit: ObjectId,
        why: String,
        /// Whether nothing says that there ever was such a commit.
        is_doubtful: bool,
    },
}

impl Versions {
    /// Where `main` stands.
    ///
    /// # Errors
    /// [`VersionsError::Git`] when that can't be known: the folder is something else, or may not be read.
    pub fn standing(&self) -> Result<Main, VersionsError> {
        match self.with(|repo| standing(repo, self.path())) {
            Err(VersionsError::Absent(_)) => Ok(Main::Absent),
            standing => standing,
        }
    }

    /// The newest commit that can be read, where `main` does not lead to it: the one that was indexed, what the log of the
    /// ref has, or what no other commit is built on. The log is believed before the rest where it goes on from `indexed`.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn newest_known(&self, indexed: Option<&str>) -> Result<Option<ObjectId>, VersionsError> {
        self.with(|repo| {
            let readable = |id: &Oid| is_readable(repo, *id);
            let indexed = indexed.and_then(|id| Oid::from_str(id).ok()).filter(readable);
            let logged = log(repo).into_iter().find(readable);
            let newest = match (indexed, logged) {
                (Some(indexed), Some(logged)) if walk::descends(repo, logged, indexed) => Some(logged),
                (Some(indexed), _) => Some(indexed),
                (None, logged) => logged,
            };
            let newest = newest.or_else(|| walk::tips(repo, &HashSet::new()).into_iter().next());
            Ok(newest.map(|id| id.to_string()))
        })
    }

    /// The newest commit of which all can be read: what nothing is built on comes first, and then what came before it.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn newest_whole(&self) -> Result<Option<ObjectId>, VersionsError> {
        self.with(|repo| {
            let found = walk::tips(repo, &HashSet::new()).into_iter().find_map(|tip| {
                let mut left = vec![tip];
                let mut seen = HashSet::new();
                while let Some(id) = left.pop() {
                    if walk::is_whole(repo, id) {
                        return Some(id);
                    }
                    if seen.insert(id)
                        && let Ok(commit) = objects::find_commit(repo, id)
                    {
                        left.extend(commit.parent_ids());
                    }
                }
                None
            });
            Ok(found.map(|id| id.to_string()))
        })
    }

    /// Whether all that a commit has can be read.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn is_whole(&self, commit: &str) -> Result<bool, VersionsError> {
        self.with(|repo| Ok(walk::is_whole(repo, Oid::from_str(commit)?)))
    }

    /// Whether a commit and its tree can be read.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn has_commit(&self, id: &str) -> Result<bool, VersionsError> {
        self.with(|repo| Ok(Oid::from_str(id).is_ok_and(|id| is_readable(repo, id))))
    }

    /// Whether a blob can be read.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn has_blob(&self, id: &str) -> Result<bool, VersionsError> {
        self.with(|repo| Ok(Oid::from_str(id).is_ok_and(|id| objects::find_blob(repo, id).is_ok())))
    }

    /// The procedures in a commit, with where their files are.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn procedures_at(&self, commit: &str) -> Result<Vec<(String, RecordedState)>, VersionsError> {
        let changes = self.with(|repo| {
            let tree = objects::tree_of(repo, &objects::find_commit(repo, Oid::from_str(commit)?)?)?;
            changes::between(repo, None, Some(&tree))
        })?;
        Ok(changes.into_iter().filter_map(|change| Some((change.name, change.state?))).collect())
    }

    /// Takes `main` away, which leads nowhere any more.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn drop_main(&self) -> Result<(), VersionsError> {
        self.with(|repo| self.when_unlocked(LOCK_PATIENCE, || repo.find_reference(MAIN)?.delete()))
    }

    /// Writes `main` anew, whatever is in its place. Who died while moving it may have left it locked, which is waited for no
    /// longer than `patience`.
    ///
    /// # Errors
    /// [`VersionsError::Locked`] or [`VersionsError::Git`].
    pub fn point_main_to(&self, commit: &str, patience: Duration) -> Result<(), VersionsError> {
        self.with(|repo| {
            let id = Oid::from_str(commit)?;
            if repo.refname_to_id(MAIN).is_err() {
                let file = repo.path().join(MAIN);
                if let Err(error) = fs::remove_file(&file)
                    && error.kind() != io::ErrorKind::NotFound
                {
                    return Err(git2::Error::from_str(&format!("`{}` can't be removed: {error}", file.display())));
                }
            }
            self.when_unlocked(patience, || repo.reference(MAIN, id, true, "repertoire: main was lost")).map(drop)
        })
    }
}

fn standing(repo: &Repository, path: &Path) -> Result<Main, git2::Error> {
    let named = match repo.refname_to_id(MAIN) {
        Ok(id) => Some(id),
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) if is_denied(&error) => return Err(error),
        Err(_) => return Ok(Main::Lost),
    };
    let logged = last_logged(path);
    let Some(id) = named else {
        let has_file = path.join(MAIN).symlink_metadata().is_ok();
        let is_empty = !has_file && logged.is_none() && !has_objects(repo)?;
        return Ok(if is_empty { Main::Empty } else { Main::Lost });
    };
    match objects::find_commit(repo, id).and_then(|commit| objects::tree_of(repo, &commit)) {
        // A ref that was removed may leave an older one in `packed-refs`; whoever moves `main` back writes its log.
        Ok(_) => match logged {
            Some(logged) if logged != id && is_readable(repo, logged) && walk::descends(repo, logged, id) => {
                Ok(Main::Lost)
            }
            _ => Ok(Main::At(id.to_string())),
        },
        Err(error) if is_denied(&error) => Err(error),
        // It names what never was.
        Err(error) if error.code() == ErrorCode::NotFound && logged.is_some_and(|logged| logged != id) => {
            Ok(Main::Lost)
        }
        Err(_) if id.is_zero() => Ok(Main::Lost),
        Err(error) => Ok(Main::Damaged {
            commit: id.to_string(),
            why: error.message().to_owned(),
            is_doubtful: error.code() == ErrorCode::NotFound && logged.is_none(),
        }),
    }
}

fn is_readable(repo: &Repository, id: Oid) -> bool {
    objects::find_commit(repo, id).is_ok_and(|commit| objects::tree_of(repo, &commit).is_ok())
}

/// Where `main` has been, newest first.
fn log(repo: &Repository) -> Vec<Oid> {
    let Ok(log) = repo.reflog(MAIN) else { return Vec::new() };
    log.iter().map(|entry| entry.id_new()).filter(|id| !id.is_zero()).collect()
}

/// Where `main` went last, read from the end of its log: all of it is long.
fn last_logged(path: &Path) -> Option<Oid> {
    let mut file = fs::File::open(path.join("logs").join(MAIN)).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LAST_LINES))).ok()?;
    let mut end = Vec::with_capacity(length.min(LAST_LINES).try_into().unwrap_or_default());
    file.take(LAST_LINES).read_to_end(&mut end).ok()?;
    let end = String::from_utf8_lossy(&end);
    let id = end.trim_end().lines().next_back()?.split(' ').nth(1)?;
    Oid::from_str(id).ok().filter(|id| !id.is_zero())
}

fn has_objects(repo: &Repository) -> Result<bool, git2::Error> {
    let mut found = false;
    let looked = repo.odb()?.foreach(|_| {
        found = true;
        false
    });
    match looked {
        Err(error) if !found && error.code() != ErrorCode::User => Err(error),
        _ => Ok(found),
    }
}
