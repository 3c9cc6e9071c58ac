//! Why the database can't answer.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

use crate::domain::Hinted;

/// Why the database can't answer.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// SQLite refused.
    #[error("the database can't be used: {0}")]
    Sqlite(rusqlite::Error),
    /// The file is not a database, or can't be reached.
    #[error("the database `{}` can't be opened: {source}", path.display())]
    Open { path: PathBuf, source: rusqlite::Error },
    /// Another program has it.
    #[error(
        "another program{} holds the lock of the database `{}`",
        holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default(),
        path.display()
    )]
    Busy {
        path: PathBuf,
        /// Which one, where the system tells.
        holder: Option<String>,
    },
    /// Nothing can be written, and what is there is only read.
    #[error("the database `{}` can only be read: {why}", path.display())]
    ReadOnly { path: PathBuf, why: String },
    /// A newer program has changed the tables in a way that this one does not understand.
    #[error("the database has schema version {found}, this program understands {known}")]
    TooNew {
        /// What the file says.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// Another program has migrated the tables since this one opened the database.
    #[error(
        "another program has brought the database to schema version {found} while this one, which works with version \
         {known}, had it open; nothing was written"
    )]
    Migrated {
        /// What the file says now.
        found: u32,
        /// The version that this program works with.
        known: u32,
    },
    /// Down is where lower versions are.
    #[error("the database has schema version {found}; `--to {wanted}` is not below that")]
    NotBelow {
        /// What the file says.
        found: u32,
        /// What was asked for.
        wanted: u32,
    },
    /// The database can't be copied, and without a copy nothing is done.
    #[error("no backup can be made at `{}`: {source}; nothing was changed", path.display())]
    Backup {
        /// The copy.
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is no copy of a database that could be restored.
    #[error("`{}` is no copy of a database that can be restored: {why}; nothing was changed", path.display())]
    NoCopy { path: PathBuf, why: String },
    /// A column holds what no version of the program writes.
    #[error("the database holds a value that can't be read ({0})")]
    Unreadable(String),
}

impl Hinted for StorageError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Open { .. } | Self::Sqlite(_) if self.is_unwritable() => {
                "make room or give yourself the right to read and write there; nothing was changed"
            }
            Self::Busy { .. } => "wait until it is done, or end it, and try again; nothing was changed",
            Self::ReadOnly { .. } => {
                "make room or give yourself the right to write there, and start this program again; what is remembered \
                 can be read all the same"
            }
            Self::Open { .. } => "`repertoire doctor --rebuild` sets a broken one aside and builds the index anew",
            Self::TooNew { .. } => "upgrade `repertoire`, or use another `--home`",
            Self::Migrated { .. } => "Restart `repertoire`",
            Self::Unreadable(_) => "run `repertoire doctor --rebuild`",
            Self::NoCopy { .. } => "`repertoire db status` lists the copies that there are",
            Self::Sqlite(_) | Self::NotBelow { .. } | Self::Backup { .. } => return None,
        };
        Some(hint.into())
    }
}

impl StorageError {
    /// The file can't be looked at.
    pub(super) fn cant_look(path: &Path, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => rusqlite::ffi::SQLITE_FULL,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => rusqlite::ffi::SQLITE_READONLY,
            _ => rusqlite::ffi::SQLITE_CANTOPEN,
        };
        let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(error.to_string()));
        Self::Open { path: path.to_owned(), source }
    }

    /// Whether the file itself is of no use: what is in it is no database, or not what this program wrote. A database that
    /// is busy, or that a newer program has changed, is sound.
    #[must_use]
    pub fn is_broken_file(&self) -> bool {
        match self {
            Self::Sqlite(source) | Self::Open { source, .. } => {
                matches!(source.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
            }
            Self::Unreadable(_) => true,
            Self::TooNew { .. }
            | Self::Migrated { .. }
            | Self::NotBelow { .. }
            | Self::Backup { .. }
            | Self::NoCopy { .. }
            | Self::Busy { .. }
            | Self::ReadOnly { .. } => false,
        }
    }

    /// Whether it is because the system lets nothing be written: no right to, or no room.
    #[must_use]
    pub fn is_unwritable(&self) -> bool {
        match self {
            Self::Sqlite(source) | Self::Open { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(
                    ErrorCode::ReadOnly
                        | ErrorCode::CannotOpen
                        | ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::PermissionDenied
                )
            ),
            Self::ReadOnly { .. } => true,
            _ => false,
        }
    }

    /// Whether it is because another program has the database.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::FromSqlConversionFailure(_, _, why) => Self::Unreadable(why.to_string()),
            other => Self::Sqlite(other),
        }
    }
}
