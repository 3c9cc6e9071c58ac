//! What a check finds: issues with a stable code, and the summary of the checks.
//!
//! Plain data with its JSON form; nothing here looks at code.

use schemars::JsonSchema;
use serde::Serialize;

/// How much an issue matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Severity {
    /// The code must not be stored, or can't run.
    Error,
    /// The code runs, but probably not as meant.
    Warning,
    /// Worth knowing.
    Info,
}

/// What kind of issue it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Category {
    /// Not Python, or too large or deep to look at.
    Syntax,
    /// Reaches for something that a procedure must not touch, or was not granted.
    Security,
    /// Readability and habits.
    Style,
    /// Something that belongs there is missing.
    Completeness,
    /// The interpreter lacks it or does it differently.
    Runtime,
    /// Values do not fit together.
    Types,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Issue {
    /// How much it matters.
    pub severity: Severity,
    /// What kind it is.
    pub category: Category,
    /// What is wrong and what to write instead.
    pub message: String,
    /// The line, counted from 1.
    #[schemars(with = "Option<i32>", range(min = 1))]
    pub line: Option<u32>,
    /// The column in characters, counted from 1.
    #[schemars(with = "Option<i32>", range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The stable code of the rule, such as `RPT101`.
    pub code: &'static str,
}

/// The checks in short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Checks {
    /// It is valid Python.
    pub syntax: bool,
    /// It reaches for nothing forbidden.
    pub security: bool,
    /// The entry function has a docstring that names every parameter and the result.
    pub docstring: bool,
    /// Calls that can fail are handled.
    pub error_handling: bool,
    /// The share of parameters and returns that are annotated, from 0 to 1.
    pub type_hints: f64,
    /// Values fit the annotations and the functions that they are passed to, as far as that was checked.
    pub types: bool,
    /// Nothing is known that would keep it from running.
    pub runnable: bool,
}

impl Checks {
    /// What is left when the code could not be read.
    pub(super) const UNREADABLE: Self = Self {
        syntax: false,
        security: false,
        docstring: false,
        error_handling: false,
        type_hints: 0.0,
        types: false,
        runnable: false,
    };
}
