//! Rules about style (`RPT3xx`) and completeness (`RPT4xx`). Entries of the rule table, no logic.

use super::super::issue::{Category, Severity};
use super::Rule;

/// A mutable default is shared by all calls.
pub const MUTABLE_DEFAULT: Rule = Rule {
    code: "RPT301",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A mutable default is shared by all calls.",
    instead: "Use `None` and make the value inside.",
    bad: "def f(x=[]):\n    return x\n",
    good: "def f(x=None):\n    return x or []\n",
};

/// A file opened without `with` may stay open.
pub const OPEN_WITHOUT_WITH: Rule = Rule {
    code: "RPT302",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A file opened without `with` may stay open.",
    instead: "Open it in a `with` statement.",
    bad: "def f():\n    return open(\"a\").read()\n",
    good: "def f():\n    with open(\"a\") as file:\n        return file.read()\n",
};

/// Code never runs: after what always leaves, or under a condition that is never true.
pub const UNREACHABLE: Rule = Rule {
    code: "RPT303",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "Code never runs: it comes after `return`, `raise`, `break`, `continue` or an endless loop, or its condition is never true.",
    instead: "Remove it.",
    bad: "def f():\n    return 1\n    print(2)\n",
    good: "def f():\n    print(2)\n    return 1\n",
};

/// A parameter is never used.
pub const UNUSED_PARAMETER: Rule = Rule {
    code: "RPT304",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A parameter is never used.",
    instead: "Use it, remove it, or start its name with `_`.",
    bad: "def f(a, b):\n    return a\n",
    good: "def f(a, b):\n    return a + b\n",
};

/// A handler for every exception that does nothing hides failures.
pub const SWALLOWED: Rule = Rule {
    code: "RPT305",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A handler for every exception that does nothing hides failures.",
    instead: "Name the exception, and log it or raise it again.",
    bad: "try:\n    f()\nexcept:\n    pass\n",
    good: "try:\n    f()\nexcept ValueError as error:\n    print(error)\n",
};

/// The entry function has no docstring.
pub const NO_DOCSTRING: Rule = Rule {
    code: "RPT401",
    severity: Severity::Warning,
    category: Category::Completeness,
    summary: "The entry function has no docstring.",
    instead: "Say what it does, what it takes and what it returns.",
    bad: "def f():\n    return 1\n",
    good: "def f():\n    \"\"\"Returns 1.\"\"\"\n    return 1\n",
};

/// The docstring leaves out a parameter or the result.
pub const INCOMPLETE_DOCSTRING: Rule = Rule {
    code: "RPT402",
    severity: Severity::Info,
    category: Category::Completeness,
    summary: "The docstring leaves out a parameter or the result.",
    instead: "Describe every parameter and what is returned.",
    bad: "def f(a):\n    \"\"\"Does it.\"\"\"\n    return a\n",
    good: "def f(a):\n    \"\"\"Returns `a`.\"\"\"\n    return a\n",
};

/// A call that can fail has no `try` around it.
pub const UNHANDLED: Rule = Rule {
    code: "RPT403",
    severity: Severity::Warning,
    category: Category::Completeness,
    summary: "A call that can fail has no `try` around it.",
    instead: "Catch the exceptions it raises and say which step failed.",
    bad: "from repertoire import run_command\ndef f():\n    run_command([\"ls\"])\n",
    good: "from repertoire import run_command\ndef f():\n    try:\n        run_command([\"ls\"])\n    except RuntimeError as error:\n        raise RuntimeError(f\"listing failed: {error}\")\n",
};

/// A function lacks type hints.
pub const MISSING_HINTS: Rule = Rule {
    code: "RPT404",
    severity: Severity::Info,
    category: Category::Completeness,
    summary: "A function lacks type hints.",
    instead: "Annotate every parameter and the return.",
    bad: "def f(a):\n    return a\n",
    good: "def f(a: int) -> int:\n    return a\n",
};

/// Several public functions, and none is named like the procedure.
pub const AMBIGUOUS_ENTRY: Rule = Rule {
    code: "RPT405",
    severity: Severity::Error,
    category: Category::Completeness,
    summary: "Several public functions, and none is named like the procedure.",
    instead: "Name one `main`, or start the names of the helpers with `_`.",
    bad: "def a():\n    return 1\ndef b():\n    return 2\n",
    good: "def main():\n    return _b()\ndef _b():\n    return 2\n",
};

/// The entry function lacks a parameter that the definition declares.
pub const MISSING_PARAMETER: Rule = Rule {
    code: "RPT406",
    severity: Severity::Error,
    category: Category::Completeness,
    summary: "The entry function lacks a parameter that the definition declares.",
    instead: "Add the parameter to the function.",
    bad: "def f():\n    return 1\n",
    good: "def f(path, depth=1):\n    return path * depth\n",
};

/// A parameter that the definition declares is taken and never used.
pub const UNUSED_DECLARED: Rule = Rule {
    code: "RPT407",
    severity: Severity::Warning,
    category: Category::Completeness,
    summary: "A parameter that the definition declares is taken and never used.",
    instead: "Use it, or remove it from the definition and from the function.",
    bad: "def f(path, depth=1):\n    return path\n",
    good: "def f(path, depth=1):\n    return path * depth\n",
};

/// There is nothing that would be done.
pub const NOTHING: Rule = Rule {
    code: "RPT408",
    severity: Severity::Error,
    category: Category::Completeness,
    summary: "There is no code: nothing, or only comments, texts, imports and `pass`.",
    instead: "Write what the procedure does; without code it waits for some.",
    bad: "# To be written.\n",
    good: "def f():\n    return 1\n",
};

/// A remark on how code was generated.
pub const GENERATION_NOTE: Rule = Rule {
    code: "RPT900",
    severity: Severity::Info,
    category: Category::Completeness,
    summary: "A remark on how the code was generated, or on why it was not stored.",
    instead: "Nothing has to be changed.",
    bad: "",
    good: "",
};

/// The comment `# /// script` is TOML.
pub const SCRIPT_COMMENT: Rule = Rule {
    code: "RPT409",
    severity: Severity::Error,
    category: Category::Completeness,
    summary: "The comment `# /// script` is TOML.",
    instead: "Write `# dependencies = [\"name\"]` in it.",
    bad: "# /// script\n# dependencies = [\n# ///\n\nprint(1)\n",
    good: "# /// script\n# dependencies = []\n# ///\n\nprint(1)\n",
};
