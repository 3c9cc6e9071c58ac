"""Finds the notes that people left in code."""

import os
import re
from pathlib import Path

_SKIPPED_FOLDERS = [
    ".git",
    ".hg",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
    "target",
    "vendor",
    "venv",
]

_BINARY = (
    ".7z .a .avi .bin .bmp .bz2 .class .db .dll .dylib .exe .flac .gif .gz .ico .jar .jpeg .jpg .lib .mkv .mov .mp3 "
    ".mp4 .o .ogg .otf .pdf .png .pyc .rlib .rmeta .so .sqlite .tar .tgz .tiff .ttf .wasm .wav .webm .webp .woff "
    ".woff2 .xz .zip .zst"
).split()


def _files(root: Path, skipped: list[str]) -> list[str]:
    """List the files below `root` in a fixed order, leaving out the skipped folders."""
    if not root.is_dir():
        raise ValueError(f"`{root}` is neither a file nor a folder")
    found = []
    for folder, folders, names in os.walk(str(root)):
        folders[:] = sorted([name for name in folders if name not in skipped])
        found.extend([os.path.join(folder, name) for name in sorted(names)])
    return found


def _read_text(file: str, max_file_bytes: int) -> str | None:
    """Read a file as text; None when it is binary, too large or cannot be read."""
    if Path(file).suffix.lower() in _BINARY:
        return None
    try:
        content = Path(file).read_bytes()
    except (OSError, MemoryError):  # such as a link that leads out of the granted folders
        return None
    if len(content) > max_file_bytes or b"\0" in content:
        return None
    return content.decode("utf-8", "replace")


def _clean(text: str) -> str:
    """Cut off what closes a comment."""
    for ending in ("*/", "-->", "--}}", "#}", "%>", '"""'):
        text = text.split(ending, 1)[0]
    return text.strip()


def find_todos(
    path: str,
    tags: list[str] | None = None,
    skip_folders: list[str] | None = None,
    max_results: int = 200,
    max_file_bytes: int = 1_000_000,
    max_files: int = 900,
) -> dict[str, object]:
    """Find TODO, FIXME and XXX notes in the text files of a folder tree, with file, line, owner and text.

    Args:
        path: The folder, or a single file.
        tags: The words to look for, as they are written; TODO, FIXME and XXX by default.
        skip_folders: Names of folders to leave out, in place of the usual ones (.git, target, node_modules, …).
        max_results: How many notes to list; the counts are always complete.
        max_file_bytes: Larger files are left out, and counted in `files_skipped`.
        max_files: How many files to look into; each costs one call to the host.

    Returns:
        `summary`, `items` (each `file`, `line`, `tag`, `owner` from `TODO(owner)` or None, `text`), `total`,
        `by_tag`, `by_file` (most notes first), `files_scanned`, `files_skipped` (binary, too large or unreadable),
        `files_left` (not looked into, because of `max_files`), `truncated` (whether something is missing).

    Raises:
        ValueError: `path` does not exist, or a parameter makes no sense.
    """
    words = ["TODO", "FIXME", "XXX"] if tags is None else tags
    if not words or not all([word.strip() for word in words]):
        raise ValueError("`tags` must name at least one word, such as `TODO`")
    if max_results < 0 or max_file_bytes < 1:
        raise ValueError("`max_results` must be 0 or more and `max_file_bytes` at least 1")
    if max_files < 1:
        raise ValueError("`max_files` must be at least 1")
    alternatives = "|".join([re.escape(word) for word in sorted(words, key=len, reverse=True)])
    note = re.compile(r"(?<![A-Za-z0-9_])(" + alternatives + r")(?![A-Za-z0-9_])(?:\(([^()]*)\))?:?(.*)")

    root = Path(path)
    items: list[dict[str, object]] = []
    total, scanned, left_out = 0, 0, 0
    by_tag = {word: 0 for word in words}
    by_file: dict[str, int] = {}
    is_file = root.is_file()
    files = [str(root)] if is_file else _files(root, _SKIPPED_FOLDERS if skip_folders is None else skip_folders)
    for file in files[:max_files]:
        text = _read_text(file, max_file_bytes)
        if text is None:
            left_out += 1
            continue
        scanned += 1
        if not any([word in text for word in words]):
            continue
        name = root.name if is_file else os.path.relpath(file, str(root)).replace("\\", "/")
        for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
            match = note.search(line)
            if match is None:
                continue
            total += 1
            by_tag[match.group(1)] += 1
            by_file[name] = by_file.get(name, 0) + 1
            if len(items) < max_results:
                items.append(
                    {
                        "file": name,
                        "line": number,
                        "tag": match.group(1),
                        "owner": (match.group(2) or "").strip() or None,
                        "text": _clean(match.group(3))[:300],
                    }
                )

    by_file = dict(sorted(by_file.items(), key=lambda pair: (-pair[1], pair[0])))
    if total:
        counted = ", ".join([f"{number} {word}" for word, number in by_tag.items() if number])
        noun = "note" if total == 1 else "notes"
        summary = f"{total} {noun} in {len(by_file)} of {scanned} files: {counted}."
    else:
        summary = f"No {', '.join(words)} in {scanned} files."
    left = max(0, len(files) - max_files)
    if left:
        summary += f" {left} more files were not looked into: raise `max_files` or pass a smaller folder."
    return {
        "summary": summary,
        "items": items,
        "total": total,
        "by_tag": by_tag,
        "by_file": by_file,
        "files_scanned": scanned,
        "files_skipped": left_out,
        "files_left": left,
        "truncated": total > len(items) or left > 0,
    }
