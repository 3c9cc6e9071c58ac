"""Examples of docstrings: which a call by name over JSON can make, and what CPython says of them.

Started as a program it executes those of one function, apart from whoever asks.
"""

import ast
import collections.abc
import doctest
import inspect
import math
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIRECTIVES = {doctest.ELLIPSIS, doctest.NORMALIZE_WHITESPACE, doctest.IGNORE_EXCEPTION_DETAIL}
REFERENCE_SECONDS = 10

# What CPython alone says of the examples of a function: the first that holds.
FAILS = "the doctests do not pass in CPython within 10 s"
NO_RESULT = "a result has no form in JSON"
UNREADABLE = "CPython can't evaluate the annotations"
CONTRARY = "the arguments are not what the signature says"
SUITS = "suits"


@dataclass
class Example:
    """A call that a docstring makes, and what it says of it."""

    source: str
    parameters: dict[str, Any]
    want: str
    exception: str | None
    options: dict[int, bool]
    # The result in CPython as JSON has it, where it has a form there.
    result: str | None = None


class NoForm(Exception):
    """A value that JSON has no form for."""


def json_form(value: Any) -> Any:
    """A value as the answer of a run has it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (list, tuple)):
        return [json_form(item) for item in value]
    if isinstance(value, dict):
        return {key_form(key): json_form(item) for key, item in value.items()}
    raise NoForm(repr(value))


def key_form(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (str, int, float)):
        return str(key)
    raise NoForm(repr(key))


def is_the_same_in_json(value: Any) -> bool:
    """Whether a value goes over JSON and comes back as it was: no tuples, no sets."""
    try:
        return repr(json_form(value)) == repr(value)
    except NoForm:
        return False


def literal(text: str) -> Any:
    """The value that a text shows as JSON has it; `NoForm` where it has none."""
    try:
        return json_form(ast.literal_eval(text.strip() or "None"))
    except NoForm as error:
        return error
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        return NoForm(str(error))


def imports_only_the_standard_library(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""] if node.level == 0 else [""]
        else:
            continue
        if any(module.split(".")[0] not in sys.stdlib_module_names for module in modules):
            return False
    return True


def bound(call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, Any] | None:
    """The arguments of a call by name, where they can be passed so."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    if len(call.args) > len(names) or any(keyword.arg is None for keyword in call.keywords):
        return None
    pairs = [*zip(names, call.args, strict=False), *((keyword.arg, keyword.value) for keyword in call.keywords)]
    parameters: dict[str, Any] = {}
    for name, node in pairs:
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        if not is_the_same_in_json(value):
            return None
        parameters[str(name)] = value
    return parameters


def examples_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Example]:
    text = ast.get_docstring(function, clean=False) or ""
    try:
        found = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return
    for example in found:
        if any(example.options.keys() - DIRECTIVES):
            continue
        try:
            call = ast.parse(example.source.strip(), mode="eval").body
        except SyntaxError:
            continue
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == function.name):
            continue
        parameters = bound(call, function)
        if parameters is not None:
            yield Example(example.source.strip(), parameters, example.want, example.exc_msg, example.options)


def takes(hint: Any, value: Any) -> bool:
    """Whether an annotation, as `typing` reads it, takes a value. What it says nothing about takes all."""
    if hint is Any or isinstance(hint, typing.ForwardRef):
        return True
    if isinstance(hint, typing.TypeVar):
        allowed = hint.__constraints__ or ((hint.__bound__,) if hint.__bound__ else ())
        return not allowed or any(takes(one, value) for one in allowed)
    origin, of = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return takes(of[0], value)
    if origin in (typing.Union, types.UnionType):
        return any(takes(one, value) for one in of)
    if origin is typing.Literal:
        return any(type(one) is type(value) and one == value for one in of)
    kind = origin or hint
    if kind is None:
        return value is None
    if not isinstance(kind, type):
        return True
    # An integer is a number of every kind.
    if kind in (float, complex):
        return isinstance(value, (int, float))
    if not isinstance(value, kind):
        return False
    if isinstance(value, dict) and len(of) == 2:
        return all(takes(of[0], key) and takes(of[1], item) for key, item in value.items())
    if isinstance(value, (list, str)) and len(of) == 1 and issubclass(kind, collections.abc.Iterable):
        return all(takes(of[0], item) for item in value)
    return True


def functions(folder: Path) -> Iterator[tuple[str, str, str, list[Example]]]:
    """Name, place, code and examples of each function that can be tried."""
    for path in sorted(folder.rglob("*.py")):
        try:
            code = path.read_text(encoding="utf-8")
            tree = ast.parse(code)
        except (SyntaxError, UnicodeDecodeError):
            continue
        if not imports_only_the_standard_library(tree):
            continue
        for function in tree.body:
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and not function.name.startswith("_"):
                if examples := list(examples_of(function)):
                    yield function.name, f"{path.relative_to(folder)}:{function.lineno}", code, examples


def in_cpython(name: str, code: str, examples: list[Example]) -> str:
    """Whether the examples suit, or why not; what they give is written into them."""
    told = (name, code, [(one.source, one.parameters, one.want, one.exception, one.options) for one in examples])
    try:
        run = subprocess.run(
            [sys.executable, "-I", __file__],
            input=repr(told),
            text=True,
            capture_output=True,
            timeout=REFERENCE_SECONDS,
        )
        verdict, results = ast.literal_eval(run.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError, SyntaxError):
        return FAILS
    for example, result in zip(examples, results, strict=False):
        example.result = result
    return verdict


def loaded(code: str) -> dict[str, Any]:
    # Classes of data look for the module that they are of.
    module = sys.modules["procedure"] = types.ModuleType("procedure")
    exec(compile(code, "procedure.py", "exec", dont_inherit=True), module.__dict__)
    return module.__dict__


def pass_in(names: dict[str, Any], examples: list[doctest.Example]) -> bool:
    test = doctest.DocTest(examples, names, "example", None, None, None)
    return doctest.DocTestRunner(verbose=False).run(test, clear_globs=False).failed == 0


def judge(name: str, code: str, examples: list[tuple[Any, ...]]) -> tuple[str, list[str | None]]:
    names = loaded(code)
    function = names[name]
    if not pass_in(names, doctest.DocTestParser().get_examples(function.__doc__ or "")):
        return FAILS, []
    results: list[str | None] = []
    for source, _, want, exception, options in examples:
        # Each is a call of its own, which knows nothing of those before it.
        if not pass_in(loaded(code), [doctest.Example(source, want, exception, options=options)]):
            return FAILS, []
        if exception is not None:
            results.append(None)
            continue
        try:
            results.append(repr(json_form(eval(source, loaded(code)))))
        except NoForm:
            return NO_RESULT, []
    try:
        hints = typing.get_type_hints(function)
    except Exception:
        return UNREADABLE, []
    for _, parameters, *_ in examples:
        try:
            inspect.signature(function).bind(**parameters)
        except TypeError:
            return CONTRARY, []
        if not all(takes(hints.get(parameter, Any), value) for parameter, value in parameters.items()):
            return CONTRARY, []
    return SUITS, results


def refer() -> None:
    """Judges the examples of one function, which come over stdin."""
    print(f"\n{judge(*ast.literal_eval(sys.stdin.read()))!r}")


if __name__ == "__main__":
    refer()
