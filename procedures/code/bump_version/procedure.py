"""Raises the version of a project in its manifest."""

import json
import re
import tomllib
from pathlib import Path

_MANIFESTS = ["Cargo.toml", "package.json", "pyproject.toml"]
_TABLES = {
    "Cargo.toml": ["package", "workspace.package"],
    "pyproject.toml": ["project", "tool.poetry"],
}


def _manifest(path: str) -> Path:
    """Find the one manifest that `path` is or contains."""
    given = Path(path)
    if given.is_file():
        if given.name not in _MANIFESTS:
            raise ValueError(f"`{path}` is none of {', '.join(_MANIFESTS)}")
        return given
    if not given.is_dir():
        raise ValueError(f"`{path}` is neither a file nor a folder")
    found = [given / name for name in _MANIFESTS if (given / name).is_file()]
    if not found:
        raise ValueError(f"`{path}` has none of {', '.join(_MANIFESTS)}")
    if len(found) > 1:
        names = ", ".join([file.name for file in found])
        raise ValueError(f"`{path}` has several manifests ({names}); pass the path of one of them")
    return found[0]


def _locate_in_toml(text: str, name: str) -> tuple[int, int, str]:
    """Find the version's place in the text: start and end of the value between its quotes, and the table."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"`{name}` is not valid TOML: {error}") from error
    table, offset = "", 0
    places: dict[str, tuple[int, int]] = {}
    for line in text.split("\n"):
        header = re.match(r"\s*\[\s*([A-Za-z0-9_.\- ]+?)\s*\]\s*(?:#.*)?$", line.rstrip("\r"))
        entry = re.match(r"""(\s*version\s*=\s*["'])([^"']*)["']""", line)
        if header is not None:
            table = header.group(1).replace(" ", "")
        elif line.lstrip().startswith("["):
            table = ""
        elif entry is not None and table not in places:
            start = offset + len(entry.group(1))
            places[table] = (start, start + len(entry.group(2)))
        offset += len(line) + 1
    for wanted in _TABLES[name]:
        if wanted not in places:
            continue
        start, end = places[wanted]
        stated: object = data
        for key in [*wanted.split("."), "version"]:
            stated = stated.get(key) if isinstance(stated, dict) else None
        if stated != text[start:end]:
            raise ValueError(f"the version in [{wanted}] of `{name}` could not be located; is it written unusually?")
        return start, end, wanted
    raise ValueError(f"`{name}` states no version of its own in [{'] or ['.join(_TABLES[name])}]; is it inherited?")


def _locate_in_json(text: str) -> tuple[int, int, str]:
    """Find the place of the top-level `version` in package.json."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError(f"`package.json` is not valid JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("version"), str):
        raise ValueError("`package.json` states no `version`")
    depth, place, after_key = 0, None, False
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', text):
        word = token.group()
        if word in ("{", "["):
            depth += 1
        elif word in ("}", "]"):
            depth -= 1
        elif depth == 1 and after_key and word.startswith('"'):
            place = (token.start() + 1, token.end() - 1)
            after_key = False
        elif depth == 1 and word == '"version"':
            after_key = True
        elif word != ":":
            after_key = False
    if place is None:
        raise ValueError("the `version` in `package.json` could not be located")
    return place[0], place[1], "top level"


def _next_version(current: str, bump: str) -> str:
    """Work out the new version: a part to raise, or the version itself."""
    if bump not in ("major", "minor", "patch"):
        if re.fullmatch(r"[0-9]+(\.[0-9]+){1,3}([-+.]?[0-9A-Za-z][0-9A-Za-z.+-]*)?", bump) is None:
            raise ValueError(f"`bump` must be major, minor, patch or a version such as 1.4.0, not `{bump}`")
        return bump
    match = re.fullmatch(r"([0-9]+)\.([0-9]+)(?:\.([0-9]+))?(.*)", current)
    if match is None:
        raise ValueError(f"`{current}` is not a version of the form 1.2.3; pass the new version in `bump`")
    major, minor, patch = int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)
    # A pre-release comes before its release: 2.0.0-rc.1 is raised to 2.0.0 by any part that it already raised.
    suffix = match.group(4)
    before_release = suffix != "" and not suffix.startswith(("+", ".post"))
    if bump == "major":
        finished = before_release and minor == 0 and patch == 0
        return f"{major}.0.0" if finished else f"{major + 1}.0.0"
    if bump == "minor":
        return f"{major}.{minor}.0" if before_release and patch == 0 else f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch}" if before_release else f"{major}.{minor}.{patch + 1}"


def bump_version(path: str, bump: str = "patch", dry_run: bool = True) -> dict[str, object]:
    """Raise the version in Cargo.toml, package.json or pyproject.toml, and leave every other byte as it is.

    Args:
        path: The manifest, or the folder that holds exactly one.
        bump: `major`, `minor`, `patch`, or the new version itself.
        dry_run: Only say what would be written. Pass false to write.

    Returns:
        `summary`, `file`, `table` (where in the file the version stands), `old_version`, `new_version`, `line` (its
        number), `before` and `after` (that line), `written`, and `next_steps` (what is left to do by hand).

    Raises:
        ValueError: there is no manifest, several, none with a version, or the version makes no sense.
        RuntimeError: the file could not be read or written.
    """
    file = _manifest(path)
    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, ValueError) as error:
        raise RuntimeError(f"could not read `{file}`: {error}") from error
    start, end, table = _locate_in_json(text) if file.name == "package.json" else _locate_in_toml(text, file.name)
    old_version = text[start:end]
    new_version = _next_version(old_version, bump)
    new_text = text[:start] + new_version + text[end:]

    number = text.count("\n", 0, start)
    changed = new_version != old_version
    written = changed and not dry_run
    if written:
        try:
            file.write_bytes(new_text.encode("utf-8"))
        except OSError as error:
            raise RuntimeError(f"could not write `{file}`: {error}") from error
    steps = []
    if changed:
        locks = {"Cargo.toml": "cargo update --workspace", "package.json": "npm install --package-lock-only"}
        if file.name in locks:
            steps.append(f"Run `{locks[file.name]}` if the project commits its lock file")
        steps.append(f"Commit, then tag `v{new_version}`")
    if not changed:
        summary = f"{file.name} already states {old_version}."
    elif written:
        summary = f"{file.name}: {old_version} → {new_version}, written."
    else:
        summary = f"{file.name}: {old_version} → {new_version}, not written (dry run)."
    return {
        "summary": summary,
        "file": str(file),
        "table": table,
        "old_version": old_version,
        "new_version": new_version,
        "line": number + 1,
        "before": text.split("\n")[number].strip(),
        "after": new_text.split("\n")[number].strip(),
        "written": written,
        "next_steps": steps,
    }
