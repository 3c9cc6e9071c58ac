"""Drafts a changelog from the commits since a tag."""

import re

from repertoire import run_command

_TITLES = [
    "Security",
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Performance",
    "Reverted",
    "Documentation",
    "Maintenance",
]

_CONVENTIONAL = {
    "feat": "Added",
    "feature": "Added",
    "fix": "Fixed",
    "bugfix": "Fixed",
    "hotfix": "Fixed",
    "perf": "Performance",
    "refactor": "Maintenance",
    "revert": "Reverted",
    "deprecate": "Deprecated",
    "remove": "Removed",
    "security": "Security",
    "docs": "Documentation",
    "doc": "Documentation",
    "build": "Maintenance",
    "chore": "Maintenance",
    "ci": "Maintenance",
    "style": "Maintenance",
    "test": "Maintenance",
    "tests": "Maintenance",
}

_FIRST_WORDS = {
    "Added": "add adds added allow allows create introduce introduces implement implements new support supports",
    "Fixed": "fix fixes fixed avoid correct corrects handle handles prevent prevents repair resolve resolves",
    "Removed": "remove removes removed delete deletes drop drops dropped",
    "Deprecated": "deprecate deprecates deprecated",
    "Performance": "optimise optimize speed accelerate",
    "Documentation": "document documents docs readme",
    "Reverted": "revert reverts",
    "Maintenance": "bump fixup! squash! amend! format lint refactor release test tests wip",
}


def _newest_tag(path: str, until: str) -> str | None:
    """Name the newest tag that leads to a commit; None when there is none."""
    try:
        result = run_command(["git", "describe", "--tags", "--abbrev=0", until, "--"], cwd=path, check=False)
    except (TimeoutError, RuntimeError) as error:
        raise RuntimeError(f"`git describe` took too long in `{path}`: {error}") from error
    return result.stdout.strip() or None if result.exit_code == 0 else None


def _log(path: str, span: str, max_commits: int) -> str:
    """Read the commits of a span, newest first, each ended by a NUL character."""
    options = ["--no-merges", "--no-show-signature", "-z", f"--max-count={max_commits}"]
    fields = "--format=%h%n%an%n%as%n%s%n%b"
    try:
        result = run_command(["git", "log", *options, fields, span, "--"], cwd=path, check=False)
        if result.exit_code == 0:
            return result.stdout
        head = run_command(["git", "log", "--max-count=1", "--format=%h"], cwd=path, check=False)
    except (TimeoutError, RuntimeError) as error:
        raise RuntimeError(f"`git log` took too long in `{path}`: {error}") from error
    problem = result.stderr.strip() or f"exit code {result.exit_code}"
    if "not a git repository" in problem:
        raise ValueError(f"`{path}` is not inside a git repository; pass the folder of one")
    if "unknown revision" not in problem and "bad revision" not in problem:
        raise RuntimeError(f"`git log` failed in `{path}`: {problem}")
    if head.exit_code != 0 and span == "HEAD":
        return ""  # a repository before its first commit
    raise ValueError(f"git knows no revision `{span}` in `{path}`; check `since` and `until`")


def _check_revision(revision: str, parameter: str) -> None:
    """Refuse what git could take for an option, a range or several words."""
    if not revision or revision.startswith(("-", "^")) or ".." in revision or re.search(r"\s", revision):
        raise ValueError(f"`{parameter}` must be one tag, branch or commit, not `{revision}`")


def _title_of_plain(subject: str) -> str:
    """Choose the section of a subject line by its first word."""
    if re.search(r"\bCVE-[0-9]{4}-[0-9]+", subject):
        return "Security"
    words = subject.lower().split()
    first = words[0].rstrip(":,") if words else ""
    for title, known in _FIRST_WORDS.items():
        if first in known.split():
            return title
    return "Changed"


def _classify(subject: str, body: str) -> dict[str, object]:
    """Read one commit message: its section, scope, text and whether it breaks users."""
    breaking = re.search(r"(?m)^BREAKING[ -]CHANGE:\s*(.*)", body)
    match = re.match(r"([A-Za-z][A-Za-z0-9_./-]*)(?:\(([^()]*)\))?(!)?:\s+(\S.*)", subject)
    title, scope, text = _title_of_plain(subject), None, subject
    if match is not None:
        word, inner, bang, rest = match.group(1), match.group(2), match.group(3), match.group(4)
        known = _CONVENTIONAL.get(word.lower())
        if known is not None:
            title, scope, text = known, inner or None, rest
        elif word.lower() not in ("fixup", "squash", "amend"):  # `topic: what was done`
            title, scope, text = _title_of_plain(rest), word, rest
        if bang is not None and breaking is None:
            breaking = match
    note = None
    if breaking is not None:
        note = text if breaking is match else (breaking.group(1).strip() or text)
    return {"title": title, "scope": scope, "text": text.strip(), "breaking": note}


def _bullet(entry: dict[str, object]) -> str:
    """Write one commit as a list item."""
    text = str(entry["text"])
    text = text[:1].upper() + text[1:]
    scope = f"**{entry['scope']}:** " if entry["scope"] else ""
    return f"- {scope}{text} ({entry['commit']})"


def _markdown(heading: str, sections: dict[str, list], breaking: list, with_maintenance: bool) -> str:
    """Write the changelog entry."""
    blocks = [f"## {heading}"]
    if breaking:
        items = [f"- {entry['breaking']} ({entry['commit']})" for entry in breaking]
        blocks.append("### Breaking changes\n\n" + "\n".join(items))
    for title in _TITLES:
        if title in sections and (title != "Maintenance" or with_maintenance):
            blocks.append(f"### {title}\n\n" + "\n".join([_bullet(entry) for entry in sections[title]]))
    return "\n\n".join(blocks) + "\n"


def draft_changelog(
    path: str,
    since: str | None = None,
    until: str = "HEAD",
    version: str | None = None,
    include_maintenance: bool = False,
    max_commits: int = 500,
) -> dict[str, object]:
    """Draft a changelog entry from the commits since a tag, grouped by kind.

    Understands Conventional Commits (`feat(scope)!: …`), `topic: …` and plain subject lines. Merge commits are left
    out.

    Args:
        path: A folder in the repository.
        since: The tag, branch or commit after which to start; by default the newest tag before `until`, or the
            beginning of history when there is none.
        until: The last commit to include.
        version: The version for the heading; `Unreleased` when left out.
        include_maintenance: Whether the markdown lists build, test, style, refactoring and similar commits too.
        max_commits: The most commits to read, newest first.

    Returns:
        `summary`, `markdown` (the entry, ready to edit), `since` (None: from the beginning), `until`, `commits` (how
        many), `sections` (per section the commits with `commit`, `text`, `scope`, `author`, `date`, `breaking`),
        `breaking` (the notes), `suggested_bump` (`major`, `minor`, `patch` or `none`), `authors`, `truncated`.

    Raises:
        ValueError: `path` is not in a repository, or a revision is unknown or not a single one.
        FileNotFoundError: git is not installed, or there is no such folder.
        RuntimeError: git failed or took too long.
    """
    if max_commits < 1:
        raise ValueError("`max_commits` must be at least 1")
    _check_revision(until, "until")
    if since is not None:
        _check_revision(since, "since")
    else:
        since = _newest_tag(path, until)
    span = until if since is None else f"{since}..{until}"
    output = _log(path, span, max_commits + 1)

    entries = []
    for record in output.split("\0"):
        parts = record.lstrip("\n").split("\n", 4)
        if len(parts) < 4:
            continue
        entry = _classify(parts[3], parts[4] if len(parts) > 4 else "")
        entries.append({"commit": parts[0], "author": parts[1], "date": parts[2], **entry})
    truncated = len(entries) > max_commits
    entries = entries[:max_commits]

    sections: dict[str, list] = {}
    for title in _TITLES:
        found_entries = [
            {key: value for key, value in entry.items() if key != "title"}
            for entry in entries
            if entry["title"] == title
        ]
        if found_entries:
            sections[title] = found_entries
    breaking = [entry for entry in entries if entry["breaking"] is not None]
    if not entries:
        bump = "none"
    elif breaking:
        bump = "major"
    else:
        bump = "minor" if "Added" in sections else "patch"

    heading = "[Unreleased]" if version is None else f"[{version}]"
    if version is not None and entries:
        heading += f" - {max([str(entry['date']) for entry in entries])}"
    start = "the beginning" if since is None else since
    if entries:
        counted = ", ".join([f"{len(found)} {title.lower()}" for title, found in sections.items()])
        noun = "commit" if len(entries) == 1 else "commits"
        summary = f"{len(entries)} {noun} from {start} to {until}: {counted}; suggested bump: {bump}."
        if breaking:
            summary += f" Breaking: {len(breaking)}."
        if truncated:
            summary += f" Only the newest {max_commits} were read."
    else:
        summary = f"No commits from {start} to {until}."
    return {
        "summary": summary,
        "markdown": _markdown(heading, sections, breaking, include_maintenance),
        "since": since,
        "until": until,
        "commits": len(entries),
        "sections": sections,
        "breaking": [entry["breaking"] for entry in breaking],
        "suggested_bump": bump,
        "authors": sorted({str(entry["author"]) for entry in entries}),
        "truncated": truncated,
    }
