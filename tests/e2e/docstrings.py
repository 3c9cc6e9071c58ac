"""Examples of docstrings: which a call by name over JSON can make, and what CPython says of them.

Started as a program it executes one of them, apart from whoever asks.
"""

import ast
import doctest
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLAIN = {"int": {int}, "float": {int, float}, "str": {str}, "bool": {bool}, "list": {list}, "dict": {dict}}
DIRECTIVES = {doctest.ELLIPSIS, doctest.NORMALIZE_WHITESPACE, doctest.IGNORE_EXCEPTION_DETAIL}
REFERENCE_SECONDS = 60


@dataclass
class Example:
    """A call that a docstring makes, and what it says of it."""

    source: str
    parameters: dict[str, Any]
    want: str
    exception: str | None
    options: dict[int, bool]
    # Whether each argument is of the type that the signature has for it: others are refused, or read as that type.
    fits: bool = True


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
            fits = all(fits_annotation(function, name, value) for name, value in parameters.items())
            yield Example(example.source.strip(), parameters, example.want, example.exc_msg, example.options, fits)


def fits_annotation(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, value: Any) -> bool:
    """Whether an annotation takes a value. What is no name of a plain type, or not there, takes all."""
    every = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    annotation = next((argument.annotation for argument in every if argument.arg == name), None)
    return annotation is None or takes(annotation, value)


def takes(annotation: ast.expr, value: Any) -> bool:
    match annotation:
        case ast.Constant(value=None):
            return value is None
        case ast.Name(id=name):
            return type(value) in PLAIN.get(name, {type(value)})
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return takes(left, value) or takes(right, value)
        case ast.Subscript(value=ast.Name(id="list" | "Iterable" | "Sequence"), slice=item):
            return isinstance(value, list) and all(takes(item, one) for one in value)
        case ast.Subscript(value=ast.Name(id="set" | "tuple")):
            # JSON has neither.
            return False
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


def in_cpython(code: str, example: Example) -> tuple[bool, str | None]:
    """Whether the example holds as a doctest, and the result as JSON where it has a form there."""
    told = (code, example.source, example.want, example.exception, example.options)
    try:
        run = subprocess.run(
            [sys.executable, "-I", __file__],
            input=repr(told),
            text=True,
            capture_output=True,
            timeout=REFERENCE_SECONDS,
        )
        holds, result = ast.literal_eval(run.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError, SyntaxError):
        return False, None
    return holds, result


def refer() -> None:
    """Executes one example, which comes over stdin."""
    code, source, want, exception, options = ast.literal_eval(sys.stdin.read())
    names: dict[str, Any] = {"__name__": "procedure"}
    exec(compile(code, "procedure.py", "exec"), names)
    example = doctest.Example(source, want, exception, options=options)
    test = doctest.DocTest([example], dict(names), "example", None, None, None)
    holds = doctest.DocTestRunner(verbose=False).run(test).failed == 0
    try:
        result = repr(json_form(eval(source, names)))
    except Exception:
        result = None
    print(f"\n{(holds, result)!r}")


if __name__ == "__main__":
    refer()
