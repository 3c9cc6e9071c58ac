//! Why a process can't begin: its home, its user, its tenant or its `config.toml` are not what they must be.

use std::{borrow::Cow, io, path::PathBuf};

use crate::domain::Hinted;

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The platform names no data directory and none was given.
    #[error("no home folder is known for this user")]
    NoHome,
    /// Nobody can be called that.
    #[error("`{0}` can't be a user's name")]
    User(String),
    /// No tenant can be called that.
    #[error("`{0}` can't be a tenant's name")]
    Tenant(String),
    /// The home serves tenants only.
    #[error("this process has no tenant, and `{}` says `require_tenant = true`", path.display())]
    TenantRequired {
        /// The file that says so.
        path: PathBuf,
    },
    /// The home or its file can't be read or made.
    #[error("can't use `{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("`{}` is not a valid configuration: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        message: String,
    },
}

impl Hinted for ConfigError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::NoHome => "pass `--home DIR` or set REPERTOIRE_HOME",
            Self::User(_) => "pass 1 to 100 printable characters with `--user` or REPERTOIRE_USER",
            Self::Tenant(_) => {
                "pass 1 to 64 lower-case letters, digits, `-`, `_` and `.` with `--tenant` or REPERTOIRE_TENANT, \
                 beginning with a letter or a digit and not ending in `.` (names of Windows' devices, such as `con`, are \
                 refused too)"
            }
            Self::TenantRequired { .. } => "pass `--tenant NAME` or set REPERTOIRE_TENANT",
            Self::Io { .. } => {
                "give yourself the right to read it, or move it away: `repertoire init` writes a new one"
            }
            Self::Invalid { .. } => "mend it, or move it away: `repertoire init` writes a new one",
        };
        Some(hint.into())
    }
}
