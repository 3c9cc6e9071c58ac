//! What procedures leave for the user: stored once, listed and resolved, by tools and on the command line.

use serde_json::{Value, json};

use crate::{
    cli::commands::{check_snapshot, fail, succeed},
    common::{Home, Protocol, RawClient, execute_code, remember, text},
};

/// A procedure of this name whose body uses the inbox.
pub fn code(name: &str, body: &str) -> String {
    let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
    format!("from repertoire import create_task, draft_email, notify\n\ndef {name}():\n{lines}")
}

/// What an expression gives.
#[track_caller]
pub fn result(client: &mut RawClient, name: &str, call: &str) -> Value {
    let answer = execute_code(client, name, &code(name, &format!("return {call}")));
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    answer["result"].clone()
}

/// What an expression raises.
#[track_caller]
pub fn raised(client: &mut RawClient, name: &str, call: &str, kind: &str) -> String {
    let answer = execute_code(client, name, &code(name, &format!("return {call}")));
    assert_eq!(answer["error_type"], json!(kind), "{answer}");
    text(&answer, "error").to_owned()
}

#[track_caller]
pub fn inbox(client: &mut RawClient, arguments: Value) -> Vec<Value> {
    let answer = client.ok("list_inbox", arguments);
    let items = answer["items"].as_array().unwrap().clone();
    assert_eq!(answer["count"], json!(items.len()), "{answer}");
    items
}

fn ids(items: &[Value]) -> Vec<i64> {
    items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

const ALL: &str = "notify('Ready', title='Build', level='success')\n\
                   create_task('Call Ada', description='About the bill', assignee='bob', due='2026-03-31', priority='high')\n\
                   return draft_email('ada@example.org', 'Your bill', 'Dear Ada', cc=['Bob'], attachments=['bill.pdf'])";

#[test]
fn each_function_stores_one_item_and_returns_it() {
    let home = Home::new();
    let mut client = home.start();
    let answer = execute_code(&mut client, "all_three", &code("all_three", ALL));
    let email = json!({
        "id": 3, "to": ["ada@example.org"], "cc": ["Bob"], "bcc": [], "subject": "Your bill", "body": "Dear Ada",
        "attachments": ["bill.pdf"], "draft": true,
    });
    assert_eq!(answer["result"], email, "{answer}");
    let mut items = inbox(&mut client, json!({}));
    for item in &mut items {
        assert_eq!((&item["run_id"], &item["procedure"]), (&answer["run_id"], &json!("all_three")));
        let item = item.as_object_mut().unwrap();
        item.remove("created_at").unwrap().as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        item.retain(|field, _| field != "run_id" && field != "procedure");
    }
    let expected = json!([
        {"id": 3, "kind": "email_draft", "title": "Your bill", "body": "Dear Ada", "to": ["ada@example.org"],
         "cc": ["Bob"], "attachments": ["bill.pdf"]},
        {"id": 2, "kind": "task", "title": "Call Ada", "body": "About the bill", "assignee": "bob",
         "due": "2026-03-31", "priority": "high"},
        {"id": 1, "kind": "notification", "title": "Build", "body": "Ready", "level": "success"},
    ]);
    assert_eq!(json!(items), expected);
}

#[test]
fn calls_give_what_was_stored() {
    let home = Home::new();
    let mut client = home.start();
    let notified = json!({
        "id": 1, "message": "Ready", "title": null, "level": "info", "channel": "in_app", "sent": true,
    });
    assert_eq!(result(&mut client, "told", "notify('Ready')"), notified);
    let task = json!({
        "id": 2, "title": "Call", "description": "", "assignee": null, "due": null, "priority": null,
    });
    assert_eq!(result(&mut client, "task", "create_task(title='Call')"), task);
    assert_eq!(result(&mut client, "here", "notify('x', channel='in_app')['channel']"), json!("in_app"));
}

#[test]
fn arguments_that_make_no_sense_are_refused_and_nothing_is_stored() {
    let home = Home::new();
    let mut client = home.start();
    for (name, call, kind, wanted) in [
        ("empty", "notify('  ')", "ValueError", "`message` is empty"),
        ("level", "notify('x', level='loud')", "ValueError", "one of `info`"),
        ("channel", "notify('x', channel='slack')", "LookupError", "no channel `slack`; there are `in_app`"),
        ("long", "notify('x' * 70000)", "ValueError", "at most 64 KiB"),
        ("due", "create_task('x', due='soon')", "ValueError", "`due` is `soon`; write a date"),
        ("person", "draft_email('ada@', 'x', 'y')", "ValueError", "`to` has `ada@`"),
        ("header", "draft_email('ada', 'x\\nBcc: y', 'z')", "ValueError", "more than one line"),
        ("many", "notify('x', 'y')", "TypeError", "takes 1 positional arguments, 2 were given"),
        ("none", "draft_email('ada', 'x')", "TypeError", "missing field `body`"),
    ] {
        let error = raised(&mut client, name, call, kind);
        assert!(error.contains(wanted), "{call}: {error}");
    }
    assert_eq!(inbox(&mut client, json!({"include_resolved": true})), Vec::<Value>::new());
}

#[test]
fn the_inbox_is_filtered_and_what_is_resolved_leaves_it() {
    let home = Home::new();
    let mut client = home.start_with(&["--toolsets", "procedures,runs"], Protocol::V2026);
    execute_code(&mut client, "all_three", &code("all_three", ALL));
    assert_eq!(ids(&inbox(&mut client, json!({"kind": "task"}))), [2]);
    assert_eq!(ids(&inbox(&mut client, json!({"limit": 2}))), [3, 2]);
    let resolved = client.ok("resolve_inbox_item", json!({"item_id": 2}));
    assert_eq!(resolved["item_id"], json!(2));
    assert_eq!(ids(&inbox(&mut client, json!({}))), [3, 1]);
    let all = inbox(&mut client, json!({"include_resolved": true}));
    assert_eq!(ids(&all), [3, 2, 1]);
    assert_eq!((&all[1]["resolved_at"], &all[1]["resolved_by"]), (&resolved["resolved_at"], &resolved["resolved_by"]));
    let again = client.refused("resolve_inbox_item", json!({"item_id": 2}), "item_resolved");
    assert!(again.contains(text(&resolved, "resolved_by")), "{again}");
    client.refused("resolve_inbox_item", json!({"item_id": 99}), "item_not_found");
    client.refused("list_inbox", json!({"item_id": 99}), "item_not_found");
    client.refused("list_inbox", json!({"kind": "letter"}), "invalid_argument");
}

#[test]
fn items_survive_a_restart_and_are_seen_by_a_second_server() {
    let home = Home::new();
    let (mut first, mut second) = (home.start(), home.start());
    execute_code(&mut first, "all_three", &code("all_three", ALL));
    assert_eq!(ids(&inbox(&mut second, json!({}))), [3, 2, 1]);
    second.ok("resolve_inbox_item", json!({"item_id": 1}));
    assert_eq!(ids(&inbox(&mut first, json!({}))), [3, 2]);
    first.kill();
    assert!(second.close().success());
    let mut third = home.start();
    assert_eq!(ids(&inbox(&mut third, json!({}))), [3, 2]);
    third.ok("execute_procedure", json!({"procedure_id": "all_three"}));
    assert_eq!(ids(&inbox(&mut third, json!({}))), [6, 5, 4, 3, 2], "numbers are not given out twice");
}

#[test]
fn a_long_text_is_cut_in_the_list_and_read_in_pieces() {
    let home = Home::new();
    let mut client = home.start();
    result(&mut client, "long", "draft_email('Ada', 'Long', 'größer ' * 2500)");
    let listed = inbox(&mut client, json!({})).remove(0);
    assert_eq!((text(&listed, "body").chars().count(), &listed["next_offset"]), (1000, &json!(1000)));
    let (mut body, mut offset) = (String::new(), json!(0));
    loop {
        let item = inbox(&mut client, json!({"item_id": 1, "offset": offset})).remove(0);
        body.push_str(text(&item, "body"));
        match item.get("next_offset") {
            Some(next) => offset = next.clone(),
            None => break,
        }
    }
    assert_eq!(body, "größer ".repeat(2500));
}

#[test]
fn runs_that_wait_are_in_the_inbox_until_somebody_decides() {
    let home = Home::new();
    let mut client = home.start();
    let waits = |name: &str, call: &str| {
        format!(
            "from repertoire import approve, ask, call_procedure, manual_step\n\ndef {name}():\n    return {call}\n"
        )
    };
    execute_code(&mut client, "inner", &waits("inner", "approve('Send it?')"));
    let nested = execute_code(&mut client, "outer", &waits("outer", "call_procedure('inner')"));
    let step = execute_code(&mut client, "step", &waits("step", "manual_step('Look at the sky')"));
    execute_code(&mut client, "asks", &waits("asks", "ask('Which one?')"));
    result(&mut client, "told", "notify('Ready')");
    let shown = |items: &[Value]| -> Vec<(String, String, String)> {
        let shown = |item: &Value, field: &str| text(item, field).to_owned();
        items.iter().map(|item| (shown(item, "kind"), shown(item, "procedure"), shown(item, "body"))).collect()
    };
    let triple = |kind: &str, procedure: &str, body: &str| (kind.to_owned(), procedure.to_owned(), body.to_owned());
    let items = inbox(&mut client, json!({}));
    let expected = [
        triple("notification", "told", "Ready"),
        triple("question", "asks", "Which one?"),
        triple("step", "step", "Look at the sky"),
        triple("approval", "outer", "Send it?"),
        triple("approval", "inner", "Send it?"),
    ];
    assert_eq!(shown(&items), expected, "{items:?}");
    assert_eq!((&items[2]["run_id"], items[2].get("id")), (&step["run_id"], None));
    assert_eq!(shown(&inbox(&mut client, json!({"kind": "approval"}))), expected[3..]);
    assert_eq!(shown(&inbox(&mut client, json!({"kind": "step"}))), expected[2..3]);
    client.ok("resume_run", json!({"run_id": step["run_id"], "value": "blue"}));
    client.ok("cancel_run", json!({"run_id": nested["run_id"]}));
    assert_eq!(shown(&inbox(&mut client, json!({}))), [&expected[..2], &expected[4..]].concat());
}

#[test]
fn the_command_line_lists_shows_and_resolves() {
    let home = Home::new();
    assert_eq!(succeed(&home, &["--no-starters", "inbox"]), "The inbox is empty.\n");
    let mut client = home.start_with(&["--user", "ada"], Protocol::V2025);
    execute_code(&mut client, "all_three", &code("all_three", ALL));
    result(&mut client, "odd", "notify('\\x1b[31mred\\nsecond line')");
    let step = "from repertoire import manual_step\n\ndef look():\n    return manual_step('Look at the sky')\n";
    let run = execute_code(&mut client, "look", step);
    let as_ada = |arguments: &[&str]| succeed(&home, &[&["--user", "ada", "inbox"], arguments].concat());
    let printed = |arguments: &[&str]| as_ada(arguments).replace(text(&run, "run_id"), "[run]");
    check_snapshot(&home, "inbox", &printed(&[]));
    let draft = as_ada(&["show", "3"]);
    assert!(!as_ada(&["show", "4"]).contains('\x1b'));
    let draft: String =
        draft.lines().filter(|line| !line.starts_with("run_id:")).map(|line| format!("{line}\n")).collect();
    check_snapshot(&home, "inbox_show", &draft);
    assert_eq!(as_ada(&["resolve", "1", "3"]), "resolved 1\nresolved 3\n");
    assert!(fail(&home, &["--user", "ada", "inbox", "resolve", "3"]).contains("already resolved by `ada`"));
    assert!(fail(&home, &["--user", "ada", "inbox", "resolve", "9"]).contains("no item `9`"));
    check_snapshot(&home, "inbox_all", &printed(&["--all"]));
    let listed: Value = serde_json::from_str(&as_ada(&["--json"])).unwrap();
    assert_eq!(
        listed.as_array().unwrap().iter().map(|item| item["kind"].clone()).collect::<Vec<_>>(),
        [json!("step"), json!("notification"), json!("task"),]
    );
    assert_eq!(listed[0]["run_id"], run["run_id"]);
}

#[test]
fn items_are_for_who_ran_the_procedure_and_not_for_its_owner() {
    let home = Home::new();
    let mut users = ["ada", "bob", "carol"].map(|user| home.start_with(&["--user", user], Protocol::V2025));
    let [ada, bob, _] = &mut users;
    remember(ada, "shared", &code("shared", "notify('Ready')"));
    ada.ok("update_procedure", json!({"procedure_id": "shared", "is_shared": true}));
    bob.ok("execute_procedure", json!({"procedure_id": "shared"}));
    let [of_ada, of_bob, of_carol] = users.each_mut().map(|client| ids(&inbox(client, json!({}))));
    assert_eq!((of_ada, of_bob, of_carol), (vec![], vec![1], vec![]));
    for other in [0, 2] {
        users[other].refused("resolve_inbox_item", json!({"item_id": 1}), "item_not_found");
    }
    assert_eq!(users[1].ok("resolve_inbox_item", json!({"item_id": 1}))["resolved_by"], json!("bob"));
    assert_eq!(inbox(&mut users[1], json!({})), Vec::<Value>::new());
}
