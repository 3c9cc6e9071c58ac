"""Finds what takes the space in a folder."""

import os
from pathlib import Path


def _readable(size: int) -> str:
    """Write a number of bytes for people."""
    if size < 1000:
        return f"{size} B"
    amount = float(size)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"


def find_large_files(
    path: str,
    min_bytes: int = 1_000_000,
    limit: int = 20,
    skip_folders: list[str] | None = None,
    max_files: int = 900,
) -> dict[str, object]:
    """Find the largest files below a folder, and which kinds of file and which folders take the space.

    Args:
        path: The folder to look through.
        min_bytes: The size from which a file counts as large.
        limit: How many large files to list, largest first; the counts are always complete.
        skip_folders: Names of folders to leave out; only `.git` by default, so that caches and builds are seen.
        max_files: How many files to look at, those nearest to `path` first; each costs one call to the host.

    Returns:
        `summary`, `files` (each `file`, `bytes`, `size`), `large_files` (how many), `total_files`, `total_bytes`,
        `by_extension` and `by_folder` (the ten with most bytes: `name`, `files`, `bytes`), `unreadable` (how many
        files could not be looked at), `files_left` (not looked at, because of `max_files`), `truncated`.

    Raises:
        ValueError: `path` is no folder, or a number is negative.
    """
    if min_bytes < 0 or limit < 0 or max_files < 1:
        raise ValueError("`min_bytes` and `limit` must be 0 or more, `max_files` at least 1")
    root = Path(path)
    if not root.is_dir():
        raise ValueError(f"`{path}` is not a folder")
    skipped = [".git"] if skip_folders is None else skip_folders
    found: list[str] = []
    for folder, folders, names in os.walk(str(root)):
        folders[:] = sorted([name for name in folders if name not in skipped])
        inside = "" if folder == str(root) else os.path.relpath(folder, str(root)).replace("\\", "/") + "/"
        found.extend([inside + name for name in names])
    found.sort(key=lambda name: (name.count("/"), name))

    large: list[tuple[str, int]] = []
    extensions: dict[str, list[int]] = {}
    tops: dict[str, list[int]] = {}
    total_files, total_bytes, unreadable = 0, 0, 0
    for name in found[:max_files]:
        try:
            size = (root / name).stat().st_size
        except OSError:  # such as a link that leads nowhere, or out of the granted folders
            unreadable += 1
            continue
        total_files += 1
        total_bytes += size
        if size >= min_bytes:
            large.append((name, size))
        top = name.split("/", 1)[0] if "/" in name else "."
        for table, key in ((extensions, Path(name).suffix.lower() or "(none)"), (tops, top)):
            entry = table.setdefault(key, [0, 0])
            entry[0] += 1
            entry[1] += size

    large.sort(key=lambda pair: (-pair[1], pair[0]))
    rankings = []
    for table in (extensions, tops):
        ranked = sorted(table.items(), key=lambda pair: (-pair[1][1], pair[0]))[:10]
        rankings.append([{"name": name, "files": entry[0], "bytes": entry[1]} for name, entry in ranked])
    noun = "file" if len(large) == 1 else "files"
    summary = f"{len(large)} {noun} of at least {_readable(min_bytes)} among {total_files} ({_readable(total_bytes)})"
    if large:
        summary += f"; the largest is {large[0][0]} ({_readable(large[0][1])})"
    summary += "."
    left = max(0, len(found) - max_files)
    if left:
        summary += f" {left} more files were not looked at: raise `max_files` or pass a smaller folder."
    return {
        "summary": summary,
        "files": [{"file": name, "bytes": size, "size": _readable(size)} for name, size in large[:limit]],
        "large_files": len(large),
        "total_files": total_files,
        "total_bytes": total_bytes,
        "by_extension": rankings[0],
        "by_folder": rankings[1],
        "unreadable": unreadable,
        "files_left": left,
        "truncated": len(large) > limit or left > 0,
    }
