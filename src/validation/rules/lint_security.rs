//! Rules about secrets and hidden text (`RPT63x`), found by the linter of Ruff. Entries of the rule table, no logic.

use super::super::issue::{Category, Severity};
use super::Rule;

/// A password or token stands in the code, where everybody sees it who sees the history.
pub const WRITTEN_SECRET: Rule = Rule {
    code: "RPT631",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "A password or token stands in the code, where everybody sees it who sees the history.",
    instead: "Take it as a parameter, or let the command read it itself.",
    bad: "def f():\n    password = \"correct-horse\"\n    return password\n",
    good: "def f(password):\n    return password\n",
};

/// MD5 and SHA-1 protect nothing.
pub const WEAK_HASH: Rule = Rule {
    code: "RPT632",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "MD5 and SHA-1 protect nothing.",
    instead: "Use `hashlib.sha256`, or pass `usedforsecurity=False` where it is a checksum.",
    bad: "import hashlib\nx = hashlib.md5(b\"a\").hexdigest()\n",
    good: "import hashlib\nx = hashlib.sha256(b\"a\").hexdigest()\n",
};

/// Characters that show nothing or turn the direction of writing make code read differently than it runs.
pub const HIDDEN_CHARACTERS: Rule = Rule {
    code: "RPT633",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "Characters that show nothing or turn the direction of writing make code read differently than it runs.",
    instead: "Remove them, or write an escape such as `\\u200b`.",
    bad: "x = \"a\u{200b}b\"  # something stands between the letters\n",
    good: "x = \"a\\u200bb\"\n",
};
