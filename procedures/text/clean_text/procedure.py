"""Cleans text that was copied from somewhere."""

import re
import unicodedata

_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
_JOINERS = "\u200c\u200d"
_DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u2033"
_SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\u2032"


def _without_invisible(text: str) -> tuple[str, int]:
    """Drop zero-width and control characters; joiners stay where scripts and emoji need them."""
    if re.search(r"[^\t\n -~\u00a0-\u00ac\u00ae-\u02ff]", text) is None:
        return text, 0
    kept: list[str] = []
    dropped = 0
    for at, character in enumerate(text):
        drop = character in _INVISIBLE or (character not in "\n\t" and unicodedata.category(character) == "Cc")
        if character in _JOINERS:
            before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
            drop = before.isascii() or after.isascii()
        if drop:
            dropped += 1
        else:
            kept.append(character)
    return "".join(kept), dropped


def _with_plain_quotes(text: str) -> tuple[str, int]:
    """Replace typographic quotation marks by straight ones."""
    changed = 0
    for quotes, plain in ((_DOUBLE_QUOTES, '"'), (_SINGLE_QUOTES, "'")):
        for quote in quotes:
            changed += text.count(quote)
            text = text.replace(quote, plain)
    return text, changed


def _clean_line(line: str, keep_indent: bool) -> str:
    """Turn every run of white space in a line into one space."""
    body = line.strip()
    indent = line[: len(line) - len(line.lstrip())].expandtabs(4) if keep_indent and body else ""
    return indent + " ".join(body.split())


def _wrap_words(words: list[str], width: int, first: str, following: str) -> list[str]:
    """Fill lines with words up to a width; a longer word gets a line of its own."""
    lines: list[str] = []
    line, empty = first, True
    for word in words:
        if not empty and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, empty = following, True
        line = line + word if empty else f"{line} {word}"
        empty = False
    return [*lines, line]


def _wrap(lines: list[str], width: int) -> list[str]:
    """Wrap paragraphs and list items; headings, tables, quotes and fenced code stay as they are."""
    wrapped: list[str] = []
    words: list[str] = []
    first, following, fenced = "", "", False
    for line in [*lines, ""]:
        body = line.lstrip()
        item = re.match(r"(\s*)([-*+]|[0-9]{1,3}[.)])\s+", line)
        fence = body.startswith(("```", "~~~"))
        fixed = fenced or fence or not body or body.startswith(("#", "|", ">"))
        if words and (fixed or item is not None):
            wrapped.extend(_wrap_words(words, width, first, following))
            words = []
        if fixed:
            wrapped.append(line)
        elif item is not None:
            first, following = item.group(), " " * len(item.group())
            words = line[len(item.group()) :].split()
        else:
            if not words:
                first = following = line[: len(line) - len(body)]
            words.extend(body.split())
        if fence:
            fenced = not fenced
    return wrapped[:-1]


def clean_text(
    text: str, plain_quotes: bool = True, wrap: int = 0, max_blank_lines: int = 1, keep_indent: bool = True
) -> dict[str, object]:
    """Clean text: white space, line ends, zero-width and control characters, quotation marks, blank lines, wrapping.

    Fenced code blocks keep their white space. Letters are normalised to their composed form (NFC).

    Args:
        text: The text to clean.
        plain_quotes: Whether to replace typographic quotation marks and apostrophes by straight ones.
        wrap: The width to which paragraphs and list items are wrapped; 0 leaves lines as they are.
        max_blank_lines: How many blank lines in a row to keep.
        keep_indent: Whether to keep the white space at the start of lines.

    Returns:
        `summary`, `text` (cleaned, one line end at the end unless empty), `changed`, `changes` (counts:
        `invisible_removed`, `quotes_replaced`, `line_ends_converted`, `blank_lines_removed`), `characters_before`,
        `characters_after`.

    Raises:
        ValueError: `wrap` or `max_blank_lines` makes no sense.
    """
    if wrap < 0 or 0 < wrap < 20:
        raise ValueError("`wrap` must be 0, or a width of at least 20")
    if max_blank_lines < 0:
        raise ValueError("`max_blank_lines` must be 0 or more")
    line_ends = text.count("\r") + text.count("\u2028") + text.count("\u2029")
    cleaned = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    cleaned, invisible = _without_invisible(unicodedata.normalize("NFC", cleaned))
    quotes = 0
    if plain_quotes:
        cleaned, quotes = _with_plain_quotes(cleaned)

    lines: list[str] = []
    blank, blank_removed, fenced = 0, 0, False
    for line in cleaned.strip("\n").split("\n"):
        fence = line.lstrip().startswith(("```", "~~~"))
        line = line.rstrip() if fenced or fence else _clean_line(line, keep_indent)
        if fence:
            fenced = not fenced
        blank = blank + 1 if not line else 0
        if blank > max_blank_lines and not fenced:
            blank_removed += 1
        else:
            lines.append(line)
    if wrap:
        lines = _wrap(lines, wrap)
    cleaned = "\n".join(lines).strip("\n")
    if cleaned:
        cleaned += "\n"

    changes = {
        "invisible_removed": invisible,
        "quotes_replaced": quotes,
        "line_ends_converted": line_ends,
        "blank_lines_removed": blank_removed,
    }
    done = [f"{number} {name.replace('_', ' ')}" for name, number in changes.items() if number]
    if cleaned == text:
        summary = "Nothing to clean."
    else:
        summary = f"Cleaned: {len(text)} → {len(cleaned)} characters"
        summary += f" ({', '.join(done)})." if done else "."
    return {
        "summary": summary,
        "text": cleaned,
        "changed": cleaned != text,
        "changes": changes,
        "characters_before": len(text),
        "characters_after": len(cleaned),
    }
