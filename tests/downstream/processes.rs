//! The processes of other MCP servers: started once, started again, and ended.

use std::time::Duration;

use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use crate::common::processes::{children_with, is_alive, kill};
use crate::common::{
    Home, RawClient,
    downstream::{Setup, code, raised, result},
    eventually, remember, text, toml_path,
};

#[test]
fn a_server_that_crashes_is_started_again_but_not_hammered() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    let crashed = &["`test/crash`", "exit code 3", "the disk is on fire"];
    raised(&mut client, "first", "call_tool('test/crash')", "RuntimeError", crashed);
    assert_eq!(result(&mut client, "works", "call_tool('test/echo', {'text': 'back'})"), json!("back"));
    assert_eq!(setup.starts().len(), 2);
    raised(&mut client, "second", "call_tool('test/crash')", "RuntimeError", crashed);
    let resting = &["`test` failed 2 times in a row", "next attempt", "the disk is on fire"];
    raised(&mut client, "rests", "call_tool('test/echo', {'text': 'x'})", "RuntimeError", resting);
    assert_eq!(setup.starts().len(), 2, "it has its rest");
    eventually("it is started again", || {
        client.call("execute_procedure", json!({"procedure_id": "works"}))["result"] == json!("back")
    });
    assert_eq!(setup.starts().len(), 3);
}

#[test]
fn only_what_does_no_harm_is_called_again_after_a_crash() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    let marker = setup.home.beside("files").join("marker");
    let call = format!("call_tool('test/crash_once', {{'marker': {:?}}})", marker.to_str().unwrap());
    assert_eq!(result(&mut client, "twice", &call), json!("made it"));
    assert_eq!(setup.starts().len(), 2);
}

#[test]
fn a_server_that_can_not_start_says_why() {
    let Some(setup) = Setup::bare() else { return };
    let mut config = "[policy]\ntools = ['fails', 'missing', 'mute', 'off']\n".to_owned();
    config += &setup.section("fails", &["--fail"], "");
    config += &setup.section("mute", &["--mute"], "start_timeout_seconds = 1");
    config += &setup.section("off", &[], "enabled = false");
    config += "[mcp_servers.missing]\ncommand = 'no-such-program-here'\n";
    setup.home.configure(&config);
    let mut client = setup.home.start();
    let fails = &["`fails` can't be used", "exit code 3", "no licence found", "set LICENCE"];
    raised(&mut client, "fails", "call_tool('fails/x')", "RuntimeError", fails);
    let missing = &["`missing`", "`no-such-program-here` is not installed"];
    raised(&mut client, "missing", "call_tool('missing/x')", "RuntimeError", missing);
    let mute = &["`mute`", "within 1 s", "start_timeout_seconds"];
    raised(&mut client, "mute", "call_tool('mute/x')", "RuntimeError", mute);
    raised(&mut client, "off", "call_tool('off/x')", "RuntimeError", &["`off` is switched off", "enabled"]);
    setup.home.configure(&format!("{config}[mcp_servers.of]\ncommand = 'x'\n").replace("'off']", "'off', 'oof']"));
    raised(&mut client, "wrong", "call_tool('oof/x')", "LookupError", &["no MCP server `oof`", "`off`", "config.toml"]);
}

#[test]
fn servers_end_with_ours_and_so_does_what_they_started() {
    for options in [&["--child"][..], &["--child", "--stubborn"]] {
        let Some(setup) = Setup::new(options, "") else { return };
        let mut client = setup.home.start();
        result(&mut client, "add", "call_tool('test/add', {'a': 1, 'b': 1})");
        let child: u32 = setup.notes("child ")[0].parse().unwrap();
        let server = setup.starts()[0];
        assert!(is_alive(server) && is_alive(child));
        client.close_stdin();
        let status = client.wait_for_exit(Duration::from_secs(5));
        assert!(status.success(), "{status}");
        assert!(!is_alive(server), "{options:?}");
        eventually("its child is gone", || !is_alive(child));
    }
}

#[test]
fn what_a_crashed_server_started_is_ended() {
    let Some(setup) = Setup::new(&["--child"], "") else { return };
    let mut client = setup.home.start();
    raised(&mut client, "crash", "call_tool('test/crash')", "RuntimeError", &["exit code 3"]);
    let child: u32 = setup.notes("child ")[0].parse().unwrap();
    eventually("its child is gone", || !is_alive(child));
}

#[test]
fn servers_end_when_ours_is_killed() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    result(&mut client, "add", "call_tool('test/add', {'a': 1, 'b': 1})");
    remember(&mut client, "waits", &code("waits", "return call_tool('test/slow')"));
    client.send_call("execute_procedure", json!({"procedure_id": "waits"}));
    let server = setup.starts()[0];
    client.kill();
    eventually("the server is gone", || !is_alive(server));
}

#[test]
fn a_server_killed_while_idle_is_started_again() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    assert_eq!(result(&mut client, "add", "call_tool('test/add', {'a': 1, 'b': 1})['sum']"), json!(2));
    kill(setup.starts()[0]);
    eventually("it is gone", || !is_alive(setup.starts()[0]));
    assert_eq!(result(&mut client, "echo", "call_tool('test/echo', {'text': 'x'})"), json!("x"));
    assert_eq!(setup.starts().len(), 2);
}

#[test]
fn first_calls_at_once_start_one_process() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    remember(&mut client, "both", &code("both", "return call_tool('test/pid')[0]"));
    let calls: Vec<i64> =
        (0..4).map(|_| client.send_call("execute_procedure", json!({"procedure_id": "both"}))).collect();
    let results: Vec<Value> = calls.into_iter().map(|call| client.call_answer(call)["result"].clone()).collect();
    assert!(results.iter().all(|result| result == &results[0] && result.is_u64()), "{results:?}");
    assert_eq!(setup.starts().len(), 1);
}

#[test]
fn new_settings_take_effect_while_running() {
    let Some(setup) = Setup::bare() else { return };
    let policy = "[policy]\ntools = ['test', 'other']\n";
    let other = setup.section("other", &[], "");
    setup.home.configure(&format!("{policy}{other}{}", setup.section("test", &[], "env = { A = 'old' }")));
    let mut client = setup.home.start();
    assert_eq!(result(&mut client, "read", "call_tool('test/env')['A']"), json!("old"));
    let kept = result(&mut client, "pid", "call_tool('other/pid')");
    let first = setup.starts()[0];
    setup.home.configure(&format!("{policy}{other}{}", setup.section("test", &[], "env = { A = 'newer' }")));
    let again = client.call("execute_procedure", json!({"procedure_id": "read"}));
    assert_eq!(again["result"], json!("newer"), "{again}");
    #[cfg(target_os = "linux")]
    eventually("the old one is gone", || !is_alive(first));
    let pid = client.call("execute_procedure", json!({"procedure_id": "pid"}));
    assert_eq!(pid["result"], kept, "the other server is kept");
    remember(&mut client, "waits", &code("waits", "return call_tool('test/slow', {'seconds': 1.5})"));
    let waits = client.send_call("execute_procedure", json!({"procedure_id": "waits"}));
    eventually("the call is under way", || setup.notes("call slow").len() == 1);
    setup.home.configure(&format!("{policy}{other}"));
    let gone = client.call("execute_procedure", json!({"procedure_id": "read"}));
    assert!(text(&gone, "error").contains("no MCP server `test` is configured"), "{gone}");
    let waited = client.call_answer(waits);
    assert_eq!(waited["result"], json!("done"), "a call that was under way is answered: {waited}");
    assert_eq!(setup.starts().len(), 3, "{first}");
    #[cfg(target_os = "linux")]
    eventually("the one that is configured no more is gone", || !is_alive(setup.starts()[2]));
}

/// Runs where the variable names the entry script of `@modelcontextprotocol/server-everything`.
#[cfg(target_os = "linux")]
#[test]
fn the_official_test_server_works() {
    let Some(script) = std::env::var_os("REPERTOIRE_EVERYTHING").filter(|script| !script.is_empty()) else {
        eprintln!("skipped: REPERTOIRE_EVERYTHING is not set");
        return;
    };
    let script = std::fs::canonicalize(script).expect("REPERTOIRE_EVERYTHING names a file");
    let home = Home::new();
    let section = format!("[mcp_servers.everything]\ncommand = 'node'\nargs = [{}, 'stdio']\n", toml_path(&script));
    home.configure(&format!("[policy]\ntools = ['everything']\n{section}"));
    let mut client = home.start();
    let server = |client: &RawClient| children_with(client.process_id(), "stdio");
    assert_eq!(result(&mut client, "echo", "call_tool('everything/echo', {'message': 'hi'})"), json!("Echo: hi"));
    let weather = "call_tool('everything/get-structured-content', {'location': 'Chicago'})";
    assert!(result(&mut client, "weather", weather)["temperature"].is_number());
    let image = result(&mut client, "image", "call_tool('everything/get-tiny-image')");
    assert_eq!(image[1]["mime_type"], json!("image/png"), "{image}");
    let long = "call_tool('everything/trigger-long-running-operation', {'duration': 30, 'steps': 3}, timeout=0.5)";
    raised(&mut client, "long", long, "TimeoutError", &["`everything/trigger-long-running-operation`"]);
    raised(
        &mut client,
        "wrong",
        "call_tool('everything/get-sum', {'a': 'x'})",
        "RuntimeError",
        &["`everything/get-sum`"],
    );
    kill(server(&client)[0]);
    eventually("the server is gone", || server(&client).is_empty());
    let sum = "call_tool('everything/get-sum', {'a': 1, 'b': 2})";
    assert_eq!(result(&mut client, "sum", sum), json!("The sum of 1 and 2 is 3."));
    let ours = server(&client)[0];
    assert!(client.close().success());
    assert!(!is_alive(ours));
    let shown = String::from_utf8(home.run(&["tools"]).stdout).unwrap();
    assert!(shown.contains("everything/get-sum(a: float, b: float) -> Any"), "{shown}");
}
