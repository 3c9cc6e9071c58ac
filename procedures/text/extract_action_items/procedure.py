"""Finds who promised what in meeting notes."""

import re
from datetime import date, timedelta

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_LABEL = r"(?:action items?|actions?|todo|to-do|ai|task|next steps?|follow[- ]?up)"
_NAME = r"(?:\w[\w.'’-]*(?: [A-Z][\w.'’-]*){0,2})"
_VERBS = r"(?:will|to|shall|must|should|needs to|has to|is going to|agreed to|please)"
_NOT_OWNERS = [
    "we",
    "it",
    "this",
    "that",
    "they",
    "there",
    "everyone",
    "how",
    "what",
    "where",
    "when",
    "need",
    "nothing",
]


def _safe_date(year: int, month: int, day: int) -> date | None:
    """Make a date; None when the calendar has no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _coming(day: int, month: int, today: date | None) -> date | None:
    """The next such day; without `today` the year is unknown."""
    if today is None:
        return None
    for year in range(today.year, today.year + 9):
        found = _safe_date(year, month, day)
        if found is not None and found >= today:
            return found
    return None


def _due(text: str, today: date | None) -> tuple[str | None, str | None]:
    """Find the date in a line; returns its words and, where it can be told, the ISO date."""
    iso = re.search(r"\b([0-9]{4})-([0-9]{2})-([0-9]{2})\b", text)
    if iso is not None:
        found = _safe_date(int(iso.group(1)), int(iso.group(2)), int(iso.group(3)))
        return iso.group(), found.isoformat() if found is not None else None
    day_first = re.search(r"(?i)\b([0-9]{1,2})(?:st|nd|rd|th)?\.?(?: of)? " + _MONTH + r"\b,?(?: ([0-9]{4})\b)?", text)
    month_first = re.search(r"(?i)\b" + _MONTH + r"\.? ([0-9]{1,2})(?:st|nd|rd|th)?\b(?:,? ([0-9]{4})\b)?", text)
    named = day_first or month_first
    if named is not None:
        first, second = (1, 2) if day_first is not None else (2, 1)
        month = _MONTHS.index(named.group(second)[:3].lower()) + 1
        if named.group(3) is not None:
            found = _safe_date(int(named.group(3)), month, int(named.group(first)))
        else:
            found = _coming(int(named.group(first)), month, today)
        return named.group().strip(" ,"), found.isoformat() if found is not None else None
    words = re.search(
        r"(?i)\b(?:(?:by|until|before|due|on|for|till)(?: the)? (?:end of )?|next )"
        r"(today|tomorrow|tonight|eod|eow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|"
        r"(?:end of |next |this )*(?:day|week|month|quarter|year|sprint))\b",
        text,
    )
    if words is None:
        words = re.search(r"(?i)\b(today|tomorrow|eod|eow)\b", text)
    if words is None:
        return None, None
    word = words.group(1).lower()
    if today is not None and "before" not in words.group().lower():
        if word in ("today", "tonight", "eod"):
            return words.group(), today.isoformat()
        if word == "tomorrow":
            return words.group(), (today + timedelta(days=1)).isoformat()
        if word in _DAYS:
            ahead = (_DAYS.index(word) - today.weekday()) % 7 or 7
            return words.group(), (today + timedelta(days=ahead)).isoformat()
    return words.group(), None


def _owner(text: str) -> tuple[str | None, str]:
    """Find who is to do it; returns the name and the text without it where it only names the owner."""
    tagged = re.search(r"[\[(](?:owner|assignee|assigned to|who):?\s*@?([^\])]+)[\])]", text, re.IGNORECASE)
    if tagged is not None:
        return tagged.group(1).strip(), (text[: tagged.start()] + text[tagged.end() :]).strip()
    mention = re.search(r"(?<![\w@])@([A-Za-z_][\w.-]*\w|[A-Za-z])", text)
    if mention is not None:
        rest = text[mention.end() :].lstrip(" :,-–—") if mention.start() == 0 else text
        return mention.group(1), re.sub(r"^(?:" + _VERBS + r")\s+", "", rest, flags=re.IGNORECASE)
    labelled = re.match(r"(" + _NAME + r")\s*(?::|\s[-–—])\s+(\S.*)", text)
    if labelled is not None and labelled.group(1)[:1].isupper():
        return labelled.group(1), labelled.group(2)
    promise = re.match(r"(" + _NAME + r")\s+" + _VERBS + r"\s+(\S.*)", text)
    if promise is not None and promise.group(1)[:1].isupper() and promise.group(1).lower() not in _NOT_OWNERS:
        return promise.group(1), promise.group(2)
    return None, text


def _item(line: str, in_section: bool) -> tuple[str, bool] | None:
    """Say whether a line is an action item; returns its text and whether it is done."""
    bare = re.sub(r"^(?:[-*+•]|[0-9]{1,3}[.)])\s+", "", line)
    bulleted = bare != line
    box = re.match(r"\[([ xX✓✔]?)\]\s*(\S.*)", bare)
    if box is not None:
        text = re.sub(r"^\**" + _LABEL + r"\**\s*:\**\s*", "", box.group(2), flags=re.IGNORECASE)
        return text, box.group(1).strip() != ""
    label = re.match(r"\**" + _LABEL + r"\**\s*(?:\(([^)]*)\))?\s*(?::|\s[-–—])\**\s*(\S.*)", bare, re.IGNORECASE)
    if label is not None:
        who = f"{label.group(1).strip()}: " if label.group(1) else ""
        return who + label.group(2), False
    if in_section and bulleted:
        return bare, False
    if re.match(_NAME + r"\s+(?:will|is going to|agreed to|needs to|has to)\s+\S", bare) and bare[:1].isupper():
        first = bare.split()[0].lower()
        return None if first in _NOT_OWNERS else (bare, False)
    if re.match(r"@[A-Za-z_][\w.-]*\s*[:,]?\s+(?:please\s+|will\s+|to\s+|can you\s+)\S", bare):
        return bare, False
    return None


def extract_action_items(notes: str, today: str | None = None) -> dict[str, object]:
    """Find the action items in meeting notes: what, who, until when, and whether it is done.

    It takes check boxes (`- [ ] …`), lines that begin with `Action:`, `TODO:` and the like, the list under a heading
    such as `## Action items`, `@name please …` and `Name will …`. It goes by form: read the notes for promises made in
    other words.

    Args:
        notes: The notes, plain text or Markdown, in English.
        today: The ISO date of the meeting; with it, `by Friday` and `12 May` are turned into dates.

    Returns:
        `summary`, `items` (each `text`, `owner` or None, `due` as ISO date or None, `due_text` as written or None,
        `done`, `line`), `open`, `done`, `without_owner`, `without_due` (counts; the last two of open items) and
        `by_owner` (open items per owner).

    Raises:
        ValueError: `today` is no ISO date.
    """
    meeting_day = None
    if today is not None:
        try:
            meeting_day = date.fromisoformat(today)
        except ValueError as error:
            raise ValueError(f"`today` must be an ISO date such as 2026-03-01, not `{today}`") from error

    items: list[dict[str, object]] = []
    in_section, fenced = False, False
    for number, raw in enumerate(notes.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = raw.strip()
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        if fenced or not line:
            continue
        heading = re.fullmatch(r"(?:#{1,6}\s+(.*?)#*|\*\*(.+?):?\*\*:?|([^\s-].{0,40}):)", line)
        if heading is not None:
            title = heading.group(1) or heading.group(2) or heading.group(3) or ""
            in_section = re.match(_LABEL + r"\b", title.strip(), re.IGNORECASE) is not None
            continue
        found = _item(line, in_section)
        if found is None:
            continue
        owner, text = _owner(" ".join(found[0].replace("**", "").split()))
        due_text, due = _due(text, meeting_day)
        items.append(
            {
                "text": " ".join(text.split()),
                "owner": owner,
                "due": due,
                "due_text": due_text,
                "done": found[1],
                "line": number,
            }
        )

    waiting = [item for item in items if not item["done"]]
    by_owner: dict[str, int] = {}
    for item in waiting:
        if item["owner"] is not None:
            by_owner[str(item["owner"])] = by_owner.get(str(item["owner"]), 0) + 1
    without_owner = len([item for item in waiting if item["owner"] is None])
    without_due = len([item for item in waiting if item["due_text"] is None])
    if items:
        summary = f"{len(waiting)} open and {len(items) - len(waiting)} done"
        if waiting:
            summary += f"; {without_owner} without owner, {without_due} without date"
        summary += "."
    else:
        summary = "No action items found."
    return {
        "summary": summary,
        "items": items,
        "open": len(waiting),
        "done": len(items) - len(waiting),
        "without_owner": without_owner,
        "without_due": without_due,
        "by_owner": dict(sorted(by_owner.items(), key=lambda pair: (-pair[1], pair[0]))),
    }
