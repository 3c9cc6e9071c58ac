//! The one table of rules: every issue refers to an entry here, and the documentation is generated from it.
//!
//! Numbers: `RPT0xx` syntax, `1xx` security, `2xx` runtime, `3xx` style, `4xx` completeness, `5xx` types,
//! `6xx` what the linter of Ruff finds. A number is never reused.

mod lint_correctness;
mod lint_security;
mod lint_simplification;
mod quality;
mod runtime;
mod security;
mod types;

pub use lint_correctness::*;
pub use lint_security::*;
pub use lint_simplification::*;
pub use quality::*;
pub use runtime::*;
pub use security::*;
pub use types::*;

use super::issue::{Category, Issue, Severity};
use crate::domain::RuntimeKind;

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
    pub instead: &'static str,
    /// Code that breaks the rule. Empty where it would be too long to show.
    pub bad: &'static str,
    /// Code that keeps it.
    pub good: &'static str,
}

impl Rule {
    /// An issue of this rule that names no position.
    #[must_use]
    pub const fn issue(&self, message: String) -> Issue {
        Issue { severity: self.severity, category: self.category, message, line: None, column: None, code: self.code }
    }
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
    &TOOL_NOT_GRANTED,
    &HOST_NOT_GRANTED,
    &MODEL_NOT_GRANTED,
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
    &MISSING_METHOD,
    &CHANGED_AHEAD,
    &ORDER_OF_SET,
    &BYTES_OF_NUMBERS,
    &REFUSED_BY_INTERPRETER,
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
    &UNUSED_DECLARED,
    &NOTHING,
    &SCRIPT_COMMENT,
    &WRONG_ARGUMENT,
    &WRONG_VALUE,
    &UNKNOWN_NAME,
    &WRONG_OPERATION,
    &UNUSED_IMPORT,
    &UNUSED_VARIABLE,
    &REPLACED_DEFINITION,
    &PERCENT_FORMAT,
    &STR_FORMAT,
    &REPEATED_KEY,
    &ALWAYS_TRUE,
    &IDENTITY_OF_LITERAL,
    &DOUBLE_SIGN,
    &STRIPPED_CHARACTERS,
    &JUMP_IN_FINALLY,
    &WITHOUT_EFFECT,
    &LOOP_OVERRIDES,
    &LATE_BINDING,
    &REPEATED_EXCEPTION,
    &CATCHES_LESS,
    &ELSE_ON_LOOP,
    &SELF_ASSIGNMENT,
    &SINGLETON_COMPARISON,
    &TYPE_COMPARISON,
    &NOTHING_TO_RAISE,
    &POSITIONAL_FLAGS,
    &UNKNOWN_ESCAPE,
    &JOINED_TEXTS,
    &SHARED_VALUE,
    &UNINTENDED_ANNOTATION,
    &CONSTANT_RESULT,
    &RAISED_AGAIN,
    &DECIMAL_OF_FLOAT,
    &WRITTEN_SECRET,
    &WEAK_HASH,
    &HIDDEN_CHARACTERS,
    &COLLAPSIBLE_IF,
    &NEEDLESS_BOOL,
    &REPEATED_COMPARISON,
    &IN_KEYS,
    &NEGATED_COMPARISON,
    &TWISTED_CONDITION,
    &DICTIONARY_GET,
    &CALL_OF_COMPREHENSION,
    &CALL_OF_LITERAL,
    &DOUBLE_CALL,
    &COPY_BY_LOOP,
    &MAP_OF_LAMBDA,
    &GENERATION_NOTE,
];

/// Rules about the interpreter of the sandbox that hold for every Python as well.
const ALSO_PYTHON: [&Rule; 2] = [&UNKNOWN_HOST_FUNCTION, &COMMAND_NOT_A_LIST];
/// Rules that keep code from the inside of the sandbox's interpreter. Another Python has nothing to keep inside: what it
/// reaches is for its process to be kept from.
const KEEPS_INSIDE: [&Rule; 4] = [&FORBIDDEN_MODULE, &FORBIDDEN_MEMBER, &DUNDER, &COMPUTED_ATTRIBUTE];

/// Whether the rule with this code holds for what `runtime` executes.
#[must_use]
pub fn holds_for(code: &str, runtime: RuntimeKind) -> bool {
    let Some(rule) = find(code).filter(|_| runtime == RuntimeKind::Python) else { return true };
    if rule == &MISSING_MODULE {
        // What no standard library has is told apart where the rule is applied.
        return true;
    }
    let is_inside = KEEPS_INSIDE.contains(&rule);
    !is_inside && (rule.category != Category::Runtime || ALSO_PYTHON.contains(&rule))
}

/// The rule with this code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.code == code)
}
