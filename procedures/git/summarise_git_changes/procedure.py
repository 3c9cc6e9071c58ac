"""Says what has changed in the working tree of a git repository."""

from repertoire import run_command

_CHANGES = {
    "A": "added",
    "C": "copied",
    "D": "deleted",
    "M": "modified",
    "R": "renamed",
    "T": "type changed",
}


def _read(path: str) -> tuple[str, str, str]:
    """Ask git for the status, the staged and the unstaged changes."""
    options = ["--numstat", "-z", "--no-ext-diff", "--no-textconv", "--no-relative"]
    try:
        status = run_command(
            ["git", "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "-z"], cwd=path, check=False
        )
        staged = run_command(["git", "diff", "--cached", *options], cwd=path, check=False)
        unstaged = run_command(["git", "diff", *options], cwd=path, check=False)
    except (TimeoutError, RuntimeError) as error:
        raise RuntimeError(f"git took too long in `{path}`: {error}") from error
    for result in (status, staged, unstaged):
        if result.exit_code != 0:
            reason = result.stderr.strip() or f"exit code {result.exit_code}"
            if "not a git repository" in reason:
                raise ValueError(f"`{path}` is not inside a git repository; pass the folder of one")
            raise RuntimeError(f"git failed in `{path}`: {reason}")
    return status.stdout, staged.stdout, unstaged.stdout


def _changed_lines(numstat: str) -> dict[str, tuple[int | None, int | None]]:
    """Read `git diff --numstat -z`: for each path the lines added and deleted, None for binary files."""
    lines: dict[str, tuple[int | None, int | None]] = {}
    fields = numstat.split("\0")
    at = 0
    while at < len(fields):
        counts = fields[at].split("\t", 2)
        at += 1
        if len(counts) < 3:
            continue
        name = counts[2]
        if not name:  # a rename: the old and the new path follow
            if at + 1 >= len(fields):
                break
            name = fields[at + 1]
            at += 2
        lines[name] = (
            None if counts[0] == "-" else int(counts[0]),
            None if counts[1] == "-" else int(counts[1]),
        )
    return lines


def _entry(
    name: str, letter: str, old_name: str | None, lines: dict[str, tuple[int | None, int | None]]
) -> dict[str, object]:
    """Describe one changed file."""
    added, deleted = lines.get(name, (0, 0))
    entry: dict[str, object] = {"path": name, "change": _CHANGES.get(letter, "changed")}
    if old_name is not None and letter in ("R", "C"):
        entry["old_path"] = old_name
    entry["lines_added"] = added
    entry["lines_deleted"] = deleted
    entry["binary"] = added is None
    return entry


def _total(lines: dict[str, tuple[int | None, int | None]], column: int) -> int:
    """Add up one column of the changed lines."""
    return sum([counts[column] or 0 for counts in lines.values()])


def _count(number: int, noun: str) -> str:
    """Put a number before a noun: `1 commit`, `2 commits`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _headline(state: dict[str, object], counts: dict[str, int], added: int, deleted: int) -> str:
    """Say everything in one line."""
    if state["detached"]:
        where = f"Detached at {state['commit']}"
    elif state["commit"] is None:
        where = f"On branch {state['branch']}, no commits yet"
    else:
        where = f"On branch {state['branch']}"
    upstream = state["upstream"]
    if upstream is not None and state["ahead"] is None:
        where += f" (upstream {upstream} is gone)"
    elif upstream is not None and (state["ahead"] or state["behind"]):
        parts = []
        if state["ahead"]:
            parts.append(f"{state['ahead']} ahead of")
        if state["behind"]:
            parts.append(f"{state['behind']} behind")
        where += f" ({' and '.join(parts)} {upstream})"
    if not any([number for number in counts.values()]):
        return f"{where}: nothing to commit, working tree clean."
    words = {
        "staged": "staged",
        "unstaged": "changed but not staged",
        "untracked": "untracked",
        "conflicts": "in conflict",
    }
    parts = [f"{counts[kind]} {word}" for kind, word in words.items() if counts[kind]]
    return f"{where}: {', '.join(parts)}; +{added} -{deleted} lines."


def summarise_git_changes(path: str, max_files: int = 100) -> dict[str, object]:
    """Summarise the working tree of a git repository: branch, staged, unstaged and untracked files, changed lines.

    Args:
        path: A folder in the repository.
        max_files: How many files to list of each kind; the counts are always complete.

    Returns:
        `summary` (one line), `branch` (None when detached), `commit` (short id, None before the first commit),
        `detached`, `upstream`, `ahead` and `behind` (None without upstream), `clean`, the lists `staged`, `unstaged`,
        `untracked` and `conflicts`, their `counts`, `lines_added`, `lines_deleted` (tracked files) and `truncated`.

    Raises:
        ValueError: `path` is not in a git repository, or `max_files` is negative.
        FileNotFoundError: git is not installed, or there is no such folder.
        RuntimeError: git failed or took too long.
    """
    if max_files < 0:
        raise ValueError("`max_files` must be 0 or more")
    status, staged, unstaged = _read(path)
    staged_lines, unstaged_lines = _changed_lines(staged), _changed_lines(unstaged)

    state: dict[str, object] = {
        "branch": None,
        "commit": None,
        "detached": False,
        "upstream": None,
        "ahead": None,
        "behind": None,
    }
    files: dict[str, list] = {"staged": [], "unstaged": [], "untracked": [], "conflicts": []}
    records = status.split("\0")
    at = 0
    while at < len(records):
        record = records[at]
        at += 1
        if record.startswith("# branch.oid ") and not record.endswith("(initial)"):
            state["commit"] = record[len("# branch.oid ") :][:10]
        elif record.startswith("# branch.head "):
            head = record[len("# branch.head ") :]
            state["detached"] = head == "(detached)"
            state["branch"] = None if head == "(detached)" else head
        elif record.startswith("# branch.upstream "):
            state["upstream"] = record[len("# branch.upstream ") :]
        elif record.startswith("# branch.ab "):
            ahead, behind = record[len("# branch.ab ") :].split(" ")
            state["ahead"] = abs(int(ahead))
            state["behind"] = abs(int(behind))
        elif record.startswith("? "):
            files["untracked"].append(record[2:])
        elif record.startswith("u "):
            files["conflicts"].append(record.split(" ", 10)[10])
        elif record.startswith(("1 ", "2 ")):
            renamed = record.startswith("2 ")
            fields = record.split(" ", 9 if renamed else 8)
            name = fields[-1]
            old_name = None
            if renamed and at < len(records):
                old_name = records[at]
                at += 1
            index_letter, tree_letter = fields[1][0], fields[1][1]
            if index_letter != ".":
                files["staged"].append(_entry(name, index_letter, old_name, staged_lines))
            if tree_letter != ".":
                files["unstaged"].append(_entry(name, tree_letter, old_name, unstaged_lines))

    counts = {kind: len(found) for kind, found in files.items()}
    added = _total(staged_lines, 0) + _total(unstaged_lines, 0)
    deleted = _total(staged_lines, 1) + _total(unstaged_lines, 1)
    return {
        "summary": _headline(state, counts, added, deleted),
        **state,
        "clean": not any([number for number in counts.values()]),
        "staged": files["staged"][:max_files],
        "unstaged": files["unstaged"][:max_files],
        "untracked": files["untracked"][:max_files],
        "conflicts": files["conflicts"][:max_files],
        "counts": counts,
        "lines_added": added,
        "lines_deleted": deleted,
        "truncated": any([number > max_files for number in counts.values()]),
    }
