//! The history of procedures, in a bare git repository: the truth about what procedures are.
//!
//! Speaks plain types; only [`repository`] knows git. It knows nothing of the index, the sandbox or the protocol.
//! Start at [`Versions`].

mod attached;
mod author;
mod bundle;
mod changes;
mod check;
mod frame;
mod objects;
mod pack;
mod repository;
mod salvage;
mod standing;
mod text;
pub(crate) mod trailers;
mod transport;
mod trees;
mod walk;

use std::{borrow::Cow, path::Path, sync::Arc};

use crate::domain::{Hinted, ProcedureName, VersionKind, VersionNumber};

pub use author::Author;
pub use bundle::{Attached, Bundle};
pub use check::{Checked, Damage};
pub use pack::{HistorySize, PackRule, Packed};
pub use repository::{LOCK_PATIENCE, Versions};
pub use standing::Main;
pub use text::conflict_line;

/// A commit or blob id in its 40-digit form.
pub type ObjectId = String;

/// Why the history can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum VersionsError {
    /// git refused.
    #[error("the procedure history `{}` can't be used: {message}", path.display())]
    Git {
        /// The repository.
        path: Box<Path>,
        message: String,
        /// Whether that is because nothing can be written there.
        is_full: bool,
    },
    /// There is no repository.
    #[error("there is no procedure history at `{}`", .0.display())]
    Absent(Box<Path>),
    /// Another program holds a lock of git's.
    #[error("another program is changing the procedure history `{}`: {message}", path.display())]
    Locked {
        /// The repository.
        path: Box<Path>,
        /// What git said, which names the file.
        message: String,
    },
    /// Something was committed once, and nobody knows what was last.
    #[error("`main` of the procedure history `{}` leads nowhere, and neither the index nor a log knows where it stood", .0.display())]
    Lost(Box<Path>),
    /// The newest commit is there no more.
    #[error("commit {commit}, the newest of the procedure history `{}`, can't be read: {why}", path.display())]
    Damaged {
        /// The repository.
        path: Box<Path>,
        commit: ObjectId,
        why: String,
    },
    /// A file in the history is not text.
    #[error("object {id} in the procedure history {why}")]
    NotText { id: ObjectId, why: String },
    /// An object is gone or damaged.
    #[error("object {id} of the procedure history can't be read: {why}")]
    Unreadable { id: ObjectId, why: String },
    /// `main` no longer descends from the commit that was known: it was replaced from outside.
    #[error("the procedure history was rewritten: `main` no longer descends from {0}")]
    Diverged(ObjectId),
}

impl Hinted for VersionsError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Git { is_full: true, .. } => {
                "make room or give yourself the right to write there; what is remembered can be read all the same"
            }
            Self::Absent(_) | Self::Damaged { .. } => {
                "`repertoire doctor --rebuild` makes it anew of what can be read and of what the index knows"
            }
            Self::Locked { .. } => {
                "wait until it is done and try again; if none is (a crash may leave the lock), remove the file that is \
                 named"
            }
            Self::Lost(_) => "`repertoire doctor` says what is left; `repertoire restore FILE` brings a backup back",
            Self::NotText { .. } => "push the file again as UTF-8",
            Self::Unreadable { .. } => "`repertoire doctor` says what else is damaged, and what to do",
            Self::Git { .. } => "`repertoire doctor` says what is wrong with it, and what to do",
            Self::Diverged(_) => return None,
        };
        Some(hint.into())
    }
}

impl VersionsError {
    /// Whether it is because nothing can be written.
    #[must_use]
    pub const fn is_unwritable(&self) -> bool {
        matches!(self, Self::Git { is_full: true, .. })
    }
}

/// One procedure in one commit to be made.
#[derive(Debug, Clone)]
pub struct ProcedureChange {
    pub name: ProcedureName,
    /// Its folder after the change.
    pub category: String,
    /// Its folder before the change, where it had another one.
    pub old_category: Option<String>,
    /// Its files after the change; `None` removes the procedure.
    pub files: Option<Files>,
}

/// The files of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `procedure.json`.
    pub definition: String,
    /// `procedure.py`, when there is code.
    pub code: Option<String>,
    /// `procedure.lock`, when the code needs packages.
    pub lock: Option<String>,
    /// The folder `files`, when others travel with it.
    pub attached: Option<ObjectId>,
    /// What is in that, where it is not there already.
    pub brought: Option<Arc<Bundle>>,
}

/// What the trailers of a commit say about the one procedure that it changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotation {
    /// The number of the version that the commit makes.
    pub version: Option<VersionNumber>,
    /// What it changed.
    pub kind: Option<VersionKind>,
    /// The static confidence in its code.
    pub confidence: Option<f64>,
    /// The examples that its code contradicts, which somebody accepted.
    pub failing_examples: Vec<usize>,
}

/// A commit to be made.
#[derive(Debug, Clone)]
pub struct NewCommit<'a> {
    /// Who is to be named as its author; its committer is the program.
    pub author: Author<'a>,
    /// The first line of the message.
    pub subject: &'a str,
    /// Facts for the index, kept in trailers so that it can be rebuilt.
    pub annotation: &'a Annotation,
    pub changes: &'a [ProcedureChange],
}

/// A commit that is there, with what it changed.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitRecord {
    pub id: ObjectId,
    /// First line of the message.
    pub subject: String,
    /// Whoever git names as its author.
    pub author: String,
    /// When, in seconds since 1970.
    pub committed_at: i64,
    /// Its trailers.
    pub annotation: Annotation,
    /// The procedures that it changed, sorted by name.
    pub changes: Vec<RecordedChange>,
    /// Whether all of that could be read.
    pub is_whole: bool,
}

/// One procedure as a commit left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedChange {
    /// The folder name, which is the procedure's name.
    pub name: String,
    /// Its folder, and its files; `None` when the commit removed the procedure.
    pub state: Option<RecordedState>,
    /// The files before the commit, when there were any.
    pub before: Option<RecordedState>,
    /// Why what the commit left is no procedure, where something is there.
    pub broken: Option<BrokenFile>,
}

/// A file or folder that can't be what its place says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenFile {
    /// Its path in the repository.
    pub file: String,
    /// What is wrong, going on from the file.
    pub reason: String,
}

/// Where a procedure's files are in the object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedState {
    /// The category folder.
    pub category: String,
    /// Blob of `procedure.json`.
    pub definition: ObjectId,
    /// Blob of `procedure.py`, when there is code.
    pub code: Option<ObjectId>,
    /// Blob of `procedure.lock`, when the code needs packages.
    pub lock: Option<ObjectId>,
}
