//! Methods of builtin types and of dates: which of them are missing. A list, no logic.

/// Methods of builtin types and of dates that are missing, whose names mean nothing else.
pub(in super::super) const MISSING_METHODS: &[(&str, &[&str])] = &[
    ("use `decimal.Decimal`, or `math.frexp`", &["as_integer_ratio"]),
    ("compute with `//` and `%`, or use `base64`", &["from_bytes", "to_bytes", "fromhex"]),
    (
        "add a `timedelta` to a date, and use `strftime`",
        &["fromtimestamp", "utcfromtimestamp", "fromordinal", "toordinal", "fromisocalendar", "isocalendar"],
    ),
    ("use `strftime` or the fields of the date", &["ctime", "timetuple", "utctimetuple"]),
    ("use `datetime.datetime.now(datetime.timezone.utc)`", &["utcnow"]),
];
