//! Rules about types (`RPT5xx`), found by the interpreter's type checker. Entries of the rule table, no logic.

use super::super::issue::{Category, Severity};
use super::Rule;

/// A call does not fit the function.
pub const WRONG_ARGUMENT: Rule = Rule {
    code: "RPT501",
    severity: Severity::Warning,
    category: Category::Types,
    summary: "A call does not fit the function that it calls.",
    instead: "Pass what the function takes.",
    bad: "def f(n: int) -> int:\n    return n\nf(\"1\")\n",
    good: "def f(n: int) -> int:\n    return n\nf(1)\n",
};

/// A value does not fit its annotation.
pub const WRONG_VALUE: Rule = Rule {
    code: "RPT502",
    severity: Severity::Warning,
    category: Category::Types,
    summary: "A value does not fit the annotation of its variable, parameter or return.",
    instead: "Change the value or the annotation.",
    bad: "def f() -> int:\n    return \"1\"\n",
    good: "def f() -> int:\n    return 1\n",
};

/// A name, attribute or import that does not exist.
pub const UNKNOWN_NAME: Rule = Rule {
    code: "RPT503",
    severity: Severity::Warning,
    category: Category::Types,
    summary: "A name, an attribute or something imported does not exist, or not on every way there.",
    instead: "Correct the spelling, or assign it first.",
    bad: "def f(text: str) -> str:\n    return text.uper()\n",
    good: "def f(text: str) -> str:\n    return text.upper()\n",
};

/// An operation that the types do not have.
pub const WRONG_OPERATION: Rule = Rule {
    code: "RPT504",
    severity: Severity::Warning,
    category: Category::Types,
    summary: "An operation does not fit the types of its operands.",
    instead: "Convert them, or check for `None` first.",
    bad: "def f(n: int) -> str:\n    return n + \"1\"\n",
    good: "def f(n: int) -> str:\n    return str(n) + \"1\"\n",
};
