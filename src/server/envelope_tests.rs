use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn id(line: &str) -> Id {
    let seen = scan(line.as_bytes());
    assert!(seen.messages.len() < 2, "{line}");
    seen.messages.into_iter().next().map(|message| message.id).unwrap_or_default()
}

fn is(json: &str) -> Id {
    Id::Is(json.to_owned())
}

#[test]
fn the_id_is_found_wherever_it_stands_and_whatever_else_is_wrong() {
    for line in [
        r#"{"id":7,"params":{"q":"x"}"#,
        r#"{"method":"a","params":{"id":1,"q":["}",{"id":2}]},"id":7}"#,
        r#"{"params":{"n":1e400,"m":007,"x":NaN,"y":'a'},"\u0069d" : 7 }"#,
        r#"{"params":{"q":"say "hi" now"},"id":7}"#,
        r#"{"params":{"q":[1,2},"r":{"s":[3}},"id":7}"#,
        r#"{"params":{"q":1}},"id":7}"#,
        r#"{"params":{"q":1}},"more":{"id":3},"id":7}"#,
        r#"{"id":7,"method":"tools/call","params":{"q":"the line ends her"#,
        r#"{"id":7,"q":"\"#,
        "{\"q\":\"\u{0}\t\",\"id\":7,}",
        r#"{,,"id":7 "method":"a"}"#,
        "{'jsonrpc': '2.0', 'params': {'id': 1}, 'id': 7}",
        "{jsonrpc:\"2.0\",id:7,params:{id:1}}",
    ] {
        assert_eq!(id(line), is("7"), "{line}");
    }
    let deep = format!("{{\"params\":{},\"id\":7}}", "[{\"id\":1,\"a\":".repeat(3000) + &"}]".repeat(3000));
    assert_eq!(id(&deep), is("7"));
    assert_eq!(scan(deep.as_bytes()).deepest, 6001);
}

#[test]
fn an_id_is_told_as_it_stands() {
    for json in ["18446744073709551615", "1.5", "-0", "1e3", "\"a\"", "\"\\ud83d\"", "\"\\u0041 é\"", "\"\""] {
        assert_eq!(id(&format!("{{\"id\": {json} ,\"x\":")), is(json));
    }
    let digits = "9".repeat(5000);
    assert_eq!(id(&format!("{{\"id\":{digits}}}")), is(&digits));
    assert_eq!(id("{\"id\":\"a\tb\"}"), is("\"a\\u0009b\""));
    assert_eq!(scan(b"{\"id\":\"\xff\"}").messages[0].id, is("\"\u{fffd}\""));
}

#[test]
fn what_is_no_id_is_none() {
    for (line, wanted) in [
        (r#"{"id":null}"#, Id::Null),
        (r#"{"id":true}"#, Id::Unusable),
        (r#"{"id":{"id":1}}"#, Id::Unusable),
        (r#"{"id":[1]}"#, Id::Unusable),
        (r#"{"id":007}"#, Id::Unusable),
        (r#"{"id":"\x"}"#, Id::Unusable),
        (r#"{"params":{"id":1}}"#, Id::Absent),
        (r#"{"params":{"id":1"#, Id::Absent),
        (r#"["id",1]"#, Id::Absent),
        // It may be the beginning of 12.
        (r#"{"id":1"#, Id::Absent),
        (r#"{"id":"a"#, Id::Absent),
        ("\"id\":1", Id::Absent),
        ("", Id::Absent),
    ] {
        assert_eq!(id(line), wanted, "{line}");
    }
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(MAX_ID_BYTES));
    assert_eq!(id(&long), Id::Unusable);
}

#[test]
fn several_messages_in_a_line_are_told_apart() {
    let ids = |line: &str| scan(line.as_bytes()).messages.into_iter().map(|message| message.id).collect::<Vec<_>>();
    for line in [
        r#"[{"id":1,"method":"a"},{"params":{"id":3},"id":2}]"#,
        r#"{"id":1}{"id":2}"#,
        r#"{"id":1} , {"id":2}"#,
        r#"[{"id":1},[{"id":3}],4,"id",{"id":2,"#,
    ] {
        assert_eq!(ids(line), [is("1"), is("2")], "{line}");
    }
    let twice = |line: &str| scan(line.as_bytes()).messages[0].has_two_ids;
    assert!(twice(r#"{"id":1,"id":2}"#) && !twice(r#"{"id":1,"id":1}"#));
}

#[test]
fn notifications_and_answers_are_told_from_requests() {
    let first = |line: &str| scan(line.as_bytes()).messages.remove(0);
    assert!(first(r#"{"method":"a","params":{"id":1,"x":1e400}}"#).is_notification());
    // Its id may be in what is missing.
    assert!(!first(r#"{"method":"a","params":{"#).is_notification());
    assert!(first(r#"{"id":1,"result":{"method":"a"}}"#).is_answer());
    assert!(!first(r#"{"id":1,"method":"a","params":{"result":1}}"#).is_answer());
    assert_eq!(first(r#"{"method":"a/b","id":1}"#).method.as_deref(), Some("a/b"));
}

fn any_value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("id")),
    ];
    plain.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop_oneof![Just("id".to_owned()), ".{0,4}"], inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_message_has_its_own_id_however_it_comes(
        params in any_value(), id in any::<i64>(), piece in 1_usize..20, id_comes_last in any::<bool>(),
    ) {
        let line = if id_comes_last {
            format!("{{\"params\":{params},\"id\":{id}}}")
        } else {
            format!("{{\"id\":{id},\"params\":{params}}}")
        };
        let mut scanner = Scanner::default();
        line.as_bytes().chunks(piece).for_each(|chunk| scanner.read(chunk));
        let seen = scanner.finish();
        prop_assert_eq!(&seen, &scan(line.as_bytes()));
        prop_assert_eq!(&seen.messages[0].id, &Id::Is(id.to_string()));
        prop_assert!(seen.messages[0].is_whole);
    }

    #[test]
    fn a_cut_line_never_has_another_id(params in any_value(), id in any::<i64>(), cut in any::<prop::sample::Index>()) {
        let line = format!("{{\"params\":{params},\"id\":{id},\"method\":\"a\"}}");
        let seen = scan(&line.as_bytes()[..cut.index(line.len())]);
        let found = seen.messages.into_iter().next().map(|message| message.id).unwrap_or_default();
        prop_assert!(found == Id::Absent || found == Id::Is(id.to_string()), "{:?}", found);
    }

    #[test]
    fn no_bytes_break_it(bytes in prop::collection::vec(prop_oneof![
        any::<u8>(), prop::sample::select(&br#"{}[]",:\id1u"#[..]),
    ], 0..200)) {
        for message in scan(&bytes).messages {
            if let Id::Is(json) = message.id {
                prop_assert!(serde_json::from_str::<IgnoredAny>(&json).is_ok());
            }
        }
    }
}
