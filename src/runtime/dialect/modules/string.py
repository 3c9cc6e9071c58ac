import re as regular_expressions

whitespace = " \t\n\r\x0b\x0c"
ascii_lowercase = "abcdefghijklmnopqrstuvwxyz"
ascii_uppercase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ascii_letters = ascii_lowercase + ascii_uppercase
digits = "0123456789"
hexdigits = digits + "abcdef" + "ABCDEF"
octdigits = "01234567"
punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
printable = digits + ascii_letters + punctuation + whitespace


def capwords(s, sep=None):
    joint = " " if sep is None else sep
    return joint.join([word.capitalize() for word in s.split(sep)])


_hole = regular_expressions.compile(r"\$(?:(\$)|([_a-zA-Z][_a-zA-Z0-9]*)|\{([_a-zA-Z][_a-zA-Z0-9]*)\}|)")


class Template:
    def __init__(self, template):
        self.template = template

    def _holes(self):
        found = []
        for match in _hole.finditer(self.template):
            found.append((match.start(), match.end(), match.group(1), match.group(2) or match.group(3)))
        return found

    def _fill(self, mapping, named, strict):
        values = dict(mapping)
        values.update(named)
        parts = []
        last = 0
        for start, end, escaped, name in self._holes():
            parts.append(self.template[last:start])
            last = end
            if escaped:
                parts.append("$")
            elif name is None:
                if strict:
                    before = self.template[:start].splitlines(True)
                    line = len(before) if before else 1
                    column = start - len("".join(before[:-1])) + 1 if before else 1
                    raise ValueError(f"Invalid placeholder in string: line {line}, col {column}")
                parts.append(self.template[start:end])
            elif name in values:
                parts.append(str(values[name]))
            elif strict:
                raise KeyError(name)
            else:
                parts.append(self.template[start:end])
        parts.append(self.template[last:])
        return "".join(parts)

    def substitute(self, mapping={}, /, **kws):
        return self._fill(mapping, kws, True)

    def safe_substitute(self, mapping={}, /, **kws):
        return self._fill(mapping, kws, False)

    def is_valid(self):
        return all([escaped or name is not None for start, end, escaped, name in self._holes()])

    def get_identifiers(self):
        names = []
        for start, end, escaped, name in self._holes():
            if name is not None and name not in names:
                names.append(name)
        return names
