//! Why a command failed, and with which exit code.

use std::{borrow::Cow, process::ExitCode};

use crate::{
    client::ClientError,
    config::ConfigError,
    domain::Hinted,
    library::{ErrorKind, LibraryError},
    server::ServeError,
};

/// A fault of this program: what `sysexits.h` calls an internal software error.
const INTERNAL: u8 = 70;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The library refused or failed.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A server that the command had started.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Something else.
    #[error("{0}")]
    Other(String),
    /// Something else that can be done something about.
    #[error("{what}")]
    Wrong {
        /// What happened.
        what: String,
        /// The next step.
        hint: String,
    },
    /// The system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl CliError {
    /// The error of something that the system refused.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// 1 for whatever the user can do something about, 70 for a fault of this program. Arguments that can't be read end
    /// with 2, which is clap's doing.
    pub fn exit_code(&self) -> ExitCode {
        let kind = match self {
            Self::Library(error) => Some(error.kind()),
            _ => None,
        };
        match kind {
            Some(ErrorKind::Internal) => INTERNAL.into(),
            None
            | Some(
                ErrorKind::Caller | ErrorKind::Conflict | ErrorKind::Denied | ErrorKind::Setup | ErrorKind::Environment,
            ) => ExitCode::FAILURE,
        }
    }
}

impl Hinted for CliError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Library(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Wrong { hint, .. } => Some(hint.into()),
            Self::Serve(_) | Self::Client(_) | Self::Other(_) | Self::Io { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fault_of_the_program_has_an_exit_code_of_its_own() {
        let code = |error: LibraryError| CliError::from(error).exit_code();
        assert_eq!(code(LibraryError::internal("nothing adds up")), ExitCode::from(70));
        for error in
            [LibraryError::invalid("no"), LibraryError::RunNotFound("x".to_owned()), LibraryError::ShuttingDown]
        {
            assert_eq!(code(error), ExitCode::FAILURE);
        }
        assert_eq!(CliError::Other("no".to_owned()).exit_code(), ExitCode::FAILURE);
    }
}
