import re as regular_expressions


def _expression(pat):
    parts = []
    at = 0
    size = len(pat)
    while at < size:
        letter = pat[at]
        at += 1
        if letter == "*":
            if not parts or parts[-1] != ".*":
                parts.append(".*")
        elif letter == "?":
            parts.append(".")
        elif letter == "[":
            end = at
            if end < size and pat[end] == "!":
                end += 1
            if end < size and pat[end] == "]":
                end += 1
            while end < size and pat[end] != "]":
                end += 1
            if end >= size:
                parts.append("\\[")
                continue
            inside = pat[at:end]
            at = end + 1
            is_negated = inside[0] == "!"
            if is_negated:
                inside = inside[1:]
            ranges = []
            place = 0
            while place < len(inside):
                first = inside[place]
                if place + 2 < len(inside) and inside[place + 1] == "-":
                    last = inside[place + 2]
                    if first <= last:
                        ranges.append(regular_expressions.escape(first) + "-" + regular_expressions.escape(last))
                    place += 3
                else:
                    ranges.append("\\-" if first == "-" else regular_expressions.escape(first))
                    place += 1
            if ranges:
                joined = "".join(["\\" + part if part in ("^", "~", "&", "|") else part for part in ranges])
                parts.append("[" + ("^" if is_negated else "") + joined + "]")
            else:
                parts.append("." if is_negated else "(?!)")
        else:
            parts.append(regular_expressions.escape(letter))
    return regular_expressions.compile("(?s)" + "".join(parts))


def fnmatchcase(name, pat):
    return _expression(pat).fullmatch(name) is not None


def fnmatch(name, pat):
    return fnmatchcase(name, pat)


def filter(names, pat):
    expression = _expression(pat)
    return [name for name in names if expression.fullmatch(name) is not None]
