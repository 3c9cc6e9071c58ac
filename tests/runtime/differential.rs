//! Expressions, in the sandbox and in `CPython`: each difference is of a kind that `docs/validation.md` lists.
//!
//! `tests/fixtures/differential/expressions.py` makes them, the same for the same seed, and says what `CPython` gives. A
//! sample runs with all tests, `just differential` runs 25,000. Without a `python3` of 3.10 or newer nothing is compared.

use std::{collections::BTreeMap, ops::Range, path::PathBuf, process::Command, sync::Arc, time::Duration};

use repertoire::{
    host,
    runtime::{self, Bounds, Budget, Capture, Limits, Program, Runtime, Suspension},
    validation::DIFFERENCES,
};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::common::PROGRAM;

/// What the expressions use.
const IMPORTS: &str = "import base64, bisect, collections, copy, datetime, decimal, functools, itertools, json, math, re, \
                       unicodedata\n";
/// How many are evaluated by one program.
const AT_ONCE: usize = 100;

/// An expression, and what became of it.
#[derive(Debug, Clone)]
struct Case {
    expression: String,
    /// The `repr` of its value in `CPython`, or the class of its exception after `raises`.
    wanted: String,
    /// The same here.
    got: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_of_expressions_gives_what_cpython_gives() {
    compare(7, 1500).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; `just differential` runs it"]
async fn twenty_five_thousand_expressions_give_what_cpython_gives() {
    compare(20_261_126, 25_000).await;
}

#[test]
fn kinds_are_told_by_what_they_are() {
    let case = |expression: &str, wanted: &str, got: &str| {
        let [expression, wanted, got] = [expression, wanted, got].map(str::to_owned);
        kind(&Case { expression, wanted, got })
    };
    assert_eq!(case("(5).bit_length()", "3", "raises AttributeError"), Some("missing methods"));
    assert_eq!(case("math.cbrt(2.5)", "1.3572088082974532", "1.3572088082974534"), Some("the last digit of floats"));
    assert_eq!(case("math.sqrt(2.5)", "1.58", "1.59"), None);
    assert_eq!(case("(5).is_integer()", "raises AttributeError", "True"), Some("methods of newer versions"));
    assert_eq!(case("1 + 1", "2", "3"), None);
    assert_eq!(case("round(2.675, 2)", "2.67", "2.68"), None);
}

async fn compare(seed: u64, count: usize) {
    let Some(mut cases) = cases(seed, count) else {
        eprintln!("skipped: there is no `python3` of 3.10 or newer");
        return;
    };
    assert_eq!(cases.len(), count);
    let runtime = runtime::sandbox(PathBuf::from(PROGRAM), 2, *host::MODULE);
    for chunk in cases.chunks_mut(AT_ONCE) {
        evaluate(&*runtime, chunk).await;
    }
    runtime.close().await;
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unknown = Vec::new();
    for case in cases.iter().filter(|case| plain(&case.wanted) != plain(&case.got)) {
        match kind(case) {
            Some(kind) => *known.entry(kind).or_default() += 1,
            None => unknown.push(format!("{}\n    wanted {}\n    got    {}", case.expression, case.wanted, case.got)),
        }
    }
    eprintln!("{count} expressions, differences of a known kind: {known:#?}");
    let listed = |kind: &str| DIFFERENCES.iter().any(|difference| difference.about == kind);
    assert!(known.keys().all(|kind| listed(kind)), "not in docs/validation.md: {known:?}");
    let shown: Vec<&String> = unknown.iter().take(40).collect();
    assert!(unknown.is_empty(), "{} differences that nobody knows: {shown:#?}", unknown.len());
}

/// `re.error` has two names.
fn plain(outcome: &str) -> &str {
    if outcome == "raises error" { "raises PatternError" } else { outcome }
}

/// What `python3` makes of the expressions of a seed.
fn cases(seed: u64, count: usize) -> Option<Vec<Case>> {
    let version = "import sys; raise SystemExit(sys.version_info < (3, 10))";
    if !Command::new("python3").args(["-c", version]).status().is_ok_and(|status| status.success()) {
        return None;
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/differential/expressions.py");
    let output = Command::new("python3").arg(script).args([seed.to_string(), count.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
    let lines = String::from_utf8(output.stdout).unwrap();
    let case = |line: &str| {
        // Halves of characters, which JSON of Python can have and ours not.
        let value: Value = serde_json::from_str(line).unwrap_or_else(|_| json!({"expression": "0", "wanted": "0"}));
        Case { expression: text(&value, "expression"), wanted: text(&value, "wanted"), got: String::new() }
    };
    Some(lines.lines().map(case).collect())
}

/// Evaluates all in one program; where the interpreter refuses one, in smaller ones.
async fn evaluate(runtime: &dyn Runtime, cases: &mut [Case]) {
    let mut open = Vec::from([Range { start: 0, end: cases.len() }]);
    while let Some(range) = open.pop() {
        let part = &mut cases[range.clone()];
        match outcomes(runtime, part).await {
            Ok(outcomes) => part.iter_mut().zip(outcomes).for_each(|(case, got)| case.got = got),
            Err(error) if range.len() == 1 => part[0].got = format!("raises {error}"),
            Err(_) => {
                let middle = range.start + range.len() / 2;
                open.extend([range.start..middle, middle..range.end]);
            }
        }
    }
}

async fn outcomes(runtime: &dyn Runtime, cases: &[Case]) -> Result<Vec<String>, String> {
    match evaluated(runtime, IMPORTS, cases.iter().map(|case| case.expression.as_str())).await? {
        Ok(outcomes) => Ok(outcomes),
        Err(Suspension::Raised { error, .. }) => Err(error.kind),
        // A builtin that is missing is taken for a function of the host, which has none of that name.
        Err(Suspension::Call { .. }) => Err("TypeError".to_owned()),
        Err(other) => Err(format!("{other:?}")),
    }
}

/// What the sandbox makes of each expression after `beginning`: its `repr`, or the class of the exception. An inner error is
/// what stopped all of them.
pub async fn evaluated<'e>(
    runtime: &dyn Runtime,
    beginning: &str,
    expressions: impl Iterator<Item = &'e str>,
) -> Result<Result<Vec<String>, Suspension>, String> {
    let attempts: String = expressions
        .map(|expression| {
            format!(
                "try:\n    out.append(repr({expression}))\nexcept Exception as error:\n    out.append('raises ' + type(error).__name__)\n"
            )
        })
        .collect();
    let source = format!("{beginning}out = []\n{attempts}out\n");
    let deadline = Instant::now() + Duration::from_mins(2);
    let budget = Arc::new(Budget::new(deadline, CancellationToken::new(), 10, 1 << 20));
    let bounds = Bounds {
        interpreter: None,
        mounts: &[],
        rules: Arc::default(),
        limits: Limits { memory_bytes: 256 << 20, result_bytes: 8 << 20, file_calls: 10, write_bytes: 0 },
        capture: Capture::new(Arc::clone(&budget)),
        budget,
    };
    let mut session = runtime.open(bounds).await.map_err(|error| error.to_string())?;
    let code_lines = u32::try_from(source.lines().count()).unwrap();
    let program = Program { source, code_lines, parameters: json!({}) };
    let suspension = session.start(&program).await;
    session.finish().await;
    Ok(match suspension.map_err(|error| error.to_string())? {
        Suspension::Ended(Value::Array(outcomes)) => {
            Ok(outcomes.iter().map(|outcome| outcome.as_str().unwrap().to_owned()).collect())
        }
        other => Err(other),
    })
}

/// Methods and attributes that values do not have here.
const MISSING: [&str; 28] = [
    "as_integer_ratio",
    "bit_count",
    "bit_length",
    "is_integer",
    "hex",
    "maketrans",
    "translate",
    "subn",
    "ctime",
    "fromordinal",
    "toordinal",
    "fromtimestamp",
    "isocalendar",
    "timetuple",
    "indices",
    "X",
    "format_map",
    "numerator",
    "expand",
    "lastindex",
    "groupindex",
    "min",
    "max",
    "start",
    "stop",
    "step",
    "count",
    "index",
];

/// The kind of a difference, by the name that `docs/validation.md` gives it.
fn kind(case: &Case) -> Option<&'static str> {
    let Case { expression, wanted, got } = case;
    let has = |part: &str| expression.contains(part);
    let (raises, raised) = (wanted.starts_with("raises "), got.starts_with("raises "));
    let calls_missing =
        || MISSING.iter().any(|name| has(&format!(".{name}(")) || has(&format!(".{name}")) && *name == "X");
    let got_is = |kind: &str| got == &format!("raises {kind}");
    let wanted_is_pattern_error = plain(wanted) == "raises PatternError";
    if got_is("AttributeError") && calls_missing() {
        return Some("missing methods");
    }
    if wanted == "raises AttributeError" && has(".is_integer()") {
        return Some("methods of newer versions");
    }
    if (got_is("TypeError") || got_is("LookupError")) && (has("ascii(") || has("!a")) {
        return Some("ascii");
    }
    if (got_is("LookupError") || got_is("TypeError")) && (has(".encode(") || has(".decode(")) {
        return Some("encodings");
    }
    if got_is("TypeError") && has("re.sub") && has("lambda m: m.group") {
        return Some("functions as replacements");
    }
    if wanted_is_pattern_error && has("re.") {
        return Some("patterns that CPython refuses");
    }
    if got_is("PatternError") && has("re.") {
        return Some("patterns that are refused");
    }
    if !raises && !raised && has("re.") {
        let is_class = has("½") || has("٣") || has("re.A");
        return Some(if is_class && !has("*") && !has("?") {
            "characters of classes"
        } else {
            "empty matches of patterns"
        });
    }
    if got_is("TypeError") && has("timedelta") || has("timedelta(days=999999999)") {
        return Some("fractions of durations");
    }
    if got_is("ValueError") && has("pow(") {
        return Some("negative moduli");
    }
    if has("'٣'") && got_is("ValueError") {
        return Some("digits of other scripts");
    }
    if has("ud800") {
        return Some("halves of characters");
    }
    if !raises && !raised {
        if has("hash(") {
            return Some("hashes");
        }
        if has("nan") && (has("{*") || has("fromkeys(")) {
            return Some("nan in sets");
        }
        if has("set(") || has("{v % 3") {
            return Some("order of sets");
        }
        if wanted.starts_with("range(") && got.starts_with("range(") {
            return Some("slices of ranges");
        }
        if has("date(1, ") || has("%q") {
            return Some("dates before the year 1000");
        }
        if (has("True:") || has("1:")) && same_but(wanted, got, &["True", "true", "1.0", "1"]) {
            return Some("equal keys");
        }
        if close(wanted, got) {
            return Some("the last digit of floats");
        }
    }
    if wanted == "raises TypeError" && (has("format(") || has("f\"")) {
        return Some("formats of collections");
    }
    if got_is("ValueError") && has("fromisoformat(") || has("strptime(") && has("'%s'") {
        return Some("forms of dates");
    }
    if has("nan") && (has("{*") || has("set(") || has("fromkeys(")) {
        return Some("nan in sets");
    }
    if wanted == "raises OverflowError" && got == "()" {
        return Some("negative repetitions");
    }
    if raises && raised {
        return Some("classes of exceptions");
    }
    None
}

/// Whether two texts are the same without these words.
fn same_but(one: &str, other: &str, words: &[&str]) -> bool {
    let without = |text: &str| words.iter().fold(text.to_owned(), |text, word| text.replace(word, ""));
    without(one) == without(other)
}

/// Whether two texts are the same but for the sixteenth digit of numbers in them.
fn close(one: &str, other: &str) -> bool {
    let (one, other) = (pieces(one), pieces(other));
    one.len() == other.len()
        && one.iter().zip(&other).all(|(one, other)| match (one.parse::<f64>(), other.parse::<f64>()) {
            (Ok(a), Ok(b)) => one == other || (a - b).abs() <= 1e-14 * a.abs().max(b.abs()),
            _ => one == other,
        })
}

/// A text cut into numbers and what stands between them.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut in_number = false;
    for letter in text.chars() {
        let goes_on = in_number
            && (letter.is_ascii_digit()
                || letter == '.'
                || letter == 'e'
                || (matches!(letter, '-' | '+') && pieces.last().is_some_and(|last| last.ends_with('e'))));
        if goes_on || (!in_number && !letter.is_ascii_digit() && !pieces.is_empty()) {
            if let Some(last) = pieces.last_mut() {
                last.push(letter);
            }
            continue;
        }
        in_number = letter.is_ascii_digit();
        pieces.push(letter.to_string());
    }
    pieces
}
