//! The version that the tables of a database have.

use std::path::PathBuf;

/// Where a database file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Its version: how many migrations it has seen. 0 when the file is not there.
    pub version: u32,
    /// The newest version that this program knows.
    pub newest: u32,
    /// The version that a program must know at least to use it, where the file says so.
    pub floor: Option<u32>,
    /// The migrations that this program knows; the number of the first is 1.
    pub known: Vec<&'static str>,
    /// Its backups, newest first.
    pub backups: Vec<PathBuf>,
}

/// What a migration did to a database file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The version before.
    pub from: u32,
    /// The version since.
    pub to: u32,
    /// Where the database is as it was before, if it was copied.
    pub backup: Option<PathBuf>,
}
