//! The only code that opens and writes the git repository.
//!
//! libgit2 runs no hooks and signs nothing, and author and committer are always given here, so nothing depends on the
//! user's git configuration. Objects and refs are written with fsync.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use git2::{Commit, ConfigLevel, ErrorClass, ErrorCode, Oid, Repository, RepositoryInitOptions, Signature};

use super::{
    CommitRecord, NewCommit, ObjectId, RecordedChange, RecordedState, VersionsError,
    author::{PROGRAM, PROGRAM_ADDRESS},
    frame, objects, text, trailers, trees, walk,
};

pub(super) const MAIN: &str = "refs/heads/main";
/// A lock of a process that died. git's own updates of a ref hold it for milliseconds.
const STALE_LOCK_AGE: Duration = Duration::from_secs(10);
/// How long a write waits for a lock: until one that was left behind just before counts as stale.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(12);
const LOCK_RETRY_PAUSE: Duration = Duration::from_millis(5);

/// Which folder a path leads to: it may be taken away and another put in its place while a process has it open.
type Identity = (u64, u64);

struct Opened {
    repo: Repository,
    identity: Identity,
}

/// The procedure history: save, read, list what changed.
pub struct Versions {
    path: PathBuf,
    opened: Mutex<Option<Opened>>,
}

impl Versions {
    /// The bare repository at `path`, which is opened when it is first needed, and again when another stands in its place.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path, opened: Mutex::new(None) }
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the repository where there is none. Of several processes only one at a time may do so.
    ///
    /// # Errors
    /// [`VersionsError::Git`] when the folder is something else or can't be written.
    pub fn create(&self) -> Result<(), VersionsError> {
        create(&self.path).map(drop).map_err(|error| git_error(&self.path, &error))
    }

    /// The commit that `main` points to, if there is one.
    ///
    /// # Errors
    /// [`VersionsError::Absent`] or [`VersionsError::Git`].
    pub fn head(&self) -> Result<Option<ObjectId>, VersionsError> {
        self.with(|repo| match repo.refname_to_id(MAIN) {
            Ok(id) => Ok(Some(id.to_string())),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Makes one commit on top of `parent` and moves `main` to it, if `main` still is at `parent`. `Ok(None)` means
    /// that somebody else was faster: look again and retry.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn commit(&self, parent: Option<&str>, new: &NewCommit<'_>) -> Result<Option<CommitRecord>, VersionsError> {
        self.with(|repo| {
            let parent_id = parent.map(Oid::from_str).transpose()?;
            let parent_commit = parent_id.map(|id| objects::find_commit(repo, id)).transpose()?;
            let old_tree = parent_commit.as_ref().map(|commit| objects::tree_of(repo, commit)).transpose()?;
            let (tree, changes) = trees::apply(repo, old_tree.as_ref(), new.changes)?;
            let committer = Signature::now(PROGRAM, PROGRAM_ADDRESS)?;
            let author = Signature::new(&new.author.name(), &new.author.address(), &committer.when())?;
            let message = trailers::format_message(new.subject, new.annotation);
            let parents: Vec<&Commit<'_>> = parent_commit.iter().collect();
            let id = repo.commit(None, &author, &committer, &message, &repo.find_tree(tree)?, &parents)?;
            objects::written(repo, id);
            if !self.move_main(repo, parent_id, id, new.subject)? {
                return Ok(None);
            }
            let (subject, annotation) = trailers::parse_message(&message);
            Ok(Some(CommitRecord {
                id: id.to_string(),
                subject,
                author: walk::name(&author),
                committed_at: committer.when().seconds(),
                annotation,
                changes,
                is_whole: true,
            }))
        })
    }

    /// Every commit that `to` has and `from` has not, ancestors first, with what each changed against its parents. What
    /// can't be read any more is passed over.
    ///
    /// # Errors
    /// [`VersionsError::Diverged`] when `to` does not descend from `from`.
    pub fn commits_between(&self, from: Option<&str>, to: &str) -> Result<Vec<CommitRecord>, VersionsError> {
        let found = self.with(|repo| {
            let (from, to) = (from.map(Oid::from_str).transpose()?, Oid::from_str(to)?);
            if from.is_some_and(|from| !walk::descends(repo, to, from)) {
                return Ok(None);
            }
            walk::commits(repo, from, to).map(Some)
        })?;
        found.ok_or_else(|| VersionsError::Diverged(from.unwrap_or_default().to_owned()))
    }

    /// The text of a blob, without the byte-order mark that some editors begin it with.
    ///
    /// # Errors
    /// [`VersionsError::NotText`] when it is not UTF-8, [`VersionsError::Unreadable`] when it is gone or damaged.
    pub fn read(&self, id: &str) -> Result<String, VersionsError> {
        let found = self.with(|repo| match Oid::from_str(id).and_then(|id| objects::find_blob(repo, id)) {
            Ok(blob) => Ok(Ok(blob.content().to_vec())),
            Err(error) if is_denied(&error) => Err(error),
            Err(error) => Ok(Err(error.message().to_owned())),
        })?;
        let bytes = found.map_err(|why| VersionsError::Unreadable { id: id.to_owned(), why })?;
        text::decode(bytes).map_err(|why| VersionsError::NotText { id: id.to_owned(), why })
    }

    /// Lines that a change added and removed, over both files.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn changed_lines(&self, change: &RecordedChange) -> Result<(u32, u32), VersionsError> {
        self.with(|repo| {
            let (old, new) = (change.before.as_ref(), change.state.as_ref());
            let definition = |state: Option<&RecordedState>| state.map(|state| state.definition.clone());
            let code = |state: Option<&RecordedState>| state.and_then(|state| state.code.clone());
            let (added, removed) = walk::blob_lines(repo, definition(old), definition(new))?;
            let (more_added, more_removed) = walk::blob_lines(repo, code(old), code(new))?;
            Ok((added + more_added, removed + more_removed))
        })
    }

    /// Moves `main` from `from` to `to`. `false` when it was not at `from` any more.
    fn move_main(&self, repo: &Repository, from: Option<Oid>, to: Oid, why: &str) -> Result<bool, git2::Error> {
        let moved = self.when_unlocked(LOCK_PATIENCE, || match from {
            Some(from) => repo.reference_matching(MAIN, to, true, from, why),
            None => repo.reference(MAIN, to, false, why),
        });
        match moved {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Exists) => Ok(false),
            Err(error) if error.code() == ErrorCode::NotFound && from.is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Changes `main`, and waits for who has it locked no longer than `patience`. A lock of a process that died goes.
    pub(super) fn when_unlocked<T>(
        &self,
        patience: Duration,
        mut change: impl FnMut() -> Result<T, git2::Error>,
    ) -> Result<T, git2::Error> {
        let started = Instant::now();
        loop {
            match change() {
                Err(error) if error.code() == ErrorCode::Locked => {
                    self.remove_stale_lock();
                    if started.elapsed() > patience {
                        return Err(error);
                    }
                    std::thread::sleep(LOCK_RETRY_PAUSE);
                }
                changed => return changed,
            }
        }
    }

    fn remove_stale_lock(&self) {
        let lock = self.path.join(format!("{MAIN}.lock"));
        let made = fs::metadata(&lock).and_then(|metadata| metadata.modified()).ok();
        // A clock that went back makes files of the future: nobody is writing that one either.
        let age = made.map(|at| at.elapsed().unwrap_or_else(|ahead| ahead.duration()));
        let is_stale = age.is_some_and(|age| age > STALE_LOCK_AGE);
        if is_stale && fs::remove_file(&lock).is_ok() {
            tracing::warn!(lock = %lock.display(), "removed the stale lock of a process that died");
        }
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&Repository) -> Result<T, git2::Error>) -> Result<T, VersionsError> {
        let mut slot = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = identity(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => VersionsError::Absent(self.path.as_path().into()),
            _ => git_error(&self.path, &git2::Error::from_str(&error.to_string())),
        })?;
        let opened = match slot.take() {
            Some(opened) if opened.identity == identity => opened,
            _ => Opened { repo: open(&self.path)?, identity },
        };
        let done = work(&opened.repo).map_err(|error| git_error(&self.path, &error));
        *slot = Some(opened);
        done
    }
}

/// Opens a repository that is there, such that what is written to it survives a power cut.
pub(super) fn open_durable(path: &Path) -> Result<Repository, git2::Error> {
    let repo = Repository::open_bare(path)?;
    write_durably(&repo)?;
    Ok(repo)
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// A folder that a process has open can't be replaced here.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|_| (0, 0))
}

/// Opens the repository, whose frame is put right where it lacks something that says nothing.
fn open(path: &Path) -> Result<Repository, VersionsError> {
    let wrap = |error: git2::Error| git_error(path, &error);
    let is_empty = path.is_dir() && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        return Err(VersionsError::Absent(path.into()));
    }
    if !frame::is_whole(path) {
        frame::mend(path);
    }
    let repo = match Repository::open_bare(path) {
        Ok(repo) => repo,
        Err(error) if is_denied(&error) || !frame::mend(path) => return Err(wrap(error)),
        Err(_) => Repository::open_bare(path).map_err(wrap)?,
    };
    write_durably(&repo).map_err(wrap)?;
    Ok(repo)
}

pub(super) fn git_error(path: &Path, error: &git2::Error) -> VersionsError {
    if error.code() == ErrorCode::Locked {
        return VersionsError::Locked { path: path.into(), message: error.message().to_owned() };
    }
    VersionsError::Git { path: path.into(), message: error.message().to_owned(), is_full: is_unwritable(error) }
}

fn is_unwritable(error: &git2::Error) -> bool {
    let signs = ["o space left", "ead-only file system", "uota exceeded", "ermission denied"];
    error.class() == ErrorClass::Os && signs.iter().any(|sign| error.message().contains(sign))
}

pub(super) fn create(path: &Path) -> Result<Repository, git2::Error> {
    // git makes folders with the rights that most files get, and this one is its user's alone.
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path).map_err(|error| git2::Error::from_str(&error.to_string()))?;
    let mut options = RepositoryInitOptions::new();
    options.bare(true).mkpath(true).initial_head("main").external_template(false);
    let repo = Repository::init_opts(path, &options)?;
    let mut config = repo.config()?;
    config.set_bool("core.logAllRefUpdates", true)?;
    config.set_bool("receive.denyNonFastForwards", true)?;
    config.set_bool("receive.denyDeletes", true)?;
    drop(config);
    Repository::open_bare(path)
}

/// Makes libgit2 sync every object and ref that it writes, so that an answered change survives a power cut. It knows the
/// setting by a name that git itself has given up and warns about, so it is kept where git does not look.
pub(super) fn write_durably(repo: &Repository) -> Result<(), git2::Error> {
    let file = repo.path().join("repertoire.config");
    let text = "[core]\n\tfsyncObjectFiles = true\n";
    if fs::read_to_string(&file).ok().as_deref() != Some(text)
        && let Err(error) = fs::write(&file, text)
    {
        // Where nothing can be written, nothing will be.
        tracing::debug!(%error, "the setting for syncing can't be written");
        return Ok(());
    }
    repo.config()?.add_file(&file, ConfigLevel::App, true)
}

/// Whether the system does not let this process look: then nothing is known.
pub fn is_denied(error: &git2::Error) -> bool {
    error.class() == ErrorClass::Os && error.message().contains("ermission denied")
}
