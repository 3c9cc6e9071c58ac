//! Parameters: those that the definition declares, and those that nothing uses.

use super::*;

#[test]
fn declared_parameters_are_expected() {
    with_example_context(|context| {
        let found = |source: &str| {
            let issues = analyze(source, context).issues;
            issues.into_iter().filter(|issue| issue.code == "RPT406").map(|issue| issue.severity).collect::<Vec<_>>()
        };
        assert_eq!(found("def tidy():\n    return 1"), [Severity::Error, Severity::Warning]);
        assert_eq!(found("def tidy(path, depth):\n    return path"), []);
        assert_eq!(found("def tidy(**kw):\n    return kw"), []);
    });
}

#[test]
fn declared_parameters_are_used() {
    with_example_context(|context| {
        let found = |source: &str| {
            let issues = analyze(source, context).issues.into_iter();
            let issues = issues.filter(|issue| matches!(issue.code, "RPT304" | "RPT407"));
            issues.map(|issue| issue.code).collect::<Vec<_>>()
        };
        assert_eq!(found("def tidy(path, depth=1):\n    return path"), ["RPT407"]);
        assert_eq!(found("def tidy(path, depth=1, other=2):\n    return path"), ["RPT304", "RPT407"]);
        // A stub is excused, but not for what the definition promises.
        assert_eq!(found("def tidy(path, depth=1, other=2):\n    pass"), ["RPT407", "RPT407"]);
        assert_eq!(
            found("def tidy(path, depth=1):\n    return _b(path, depth)\ndef _b(path, depth):\n    return path"),
            ["RPT304"]
        );
    });
}

#[test]
fn a_parameter_is_used_by_its_own_name_only() {
    let unused = |source: &str| codes(source).contains("RPT304");
    for source in [
        "def f(x):\n    return [x for x in [1]]",
        "def f(x):\n    return lambda x: x",
        "def f(x):\n    def g(x):\n        return x\n    return g(1)",
        "def f(x):\n    def g():\n        x = 1\n        return x\n    return g()",
        "def f(x):\n    x = 1\n    return x",
        "def f(x):\n    print(1)\n    x: int = 1\n    return x",
        "def f(*x):\n    return 1",
        "def f(**x):\n    return 1",
        "def f(*, x):\n    return 1",
        "async def f(x):\n    return 1",
    ] {
        assert!(unused(source), "{source}");
    }
    for source in [
        "def f(x):\n    return [y for y in x]",
        "def f(x):\n    return lambda: x",
        "def f(x):\n    def g():\n        nonlocal x\n        x += 1\n    g()",
        "def f(x):\n    x += 1",
        "def f(x):\n    x = x or 1\n    return x",
        "def f(x):\n    if x:\n        x = 1\n    return x",
        "def f(x):\n    def g():\n        return x\n    x = 1\n    return g()",
        "def f(x):\n    return f'{x:>{x}}'",
        "def f(x):\n    match x:\n        case 1:\n            return 2",
        "class A:\n    def m(self, x):\n        return x",
        "class A:\n    def __exit__(self, *x):\n        return False",
        "def f(x):\n    class A:\n        y = x\n    return A",
    ] {
        assert!(!unused(source), "{source}");
    }
}
