//! Rules about code that can be said more simply (`RPT64x`, `RPT65x`), found by the linter of Ruff. Entries of the rule
//! table, no logic; which of Ruff's rules stand for each is in `lint.rs`.

use super::super::issue::{Category, Severity};
use super::Rule;

/// An `if` stands alone in another or in an `else`.
pub const COLLAPSIBLE_IF: Rule = Rule {
    code: "RPT641",
    severity: Severity::Info,
    category: Category::Style,
    summary: "An `if` stands alone in another or in an `else`.",
    instead: "Join the conditions with `and`, or use `elif`.",
    bad: "def f(a, b):\n    if a:\n        if b:\n            print(1)\n",
    good: "def f(a, b):\n    if a and b:\n        print(1)\n",
};

/// A condition is turned into `True` or `False` by hand.
pub const NEEDLESS_BOOL: Rule = Rule {
    code: "RPT642",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A condition is turned into `True` or `False` by hand.",
    instead: "Use the condition itself, in `bool(…)` where needed.",
    bad: "def f(a):\n    if a > 1:\n        return True\n    return False\n",
    good: "def f(a):\n    return a > 1\n",
};

/// One value is compared with several in a row.
pub const REPEATED_COMPARISON: Rule = Rule {
    code: "RPT643",
    severity: Severity::Info,
    category: Category::Style,
    summary: "One value is compared with several in a row.",
    instead: "Use `in`, or one `isinstance` with a tuple.",
    bad: "def f(a):\n    return a == 1 or a == 2\n",
    good: "def f(a):\n    return a in {1, 2}\n",
};

/// `in` looks through `.keys()`.
pub const IN_KEYS: Rule = Rule {
    code: "RPT644",
    severity: Severity::Info,
    category: Category::Style,
    summary: "`in` looks through `.keys()`.",
    instead: "Ask the dictionary itself.",
    bad: "def f(a):\n    return 1 in a.keys()\n",
    good: "def f(a):\n    return 1 in a\n",
};

/// `not` stands before a comparison that has an opposite.
pub const NEGATED_COMPARISON: Rule = Rule {
    code: "RPT645",
    severity: Severity::Info,
    category: Category::Style,
    summary: "`not` stands before a comparison that has an opposite.",
    instead: "Use the opposite: `!=`, `not in`, `is not`.",
    bad: "def f(a):\n    return not a == 1\n",
    good: "def f(a):\n    return a != 1\n",
};

/// A conditional expression begins with its negation.
pub const TWISTED_CONDITION: Rule = Rule {
    code: "RPT646",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A conditional expression begins with its negation.",
    instead: "Turn the two values around.",
    bad: "def f(a):\n    return 1 if not a else a\n",
    good: "def f(a):\n    return a if a else 1\n",
};

/// A look-up with a default is written out.
pub const DICTIONARY_GET: Rule = Rule {
    code: "RPT647",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A look-up with a default is written out.",
    instead: "Use `.get(key, default)`; `None` is its default.",
    bad: "def f(a):\n    return a[\"k\"] if \"k\" in a else 0\n",
    good: "def f(a):\n    return a.get(\"k\", 0)\n",
};

/// A generator or list is built to make a list, set or dictionary of it.
pub const CALL_OF_COMPREHENSION: Rule = Rule {
    code: "RPT648",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A generator or list is built to make a list, set or dictionary of it.",
    instead: "Write the comprehension itself: `[…]`, `{…}`.",
    bad: "def f(a):\n    return set([x + 1 for x in a])\n",
    good: "def f(a):\n    return {x + 1 for x in a}\n",
};

/// A literal is passed to the type that it could be a literal of.
pub const CALL_OF_LITERAL: Rule = Rule {
    code: "RPT649",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A literal is passed to the type that it could be a literal of.",
    instead: "Write the literal itself.",
    bad: "x = set([1, 2])\n",
    good: "x = {1, 2}\n",
};

/// A list is made of a list, or sorted or reversed twice.
pub const DOUBLE_CALL: Rule = Rule {
    code: "RPT650",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A list is made of a list, or sorted or reversed twice.",
    instead: "Leave out one of the calls.",
    bad: "def f(a):\n    return list(sorted(a))\n",
    good: "def f(a):\n    return sorted(a)\n",
};

/// A loop or comprehension only copies.
pub const COPY_BY_LOOP: Rule = Rule {
    code: "RPT651",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A loop or comprehension only copies.",
    instead: "Use the values as they are, or `list(…)`, `set(…)` or `dict(…)` for a copy.",
    bad: "def f(a):\n    return [x for x in a]\n",
    good: "def f(a):\n    return list(a)\n",
};

/// `map` is called with a `lambda`.
pub const MAP_OF_LAMBDA: Rule = Rule {
    code: "RPT652",
    severity: Severity::Info,
    category: Category::Style,
    summary: "`map` is called with a `lambda`.",
    instead: "Write a comprehension.",
    bad: "def f(a):\n    return list(map(lambda x: x + 1, a))\n",
    good: "def f(a):\n    return [x + 1 for x in a]\n",
};
