//! Code and messages that mean harm or make no sense: each gets a clear error, and the next call answers normally.

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, remember, text};

/// A server with short limits and one procedure that always works.
pub fn start(home: &Home) -> RawClient {
    let mut client = home.start();
    remember(&mut client, "fine", "def fine() -> int:\n    \"\"\"Return 42.\"\"\"\n    return 42\n");
    client
}

/// The next call answers normally.
#[track_caller]
pub fn check_fine(client: &mut RawClient) {
    let answer = client.ok("execute_procedure", json!({"procedure_id": "fine"}));
    assert_eq!(answer["result"], json!(42), "{answer}");
}

#[test]
fn nested_code_is_refused_and_not_stored() {
    let home = Home::new();
    let mut client = start(&home);
    let depth = 100_000;
    let bombs = [
        ("(".repeat(depth), ")".repeat(depth)),
        ("[".repeat(depth), "]".repeat(depth)),
        ("{1:".repeat(depth), "}".repeat(depth)),
        ("-".repeat(depth), "1".to_owned()),
        ("not ".repeat(depth), "1".to_owned()),
        ("lambda: ".repeat(depth), "1".to_owned()),
        ("1 + ".repeat(depth), "1".to_owned()),
        ("x".to_owned(), ".y".repeat(depth)),
        ("x".to_owned(), "[0]".repeat(depth)),
        ("x".to_owned(), "()".repeat(depth)),
        ("f\"{".repeat(depth), "}\"".repeat(depth)),
        ("(".repeat(depth), String::new()),
    ];
    for (open, close) in bombs {
        let shown = &open[..open.len().min(8)];
        let code = format!("def fine() -> object:\n    return {open}{close}\n");
        let answer = client.ok("validate_procedure_code", json!({"code": code}));
        assert_eq!(answer["checks"]["runnable"], json!(false), "{shown}: {answer}");
        let issues = answer["issues"].as_array().unwrap();
        assert!(issues.iter().any(|issue| issue["severity"] == "error"), "{shown}: {answer}");
        let answer = client.call("generate_procedure_code", json!({"procedure_id": "fine", "code": code}));
        assert_eq!(answer["error_code"], json!("code_rejected"), "{shown}: {answer}");
        check_fine(&mut client);
    }
    let statements: String = (0..500).map(|depth| format!("{}if True:\n", " ".repeat(depth))).collect();
    let answer =
        client.ok("validate_procedure_code", json!({"code": format!("{statements}{}pass\n", " ".repeat(500))}));
    assert_eq!(answer["checks"]["runnable"], json!(false), "{answer}");
    check_fine(&mut client);
}

#[test]
fn code_that_reaches_for_the_machine_is_refused_line_by_line() {
    let home = Home::new();
    let mut client = start(&home);
    for code in [
        "import os\n\ndef fine():\n    os.system('true')\n",
        "def fine():\n    return eval('1')\n",
        "def fine():\n    return ().__class__.__bases__\n",
        "import subprocess\n\ndef fine():\n    return 1\n",
        "def fine(:\n    return 1\n",
        "\0",
    ] {
        let answer = client.call("generate_procedure_code", json!({"procedure_id": "fine", "code": code}));
        assert_eq!(answer["error_code"], json!("code_rejected"), "{code}: {answer}");
        let issues = answer["issues"].as_array().unwrap();
        let lines: Vec<&Value> = issues.iter().filter(|issue| issue["severity"] == "error").collect();
        assert!(lines.iter().all(|issue| issue["line"].is_u64() && !text(issue, "message").is_empty()), "{answer}");
        assert_eq!(client.ok("get_procedure", json!({"procedure_id": "fine"}))["version"], json!(1));
        check_fine(&mut client);
    }
}

#[test]
fn an_argument_of_fifty_megabytes_is_answered() {
    let home = Home::with_config("[limits]\nseconds = 30\n");
    let mut client = start(&home);
    let large = "x".repeat(50 * 1024 * 1024);
    remember(&mut client, "size", "def size(text: str) -> int:\n    return len(text)\n");
    let answer = client.call("execute_procedure", json!({"procedure_id": "size", "parameters": {"text": large}}));
    let clear = answer["result"] == json!(large.len()) || text(&answer, "error").len() < 5_000;
    assert!(clear, "{}", text(&answer, "error").len());
    check_fine(&mut client);
    let definition = json!({"name": "large", "steps": ["Do it"], "description": large});
    let error = client.refused("remember_procedure", definition, "invalid_argument");
    assert!(error.contains("at most") && error.len() < 1_000, "{} bytes", error.len());
    check_fine(&mut client);
    for (tool, arguments) in [
        ("recall_procedures", json!({"query": large})),
        ("get_procedure", json!({"procedure_id": large})),
        ("get_run", json!({"run_id": large})),
        ("validate_procedure_code", json!({"code": large})),
    ] {
        let answer = client.call(tool, arguments).to_string();
        assert!(answer.len() < 40_000, "{tool} answers {} bytes", answer.len());
        check_fine(&mut client);
    }
}

#[test]
fn a_line_that_is_too_long_is_answered_and_dropped() {
    let home = Home::new();
    let mut client = start(&home);
    let chunk = vec![b'x'; 1024 * 1024];
    (0..65).for_each(|_| client.send_bytes(&chunk));
    client.send_bytes(b"\n");
    let answer = client.next_message();
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &Value::Null), "{answer}");
    assert!(text(&answer["error"], "message").contains("64 MiB"), "{answer}");
    check_fine(&mut client);
}

#[test]
fn bytes_that_are_no_message_are_answered_with_an_error() {
    let home = Home::new();
    let mut client = start(&home);
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"get_run","arguments":{nested}}}}}"#
    );
    let lines: [(&[u8], i64); 8] = [
        (b"\xff\xfe\x00\xc3\x28", -32700),
        (b"not json", -32700),
        (b"{\"jsonrpc\":\"2.0\",\"id\":", -32700),
        (b"\0\0\0\0", -32700),
        (deep.as_bytes(), -32700),
        (b"[]", -32600),
        (b"42", -32600),
        (b"{}", -32600),
    ];
    for (line, code) in lines {
        client.send_bytes(&[line, b"\n"].concat());
        let answer = client.next_message();
        let shown = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
        let expected = if code == -32700 { vec![-32700, -32600] } else { vec![-32600, -32700] };
        assert!(expected.contains(&answer["error"]["code"].as_i64().unwrap()), "{shown}: {answer}");
        assert!(!text(&answer["error"], "message").is_empty());
        check_fine(&mut client);
    }
    client.send_bytes(b"\n\r\n   \n");
    check_fine(&mut client);
}

#[test]
fn a_call_before_the_handshake_is_refused_and_the_handshake_still_works() {
    let home = Home::new();
    let mut client = home.spawn(&[]);
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let call = json!({"name": "list_procedures", "arguments": {}});
    let answer = client.request("tools/call", call);
    assert!(answer["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
    client.open(Protocol::V2025);
    client.ok("list_procedures", json!({}));
}

#[test]
fn shapes_that_no_request_has_are_refused() {
    let home = Home::new();
    let mut client = start(&home);
    let requests = [
        ("tools/call", json!({}), -32602),
        ("tools/call", json!({"name": 5}), -32602),
        ("tools/call", json!({"name": "get_run", "arguments": [1]}), -32602),
        ("tools/call", json!({"name": "x".repeat(1_000_000), "arguments": {}}), -32602),
        ("tools/nonsense", json!({}), -32601),
        ("", json!({}), -32601),
    ];
    for (method, params, code) in requests {
        let shown = params.to_string().chars().take(60).collect::<String>();
        let answer = client.request(method, params);
        assert_eq!(answer["error"]["code"], json!(code), "{method} {shown}: {answer}");
        assert!(text(&answer["error"], "message").len() < 1_000, "{method} {shown}");
        check_fine(&mut client);
    }
    let answer = client.request("tools/call", json!({"name": "recal_procedure", "arguments": {}}));
    assert!(text(&answer["error"], "message").contains("`recall_procedures`"), "{answer}");
}

#[test]
fn arguments_that_make_no_sense_name_what_is_wrong() {
    let home = Home::new();
    let mut client = start(&home);
    let long = "n".repeat(100_000);
    let cases = [
        ("execute_procedure", json!({}), "procedure_id"),
        ("execute_procedure", json!({"procedure_id": 1, "paramters": {}}), "paramters"),
        ("execute_procedure", json!({"procedure_id": 1, "parameters": [1]}), "parameters"),
        ("execute_procedure", json!({"procedure_id": {"id": 1}}), "procedure_id"),
        ("execute_procedure", json!({"procedure_id": 1.5}), "procedure_id"),
        ("list_procedures", json!({"limit": 0}), "limit"),
        ("list_procedures", json!({"limit": -1}), "limit"),
        ("list_procedures", json!({"limit": "many"}), "limit"),
        ("list_procedures", json!({"status": "gone"}), "status"),
        ("recall_procedures", json!({"query": ["a"]}), "query"),
        ("recall_procedures", json!({"query": "a", "min_confidence": 7}), "min_confidence"),
        ("search_procedures_by_confidence", json!({"min_confidence": "high"}), "min_confidence"),
        ("remember_procedure", json!({"name": 5, "steps": ["x"]}), "name"),
        ("remember_procedure", json!({"name": "a", "steps": []}), "steps"),
        ("remember_procedure", json!({"name": "a", "steps": "Do it"}), "steps"),
        ("remember_procedure", json!({"name": "a", "steps": [{"x": 1}]}), "steps"),
        ("remember_procedure", json!({"name": "", "steps": ["x"]}), "name"),
        ("remember_procedure", json!({"name": "../..", "steps": ["x"]}), "letter"),
        ("remember_procedure", json!({"name": "42", "steps": ["x"]}), "letter"),
        ("remember_procedure", json!({"name": long, "steps": ["x"]}), "characters"),
        ("remember_procedure", json!({"name": "a", "steps": ["x"], "category": long}), "category"),
        ("remember_procedure", json!({"name": "nul", "steps": ["x"]}), "reserved"),
        ("resume_run", json!({"run_id": "a", "decision": "maybe"}), "decision"),
        ("update_procedure", json!({"procedure_id": 1, "colour": "red"}), "colour"),
        ("get_run", json!({"run_id": "a", "read": "everything"}), "read"),
    ];
    for (tool, arguments, named) in cases {
        let shown = arguments.to_string().chars().take(80).collect::<String>();
        let answer = client.call(tool, arguments);
        assert_eq!(answer["error_code"], json!("invalid_argument"), "{tool} {shown}: {answer}");
        let error = text(&answer, "error");
        assert!(error.contains(named) && error.len() < 2_000, "{tool} {shown}: {error}");
    }
    check_fine(&mut client);
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(1), "nothing was stored on the way");
}

#[test]
fn what_is_not_there_is_said_by_its_code() {
    let home = Home::new();
    let mut client = start(&home);
    for wanted in
        [json!(999), json!(-1), json!(i64::MAX), json!("fina"), json!("nope\0"), json!("'; drop table x"), json!("")]
    {
        for tool in ["get_procedure", "execute_procedure", "get_procedure_stats", "get_procedure_versions"] {
            client.refused(tool, json!({"procedure_id": wanted}), "procedure_not_found");
        }
    }
    let closest = client.refused("get_procedure", json!({"procedure_id": "fina"}), "procedure_not_found");
    assert!(closest.contains("`fine`"), "{closest}");
    for tool in ["get_run", "resume_run", "cancel_run"] {
        for run in ["", "nope", "\0", "0190c0de-0000-7000-8000-000000000000"] {
            client.refused(tool, json!({"run_id": run}), "run_not_found");
        }
    }
    for version in [json!(0), json!(7), json!("v9"), json!("abc"), json!("0000000")] {
        let arguments = json!({"procedure_id": "fine", "target_version": version});
        client.refused("rollback_procedure_code", arguments, "version_not_found");
    }
    check_fine(&mut client);
}

#[test]
fn odd_texts_come_back_as_they_went() {
    let home = Home::new();
    let mut client = start(&home);
    remember(&mut client, "echo", "def echo(value: object) -> object:\n    return value\n");
    let odd = "\0\u{1}\u{7f}\u{202e}\u{feff}\r\n\t\\\"'{{x}} 日本語 🙂 \u{10ffff}";
    for value in [json!(odd), json!({odd: [odd]}), json!(-1.5e300), json!(i64::MIN), json!([null, true]), json!("")] {
        let arguments = json!({"procedure_id": "echo", "parameters": {"value": value}});
        assert_eq!(client.ok("execute_procedure", arguments)["result"], value);
    }
    let definition = json!({"name": "odd", "steps": [odd], "description": odd, "tags": [odd]});
    client.ok("remember_procedure", definition);
    let stored = client.ok("get_procedure", json!({"procedure_id": "odd"}));
    assert_eq!(stored["definition"]["description"], json!(odd), "{stored}");
    for query in [odd, "\"", "*", "a AND", "NEAR(", "-x", "name:fine", "^fine", "(((", "''", "fine\0fine"] {
        client.ok("recall_procedures", json!({"query": query}));
    }
    check_fine(&mut client);
}
