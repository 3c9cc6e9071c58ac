//! One state of those of parallel branches.

use serde_json::{Value, json};

use crate::common::{Home, Protocol};

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
