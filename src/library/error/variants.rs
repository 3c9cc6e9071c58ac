//! What happened, and with which value. What to do about it is in [`super::hint`], whose fault it is in [`super::kind`].

use std::path::PathBuf;

use crate::{
    config::ConfigError,
    domain::{
        Asked, Broken, FailingExample, NameError, RunStatus, VersionNumber, artifact::HashError, reducers::MergeError,
        scope::ScopeError,
    },
    models::ModelError,
    runtime::{PackagesError, RuntimeError},
    storage::StorageError,
    validation::{Issue, Severity},
    versions::VersionsError,
};

/// Why a service refused or failed. [`Self::code`] is stable; the text may change.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The history.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// A change is in the history, and the database can't follow.
    #[error("the change of `{name}` is stored, but can't be read back: {why}")]
    Unindexed {
        /// Which procedure.
        name: String,
        /// What the database said.
        why: String,
    },
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The sandbox itself, not the code in it.
    #[error(transparent)]
    Sandbox(#[from] RuntimeError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The home folder.
    #[error("can't use the home folder `{path}`: {message}")]
    Home {
        path: String,
        /// What the system said.
        message: String,
        /// Whether that is because nothing can be written there.
        is_unwritable: bool,
    },
    /// The home can't be written to a file.
    #[error("no backup can be made at `{path}`: {why}")]
    BackupFailed { path: String, why: String },
    /// A file is no backup of a home.
    #[error("`{path}` is no backup that can be restored: {why}; nothing was changed")]
    NoBackup { path: String, why: String },
    /// Others would have the tables changed under them.
    #[error("{} the home open", if *count == 1 {
        "1 other process has".to_owned()
    } else {
        format!("{count} other processes have")
    })]
    HomeInUse { count: usize },
    /// The program is at fault: what happened should not be able to. Made with [`Self::internal`] and its sisters.
    #[error("a fault of this program, not of the call: {what}")]
    Internal {
        /// What happened, in plain words; what was below it is in the log.
        what: String,
    },
    /// The server ends, and with it what it was doing.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// An argument makes no sense. Made with [`Self::invalid`] and its sisters.
    #[error("{message}")]
    Argument {
        message: String,
        /// What to pass in its place.
        hint: Option<String>,
    },
    /// States don't fit together.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A workflow, a run or a node is missing or can't be named so.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// A name can't be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No procedure has this id or name.
    #[error("there is no procedure `{given}`")]
    ProcedureNotFound {
        /// What was asked for.
        given: String,
        /// The most similar name.
        closest: Option<String>,
    },
    /// The procedure was removed.
    #[error("procedure `{0}` was deleted")]
    ProcedureDeleted(String),
    /// The name is in use.
    #[error("there already is a procedure `{name}` (id {id}, version {version})")]
    NameTaken {
        name: String,
        /// Its handle.
        id: i64,
        version: VersionNumber,
    },
    /// The name is an alias.
    #[error("`{name}` is a former name of `{of}` (id {id}), and whoever says it means that")]
    NameFormer {
        name: String,
        of: String,
        /// Its handle.
        id: i64,
    },
    /// The name is in use for something that the caller can't see.
    #[error("the name `{0}` is taken by another user of this home")]
    NameHidden(String),
    /// Only the owner may do that.
    #[error("procedure `{name}` belongs to `{owner}`, and only its owner changes or deletes it or its code")]
    NotOwner {
        /// Which procedure.
        name: String,
        owner: String,
    },
    /// Several users share it, and it is none's.
    #[error("nobody owns procedure `{0}`, and others use this home too, so nobody changes or deletes it")]
    OwnedByNobody(String),
    /// What the newest commit made of it is no procedure.
    #[error("`{name}` is not changed: `{}` {} (commit {:.10})", broken.file, broken.reason, broken.commit)]
    Broken {
        name: String,
        broken: Broken,
        /// The newest version that is good, if there is one.
        good: Option<VersionNumber>,
    },
    /// The procedure is disabled.
    #[error("procedure `{0}` is disabled")]
    Disabled(String),
    /// Nobody has said yes to the procedure yet.
    #[error("procedure `{0}` is a candidate: it is not in use before a person has said so")]
    Proposed(String),
    /// The parameters of an execution don't fit.
    #[error("`{name}` was not executed: {message}")]
    Parameters {
        /// Which procedure.
        name: String,
        /// What does not fit.
        message: String,
    },
    /// The policy does not give what the procedure declares that it needs.
    #[error("`{name}` was not executed: {message}")]
    PermissionDenied {
        /// Which procedure.
        name: String,
        /// The missing permission and where it belongs.
        message: String,
    },
    /// The user does not allow the runtime that the procedure is for.
    #[error("`{name}` is a `python` procedure, and the user does not allow these")]
    PythonNotGranted {
        /// Which procedure.
        name: String,
        /// Where they would.
        file: PathBuf,
    },
    /// The user does not allow packages that the code names.
    #[error("the package `{}` is not granted", packages.join("`, `"))]
    PackagesNotGranted {
        packages: Vec<String>,
        /// Where they would be.
        file: PathBuf,
    },
    /// Packages can't be had.
    #[error(transparent)]
    Packages(#[from] PackagesError),
    /// The caller worked from an old version.
    #[error("procedure `{name}` is at version {current}, not {expected}: it was changed since you read it")]
    StaleVersion {
        /// Which procedure.
        name: String,
        /// What the caller expected.
        expected: VersionNumber,
        current: VersionNumber,
    },
    /// The code has syntax or security errors.
    #[error("the code was not stored: {}", first_error(issues))]
    CodeRejected {
        /// Everything that was found.
        issues: Vec<Issue>,
    },
    /// The code does something else than examples of the definition say.
    #[error("`{name}` stays as it is, because the code contradicts {}", told(failing))]
    ExamplesFail {
        /// Which procedure.
        name: String,
        /// Which of them, and what it does.
        failing: Vec<FailingExample>,
    },
    /// No version matches.
    #[error("procedure `{name}` has no version `{given}`")]
    VersionNotFound {
        /// Which procedure.
        name: String,
        /// What was asked for.
        given: String,
        newest: VersionNumber,
    },
    /// The version has no code to go back to.
    #[error("version {version} of `{name}` has no code to roll back to")]
    VersionWithoutCode {
        /// Which procedure.
        name: String,
        version: VersionNumber,
    },
    /// No run has this id.
    #[error("there is no run `{0}`")]
    RunNotFound(String),
    /// No outcome of such a run is stored.
    #[error("there is no outcome `{0}`")]
    OutcomeNotFound(String),
    /// The run can't go on.
    #[error("run `{id}` is {}, not paused, so it can't be resumed", status.as_str())]
    RunNotPaused { id: String, status: RunStatus },
    /// The saved state of a run can't be trusted or understood.
    #[error("run `{id}` can't go on from its saved state: {reason}")]
    StateRefused {
        /// Which run.
        id: String,
        /// Why.
        reason: String,
    },
    /// The policy wants a person to decide.
    #[error("run `{id}` waits for its user, and the policy says that only a person may decide (\"{question}\")")]
    ApprovalNeedsHuman {
        /// Which run.
        id: String,
        question: String,
    },
    /// The policy wants a person to decide something that is not about a run.
    #[error("nothing was changed: only a person may decide {what}")]
    WantsPerson {
        /// What there is to decide, in a few words.
        what: String,
        /// All that they need to know of it.
        question: String,
        /// What to ask them to do at a terminal.
        how: String,
        asked: Asked,
    },
    /// A person was asked, and said no.
    #[error("nothing was changed: {0} was asked, and declined")]
    Declined(String),
    /// Somebody was faster, or the answer was given before.
    #[error("that question of run `{0}` was already decided")]
    AlreadyDecided(String),
    /// A repeated call names no question that was asked here.
    #[error(
        "`requestState` and `inputResponses` are no answer to a question that `{tool}` asked, so nothing was executed"
    )]
    NotAsked {
        /// The tool that was called.
        tool: String,
    },
    /// The run belongs to another process.
    #[error("run `{0}` belongs to another server process that is still alive")]
    RunElsewhere(String),
    /// The run has ended.
    #[error("run `{id}` is already {}", status.as_str())]
    RunEnded { id: String, status: RunStatus },
    /// The run of a workflow belongs to another one.
    #[error("run `{run}` belongs to workflow `{workflow}`, not to `{given}`")]
    RunOfOther {
        run: String,
        workflow: String,
        /// What the caller said.
        given: String,
    },
    /// A procedure that was to merge a field did not come to a value.
    #[error("the states were not merged: procedure `{procedure}`, the reducer of field `{field}`: {message}")]
    Reducer { field: String, procedure: String, message: String },
    /// The run of a workflow has no such checkpoint.
    #[error("run `{run}` has no checkpoint `{id}`")]
    CheckpointNotFound {
        /// What was asked for.
        id: String,
        run: String,
    },
    /// The run of a workflow ended otherwise before.
    #[error(
        "run `{run}` was completed before, as {ended} of workflow `{workflow}` at {at}, and differs from that in {differs}"
    )]
    CompletedOtherwise {
        run: String,
        ended: &'static str,
        workflow: String,
        /// When, as RFC 3339.
        at: String,
        /// The arguments that are not as stored.
        differs: String,
    },
    /// There is no such candidate.
    #[error("there is no candidate `{0}`")]
    CandidateNotFound(i64),
    /// A candidate was decided on.
    #[error("candidate `{id}` was {decision} by `{by}` at {at}{}{}", procedure.as_ref().map_or_else(String::new, |name| format!(", as procedure `{name}`")), reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}")))]
    CandidateReviewed {
        id: i64,
        /// What was decided.
        decision: &'static str,
        /// Who decided.
        by: String,
        /// When, as RFC 3339.
        at: String,
        /// What was made of it.
        procedure: Option<String>,
        /// Why, where that was said.
        reason: Option<String>,
    },
    /// A candidate says something else than whoever decides has seen.
    #[error("nothing was changed: candidate `{0}` has changed since it was shown")]
    CandidateChanged(i64),
    /// There is nothing that a candidate could become a part of.
    #[error("candidate `{0}` is near no procedure that it could be merged with")]
    NothingNear(i64),
    /// Another call makes a procedure of the candidate.
    #[error("candidate `{0}` is being approved by another call")]
    CandidateBusy(i64),
    /// The user linked no such artifact.
    #[error("there is no artifact `{0}`")]
    ArtifactNotFound(i64),
    /// A linked file is not what it was.
    #[error("`{location}` (artifact `{id}`) {why}")]
    ArtifactChanged { id: i64, location: String, why: String },
    /// A file lies where nothing may be read.
    #[error("`{path}` lies in no directory that the policy grants")]
    FileNotGranted {
        path: String,
        /// The configuration.
        file: String,
    },
    /// A hash is none.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The inbox has no such item.
    #[error("the inbox has no item `{0}`")]
    ItemNotFound(i64),
    /// Somebody was faster.
    #[error("item `{id}` was already resolved by `{by}` at {at}")]
    ItemResolved {
        id: i64,
        /// Who was done with it.
        by: String,
        /// When, as RFC 3339.
        at: String,
    },
}

fn told(failing: &[FailingExample]) -> String {
    let first = failing.first().map(ToString::to_string).unwrap_or_default();
    match failing.len() {
        0 | 1 => first,
        more => format!("{first} (and {} more, see `failing_examples`)", more - 1),
    }
}

fn first_error(issues: &[Issue]) -> String {
    let errors: Vec<&Issue> = issues.iter().filter(|issue| issue.severity == Severity::Error).collect();
    let Some(first) = errors.first() else { return "it has errors".to_owned() };
    let line = first.line.map_or_else(String::new, |line| format!("line {line}: "));
    match errors.len() {
        1 => format!("{line}{}", first.message),
        more => format!("{line}{} (and {} more, see `issues`)", first.message, more - 1),
    }
}
