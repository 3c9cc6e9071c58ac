//! Code that takes more than its share: each limit ends that run with a clear error and harms nothing else.

use std::{fs, time::Instant};

use serde_json::json;

use crate::{
    common::{Home, RawClient, execute_code, remember, text, toml_path},
    hostile::{check_fine, start},
};

const SHORT: &str = "[limits]\nseconds = 2\n";

/// Code that must end in this class of error, and its message.
#[track_caller]
fn fails(client: &mut RawClient, name: &str, body: &str, kind: &str) -> String {
    let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
    let answer = execute_code(client, name, &format!("def {name}():\n    \"\"\"Do harm.\"\"\"\n{lines}"));
    assert_eq!(answer["error_code"], json!("run_failed"), "{name}: {answer}");
    assert_eq!(answer["error_type"], json!(kind), "{name}: {answer}");
    check_fine(client);
    text(&answer, "error").to_owned()
}

#[test]
fn an_endless_loop_meets_the_time_limit() {
    let home = Home::with_config(SHORT);
    let mut client = start(&home);
    let error = fails(&mut client, "spin", "while True:\n    pass", "TimeoutError");
    assert!(error.contains("`seconds`"), "{error}");
    let error = fails(&mut client, "power", "return len(str(7 ** (10 ** 8)))", "TimeoutError");
    assert!(error.contains("`seconds`"), "{error}");
}

#[test]
fn ten_gigabytes_meet_the_memory_limit() {
    let home = Home::with_config("[limits]\nseconds = 30\n");
    let mut client = start(&home);
    let error = fails(&mut client, "at_once", "return len([0] * (10 * 1024 ** 3))", "MemoryError");
    assert!(error.contains("memory_mib"), "{error}");
    let growing = "items = []\nwhile True:\n    items.append('x' * 1_000_000 + str(len(items)))";
    fails(&mut client, "bit_by_bit", growing, "MemoryError");
    fails(&mut client, "as_text", "return len('x' * (10 * 1024 ** 3))", "MemoryError");
}

#[test]
fn a_hundred_megabytes_of_print_meet_the_output_limit() {
    let home = Home::with_config("[limits]\nseconds = 30\n");
    let mut client = start(&home);
    let error = fails(&mut client, "lines", "for _ in range(100):\n    print('x' * 1_000_000)", "OutputLimit");
    assert!(error.contains("`output_kib`"), "{error}");
    fails(&mut client, "one_line", "print('x' * 100_000_000)", "OutputLimit");
    let logged = "from repertoire import log\nfor _ in range(100):\n    log('x' * 1_000_000)";
    fails(&mut client, "logged", logged, "OutputLimit");
}

#[test]
fn results_that_are_huge_or_deep_as_json_are_refused() {
    let home = Home::with_config("[limits]\nseconds = 20\n");
    let mut client = start(&home);
    let shared = "value = ['0123456789']\nfor _ in range(40):\n    value = [value, value]\nreturn value";
    let error = fails(&mut client, "shared", shared, "ResultLimit");
    assert!(error.contains("`result_kib`"), "{error}");
    let deep = "value = []\nfor _ in range(500):\n    value = [value]\nreturn value";
    let error = fails(&mut client, "deep", deep, "ResultLimit");
    assert!(error.contains("nested more than 100 levels deep") && !error.contains("result_kib"), "{error}");
    let circle = "value = []\nvalue.append(value)\nreturn value";
    let answer =
        execute_code(&mut client, "circle", &format!("def circle():\n    {}\n", circle.replace('\n', "\n    ")));
    assert!(answer["success"] == json!(true) || answer["error_code"] == json!("run_failed"), "{answer}");
    let nested =
        "def nested():\n    value = 1\n    for _ in range(90):\n        value = {'in': value}\n    return value\n";
    let answer = execute_code(&mut client, "nested", nested);
    assert_eq!(answer["success"], json!(true), "{answer}");
    check_fine(&mut client);
}

#[test]
fn an_exception_with_a_huge_message_is_cut() {
    let home = Home::new();
    let mut client = start(&home);
    let error = fails(&mut client, "shout", "raise ValueError('x' * 10_000_000)", "ValueError");
    assert!(error.len() < 20_000, "{} bytes", error.len());
}

#[test]
fn a_procedure_that_calls_itself_meets_the_depth_limit() {
    let home = Home::with_config("[limits]\nseconds = 20\n");
    let mut client = start(&home);
    let again = "from repertoire import call_procedure\nreturn call_procedure('again')";
    let error = fails(&mut client, "again", again, "RecursionError");
    assert!(error.contains("`depth`"), "{error}");
    let plain = "def inner(n: int) -> int:\n    return inner(n + 1)\nreturn inner(0)";
    fails(&mut client, "recursion", plain, "RecursionError");
}

#[test]
fn procedures_that_multiply_share_one_budget() {
    let home = Home::with_config("[limits]\nseconds = 20\nhost_calls = 50\n");
    let mut client = start(&home);
    let fan = r"from repertoire import call_procedure
for _ in range(10):
    try:
        call_procedure('fan')
    except Exception:
        pass";
    let error = fails(&mut client, "fan", fan, "HostCallLimit");
    assert!(error.contains("`host_calls`") && error.contains("50"), "{error}");
    let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert!((2..=51).contains(&count("SELECT count(*) FROM runs WHERE procedure_id = 2")));
    assert_eq!(count("SELECT count(*) FROM runs WHERE status = 'running'"), 0, "no run of the tree is left open");
}

#[test]
fn a_called_procedure_has_no_more_time_than_its_caller() {
    let home = Home::with_config(SHORT);
    let mut client = start(&home);
    remember(&mut client, "slow", "import time\n\ndef slow():\n    time.sleep(0.7)\n");
    let started = Instant::now();
    let body = "from repertoire import call_procedure\nfor _ in range(20):\n    call_procedure('slow')";
    fails(&mut client, "patient", body, "TimeoutError");
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn operations_on_files_are_limited() {
    let home = Home::new();
    let folder = home.beside("files");
    fs::write(folder.join("file"), "x").unwrap();
    let path = toml_path(&folder);
    home.configure(&format!("[policy]\nread = [{path}]\n[limits]\nfile_calls = 20\nhost_calls = 10\n"));
    let mut client = start(&home);
    let body = format!("from pathlib import Path\nfor _ in range(1000):\n    Path({path}).exists()");
    let answer = execute_code(&mut client, "busy", &format!("def busy():\n    {}\n", body.replace('\n', "\n    ")));
    assert_eq!(answer["error_code"], json!("run_failed"), "{answer}");
    assert!(text(&answer, "error").contains("file_calls"), "{answer}");
    check_fine(&mut client);
}
