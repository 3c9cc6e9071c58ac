//! The language and its library, and every kind of host function.

use serde_json::json;

use super::{execute, has_python, home, remember, result};
use crate::common::{remember as remember_sandboxed, text};

#[test]
fn what_the_sandbox_lacks_works() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code = r#"
import enum
import heapq
import os
import statistics
import string


class Colour(enum.Enum):
    RED = 1


class Shape:
    def __init__(self, side):
        self.side = side

    @property
    def area(self):
        return 0


class Square(Shape):
    @property
    def area(self):
        return super().area + self.side ** 2


def numbers(count):
    for number in range(count):
        yield number * number


def show(count: int = 4) -> dict:
    """Use what Monty has not."""
    found = {"a": 1, "b": 2}
    del found["a"]
    return {
        "squares": list(numbers(count)),
        "area": Square(3).area,
        "colour": Colour.RED.name,
        "left": found,
        "smallest": heapq.nsmallest(2, [5, 1, 4]),
        "mean": statistics.mean([1, 2, 3]),
        "digits": string.digits,
        "separator": os.sep,
    }
"#;
    let expected = json!({
        "squares": [0, 1, 4, 9], "area": 9, "colour": "RED", "left": {"b": 2}, "smallest": [1, 4], "mean": 2,
        "digits": "0123456789", "separator": std::path::MAIN_SEPARATOR_STR,
    });
    assert_eq!(result(&mut client, "show", code), expected);
    let shown = client.ok("get_procedure", json!({"procedure_id": "show"}));
    assert_eq!(shown["definition"]["runtime"], json!("python"), "{shown}");
}

#[test]
fn a_script_finds_its_parameters_and_its_last_expression_is_the_result() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code =
        "import sys\nif __name__ == \"__main__\":\n    print(\"as a script\", file=sys.stderr)\nparameters['n'] * 2\n";
    remember(&mut client, "doubled", code);
    let answer = client.ok("execute_procedure", json!({"procedure_id": "doubled", "parameters": {"n": 21}}));
    assert_eq!((&answer["result"], text(&answer, "output")), (&json!(42), "as a script\n"));
    let left = "import sys\nprint('done')\nsys.exit()\n";
    let answer = execute(&mut client, "left", left);
    assert_eq!((&answer["outcome"], &answer["output"]), (&json!("success"), &json!("done\n")), "{answer}");
}

#[test]
fn every_kind_of_host_function_answers() {
    if !has_python() {
        return;
    }
    let home = home("[policy]\ncommands = ['git --version']\n");
    let mut client = home.start();
    remember_sandboxed(&mut client, "twice", "def twice(n: int) -> int:\n    return 2 * n\n");
    let code = r#"
import repertoire
from repertoire import CommandResult, call_procedure, checkpoint, create_task, log, notify, run_command, sleep


def use() -> dict:
    """Call what there is."""
    said = run_command(["git", "--version"])
    log("a line")
    checkpoint({"so": "far"})
    try:
        run_command(["git", "push"])
    except PermissionError as error:
        refused = str(error)
    try:
        run_command("git status")
    except TypeError as error:
        wrong = str(error)
    sleep(0.01)
    return {
        "is_result": isinstance(said, CommandResult),
        "said": said.stdout.split()[0],
        "twice": call_procedure("twice", {"n": 4}),
        "task": create_task("Look")["title"],
        "note": notify("Seen")["message"],
        "refused": "`git push` is not granted" in refused,
        "wrong": bool(wrong),
        "documented": "Run a program without a shell" in repertoire.run_command.__doc__,
    }
"#;
    let answer = execute(&mut client, "use", code);
    let expected = json!({
        "is_result": true, "said": "git", "twice": 8, "task": "Look", "note": "Seen", "refused": true, "wrong": true,
        "documented": true,
    });
    assert_eq!((&answer["result"], text(&answer, "output")), (&expected, "a line\n"), "{answer}");
}

#[test]
fn a_call_goes_from_the_sandbox_to_python_and_back() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    remember_sandboxed(
        &mut client,
        "inner",
        "def inner(n: int) -> int:\n    if n > 3:\n        raise KeyError('n')\n    return n\n",
    );
    remember(
        &mut client,
        "middle",
        "from repertoire import call_procedure\n\n\ndef middle(n: int) -> list:\n    class Own(dict):\n        pass\n    try:\n        return [call_procedure('inner', {'n': n}), 'middle']\n    except Exception as error:\n        return [type(error).__name__, str(error)]\n",
    );
    let outer = "from repertoire import call_procedure\n\n\ndef outer(n: int) -> list:\n    return call_procedure('middle', {'n': n}) + ['outer']\n";
    remember_sandboxed(&mut client, "outer", outer);
    for (n, expected) in [(1, json!([1, "middle", "outer"])), (9, json!(["KeyError", "'n'", "outer"]))] {
        let answer = client.call("execute_procedure", json!({"procedure_id": "outer", "parameters": {"n": n}}));
        assert_eq!(answer["result"], expected, "{answer}");
    }
}

#[test]
fn gathered_calls_are_under_way_at_once() {
    if !has_python() {
        return;
    }
    let home = home("");
    let work = home.beside("work");
    let policy = format!("[policy]\ncommands = ['sh']\nwrite = [{}]\n", crate::common::toml_path(&work));
    home.configure(&format!("[python]\nenabled = true\n{policy}"));
    let mut client = home.start();
    // None ends before all have begun.
    let code = r#"
import asyncio
from repertoire import run_command


async def meet(folder: str, name: str) -> str:
    script = "echo begin >> order; while [ $(grep -c begin order) -lt 3 ]; do sleep 0.02; done"
    done = await run_command(["sh", "-c", script], cwd=folder)
    return f"{name} {done.exit_code}"


async def meeting(folder: str) -> list:
    """Wait for one another."""
    async with asyncio.timeout(60):
        own = await asyncio.gather(*[meet(folder, name) for name in "ab"], run_command(["sh", "-c", "echo begin >> order"], cwd=folder))
    await asyncio.sleep(0.01)
    return own[:2] + [own[2].exit_code]
"#;
    remember(&mut client, "meeting", code);
    let answer = client.call("execute_procedure", json!({"procedure_id": "meeting", "parameters": {"folder": work}}));
    assert_eq!(answer["result"], json!(["a 0", "b 0", 0]), "{answer}");
}

#[test]
fn an_awaited_call_that_takes_too_long_is_given_up() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code = r#"
import asyncio
from repertoire import sleep


async def patience() -> str:
    """Wait no longer than that."""
    try:
        await asyncio.wait_for(sleep(3600), 0.05)
    except TimeoutError:
        return "given up"
    return "slept"
"#;
    assert_eq!(result(&mut client, "patience", code), json!("given up"));
}

#[test]
fn nothing_goes_from_one_run_to_the_next() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    let code = "import sys\n\n\ndef seen() -> int:\n    sys.runs = getattr(sys, 'runs', 0) + 1\n    return sys.runs\n";
    for _ in 0..3 {
        remember_once(&mut client, code);
        let answer = client.call("execute_procedure", json!({"procedure_id": "seen"}));
        assert_eq!(answer["result"], json!(1), "{answer}");
    }
}

fn remember_once(client: &mut crate::common::RawClient, code: &str) {
    if client.call("get_procedure", json!({"procedure_id": "seen"}))["success"] == json!(false) {
        remember(client, "seen", code);
    }
}
