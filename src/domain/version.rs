//! Versions: every committed change of a procedure's definition or code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// 1, 2, 3 …: counts the changes of one procedure.
pub type VersionNumber = u32;

/// Why what the newest commit made of a procedure is no version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The file or folder, as a path in the repository.
    pub file: String,
    pub commit: String,
    /// What is wrong with it, going on from the file.
    pub reason: String,
}

/// What a version changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum VersionKind {
    /// The definition, or the first version of all.
    Definition,
    /// The code.
    Code,
    /// The code, back to that of an earlier version.
    Rollback,
}

impl VersionKind {
    /// The word used in the database, in commit trailers and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Definition => "definition",
            Self::Code => "code",
            Self::Rollback => "rollback",
        }
    }

    /// The kind that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Definition, Self::Code, Self::Rollback].into_iter().find(|kind| kind.as_str() == text)
    }
}
