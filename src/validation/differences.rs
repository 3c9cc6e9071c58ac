//! What the interpreter does otherwise than `CPython` and no rule finds in code: a list for authors.
//!
//! Found by evaluating expressions in both (`tests/runtime/differential.rs`), which fails for a difference that is not here.

/// A kind of differences.
pub struct Difference {
    /// What it is about, in a few words.
    pub about: &'static str,
    /// What happens, and what to do.
    pub what: &'static str,
}

/// All kinds.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        about: "missing methods",
        what: "These methods and attributes are missing and raise `AttributeError`: `as_integer_ratio`, `from_bytes`, `to_bytes`, `fromhex`, `hex` of floats, `numerator`, `denominator`, \
               `subn`, `expand`, `lastgroup`, `lastindex`, `groupindex`, `groups` of patterns, \
               `ctime`, `fromordinal`, `toordinal`, `fromtimestamp`, `utcfromtimestamp`, `utcnow`, `isocalendar`, \
               `fromisocalendar`, `timetuple`, `min` and `max` of dates, `start`, `stop`, `step`, `count` and `index` of ranges, \
               `indices` of slices.",
    },
    Difference {
        about: "modules that are brought along",
        what: "`calendar`, `collections.abc`, `contextlib`, `fnmatch`, `heapq`, `html`, `operator`, `queue`, `shlex`, `statistics`, \
               `string` and `textwrap`, `wraps` of `functools` and much of `typing` are written in Python and have the members that \
               most code uses; others are named when code is validated. `heapq.merge` reads its iterables to their end. \
               `statistics.StatisticsError` is `ValueError`. `queue.Empty` and `queue.Full` are classes of Python's own with another \
               `__name__`, and a queue never waits: it is the only thread. `isinstance` with `collections.abc` looks at the methods of \
               own classes.",
    },
    Difference {
        about: "empty matches of patterns",
        what: "Where a pattern can match nothing (`x*`, `a?`), `re.findall`, `re.finditer`, `re.split` and `re.sub` leave out \
               the empty match directly after another match: `re.findall(r'\\w*', 'a')` is `['a']`, not `['a', '']`. Use `+`.",
    },
    Difference {
        about: "patterns that CPython refuses",
        what: "`re` takes some patterns and replacements that `CPython` refuses: `$+`, `x*{1,2}`, `\\1` without a group.",
    },
    Difference {
        about: "patterns that are refused",
        what: "`re` refuses some patterns that `CPython` takes, such as a repeated look-ahead or look-behind, and a `flags` that it \
               does not know (`re.X`).",
    },
    Difference {
        about: "characters of classes",
        what: "`\\w`, `\\d` and `\\s` follow the Unicode standard: `½` is no `\\w`. `re.A` does not change `\\b`.",
    },
    Difference {
        about: "functions as replacements",
        what: "`re.sub` takes a text as the replacement, no function: go through `re.finditer`.",
    },
    Difference {
        about: "methods of newer versions",
        what: "Whole numbers have `is_integer`, as in `CPython` from 3.12 on; in older ones they have not.",
    },
    Difference {
        about: "the last digit of floats",
        what: "`math.lgamma`, `math.gamma`, `math.cbrt`, powers and a few others may differ in the last digit of 17; a float \
               halfway between two shortest texts may show the other one (`1000000000000000.3`).",
    },
    Difference {
        about: "messages of assertions",
        what: "A failed `assert` without a message says what was compared (`assert 16.5 == 16`), where `CPython` says nothing.",
    },
    Difference {
        about: "order of sets",
        what: "Sets keep the order in which they were filled. Sort them where the order matters.",
    },
    Difference {
        about: "slices of ranges",
        what: "A slice of a range has the same numbers, and may be written with another end: `range(2, 2, 3)`, not \
               `range(2, 0, 3)`.",
    },
    Difference { about: "hashes", what: "`hash()` gives other numbers, also for whole numbers from 2 ** 61 on." },
    Difference {
        about: "equal keys",
        what: "Of two equal keys of a dictionary, such as `True` and `1`, the later one is kept; `CPython` keeps the first.",
    },
    Difference {
        about: "encodings",
        what: "`encode` and `decode` know `utf-8` and `ascii` with the errors `strict`, `ignore` and `replace`, and raise \
               `LookupError` or `TypeError` for others.",
    },
    Difference { about: "ascii", what: "`ascii()` is missing: use `json.dumps(text)`." },
    Difference {
        about: "fractions of durations",
        what: "`datetime.timedelta` takes whole numbers only, also as a factor; some comparisons and overflows raise another \
               class of exception.",
    },
    Difference {
        about: "negative moduli",
        what: "`pow` with three arguments takes no negative modulus with a negative exponent and raises `ValueError`.",
    },
    Difference { about: "digits of other scripts", what: "`int()` and `float()` read the digits 0 to 9 only." },
    Difference {
        about: "halves of characters",
        what: "A text has no halves of characters: `\"\\ud800\"` is `\"\\ufffd\"` in code and an error in `json.loads`.",
    },
    Difference {
        about: "dates before the year 1000",
        what: "`%Y` writes four digits for every year, and `%q` is the quarter.",
    },
    Difference {
        about: "forms of dates",
        what: "`fromisoformat` takes dates with dashes only, not `20240229` or `2024-W09-4`; `strptime` knows `%s`.",
    },
    Difference {
        about: "formats of collections",
        what: "A width in a format, as in `f\"{values:20}\"`, pads the text of a list, tuple or bytes, where `CPython` raises \
               `TypeError`.",
    },
    Difference { about: "nan in sets", what: "Several `nan` in a set or among the keys of a dictionary are one." },
    Difference {
        about: "negative repetitions",
        what: "A list, text or tuple times a very large negative number is empty, where `CPython` raises `OverflowError`.",
    },
    Difference {
        about: "classes of exceptions",
        what: "Some wrong calls raise another class of exception, mostly `TypeError` for `ValueError` or the other way round. \
               Catch both.",
    },
];
