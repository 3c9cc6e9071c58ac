"""Describes the columns of a CSV table."""

import csv
import math
import re
from pathlib import Path

_MISSING = ["", "-", "n/a", "na", "nan", "none", "null"]


def _load(source: str) -> str:
    """Return CSV text: `source` itself, or the content of the file that it names."""
    is_path = "\n" not in source and source.lower().endswith((".csv", ".tsv", ".txt"))
    if not is_path:
        return source.removeprefix("\ufeff")
    try:
        return Path(source).read_bytes().decode("utf-8").removeprefix("\ufeff")
    except ValueError as error:
        raise ValueError(f"`{source}` is not UTF-8 text: {error}") from error
    except (OSError, MemoryError) as error:
        raise RuntimeError(f"could not read `{source}`: {error}") from error


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


def _table(text: str, delimiter: str) -> tuple[list[str], list[dict[str, str]], list[str]]:
    """Read CSV text; returns the columns, the rows and what was odd about them."""
    if "\n" not in text:
        text = text.replace("\r", "\n")
    reader = csv.reader([line + "\n" for line in text.split("\n")], delimiter=delimiter, strict=True)
    try:
        records = [row for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"the table is not valid CSV near line {reader.line_num}: {error}") from error
    if not records:
        raise ValueError("the table is empty; it needs at least a header line")
    columns: list[str] = []
    for cell in records[0]:
        name, number = cell.strip(), 2
        while name in columns:
            name, number = f"{cell.strip()}_{number}", number + 1
        columns.append(name)
    warnings = []
    if columns != [cell.strip() for cell in records[0]]:
        warnings.append("column names that repeat were numbered")
    ragged = len([record for record in records[1:] if len(record) != len(columns)])
    if ragged:
        warnings.append(f"rows with more or fewer fields than the header: {ragged}")
    rows = []
    for record in records[1:]:
        padded = record + [""] * (len(columns) - len(record))
        rows.append(dict(zip(columns, padded[: len(columns)], strict=True)))
    return columns, rows, warnings


def _kind(value: str) -> str:
    """Say what one value looks like."""
    if re.fullmatch(r"[+-]?(0|[1-9][0-9]{0,17})", value):
        return "integer"
    if re.fullmatch(r"[+-]?([0-9]{1,18}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", value):
        leading_zero = re.match(r"[+-]?0[0-9]", value) is not None
        return "text" if leading_zero else "number"
    if value.lower() in ("true", "false", "yes", "no"):
        return "boolean"
    if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ][0-9:.,]+(Z|[+-][0-9:]+)?)?", value):
        return "date"
    return "text"


def _column_type(kinds: list[str]) -> str:
    """Combine the kinds of a column's values."""
    if not kinds:
        return "empty"
    if all([kind == kinds[0] for kind in kinds]):
        return kinds[0]
    if all([kind in ("integer", "number") for kind in kinds]):
        return "number"
    return "text"


def _rounded(value: float) -> float:
    """Keep six decimals."""
    return float(f"{value:.6f}")


def _describe(name: str, cells: list[str], top: int) -> dict[str, object]:
    """Describe one column."""
    values = [cell.strip() for cell in cells if cell.strip().lower() not in _MISSING]
    kind = _column_type([_kind(value) for value in values])
    frequency: dict[str, int] = {}
    for value in values:
        frequency[value] = frequency.get(value, 0) + 1
    lowest: object = None
    highest: object = None
    mean: float | None = None
    median: float | None = None
    if kind in ("integer", "number"):
        numbers = sorted([int(value) if kind == "integer" else float(value) for value in values])
        lowest, highest = numbers[0], numbers[-1]
        mean = _rounded(math.fsum(numbers) / len(numbers))
        median = _rounded((numbers[(len(numbers) - 1) // 2] + numbers[len(numbers) // 2]) / 2)
    elif values:
        lowest, highest = min(values), max(values)
    ranked = sorted(frequency.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "name": name,
        "type": kind,
        "count": len(values),
        "missing": len(cells) - len(values),
        "distinct": len(frequency),
        "min": lowest,
        "max": highest,
        "mean": mean,
        "median": median,
        "top": [{"value": value, "count": number} for value, number in ranked[:top]],
    }


def summarise_csv(source: str, delimiter: str | None = None, top: int = 3) -> dict[str, object]:
    """Describe every column of a CSV table: type, missing and distinct values, minimum, maximum, mean, median.

    Empty cells and `-`, `n/a`, `na`, `nan`, `none`, `null` count as missing. Numbers with leading zeros are text.

    Args:
        source: CSV text with a header line, or the path of a `.csv`, `.tsv` or `.txt` file.
        delimiter: The character between fields; found from the header by default.
        top: How many of the most frequent values to list per column.

    Returns:
        `summary`, `rows` (how many), `columns` (each `name`, `type`: integer, number, boolean, date, text or empty,
        `count`, `missing`, `distinct`, `min`, `max`, `mean`, `median`, `top`), `candidate_keys` (columns whose values
        are all there and all different) and `warnings`.

    Raises:
        ValueError: the table is empty or malformed.
        RuntimeError: the file could not be read.
    """
    if delimiter is not None and len(delimiter) != 1:
        raise ValueError("`delimiter` must be one character")
    if top < 0:
        raise ValueError("`top` must be 0 or more")
    text = _load(source)
    names, rows, warnings = _table(text, delimiter or _delimiter(text))
    columns = [_describe(name, [row[name] for row in rows], top) for name in names]
    keys = [column["name"] for column in columns if rows and column["distinct"] == len(rows)]
    incomplete = [str(column["name"]) for column in columns if column["missing"]]
    summary = f"Rows: {len(rows)}, columns: {len(columns)}"
    if incomplete:
        summary += f"; values missing in {', '.join(incomplete)}"
    if keys:
        summary += f"; unique: {', '.join([str(name) for name in keys])}"
    return {
        "summary": summary + ".",
        "rows": len(rows),
        "columns": columns,
        "candidate_keys": keys,
        "warnings": warnings,
    }
