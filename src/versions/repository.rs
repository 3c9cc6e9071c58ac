//! The only code that opens and writes the git repository.
//!
//! libgit2 runs no hooks and signs nothing, and author and committer are always given here, so nothing depends on the
//! user's git configuration. Objects and refs are written with fsync.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use git2::{
    Commit, ConfigLevel, ErrorCode, FileMode, Oid, Patch, Repository, RepositoryInitOptions, Signature, Sort, Time,
    Tree, TreeBuilder,
};

use super::{
    CommitRecord, Files, NewCommit, ObjectId, ProcedureChange, RecordedChange, RecordedState, VersionsError,
    author::{PROGRAM, PROGRAM_ADDRESS},
    changes::{self, CODE_FILE, DEFINITION_FILE, ROOT},
    trailers,
};

const MAIN: &str = "refs/heads/main";
/// A lock of a process that died. git's own updates of a ref hold it for milliseconds.
const STALE_LOCK_AGE: Duration = Duration::from_secs(10);
const LOCK_RETRY_PAUSE: Duration = Duration::from_millis(5);

/// The procedure history: save, read, list what changed.
pub struct Versions {
    path: PathBuf,
    repo: Mutex<Repository>,
}

impl Versions {
    /// Opens the bare repository at `path`, or makes it. Of several processes only one at a time may do so.
    ///
    /// # Errors
    /// [`VersionsError::Git`] when the folder is something else or can't be written.
    pub fn open(path: &Path) -> Result<Self, VersionsError> {
        let wrap = |error: git2::Error| git_error(path, &error);
        let repo = match Repository::open_bare(path) {
            Ok(repo) => repo,
            Err(error) if error.code() == ErrorCode::NotFound => create(path).map_err(wrap)?,
            Err(error) => return Err(wrap(error)),
        };
        write_durably(&repo).map_err(wrap)?;
        Ok(Self { path: path.to_owned(), repo: Mutex::new(repo) })
    }

    /// The commit that `main` points to, if there is one.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn head(&self) -> Result<Option<ObjectId>, VersionsError> {
        self.with(|repo| Ok(head_id(repo)?.map(|id| id.to_string())))
    }

    /// Makes one commit on top of `parent` and moves `main` to it, if `main` still is at `parent`. `Ok(None)` means
    /// that somebody else was faster: look again and retry.
    ///
    /// # Errors
    /// [`VersionsError::Git`].
    pub fn commit(&self, parent: Option<&str>, new: &NewCommit<'_>) -> Result<Option<CommitRecord>, VersionsError> {
        self.with(|repo| {
            let parent_id = parent.map(Oid::from_str).transpose()?;
            let parent_commit = parent_id.map(|id| repo.find_commit(id)).transpose()?;
            let old_tree = parent_commit.as_ref().map(Commit::tree).transpose()?;
            let (tree, changes) = apply(repo, old_tree.as_ref(), new.changes)?;
            let committer = Signature::now(PROGRAM, PROGRAM_ADDRESS)?;
            let author = Signature::new(&new.author.name(), &new.author.address(), &committer.when())?;
            let message = trailers::format_message(new.subject, new.annotation);
            let parents: Vec<&Commit<'_>> = parent_commit.iter().collect();
            let id = repo.commit(None, &author, &committer, &message, &repo.find_tree(tree)?, &parents)?;
            if !self.move_main(repo, parent_id, id, new.subject)? {
                return Ok(None);
            }
            let (subject, annotation) = trailers::parse_message(&message);
            Ok(Some(CommitRecord {
                id: id.to_string(),
                subject,
                author: name(&author),
                committed_at: committer.when().seconds(),
                annotation,
                changes,
            }))
        })
    }

    /// Every commit that `to` has and `from` has not, ancestors first, with what each changed against its parents.
    ///
    /// # Errors
    /// [`VersionsError::Diverged`] when `to` does not descend from `from`.
    pub fn commits_between(&self, from: Option<&str>, to: &str) -> Result<Vec<CommitRecord>, VersionsError> {
        let diverged = || VersionsError::Diverged(from.unwrap_or_default().to_owned());
        let descends = self.with(|repo| {
            let Some(from) = from else { return Ok(true) };
            let (from, to) = (Oid::from_str(from)?, Oid::from_str(to)?);
            Ok(from == to || (repo.find_commit(from).is_ok() && repo.graph_descendant_of(to, from)?))
        })?;
        if !descends {
            return Err(diverged());
        }
        self.with(|repo| {
            let mut walk = repo.revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
            walk.push(Oid::from_str(to)?)?;
            if let Some(from) = from {
                walk.hide(Oid::from_str(from)?)?;
            }
            walk.map(|id| record(repo, &repo.find_commit(id?)?)).collect()
        })
    }

    /// The text of a blob.
    ///
    /// # Errors
    /// [`VersionsError::NotText`] when it is not UTF-8.
    pub fn read(&self, id: &str) -> Result<String, VersionsError> {
        let bytes = self.with(|repo| Ok(repo.find_blob(Oid::from_str(id)?)?.content().to_vec()))?;
        String::from_utf8(bytes).map_err(|_| VersionsError::NotText(id.to_owned()))
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
            let (added, removed) = blob_lines(repo, definition(old), definition(new))?;
            let (more_added, more_removed) = blob_lines(repo, code(old), code(new))?;
            Ok((added + more_added, removed + more_removed))
        })
    }

    /// Moves `main` from `from` to `to`. `false` when it was not at `from` any more.
    fn move_main(&self, repo: &Repository, from: Option<Oid>, to: Oid, why: &str) -> Result<bool, git2::Error> {
        let started = SystemTime::now();
        loop {
            let moved = match from {
                Some(from) => repo.reference_matching(MAIN, to, true, from, why),
                None => repo.reference(MAIN, to, false, why),
            };
            match moved {
                Ok(_) => return Ok(true),
                Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Exists) => return Ok(false),
                Err(error) if error.code() == ErrorCode::NotFound && from.is_some() => return Ok(false),
                Err(error) if error.code() == ErrorCode::Locked => {
                    self.remove_stale_lock();
                    if started.elapsed().is_ok_and(|waited| waited > 2 * STALE_LOCK_AGE) {
                        return Err(error);
                    }
                    std::thread::sleep(LOCK_RETRY_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn remove_stale_lock(&self) {
        let lock = self.path.join(format!("{MAIN}.lock"));
        let age = fs::metadata(&lock).and_then(|metadata| metadata.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > STALE_LOCK_AGE) && fs::remove_file(&lock).is_ok() {
            tracing::warn!(lock = %lock.display(), "removed the stale lock of a process that died");
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Repository) -> Result<T, git2::Error>) -> Result<T, VersionsError> {
        let repo: MutexGuard<'_, Repository> = self.repo.lock().unwrap_or_else(PoisonError::into_inner);
        work(&repo).map_err(|error| git_error(&self.path, &error))
    }
}

fn git_error(path: &Path, error: &git2::Error) -> VersionsError {
    VersionsError::Git { path: path.into(), message: error.message().to_owned() }
}

fn create(path: &Path) -> Result<Repository, git2::Error> {
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
fn write_durably(repo: &Repository) -> Result<(), git2::Error> {
    let file = repo.path().join("repertoire.config");
    let text = "[core]\n\tfsyncObjectFiles = true\n";
    if fs::read_to_string(&file).ok().as_deref() != Some(text) {
        fs::write(&file, text).map_err(|error| git2::Error::from_str(&error.to_string()))?;
    }
    repo.config()?.add_file(&file, ConfigLevel::App, true)
}

fn head_id(repo: &Repository) -> Result<Option<Oid>, git2::Error> {
    match repo.refname_to_id(MAIN) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes blobs and trees for `changes` on top of `old`; returns the new root tree and what changed.
fn apply(
    repo: &Repository,
    old: Option<&Tree<'_>>,
    changes: &[ProcedureChange],
) -> Result<(Oid, Vec<RecordedChange>), git2::Error> {
    let old_root = changes::folder(repo, old, ROOT)?;
    let mut root = repo.treebuilder(old_root.as_ref())?;
    // Changes of one category share one tree builder, so that adding many procedures writes its tree once.
    let mut categories: std::collections::BTreeMap<&str, (Option<Tree<'_>>, TreeBuilder<'_>)> =
        std::collections::BTreeMap::new();
    for name in changes.iter().flat_map(|change| std::iter::once(&change.category).chain(&change.old_category)) {
        if !categories.contains_key(name.as_str()) {
            let tree = changes::folder(repo, old_root.as_ref(), name)?;
            let builder = repo.treebuilder(tree.as_ref())?;
            categories.insert(name, (tree, builder));
        }
    }
    let mut recorded = Vec::with_capacity(changes.len());
    for change in changes {
        let name = change.name.as_str();
        let before_category = change.old_category.as_ref().unwrap_or(&change.category);
        let before = match categories.get(before_category.as_str()) {
            Some((tree, _)) => {
                changes::folder(repo, tree.as_ref(), name)?.map(|folder| state_of(before_category, &folder))
            }
            None => None,
        }
        .flatten();
        if before.is_some()
            && (change.old_category.is_some() || change.files.is_none())
            && let Some((_, builder)) = categories.get_mut(before_category.as_str())
        {
            builder.remove(name)?;
        }
        let mut state = None;
        if let (Some(files), Some((_, builder))) = (&change.files, categories.get_mut(change.category.as_str())) {
            let (folder, written) = write_files(repo, &change.category, files)?;
            builder.insert(name, folder, FileMode::Tree.into())?;
            state = Some(written);
        }
        recorded.push(RecordedChange { name: name.to_owned(), state, before });
    }
    for (name, (_, builder)) in categories {
        if builder.is_empty() {
            if root.get(name)?.is_some() {
                root.remove(name)?;
            }
        } else {
            root.insert(name, builder.write()?, FileMode::Tree.into())?;
        }
    }
    let mut top = repo.treebuilder(old)?;
    if root.is_empty() {
        if top.get(ROOT)?.is_some() {
            top.remove(ROOT)?;
        }
    } else {
        top.insert(ROOT, root.write()?, FileMode::Tree.into())?;
    }
    Ok((top.write()?, recorded))
}

fn state_of(category: &str, folder: &Tree<'_>) -> Option<RecordedState> {
    let blob = |name: &str| folder.get_name(name).map(|entry| entry.id().to_string());
    Some(RecordedState { category: category.to_owned(), definition: blob(DEFINITION_FILE)?, code: blob(CODE_FILE) })
}

fn write_files(repo: &Repository, category: &str, files: &Files) -> Result<(Oid, RecordedState), git2::Error> {
    let mut folder = repo.treebuilder(None)?;
    let definition = repo.blob(files.definition.as_bytes())?;
    folder.insert(DEFINITION_FILE, definition, FileMode::Blob.into())?;
    let code = files.code.as_ref().map(|code| repo.blob(code.as_bytes())).transpose()?;
    if let Some(code) = code {
        folder.insert(CODE_FILE, code, FileMode::Blob.into())?;
    }
    let state = RecordedState {
        category: category.to_owned(),
        definition: definition.to_string(),
        code: code.map(|code| code.to_string()),
    };
    Ok((folder.write()?, state))
}

/// What `commit` changed. For a merge that is only what differs from every parent: the rest was already recorded with
/// the commit that made it.
fn record(repo: &Repository, commit: &Commit<'_>) -> Result<CommitRecord, git2::Error> {
    let tree = commit.tree()?;
    let mut changes: Option<Vec<RecordedChange>> = None;
    for parent in commit.parents() {
        let against = changes::between(repo, Some(&parent.tree()?), Some(&tree))?;
        changes = Some(match changes {
            None => against,
            Some(first) => {
                first.into_iter().filter(|change| against.iter().any(|other| other.name == change.name)).collect()
            }
        });
    }
    let changes = match changes {
        Some(changes) => changes,
        None => changes::between(repo, None, Some(&tree))?,
    };
    let (subject, annotation) = trailers::parse_message(&String::from_utf8_lossy(commit.message_bytes()));
    let when: Time = commit.time();
    Ok(CommitRecord {
        id: commit.id().to_string(),
        subject,
        author: name(&commit.author()),
        committed_at: when.seconds(),
        annotation,
        changes,
    })
}

fn name(signature: &Signature<'_>) -> String {
    String::from_utf8_lossy(signature.name_bytes()).into_owned()
}

fn blob_lines(repo: &Repository, old: Option<ObjectId>, new: Option<ObjectId>) -> Result<(u32, u32), git2::Error> {
    if old == new {
        return Ok((0, 0));
    }
    let content = |id: Option<ObjectId>| -> Result<Vec<u8>, git2::Error> {
        match id {
            Some(id) => Ok(repo.find_blob(Oid::from_str(&id)?)?.content().to_vec()),
            None => Ok(Vec::new()),
        }
    };
    let (old, new) = (content(old)?, content(new)?);
    let (_, added, removed) = Patch::from_buffers(&old, None, &new, None, None)?.line_stats()?;
    Ok((u32::try_from(added).unwrap_or(u32::MAX), u32::try_from(removed).unwrap_or(u32::MAX)))
}
