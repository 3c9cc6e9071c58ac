"""Puts a cron line into words and works out when it runs."""

import re
from datetime import date, datetime, timezone

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = ["minute", "hour", "day of month", "month", "day of week"]
_LIMITS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]


def _value(text: str, field: int) -> int:
    """Read one number or name."""
    low, high = _LIMITS[field]
    if not text:
        raise ValueError(f"the field for the {_FIELDS[field]} has an empty part")
    names = {3: [name[:3].upper() for name in _MONTHS], 4: [name[:3].upper() for name in _DAYS]}.get(field, [])
    if text.upper() in names:
        return names.index(text.upper()) + low
    if re.fullmatch(r"[0-9]{1,4}", text) is None:
        hint = " (`L`, `W` and `#` are extensions that plain cron lacks)" if re.search(r"[LW#]", text.upper()) else ""
        raise ValueError(f"`{text}` is no {_FIELDS[field]}{hint}")
    number = int(text)
    if number < low or number > high:
        raise ValueError(f"{_FIELDS[field]} must be from {low} to {high}, not {number}")
    return number


def _expand(text: str, field: int) -> list[int]:
    """Expand one field into the sorted numbers that it stands for."""
    low, high = _LIMITS[field]
    found: list[int] = []
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = 1
        if slash:
            if re.fullmatch(r"[0-9]{1,4}", step_text) is None or int(step_text) == 0:
                raise ValueError(f"the step in `{part}` must be a number above 0")
            step = int(step_text)
        if span == "*" or (span == "?" and field in (2, 4)):
            first, last = low, 6 if field == 4 else high
        elif "-" in span:
            start_text, _, end_text = span.partition("-")
            first, last = _value(start_text, field), _value(end_text, field)
            if field == 4 and last == 0 and first > 0:  # SAT-SUN
                last = 7
            if last < first:
                raise ValueError(f"the range `{span}` of the {_FIELDS[field]} runs backwards")
        else:
            first = _value(span, field)
            last = (6 if field == 4 else high) if slash else first
        found.extend(list(range(first, last + 1, step)))
    if field == 4:
        found = [number % 7 for number in found]
    return sorted(set(found))


def _and(words: list[str], conjunction: str = "and") -> str:
    """Join words: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Put neighbouring numbers together: 1, 2, 3, 5 becomes 1 to 3 and 5 to 5."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _named(numbers: list[int], names: list[str], low: int) -> str:
    """Name months or days of the week."""
    words = []
    for first, last in _runs(numbers):
        if last - first >= 2:
            words.append(f"{names[first - low]} to {names[last - low]}")
        else:
            words.extend([names[number - low] for number in range(first, last + 1)])
    return _and(words)


def _ordinal(number: int) -> str:
    """Write 1st, 2nd, 3rd, 11th."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _week_days(numbers: list[int]) -> str:
    """Name days of the week, Monday first."""
    return _named(sorted([number or 7 for number in numbers]), [*_DAYS[1:], _DAYS[0]], 1)


def _compact(numbers: list[int]) -> str:
    """Write the numbers of a field: `0-5,10`."""
    return ",".join([str(first) if first == last else f"{first}-{last}" for first, last in _runs(numbers)])


def _month_days(numbers: list[int]) -> str:
    """Name days of the month."""
    words = []
    for first, last in _runs(numbers):
        if last - first >= 2:
            words.append(f"{_ordinal(first)} to {_ordinal(last)}")
        else:
            words.extend([_ordinal(number) for number in range(first, last + 1)])
    return f"the {_and(words)} of the month"


def _even_step(numbers: list[int], size: int) -> int | None:
    """Say n when the numbers are every n-th from 0 and go round evenly: 0, 15, 30, 45 of 60 gives 15."""
    if len(numbers) < 2 or numbers[0] != 0:
        return None
    step = numbers[1]
    return step if size % step == 0 and numbers == list(range(0, size, step)) else None


def _time_words(minutes: list[int], hours: list[int]) -> str:
    """Put minutes and hours into words."""
    every_hour, every_minute = len(hours) == 24, len(minutes) == 60
    step, hour_step = _even_step(minutes, 60), _even_step(hours, 24)
    spans = _runs(hours)
    if every_minute or step is not None:
        pace = "every minute" if every_minute else f"every {step} minutes"
        if every_hour:
            return pace
        windows = [f"{first:02d}:00 to {last:02d}:{minutes[-1]:02d}" for first, last in spans]
        return f"{pace} from {_and(windows)}"
    if not every_hour and len(minutes) * len(hours) <= 6:
        return f"at {_and([f'{hour:02d}:{minute:02d}' for hour in hours for minute in minutes])}"
    if minutes == [0]:
        past = "on the hour"
    else:
        past = f"at {_and([str(minute) for minute in minutes])} {'minute' if minutes == [1] else 'minutes'} past"
    if every_hour:
        return f"every hour, {past}"
    if hour_step is not None:
        return f"every {hour_step} hours from midnight, {past}"
    words = [f"{first:02d}" if first == last else f"{first:02d} to {last:02d}" for first, last in spans]
    return f"{past}{'' if minutes == [0] else ' the hour'}, in the hours {_and(words)}"


def _days_in_month(year: int, month: int) -> int:
    """How many days a month has."""
    following = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    return (following - date(year, month, 1)).days


def _matching_days(year: int, month: int, month_days: list[int], week_days: list[int], either: bool) -> list[int]:
    """List the days of a month on which the line runs."""
    found = []
    for day in range(1, _days_in_month(year, month) + 1):
        by_month = day in month_days
        by_week = date(year, month, day).isoweekday() % 7 in week_days
        if (by_month or by_week) if either else (by_month and by_week):
            found.append(day)
    return found


def _next_runs(fields: list[list[int]], either: bool, start: datetime, count: int) -> list[datetime]:
    """Work out the first runs after `start`, looking 40 years ahead."""
    minutes, hours, month_days, months, week_days = fields
    found: list[datetime] = []
    for year in range(start.year, min(start.year + 41, 9999)):
        for month in months:
            if (year, month) < (start.year, start.month):
                continue
            for day in _matching_days(year, month, month_days, week_days, either):
                if (year, month, day) < (start.year, start.month, start.day):
                    continue
                for hour in hours:
                    for minute in minutes:
                        moment = datetime(year, month, day, hour, minute)
                        if moment > start:
                            found.append(moment)
                        if len(found) == count:
                            return found
    return found


def explain_cron(expression: str, start: str | None = None, count: int = 5) -> dict[str, object]:
    """Explain a cron line in plain words and list its next run times.

    Knows the five classic fields with ranges, steps, lists and names, the shorthands such as `@daily`, and cron's rule
    that a line with both a day of the month and a day of the week runs on either. Times are wall-clock times: a change
    to or from summer time is not considered.

    Args:
        expression: Five fields (minute, hour, day of month, month, day of week), or a shorthand.
        start: The ISO 8601 time after which to look, such as `2026-03-01T09:00`; now, in UTC, by default.
        count: How many run times to list.

    Returns:
        `summary` (the sentence and the next run), `explanation` (the sentence), `expression` (with a shorthand spelt
        out), `fields` (per field the numbers that match, such as `0-5,10`; Sunday is 0), `next_runs` (ISO 8601, with
        the offset of `start`) and `days_combine` (`or` when either kind of day is enough, else `and`).

    Raises:
        ValueError: the line is not valid, or `start` is no ISO 8601 time.
    """
    if count < 0 or count > 1000:
        raise ValueError("`count` must be from 0 to 1000")
    spelt = _SHORTHANDS.get(expression.strip().lower(), expression.strip())
    if spelt.lower() == "@reboot":
        raise ValueError("`@reboot` runs once when the machine starts; it has no times")
    parts = spelt.split()
    if len(parts) != 5:
        hint = "; a sixth field (seconds or year) is an extension" if len(parts) in (6, 7) else ""
        raise ValueError(f"a cron line has 5 fields (minute hour day month weekday), this has {len(parts)}{hint}")
    fields = [_expand(part, at) for at, part in enumerate(parts)]
    try:
        given = datetime.now(timezone.utc) if start is None else datetime.fromisoformat(start)
    except ValueError as error:
        raise ValueError(f"`start` must be an ISO 8601 time such as 2026-03-01T09:00, not `{start}`") from error

    minutes, hours, month_days, months, week_days = fields
    # Cron joins the two kinds of day by "or", unless one of the fields starts with a star.
    either = not parts[2].startswith(("*", "?")) and not parts[4].startswith(("*", "?"))
    by_month, by_week = len(month_days) < 31, len(week_days) < 7
    explanation = _time_words(minutes, hours)
    if either:
        explanation += f", on {_month_days(month_days)} and also on every {_week_days(week_days)}"
    elif by_month and by_week:
        explanation += f", on {_month_days(month_days)} when it is a {_week_days(week_days).replace(' and ', ' or ')}"
    elif by_month:
        explanation += f", on {_month_days(month_days)}"
    elif by_week:
        explanation += f", {_week_days(week_days)}"
    elif len(hours) < 24:
        explanation += ", every day"
    if len(months) < 12:
        explanation += f", in {_named(months, _MONTHS, 1)}"
    explanation = explanation[:1].upper() + explanation[1:] + "."

    offset = given.isoformat()[len(given.replace(tzinfo=None).isoformat()) :]
    moments = _next_runs(fields, either, given.replace(tzinfo=None), max(count, 1))
    runs = [moment.isoformat(timespec="minutes") + offset for moment in moments]
    following = f"Next: {runs[0]}." if runs else "It never runs: no such day comes in the next 40 years."
    return {
        "summary": f"{explanation} {following}",
        "explanation": explanation,
        "expression": spelt,
        "fields": {
            "minute": _compact(minutes),
            "hour": _compact(hours),
            "day_of_month": _compact(month_days),
            "month": _compact(months),
            "day_of_week": _compact(week_days),
        },
        "next_runs": runs[:count],
        "days_combine": "or" if either else "and",
    }
