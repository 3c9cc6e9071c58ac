//! Conditions on values: they call as they become true, for each whose value it is, across servers.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, text};

fn condition(client: &mut RawClient, name: &str, mut trigger: Value) {
    trigger["type"] = json!("condition");
    let code = format!("def {name}(trigger: dict) -> dict:\n    \"\"\"Return it.\"\"\"\n    return trigger\n");
    client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "trigger": trigger, "code": code}));
}

/// The names of what an event runs.
fn emit(client: &mut RawClient, payload: Value) -> Vec<String> {
    let answer = client.ok("emit_event", json!({"event_type": "changed", "payload": payload}));
    let runs = answer["runs"].as_array().unwrap();
    assert!(runs.iter().all(|run| run["outcome"] == json!("success")), "{answer}");
    runs.iter().map(|run| text(run, "name").to_owned()).collect()
}

const NOBODY: [&str; 0] = [];

#[test]
fn a_condition_calls_as_it_becomes_true_and_not_while_it_holds() {
    let home = Home::new();
    let mut client = home.start();
    condition(&mut client, "cold", json!({"field": "room.celsius", "op": "lt", "value": 18}));
    condition(&mut client, "tagged", json!({"field": "tags", "op": "contains", "value": "vip"}));
    let celsius = |degrees: Value| json!({"room": {"celsius": degrees}});
    assert_eq!(emit(&mut client, celsius(json!(21))), NOBODY);
    assert_eq!(emit(&mut client, celsius(json!(17.5))), ["cold"]);
    for degrees in [json!(17), json!("16"), json!(-3)] {
        assert_eq!(emit(&mut client, celsius(degrees)), NOBODY, "it holds all the time");
    }
    // An event that says nothing of it changes nothing.
    assert_eq!(emit(&mut client, json!({"humidity": 40})), NOBODY);
    assert_eq!(emit(&mut client, celsius(Value::Null)), NOBODY);
    assert_eq!(emit(&mut client, celsius(json!(3))), NOBODY);
    // Another process knows that, too.
    assert!(client.close().success());
    let (mut client, mut other) = (home.start(), home.start());
    assert_eq!(emit(&mut client, celsius(json!(2))), NOBODY);
    assert_eq!(emit(&mut other, celsius(json!(18))), NOBODY);
    assert_eq!(emit(&mut client, celsius(json!("17.9"))), ["cold"]);
    assert_eq!(emit(&mut client, json!({"tags": ["new"]})), NOBODY);
    assert_eq!(emit(&mut client, json!({"tags": ["new", "vip"]})), ["tagged"]);
    assert_eq!(emit(&mut client, json!({"tags": ["vip"], "room": {"celsius": 20}})), NOBODY);
    let both = emit(&mut client, json!({"tags": [], "room": {"celsius": 1}}));
    assert_eq!(both, ["cold"]);
    // What finds procedures for a situation asks what is, not what becomes.
    for _ in 0..2 {
        let found = client.ok("match_procedures", json!({"context": celsius(json!("5"))}));
        assert_eq!((&found["count"], &found["procedures"][0]["name"]), (&json!(1), &json!("cold")));
    }
}

#[test]
fn each_entity_is_looked_at_by_itself_and_only_if_the_condition_is_about_it() {
    let home = Home::new();
    let mut client = home.start();
    let trigger = json!({"condition_field": "health", "condition_operator": "lt", "condition_value": "50",
                         "condition_entity": "lead"});
    condition(&mut client, "rescue", trigger);
    let health = |entity: &str, id: i64, health: Value| json!({"entity": entity, "entity_id": id, "health": health});
    assert_eq!(emit(&mut client, health("account", 1, json!(10))), NOBODY, "it is about leads");
    assert_eq!(emit(&mut client, health("lead", 1, json!("30"))), ["rescue"]);
    assert_eq!(emit(&mut client, health("lead", 2, json!(30))), ["rescue"], "another lead");
    assert_eq!(emit(&mut client, health("lead", 1, json!(20))), NOBODY);
    assert_eq!(emit(&mut client, health("lead", 2, json!(80))), NOBODY);
    assert_eq!(emit(&mut client, health("lead", 1, json!(10))), NOBODY, "it was the other that recovered");
    assert_eq!(emit(&mut client, health("lead", 2, json!(49.9))), ["rescue"]);
    assert_eq!(emit(&mut client, json!({"entity": "lead", "lead_id": 3, "health": 0})), ["rescue"]);
    assert_eq!(emit(&mut client, json!({"entity": "lead", "lead_id": 3, "health": 0})), NOBODY);
}

#[test]
fn after_a_call_there_is_silence_for_as_long_as_was_asked() {
    let home = Home::new();
    let mut client = home.start();
    condition(&mut client, "long", json!({"field": "x", "op": "gt", "value": 1, "cooldown_seconds": 3600}));
    condition(&mut client, "short", json!({"field": "x", "op": "gt", "value": 1, "cooldown_seconds": "1"}));
    condition(&mut client, "none", json!({"field": "x", "op": "gt", "value": 1}));
    let shown = client.ok("get_procedure", json!({"procedure_id": "short"}));
    assert_eq!(shown["trigger"]["cooldown_seconds"], json!(1), "{shown}");
    let mut first = emit(&mut client, json!({"x": 2}));
    first.sort();
    assert_eq!(first, ["long", "none", "short"]);
    emit(&mut client, json!({"x": 0}));
    assert!(!emit(&mut client, json!({"x": 2})).contains(&"long".to_owned()));
    // Once the second is over, what became true in it is said.
    crate::common::eventually("it calls again", || {
        let called = emit(&mut client, json!({"x": 3}));
        assert!(!called.contains(&"long".to_owned()) && !called.contains(&"none".to_owned()), "{called:?}");
        called == ["short"]
    });
    let wrong = json!({"name": "wrong", "steps": ["Do it"],
        "trigger": {"type": "condition", "field": "x", "op": "gt", "value": 1, "cooldown_seconds": -5}});
    let error = client.refused("remember_procedure", wrong, "invalid_argument");
    assert!(error.contains("`cooldown_seconds` must be a whole number"), "{error}");
}

#[test]
fn a_condition_that_was_changed_or_off_begins_anew() {
    let home = Home::new();
    let mut client = home.start();
    condition(&mut client, "low", json!({"field": "stock", "op": "lt", "value": 10}));
    assert_eq!(emit(&mut client, json!({"stock": 5})), ["low"]);
    client.ok("update_procedure", json!({"procedure_id": "low", "description": "Order more"}));
    assert_eq!(emit(&mut client, json!({"stock": 5})), NOBODY, "the condition is the same");
    let trigger = json!({"type": "condition", "field": "stock", "op": "lt", "value": 20});
    client.ok("update_procedure", json!({"procedure_id": "low", "trigger": trigger}));
    assert_eq!(emit(&mut client, json!({"stock": 5})), ["low"]);
    client.ok("update_procedure", json!({"procedure_id": "low", "enabled": false}));
    assert_eq!(emit(&mut client, json!({"stock": 5})), NOBODY);
    client.ok("update_procedure", json!({"procedure_id": "low", "enabled": true}));
    assert_eq!(emit(&mut client, json!({"stock": 5})), ["low"]);
}

/// Whoever is first says it, and nobody else.
#[test]
fn of_many_events_at_once_one_finds_that_it_becomes_true() {
    let home = Home::new();
    let mut servers: Vec<RawClient> = (0..4).map(|_| home.start()).collect();
    condition(&mut servers[0], "full", json!({"field": "disk.used", "op": "gt", "value": 0.9}));
    for round in 0..5 {
        let event = |used: f64| json!({"event_type": "measured", "payload": {"disk": {"used": used}}});
        let ids: Vec<i64> = servers.iter_mut().map(|server| server.send_call("emit_event", event(0.95))).collect();
        let counts = servers.iter_mut().zip(ids).map(|(server, id)| {
            let answer = server.answer(id);
            answer["result"]["structuredContent"]["count"].as_u64().unwrap()
        });
        assert_eq!(counts.sum::<u64>(), 1, "round {round}");
        let below = servers[round % 4].ok("emit_event", event(0.1));
        assert_eq!(below["count"], json!(0));
    }
}
