//! An argument of a script, however its command line is read.

use serde_json::Value;

use crate::domain::ParameterType;

/// How an argument is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By its place.
    Place,
    /// Behind the flag.
    Option,
    /// As the flag alone, or not at all; where a value of `false` is what the flag says, it is written for that.
    Flag { says: bool },
}

/// An argument of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandArgument {
    /// An identifier.
    pub name: String,
    pub form: Form,
    /// As it is written, where it has one.
    pub flag: Option<String>,
    pub kind: ParameterType,
    /// Whether it takes several values, one behind the other.
    pub is_many: bool,
    /// Whether the flag is written before each of several values.
    pub is_repeated: bool,
    pub is_required: bool,
    pub default: Option<Value>,
    pub choices: Vec<Value>,
    pub help: Option<String>,
}
