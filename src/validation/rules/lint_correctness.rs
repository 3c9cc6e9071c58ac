//! Rules about code that runs and probably does not do what is meant (`RPT60x` to `RPT62x`), found by the linter of Ruff.
//! Entries of the rule table, no logic; which of Ruff's rules stand for each is in `lint.rs`.

use super::super::issue::{Category, Severity};
use super::Rule;

/// Something is imported and never used.
pub const UNUSED_IMPORT: Rule = Rule {
    code: "RPT601",
    severity: Severity::Info,
    category: Category::Style,
    summary: "Something is imported and never used.",
    instead: "Remove the import.",
    bad: "import re\nx = 1\n",
    good: "import re\nx = re.escape(\"a\")\n",
};

/// A local variable is assigned and never used.
pub const UNUSED_VARIABLE: Rule = Rule {
    code: "RPT602",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A local variable is assigned and never used.",
    instead: "Use it, return it, or leave out the assignment.",
    bad: "def f():\n    total = 1\n    return 2\n",
    good: "def f():\n    total = 1\n    return total\n",
};

/// A definition replaces an earlier one of the same name that nothing has used.
pub const REPLACED_DEFINITION: Rule = Rule {
    code: "RPT603",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A definition replaces an earlier one of the same name that nothing has used.",
    instead: "Give each a name of its own, or remove one.",
    bad: "def f():\n    return 1\ndef f():\n    return 2\n",
    good: "def f():\n    return 1\ndef g():\n    return 2\n",
};

/// A text with `%` placeholders does not fit its values.
pub const PERCENT_FORMAT: Rule = Rule {
    code: "RPT604",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A text with `%` placeholders does not fit its values.",
    instead: "Write an f-string, or give one value for each placeholder.",
    bad: "x = \"%s of %s\" % (1,)\n",
    good: "x = \"%s of %s\" % (1, 2)\n",
};

/// A text with `{}` placeholders does not fit the values in `.format(…)`.
pub const STR_FORMAT: Rule = Rule {
    code: "RPT605",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A text with `{}` placeholders does not fit the values in `.format(…)`.",
    instead: "Write an f-string, or give one value for each placeholder.",
    bad: "x = \"{} of {}\".format(1)\n",
    good: "x = \"{} of {}\".format(1, 2)\n",
};

/// A dictionary or set repeats a key, so that only the last value stays.
pub const REPEATED_KEY: Rule = Rule {
    code: "RPT606",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A dictionary or set repeats a key, so that only the last value stays.",
    instead: "Keep one of them, or correct the key.",
    bad: "x = {\"a\": 1, \"a\": 2}\n",
    good: "x = {\"a\": 1, \"b\": 2}\n",
};

/// A condition is a tuple or a text that stands in the code, which is always true.
pub const ALWAYS_TRUE: Rule = Rule {
    code: "RPT607",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A condition is a tuple or a text that stands in the code, which is always true.",
    instead: "Test a value; `assert` takes its message after a comma, without brackets.",
    bad: "def f(x):\n    assert (x > 1, \"too small\")\n",
    good: "def f(x):\n    assert x > 1, \"too small\"\n",
};

/// `is` compares a value with a literal, which may hold or not as the interpreter likes.
pub const IDENTITY_OF_LITERAL: Rule = Rule {
    code: "RPT608",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "`is` compares a value with a literal, which may hold or not as the interpreter likes.",
    instead: "Use `==` or `!=`.",
    bad: "def f(x):\n    return x is \"a\"\n",
    good: "def f(x):\n    return x == \"a\"\n",
};

/// `++x` and `--x` change nothing.
pub const DOUBLE_SIGN: Rule = Rule {
    code: "RPT609",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "`++x` and `--x` change nothing.",
    instead: "Write `x += 1` or `x -= 1`.",
    bad: "def f(x):\n    return ++x\n",
    good: "def f(x):\n    x += 1\n    return x\n",
};

/// `.strip(…)` with a word removes any of its characters, not the word.
pub const STRIPPED_CHARACTERS: Rule = Rule {
    code: "RPT610",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "`.strip(…)` with a word removes any of its characters, not the word.",
    instead: "Use `.removeprefix(…)` or `.removesuffix(…)`.",
    bad: "def f(x):\n    return x.lstrip(\"http://\")\n",
    good: "def f(x):\n    return x.removeprefix(\"http://\")\n",
};

/// `return`, `break` or `continue` in `finally` drops the exception that is under way.
pub const JUMP_IN_FINALLY: Rule = Rule {
    code: "RPT611",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "`return`, `break` or `continue` in `finally` drops the exception that is under way.",
    instead: "Put it after the `try` statement.",
    bad: "def f():\n    try:\n        print(1)\n    finally:\n        return 2\n",
    good: "def f():\n    try:\n        print(1)\n    finally:\n        print(2)\n    return 2\n",
};

/// A statement computes a value and drops it.
pub const WITHOUT_EFFECT: Rule = Rule {
    code: "RPT612",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A statement computes a value and drops it.",
    instead: "Assign it, return it, raise it or remove it.",
    bad: "def f(x):\n    x == 1\n    return x\n",
    good: "def f(x):\n    return x == 1\n",
};

/// A loop variable has the name of what the loop runs through.
pub const LOOP_OVERRIDES: Rule = Rule {
    code: "RPT613",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A loop variable has the name of what the loop runs through.",
    instead: "Give the loop variable a name of its own.",
    bad: "def f(items):\n    for items in items:\n        print(items)\n",
    good: "def f(items):\n    for item in items:\n        print(item)\n",
};

/// A function made in a loop sees the loop variable as it is when the function is called, not as it was.
pub const LATE_BINDING: Rule = Rule {
    code: "RPT614",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A function made in a loop sees the loop variable as it is when the function is called, not as it was.",
    instead: "Pass it as a default, as in `lambda x=x: x`.",
    bad: "def f():\n    found = []\n    for n in [1, 2]:\n        found.append(lambda: n)\n    return found\n",
    good: "def f():\n    found = []\n    for n in [1, 2]:\n        found.append(lambda n=n: n)\n    return found\n",
};

/// An exception is caught twice, so that the second handler never runs.
pub const REPEATED_EXCEPTION: Rule = Rule {
    code: "RPT615",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "An exception is caught twice, so that the second handler never runs.",
    instead: "Name each exception once.",
    bad: "try:\n    print(1)\nexcept ValueError:\n    print(2)\nexcept ValueError:\n    print(3)\n",
    good: "try:\n    print(1)\nexcept ValueError:\n    print(2)\nexcept KeyError:\n    print(3)\n",
};

/// An `except` catches less than it seems to: `A or B` is only `A`, and `()` is nothing.
pub const CATCHES_LESS: Rule = Rule {
    code: "RPT616",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "An `except` catches less than it seems to: `A or B` is only `A`, and `()` is nothing.",
    instead: "Name the exceptions in a tuple, as in `except (A, B):`.",
    bad: "try:\n    print(1)\nexcept ValueError or KeyError:\n    print(2)\n",
    good: "try:\n    print(1)\nexcept (ValueError, KeyError):\n    print(2)\n",
};

/// The `else` of a loop without `break` always runs.
pub const ELSE_ON_LOOP: Rule = Rule {
    code: "RPT617",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "The `else` of a loop without `break` always runs.",
    instead: "Remove the `else` and keep what stands in it.",
    bad: "for x in [1]:\n    print(x)\nelse:\n    print(2)\n",
    good: "for x in [1]:\n    print(x)\nprint(2)\n",
};

/// An assignment changes nothing, or assigns the same name twice.
pub const SELF_ASSIGNMENT: Rule = Rule {
    code: "RPT618",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "An assignment changes nothing, or assigns the same name twice.",
    instead: "Correct the name on one side, or remove it.",
    bad: "def f(x):\n    x = x\n    return x\n",
    good: "def f(x):\n    y = x\n    return y\n",
};

/// `==` compares with `None`, `True` or `False`.
pub const SINGLETON_COMPARISON: Rule = Rule {
    code: "RPT619",
    severity: Severity::Info,
    category: Category::Style,
    summary: "`==` compares with `None`, `True` or `False`.",
    instead: "Use `is None`, or the value itself as the condition.",
    bad: "def f(x):\n    return x == None\n",
    good: "def f(x):\n    return x is None\n",
};

/// `==` compares types.
pub const TYPE_COMPARISON: Rule = Rule {
    code: "RPT620",
    severity: Severity::Info,
    category: Category::Style,
    summary: "`==` compares types.",
    instead: "Use `isinstance(x, int)`.",
    bad: "def f(x):\n    return type(x) == int\n",
    good: "def f(x):\n    return isinstance(x, int)\n",
};

/// `raise` without an exception stands outside an `except`, where there is nothing to raise again.
pub const NOTHING_TO_RAISE: Rule = Rule {
    code: "RPT621",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "`raise` without an exception stands outside an `except`, where there is nothing to raise again.",
    instead: "Name the exception to raise.",
    bad: "def f():\n    raise\n",
    good: "def f():\n    raise ValueError(\"bad\")\n",
};

/// `re.sub` and `re.split` take a count before the flags, so flags by position are taken as a count.
pub const POSITIONAL_FLAGS: Rule = Rule {
    code: "RPT622",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "`re.sub` and `re.split` take a count before the flags, so flags by position are taken as a count.",
    instead: "Pass them by name, as in `flags=re.I`.",
    bad: "import re\nx = re.sub(\"a\", \"b\", \"A\", re.I)\n",
    good: "import re\nx = re.sub(\"a\", \"b\", \"A\", flags=re.I)\n",
};

/// A backslash in a text starts no escape that Python knows.
pub const UNKNOWN_ESCAPE: Rule = Rule {
    code: "RPT623",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A backslash in a text starts no escape that Python knows.",
    instead: "Write a raw string, as in `r\"\\d\"`.",
    bad: "x = \"\\d\"\n",
    good: "x = r\"\\d\"\n",
};

/// Two texts beside each other on one line become one, as after a forgotten comma.
pub const JOINED_TEXTS: Rule = Rule {
    code: "RPT624",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "Two texts beside each other on one line become one, as after a forgotten comma.",
    instead: "Put a comma between them, or write one text.",
    bad: "x = [\"a\" \"b\"]\n",
    good: "x = [\"a\", \"b\"]\n",
};

/// One list or dictionary becomes the value of every key or object.
pub const SHARED_VALUE: Rule = Rule {
    code: "RPT625",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "One list or dictionary becomes the value of every key or object.",
    instead: "Use a comprehension, or `field(default_factory=list)`.",
    bad: "x = dict.fromkeys([\"a\", \"b\"], [])\n",
    good: "x = {key: [] for key in [\"a\", \"b\"]}\n",
};

/// `x["a"]: 1` annotates and assigns nothing.
pub const UNINTENDED_ANNOTATION: Rule = Rule {
    code: "RPT626",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "`x[\"a\"]: 1` annotates and assigns nothing.",
    instead: "Write `=` instead of `:`.",
    bad: "def f(x):\n    x[\"a\"]: 1\n    return x\n",
    good: "def f(x):\n    x[\"a\"] = 1\n    return x\n",
};

/// A condition has the same result whatever its values are.
pub const CONSTANT_RESULT: Rule = Rule {
    code: "RPT627",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "A condition has the same result whatever its values are.",
    instead: "Correct it, or write the result.",
    bad: "def f(x):\n    return x and not x\n",
    good: "def f(x, y):\n    return x and not y\n",
};

/// A handler does nothing but raise again.
pub const RAISED_AGAIN: Rule = Rule {
    code: "RPT628",
    severity: Severity::Info,
    category: Category::Style,
    summary: "A handler does nothing but raise again.",
    instead: "Say which step failed before raising, or leave out the handler.",
    bad: "def f():\n    try:\n        print(1)\n    except ValueError:\n        raise\n",
    good: "def f():\n    try:\n        print(1)\n    except ValueError as error:\n        raise ValueError(f\"printing failed: {error}\")\n",
};

/// `Decimal` of a float has the digits of the float.
pub const DECIMAL_OF_FLOAT: Rule = Rule {
    code: "RPT629",
    severity: Severity::Warning,
    category: Category::Style,
    summary: "`Decimal` of a float has the digits of the float.",
    instead: "Give the number as a text.",
    bad: "from decimal import Decimal\nx = Decimal(0.1)\n",
    good: "from decimal import Decimal\nx = Decimal(\"0.1\")\n",
};
