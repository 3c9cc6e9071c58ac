//! What is written down at each host call: what is new.
#![cfg(target_os = "linux")]

use std::fs;

use serde_json::json;

use super::{has_python, home, remember};
use crate::common::RawClient;

/// What a server wrote so far, to files and pipes.
fn written(client: &RawClient) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/io", client.process_id())).unwrap();
    text.lines().find_map(|line| line.strip_prefix("wchar:")).unwrap().trim().parse().unwrap()
}

#[test]
fn what_calls_write_grows_with_their_number_and_not_with_its_square() {
    if !has_python() {
        return;
    }
    let home = home("");
    let mut client = home.start();
    client.ok(
        "remember_procedure",
        json!({"name": "letters", "steps": ["Make them"], "code": "def letters() -> str:\n    return 'x' * 10_000\n"}),
    );
    let code = "from repertoire import call_procedure\n\n\ndef ask(calls: int) -> int:\n    return sum(len(call_procedure('letters', {})) for _ in range(calls))\n";
    remember(&mut client, "ask", code);
    let mut taken = Vec::new();
    for calls in [1, 25, 200] {
        let before = written(&client);
        let parameters = json!({"procedure_id": "ask", "parameters": {"calls": calls}});
        assert_eq!(client.ok("execute_procedure", parameters)["result"], json!(calls * 10_000));
        taken.push(written(&client) - before);
    }
    eprintln!("written for 1, 25 and 200 calls: {taken:?} bytes");
    // Eight times as many calls; sixty-four times as much would be the square.
    assert!(taken[2] < taken[1] * 12, "{taken:?}");
}
