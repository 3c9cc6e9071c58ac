//! Rules about syntax (`RPT0xx`) and security (`RPT1xx`). Entries of the rule table, no logic.

use super::super::issue::{Category, Severity};
use super::Rule;

/// The code is not valid Python.
pub const SYNTAX: Rule = Rule {
    code: "RPT001",
    severity: Severity::Error,
    category: Category::Syntax,
    summary: "The code is not valid Python.",
    instead: "Correct the line.",
    bad: "def f(:\n    pass\n",
    good: "def f():\n    pass\n",
};

/// A source is at most 256 KiB long.
pub const TOO_LONG: Rule = Rule {
    code: "RPT002",
    severity: Severity::Error,
    category: Category::Syntax,
    summary: "A source is at most 256 KiB long.",
    instead: "Keep data in files and split the procedure.",
    bad: "",
    good: "x = 1\n",
};

/// Expressions and blocks nest at most 190 levels deep.
pub const TOO_DEEP: Rule = Rule {
    code: "RPT003",
    severity: Severity::Error,
    category: Category::Syntax,
    summary: "Expressions and blocks nest at most 190 levels deep.",
    instead: "Use lists, `sum()`, `any()` or helper functions.",
    bad: "x = --------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------1\n",
    good: "x = sum([1, 2, 3])\n",
};

/// A source holds no NUL characters.
pub const NUL: Rule = Rule {
    code: "RPT004",
    severity: Severity::Error,
    category: Category::Syntax,
    summary: "A source holds no NUL characters.",
    instead: "Write `\"\\0\"` in a string.",
    bad: "",
    good: "x = \"\\0\"\n",
};

/// `return` stands in a function, `break` and `continue` in a loop.
pub const MISPLACED: Rule = Rule {
    code: "RPT005",
    severity: Severity::Error,
    category: Category::Syntax,
    summary: "`return` stands in a function, `break` and `continue` in a loop.",
    instead: "Move the statement, or wrap the code in a function.",
    bad: "break\n",
    good: "for x in [1]:\n    break\n",
};

/// Modules that reach processes, the network, native code, the import machinery or unpickling are forbidden.
pub const FORBIDDEN_MODULE: Rule = Rule {
    code: "RPT101",
    severity: Severity::Error,
    category: Category::Security,
    summary: "Modules that reach processes, the network, native code, the import machinery or unpickling are forbidden.",
    instead: "Use the host functions of `repertoire`.",
    bad: "import subprocess\n",
    good: "from repertoire import run_command\n",
};

/// Parts of allowed modules that start processes or reach into the interpreter are forbidden.
pub const FORBIDDEN_MEMBER: Rule = Rule {
    code: "RPT102",
    severity: Severity::Error,
    category: Category::Security,
    summary: "Parts of allowed modules that start processes or reach into the interpreter are forbidden.",
    instead: "Use the host functions of `repertoire`.",
    bad: "import os as o\no.system(\"ls\")\n",
    good: "from repertoire import run_command\nrun_command([\"ls\"])\n",
};

/// Builtins that run text as code or hand out namespaces are forbidden.
pub const DYNAMIC_CODE: Rule = Rule {
    code: "RPT103",
    severity: Severity::Error,
    category: Category::Security,
    summary: "Builtins that run text as code or hand out namespaces are forbidden.",
    instead: "Write the code itself, or look names up in a dictionary of your own.",
    bad: "e = eval\ne(\"1 + 1\")\n",
    good: "import re\nre.compile(\"1\")\n",
};

/// Attributes that lead from a value to the interpreter's internals are forbidden.
pub const DUNDER: Rule = Rule {
    code: "RPT104",
    severity: Severity::Error,
    category: Category::Security,
    summary: "Attributes that lead from a value to the interpreter's internals are forbidden.",
    instead: "Use the value's own methods, `type()` or `isinstance()`.",
    bad: "getattr((), \"__cl\" + \"ass__\")\n",
    good: "isinstance((), tuple)\n",
};

/// An attribute name pieced together at run time can't be checked.
pub const COMPUTED_ATTRIBUTE: Rule = Rule {
    code: "RPT105",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "An attribute name pieced together at run time can't be checked.",
    instead: "Use a dictionary from names to functions.",
    bad: "def f(x, n):\n    return getattr(x, \"__\" + n)\n",
    good: "def f(x, n):\n    return {\"a\": x}[n]\n",
};

/// A command that the procedure runs is not among its grants.
pub const COMMAND_NOT_GRANTED: Rule = Rule {
    code: "RPT106",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "A command that the procedure runs is not among its grants.",
    instead: "Ask the user to add the command to `commands` under [policy] in config.toml.",
    bad: "from repertoire import run_command\nrun_command([\"git\", \"push\"])\n",
    good: "from repertoire import run_command\nrun_command([\"git\", \"status\"])\n",
};

/// A file that the procedure opens is outside its granted directories.
pub const DIRECTORY_NOT_GRANTED: Rule = Rule {
    code: "RPT107",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "A file that the procedure opens is outside its granted directories.",
    instead: "Ask the user to add the directory to `read` or `write` under [policy] in config.toml.",
    bad: "with open(\"/secret/a.txt\") as f:\n    f.read()\n",
    good: "with open(\"/data/a.txt\") as f:\n    f.read()\n",
};

/// The program of a command is not a constant, so the grant it needs is not known.
pub const COMMAND_NOT_CONSTANT: Rule = Rule {
    code: "RPT108",
    severity: Severity::Info,
    category: Category::Security,
    summary: "The program of a command is not a constant, so the grant it needs is not known.",
    instead: "Write the program's name as a constant.",
    bad: "from repertoire import run_command\ndef f(tool):\n    run_command([tool])\n",
    good: "from repertoire import run_command\nrun_command([\"ls\"])\n",
};

/// A tool of an MCP server that the procedure calls is not among its grants.
pub const TOOL_NOT_GRANTED: Rule = Rule {
    code: "RPT109",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "A tool of an MCP server that the procedure calls is not among its grants.",
    instead: "Ask the user to add the tool, or its server, to `tools` under [policy] in config.toml.",
    bad: "from repertoire import call_tool\ncall_tool(\"search/delete\")\n",
    good: "from repertoire import call_tool\ncall_tool(\"search/query\", {\"text\": \"x\"})\n",
};

/// A host that the procedure sends requests to is not among its grants.
pub const HOST_NOT_GRANTED: Rule = Rule {
    code: "RPT110",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "A host that the procedure sends requests to is not among its grants.",
    instead: "Ask the user to add the host to `network` under [policy] in config.toml.",
    bad: "from repertoire import http_request\nhttp_request(\"https://example.net/x\")\n",
    good: "from repertoire import http_request\nhttp_request(\"https://api.example.org/x\")\n",
};

/// The procedure asks the language model, which is not granted.
pub const MODEL_NOT_GRANTED: Rule = Rule {
    code: "RPT111",
    severity: Severity::Warning,
    category: Category::Security,
    summary: "The procedure asks the language model, which is not granted.",
    instead: "Ask the user to set `model = true` under [policy] in config.toml, or do without.",
    bad: "from repertoire import llm\nllm(\"Summarise this.\")\n",
    good: "from repertoire import manual_step\nmanual_step(\"Summarise this.\")\n",
};
