//! Numbers that code gives to host functions: what is none of its parameter's kind or out of its range is an exception
//! that the code can catch, at its line, and never the end of the run.

use serde_json::{Value, json};

use crate::common::{Home, execute_code, text};

/// Numbers that no parameter of any function takes.
const BAD: [&str; 10] =
    ["0", "-1", "-0.5", "-0.0", "1e300", "2 ** 70", "10 ** 5000", "float('nan')", "float('inf')", "float('-inf')"];
/// What is no number at all.
const OTHER: [&str; 4] = ["True", "'5'", "[1]", "{'a': 1}"];

/// A call of every host function for each number that it takes: name, parameter, and the call with `{}` for the number.
fn calls() -> Vec<(String, String, String)> {
    let stub = repertoire::domain::host_module::signatures();
    stub.flat_map(|signature| {
        let parameters: Vec<_> = signature.parameters().collect();
        let required = parameters.iter().filter(|(name, annotation)| {
            signature.positional.first() == Some(name)
                || (signature.positional.contains(name) && !annotation.contains("None"))
        });
        let required: Vec<(&str, String)> = required
            .map(|(name, annotation)| {
                let value = match *annotation {
                    "str" => "'a/b'",
                    "list[str]" => "['echo']",
                    "str | list[str]" => "'ada@example.org'",
                    _ => "1",
                };
                (*name, format!("{name}={value}"))
            })
            .collect();
        let is_number = |annotation: &str| annotation.split(" | ").any(|kind| matches!(kind, "int" | "float"));
        let numbers: Vec<_> = parameters.iter().filter(|(_, annotation)| is_number(annotation)).copied().collect();
        numbers.into_iter().map(move |(name, _)| {
            let others =
                required.iter().filter(|(other, _)| *other != name).map(|(_, argument)| format!("{argument}, "));
            let call = format!("{}({}{name}={{}})", signature.name, others.collect::<String>());
            (signature.name.to_owned(), name.to_owned(), call)
        })
    })
    .collect()
}

#[test]
fn every_number_of_every_function_is_checked_where_it_enters() {
    let home = Home::with_config("[policy]\ncommands = ['echo']\n");
    let mut client = home.start();
    let calls = calls();
    assert!(calls.len() >= 6, "{calls:?}");
    for (function, parameter, call) in calls {
        let attempt = |values: &[&str]| -> String {
            let tried = values.iter().map(|value| {
                format!(
                    "    try:\n        {}\n        found.append('taken: {}')\n    except (TypeError, ValueError) as \
                     error:\n        found.append(f'{{type(error).__name__}}: {{error}}')\n",
                    call.replace("{}", value),
                    value.replace('\'', "")
                )
            });
            tried.collect()
        };
        let code = format!(
            "from repertoire import {function}\n\n\ndef tried() -> list:\n    found = []\n{}{}    return found\n",
            attempt(&BAD),
            attempt(&OTHER),
        );
        let name = format!("{}-{}", function.replace('_', "-"), parameter.replace('_', "-"));
        let answer = execute_code(&mut client, &name, &code);
        assert_eq!(answer["success"], json!(true), "{call}: {answer}");
        let said: Vec<&str> = answer["result"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(said.len(), BAD.len() + OTHER.len(), "{call}: {said:?}");
        for (said, value) in said.iter().zip(BAD.iter().chain(&OTHER)) {
            // Where a count is wanted, what is written as a fraction is of another kind.
            let is_fraction = value.starts_with("-0.") || *value == "1e300";
            let is_value = BAD.contains(value) && !(parameter == "max_tokens" && is_fraction);
            let kind = if is_value { "ValueError" } else { "TypeError" };
            // No time is a time to wait.
            if parameter == "seconds" && ["0", "-0.0"].contains(value) {
                assert!(said.starts_with("taken"), "{call} with {value}: {said}");
                continue;
            }
            assert!(said.starts_with(&format!("{kind}: {function}(): `{parameter}` ")), "{call} with {value}: {said}");
            assert!(said.len() < 200, "{call}: {said}");
        }
    }
}

#[test]
fn a_number_that_is_refused_is_said_with_its_line_and_its_range() {
    let home = Home::new();
    let mut client = home.start();
    let code = "from repertoire import approve\n\n\ndef late() -> str:\n    return approve(\n        \"Ship it?\", timeout=0)\n";
    let answer = execute_code(&mut client, "late", code);
    assert_eq!((text(&answer, "outcome"), text(&answer, "error_type")), ("failure", "ValueError"), "{answer}");
    let error = text(&answer, "error");
    assert_eq!(
        error,
        "approve(): `timeout` is 0; it is a number of seconds above 0 and at most 3153600000 (100 years)"
    );
    assert!(text(&answer, "traceback").contains("line 5, in late"), "{answer}");
}

#[test]
fn numbers_that_are_refused_do_not_end_what_is_gathered_with_them() {
    let home = Home::new();
    let mut client = home.start();
    let code = r#"
import asyncio
from repertoire import approve, ask


async def one(seconds: float) -> str:
    """Say why it is refused."""
    try:
        return await approve("Ship it?", timeout=seconds)
    except ValueError as error:
        return str(error)


async def gathered() -> list:
    """Ask several at once."""
    return await asyncio.gather(one(0), one(-1), one(1e300))
"#;
    let answer = execute_code(&mut client, "gathered", code);
    assert_eq!(answer["success"], json!(true), "{answer}");
    let said: Vec<&str> = answer["result"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(said.len() == 3 && said.iter().all(|said| said.contains("`timeout` is ")), "{said:?}");
    // The first that fails is what the others are lost for, as in Python.
    let code = "import asyncio\nfrom repertoire import approve, ask\n\n\nasync def together() -> list:\n    return await \
                asyncio.gather(approve(\"a\", timeout=0), ask(\"b\", timeout=-1), approve(\"c\", timeout=1e300))\n";
    let answer = execute_code(&mut client, "together", code);
    assert_eq!(text(&answer, "error_type"), "ValueError", "{answer}");
}

#[test]
fn sleeping_takes_what_python_takes() {
    let home = Home::with_config("[limits]\nseconds = 1\n");
    let mut client = home.start();
    for (name, call, kind) in [
        ("less", "asyncio.sleep(-1)", None),
        ("nan", "asyncio.sleep(float('nan'))", Some("ValueError")),
        ("text", "asyncio.sleep('5')", Some("TypeError")),
        ("forever", "asyncio.sleep(float('inf'))", Some("TimeoutError")),
        ("long", "asyncio.sleep(1e300)", Some("TimeoutError")),
    ] {
        let code = format!("import asyncio\n\n\nasync def nap() -> int:\n    await {call}\n    return 1\n");
        let answer = execute_code(&mut client, &format!("nap-{name}"), &code);
        assert_eq!(answer["error_type"].as_str(), kind, "{call}: {answer}");
    }
}

#[test]
fn seconds_of_a_typed_step_are_checked_when_it_is_remembered() {
    let home = Home::new();
    let mut client = home.start();
    for seconds in [json!(0), json!(-1), json!(1.5), json!("soon"), json!(true), json!(4_000_000_000_u64), json!(1e300)]
    {
        let step = json!({
            "step_id": "ask", "action_type": "create_task", "config": {"title": "x"}, "requires_approval": true,
            "timeout_seconds": seconds,
        });
        let answer = client.call("remember_procedure", json!({"name": "timed", "steps": [step]}));
        assert_eq!(answer["success"], json!(false), "{seconds}: {answer}");
        let error = text(&answer, "error");
        assert!(error.contains("timeout_seconds") && error.contains("a whole number from 1"), "{error}");
    }
}
