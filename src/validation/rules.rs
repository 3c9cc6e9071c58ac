//! The one table of rules: every issue refers to an entry here, and the documentation is generated from it.
//!
//! Numbers: `RPT0xx` syntax, `1xx` security, `2xx` runtime, `3xx` style, `4xx` completeness. A number is never reused.

mod quality;
mod runtime;
mod security;

pub use quality::*;
pub use runtime::*;
pub use security::*;

use super::issue::{Category, Severity};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The stable code, such as `RPT101`.
    pub code: &'static str,
    /// How much a violation matters, unless the issue says otherwise.
    pub severity: Severity,
    /// What kind of violation it is.
    pub category: Category,
    /// What the rule forbids or asks for.
    pub summary: &'static str,
    /// What to do instead.
    pub instead: &'static str,
    /// Code that breaks the rule. Empty where it would be too long to show.
    pub bad: &'static str,
    /// Code that keeps it.
    pub good: &'static str,
}

/// Every rule, by code.
pub const ALL: &[&Rule] = &[
    &SYNTAX,
    &TOO_LONG,
    &TOO_DEEP,
    &NUL,
    &MISPLACED,
    &FORBIDDEN_MODULE,
    &FORBIDDEN_MEMBER,
    &DYNAMIC_CODE,
    &DUNDER,
    &COMPUTED_ATTRIBUTE,
    &COMMAND_NOT_GRANTED,
    &DIRECTORY_NOT_GRANTED,
    &COMMAND_NOT_CONSTANT,
    &UNKNOWN_HOST_FUNCTION,
    &COMMAND_NOT_A_LIST,
    &MISSING_MODULE,
    &MISSING_MEMBER,
    &MISSING_BUILTIN,
    &UNSUPPORTED_IMPORT,
    &MISSING_ARGUMENT,
    &GENERATOR,
    &INHERITANCE,
    &DELETE,
    &METHOD_DECORATOR,
    &CLASS_BODY,
    &TYPE_ALIAS,
    &ASYNC_SYNTAX,
    &EXCEPTION_GROUP,
    &TEMPLATE_STRING,
    &EXCEPTION_ARGUMENTS,
    &FUNCTION_METADATA,
    &CLASS_NAME,
    &IGNORED_METHOD,
    &NEXT_ON_LIST,
    &ENDLESS,
    &MUTABLE_DEFAULT,
    &OPEN_WITHOUT_WITH,
    &UNREACHABLE,
    &UNUSED_PARAMETER,
    &SWALLOWED,
    &NO_DOCSTRING,
    &INCOMPLETE_DOCSTRING,
    &UNHANDLED,
    &MISSING_HINTS,
    &AMBIGUOUS_ENTRY,
    &MISSING_PARAMETER,
];

/// The rule with this code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.code == code)
}
