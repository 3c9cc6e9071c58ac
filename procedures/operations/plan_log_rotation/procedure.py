"""Plans what to do with the log files of a folder. It changes nothing."""

import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def _family(name: str) -> tuple[str, bool, bool]:
    """Name the log that a file belongs to, and say whether the file is rotated and whether it is compressed."""
    base, compressed = name, name.lower().endswith(_COMPRESSED)
    if compressed:
        base = base[: base.rfind(".")]
    stripped = re.sub(r"[-._]?(19|20)[0-9]{2}[-_.]?[0-9]{2}[-_.]?[0-9]{2}([-_.T]?[0-9]{2,6})?(?=[-._]|$)", "", base)
    stripped = re.sub(r"\.[0-9]{1,4}$", "", stripped)
    stripped = re.sub(r"\.(old|bak|prev)$", "", stripped)
    return stripped or base, compressed or stripped != base, compressed


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


def _find(root: Path, extensions: list[str], recursive: bool) -> list[str]:
    """List the log files below the folder, rotated ones included."""
    endings = "|".join([re.escape(extension.lstrip(".")) for extension in extensions])
    wanted = re.compile(r"\.(" + endings + r")([-._0-9][^/]*|\.(gz|bz2|xz|zst|zip|old|bak|prev))?", re.IGNORECASE)
    found = []
    for folder, folders, names in os.walk(str(root)):
        folders[:] = sorted(folders) if recursive else []
        for name in sorted(names):
            start = name.lower().find(".")
            while start != -1:
                if wanted.fullmatch(name[start:]) is not None:
                    found.append(os.path.relpath(os.path.join(folder, name), str(root)).replace("\\", "/"))
                    break
                start = name.find(".", start + 1)
    return found


def _decide(log: dict, rank: int, rules: dict) -> tuple[str, str]:
    """Choose what to do with one file, and why."""
    age, size = log["age_days"], log["bytes"]
    if not log["rotated"]:
        if size >= rules["rotate_bytes"]:
            return "rotate", f"in use and {_readable(size)}, at least {_readable(rules['rotate_bytes'])}"
        return "keep", "in use"
    if age >= rules["delete_after_days"]:
        return "delete", f"{age:.0f} days old, at least {rules['delete_after_days']}"
    if rank >= rules["keep"]:
        return (
            "delete",
            f"number {rank + 1} of the rotated files of {log['log']}, newest first; {rules['keep']} are kept",
        )
    if not log["compressed"] and size > 0 and age >= rules["compress_after_days"]:
        return "compress", f"{age:.0f} days old, at least {rules['compress_after_days']}, and not compressed"
    return "keep", "recent enough"


def plan_log_rotation(
    path: str,
    compress_after_days: int = 7,
    delete_after_days: int = 90,
    keep: int = 30,
    rotate_bytes: int = 100_000_000,
    max_total_bytes: int | None = None,
    extensions: list[str] | None = None,
    recursive: bool = False,
    now: str | None = None,
    max_files: int = 900,
) -> dict[str, object]:
    """Plan which log files to rotate, compress, delete or keep, by age, size and count. Nothing is changed.

    Files that belong together are recognised by name: `app.log`, `app.log.1`, `app.log.2.gz`, `app-2026-01-31.log`.
    A file that is not rotated counts as in use and is never compressed or deleted.

    Args:
        path: The folder with the log files.
        compress_after_days: The age from which a rotated file is compressed.
        delete_after_days: The age from which a rotated file is deleted.
        keep: How many rotated files of each log to keep at most, the newest.
        rotate_bytes: The size from which a file in use is rotated.
        max_total_bytes: When what remains is larger than this, the oldest rotated files are deleted too.
        extensions: The endings of log files; `log`, `out` and `err` by default.
        recursive: Whether to look into folders below too.
        now: The ISO 8601 time from which ages are counted; now by default.
        max_files: How many files to look at; each costs one call to the host.

    Returns:
        `summary`, `files` (each `file`, `log` it belongs to, `bytes`, `age_days`, `action`: rotate, compress, delete
        or keep, and `reason`), `counts` per action, `total_bytes`, `bytes_deleted`, `bytes_to_compress`, `commands`
        (what a person could run: compressing only), `files_left` (not looked at, because of `max_files`).

    Raises:
        ValueError: `path` is no folder, or a parameter makes no sense.
    """
    rules = {
        "compress_after_days": compress_after_days,
        "delete_after_days": delete_after_days,
        "keep": keep,
        "rotate_bytes": rotate_bytes,
    }
    for name, value in rules.items():
        if value < 0:
            raise ValueError(f"`{name}` must be 0 or more")
    root = Path(path)
    if not root.is_dir():
        raise ValueError(f"`{path}` is not a folder")
    try:
        moment = datetime.now(timezone.utc) if now is None else datetime.fromisoformat(now)
    except ValueError as error:
        raise ValueError(f"`now` must be an ISO 8601 time such as 2026-03-01T09:00:00Z, not `{now}`") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)

    found = _find(root, extensions or ["log", "out", "err"], recursive)
    logs: list[dict] = []
    for name in found[:max_files]:
        try:
            status = (root / name).stat()
        except OSError:  # such as a link that leads nowhere
            continue
        folder, _, bare = name.rpartition("/")
        family, rotated, compressed = _family(bare)
        age = moment - (epoch + timedelta(seconds=int(status.st_mtime)))
        logs.append(
            {
                "file": name,
                "log": f"{folder}/{family}" if folder else family,
                "bytes": status.st_size,
                "age_days": max(0.0, float(f"{age.total_seconds() / 86400:.1f}")),
                "rotated": rotated,
                "compressed": compressed,
            }
        )

    logs.sort(key=lambda log: (log["log"], log["age_days"], log["file"]))
    ranks: dict[str, int] = {}
    for log in logs:
        rank = ranks.get(log["log"], 0)
        log["action"], log["reason"] = _decide(log, rank, rules)
        if log["rotated"]:
            ranks[log["log"]] = rank + 1
    if max_total_bytes is not None:
        remaining = sum([log["bytes"] for log in logs if log["action"] != "delete"])
        for log in sorted(logs, key=lambda log: (-log["age_days"], log["file"])):
            if remaining > max_total_bytes and log["rotated"] and log["action"] != "delete":
                log["action"] = "delete"
                log["reason"] = f"the oldest, and more than {_readable(max_total_bytes)} would remain"
                remaining -= log["bytes"]

    counts = {
        action: len([log for log in logs if log["action"] == action])
        for action in ("rotate", "compress", "delete", "keep")
    }
    deleted = sum([log["bytes"] for log in logs if log["action"] == "delete"])
    total = sum([log["bytes"] for log in logs])
    left = max(0, len(found) - max_files)
    if logs:
        parts = [f"{action} {number}" for action, number in counts.items() if number]
        noun = "file" if len(logs) == 1 else "files"
        summary = f"{len(logs)} log {noun}, {_readable(total)}: {', '.join(parts)}."
        if deleted:
            summary += f" Deleting frees {_readable(deleted)}."
    else:
        summary = f"No log files in {path}."
    if left:
        summary += f" {left} more files were not looked at: raise `max_files`."
    listed = ("file", "log", "bytes", "age_days", "action", "reason")
    return {
        "summary": summary,
        "files": [{key: log[key] for key in listed} for log in logs],
        "counts": counts,
        "total_bytes": total,
        "bytes_deleted": deleted,
        "bytes_to_compress": sum([log["bytes"] for log in logs if log["action"] == "compress"]),
        "commands": [["gzip", "--", str(root / log["file"])] for log in logs if log["action"] == "compress"],
        "files_left": left,
    }
