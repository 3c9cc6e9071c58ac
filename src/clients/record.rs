//! What was put into which file, kept in the home so that it can be taken out again to the byte.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::edit::Done;

/// Its name in the home.
pub const FILE_NAME: &str = "clients.json";

/// One file of a client.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// It was not there before.
    pub created: bool,
    /// Folders that were made for it, the outermost first.
    pub made_folders: Vec<PathBuf>,
    /// The copies of what it was.
    pub backups: Vec<PathBuf>,
    /// What was done to it, in order.
    pub done: Vec<Done>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// By their paths.
    pub files: BTreeMap<PathBuf, Entry>,
}

impl Record {
    /// The one of a home. One that can't be read is none: what was put is found by its meaning then.
    pub fn read(home: &Path) -> Self {
        let text = std::fs::read(home.join(FILE_NAME)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// As it is kept.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
