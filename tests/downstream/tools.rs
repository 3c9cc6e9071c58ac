//! Tools of other MCP servers, called from procedures: what a call gives, and what it raises.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{
    Home, Protocol, RawClient,
    downstream::{Setup, code, raised, result, run},
    eventually, remember, text,
};

#[test]
fn a_procedure_calls_tools_and_gets_values() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    assert!(setup.starts().is_empty(), "nothing is started before it is called");
    for (name, call, expected) in [
        ("echo", "call_tool('test/echo', {'text': 'größer\\n'})", json!("größer\n")),
        ("parsed", "call_tool('test/echo', {'text': '{\"a\": [1]}'})['a']", json!([1])),
        ("add", "call_tool('test/add', {'a': 2, 'b': 3})", json!({"sum": 5})),
        (
            "parts",
            "call_tool('test/parts')",
            json!(["one", {"two": 2}, {"type": "image", "mime_type": "image/png", "data": "AAAA"}]),
        ),
        ("named", "call_tool(tool='test/add', arguments={'a': 2, 'b': 3}, timeout=30)['sum']", json!(5)),
        ("deep", "len(str(call_tool('test/echo', {'text': '[' * 110 + ']' * 110})))", json!(220)),
        ("large", "len(call_tool('test/big', {'bytes': 5000000}))", json!(5_000_000)),
    ] {
        assert_eq!(result(&mut client, name, call), expected, "{call}");
    }
    assert_eq!(setup.starts().len(), 1, "it is kept");
    let run = client.ok("list_runs", json!({"limit": 1}))["runs"][0]["run_id"].clone();
    let calls = client.ok("get_run", json!({"run_id": run}))["calls"].clone();
    assert_eq!(calls[0]["function"], json!("call_tool"), "{calls}");
}

#[test]
fn failures_name_the_server_and_the_tool() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    let failed = &["`test/fail` failed: out of paper"];
    raised(&mut client, "fails", "call_tool('test/fail', {'text': 'out of paper'})", "RuntimeError", failed);
    let refused = &["`test/refuse`", "is not for me"];
    raised(&mut client, "refused", "call_tool('test/refuse')", "RuntimeError", refused);
    let unknown = &["`test` has no tool `ecko`", "closest name is `echo`"];
    raised(&mut client, "unknown", "call_tool('test/ecko')", "LookupError", unknown);
    let shape = &["`echo` names no tool", "server/tool"];
    raised(&mut client, "shape", "call_tool('echo')", "ValueError", shape);
    raised(&mut client, "timeout", "call_tool('test/echo', timeout=0)", "ValueError", &["above 0"]);
    raised(&mut client, "kind", "call_tool('test/echo', ['text'])", "TypeError", &["call_tool()"]);
    let large = &["`test/big`", "at most 8 MiB"];
    raised(&mut client, "too_large", "call_tool('test/big', {'bytes': 9000000})", "RuntimeError", large);
    let answer = run(
        &mut client,
        "caught",
        "try:\n    call_tool('test/fail', {'text': 'x'})\nexcept RuntimeError as error:\n    return str(error)",
    );
    assert_eq!(answer["result"], json!("`test/fail` failed: x"), "{answer}");
    assert_eq!(setup.starts().len(), 1, "none of this ends the server");
}

#[test]
fn tools_need_a_grant_on_both_sides() {
    let Some(setup) = Setup::bare() else { return };
    let sections = setup.section("one", &[], "") + &setup.section("two", &[], "");
    setup.home.configure(&sections);
    let mut client = setup.home.start();
    let missing = &["the tool `one/add` is not granted", "`tools`", "[policy]", "config.toml"];
    raised(&mut client, "nothing", "call_tool('one/add')", "PermissionError", missing);
    assert!(setup.starts().is_empty(), "what is not granted is not started");
    setup.home.configure(&format!("[policy]\ntools = ['one', 'two/add']\n{sections}"));
    let numbers = "{'a': 1, 'b': 2}";
    assert_eq!(result(&mut client, "all", &format!("call_tool('one/add', {numbers})['sum']")), json!(3));
    assert_eq!(result(&mut client, "single", &format!("call_tool('two/add', {numbers})['sum']")), json!(3));
    raised(&mut client, "other", "call_tool('two/echo', {'text': ''})", "PermissionError", &["`two/echo`"]);
    raised(&mut client, "longer", "call_tool('two/add2')", "PermissionError", &["`two/add2`"]);
    let definition = json!({"name": "narrow", "steps": ["x"], "permissions": {"tools": ["one/echo"]},
        "code": code("narrow", "return call_tool('one/add')")});
    client.ok("remember_procedure", definition);
    let answer = client.call("execute_procedure", json!({"procedure_id": "narrow"}));
    assert_eq!(answer["error_type"], json!("PermissionError"), "{answer}");
    assert!(text(&answer, "error").contains("own `permissions`"), "{answer}");
    let checked = client.ok("validate_procedure_code", json!({"code": code("check", "return call_tool('two/echo')")}));
    assert_eq!(checked["permissions_needed"]["tools"], json!(["two/echo"]), "{checked}");
}

#[test]
fn a_call_that_takes_too_long_is_stopped_and_the_server_told() {
    let Some(setup) = Setup::new(&[], "timeout_seconds = 1") else { return };
    let mut client = setup.home.start();
    let started = Instant::now();
    let short = &["`test/slow` was stopped after 0."];
    raised(&mut client, "short", "call_tool('test/slow', timeout=0.2)", "TimeoutError", short);
    let setting = &["`test/slow`", "`timeout_seconds` under [mcp_servers.test]"];
    raised(&mut client, "setting", "call_tool('test/slow')", "TimeoutError", setting);
    assert!(started.elapsed() < Duration::from_secs(30));
    eventually("the server knows", || setup.notes("notifications/cancelled").len() == 2);
    assert_eq!(result(&mut client, "after", "call_tool('test/add', {'a': 1, 'b': 1})['sum']"), json!(2));
    assert_eq!(setup.starts().len(), 1);
}

#[test]
fn cancelling_a_run_cancels_the_call() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    result(&mut client, "first", "call_tool('test/add', {'a': 1, 'b': 1})");
    remember(&mut client, "waits", &code("waits", "return call_tool('test/slow')"));
    let id = client.send_call("execute_procedure", json!({"procedure_id": "waits"}));
    eventually("the call is under way", || setup.notes("call slow").len() == 1);
    let runs = client.ok("list_runs", json!({"status": "running"}));
    client.ok("cancel_run", json!({"run_id": runs["runs"][0]["run_id"]}));
    assert_eq!(client.call_answer(id)["error_code"], json!("run_cancelled"));
    eventually("the server knows", || setup.notes("notifications/cancelled").len() == 1);
}

#[cfg(target_os = "linux")]
#[cfg(target_os = "linux")]
#[cfg(target_os = "linux")]
#[cfg(target_os = "linux")]
#[test]
fn secrets_come_from_the_environment_and_nothing_else_does() {
    let settings = "env = { LITERAL = 'x' }\nenv_vars = ['PASSED_TOKEN']";
    let Some(setup) = Setup::new(&[], settings) else { return };
    let start = |token: Option<&str>| {
        let mut command = setup.home.command(&["--no-starters", "serve"]);
        command.env("OTHER_TOKEN", "hunter3");
        token.map(|token| command.env("PASSED_TOKEN", token));
        let mut client = RawClient::spawn(command);
        client.open(Protocol::V2025);
        client
    };
    let mut client = start(Some("hunter2"));
    let environment = result(&mut client, "environment", "call_tool('test/env')");
    assert_eq!((&environment["PASSED_TOKEN"], &environment["LITERAL"]), (&json!("hunter2"), &json!("x")));
    assert!(environment["PATH"].is_string() && environment.get("OTHER_TOKEN").is_none(), "{environment}");
    assert!(environment.get("REPERTOIRE_HOME").is_none(), "{environment}");
    let mut client = start(None);
    let unset = &["`test`", "the environment variable `PASSED_TOKEN`", "is not set"];
    raised(&mut client, "unset", "call_tool('test/env')", "RuntimeError", unset);
}

#[test]
fn what_servers_ask_is_refused_and_they_go_on() {
    let Some(setup) = Setup::new(&[], "") else { return };
    let mut client = setup.home.start();
    for (name, method) in [("ask", "elicitation/create"), ("roots", "roots/list"), ("other", "no/such/method")] {
        let call = format!("call_tool('test/ask', {{'method': '{method}'}}, timeout=30)");
        let refusal = result(&mut client, name, &call);
        assert_eq!(refusal["code"], json!(-32601), "{method}: {refusal}");
        assert!(text(&refusal, "message").contains(method), "{refusal}");
    }
}

#[test]
fn a_server_that_knows_only_the_newest_protocol_is_spoken_to() {
    let Some(setup) = Setup::new(&["--modern"], "") else { return };
    let mut client = setup.home.start();
    assert_eq!(result(&mut client, "add", "call_tool('test/add', {'a': 1, 'b': 1})"), json!({"sum": 2}));
}

#[test]
fn the_command_line_lists_what_is_reachable() {
    let Some(setup) = Setup::bare() else { return };
    let good = setup.section("good", &[], "") + &setup.section("off", &[], "enabled = false");
    setup.home.configure(&good);
    let listed = setup.home.run(&["tools"]);
    let shown = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.status.success(), "{shown}");
    for part in [
        "good  14 tools",
        "  good/add(a: int, b: int) -> dict\n",
        "  good/echo(text: str) -> Any\n      Give the text back.\n",
        "  good/slow(seconds: float = 60) -> Any\n",
        "off  switched off",
    ] {
        assert!(shown.contains(part), "`{part}` is not in {shown}");
    }
    setup.home.configure(&format!("{good}{}", setup.section("bad", &["--fail"], "")));
    let listed = setup.home.run(&["tools", "--json"]);
    assert_eq!(listed.status.code(), Some(1));
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["servers"][0]["server"], json!("bad"));
    assert!(text(&listed["servers"][0], "error").contains("no licence found"), "{listed}");
    assert_eq!(listed["servers"][1]["tools"][1]["tool"], json!("good/add"));
    assert!(setup.home.run(&["tools", "good"]).status.success());
    let unknown = setup.home.run(&["tools", "god"]);
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("`bad`, `good`"));
    let none = Home::new().run(&["tools"]);
    assert!(String::from_utf8(none.stdout).unwrap().contains("no MCP servers are configured"));
}
