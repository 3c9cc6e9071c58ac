"""Checks the JSON and TOML files of a folder."""

import json
import os
import re
import tomllib
from pathlib import Path

_SKIPPED_FOLDERS = [".git", ".hg", ".svn", ".tox", ".venv", "__pycache__", "node_modules", "target", "venv"]


def _place(message: str, text: str) -> tuple[int, int, str]:
    """Take line and column out of a parser's message; returns them and the rest of the message."""
    match = re.search(r":? \(?(?:at )?line (\d+),? column (\d+)(?: \(char \d+\))?\)?", message)
    if match is not None:
        return int(match.group(1)), int(match.group(2)), message[: match.start()]
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1, message.replace(" (at end of document)", "")


def _json_warnings(text: str) -> list[tuple[int, int, str]]:
    """Find what parses but loses or endangers data: keys given twice, and numbers that JSON does not have."""
    warnings = []
    levels: list[dict[str, bool] | None] = []
    expect_key = False
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|-?Infinity|NaN', text):
        word = token.group()
        problem = ""
        if word == "{":
            levels.append({})
            expect_key = True
        elif word == "[":
            levels.append(None)
            expect_key = False
        elif word in ("}", "]"):
            levels.pop()
            expect_key = False
        elif word == ",":
            expect_key = levels[-1] is not None
        elif word in ("NaN", "Infinity", "-Infinity"):
            problem = f"`{word}` is not JSON; other parsers refuse it"
        elif expect_key and word != ":":
            expect_key = False
            keys = levels[-1]
            name = json.loads(word)
            if keys is not None:
                if name in keys:
                    problem = f"the key `{name}` appears twice; the first value is lost"
                keys[name] = True
        if problem:
            line = text.count("\n", 0, token.start()) + 1
            warnings.append((line, token.start() - text.rfind("\n", 0, token.start()), problem))
    return warnings


def _check_json(text: str) -> tuple[tuple[int, int, str] | None, list[tuple[int, int, str]]]:
    """Check one JSON document; returns the error, if any, and the warnings."""
    try:
        json.loads(text)
        return None, _json_warnings(text)
    except ValueError as error:
        return _place(str(error), text), []


def _check_lines(text: str) -> tuple[tuple[int, int, str] | None, list[tuple[int, int, str]]]:
    """Check a file with one JSON document per line."""
    warnings = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            error, found = _check_json(line)
            if error is not None:
                return (number, error[1], error[2]), warnings
            warnings.extend([(number, column, message) for _, column, message in found])
    return None, warnings


def _check_toml(text: str) -> tuple[tuple[int, int, str] | None, list[tuple[int, int, str]]]:
    """Check one TOML document."""
    try:
        tomllib.loads(text)
    except ValueError as error:
        return _place(str(error), text), []
    return None, []


def _check(content: bytes, suffix: str) -> tuple[tuple[int, int, str] | None, list[tuple[int, int, str]]]:
    """Check the content of one file."""
    warnings = []
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
        warnings.append((1, 1, "starts with a byte order mark, which many parsers refuse"))
    try:
        text = content.decode("utf-8")
    except ValueError:
        good = content.decode("utf-8", "replace").split("\ufffd", 1)[0]
        return (good.count("\n") + 1, len(good) - good.rfind("\n"), "is not UTF-8 text"), warnings
    if not text.strip() and suffix == ".json":
        return (1, 1, "is empty"), warnings
    if suffix == ".toml":
        error, found = _check_toml(text)
    elif suffix in (".jsonl", ".ndjson"):
        error, found = _check_lines(text)
    else:
        error, found = _check_json(text)
    return error, warnings + found


def _problem(file: str, found: tuple[int, int, str], source: str) -> dict[str, object]:
    """Describe one error or warning."""
    line, column, message = found
    lines = source.split("\n")
    shown = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
    return {"file": file, "line": line, "column": column, "message": message, "source": shown.strip()[:120]}


def check_config_files(path: str, skip_folders: list[str] | None = None, max_files: int = 900) -> dict[str, object]:
    """Check the syntax of every JSON, JSON Lines and TOML file in a folder tree, with line and column of each error.

    Files are held to the standard: comments and trailing commas in `.json` are errors.

    Args:
        path: The folder, or a single file.
        skip_folders: Names of folders to leave out, in place of the usual ones (.git, node_modules, target, …).
        max_files: How many files to check; each costs one call to the host.

    Returns:
        `summary`, `valid` (no errors), `files_checked`, `errors` (each `file`, `line`, `column`, `message`, `source`),
        `warnings` (the same shape: keys given twice, byte order marks, NaN), and `files_left` (not checked, because
        of `max_files`).

    Raises:
        ValueError: `path` does not exist, or is a file of another kind.
    """
    if max_files < 1:
        raise ValueError("`max_files` must be at least 1")
    root = Path(path)
    suffixes = (".json", ".jsonl", ".ndjson", ".toml")
    skipped = _SKIPPED_FOLDERS if skip_folders is None else skip_folders
    files: list[str] = []
    if root.is_file():
        if root.suffix.lower() not in suffixes:
            raise ValueError(f"`{path}` is none of {', '.join(suffixes)}")
        files.append(root.name)
        root = root.parent
    elif root.is_dir():
        for folder, folders, names in os.walk(str(root)):
            folders[:] = sorted([name for name in folders if name not in skipped])
            for name in sorted(names):
                if Path(name).suffix.lower() in suffixes:
                    files.append(os.path.relpath(os.path.join(folder, name), str(root)).replace("\\", "/"))
    else:
        raise ValueError(f"`{path}` is neither a file nor a folder")

    errors: list[dict[str, object]] = []
    warnings: list[dict[str, object]] = []
    for file in files[:max_files]:
        try:
            content = (root / file).read_bytes()
        except (OSError, MemoryError) as error:
            errors.append(_problem(file, (1, 1, f"could not be read: {error}"), ""))
            continue
        error_found, warnings_found = _check(content, Path(file).suffix.lower())
        source = content.decode("utf-8", "replace")
        if error_found is not None:
            errors.append(_problem(file, error_found, source))
        warnings.extend([_problem(file, found, source) for found in warnings_found])

    checked, left = min(len(files), max_files), max(0, len(files) - max_files)
    noun = "file" if checked == 1 else "files"
    if errors:
        summary = f"{len(errors)} of {checked} {noun} cannot be parsed: "
        summary += ", ".join([f"{error['file']}:{error['line']}:{error['column']}" for error in errors[:5]])
        summary += ", …." if len(errors) > 5 else "."
    elif checked:
        summary = f"{checked} {noun} checked, all parse."
    else:
        summary = "No JSON or TOML files found."
    if warnings:
        summary += f" {len(warnings)} {'warning' if len(warnings) == 1 else 'warnings'}."
    if left:
        summary += f" {left} more files were not checked: raise `max_files` or pass a smaller folder."
    return {
        "summary": summary,
        "valid": not errors,
        "files_checked": checked,
        "errors": errors,
        "warnings": warnings,
        "files_left": left,
    }
