"""Compares two CSV tables row by row, by key."""

import csv
from pathlib import Path


def _load(source: str, side: str) -> str:
    """Return CSV text: `source` itself, or the content of the file that it names."""
    is_path = "\n" not in source and source.lower().endswith((".csv", ".tsv", ".txt"))
    if not is_path:
        return source.removeprefix("\ufeff")
    try:
        return Path(source).read_bytes().decode("utf-8").removeprefix("\ufeff")
    except ValueError as error:
        raise ValueError(f"`{side}`: `{source}` is not UTF-8 text: {error}") from error
    except (OSError, MemoryError) as error:
        raise RuntimeError(f"`{side}`: could not read `{source}`: {error}") from error


def _delimiter(text: str) -> str:
    """Choose the delimiter that the header uses most, outside quotes."""
    header = ""
    for line in text.split("\n"):
        if line.strip():
            header = line
            break
    bare = "".join(header.split('"')[::2])
    best = ","
    for candidate in (",", ";", "\t", "|"):
        if bare.count(candidate) > bare.count(best):
            best = candidate
    return best


def _table(text: str, delimiter: str, side: str) -> tuple[list[str], list[dict[str, str]], list[str]]:
    """Read CSV text; returns the columns, the rows and what was odd about them."""
    if "\n" not in text:
        text = text.replace("\r", "\n")
    reader = csv.reader([line + "\n" for line in text.split("\n")], delimiter=delimiter, strict=True)
    try:
        records = [row for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"`{side}` is not valid CSV near line {reader.line_num}: {error}") from error
    if not records:
        raise ValueError(f"`{side}` is empty; it needs at least a header line")
    columns: list[str] = []
    for cell in records[0]:
        name, number = cell.strip(), 2
        while name in columns:
            name, number = f"{cell.strip()}_{number}", number + 1
        columns.append(name)
    warnings = []
    if columns != [cell.strip() for cell in records[0]]:
        warnings.append(f"{side}: column names that repeat were numbered")
    ragged = len([record for record in records[1:] if len(record) != len(columns)])
    if ragged:
        warnings.append(f"{side}: rows with more or fewer fields than the header: {ragged}")
    rows = []
    for record in records[1:]:
        padded = record + [""] * (len(columns) - len(record))
        rows.append(dict(zip(columns, padded[: len(columns)], strict=True)))
    return columns, rows, warnings


def _key_columns(key: str, before: list[str], after: list[str]) -> list[str]:
    """Read the `key` parameter: a column, or several joined by commas."""
    shared = [name for name in before if name in after]
    if not key:
        if not shared:
            raise ValueError("the tables have no column in common")
        return [shared[0]]
    names = [key] if key in shared else [name.strip() for name in key.split(",")]
    for name in names:
        if name not in shared:
            raise ValueError(f"both tables need the key column `{name}`; they share: {', '.join(shared) or 'none'}")
    return names


def _group(rows: list[dict[str, str]], keys: list[str]) -> dict[tuple[str, ...], list[dict[str, str]]]:
    """Collect the rows that share a key."""
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(tuple([row[name] for name in keys]), []).append(row)
    return groups


def _without_equal(
    olds: list[dict[str, str]], news: list[dict[str, str]], columns: list[str]
) -> tuple[list[dict[str, str]], list[dict[str, str]], int]:
    """Take out the pairs of rows that are equal in these columns; returns what is left and the number of pairs."""
    waiting: dict[tuple[str, ...], list[int]] = {}
    for at in range(len(news) - 1, -1, -1):
        waiting.setdefault(tuple([news[at][name] for name in columns]), []).append(at)
    left: list[dict[str, str]] = []
    matched: dict[int, bool] = {}
    for old in olds:
        found = waiting.get(tuple([old[name] for name in columns]), [])
        if found:
            matched[found.pop()] = True
        else:
            left.append(old)
    return left, [new for at, new in enumerate(news) if at not in matched], len(matched)


def diff_csv(
    before: str, after: str, key: str = "", delimiter: str | None = None, max_rows: int = 100
) -> dict[str, object]:
    """Compare two CSV tables by key: rows added and removed, and the fields that changed, whatever the order.

    Rows that share a key are matched where they are equal, and then in order.

    Args:
        before: CSV text with a header line, or the path of a `.csv`, `.tsv` or `.txt` file.
        after: The table to compare with, in the same way.
        key: The column that identifies a row, or several joined by commas; the first shared column by default.
        delimiter: The character between fields; found from the header by default.
        max_rows: How many rows of each kind to list; the counts are always complete.

    Returns:
        `summary`, `equal`, `key` (the columns), `added` and `removed` (rows), `changed` (each `key` and `fields`: per
        column `before` and `after`), `counts` (added, removed, changed, unchanged), `columns_added`,
        `columns_removed`, `duplicate_keys` (that stand more than once on a side), `warnings`, `truncated`.

    Raises:
        ValueError: a table is empty or malformed, or the key is not in both.
        RuntimeError: a file could not be read.
    """
    if max_rows < 0:
        raise ValueError("`max_rows` must be 0 or more")
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError("`delimiter` must be one character")
    before_text, after_text = _load(before, "before"), _load(after, "after")
    columns, rows, warnings = _table(before_text, delimiter or _delimiter(before_text), "before")
    new_columns, new_rows, new_warnings = _table(after_text, delimiter or _delimiter(after_text), "after")
    keys = _key_columns(key, columns, new_columns)
    shared = [name for name in columns if name in new_columns]

    added: list[dict[str, str]] = []
    removed: list[dict[str, str]] = []
    changed: list[dict[str, object]] = []
    duplicates: list[dict[str, str]] = []
    unchanged = 0
    groups, new_groups = _group(rows, keys), _group(new_rows, keys)
    for values in [*groups, *[values for values in new_groups if values not in groups]]:
        label = dict(zip(keys, values, strict=True))
        olds, news = groups.get(values, []), new_groups.get(values, [])
        if len(olds) > 1 or len(news) > 1:
            duplicates.append(label)
        olds, news, same = _without_equal(olds, news, shared)
        unchanged += same
        for old, new in zip(olds, news, strict=False):
            fields = {name: {"before": old[name], "after": new[name]} for name in shared if old[name] != new[name]}
            changed.append({"key": label, "fields": fields})
        removed.extend(olds[len(news) :])
        added.extend(news[len(olds) :])

    columns_added = [name for name in new_columns if name not in columns]
    columns_removed = [name for name in columns if name not in new_columns]
    counts = {"added": len(added), "removed": len(removed), "changed": len(changed), "unchanged": unchanged}
    equal = not (added or removed or changed or columns_added or columns_removed)
    if equal:
        summary = f"The tables are equal, row by row (by {', '.join(keys)}; rows: {unchanged})."
    else:
        summary = ", ".join([f"{number} {kind}" for kind, number in counts.items()]) + f" (by {', '.join(keys)})."
    if columns_added:
        summary += f" New columns: {', '.join(columns_added)}."
    if columns_removed:
        summary += f" Columns gone: {', '.join(columns_removed)}."
    if duplicates:
        summary += f" Keys that are not unique: {len(duplicates)}."
    return {
        "summary": summary,
        "equal": equal,
        "key": keys,
        "added": added[:max_rows],
        "removed": removed[:max_rows],
        "changed": changed[:max_rows],
        "counts": counts,
        "columns_added": columns_added,
        "columns_removed": columns_removed,
        "duplicate_keys": duplicates[:max_rows],
        "warnings": warnings + new_warnings,
        "truncated": max(len(added), len(removed), len(changed), len(duplicates)) > max_rows,
    }
