//! Why the database can't answer.

use std::{borrow::Cow, path::PathBuf};

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
    /// A column holds what no version of the program writes.
    #[error("the database holds a value that can't be read ({0})")]
    Unreadable(String),
}

impl Hinted for StorageError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Open { .. } => "`repertoire doctor --rebuild` sets a broken one aside and builds the index anew",
            Self::TooNew { .. } => "upgrade `repertoire`, or use another `--home`",
            Self::Migrated { .. } => "Restart `repertoire`",
            Self::Unreadable(_) => "run `repertoire doctor --rebuild`",
            Self::Sqlite(_) | Self::NotBelow { .. } | Self::Backup { .. } => return None,
        };
        Some(hint.into())
    }
}

impl StorageError {
    /// Whether the file itself is of no use: what is in it is no database, or not what this program wrote. A database that
    /// is busy, or that a newer program has changed, is sound.
    #[must_use]
    pub fn is_broken_file(&self) -> bool {
        match self {
            Self::Sqlite(source) | Self::Open { source, .. } => {
                matches!(source.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
            }
            Self::Unreadable(_) => true,
            Self::TooNew { .. } | Self::Migrated { .. } | Self::NotBelow { .. } | Self::Backup { .. } => false,
        }
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
