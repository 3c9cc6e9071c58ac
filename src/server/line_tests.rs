use super::*;

/// What a line is answered with before anybody acts on it; `None` for a message.
fn refusals(line: &[u8]) -> Option<Vec<Value>> {
    match read(line, &[]) {
        Line::Message(_) => None,
        Line::Nothing => Some(Vec::new()),
        Line::Refused(refusals) => {
            Some(refusals.iter().map(|refusal| serde_json::from_slice(&refusal.to_json().unwrap()).unwrap()).collect())
        }
    }
}

fn message(line: &str) -> String {
    match read(line.as_bytes(), &[]) {
        Line::Message(message) => format!("{message:?}"),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_tool_call_is_read_as_rmcp_reads_it() {
    let meta = r#"{"progressToken":7,"x/y":{"a":[1]}}"#;
    for call in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#.to_owned(),
        format!(
            r#"{{"id":"b","params":{{"_meta":{meta},"arguments":{{"z":1,"a":"é\n"}},"name":"a"}},"method":"tools/call","jsonrpc":"2.0"}}"#
        ),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":null,"requestState":"s"}}"#
            .to_owned(),
    ] {
        let ToolCall { params, id, .. } = serde_json::from_str(&call).unwrap();
        let fast = call_of(params, id);
        let general: RxJsonRpcMessage<RoleServer> = serde_json::from_str(&call).unwrap();
        let [fast, general] = [fast, general].map(|message| format!("{message:?}"));
        assert_eq!(fast, general);
    }
    for other in [
        r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"},"result":{}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"a"}}"#,
    ] {
        assert!(serde_json::from_str::<ToolCall>(other).is_err(), "{other}");
    }
}

#[test]
fn what_is_written_oddly_is_understood() {
    let call = |arguments: &str| {
        message(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a","arguments":{arguments}}}}}"#
        ))
    };
    for (odd, plain) in [
        (r#"{"q":"cut \ud83d"}"#, "{\"q\":\"cut \u{fffd}\"}"),
        (r#"{"\ude00":1}"#, "{\"\u{fffd}\":1}"),
        (r#""{\"q\":1}""#, r#"{"q":1}"#),
    ] {
        assert_eq!(call(odd), call(plain), "{odd}");
    }
    let without = message(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#);
    for nothing in ["[]", "\" \""] {
        assert_eq!(call(nothing), without, "{nothing}");
    }
    let list = message(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    for nothing in ["[]", "null", "\"\""] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{nothing}}}"#);
        assert_eq!(message(&line), list, "{nothing}");
    }
}

#[test]
fn a_request_that_can_not_be_read_is_refused_with_its_id() {
    let deep = format!("{}{}", "[".repeat(125), "]".repeat(125));
    let digits = "7".repeat(5000);
    for (line, code) in [
        (
            format!(
                r#"{{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{{"name":"a","arguments":{{"q":{deep}}}}}}}"#
            ),
            -32700,
        ),
        (
            r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"a","arguments":{"q":1e}}}"#.to_owned(),
            -32700,
        ),
        (
            r#"{"method":"tools/call","params":{"name":"a","arguments":{"q":NaN}},"jsonrpc":"2.0","id":ID}"#.to_owned(),
            -32700,
        ),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"a""#.to_owned(), -32700),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":5}}"#.to_owned(), -32602),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":[1]}"#.to_owned(), -32602),
        (
            r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"a","arguments":"text"}}"#.to_owned(),
            -32602,
        ),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"a","arguments":[1]}}"#.to_owned(), -32602),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"a","_meta":5}}"#.to_owned(), -32602),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"tools/list","params":"x"}"#.to_owned(), -32602),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"initialize","params":{}}"#.to_owned(), -32602),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"resources/read"}"#.to_owned(), -32602),
        (r#"{"jsonrpc":"2.0","id":ID,"method":5}"#.to_owned(), -32600),
        (r#"{"jsonrpc":"2.0","id":ID}"#.to_owned(), -32600),
        (r#"{"jsonrpc":"1.0","id":ID,"method":"ping"}"#.to_owned(), -32600),
        (r#"{"id":ID,"method":"ping"}"#.to_owned(), -32600),
        (r#"{"jsonrpc":"2.0","id":ID,"method":"ping","result":{}}"#.to_owned(), -32600),
    ] {
        for id in ["7", "\"a-1\"", "18446744073709551615", "1.5", digits.as_str()] {
            let Line::Refused(refused) = read(line.replace("ID", id).as_bytes(), &[]) else { panic!("{line}") };
            assert_eq!((refused.len(), &refused[0].id), (1, &Id::Is(id.to_owned())), "{line}");
            // What is wrong with the id comes before what is wrong with the rest.
            let is_held = id.len() < 10 && id != "1.5";
            let expected = if is_held || code == -32700 { vec![code] } else { vec![-32600, -32700] };
            assert!(expected.contains(&refused[0].error.code.0), "{line}: {refused:?}");
        }
    }
}

/// The id in the answer to a line, as it is written there.
fn read_id(line: &[u8]) -> String {
    let Line::Refused(refusals) = read(line, &[]) else { panic!("not refused") };
    let answer = String::from_utf8(refusals[0].to_json().unwrap()).unwrap();
    let rest = answer.strip_prefix("{\"jsonrpc\":\"2.0\",\"id\":").unwrap_or_else(|| panic!("no id: {answer}"));
    rest.split_once(",\"error\"").unwrap().0.to_owned()
}

#[test]
fn an_id_that_no_answer_can_be_sent_with_is_refused_as_it_stands() {
    for id in ["18446744073709551615", "9223372036854775808", "1.5", "1e300", "\"a\\ud83d\"", "null"] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        assert_eq!(read_id(line.as_bytes()), id);
    }
    for id in ["7.0", "-5", "\"\\u0041\"", "\"\"", "9223372036854775807"] {
        message(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
    }
    for id in ["true", "{}", "[7]"] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let refused = refusals(line.as_bytes()).unwrap();
        assert_eq!((refused.len(), refused[0].get("id")), (1, None), "{refused:?}");
    }
    let refused = refusals(br#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#).unwrap();
    assert_eq!(refused[0]["id"], 2);
}

#[test]
fn every_request_in_a_line_is_refused_with_its_own_id() {
    for line in [
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":"b","method":"ping"}]"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":"b","method":"ping"}"#,
    ] {
        let ids: Vec<Value> =
            refusals(line.as_bytes()).unwrap().into_iter().map(|answer| answer["id"].clone()).collect();
        assert_eq!(ids, [Value::from(1), Value::from("b")], "{line}");
    }
    assert_eq!(refusals(b"[]").unwrap().len(), 1);
    assert_eq!(refusals(br#"[{"jsonrpc":"2.0","method":"x"}]"#).unwrap().len(), 0);
}

#[test]
fn notifications_are_never_answered() {
    for line in [
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1e}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":[1]}"#,
        r#"{"jsonrpc":"1.0","method":"x"}"#,
    ] {
        assert_eq!(refusals(line.as_bytes()), Some(Vec::new()), "{line}");
    }
}

#[test]
fn whoever_asked_the_client_learns_that_its_answer_could_not_be_read() {
    let broken = message(r#"{"jsonrpc":"2.0","id":3,"result":{"action":"accept","content":{"x":1e}}}"#);
    assert!(broken.starts_with("Error(") && broken.contains("Number(3)"), "{broken}");
    let mended = message(r#"{"jsonrpc":"2.0","id":3,"result":{"action":"accept","content":{"x":"\ud83d"}}}"#);
    assert!(mended.starts_with("Response("), "{mended}");
}
