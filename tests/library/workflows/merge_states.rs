//! One state of those of parallel branches.

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, remember};

#[test]
fn branches_become_one_state_field_by_field() {
    let home = Home::new();
    let mut client = home.start_with(&["--toolsets", "checkpoints", "--read-only"], Protocol::V2026);
    let states = json!([
        {"messages": ["a"], "context": {"user": "ada", "step": 1}, "score": 0.5, "done": false},
        {"messages": ["b", "c"], "context": {"step": 2}, "score": null, "done": true},
        {"messages": "d", "score": 0.25, "notes": "only here"},
    ]);
    let answer = client.ok(
        "merge_states",
        json!({"states": states, "field_reducers": {"messages": "append", "context": "merge_dict", "score": "max"}}),
    );
    let wanted = json!({
        "messages": ["a", "b", "c", "d"], "context": {"user": "ada", "step": 2}, "score": 0.5, "done": true,
        "notes": "only here",
    });
    assert_eq!(answer["state"], wanted);
    let first = client.ok("merge_states", json!({"states": states, "default_reducer": "first_value"}));
    assert_eq!((&first["state"]["messages"], &first["state"]["done"]), (&json!(["a"]), &json!(false)));
    let as_text = client.ok("merge_states", json!({"states": states.to_string()}));
    assert_eq!(as_text["state"]["messages"], json!("d"), "a list that arrives as JSON text is read");
    assert_eq!(client.ok("merge_states", json!({"states": []}))["state"], json!({}));
    assert_eq!(client.ok("merge_states", json!({"states": [{"x": null}]}))["state"], json!({"x": null}));
}

#[test]
fn what_does_not_fit_is_refused_with_the_place_and_what_to_do() {
    let home = Home::new();
    let mut client = home.start();
    let states = json!([{"score": 1}, {}, {"score": "high"}]);
    let clash = client.refused(
        "merge_states",
        json!({"states": states, "field_reducers": {"score": "sum"}}),
        "invalid_argument",
    );
    for part in ["`score`", "branch 2", "a text", "a number", "field_reducers"] {
        assert!(clash.contains(part), "no {part} in {clash}");
    }
    let unknown = client.refused(
        "merge_states",
        json!({"states": states, "field_reducers": {"score": "average"}}),
        "invalid_argument",
    );
    assert!(unknown.contains("`field_reducers.score`") && unknown.contains("`deep_merge`"), "{unknown}");
    client.refused("merge_states", json!({"states": states, "default_reducer": "newest"}), "invalid_argument");
    client.refused("merge_states", json!({"states": [1]}), "invalid_argument");
    client.refused("merge_states", json!({}), "invalid_argument");
}

#[test]
fn a_large_state_comes_back_whole() {
    let home = Home::new();
    let mut client = home.start();
    let items = |from: u32| (from..from + 20_000).map(Value::from).collect::<Vec<_>>();
    let states = json!([{"items": items(0)}, {"items": items(20_000)}]);
    let answer = client.ok("merge_states", json!({"states": states, "default_reducer": "append"}));
    assert_eq!(answer["state"]["items"].as_array().unwrap().len(), 40_000);
    assert_eq!(answer.get("truncated"), None, "only the text beside it is cut");
}

const LONGEST: &str = "def longest(values: list, field: str) -> str:\n    return field + ':' + max(values, key=len)\n";

#[test]
fn a_procedure_can_be_a_reducer() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "longest", LONGEST);
    remember(&mut client, "sum", "def sum_of(values: list):\n    return 'the built-in one has the name'\n");
    remember(&mut client, "script", "[parameters['field'], len(parameters['values'])]\n");
    let states = json!([
        {"a": "x", "n": 1, "b": null, "c": [1]}, {"a": null, "n": 2, "b": null, "c": 5}, {"a": "yyy", "b": null},
    ]);
    let reducers = json!({"a": "longest", "n": "sum", "b": "procedure:longest", "c": "procedure:script"});
    let merged = client.ok("merge_states", json!({"states": states, "field_reducers": reducers}));
    assert_eq!(merged["state"], json!({"a": "a:yyy", "n": 3, "b": null, "c": ["c", 2]}));
    let by_default = json!({"states": [{"a": "x"}, {"a": "yy", "b": "z"}], "default_reducer": "longest"});
    assert_eq!(client.ok("merge_states", by_default)["state"], json!({"a": "a:yy", "b": "b:z"}));
    let named = json!({"states": [{"n": 1}, {"n": 2}], "default_reducer": "procedure:sum"});
    assert_eq!(client.ok("merge_states", named)["state"]["n"], json!("the built-in one has the name"));
    let single = json!({"states": [{"a": "x"}], "default_reducer": "longest"});
    assert_eq!(client.ok("merge_states", single)["state"], json!({"a": "x"}), "a single state stays as it is");
    let runs = client.ok("list_runs", json!({"procedure_id": "longest"}));
    assert_eq!(runs["count"], json!(3), "its runs are runs like any other: {runs}");
}

#[test]
fn a_procedure_that_gives_no_value_is_named_with_its_field() {
    let home = Home::new();
    let mut client = home.start();
    for (name, code) in [
        ("raises", "def raises(values):\n    raise ValueError('no winner')\n"),
        ("pauses", "from repertoire import ask\n\n\ndef pauses(values):\n    return ask('Which?')\n"),
        ("picky", "def picky(values: list, weight: int):\n    return 1\n"),
        ("blind", "def blind(items):\n    return 1\n"),
    ] {
        remember(&mut client, name, code);
    }
    client.ok("remember_procedure", json!({"name": "bare", "steps": ["Do it"]}));
    let states = json!([{"score": 1}, {"score": 2}]);
    for (reducer, code, wanted) in [
        ("raises", "reducer_failed", "it raised ValueError: no winner"),
        ("pauses", "reducer_failed", "it paused (\"Which?\") and was cancelled"),
        ("picky", "reducer_failed", "missing parameter `weight`"),
        ("blind", "invalid_argument", "has no parameter `values`"),
        ("bare", "invalid_argument", "has no code yet"),
        ("nowhere", "invalid_argument", "there is no reducer `nowhere`"),
        ("procedure:nowhere", "invalid_argument", "there is no procedure `nowhere`"),
        ("procedure:append", "invalid_argument", "there is no procedure `append`"),
    ] {
        let arguments = json!({"states": states, "field_reducers": {"score": reducer}});
        let error = client.refused("merge_states", arguments, code);
        let name = reducer.trim_start_matches("procedure:");
        for part in [wanted, "score", name] {
            assert!(error.contains(part), "no {part} in {error}");
        }
    }
    let inbox = client.ok("list_inbox", json!({}));
    assert_eq!(inbox["count"], json!(0), "nothing is left that waits: {inbox}");
    client.ok("update_procedure", json!({"procedure_id": "raises", "enabled": false}));
    let arguments = json!({"states": states, "field_reducers": {"score": "raises"}});
    assert!(client.refused("merge_states", arguments, "reducer_failed").contains("disabled"));
}

#[test]
fn a_read_only_server_merges_but_executes_nothing() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "longest", LONGEST);
    let hints = |client: &mut RawClient| {
        let tools = client.tools();
        let tool = tools.iter().find(|tool| tool["name"] == json!("merge_states")).unwrap();
        (tool["annotations"]["readOnlyHint"].clone(), tool["annotations"]["destructiveHint"].clone())
    };
    assert_eq!(hints(&mut client), (json!(false), json!(true)), "a procedure may do anything");
    let mut reading = home.start_with(&["--read-only"], Protocol::V2026);
    assert_eq!(hints(&mut reading), (json!(true), Value::Null), "what only reads destroys nothing");
    let arguments = json!({"states": [{"a": "x"}, {"a": "y"}], "field_reducers": {"a": "longest"}});
    let error = reading.refused("merge_states", arguments, "invalid_argument");
    assert!(error.contains("`longest`") && error.contains("read-only"), "{error}");
    assert_eq!(client.ok("list_runs", json!({}))["count"], json!(0));
}
