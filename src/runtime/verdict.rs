//! What an interpreter says of code that it does not execute.

use super::PythonError;

/// What the compiler and the type checker say of a piece of code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Why the interpreter refuses to compile it.
    pub refused: Option<PythonError>,
    /// What the type checker found, in the order of the lines.
    pub types: Vec<TypeFinding>,
}

/// A finding of the type checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeFinding {
    /// The checker's name of the rule, such as `invalid-argument-type`.
    pub rule: String,
    pub message: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}
