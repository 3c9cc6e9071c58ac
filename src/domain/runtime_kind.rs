//! What executes the code of a procedure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What executes the code of a procedure. A part of each version: code is written for one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum RuntimeKind {
    /// The interpreter in the program: starts at once, reaches nothing but the host.
    #[default]
    Sandbox,
    /// All of Python, in a process of its own.
    Python,
}

impl RuntimeKind {
    /// The word used in files and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Python => "python",
        }
    }

    /// Whether it is the one that needs no word.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
