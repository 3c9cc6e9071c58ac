import re as regular_expressions

_space = "\t\n\x0b\x0c\r "
_blanks = regular_expressions.compile(r"([\t\n\x0b\x0c\r ]+)")


def _is_letter(letter):
    return letter.isalpha() or letter == "_"


def _is_word(letter):
    return letter.isalnum() or letter == "_"


def _pieces(word):
    # A word in the parts between which a line may break: behind the hyphen of compound words, and around dashes.
    pieces = []
    start = 0
    at = 0
    size = len(word)
    while at < size:
        if word[at] != "-":
            at += 1
            continue
        end = at
        while end < size and word[end] == "-":
            end += 1
        run = end - at
        if run == 1:
            before = word[start:at]
            is_compound = (
                len(before) >= 2
                and _is_letter(before[-1])
                and _is_letter(before[-2])
                and size - end >= 2
                and _is_letter(word[end])
                and (_is_letter(word[end + 1]) or (word[end + 1] == "-" and end + 2 < size and _is_letter(word[end + 2])))
            )
            at = end
            if is_compound:
                pieces.append(word[start:end])
                start = end
            continue
        # Two or more dashes between words stand for themselves.
        if at > start and end < size and (_is_word(word[at - 1]) or word[at - 1] in "!\"'&.,?") and _is_word(word[end]):
            pieces.append(word[start:at])
            pieces.append(word[at:end])
            start = end
        at = end
    if start < size:
        pieces.append(word[start:])
    return pieces


def _split(text, by_hyphens):
    chunks = []
    for part in _blanks.split(text):
        if part == "":
            continue
        if part[0] in _space or not by_hyphens:
            chunks.append(part)
        else:
            chunks.extend(_pieces(part))
    return chunks


def _end_sentences(chunks):
    at = 0
    while at < len(chunks) - 1:
        word = chunks[at].rstrip("\"'")
        ends = len(word) > 1 and word[-1] in ".!?" and word[-2] in "abcdefghijklmnopqrstuvwxyz"
        if chunks[at + 1] == " " and ends:
            chunks[at + 1] = "  "
            at += 2
        else:
            at += 1


def _cut(chunk, room, by_hyphens):
    end = room
    if by_hyphens and len(chunk) > room:
        hyphen = chunk.rfind("-", 0, room)
        if hyphen > 0 and any([letter != "-" for letter in chunk[:hyphen]]):
            end = hyphen + 1
    return chunk[:end], chunk[end:]


def _lines(chunks, o):
    if o["width"] <= 0:
        raise ValueError(f"invalid width {o['width']!r} (must be > 0)")
    max_lines = o["max_lines"]
    if max_lines is not None:
        indent = o["subsequent_indent"] if max_lines > 1 else o["initial_indent"]
        if len(indent) + len(o["placeholder"].lstrip()) > o["width"]:
            raise ValueError("placeholder too large for max width")
    lines = []
    left = list(reversed(chunks))
    while left:
        line = []
        length = 0
        indent = o["subsequent_indent"] if lines else o["initial_indent"]
        room = o["width"] - len(indent)
        if o["drop_whitespace"] and left[-1].strip() == "" and lines:
            left.pop()
        while left and length + len(left[-1]) <= room:
            length += len(left[-1])
            line.append(left.pop())
        if left and len(left[-1]) > room:
            space = 1 if room < 1 else room - length
            if o["break_long_words"]:
                # Also where nothing fits: that piece of nothing is then the end of the line, and what is before it stays.
                first, rest = _cut(left[-1], space, o["break_on_hyphens"])
                line.append(first)
                left[-1] = rest
            elif not line:
                line.append(left.pop())
            length = sum([len(chunk) for chunk in line])
        if o["drop_whitespace"] and line and line[-1].strip() == "":
            length -= len(line[-1])
            line.pop()
        if not line:
            continue
        is_last = not left or (o["drop_whitespace"] and len(left) == 1 and not left[0].strip())
        if max_lines is None or len(lines) + 1 < max_lines or (is_last and length <= room):
            lines.append(indent + "".join(line))
            continue
        placeholder = o["placeholder"]
        while line:
            if line[-1].strip() and length + len(placeholder) <= room:
                line.append(placeholder)
                lines.append(indent + "".join(line))
                break
            length -= len(line[-1])
            line.pop()
        else:
            if lines:
                before = lines[-1].rstrip()
                if len(before) + len(placeholder) <= o["width"]:
                    lines[-1] = before + placeholder
                    break
            lines.append(indent + placeholder.lstrip())
        break
    return lines


_options = {
    "width": 70,
    "initial_indent": "",
    "subsequent_indent": "",
    "expand_tabs": True,
    "replace_whitespace": True,
    "fix_sentence_endings": False,
    "break_long_words": True,
    "drop_whitespace": True,
    "break_on_hyphens": True,
    "tabsize": 8,
    "max_lines": None,
    "placeholder": " [...]",
}


def wrap(text, width=70, **kwargs):
    o = dict(_options)
    for name, value in kwargs.items():
        if name not in o:
            raise TypeError(f"TextWrapper.__init__() got an unexpected keyword argument '{name}'")
        o[name] = value
    o["width"] = width
    if o["expand_tabs"]:
        text = text.expandtabs(o["tabsize"])
    if o["replace_whitespace"]:
        text = "".join([" " if letter in _space else letter for letter in text])
    chunks = _split(text, o["break_on_hyphens"])
    if o["fix_sentence_endings"]:
        _end_sentences(chunks)
    return _lines(chunks, o)


def fill(text, width=70, **kwargs):
    return "\n".join(wrap(text, width, **kwargs))


def shorten(text, width, **kwargs):
    kwargs["max_lines"] = 1
    return fill(" ".join(text.strip().split()), width, **kwargs)


def _break_lines(text):
    return text.split("\n")


def dedent(text):
    lines = [line if line.strip(_space) else "" for line in _break_lines(text)]
    margin = None
    for line in lines:
        if line == "":
            continue
        own = line[: len(line) - len(line.lstrip(" \t"))]
        if margin is None:
            margin = own
            continue
        at = 0
        while at < len(margin) and at < len(own) and margin[at] == own[at]:
            at += 1
        margin = margin[:at]
    cut = len(margin) if margin else 0
    return "\n".join([line[cut:] for line in lines])


def indent(text, prefix, predicate=None):
    parts = []
    for line in text.splitlines(True):
        if predicate(line) if predicate is not None else line.strip():
            parts.append(prefix)
        parts.append(line)
    return "".join(parts)
