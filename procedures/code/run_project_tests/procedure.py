"""Runs the tests of a project, whatever it is written in, and says what failed."""

import json
import re
from pathlib import Path

from repertoire import run_command

_TOOLS = ["cargo", "go", "npm", "pytest", "make"]


def _text(file: Path) -> str:
    """Read a file as text; empty when there is none."""
    try:
        return file.read_bytes().decode("utf-8", "replace") if file.is_file() else ""
    except OSError as error:
        raise RuntimeError(f"could not read `{file}`: {error}") from error


def _has_npm_tests(package: str) -> bool:
    """Whether a package.json names a test script other than the placeholder that `npm init` writes."""
    try:
        data = json.loads(package) if package.strip() else {}
    except ValueError as error:
        raise ValueError(f"`package.json` is not valid JSON: {error}") from error
    scripts = data.get("scripts") if isinstance(data, dict) else None
    script = scripts.get("test") if isinstance(scripts, dict) else None
    return isinstance(script, str) and "no test specified" not in script


def _detect(folder: Path) -> list[str]:
    """Name the test tools that the files in the folder speak of, the likeliest first."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError as error:
        raise RuntimeError(f"could not look into `{folder}`: {error}") from error
    tools = []
    if "Cargo.toml" in names:
        tools.append("cargo")
    if "go.mod" in names:
        tools.append("go")
    if "package.json" in names and _has_npm_tests(_text(folder / "package.json")):
        tools.append("npm")
    configured = [name for name in ("pytest.ini", "conftest.py", "setup.py", "tox.ini", "setup.cfg") if name in names]
    test_files = [name for name in names if re.fullmatch(r"test_.*\.py|.*_test\.py", name)]
    if configured or test_files or "pyproject.toml" in names:
        tools.append("pytest")
    for name in ("Makefile", "makefile", "GNUmakefile"):
        if name in names and "make" not in tools and re.search(r"(?m)^test\s*:", _text(folder / name)):
            tools.append("make")
    return tools


def _number(pattern: str, output: str) -> int | None:
    """Add up the numbers that a pattern finds; None when it finds none."""
    found = re.findall(pattern, output)
    return sum([int(number) for number in found]) if found else None


def _read_cargo(output: str) -> tuple[dict[str, int | None], list[dict[str, str]]]:
    """Read what `cargo test` printed."""
    results = re.findall(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", output)
    counts: dict[str, int | None] = {"passed": None, "failed": None, "skipped": None}
    if results:
        for at, kind in enumerate(["passed", "failed", "skipped"]):
            counts[kind] = sum([int(result[at]) for result in results])
    failures = []
    for name in re.findall(r"(?m)^test (.+?) \.\.\. FAILED", output):
        block = re.search(
            r"---- " + re.escape(name) + r"(?: stdout)? ----\n((?:(?!\n---- |\n\nfailures:)[\s\S])*)", output
        )
        message = block.group(1).split("\nstack backtrace:", 1)[0].strip() if block is not None else ""
        failures.append({"test": name, "message": message})
    if not results or not failures:
        for code, message, place in re.findall(r"(?m)^error(\[E\d+\])?: (.+)\n\s*--> (\S+)", output):
            failures.append({"test": f"build: {place}", "message": f"error{code}: {message}"})
    return counts, failures


def _read_pytest(output: str) -> tuple[dict[str, int | None], list[dict[str, str]]]:
    """Read what pytest printed."""
    last = ""
    for line in output.split("\n"):
        if re.search(r"\bin [\d.]+s\b", line):
            last = line
    errors = _number(r"(\d+) errors?\b", last)
    failed = _number(r"(\d+) failed\b", last)
    counts: dict[str, int | None] = {
        "passed": _number(r"(\d+) passed\b", last) or (0 if last else None),
        "failed": (failed or 0) + (errors or 0) if last else None,
        "skipped": _number(r"(\d+) skipped\b", last) or (0 if last else None),
    }
    failures = []
    for test, message in re.findall(r"(?m)^(?:FAILED|ERROR) (\S+?(?:\[.*?\])?)(?: - (.*))?$", output):
        failures.append({"test": test, "message": message.strip()})
    return counts, failures


def _read_go(output: str) -> tuple[dict[str, int | None], list[dict[str, str]]]:
    """Read the events that `go test -json` printed."""
    counts: dict[str, int | None] = {"passed": 0, "failed": 0, "skipped": 0}
    printed: dict[str, list[str]] = {}
    failures = []
    for line in output.split("\n"):
        if not line.startswith("{"):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        action, package = event.get("Action"), event.get("Package") or event.get("ImportPath") or ""
        name = f"{package}: {event['Test']}" if event.get("Test") else package
        if action in ("output", "build-output"):
            printed.setdefault(name, []).append(event.get("Output", ""))
        elif action in ("pass", "fail", "skip") and event.get("Test"):
            kind = {"pass": "passed", "fail": "failed", "skip": "skipped"}[action]
            counts[kind] = (counts[kind] or 0) + 1
        if action == "build-fail" or (action == "fail" and event.get("Test")):
            failures.append({"test": name, "message": "".join(printed.get(name, [])).strip()})
    return counts, failures


def _read_other(output: str) -> tuple[dict[str, int | None], list[dict[str, str]]]:
    """Read what jest, vitest, mocha, node's own runner or something unknown printed."""
    line = re.search(r"(?m)^\s*Tests:?\s+(.*(?:passed|failed).*)$", output)  # jest and vitest
    counts: dict[str, int | None]
    if line is not None:
        text = line.group(1)
        counts = {
            "passed": _number(r"(\d+) passed", text) or 0,
            "failed": _number(r"(\d+) failed", text) or 0,
            "skipped": (_number(r"(\d+) skipped", text) or 0) + (_number(r"(\d+) todo", text) or 0),
        }
    elif re.search(r"(?m)^\s*\d+ passing\b", output) is not None:  # mocha
        counts = {
            "passed": _number(r"(?m)^\s*(\d+) passing\b", output),
            "failed": _number(r"(?m)^\s*(\d+) failing\b", output) or 0,
            "skipped": _number(r"(?m)^\s*(\d+) pending\b", output) or 0,
        }
    else:  # node --test
        counts = {
            "passed": _number(r"(?m)^(?:#|ℹ) pass (\d+)\s*$", output),
            "failed": _number(r"(?m)^(?:#|ℹ) fail (\d+)\s*$", output),
            "skipped": _number(r"(?m)^(?:#|ℹ) skipped (\d+)\s*$", output),
        }
    failures = []
    for name in re.findall(r"(?m)^\s*(?:not ok \d+ - |✖ |✕ |● |× )(.+)$", output):
        name = re.sub(r"\s+\(?[\d.]+ ?ms\)?\s*$", "", name).strip()
        if name != "failing tests:" and name not in [failure["test"] for failure in failures]:
            failures.append({"test": name, "message": ""})
    return counts, failures


def _start(tool: str, path: str, arguments: list[str], timeout: float | None) -> tuple[str, int, str]:
    """Run a tool's tests; returns the command, its exit code and what it printed."""
    if tool == "cargo":
        result = run_command(["cargo", "test", "--no-fail-fast", *arguments], cwd=path, check=False, timeout=timeout)
        command = "cargo test --no-fail-fast"
    elif tool == "go":
        named = any([word.startswith(".") or "/" in word for word in arguments])
        arguments = arguments if named else [*arguments, "./..."]
        result = run_command(["go", "test", "-json", *arguments], cwd=path, check=False, timeout=timeout)
        command = "go test -json"
    elif tool == "npm":
        arguments = ["--", *arguments] if arguments else []
        result = run_command(["npm", "test", "--silent", *arguments], cwd=path, check=False, timeout=timeout)
        command = "npm test --silent"
    elif tool == "make":
        result = run_command(["make", "test", *arguments], cwd=path, check=False, timeout=timeout)
        command = "make test"
    else:
        try:
            result = run_command(["pytest", "-q", "-rfE", *arguments], cwd=path, check=False, timeout=timeout)
            command = "pytest -q -rfE"
        except FileNotFoundError:
            result = run_command(
                ["python3", "-m", "pytest", "-q", "-rfE", *arguments], cwd=path, check=False, timeout=timeout
            )
            command = "python3 -m pytest -q -rfE"
            if "No module named pytest" in result.stderr:
                raise RuntimeError("pytest is not installed") from None
    return " ".join([command, *arguments]), result.exit_code, result.stdout + "\n" + result.stderr


def _run(tool: str, path: str, arguments: list[str], timeout: float | None) -> tuple[str, int, str]:
    """Run a tool's tests and put into words why that was not possible."""
    try:
        return _start(tool, path, arguments, timeout)
    except TimeoutError as error:
        raise RuntimeError(f"the tests in `{path}` took too long: {error}") from error
    except (FileNotFoundError, RuntimeError) as error:
        raise RuntimeError(f"the tests in `{path}` could not be started with {tool}: {error}") from error


def run_project_tests(
    path: str,
    tool: str | None = None,
    arguments: list[str] | None = None,
    timeout: float | None = None,
    max_failures: int = 20,
) -> dict[str, object]:
    """Run the tests of a project and report the failures: cargo, go, npm, pytest or make, found by its files.

    The tests are the project's own code and run outside the sandbox.

    Args:
        path: The folder of the project.
        tool: `cargo`, `go`, `npm`, `pytest` or `make`; by default the first that fits the files in the folder.
        arguments: More arguments for the tool, such as a test's name.
        timeout: How many seconds the tests may take; by default what is left of the run.
        max_failures: How many failures to list.

    Returns:
        `summary`, `success` (the tool ended with exit code 0), `tool`, `command`, `exit_code`, `passed`, `failed` and
        `skipped` (None where the tool does not say), `failures` (each `test` and `message`, failures to build
        included), `other_tools` (that would fit too) and `output_tail` (the last lines, empty on success).

    Raises:
        ValueError: there is no such folder, no tests are recognised, or `tool` is unknown.
        RuntimeError: the tool could not be started or took too long.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ValueError(f"`{path}` is not a folder")
    if tool is not None and tool not in _TOOLS:
        raise ValueError(f"`tool` must be one of {', '.join(_TOOLS)}, not `{tool}`")
    fitting = _detect(folder)
    if tool is None and not fitting:
        raise ValueError(f"found no tests in `{path}`: no Cargo.toml, go.mod, package.json, pytest or make target")
    chosen = fitting[0] if tool is None else tool

    command, exit_code, output = _run(chosen, path, arguments or [], timeout)
    output = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r\n", "\n")
    if chosen == "cargo":
        counts, failures = _read_cargo(output)
    elif chosen == "pytest":
        counts, failures = _read_pytest(output)
    elif chosen == "go":
        counts, failures = _read_go(output)
    else:
        counts, failures = _read_other(output)
        if counts["passed"] is None:  # make and npm scripts often call one of the others
            for reader in (_read_cargo, _read_pytest):
                other_counts, other_failures = reader(output)
                if other_counts["passed"] is not None:
                    counts, failures = other_counts, other_failures
    failures = [{"test": failure["test"], "message": failure["message"][:1500]} for failure in failures]

    parts = [f"{counts[kind]} {kind}" for kind in ("passed", "failed", "skipped") if counts[kind]]
    if chosen == "pytest" and exit_code == 5:
        verdict = "No tests were found"
    elif exit_code == 0:
        verdict = "Tests passed"
    else:
        verdict = "Tests failed"
    summary = f"{verdict} with {chosen}"
    if parts:
        summary += f": {', '.join(parts)}"
    if exit_code != 0 and failures:
        names = ", ".join([failure["test"] for failure in failures[:5]])
        summary += f". Failing: {names}" + (", …" if len(failures) > 5 else "")
    elif exit_code not in (0, 5) or (exit_code == 5 and chosen != "pytest"):
        summary += f". Exit code {exit_code}; see `output_tail`"
    return {
        "summary": summary + ".",
        "success": exit_code == 0,
        "tool": chosen,
        "command": command,
        "exit_code": exit_code,
        "passed": counts["passed"],
        "failed": counts["failed"],
        "skipped": counts["skipped"],
        "failures": failures[:max_failures],
        "other_tools": [name for name in fitting if name != chosen],
        "output_tail": "" if exit_code == 0 else "\n".join(output.strip().split("\n")[-40:])[-4000:],
    }
