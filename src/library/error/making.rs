//! Making the errors that say more than which variant they are.

use std::{fmt::Display, io, path::Path};

use tokio::task::JoinError;

use super::variants::LibraryError;
use crate::domain::Hinted;

impl LibraryError {
    /// The home can't be written to `file`.
    pub fn backup(file: &Path, why: &dyn Display) -> Self {
        Self::BackupFailed { path: file.display().to_string(), why: why.to_string() }
    }

    /// The home can't be restored from `file`.
    pub fn no_backup(file: &Path, why: &dyn Display) -> Self {
        Self::NoBackup { path: file.display().to_string(), why: why.to_string() }
    }

    /// The system does not let the home in `folder` be used.
    pub fn home(folder: &Path, error: &io::Error) -> Self {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let is_unwritable = matches!(error.kind(), PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull);
        Self::Home { path: folder.display().to_string(), message: error.to_string(), is_unwritable }
    }

    /// An argument makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Argument { message: message.into(), hint: None }
    }

    /// An argument makes no sense, and there is something to do about it.
    pub fn invalid_with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Argument { message: message.into(), hint: Some(hint.into()) }
    }

    /// The arguments are not what they should be.
    pub fn invalid_because(error: &impl Hinted) -> Self {
        Self::Argument { message: error.to_string(), hint: error.hint().map(|hint| hint.into_owned()) }
    }

    /// Something in the argument `place` makes no sense.
    pub fn invalid_in(place: &str, error: &impl Hinted) -> Self {
        Self::Argument { message: format!("{place}: {error}"), hint: error.hint().map(Into::into) }
    }

    /// The program is at fault; `what` happened, which should not be able to. It is in the log, too, because that is
    /// where the error says to look.
    pub fn internal(what: impl Into<String>) -> Self {
        let what = what.into();
        tracing::error!(what, "a fault of this program");
        Self::Internal { what }
    }

    /// The same, where something below said why. That speaks the language of the code, so it is for the log alone.
    pub fn internal_because(what: impl Into<String>, cause: &dyn Display) -> Self {
        let what = what.into();
        tracing::error!(what, %cause, "a fault of this program");
        Self::Internal { what }
    }

    /// `what` was done by a task that came to no end.
    #[must_use]
    pub fn lost_task(what: &str, error: &JoinError) -> Self {
        if error.is_cancelled() {
            return Self::ShuttingDown;
        }
        Self::internal_because(format!("{what} broke off"), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::ProcedureName, library::ErrorKind};

    #[test]
    fn the_hint_of_what_is_wrong_in_an_argument_stays_a_hint() {
        let wrong = ProcedureName::parse("42").unwrap_err();
        let error = LibraryError::invalid_in("`edits`", &wrong);
        assert_eq!(error.to_string(), "`edits`: `42` has no letter in it");
        assert_eq!(error.in_full(), format!("`edits`: {}", wrong.in_full()));
        assert_eq!((error.kind(), error.code()), (ErrorKind::Caller, "invalid_argument"));
    }

    #[tokio::test]
    async fn a_task_that_panicked_is_our_fault_and_is_not_quoted() {
        let task = tokio::spawn(async { panic!("index out of bounds") });
        let error = LibraryError::lost_task("opening the home", &task.await.unwrap_err());
        assert_eq!((error.kind(), error.code()), (ErrorKind::Internal, "internal_error"));
        assert!(error.to_string().ends_with("opening the home broke off"), "{error}");
        assert!(!error.in_full().contains("panic") && error.in_full().contains("report it"), "{}", error.in_full());
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        let error = LibraryError::lost_task("opening the home", &task.await.unwrap_err());
        assert_eq!((error.kind(), error.code()), (ErrorKind::Environment, "shutting_down"));
    }
}
