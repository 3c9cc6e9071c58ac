//! The history of procedures, in a bare git repository: the truth about what procedures are.
//!
//! Speaks plain types; only [`repository`] knows git. It knows nothing of the index, the sandbox or the protocol.
//! Start at [`Versions`].

mod author;
mod changes;
mod repository;
mod trailers;

use std::path::Path;

use crate::domain::{ProcedureName, VersionKind, VersionNumber};

pub use author::Author;
pub use repository::Versions;

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
    },
    /// A file in the history is not text.
    #[error("object {0} in the procedure history is not UTF-8 text")]
    NotText(ObjectId),
    /// `main` no longer descends from the commit that was known: it was replaced from outside.
    #[error("the procedure history was rewritten: `main` no longer descends from {0}")]
    Diverged(ObjectId),
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
}
