//! What a run gives back: results by the rules of the sandbox, output, tracebacks with the procedure's own lines.

use serde_json::json;

use super::{execute, has_python, home, result};
use crate::common::text;

#[test]
fn results_have_the_form_that_they_have_in_the_sandbox() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    for (number, (value, expected)) in [
        (
            "{1: (None, True), 2.5: 'ü', False: 10**40}",
            r#"{"1":[null,true],"2.5":"ü","false":10000000000000000000000000000000000000000}"#,
        ),
        ("__import__('pathlib').Path('/a/b')", r#""/a/b""#),
        ("__import__('datetime').date(2026, 1, 2)", r#""2026-01-02""#),
        ("Point(1, [2])", r#"{"x":1,"y":[2]}"#),
    ]
    .into_iter()
    .enumerate()
    {
        let code = format!(
            "class Point:\n    def __init__(self, x, y):\n        self.x, self.y = x, y\n\n\ndef value_{number}():\n    return {value}\n"
        );
        assert_eq!(result(&mut client, &format!("value_{number}"), &code).to_string(), expected, "{value}");
    }
    for (number, (value, kind, message)) in [
        (
            "{'rows': [1, {2}]}",
            "TypeError",
            r#"`result["rows"][1]` is `{2}`, which has no form in JSON; make a list of it"#,
        ),
        ("[float('nan')]", "ValueError", "`result[0]` is nan, and JSON has finite numbers only"),
        ("{1: 1, '1': 1}", "ValueError", r#"has two keys that are `"1"` in JSON"#),
        ("{None: 1}", "TypeError", "has the key `None`, which has no form in JSON"),
        ("10**5000", "ValueError", "and at most 4300 are kept"),
        (
            "__import__('functools').reduce(lambda inner, _: [inner], range(200), 1)",
            "ResultLimit",
            "nested more than 100 levels",
        ),
        ("'x' * 3_000_000", "ResultLimit", "result is larger than 1024 KiB as JSON"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = execute(
            &mut client,
            &format!("refused_{number}"),
            &format!("def refused_{number}():\n    return {value}\n"),
        );
        assert_eq!(answer["error_type"], json!(kind), "{answer}");
        assert!(text(&answer, "error").contains(message), "{answer}");
    }
}

#[test]
fn a_traceback_shows_the_lines_of_the_procedure_alone() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code =
        "import json\n\n\ndef read(text):\n    return json.loads(text)\n\n\ndef broken():\n    return read('{')\n";
    let answer = execute(&mut client, "broken", code);
    assert_eq!(answer["error_type"], json!("JSONDecodeError"), "{answer}");
    let trace = text(&answer, "traceback");
    for part in ["line 9, in broken\n    return read('{')", "line 5, in read\n    return json.loads(text)"] {
        assert!(trace.contains(part), "{trace}");
    }
    assert!(!trace.contains("decoder.py") && !trace.contains("line 12"), "{trace}");
    let own = "class Odd(Exception):\n    pass\n\n\ndef odd():\n    raise Odd('so', 1)\n";
    let answer = execute(&mut client, "odd", own);
    assert_eq!((&answer["error_type"], text(&answer, "error")), (&json!("Odd"), "('so', 1)"));
}

#[test]
fn everything_that_is_printed_is_output_in_its_order() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code = "import os\nimport sys\n\n\ndef talk():\n    print('one ü')\n    sys.stderr.write('two\\n')\n    sys.stdout.buffer.write('three ü\\n'.encode())\n    os.write(1, b'four\\n')\n";
    let answer = execute(&mut client, "talk", code);
    assert_eq!(text(&answer, "output"), "one ü\ntwo\nthree ü\nfour\n", "{answer}");
}
