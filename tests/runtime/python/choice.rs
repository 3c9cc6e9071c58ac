//! Which runtime code is for: what the sandbox lacks makes it `python`, where the user allows that.

use serde_json::{Value, json};

use super::{has_python, home, result};
use crate::common::{Home, RawClient, text};

const INHERITS: &str = "class Own(dict):\n    pass\n\n\ndef tidy() -> int:\n    \"\"\"Count.\n\n    Returns:\n        One.\n    \"\"\"\n    return len(Own(a=1))\n";

/// What the definition says of the runtime: nothing where it is the sandbox.
fn runtime(client: &mut RawClient, name: &str) -> Value {
    client.ok("get_procedure", json!({"procedure_id": name}))["definition"]["runtime"].clone()
}

#[test]
fn code_that_the_sandbox_can_not_execute_becomes_python_by_itself() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let answer = client.ok("remember_procedure", json!({"name": "tidy", "steps": ["Do it"], "code": INHERITS}));
    assert!(
        text(&answer, "next").contains("a `python` procedure") && text(&answer, "next").contains("line 1"),
        "{answer}"
    );
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "tidy"}))["result"], json!(1));
    // What the sandbox can do stays there.
    client.ok("remember_procedure", json!({"name": "plain", "steps": ["Do it"]}));
    let made =
        client.ok("generate_procedure_code", json!({"procedure_id": "plain", "code": "def plain():\n    return 1\n"}));
    assert_eq!(runtime(&mut client, "plain"), json!(null), "{made}");
    let code = "import subprocess\n\n\ndef plain():\n    return subprocess.run(['git', 'status']).returncode\n";
    let made = client.ok("generate_procedure_code", json!({"procedure_id": "plain", "code": code}));
    assert_eq!(runtime(&mut client, "plain"), json!("python"), "{made}");
    assert_eq!(made["validation"]["permissions_needed"]["commands"], json!(["git status"]), "{made}");
    assert!(made["issues"].to_string().contains("a `python` procedure"), "{made}");
    // The choice is a part of the version.
    client.ok("rollback_procedure_code", json!({"procedure_id": "plain", "target_version": 2}));
    assert_eq!(runtime(&mut client, "plain"), json!(null));
}

#[test]
fn where_python_is_not_allowed_the_answer_says_what_would_allow_it() {
    let home = Home::with_config("");
    let mut client = home.start();
    let answer = client.ok("remember_procedure", json!({"name": "tidy", "steps": ["Do it"], "code": INHERITS}));
    assert!(text(&answer, "next").contains("`enabled = true` under [python]"), "{answer}");
    let checked = client.ok("validate_procedure_code", json!({"code": INHERITS}));
    assert!(checked["issues"].to_string().contains("`enabled = true` under [python]"), "{checked}");
    let code = "import socket\n\n\ndef tidy():\n    return socket.gethostname()\n";
    let refused = client.call("remember_procedure", json!({"name": "other", "steps": ["Do it"], "code": code}));
    assert_eq!(refused["error_code"], json!("code_rejected"), "{refused}");
    assert!(refused.to_string().contains("`enabled = true` under [python]"), "{refused}");
    // What was asked for is kept, and not executed.
    client
        .ok("remember_procedure", json!({"name": "asked", "steps": ["Do it"], "code": INHERITS, "runtime": "python"}));
    let message = client.refused("execute_procedure", json!({"procedure_id": "asked"}), "permission_denied");
    assert!(message.contains("`enabled = true` under [python]"), "{message}");
}

#[test]
fn python_is_judged_without_what_the_sandbox_lacks() {
    let home = home("");
    let mut client = home.start();
    let code = r#"
import os
import requests
import socket


class Base:
    def __init__(self, names):
        self.__dict__.update(names)


class Own(Base):
    @classmethod
    def of(cls, **names):
        return cls(names)


def tidy() -> list:
    """List names.

    Returns:
        The names.
    """
    os.system("true")
    requests.get("https://api.example.org/x")
    return [name for name in vars(Own.of(a=1))]
"#;
    let checked = client.ok("validate_procedure_code", json!({"code": code}));
    assert_eq!(checked["checks"]["security"], json!(true), "{checked}");
    assert_eq!(checked["permissions_needed"]["commands"], json!(["*"]), "{checked}");
    assert_eq!(checked["permissions_needed"]["network"], json!(["api.example.org"]), "{checked}");
    let told = checked["issues"].to_string();
    assert!(told.contains("no module `requests`; name the package that has it in `dependencies`"), "{told}");
    for rule in ["RPT101", "RPT104", "RPT21", "RPT22"] {
        assert!(!told.contains(rule) || rule == "RPT21" && told.matches("RPT21").count() == 1, "{rule}: {told}");
    }
}

#[test]
fn text_that_is_run_as_code_is_warned_of_there() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code = "def worth(sum: str) -> int:\n    return eval(sum, {'__builtins__': {}})\n";
    let remembered = client.ok("remember_procedure", json!({"name": "worth", "steps": ["Do it"], "code": code}));
    assert!(remembered["next"].to_string().contains("line 2: The builtin `eval` is forbidden"), "{remembered}");
    assert_eq!(runtime(&mut client, "worth"), json!("python"));
    let checked = client.ok("validate_procedure_code", json!({"procedure_id": "worth", "code": code}));
    let warned = checked["issues"].as_array().unwrap().iter().find(|issue| issue["code"] == json!("RPT103")).unwrap();
    assert_eq!(warned["severity"], json!("warning"), "{checked}");
    let ran = client.ok("execute_procedure", json!({"procedure_id": "worth", "parameters": {"sum": "2 + 3 * 4"}}));
    assert_eq!(ran["result"], json!(14), "{ran}");
    // Without Python it stays a mistake.
    let home = Home::with_config("");
    let mut client = home.start();
    let refused = client.call("remember_procedure", json!({"name": "worth", "steps": ["Do it"], "code": code}));
    assert_eq!(refused["error_code"], json!("code_rejected"), "{refused}");
}

#[test]
fn what_the_sandbox_does_otherwise_without_a_word_is_for_python() {
    if !has_python() {
        return;
    }
    let basket = "class Basket:\n    def __init__(self, fruit):\n        self.fruit = fruit\n\n    def __bool__(self):\n        \
                  return bool(self.fruit)\n\n\ndef is_full(fruit: list) -> bool:\n    return bool(Basket(fruit))\n";
    let sums = "def sums(numbers: list) -> list:\n    for at, number in enumerate(numbers):\n        \
                if at + 1 < len(numbers):\n            numbers[at + 1] += number\n    return numbers\n";
    let below = "def below(numbers: list, most: int) -> list:\n    known = set(numbers)\n    found = []\n    \
                 for number in known:\n        if number > most:\n            break\n        found.append(number)\n    \
                 return found\n";
    let cases = [
        (
            "is_full",
            basket,
            json!({"fruit": []}),
            json!(false),
            "line 5: The interpreter never calls `Basket.__bool__`",
        ),
        (
            "sums",
            sums,
            json!({"numbers": [1, 1, 1]}),
            json!([1, 2, 3]),
            "line 4: The interpreter runs `enumerate` to its end",
        ),
        (
            "below",
            below,
            json!({"numbers": [7, 2, 1], "most": 5}),
            json!([1, 2]),
            "line 4: The interpreter keeps a set in the order",
        ),
    ];
    let home = home("");
    let mut client = home.start();
    for (name, code, given, wanted, why) in &cases {
        let remembered = client.ok("remember_procedure", json!({"name": name, "steps": ["Look"], "code": code}));
        assert!(remembered["next"].to_string().contains(why), "{remembered}");
        let ran = client.ok("execute_procedure", json!({"procedure_id": name, "parameters": given}));
        assert_eq!(&ran["result"], wanted, "{ran}");
    }
    // Where Python is not allowed, it is stored as it is, with the warning, and does what the warning says.
    let home = Home::with_config("");
    let mut client = home.start();
    for (name, code, given, other, _) in &cases {
        let remembered = client.ok("remember_procedure", json!({"name": name, "steps": ["Look"], "code": code}));
        assert_eq!(remembered["next"], json!(null), "{remembered}");
        assert_eq!(runtime(&mut client, name), json!(null));
        let ran = client.ok("execute_procedure", json!({"procedure_id": name, "parameters": given}));
        assert_ne!(&ran["result"], other, "the interpreter does as CPython does; the rule can go: {ran}");
    }
}

#[test]
fn what_a_program_would_do_is_left_alone_where_a_function_is_called() {
    let code = "def double(n: int) -> int:\n    return n * 2\n\n\nif __name__ == \"__main__\":\n    import doctest\n    import subprocess\n    \
                subprocess.run([\"true\"])\n    __import__(\"timeit\")\n    print(double(int(input())), doctest.testmod())\n";
    let home = Home::with_config("");
    let mut client = home.start();
    let remembered = client.ok("remember_procedure", json!({"name": "double", "steps": ["Do it"], "code": code}));
    assert_eq!(remembered["next"], json!(null), "{remembered}");
    let ran = client.ok("execute_procedure", json!({"procedure_id": "double", "parameters": {"n": 4}}));
    assert_eq!((&ran["result"], &ran["output"]), (&json!(8), &json!(null)), "{ran}");
    // A script is a program.
    let script = "if __name__ == \"__main__\":\n    print(\"hello\")\n";
    client.ok("remember_procedure", json!({"name": "greet", "steps": ["Do it"], "code": script}));
    let ran = client.ok("execute_procedure", json!({"procedure_id": "greet"}));
    assert_eq!(ran["output"], json!("hello\n"), "{ran}");
}

#[test]
fn types_are_checked_there_too() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code = "from repertoire import sleep\n\n\nclass Own(dict):\n    pass\n\n\ndef tidy() -> int:\n    return sleep(\"long\")\n";
    let checked = client.ok("validate_procedure_code", json!({"code": code}));
    assert_eq!(checked["checks"]["types"], json!(false), "{checked}");
    assert_eq!(checked["checks"]["runnable"], json!(true), "{checked}");
    assert_eq!(
        result(&mut client, "fine", "import string\n\n\ndef fine() -> str:\n    return string.digits\n"),
        json!("0123456789")
    );
}
