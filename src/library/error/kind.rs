//! Whose fault an error is, the word for programs, and what programs get beside the text.

use serde_json::{Value, json};

use super::variants::LibraryError;
use crate::{models::ModelError, runtime::PackagesError, storage::StorageError};

/// Whose fault an error is, which says who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller asked for what there is not or can't be: another call helps.
    Caller,
    /// It changed meanwhile: read again and repeat.
    Conflict,
    /// The user must grant or decide something.
    Denied,
    /// The configuration or the home has to be mended.
    Setup,
    /// The disk, the network, the model or another process: try again.
    Environment,
    /// The program is at fault.
    Internal,
}

impl LibraryError {
    /// Whose fault it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Internal { .. } => ErrorKind::Internal,
            Self::Storage(error) => of_storage(error),
            Self::Model(error) => of_model(error),
            Self::Config(_) | Self::Home { .. } | Self::Packages(PackagesError::NoUv(_)) => ErrorKind::Setup,
            Self::Packages(PackagesError::NotInstalled(_) | PackagesError::Folder(_))
            | Self::Versions(_)
            | Self::Unindexed { .. }
            | Self::BackupFailed { .. }
            | Self::Sandbox(_)
            | Self::HomeInUse { .. }
            | Self::ShuttingDown
            | Self::StateRefused { .. }
            | Self::RunElsewhere(_) => ErrorKind::Environment,
            Self::NotOwner { .. }
            | Self::OwnedByNobody(_)
            | Self::PermissionDenied { .. }
            | Self::FileNotGranted { .. }
            | Self::PythonNotGranted { .. }
            | Self::PackagesNotGranted { .. }
            | Self::ApprovalNeedsHuman { .. }
            | Self::WantsPerson { .. }
            | Self::Declined(_) => ErrorKind::Denied,
            Self::StaleVersion { .. }
            | Self::RunNotPaused { .. }
            | Self::RunEnded { .. }
            | Self::AlreadyDecided(_)
            | Self::CandidateReviewed { .. }
            | Self::CandidateBusy(_)
            | Self::CandidateChanged(_)
            | Self::ArtifactChanged { .. }
            | Self::ItemResolved { .. }
            | Self::Broken { .. } => ErrorKind::Conflict,
            Self::Argument { .. }
            | Self::Packages(PackagesError::Unresolved(_))
            | Self::Merge(_)
            | Self::Scope(_)
            | Self::Name(_)
            | Self::Hash(_)
            | Self::ProcedureNotFound { .. }
            | Self::ProcedureDeleted(_)
            | Self::NameTaken { .. }
            | Self::NameFormer { .. }
            | Self::NameHidden(_)
            | Self::Disabled(_)
            | Self::Proposed(_)
            | Self::Parameters { .. }
            | Self::CodeRejected { .. }
            | Self::ExamplesFail { .. }
            | Self::VersionNotFound { .. }
            | Self::VersionWithoutCode { .. }
            | Self::RunNotFound(_)
            | Self::OutcomeNotFound(_)
            | Self::NotAsked { .. }
            | Self::RunOfOther { .. }
            | Self::Reducer { .. }
            | Self::CheckpointNotFound { .. }
            | Self::CompletedOtherwise { .. }
            | Self::CandidateNotFound(_)
            | Self::NothingNear(_)
            | Self::ArtifactNotFound(_)
            | Self::ItemNotFound(_)
            | Self::NoBackup { .. } => ErrorKind::Caller,
        }
    }

    /// Whether the database file is of no use, so that a new one has to be built from the history.
    #[must_use]
    pub fn is_broken_database(&self) -> bool {
        matches!(self, Self::Storage(error) if error.is_broken_file())
    }

    /// Whether it is because nothing can be written: no right to, or no room.
    #[must_use]
    pub fn is_unwritable(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_unwritable(),
            Self::Versions(error) => error.is_unwritable(),
            Self::Home { is_unwritable, .. } => *is_unwritable,
            _ => false,
        }
    }

    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Storage(_) | Self::Unindexed { .. } => "storage_error",
            Self::Versions(_) => "history_error",
            Self::Config(_) => "configuration_error",
            Self::Sandbox(_) => "sandbox_error",
            Self::Model(error) => error.code(),
            Self::Home { .. } => "home_error",
            Self::HomeInUse { .. } => "home_in_use",
            Self::BackupFailed { .. } => "backup_failed",
            Self::NoBackup { .. } => "no_backup",
            Self::Internal { .. } => "internal_error",
            Self::ShuttingDown => "shutting_down",
            Self::Argument { .. }
            | Self::Name(_)
            | Self::Merge(_)
            | Self::Scope(_)
            | Self::Hash(_)
            | Self::RunOfOther { .. } => "invalid_argument",
            Self::ProcedureNotFound { .. } => "procedure_not_found",
            Self::ProcedureDeleted(_) => "procedure_deleted",
            Self::NameTaken { .. } | Self::NameFormer { .. } | Self::NameHidden(_) => "name_taken",
            Self::NotOwner { .. } | Self::OwnedByNobody(_) => "not_owner",
            Self::Disabled(_) => "procedure_disabled",
            Self::Proposed(_) => "procedure_is_candidate",
            Self::Parameters { .. } => "invalid_parameters",
            Self::PermissionDenied { .. }
            | Self::FileNotGranted { .. }
            | Self::PythonNotGranted { .. }
            | Self::PackagesNotGranted { .. } => "permission_denied",
            Self::Packages(_) => "packages_unavailable",
            Self::StaleVersion { .. } => "stale_version",
            Self::Broken { .. } => "procedure_broken",
            Self::CodeRejected { .. } => "code_rejected",
            Self::ExamplesFail { .. } => "examples_fail",
            Self::VersionNotFound { .. } => "version_not_found",
            Self::VersionWithoutCode { .. } => "version_without_code",
            Self::RunNotFound(_) => "run_not_found",
            Self::OutcomeNotFound(_) => "outcome_not_found",
            Self::RunNotPaused { .. } => "run_not_paused",
            Self::StateRefused { .. } => "state_refused",
            Self::ApprovalNeedsHuman { .. } | Self::WantsPerson { .. } => "approval_needs_human",
            Self::Declined(_) => "declined",
            Self::AlreadyDecided(_) => "already_decided",
            Self::NotAsked { .. } => "not_asked",
            Self::RunElsewhere(_) => "run_elsewhere",
            Self::RunEnded { .. } => "run_ended",
            Self::ArtifactNotFound(_) => "artifact_not_found",
            Self::ArtifactChanged { .. } => "artifact_changed",
            Self::Reducer { .. } => "reducer_failed",
            Self::CheckpointNotFound { .. } => "checkpoint_not_found",
            Self::CompletedOtherwise { .. } => "already_completed",
            Self::CandidateNotFound(_) => "candidate_not_found",
            Self::CandidateReviewed { .. } => "already_reviewed",
            Self::CandidateBusy(_) => "candidate_busy",
            Self::CandidateChanged(_) => "candidate_changed",
            Self::NothingNear(_) => "nothing_near",
            Self::ItemNotFound(_) => "item_not_found",
            Self::ItemResolved { .. } => "item_resolved",
        }
    }

    /// Facts that a program may want beside the text.
    #[must_use]
    pub fn details(&self) -> Option<(&'static str, Value)> {
        match self {
            Self::CodeRejected { issues } => Some(("issues", json!(issues))),
            Self::ExamplesFail { failing, .. } => Some(("failing_examples", json!(failing))),
            Self::StaleVersion { current, .. } => Some(("current_version", json!(current))),
            Self::NameTaken { id, .. } | Self::NameFormer { id, .. } => Some(("procedure_id", json!(id))),
            Self::Broken { broken, .. } => Some(("broken", json!(broken))),
            _ => None,
        }
    }
}

const fn of_storage(error: &StorageError) -> ErrorKind {
    match error {
        StorageError::Sqlite(_)
        | StorageError::Backup { .. }
        | StorageError::Busy { .. }
        | StorageError::ReadOnly { .. } => ErrorKind::Environment,
        StorageError::Open { .. }
        | StorageError::TooNew { .. }
        | StorageError::Migrated { .. }
        | StorageError::Unreadable(_) => ErrorKind::Setup,
        StorageError::NotBelow { .. } | StorageError::NoCopy { .. } => ErrorKind::Caller,
    }
}

const fn of_model(error: &ModelError) -> ErrorKind {
    match error {
        ModelError::MissingKey { .. } | ModelError::WrongKey { .. } | ModelError::Refused { .. } => ErrorKind::Setup,
        ModelError::LimitReached { .. } => ErrorKind::Denied,
        ModelError::RateLimited { .. }
        | ModelError::Uncounted { .. }
        | ModelError::Unreachable { .. }
        | ModelError::TimedOut { .. }
        | ModelError::Unreadable { .. } => ErrorKind::Environment,
        ModelError::Cancelled => ErrorKind::Caller,
    }
}
