//! What code does is told by its tree: comments, texts and functions that are only called alike say nothing.

use super::*;

/// The facts, which the analysis must tell as well.
fn seen(source: &str) -> Facts {
    let found = facts(source);
    assert_eq!(analyze(source, &Context::default()).facts, found, "{source}");
    found
}

fn tools(source: &str) -> (Vec<String>, bool) {
    let Facts { tools_called, calls_other_tools, .. } = seen(source);
    (tools_called.into_iter().collect(), calls_other_tools)
}

#[test]
fn steps_that_are_left_to_people_are_counted() {
    for (source, expected) in [
        ("from repertoire import manual_step\nmanual_step('a')\nmanual_step('b')", 2),
        ("from repertoire import manual_step as m\nm('a')", 1),
        ("import repertoire\nrepertoire.manual_step('a')", 1),
        ("import repertoire as r\nstep = r.manual_step\nstep('a')", 1),
        (
            "from repertoire import manual_step\ndef f():\n    def g():\n        return manual_step('a')\n    return g()",
            1,
        ),
        (
            "from repertoire import manual_step\nclass A:\n    def m(self):\n        return [manual_step ('a') for _ in 'x']",
            1,
        ),
        ("from repertoire import manual_step\n# this replaced the old manual_step(\"x\") call", 0),
        ("from repertoire import manual_step\ntext = 'manual_step(\"x\")'", 0),
        ("def f():\n    \"\"\"Instead of manual_step(x).\"\"\"\n    return f'manual_step({1})'", 0),
        ("def manual_step(text):\n    return text\nmanual_step('a')", 0),
        ("class A:\n    def manual_step(self, text):\n        return text\nA().manual_step('a')", 0),
        ("from tools import manual_step\nmanual_step('a')", 0),
        ("from repertoire import manual_step, log\ndef f(log):\n    return my_manual_step('a')", 0),
        ("manual_step('a'", 0),
    ] {
        assert_eq!(seen(source).manual_steps, expected, "{source}");
    }
}

#[test]
fn tools_that_are_called_by_name_are_told() {
    for (source, expected) in [
        (
            "from repertoire import call_tool\ncall_tool('a/b')\ncall_tool(\"c/d\", {})\ncall_tool('a/b')",
            &["a/b", "c/d"][..],
        ),
        ("from repertoire import call_tool as t\ndef f():\n    return t(tool='a/b', arguments={})", &["a/b"]),
        ("import repertoire as r\nasync def f():\n    return await r.call_tool(\n        'a' '/b'\n    )", &["a/b"]),
        ("from repertoire import call_tool\n# call_tool('a/b')\ntext = \"call_tool('c/d')\"", &[]),
        ("def call_tool(name):\n    return name\ncall_tool('a/b')", &[]),
        ("class A:\n    def call_tool(self, name):\n        return name\nA().call_tool('a/b')", &[]),
        ("call_tool('a/b'", &[]),
    ] {
        assert_eq!(tools(source), (expected.iter().map(ToString::to_string).collect(), false), "{source}");
    }
    let found = facts("from repertoire import call_tool\ncall_tool('search/query')");
    assert!(found.calls_server("search") && !found.calls_server("query") && !found.calls_server("sea"));
}

#[test]
fn tools_that_are_not_called_by_name_are_noticed() {
    for source in [
        "call_tool(name)",
        "call_tool('a/' + name)",
        "call_tool(f'a/{name}')",
        "call_tool(*names)",
        "call_tool(**{'tool': 'a/b'})",
        "list(map(call_tool, names))",
        "import repertoire\nlist(map(repertoire.call_tool, names))",
    ] {
        let source = format!("from repertoire import call_tool\ncall_tool('a/b')\n{source}");
        assert_eq!(tools(&source), (vec!["a/b".to_owned()], true), "{source}");
    }
}
