//! Rules about what the interpreter lacks or does differently (`RPT2xx`). Entries of the rule table, no logic.

use super::super::issue::{Category, Severity};
use super::Rule;

/// The module `repertoire` offers only its host functions.
pub const UNKNOWN_HOST_FUNCTION: Rule = Rule {
    code: "RPT201",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "The module `repertoire` offers only its host functions.",
    instead: "Use one of them.",
    bad: "from repertoire import run_comand\n",
    good: "from repertoire import run_command\n",
};

/// `run_command` takes the program and its arguments as a list of strings; there is no shell.
pub const COMMAND_NOT_A_LIST: Rule = Rule {
    code: "RPT202",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "`run_command` takes the program and its arguments as a list of strings; there is no shell.",
    instead: "Pass a list.",
    bad: "from repertoire import run_command\nrun_command(\"git status\")\n",
    good: "from repertoire import run_command\nrun_command([\"git\", \"status\"])\n",
};

/// There are 37 standard modules and no packages.
pub const MISSING_MODULE: Rule = Rule {
    code: "RPT210",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "There are 37 standard modules and no packages.",
    instead: "Use what the message names.",
    bad: "import enum\n",
    good: "import re\n",
};

/// Some parts of the standard modules are missing.
pub const MISSING_MEMBER: Rule = Rule {
    code: "RPT211",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "Some parts of the standard modules are missing.",
    instead: "Use what the message names.",
    bad: "from collections import OrderedDict\n",
    good: "from collections import defaultdict\n",
};

/// Some builtins are missing.
pub const MISSING_BUILTIN: Rule = Rule {
    code: "RPT212",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "Some builtins are missing.",
    instead: "Use what the message names.",
    bad: "def f(x):\n    return issubclass(x, int)\n",
    good: "def f(x):\n    return repr(x)\n",
};

/// Star imports and relative imports don't work.
pub const UNSUPPORTED_IMPORT: Rule = Rule {
    code: "RPT213",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "Star imports and relative imports don't work.",
    instead: "Import the names that are needed from a module.",
    bad: "from math import *\n",
    good: "from math import sqrt\n",
};

/// `json.dumps` and `json.dump` take no `default` and no `cls`.
pub const MISSING_ARGUMENT: Rule = Rule {
    code: "RPT214",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "`json.dumps` and `json.dump` take no `default` and no `cls`.",
    instead: "Convert the values before the call.",
    bad: "import json\njson.dumps({}, default=str)\n",
    good: "import json\njson.dumps({}, indent=2)\n",
};

/// There are no generator functions.
pub const GENERATOR: Rule = Rule {
    code: "RPT220",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "There are no generator functions.",
    instead: "Collect the values in a list and return it.",
    bad: "def f():\n    yield 1\n",
    good: "def f():\n    return [1]\n",
};

/// There is no class inheritance and no metaclass.
pub const INHERITANCE: Rule = Rule {
    code: "RPT221",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "There is no class inheritance and no metaclass.",
    instead: "Write a plain class, or raise a builtin exception.",
    bad: "class E(Exception):\n    pass\n",
    good: "class E:\n    pass\n",
};

/// `del` takes items, slices, and names on a line of their own.
pub const DELETE: Rule = Rule {
    code: "RPT222",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "`del` takes items, slices, and names on a line of their own.",
    instead: "Write it so, or assign a new value.",
    bad: "def f(x):\n    del x.y\n",
    good: "x = {1: 2}\ndel x[1]\ndel x\n",
};

/// Methods can't be decorated: no `property`, `classmethod`, `staticmethod`.
pub const METHOD_DECORATOR: Rule = Rule {
    code: "RPT223",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "Methods can't be decorated: no `property`, `classmethod`, `staticmethod`.",
    instead: "Write a plain method or a function outside the class.",
    bad: "class A:\n    @property\n    def x(self):\n        return 1\n",
    good: "class A:\n    def x(self):\n        return 1\n",
};

/// A class body holds methods and `name = value` only.
pub const CLASS_BODY: Rule = Rule {
    code: "RPT224",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "A class body holds methods and `name = value` only.",
    instead: "Move other statements into a method or out of the class.",
    bad: "class A:\n    a, b = 1, 2\n",
    good: "class A:\n    a = 1\n    b = 2\n",
};

/// There is no `type` statement.
pub const TYPE_ALIAS: Rule = Rule {
    code: "RPT225",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "There is no `type` statement.",
    instead: "Assign the type to a name.",
    bad: "type X = int\n",
    good: "X = int\n",
};

/// There is no `async for`, no `async with` and no asynchronous comprehension.
pub const ASYNC_SYNTAX: Rule = Rule {
    code: "RPT226",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "There is no `async for`, no `async with` and no asynchronous comprehension.",
    instead: "Use `await` with `asyncio.gather`, and plain loops.",
    bad: "async def f(xs):\n    async for x in xs:\n        pass\n",
    good: "async def f(xs):\n    for x in xs:\n        await x\n",
};

/// There is no `except*`.
pub const EXCEPTION_GROUP: Rule = Rule {
    code: "RPT227",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "There is no `except*`.",
    instead: "Use `except`.",
    bad: "try:\n    f()\nexcept* ValueError as e:\n    print(e)\n",
    good: "try:\n    f()\nexcept ValueError as e:\n    print(e)\n",
};

/// There are no template strings.
pub const TEMPLATE_STRING: Rule = Rule {
    code: "RPT228",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "There are no template strings.",
    instead: "Use an f-string.",
    bad: "x = t\"{1}\"\n",
    good: "x = f\"{1}\"\n",
};

/// A builtin exception takes no argument or one string.
pub const EXCEPTION_ARGUMENTS: Rule = Rule {
    code: "RPT230",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "A builtin exception takes no argument or one string.",
    instead: "Pass one string.",
    bad: "raise ValueError(\"a\", 1)\n",
    good: "raise ValueError(\"a 1\")\n",
};

/// Functions have no `__name__`, `__doc__` and the like.
pub const FUNCTION_METADATA: Rule = Rule {
    code: "RPT231",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "Functions have no `__name__`, `__doc__` and the like.",
    instead: "Write the name as a string.",
    bad: "def f():\n    return 1\nprint(f.__name__)\n",
    good: "def f():\n    return 1\nprint(\"f\")\n",
};

/// Only objects of the code's own classes have `__class__`.
pub const CLASS_NAME: Rule = Rule {
    code: "RPT232",
    severity: Severity::Warning,
    category: Category::Runtime,
    summary: "Only objects of the code's own classes have `__class__`.",
    instead: "Use `type(x).__name__`.",
    bad: "def f(x):\n    return x.__class__.__name__\n",
    good: "def f(x):\n    return type(x).__name__\n",
};

/// Some special methods of own classes are never called.
pub const IGNORED_METHOD: Rule = Rule {
    code: "RPT240",
    severity: Severity::Warning,
    category: Category::Runtime,
    summary: "Some special methods of own classes are never called.",
    instead: "Write a named method and call it.",
    bad: "class A:\n    def __bool__(self):\n        return False\n",
    good: "class A:\n    def is_empty(self):\n        return False\n",
};

/// `map`, `filter`, `zip`, `enumerate`, `reversed` and generator expressions give lists, which `next()` refuses.
pub const NEXT_ON_LIST: Rule = Rule {
    code: "RPT241",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "`map`, `filter`, `zip`, `enumerate`, `reversed` and generator expressions give lists, which `next()` refuses.",
    instead: "Wrap it in `iter()`.",
    bad: "x = next(a for a in [1])\n",
    good: "x = next(iter([a for a in [1]]))\n",
};

/// `map`, `filter`, `enumerate` and generator expressions run to the end at once, so an endless source never returns.
pub const ENDLESS: Rule = Rule {
    code: "RPT242",
    severity: Severity::Warning,
    category: Category::Runtime,
    summary: "`map`, `filter`, `enumerate` and generator expressions run to the end at once, so an endless source never returns.",
    instead: "Use a `while` or `for` loop with `break`.",
    bad: "import itertools\nx = (n * 2 for n in itertools.count())\n",
    good: "import itertools\nfor n in itertools.count():\n    break\n",
};

/// Some methods of builtin types and of dates are missing.
pub const MISSING_METHOD: Rule = Rule {
    code: "RPT244",
    severity: Severity::Warning,
    category: Category::Runtime,
    summary: "Some methods of builtin types and of dates are missing.",
    instead: "Use what the message names.",
    bad: "def f(n):\n    return n.to_bytes(2, 'big')\n",
    good: "def f(n):\n    return [n // 256, n % 256]\n",
};

/// A loop over `enumerate`, `zip`, `map`, `filter`, `reversed` or a generator expression does not see what it changes in what
/// they read.
pub const CHANGED_AHEAD: Rule = Rule {
    code: "RPT245",
    severity: Severity::Warning,
    category: Category::Runtime,
    summary: "A loop over `enumerate`, `zip`, `map`, `filter`, `reversed` or a generator expression does not see what it changes in what they read.",
    instead: "Loop over indices, or over a copy.",
    bad: "def f(a):\n    for i, x in enumerate(a):\n        if x < 0:\n            a.pop(i)\n",
    good: "def f(a):\n    for i, x in enumerate(a):\n        a[i] = x + 1\n",
};

/// A loop over a set that stops early may come to other elements.
pub const ORDER_OF_SET: Rule = Rule {
    code: "RPT246",
    severity: Severity::Warning,
    category: Category::Runtime,
    summary: "A loop over a set that stops early may come to other elements: sets keep the order in which they were filled.",
    instead: "Loop over `sorted(…)`.",
    bad: "def f(a, most):\n    found = []\n    for x in set(a):\n        if x > most:\n            break\n        found.append(x)\n    return found\n",
    good: "def f(a, most):\n    found = []\n    for x in sorted(set(a)):\n        if x > most:\n            break\n        found.append(x)\n    return found\n",
};

/// `bytes` makes nothing of numbers.
pub const BYTES_OF_NUMBERS: Rule = Rule {
    code: "RPT247",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "`bytes` makes nothing of several numbers.",
    instead: "Make a text of them, and encode it.",
    bad: "def f(a):\n    return bytes([n + 1 for n in a]).decode()\n",
    good: "def f(a):\n    return \"\".join(chr(n + 1) for n in a)\n",
};

/// The interpreter's compiler refuses the code.
pub const REFUSED_BY_INTERPRETER: Rule = Rule {
    code: "RPT299",
    severity: Severity::Error,
    category: Category::Runtime,
    summary: "The interpreter's own compiler refuses the code, for a reason that no other rule knows.",
    instead: "Write it more plainly; the message says what it stumbled over.",
    bad: "",
    good: "",
};
