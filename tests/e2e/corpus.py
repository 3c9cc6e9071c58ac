"""Code that others wrote, remembered as it is and executed, by the official Python client over stdio.

Usage: python tests/e2e/corpus.py WHERE [--binary PATH] [--count N] [--seconds N] [--only TEXT] [--details FILE]
       [--without-python]

WHERE is a folder of Python files, or a file of lines of JSON in the form of HumanEval. Nothing of it is changed.

- Of a folder these functions are taken: public, at the top level of a file that imports nothing but the standard library,
  with at least one example in the docstring that a call by name over JSON can make: one expression that calls the function
  with literals, and wants a literal, an exception, or what is printed. The whole file is remembered under the name of the
  function, the function is called with the arguments of each example, and what comes back is compared with what the
  docstring says. CPython alone decides which are tried: those whose doctests pass there within 10 s, all of them together and
  each by itself, whose results have a form in JSON, and whose arguments are as the signature says. How many are left out by
  what is printed. With `--count` so many of the rest, evenly spaced in the order of paths and lines.
- Of each line of JSON the prompt, the solution and the test are remembered with a `main` below that calls the test, once
  with the solution and once with a function that is wrong: what can't fail would check nothing.

The interpreter of a debug build refuses code that is nested 30 levels deep, that of a release build from 200 on, so the latter
is what is tried. Python is granted, and each piece of code is executed where the server puts it by itself.
"""

import argparse
import doctest
import json
import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from docstrings import SUITS, Example, NoForm, functions, in_cpython, literal
from mcp.client import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

REPOSITORY = Path(__file__).resolve().parents[2]
SOLUTION = "check(solution)"
PATIENCE_SECONDS = 300
SLOW_SECONDS = 10

RIGHT = "as it should be"
NO_FORM = "the result has no form in JSON, or another one"
NOT_TAKEN = "an argument is not what the signature says"
TOO_SLOW = "stopped at the time limit"
# What one example or piece of code came to, from the best to the worst: the worst of its examples is that of a function.
NOT_STORED, RAISED, WRONG = "not stored", "raised", "wrong answer"
ORDER = [RIGHT, NO_FORM, NOT_TAKEN, TOO_SLOW, NOT_STORED, RAISED, WRONG]


@dataclass
class Piece:
    """Code, what it is remembered as, and the calls that are made of it."""

    name: str
    place: str
    code: str
    examples: list[Example] = field(default_factory=list)
    # Where the server put it, and what came of it.
    runtime: str = "-"
    why: str | None = None
    verdict: str = RIGHT
    reason: str = ""

    calls: Counter[str] = field(default_factory=Counter)

    def came_to(self, verdict: str, reason: str) -> None:
        self.calls[verdict] += 1
        if ORDER.index(verdict) > ORDER.index(self.verdict):
            self.verdict, self.reason = verdict, reason


def evenly(pieces: list[Piece], count: int) -> list[Piece]:
    return pieces if count >= len(pieces) else [pieces[index * len(pieces) // count] for index in range(count)]


def suitable(pieces: list[Piece]) -> list[Piece]:
    """Those whose examples suit, as CPython says."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        verdicts = list(threads.map(lambda piece: in_cpython(piece.name, piece.code, piece.examples), pieces))
    print(f"{len(pieces)} functions have an example that a call by name over JSON can make", flush=True)
    for verdict, count in Counter(verdicts).most_common():
        print(f"{count:8} {verdict}")
    return [piece for piece, verdict in zip(pieces, verdicts, strict=True) if verdict == SUITS]


def problems(lines: Path) -> Iterator[Piece]:
    for line in lines.read_text(encoding="utf-8").splitlines():
        problem = json.loads(line)
        call = f"def main(wrong: bool = False):\n    check(_wrong if wrong else {problem['entry_point']})\n"
        wrong = "def _wrong(*arguments):\n    return None\n"
        parts = (problem["prompt"] + problem["canonical_solution"], problem["test"], wrong, call)
        examples = [
            Example(SOLUTION, {}, "", None, {}),
            Example("check(wrong)", {"wrong": True}, "", "", {}),
        ]
        yield Piece(problem["task_id"].replace("/", " "), problem["task_id"], "\n\n".join(parts), examples)


# Judging what came back.


def judged(example: Example, ran: dict[str, Any]) -> tuple[str, str]:
    """What an execution came to, and why it is not right."""
    message = f": {ran['error']}" if ran.get("error") else ""
    error = f"{ran.get('error_type')}{message}" if ran.get("error_type") or message else None
    if ran.get("error_code") == "invalid_parameters":
        return NOT_TAKEN, str(ran["error"])
    if error and "`seconds`" in error and "[limits]" in error:
        return TOO_SLOW, error
    wanted = literal(example.want)
    if error and "JSON" in error and isinstance(wanted, NoForm):
        return NO_FORM, error
    if example.exception is not None:
        if error is None:
            return WRONG, f"gave {ran.get('result')!r} instead of raising {example.exception.strip()}"
        return (RIGHT, "") if is_wanted_error(example, error) else (RAISED, f"{error} instead of {example.exception}")
    if error is not None:
        return RAISED, error
    printed, result = ran.get("output") or "", ran.get("result")
    if is_wanted(example, wanted, printed, result):
        return RIGHT, ""
    return WRONG, f"printed {printed!r} and gave {result!r} instead of {example.want!r}"


def is_wanted(example: Example, wanted: Any, printed: str, result: Any) -> bool:
    if not printed and not isinstance(wanted, NoForm) and repr(wanted) == repr(result):
        return True
    shown = printed + ("" if result is None else f"{result!r}\n")
    if doctest.OutputChecker().check_output(example.want, shown, flags(example)):
        return True
    if not printed or not example.want.startswith(printed):
        return False
    rest = literal(example.want.removeprefix(printed))
    return not isinstance(rest, NoForm) and repr(rest) == repr(result)


def is_wanted_error(example: Example, error: str) -> bool:
    wanted, got = str(example.exception), f"{error}\n"
    kind = error.split(":")[0]
    if not wanted:
        return kind in {"AssertionError", "TypeError", "AttributeError", "IndexError"}
    if doctest.OutputChecker().check_output(wanted, got, flags(example)):
        return True
    if wanted == "AssertionError\n":
        # The sandbox also says what was compared.
        return kind == "AssertionError"
    return doctest.IGNORE_EXCEPTION_DETAIL in example.options and kind == wanted.split(":")[0].strip().split(".")[-1]


def flags(example: Example) -> int:
    return sum(flag for flag, is_on in example.options.items() if is_on)


# Talking to the server.


async def call(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    with anyio.fail_after(PATIENCE_SECONDS):
        answer = (await session.call_tool(tool, arguments)).structured_content
    assert isinstance(answer, dict), f"{tool} answered without structured content"
    return answer


async def tried(session: ClientSession, piece: Piece) -> None:
    remembered = await call(session, "remember_procedure", name=piece.name, steps=[piece.place], code=piece.code)
    if not remembered["success"]:
        piece.came_to(NOT_STORED, str(remembered["error"]))
        return
    procedure, piece.why = remembered["procedure_id"], remembered.get("next")
    definition = (await call(session, "get_procedure", procedure_id=procedure))["definition"]
    # What is as usual is not said.
    piece.runtime = definition.get("runtime", "sandbox")
    for example in piece.examples:
        ran = await call(session, "execute_procedure", procedure_id=procedure, parameters=example.parameters)
        verdict, reason = judged(example, ran)
        if verdict == WRONG and example.result is not None and repr(ran.get("result")) == example.result:
            # What the docstring shows has no form that can be compared.
            verdict = RIGHT
        piece.came_to(verdict, f"{example.source[:100]}: {reason}")
        if verdict == TOO_SLOW:
            break
    # The next may have the same name.
    await call(session, "delete_procedure", procedure_id=procedure)


async def try_all(pieces: list[Piece], binary: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="repertoire-corpus-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        settings = f"[limits]\nseconds = {ARGUMENTS.seconds}\n[python]\nenabled = {str(ARGUMENTS.python).lower()}\n"
        (home / "config.toml").write_text(settings, encoding="utf-8")
        server = StdioServerParameters(
            command=str(binary), args=["--home", str(home), "serve"], env={"REPERTOIRE_LOG": "error"}
        )
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await session.initialize()
            for number, piece in enumerate(pieces, 1):
                began = time.monotonic()
                await tried(session, piece)
                if (took := time.monotonic() - began) > SLOW_SECONDS:
                    print(f"{number} of {len(pieces)}: {piece.place} took {took:.0f} s", file=sys.stderr, flush=True)


def table(pieces: list[Piece]) -> bool:
    """Prints what came of all, and says whether each did what it should."""
    for piece in pieces:
        if piece.verdict != RIGHT:
            print(f"{piece.verdict} [{piece.runtime}] {piece.name} ({piece.place})\n    {piece.reason[:500]}")
    counted = Counter((piece.verdict, piece.runtime) for piece in pieces)
    calls = sum((piece.calls for piece in pieces), Counter[str]())
    print(f"\n{len(pieces)} pieces of code, each with the worst of what its calls came to")
    print(f"{'':52} {'sandbox':>8} {'python':>8} {'none':>8} {'calls':>8}")
    for verdict in ORDER:
        row = [counted[verdict, runtime] for runtime in ("sandbox", "python", "-")]
        if any(row):
            print(f"{verdict:52} {row[0]:8} {row[1]:8} {row[2]:8} {calls[verdict]:8}")
    return all(piece.verdict == RIGHT for piece in pieces)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Executes code that others wrote, unchanged.")
    parser.add_argument("where", type=Path)
    parser.add_argument("--binary", type=Path, default=REPOSITORY / "target" / "release" / "repertoire")
    parser.add_argument("--count", type=int, default=sys.maxsize, help="so many, evenly spaced")
    parser.add_argument("--seconds", type=int, default=60, help="the time limit of a call")
    parser.add_argument("--only", default="", help="those whose place has this in it")
    parser.add_argument("--details", type=Path, help="what came of each, as lines of JSON")
    parser.add_argument("--without-python", dest="python", action="store_false", help="grant the sandbox alone")
    return parser.parse_args()


def main() -> int:
    global ARGUMENTS
    ARGUMENTS = arguments()
    # Files of others have escapes that Python warns of.
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    is_folder = ARGUMENTS.where.is_dir()
    found = (Piece(*one) for one in functions(ARGUMENTS.where)) if is_folder else problems(ARGUMENTS.where)
    pieces = [piece for piece in found if ARGUMENTS.only in piece.place]
    pieces = evenly(suitable(pieces) if is_folder else pieces, ARGUMENTS.count)
    assert pieces, f"nothing in {ARGUMENTS.where} can be tried"
    anyio.run(try_all, pieces, ARGUMENTS.binary.resolve())
    if ARGUMENTS.details:
        fields = ("place", "runtime", "why", "verdict", "reason")
        shown = ({name: getattr(piece, name) for name in fields} for piece in pieces)
        ARGUMENTS.details.write_text("".join(f"{json.dumps(one)}\n" for one in shown), encoding="utf-8")
    return 0 if table(pieces) else os.EX_SOFTWARE


if __name__ == "__main__":
    sys.exit(main())
