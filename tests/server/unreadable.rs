//! Lines that are not quite messages: whoever waits gets an answer with the id that it sent, and the next call is answered.

use serde_json::{Value, json};

use crate::{
    common::{Home, Protocol, RawClient, text},
    hostile::{check_fine, start},
};

/// A call of `get_procedure` whose arguments end with `rest`, which is put into the line as it is.
fn call(id: &str, rest: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"get_procedure","arguments":{{"procedure_id":"fine"{rest}}}}}}}"#
    )
}

/// The same with the id at the end, as other clients write it.
fn call_with_id_last(id: &str, rest: &str) -> String {
    format!(
        r#"{{"method":"tools/call","params":{{"arguments":{{"procedure_id":"fine"{rest}}},"name":"get_procedure"}},"jsonrpc":"2.0","id":{id}}}"#
    )
}

/// The answer to a line, and its id as it is written.
fn answer(client: &mut RawClient, line: &[u8]) -> (Value, String) {
    client.send_bytes(&[line, b"\n"].concat());
    let mut answer = client.next_line();
    // Lists that changed are told of at any time.
    while answer.starts_with(br#"{"jsonrpc":"2.0","method":"notifications/"#) {
        answer = client.next_line();
    }
    let shown = String::from_utf8(answer.clone()).unwrap();
    let Some(rest) = shown.strip_prefix(r#"{"jsonrpc":"2.0","id":"#) else {
        return (serde_json::from_slice(&answer).unwrap(), String::new());
    };
    let end = rest.find(r#","error""#).or_else(|| rest.find(r#","result""#)).unwrap();
    // Some are none that this library could read.
    (serde_json::from_str(&format!("{{{}", &rest[end + 1..])).unwrap(), rest[..end].to_owned())
}

#[test]
fn an_error_has_the_id_of_its_request_wherever_that_stands() {
    let home = Home::new();
    let mut client = start(&home);
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deep_map = format!("{}1{}", "{\"id\":".repeat(125), "}".repeat(125));
    let digits = "1".repeat(5000);
    let rests = [
        format!(r#","x":{}"#, deep(125)),
        format!(r#","x":{}"#, deep(100_000)),
        format!(r#","x":{deep_map}"#),
        r#","x":1e"#.to_owned(),
        r#","x":-1E+"#.to_owned(),
        r#","x":NaN"#.to_owned(),
        r#","x":Infinity"#.to_owned(),
        r#","x":007"#.to_owned(),
        r#","x":"\x41""#.to_owned(),
        r#","x":"\ud8""#.to_owned(),
        r#","x":'text'"#.to_owned(),
        r#","x":"say "hi" now""#.to_owned(),
        r#","x":[1,2"#.to_owned(),
        r#","x":tru"#.to_owned(),
        ",".to_owned(),
    ];
    for rest in &rests {
        let ids = ["7", "\"a-7\"", "18446744073709551615", "1.5", digits.as_str()];
        for (id, line) in ids.iter().flat_map(|id| [(id, call(id, rest)), (id, call_with_id_last(id, rest))]) {
            let (answer, told) = answer(&mut client, line.as_bytes());
            let shown = rest.chars().take(60).collect::<String>();
            assert_eq!(&told, id, "{shown}: {answer}");
            let message = text(&answer["error"], "message");
            assert!(!message.is_empty() && message.len() < 1_000, "{shown}: {message}");
        }
    }
    check_fine(&mut client);
    let (answer, _) = answer(&mut client, call("7", &rests[0]).as_bytes());
    assert!(text(&answer["error"], "message").contains("124 deep"), "{answer}");
}

#[test]
fn numbers_of_any_length_are_answered() {
    let home = Home::new();
    let mut client = start(&home);
    let whole = [20, 310, 5_000].map(|digits| "1".repeat(digits));
    for number in whole.iter().map(String::as_str).chain(["1e400", "-1E+999"]) {
        let line = call("\"n\"", &format!(r#","x":{number}"#));
        let (answer, id) = answer(&mut client, line.as_bytes());
        assert_eq!(id, "\"n\"", "{answer}");
        check_fine(&mut client);
    }
}

#[test]
fn ids_that_are_not_held_come_back_as_they_went() {
    let home = Home::new();
    let mut client = start(&home);
    let long = "8".repeat(5_000);
    for id in ["18446744073709551615", "9223372036854775808", "-9223372036854775809", "1.5", "1e400", &long, "null"] {
        let (answer, told) = answer(&mut client, call(id, "").as_bytes());
        assert_eq!((told.as_str(), answer["error"].is_object()), (id, true), "{answer}");
    }
    for id in ["0", "-1", "9223372036854775807", "\"18446744073709551615\"", "\"\"", "\"é\""] {
        let (answer, told) = answer(&mut client, call(id, "").as_bytes());
        assert_eq!((told.as_str(), answer["result"].is_object()), (id, true), "{answer}");
    }
    // The client looks for what it sent, and would not find the replacement character.
    let (answer_to_half, told) = answer(&mut client, call(r#""half \ud83d""#, "").as_bytes());
    assert_eq!((told.as_str(), answer_to_half["error"].is_object()), (r#""half \ud83d""#, true));
    for id in ["true", "{}", "[7]", "{\"id\":7}"] {
        let (answer, told) = answer(&mut client, call(id, "").as_bytes());
        assert_eq!((told.as_str(), answer["error"]["code"].as_i64()), ("", Some(-32600)), "{answer}");
    }
    check_fine(&mut client);
}

#[test]
fn texts_with_half_a_character_are_taken_with_a_replacement_character() {
    let home = Home::new();
    let mut client = start(&home);
    let remember = |id: u32, description: &[u8]| {
        let head = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"remember_procedure","arguments":{{"name":"cut {id}","steps":["Do it"],"description":""#
        );
        [head.as_bytes(), description, b"\"}}}"].concat()
    };
    let cases: [(&[u8], &str); 8] = [
        (br"cut \ud83d", "cut \u{fffd}"),
        (br"\uDE00 cut", "\u{fffd} cut"),
        (br"\ude00\uD83D", "\u{fffd}\u{fffd}"),
        (br"whole \ud83d\ude00", "whole 😀"),
        (br"escaped \\ud83d", r"escaped \ud83d"),
        (b"caf\xe9 \xf0\x9f\x98", "caf\u{fffd} \u{fffd}"),
        (b"\xed\xa0\xbd", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"tab\tbell\x07", "tab\tbell\u{7}"),
    ];
    for (index, (sent, wanted)) in (100..).zip(cases) {
        let (answer, id) = answer(&mut client, &remember(index, sent));
        assert_eq!(
            (id.as_str(), &answer["result"]["isError"]),
            (index.to_string().as_str(), &json!(false)),
            "{answer}"
        );
        let stored = client.ok("get_procedure", json!({"procedure_id": format!("cut_{index}")}));
        assert_eq!(stored["definition"]["description"], json!(wanted));
    }
    // Keys too.
    let line = r#"{"jsonrpc":"2.0","id":"k","method":"tools/call","params":{"name":"save_checkpoint","arguments":{"workflow_id":"w","run_id":"r","node_id":"n","state":{"a\ud83d":{"\udc00":1}}}}}"#;
    let (saved, _) = answer(&mut client, line.as_bytes());
    assert_eq!(saved["result"]["isError"], json!(false), "{saved}");
    let point = client.ok("get_resume_point", json!({"run_id": "r"}));
    assert_eq!(point["checkpoint"]["state"], json!({"a\u{fffd}": {"\u{fffd}": 1}}));
    // And in a state that is too large to be made a value.
    let large = "x".repeat(100_000);
    let line = line.replace(r#"{"\udc00":1}"#, &format!(r#"["{large}","\udc00"]"#)).replace("\"r\"", "\"r2\"");
    let (saved, _) = answer(&mut client, line.as_bytes());
    assert_eq!(saved["result"]["isError"], json!(false), "{saved}");
    let point = client.ok("get_resume_point", json!({"run_id": "r2"}));
    assert_eq!(point["checkpoint"]["state"], json!({"a\u{fffd}": [large, "\u{fffd}"]}));
}

#[test]
fn a_state_that_can_not_be_kept_is_refused_large_and_small() {
    let home = Home::new();
    let mut client = start(&home);
    for padding in [0, 100_000] {
        let fill = "x".repeat(padding);
        for broken in ["1e400", "\"\\ud8\"", &format!("{}{}", "[".repeat(200), "]".repeat(200))] {
            let line = format!(
                r#"{{"jsonrpc":"2.0","id":"s","method":"tools/call","params":{{"name":"save_checkpoint","arguments":{{"workflow_id":"w","run_id":"r","node_id":"n","state":{{"fill":"{fill}","x":{broken}}}}}}}}}"#
            );
            let (answer, id) = answer(&mut client, line.as_bytes());
            let refused = answer["error"].is_object() || answer["result"]["isError"] == json!(true);
            assert_eq!((id.as_str(), refused), ("\"s\"", true), "{broken}: {answer}");
        }
    }
    check_fine(&mut client);
}

#[test]
fn the_request_in_a_line_that_is_too_long_learns_of_it() {
    let home = Home::new();
    let mut client = start(&home);
    let chunk = vec![b'x'; 1024 * 1024];
    for (before, after) in [
        (r#"{"jsonrpc":"2.0","id":41,"method":"tools/call","params":{"name":"a","arguments":{"q":""#, r#""}}}"#),
        (r#"{"method":"tools/call","params":{"name":"a","arguments":{"id":1,"q":""#, r#""}},"jsonrpc":"2.0","id":41}"#),
    ] {
        client.send_bytes(before.as_bytes());
        (0..65).for_each(|_| client.send_bytes(&chunk));
        let (answer, id) = answer(&mut client, after.as_bytes());
        assert_eq!(id, "41", "{answer}");
        assert!(text(&answer["error"], "message").contains("64 MiB"), "{answer}");
        check_fine(&mut client);
    }
    // Nobody waits for this one.
    client.send_bytes(br#"{"jsonrpc":"2.0","method":"notifications/x","params":{"q":""#);
    (0..65).for_each(|_| client.send_bytes(&chunk));
    client.send_bytes(b"\"}}\n");
    check_fine(&mut client);
}

#[test]
fn every_beginning_of_a_request_is_answered_with_its_id_or_none() {
    let home = Home::new();
    let mut client = start(&home);
    for line in [call("4711", r#","code_offset":0"#), call_with_id_last("4711", "")] {
        let id_ends = line.find("4711").unwrap() + 4;
        for cut in 1..line.len() {
            let (answer, id) = answer(&mut client, &line.as_bytes()[..cut]);
            assert_eq!(id, if cut > id_ends { "4711" } else { "" }, "{}: {answer}", &line[..cut]);
            assert!(answer["error"].is_object(), "{answer}");
        }
    }
    check_fine(&mut client);
}

#[test]
fn all_requests_of_a_line_are_answered() {
    let home = Home::new();
    let mut client = start(&home);
    let ping = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping","params":{{}}}}"#);
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
    for line in [format!("[{},{notification},{}]", ping("1001"), ping("\"b\"")), ping("1001") + &ping("\"b\"")] {
        let (first, id) = answer(&mut client, line.as_bytes());
        assert_eq!((id.as_str(), &first["error"]["code"]), ("1001", &json!(-32600)), "{first}");
        let second = client.next_message();
        assert_eq!((&second["id"], &second["error"]["code"]), (&json!("b"), &json!(-32600)), "{second}");
        check_fine(&mut client);
    }
    client.send_bytes(format!("[{notification}]\n").as_bytes());
    check_fine(&mut client);
}

#[test]
fn what_only_tells_something_is_never_answered() {
    let home = Home::new();
    let mut client = start(&home);
    for line in [
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1e400}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"x":NaN}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed","params":[]}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/x","params":{"t":"\ud83d"}}"#,
        r#"{"jsonrpc":"2.0","id":99,"result":{"x":1e400}}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"error":{"code":1,"message":"x"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#,
    ] {
        client.send_bytes(format!("{line}\n").as_bytes());
        check_fine(&mut client);
    }
    assert_eq!(client.take_notifications(), Vec::<Value>::new());
}

#[test]
fn parameters_of_the_wrong_shape_are_understood_or_refused_by_name() {
    let home = Home::new();
    let mut client = start(&home);
    for params in [json!([]), json!(null), json!(""), json!({"_meta": null}), json!({"_meta": []})] {
        for method in ["tools/list", "ping", "prompts/list", "resources/list"] {
            let answer = client.request(method, params.clone());
            assert!(answer["result"].is_object(), "{method} {params}: {answer}");
        }
    }
    for arguments in [json!([]), json!(null), json!(""), json!("{}"), json!(r#"{"limit": 3}"#)] {
        let answer = client.request("tools/call", json!({"name": "list_procedures", "arguments": arguments}));
        assert_eq!(answer["result"]["isError"], json!(false), "{arguments}: {answer}");
    }
    for (method, params, named) in [
        ("tools/call", json!([1]), "`params`"),
        ("tools/call", json!("x"), "`params`"),
        ("tools/call", json!({}), "`name`"),
        ("tools/call", json!({"name": 5}), "`name`"),
        ("tools/call", json!({"name": null}), "`name`"),
        ("tools/call", json!({"name": "get_run", "arguments": "text"}), "`arguments`"),
        ("tools/call", json!({"name": "get_run", "arguments": [1]}), "`arguments`"),
        ("tools/call", json!({"name": "get_run", "arguments": 5}), "`arguments`"),
        ("tools/call", json!({"name": "get_run", "_meta": "x"}), "`_meta`"),
        ("resources/read", json!({}), "`uri`"),
        ("resources/read", json!({"uri": 5}), "`uri`"),
        ("prompts/get", json!({"arguments": {}}), "`name`"),
    ] {
        let answer = client.request(method, params.clone());
        assert_eq!(answer["error"]["code"], json!(-32602), "{method} {params}: {answer}");
        assert!(text(&answer["error"], "message").contains(named), "{method} {params}: {answer}");
        check_fine(&mut client);
    }
}

#[test]
fn a_broken_line_before_the_handshake_does_not_end_it() {
    let home = Home::new();
    let mut client = home.spawn(&[]);
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-11-25","x":1e400}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"ping""#,
    ] {
        let (answer, id) = answer(&mut client, line.as_bytes());
        assert!(line.contains(&format!("\"id\":{id},")) && answer["error"].is_object(), "{line}: {id} {answer}");
    }
    // A client that asks first and tells something then.
    client.request("ping", json!({}));
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    client.send(&json!({"jsonrpc": "2.0", "id": 5, "result": {}}));
    client.open(Protocol::V2025);
    client.ok("list_procedures", json!({}));
}
