# Values as JSON: what it has a form for is kept, what it has none for is refused, with its place.

MOST_LEVELS = 100
MOST_SHOWN = 60
MOST_DIGITS = 4300
RESERVED = "$serde_json::private::Number"
INSTEAD = {
    "set": "make a list of it: `sorted(…)`",
    "frozenset": "make a list of it: `sorted(…)`",
    "bytes": "make a text of it: `.decode()`",
    "bytearray": "make a text of it: `.decode()`",
    "Decimal": "make a text or a float of it: `str(…)`, `float(…)`",
    "timedelta": "make a number of it: `.total_seconds()`",
    "time": "make a text of it: `str(…)`",
    "range": "make a list of it: `list(…)`",
    "generator": "make a list of it: `list(…)`",
    "dict_keys": "make a list of it: `list(…)`",
    "dict_values": "make a list of it: `list(…)`",
    "dict_items": "make a list of it: `list(…)`",
    "ndarray": "make a list of it: `.tolist()`",
    "Series": "make a list of it: `.tolist()`",
    "DataFrame": "make a list of it: `.to_dict(\"records\")`",
}


class Refused(Exception):
    """A value that does not go out: `why` is `size`, `depth` or `value`."""

    def __init__(self, why, kind, message, is_placed=False):
        self.why, self.kind, self.message, self.is_placed = why, kind, message, is_placed


def shortened(text):
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def shown(value):
    try:
        return repr(value)[:MOST_SHOWN]
    except Exception:
        return f"<{type(value).__name__}>"


class Form:
    """Makes plain values of a value that is called `name`, of at most `limit` bytes of JSON."""

    def __init__(self, name, limit, own_modules):
        self.name, self.limit, self.left, self.own = name, limit, limit, own_modules
        self.way, self.inside = [], set()

    def of(self, value):
        try:
            return self.convert(value, 0)
        except RecursionError:
            raise self.too_deep() from None

    def charge(self, count):
        self.left -= count
        if self.left < 0:
            message = f"{self.name} is larger than {-(-self.limit // 1024)} KiB as JSON"
            raise Refused("size", "ValueError", message)

    def too_deep(self):
        return Refused("depth", "ValueError", f"{self.name} is nested more than {MOST_LEVELS} levels deep")

    def formless(self, kind, what):
        return Refused("value", kind, f"`{self.name}{''.join(self.way)}` {what}")

    def convert(self, value, depth):
        if depth > MOST_LEVELS:
            raise self.too_deep()
        self.charge(2)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self.text(str.__str__(value))
        if isinstance(value, int):
            return self.whole(int(value))
        if isinstance(value, float):
            return self.fraction(float(value))
        if isinstance(value, dict):
            return self.within(value, self.dictionary, depth)
        if isinstance(value, (list, tuple)):
            return self.within(value, self.items, depth)
        return self.other(value, depth)

    def within(self, value, convert, depth):
        if id(value) in self.inside:
            raise self.formless("ValueError", "contains itself")
        self.inside.add(id(value))
        try:
            return convert(value, depth)
        finally:
            self.inside.discard(id(value))

    def text(self, value):
        try:
            self.charge(len(value.encode()) + 2)
        except UnicodeEncodeError:
            raise self.formless("ValueError", "is a text with half of a character, which JSON has no form for") from None
        return value

    def whole(self, value):
        digits = value.bit_length() * 1000 // 3322
        if digits <= MOST_DIGITS:
            self.charge(8 + digits)
            digits = len(str(abs(value))) if digits > MOST_DIGITS - 2 else digits
        if digits > MOST_DIGITS:
            raise self.formless("ValueError", f"has about {digits} digits, and at most {MOST_DIGITS} are kept")
        return value

    def fraction(self, value):
        self.charge(8)
        if value != value or value in (float("inf"), float("-inf")):
            raise self.formless("ValueError", f"is {value}, and JSON has finite numbers only")
        return value

    def items(self, value, depth):
        plain = []
        for index, item in enumerate(value):
            self.way.append(f"[{index}]")
            plain.append(self.convert(item, depth + 1))
            self.way.pop()
        return plain

    def dictionary(self, value, depth):
        return self.fields(value.items(), depth, lambda key: f"[{json.dumps(shortened(key), ensure_ascii=False)}]")

    def fields(self, pairs, depth, step):
        plain = {}
        for key, item in pairs:
            name = self.key(key)
            self.charge(len(name) + 4)
            self.way.append(step(name) if isinstance(key, str) else f"[{shown(key)}]")
            item = self.convert(item, depth + 1)
            self.way.pop()
            if name in plain:
                raise self.formless("ValueError", f'has two keys that are `"{shortened(name)}"` in JSON')
            plain[name] = item
        return plain

    def key(self, key):
        if key is True or key is False:
            return "true" if key else "false"
        if isinstance(key, str):
            name = str.__str__(key)
        elif isinstance(key, int):
            if key.bit_length() * 1000 // 3322 > MOST_DIGITS:
                raise self.formless("ValueError", f"has a key of about {key.bit_length() * 1000 // 3322} digits")
            name = int.__repr__(key)
        elif isinstance(key, float):
            name = float.__repr__(key)
        else:
            what = f"has the key `{shortened(shown(key))}`, which has no form in JSON; use texts as keys: `str(…)`"
            raise self.formless("TypeError", what)
        if name == RESERVED:
            raise self.formless("ValueError", f"has the key `{name}`, which can't be kept; give it another")
        return self.text_of_key(name)

    def text_of_key(self, name):
        try:
            name.encode()
        except UnicodeEncodeError:
            raise self.formless("ValueError", "has a key with half of a character") from None
        return name

    def other(self, value, depth):
        kind = type(value)
        if isinstance(value, os.PathLike):
            return self.text(os.fspath(value) if isinstance(os.fspath(value), str) else os.fsdecode(value))
        if kind.__module__ == "datetime" and hasattr(value, "isoformat") and kind.__name__ != "time":
            return self.text(value.isoformat())
        # A number of an array library is one of Python's.
        if kind.__module__ == "numpy" and hasattr(value, "item") and getattr(value, "shape", None) == ():
            return self.convert(value.item(), depth)
        is_own = kind.__module__ in self.own or hasattr(kind, "__dataclass_fields__")
        if is_own and not hasattr(kind, "__members__") and not isinstance(value, (type, BaseException)):
            if hasattr(value, "__dict__"):
                return self.within(value, lambda it, at: self.fields(vars(it).items(), at, lambda key: f".{key}"), depth)
        if hasattr(kind, "__members__"):
            instead = "give its `.value`"
        else:
            instead = INSTEAD.get(kind.__name__, "give dictionaries, lists, texts, numbers, True, False or None")
        raise self.formless("TypeError", f"is `{shown(value)}`, which has no form in JSON; {instead}")
