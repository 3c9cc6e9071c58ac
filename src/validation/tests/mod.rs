//! Table tests of the whole analysis: hostile, obfuscated, unsupported and benign sources.

mod bounds;
mod facts;
mod needs;
mod parameters;
mod sources;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use rules::Rule;
use sources::{BENIGN, HOSTILE, LINTED, REACHABLE, UNLINTED, UNREACHABLE, UNSUPPORTED};

fn codes(source: &str) -> BTreeSet<&'static str> {
    analyze(source, &Context::default()).issues.into_iter().map(|issue| issue.code).collect()
}

fn definition() -> Definition {
    let value = json!({
        "name": "tidy", "category": "general",
        "parameters": [{"name": "path", "type": "string"}, {"name": "depth", "type": "integer", "default": 1}]
    });
    serde_json::from_value(value).unwrap()
}

/// The context that the examples of the rule table are written for.
fn with_example_context<T>(test: impl FnOnce(&Context<'_>) -> T) -> T {
    let definition = definition();
    let grants = Permissions {
        commands: vec!["git status".into()],
        read: vec!["/data".into()],
        tools: vec!["search/query".into()],
        network: vec!["api.example.org".into()],
        ..Permissions::default()
    };
    test(&Context {
        entry_name: Some("tidy"),
        definition: Some(&definition),
        grants: Some(&grants),
        ..Context::default()
    })
}

#[test]
fn every_rule_has_an_example_that_breaks_it_and_one_that_keeps_it() {
    with_example_context(|context| {
        let breaks = |code, source: &str| analyze(source, context).issues.iter().any(|issue| issue.code == code);
        // What the interpreter finds, and what is no rule, is not for this table to show.
        let is_seen_here =
            |rule: &&&Rule| !(rule.category == Category::Types || rule.bad.is_empty() && rule.good.is_empty());
        for rule in rules::ALL.iter().filter(is_seen_here) {
            let long = format!("x = '{}'\n", "a".repeat(MAX_SOURCE_BYTES));
            let bad = match rule.code {
                // These can't be shown in the documentation.
                "RPT002" => &long,
                "RPT004" => "x = \"\0\"\n",
                _ => rule.bad,
            };
            assert!(breaks(rule.code, bad), "{} is not found in {bad:.200}", rule.code);
            assert!(!breaks(rule.code, rule.good), "{} is found in {}", rule.code, rule.good);
            assert_eq!(rules::find(rule.code), Some(*rule));
        }
    });
}

#[test]
fn the_rule_table_is_in_order_and_complete() {
    assert!(rules::ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
    for rule in rules::ALL {
        let expected = match rule.code.as_bytes()[3] {
            b'0' => Category::Syntax,
            b'1' => Category::Security,
            b'2' => Category::Runtime,
            b'5' => Category::Types,
            b'6' if rule.code.starts_with("RPT63") => Category::Security,
            b'3' | b'6' => Category::Style,
            _ => Category::Completeness,
        };
        assert_eq!(rule.category, expected, "{}", rule.code);
        assert!(rule.summary.ends_with('.') && rule.instead.ends_with('.'), "{}", rule.code);
    }
}

#[test]
fn what_the_linter_finds_has_one_code() {
    let linted = |source: &str| {
        let issues = analyze(source, &Context::default()).issues.into_iter();
        issues.filter(|issue| issue.code.starts_with("RPT6")).collect::<Vec<_>>()
    };
    for rule in rules::ALL.iter().filter(|rule| rule.code.starts_with("RPT6")) {
        let found = linted(rule.bad);
        assert_eq!(found.iter().map(|issue| issue.code).collect::<Vec<_>>(), [rule.code], "{}", rule.bad);
        assert!(found[0].message.ends_with(rule.instead) && found[0].column.is_some(), "{found:?}");
        assert!(linted(rule.good).is_empty(), "{} {:?}", rule.code, linted(rule.good));
    }
    for (code, source) in LINTED {
        let found = linted(source);
        assert!(found.iter().all(|issue| issue.code == *code), "{source} {found:?}");
        assert!(!found.is_empty() && found.iter().all(|issue| issue.severity != Severity::Error), "{code} {source}");
    }
    for source in UNLINTED {
        assert!(linted(source).is_empty(), "{source} {:?}", linted(source));
    }
}

#[test]
fn what_only_a_compiler_would_notice_is_a_syntax_error() {
    for source in [
        "def f(a, a):\n    return a",
        "nonlocal x",
        "a = *[1]",
        "match 3:\n    case x:\n        y = 1\n    case 3:\n        y = 2",
    ] {
        let analysis = analyze(source, &Context::default());
        assert!(!analysis.checks.syntax && analysis.issues[0].code == "RPT001", "{source} {:?}", analysis.issues);
    }
    // The interpreter waits for a result outside functions, too.
    assert!(analyze("async def f():\n    return 1\nawait f()", &Context::default()).checks.syntax);
}

#[test]
fn hostile_sources_are_refused() {
    for (code, source) in HOSTILE {
        let analysis = analyze(source, &Context::default());
        assert!(!analysis.is_storable(), "{source}\n{:?}", analysis.issues);
        assert!(analysis.issues.iter().any(|issue| issue.code == *code), "{code} {source}\n{:?}", analysis.issues);
        assert!(analysis.quality_score < 0.5, "{source}");
    }
}

#[test]
fn what_the_interpreter_lacks_is_found_before_a_run() {
    for (code, source) in UNSUPPORTED {
        // An import alone would be no code.
        let analysis = analyze(&format!("{source}\nprint()\n"), &Context::default());
        assert!(analysis.issues.iter().any(|issue| issue.code == *code), "{code} {source}\n{:?}", analysis.issues);
        assert!(analysis.is_storable(), "{source}\n{:?}", analysis.issues);
    }
}

#[test]
fn benign_sources_pass() {
    for source in BENIGN {
        let analysis = analyze(source, &Context::default());
        let wrong: Vec<&Issue> = analysis
            .issues
            .iter()
            .filter(|issue| matches!(issue.category, Category::Syntax | Category::Security | Category::Runtime))
            .collect();
        assert!(wrong.is_empty(), "{source}\n{wrong:?}");
    }
}

#[test]
fn what_follows_a_name_is_told_by_the_tree() {
    // The next statement begins with a bracket.
    assert!(codes("g = getattr\n(1).real\n").contains("RPT105"));
    assert!(!codes("def f(x):\n    return (getattr)(x, 'name')\n").contains("RPT105"));
    for source in ["def f(x):\n    return x.__class__ . __name__", "def f(x):\n    return (x.__class__).__name__"] {
        let found = codes(source);
        assert!(found.contains("RPT232") && !found.contains("RPT104"), "{source} {found:?}");
    }
}

#[test]
fn an_import_that_may_fail_is_only_noted() {
    let source = "try:\n    import yaml\nexcept ImportError:\n    yaml = None\n";
    let analysis = analyze(source, &Context::default());
    assert_eq!(analysis.issues.iter().find(|issue| issue.code == "RPT210").unwrap().severity, Severity::Info);
}

const EXEMPLARY: &str = r#"from repertoire import log, run_command


def tidy(path: str, depth: int = 1) -> dict[str, str]:
    """Reports the state of a repository.

    Args:
        path: The working copy.
        depth: How many commits to list.

    Returns:
        The status and the log.
    """
    try:
        status = run_command(["git", "status", "--short"], cwd=path)
        history = run_command(["git", "-C", path, "log", f"-{depth}"])
    except RuntimeError as error:
        log(f"git failed: {error}")
        raise
    with open("/data/notes/last.txt", "w") as file:
        file.write(status.stdout)
    return {"status": status.stdout, "log": history.stdout}
"#;

#[test]
fn exemplary_code_scores_high_and_names_its_needs() {
    let handled = EXEMPLARY.replace("    with open", "    # noted\n    with open");
    let analysis = analyze(&handled, &Context { entry_name: Some("tidy"), ..Context::default() });
    assert_eq!(analysis.permissions_needed.commands, ["git", "git status"]);
    assert_eq!(analysis.permissions_needed.write, ["/data/notes"]);
    assert!(analysis.permissions_needed.read.is_empty());
    assert!(analysis.checks.docstring && analysis.checks.runnable && analysis.is_storable());
    assert!((analysis.checks.type_hints - 1.0).abs() < f64::EPSILON);
    // The file is opened outside the `try`.
    assert_eq!(analysis.issues.iter().map(|issue| issue.code).collect::<Vec<_>>(), ["RPT403"]);
    let entry = analysis.entry.unwrap();
    assert_eq!((entry.name.as_str(), entry.line, entry.is_async), ("tidy", 4, false));
}

#[test]
fn grants_are_compared_with_needs() {
    with_example_context(|context| {
        let codes: Vec<_> = analyze(EXEMPLARY, context)
            .issues
            .into_iter()
            .filter(|issue| issue.category == Category::Security)
            .collect();
        let messages: Vec<&str> = codes.iter().map(|issue| issue.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "The command `git` is not granted; the user can add it to `commands` under [policy] in config.toml.",
                "The directory `/data/notes` is not granted; the user can add it to `write` under [policy] in config.toml.",
            ]
        );
    });
}

#[test]
fn error_handling_is_judged_by_what_can_fail() {
    let handles = |source: &str| analyze(source, &Context::default()).checks.error_handling;
    assert!(handles("def f(a, b):\n    return a + b\n"));
    assert!(handles("from repertoire import log\nlog('x')\n"));
    let call = "from repertoire import run_command\ndef main():\n    try:\n        _step()\n    except RuntimeError as e:\n        print(e)\ndef _step():\n    run_command(['ls'])\n";
    assert!(handles(call));
    for handler in ["except:\n    pass", "except Exception:\n    ...", "finally:\n    print(1)"] {
        assert!(
            !handles(&format!("from repertoire import run_command\ntry:\n    run_command(['ls'])\n{handler}\n")),
            "{handler}"
        );
    }
    assert!(!handles("import json\ndef f(x):\n    return json.loads(x)\n"));
    // Two steps away, and in a method.
    let far = call.replace("    _step()\n    except", "    _first()\n    except") + "def _first():\n    _step()\n";
    assert!(handles(&far), "{far}");
    assert!(handles(
        "from repertoire import run_command\nclass A:\n    def a(self):\n        try:\n            self.b()\n        except RuntimeError as e:\n            print(e)\n    def b(self):\n        run_command(['ls'])\n"
    ));
    // What a call of the host never raises.
    let other = "from repertoire import run_command\ntry:\n    run_command(['ls'])\nexcept (KeyError, IndexError) as e:\n    print(e)\n";
    assert!(!handles(other) && handles(&other.replace("IndexError", "OSError")));
}

#[test]
fn hints_are_counted_over_every_kind_of_function() {
    let hints = |source: &str| analyze(source, &Context::default()).checks.type_hints;
    for (source, expected) in [
        ("x = 1", 1.0),
        ("def f(a: int, *b: int, c: int = 1, **d: int) -> int:\n    return a", 1.0),
        ("def f(a, *b, c=1, **d):\n    return a", 0.0),
        ("async def f(a: int):\n    return a", 0.5),
        ("class A:\n    def m(self, x: int) -> int:\n        def n(y): return y\n        return x", 0.5),
    ] {
        assert!((hints(source) - expected).abs() < 0.01, "{source} {}", hints(source));
    }
}

#[test]
fn habits_are_noted() {
    assert!(codes("def f(self, x):\n    return self").contains("RPT304"));
    assert!(!codes("class A:\n    def f(self, x):\n        return [x for _ in '']").contains("RPT304"));
    assert!(!codes("def f(x):\n    raise NotImplementedError('later')").contains("RPT304"));
    assert!(codes("while True:\n    break\n    print(1)").contains("RPT303"));
    for source in UNREACHABLE {
        assert!(codes(source).contains("RPT303"), "{source}");
    }
    for source in REACHABLE {
        assert!(!codes(source).contains("RPT303"), "{source}");
    }
    assert!(codes("f = open('a')\nf.close()").contains("RPT302"));
    assert!(codes("g = lambda x={}: x").contains("RPT301"));
    assert!(codes("def f(a):\n    '''Does.'''\n    return a").contains("RPT402"));
}

#[test]
fn the_schema_is_plain() {
    let schema = json!([schemars::schema_for!(Issue), schemars::schema_for!(Checks)]).to_string();
    assert!(!schema.contains("uint") && !schema.contains("$ref"), "{schema}");
    let issue = analyze("eval('1')", &Context::default()).issues.remove(0);
    let value = serde_json::to_value(&issue).unwrap();
    assert_eq!(
        (&value["severity"], &value["category"], &value["code"]),
        (&json!("error"), &json!("security"), &json!("RPT103"))
    );
}

#[test]
fn a_return_of_a_script_is_only_a_warning() {
    let analysis = analyze("x = 1\nreturn x\n", &Context::default());
    assert!(analysis.checks.syntax && analysis.issues.iter().any(|issue| issue.code == "RPT005"));
}

#[test]
fn the_entry_point_follows_the_rule() {
    let name = |source: &str, wanted: Option<&str>| entry_point(source, wanted).unwrap().map(|entry| entry.name);
    assert_eq!(name("def a(): pass\ndef tidy(): pass", Some("tidy")).as_deref(), Some("tidy"));
    assert_eq!(name("def a(): pass\ndef main(): pass\ndef run(): pass", Some("x")).as_deref(), Some("main"));
    assert_eq!(name("def _h(): pass\ndef only(): pass", None).as_deref(), Some("only"));
    assert_eq!(name("x = 1\nclass A:\n    def f(self): pass", None), None);
    let issue = entry_point("def a(): pass\ndef b(): pass", Some("tidy")).unwrap_err();
    assert_eq!(issue.code, "RPT405");
    assert!(issue.message.contains("`a`, `b`") && issue.message.contains("`tidy`"), "{}", issue.message);
    assert_eq!(entry_point("def f(:", None).unwrap_err().category, Category::Syntax);
    assert!(!analyze("def a(): pass\ndef b(): pass", &Context::default()).checks.runnable);
}

#[test]
fn the_signature_is_described() {
    let source = "x = 1\r\nasync def main(a, /, b: int, *args, c: str = None, **kw) -> None:\r\n    pass\r\n";
    let entry = entry_point(source, None).unwrap().unwrap();
    assert!(entry.is_async && entry.accepts_any_keyword);
    assert_eq!(entry.line, 2);
    let shape: Vec<_> = entry
        .parameters
        .iter()
        .map(|p| (p.name.as_str(), p.has_default, p.positional_only, p.annotation.as_ref().map(ToString::to_string)))
        .collect();
    assert_eq!(
        shape,
        [("a", false, true, None), ("b", false, false, Some("int".into())), ("c", true, false, Some("str".into())),]
    );
    assert!(entry.parameters[2].annotation.as_ref().unwrap().accepts(&json!(null)));
}

#[test]
fn lines_are_counted_with_any_line_ending() {
    for newline in ["\n", "\r\n", "\r"] {
        let source = ["x = 1", "y = 2", "eval('1')", ""].join(newline);
        let issue =
            analyze(&source, &Context::default()).issues.into_iter().find(|issue| issue.code == "RPT103").unwrap();
        assert_eq!(issue.line, Some(3), "{newline:?}");
    }
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        let analysis = analyze(&text, &Context::default());
        prop_assert!((0.0..=1.0).contains(&analysis.quality_score));
    }

    #[test]
    fn any_mixture_of_python_gets_an_answer(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "def f(a):\n", "    ", "return x\n", "eval", "(", ")", "[", "]", "{", "}", "\n", "import os\n", "os.system", ".", "'",
            "f'{", "}'", "lambda x: ", "class A(B):\n", "yield ", "match x:\n", "case ", "del ", ",", ":", "=", ":=", "*", "**",
            "if ", "else ", "for x in ", "try:\n", "except:\n", "with ", "async ", "await ", "@", "\\\n", "ß", "__class__",
        ]), 0..60)
    ) {
        let text = pieces.concat();
        let analysis = analyze(&text, &Context::default());
        let is_syntax_error = |issue: &Issue| issue.category == Category::Syntax && issue.severity == Severity::Error;
        prop_assert_eq!(analysis.checks.syntax, !analysis.issues.iter().any(is_syntax_error));
    }
}
