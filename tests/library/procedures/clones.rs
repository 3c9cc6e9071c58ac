//! Copies of procedures: whose they are, what they are called, what they keep.

use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, Protocol, RawClient, remember, text},
};

fn start(home: &Home, user: &str) -> RawClient {
    home.start_with(&["--user", user], Protocol::V2025)
}

fn get(client: &mut RawClient, name: &str) -> Value {
    client.ok("get_procedure", json!({"procedure_id": name}))
}

const TWO: &str = "def _half(n: int) -> int:\n    \"\"\"Halve.\"\"\"\n    return n // 2\n\n\n\
                   def helper(n: int) -> int:\n    \"\"\"Add.\"\"\"\n    return n + 1\n\n\n\
                   def count(n: int) -> int:\n    \"\"\"Count down.\"\"\"\n    return 0 if n < 1 else 1 + count(_half(n))\n";

#[test]
fn a_copy_keeps_definition_code_and_trigger_and_belongs_to_who_made_it() {
    let home = Home::new();
    let (mut ada, mut bob) = (start(&home, "ada"), start(&home, "bob"));
    let original = json!({
        "name": "count", "description": "Count halvings.", "category": "sums", "tags": ["n"], "steps": ["Count"],
        "parameters": [{"name": "n", "type": "integer"}], "trigger": {"type": "event", "event_type": "counted"},
        "code": TWO, "is_shared": true, "icon": "sun",
    });
    let id = ada.ok("remember_procedure", original)["procedure_id"].clone();
    let answer = bob.ok("remember_procedure", json!({"clone_of": id}));
    assert_eq!((&answer["name"], &answer["version"]), (&json!("count_2"), &json!(1)), "{answer}");
    assert!(answer.get("similar").is_none(), "{answer}");
    let (source, copy) = (get(&mut bob, "count"), get(&mut bob, "count_2"));
    assert_eq!((&source["definition"], &source["trigger"]), (&copy["definition"], &copy["trigger"]));
    assert_eq!(text(&copy["definition"], "icon"), "sun");
    assert_eq!((&copy["owner"], &copy["is_shared"], &copy["run_count"]), (&json!("bob"), &json!(false), &json!(0)));
    // With several public functions it is the name that says which one is called.
    assert_eq!(text(&copy, "code"), TWO.replace("count", "count_2"));
    let run = bob.ok("execute_procedure", json!({"procedure_id": "count_2", "parameters": {"n": 8}}));
    assert_eq!(run["result"], json!(4), "{run}");
    ada.refused("get_procedure", json!({"procedure_id": "count_2"}), "procedure_not_found");
    // The number of a name that somebody else has is skipped, and nobody's private procedure is copied.
    let copies: Vec<Value> =
        (0..2).map(|_| ada.ok("remember_procedure", json!({"clone_of": "count"}))["name"].clone()).collect();
    assert_eq!(copies, [json!("count_3"), json!("count_4")]);
    ada.refused("remember_procedure", json!({"clone_of": "count_2"}), "procedure_not_found");
    ada.refused("remember_procedure", json!({"clone_of": "count", "name": "count_2"}), "name_taken");
    ada.refused("remember_procedure", json!({"clone_of": "count", "name": "Count"}), "name_taken");
}

#[test]
fn given_fields_override_those_of_the_source() {
    let home = Home::new();
    let mut client = start(&home, "ada");
    client.ok("remember_procedure", json!({"name": "greet", "steps": ["Run `echo {{whom}}`"], "enabled": false}));
    client.ok("generate_procedure_code", json!({"procedure_id": "greet", "use_llm": false}));
    let disabled = get(&mut client, "greet");
    let copy = client.ok("remember_procedure", json!({"clone_of": "greet", "name": "Salute", "tags": ["new"]}));
    assert_eq!((&copy["name"], &copy["has_code"]), (&json!("salute"), &json!(true)), "{copy}");
    let copy = get(&mut client, "salute");
    let (before, after) = (&disabled["definition"], &copy["definition"]);
    assert_eq!((&before["enabled"], &after["enabled"], &after["tags"]), (&json!(false), &json!(true), &json!(["new"])));
    assert_eq!(text(&copy, "code"), text(&disabled, "code").replace("greet", "salute"));
    // Compiled code follows the steps; written code is kept, or replaced by what is given.
    client.ok("remember_procedure", json!({"clone_of": "greet", "name": "other", "steps": ["Run `ls {{whom}}`"]}));
    let code = text(&get(&mut client, "other"), "code").to_owned();
    assert!(code.contains("\"ls\"") && code.contains("def other("), "{code}");
    let given = "def mine() -> int:\n    return 1\n";
    client.ok("remember_procedure", json!({"clone_of": "greet", "name": "mine", "code": given}));
    assert_eq!(get(&mut client, "mine")["code"], json!(given));
    client.ok("remember_procedure", json!({"clone_of": "mine", "name": "steps", "steps": ["Run `ls`"]}));
    assert_eq!(get(&mut client, "steps")["code"], json!(given.replace("mine", "steps")));
}

#[test]
fn what_can_not_be_copied_is_refused() {
    let home = Home::new();
    let mut client = start(&home, "ada");
    remember(&mut client, "seed", "def seed() -> int:\n    return 1\n");
    let error = client.refused("remember_procedure", json!({"steps": ["Do it"]}), "invalid_argument");
    assert!(error.contains("`name`"), "{error}");
    let error = client.refused("remember_procedure", json!({"clone_of": "sead"}), "procedure_not_found");
    assert!(error.contains("`seed`"), "{error}");
    client.refused("remember_procedure", json!({"clone_of": "seed", "name": "42"}), "invalid_argument");
    client.refused("remember_procedure", json!({"clone_of": "seed", "owner": "bob"}), "invalid_argument");
    client.refused(
        "remember_procedure",
        json!({"clone_of": "seed", "code": "import os\nos.system('x')"}),
        "code_rejected",
    );
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(1));
    // What waits for a review does so in a copy, too; what was put away is in use again.
    for (status, copied) in [("candidate", "candidate"), ("archived", "active")] {
        client.ok("update_procedure", json!({"procedure_id": "seed", "status": status}));
        assert_eq!(client.ok("remember_procedure", json!({"clone_of": "seed"}))["status"], json!(copied));
    }
    client.ok("delete_procedure", json!({"procedure_id": "seed"}));
    client.refused("remember_procedure", json!({"clone_of": "seed"}), "procedure_deleted");
}

#[test]
fn a_long_name_still_takes_a_number() {
    let home = Home::new();
    let mut client = start(&home, "ada");
    let name = "long_".repeat(12);
    let name = name.trim_end_matches('_');
    client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"]}));
    for number in 2..=11 {
        let copy = client.ok("remember_procedure", json!({"clone_of": name}));
        let given = text(&copy, "name");
        assert!(given.ends_with(&format!("_{number}")) && given.len() <= 60, "{given}");
        assert_eq!(copy["has_code"], json!(false));
    }
}

#[test]
fn the_command_line_copies() {
    let home = Home::new();
    let as_ada = |arguments: &[&str]| succeed(&home, &[&["--user", "ada"], arguments].concat());
    assert_eq!(as_ada(&["clone", "word_statistics"]).lines().count(), 1);
    let printed = as_ada(&["clone", "signal_alert", "Watch"]);
    assert!(printed.contains("`watch`") && printed.contains("`market_signals.relevance_score` gt 0.8"), "{printed}");
    assert!(as_ada(&["clone", "post_meeting"]).contains("An event `calendar_event_ended` starts it"));
    let shown: Value = serde_json::from_str(&as_ada(&["show", "watch", "--json"])).unwrap();
    assert_eq!((&shown["owner"], shown.get("is_shared")), (&json!("ada"), None), "{shown}");
    assert!(as_ada(&["show", "watch", "--code"]).contains("def watch(trigger"));
    assert!(fail(&home, &["clone", "signal_alerts"]).contains("`signal_alert`"));
    assert!(fail(&home, &["clone", "clean_text", "clean_text"]).contains("already is a procedure"));
}
