//! Python that the interpreter lacks and that code may use nevertheless: through the real program.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, execute_code, text};

#[track_caller]
fn result(client: &mut RawClient, name: &str, code: &str) -> Value {
    let answer = execute_code(client, name, code);
    assert_eq!(answer["success"], json!(true), "{answer}");
    answer["result"].clone()
}

#[test]
fn modules_are_imported_in_every_way() {
    let home = Home::new();
    let mut client = home.start();
    let code = "import collections.abc\nimport functools, json, heapq as queue_of\nimport string\nfrom collections import abc, deque\n\
                from functools import (\n    reduce,\n    wraps,\n)\nfrom operator import itemgetter as by\nfrom typing import List, cast\n\
                \nNumbers = List[int]\n\n\ndef twice(f):\n    @wraps(f)\n    def again(*args: int) -> int:\n        \
                return f(*args) * 2\n    return again\n\n\n@twice\ndef add(a: int, b: int) -> int:\n    return a + b\n\n\n\
                def ways(words: collections.abc.Sequence[str]) -> list:\n    import statistics\n    from textwrap import shorten\n    \
                max = 3  # hides a builtin that modules use\n    heap = [3, 1, 2]\n    queue_of.heapify(heap)\n    \
                pairs = sorted([(1, 'b'), (2, 'a')], key=by(1))\n    kinds = [isinstance(words, abc.Sequence), \
                isinstance(words, (str, collections.abc.Mapping)), isinstance(add, abc.Callable), callable(3)]\n    \
                return [heap, pairs, kinds, add(1, 2), string.capwords(' '.join(words)), statistics.median([5, 1, max]), \
                shorten('some words too many', 12), cast(int, reduce(lambda a, b: a + b, [1, 2])), functools.partial(add, 1)(1), \
                json.dumps(list(deque([1])))]\n";
    client.ok("remember_procedure", json!({"name": "ways", "steps": ["x"], "code": code}));
    let answer = client.call("execute_procedure", json!({"procedure_id": "ways", "parameters": {"words": ["a", "b"]}}));
    let wanted =
        json!([[1, 3, 2], [[2, "a"], [1, "b"]], [true, false, true, false], 6, "A B", 3, "some [...]", 3, 4, "[1]"]);
    assert_eq!(answer["result"], wanted, "{answer}");
}

#[test]
fn del_takes_away_what_it_names() {
    let home = Home::new();
    let mut client = home.start();
    let code = "COUNT = 1\n\n\ndef gone() -> list:\n    global COUNT\n    items = {'a': 1, 'b': [1, 2, 3, 4]}\n    \
                del items['a'], items['b'][0]\n    del items['b'][::2]\n    seen = []\n    for n in range(2):\n        \
                value = n\n        del value\n        try:\n            seen.append(value)\n        \
                except UnboundLocalError as error:\n            seen.append(type(error).__name__)\n    del COUNT\n    \
                try:\n        COUNT\n    except NameError as error:\n        seen.append(type(error).__name__)\n    \
                try:\n        del items['missing']\n    except KeyError as error:\n        seen.append(str(error))\n    \
                return [items, seen]\n";
    let wanted = json!([{"b": [3]}, ["UnboundLocalError", "UnboundLocalError", "NameError", "'missing'"]]);
    assert_eq!(result(&mut client, "gone", code), wanted);
}

#[test]
fn whoever_wrote_the_code_sees_their_own_lines() {
    let home = Home::new();
    let mut client = home.start();
    let code = "import heapq\n\n\ndef lines() -> int:\n    first = 1\n    del first\n    second = {}\n    del second['x']  # here\n    \
                return 1\n";
    let answer = execute_code(&mut client, "lines", code);
    assert_eq!(answer["error_type"], json!("KeyError"), "{answer}");
    let traceback = text(&answer, "traceback");
    assert!(traceback.contains("line 8, in lines\n    del second['x']  # here\n"), "{traceback}");
    assert!(!traceback.contains("_repertoire"), "{traceback}");
    let code = "import queue\n\n\ndef empty() -> int:\n    return queue.Queue().get_nowait()\n";
    let answer = execute_code(&mut client, "empty", code);
    assert_eq!(answer["error_type"], json!("queue.Empty"), "{answer}");
    assert!(
        text(&answer, "traceback").contains("line 5, in empty\n    return queue.Queue().get_nowait()\n"),
        "{answer}"
    );
}

#[test]
fn a_pause_and_another_server_keep_modules_and_steps() {
    let home = Home::new();
    let mut client = home.start();
    let code = "import heapq\nfrom statistics import mean\nfrom repertoire import approve, log\n\n\ndef pauses() -> list:\n    \
                heap = [2, 1]\n    spare = 1\n    del spare\n    # Step 1: ask\n    approve('go on?')\n    # Step 2: go on\n    \
                log('going')\n    heapq.heapify(heap)\n    return [heap, mean([1, 2])]\n";
    client.ok("remember_procedure", json!({"name": "pauses", "steps": ["ask", "go on"], "code": code}));
    let paused = client.call("execute_procedure", json!({"procedure_id": "pauses"}));
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    let run = client.ok("get_run", json!({"run_id": paused["run_id"]}));
    assert_eq!(run["current_step"], json!(1), "{run}");
    client.kill();
    let mut client = home.start();
    let answer = client.call("resume_run", json!({"run_id": paused["run_id"], "decision": "approve"}));
    assert_eq!(answer["result"], json!([[1, 2], 1.5]), "{answer}");
}

#[test]
fn what_is_missing_is_named_with_what_to_use_instead() {
    let home = Home::new();
    let mut client = home.start();
    for (code, word) in [
        ("from contextlib import contextmanager\n", "`__enter__`"),
        ("import operator\nf = operator.methodcaller('upper')\n", "`lambda`"),
        ("from fractions import Fraction\n", "`decimal`"),
        ("def f(x):\n    del x.y\n", "line of their own"),
        ("import heapq\nheapq.heappush(5, 1)\n", "heappush"),
        ("import statistics\nstatistics.mode()\n", "missing-argument"),
    ] {
        let answer = client.ok("validate_procedure_code", json!({"code": code}));
        let issues: Vec<&Value> =
            answer["issues"].as_array().unwrap().iter().filter(|issue| issue["severity"] != json!("info")).collect();
        assert!(issues.iter().any(|issue| text(issue, "message").contains(word)), "{code}: {answer}");
    }
    let fine = "import heapq\nfrom collections.abc import Mapping\nfrom functools import wraps\nfrom string import digits\n\n\n\
                def fine(table: Mapping[str, int]) -> list[int]:\n    \"\"\"Sorts.\"\"\"\n    heap = [len(digits), *table.values()]\n    \
                heapq.heapify(heap)\n    del heap[0]\n    return heap\n";
    let answer = client.ok("validate_procedure_code", json!({"code": fine}));
    let wrong: Vec<&Value> =
        answer["issues"].as_array().unwrap().iter().filter(|issue| issue["severity"] == json!("error")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
