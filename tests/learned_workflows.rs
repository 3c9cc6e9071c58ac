//! The test list of the document on learned workflows, a test each under the document's name, over stdio.
//!
//! What is called otherwise here: `create_workflow` is `remember_procedure`, `trigger_conditions` the `trigger`,
//! `find_matching_workflow` is `match_procedures`, which gives all that match, best first, and an empty list where nothing
//! does. A rate is `null` before the first run has ended, not 0, which would say that it always failed
//! (`docs/design/decisions.md`).

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, text};

const FOLLOW_UP: &str = "follow_up_sequence";
/// Does what the caller says.
const ON_DEMAND: &str = "def NAME(fail: bool = False) -> int:\n    \"\"\"Fail on demand; else return 1.\"\"\"\n    \
                         if fail:\n        raise ValueError('no')\n    return 1\n";

fn start(home: &Home, user: &str) -> RawClient {
    home.start_with(&["--user", user], Protocol::V2025)
}

fn create(client: &mut RawClient, name: &str, trigger: Value, fields: Value) -> Value {
    let mut arguments = json!({
        "name": name, "description": "Standard follow-up", "steps": ["Send the e-mail follow_up_1"], "trigger": trigger,
        "code": ON_DEMAND.replace("NAME", name),
    });
    arguments.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    client.ok("remember_procedure", arguments)
}

fn execute(client: &mut RawClient, name: &str, successes: u32, failures: u32) {
    for fail in (0..successes).map(|_| false).chain((0..failures).map(|_| true)) {
        client.call("execute_procedure", json!({"procedure_id": name, "parameters": {"fail": fail}}));
    }
}

fn get(client: &mut RawClient, name: &str) -> Value {
    client.ok("get_procedure", json!({"procedure_id": name}))
}

fn stats(client: &mut RawClient, name: &str) -> Value {
    client.ok("get_procedure_stats", json!({"procedure_id": name}))
}

fn names(answer: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        answer["procedures"].as_array().unwrap().iter().map(|one| text(one, "name").to_owned()).collect();
    names.sort();
    names
}

fn matching(client: &mut RawClient, context: Value) -> Vec<String> {
    let answer = client.ok("match_procedures", json!({"context": context}));
    answer["procedures"].as_array().unwrap().iter().map(|one| text(one, "name").to_owned()).collect()
}

#[test]
fn workflow_initialization() {
    let home = Home::new();
    let mut client = start(&home, "user-456");
    let fields = json!({
        "description": "Standard follow-up after initial meeting", "is_shared": false,
        "steps": ["Wait a day", "Send the e-mail follow_up_1", "Wait three days", "Send the e-mail follow_up_2"],
    });
    let trigger = json!({"event": "meeting_completed", "lead_stage": "qualified"});
    create(&mut client, FOLLOW_UP, trigger.clone(), fields);
    execute(&mut client, FOLLOW_UP, 3, 1);
    let workflow = get(&mut client, FOLLOW_UP);
    assert_eq!((text(&workflow, "name"), text(&workflow, "owner")), (FOLLOW_UP, "user-456"));
    assert_eq!(workflow["definition"]["description"], json!("Standard follow-up after initial meeting"));
    assert_eq!(workflow["trigger"], trigger, "{workflow}");
    assert_eq!(workflow["definition"]["steps"].as_array().unwrap().len(), 4);
    assert_eq!((&workflow["is_shared"], &workflow["version"]), (&json!(false), &json!(1)));
    let counted = stats(&mut client, FOLLOW_UP)["execution_stats"].clone();
    assert_eq!((&counted["success"], &counted["failure"]), (&json!(3), &json!(1)));
}

#[test]
fn workflow_success_rate_calculation() {
    let home = Home::new();
    let mut client = home.start();
    create(&mut client, "test_workflow", json!({}), json!({}));
    execute(&mut client, "test_workflow", 3, 1);
    assert_eq!(stats(&mut client, "test_workflow")["success_rate"], json!(0.75));
    assert_eq!(get(&mut client, "test_workflow")["success_rate"], json!(0.75));
}

#[test]
fn workflow_success_rate_zero_executions() {
    let home = Home::new();
    let mut client = home.start();
    create(&mut client, "test_workflow", json!({}), json!({}));
    assert_eq!(stats(&mut client, "test_workflow").get("success_rate"), Some(&Value::Null));
}

#[test]
fn workflow_to_dict_serializes_correctly() {
    let home = Home::new();
    let mut client = start(&home, "user-456");
    create(&mut client, FOLLOW_UP, json!({"event": "meeting_completed"}), json!({"is_shared": true}));
    client.ok("update_procedure", json!({"procedure_id": FOLLOW_UP, "tags": ["sales"]}));
    let workflow = get(&mut client, FOLLOW_UP);
    assert_eq!((&workflow["is_shared"], &workflow["version"]), (&json!(true), &json!(2)), "{workflow}");
    assert_eq!(workflow["definition"]["steps"], json!(["Send the e-mail follow_up_1"]));
    for field in ["created_at", "updated_at"] {
        text(&workflow, field).parse::<jiff::Timestamp>().unwrap();
    }
}

#[test]
fn workflow_from_dict_deserializes_correctly() {
    let home = Home::new();
    let mut client = home.start();
    create(&mut client, FOLLOW_UP, json!({"lead_source": "conference"}), json!({"description": "Cold outreach"}));
    // What is shown of a definition is what makes one.
    let shown = get(&mut client, FOLLOW_UP);
    let mut again = shown["definition"].clone();
    let fields = again.as_object_mut().unwrap();
    for field in ["created_by", "owner"] {
        fields.remove(field);
    }
    fields.insert("name".to_owned(), json!("outreach_sequence"));
    fields.insert("trigger".to_owned(), shown["trigger"].clone());
    client.ok("remember_procedure", again);
    let copy = get(&mut client, "outreach_sequence");
    assert_eq!(copy["definition"], shown["definition"]);
    assert_eq!(copy["trigger"], json!({"lead_source": "conference"}));
}

#[test]
fn procedural_memory_has_required_methods() {
    let home = Home::new();
    let tools = home.start().tools();
    let names: Vec<&str> = tools.iter().map(|tool| text(tool, "name")).collect();
    for tool in [
        "remember_procedure",
        "get_procedure",
        "update_procedure",
        "delete_procedure",
        "match_procedures",
        "list_procedures",
    ] {
        assert!(names.contains(&tool), "{tool} is not among {names:?}");
    }
}

#[test]
fn create_workflow_stores() {
    let home = Home::new();
    let mut client = home.start();
    create(&mut client, FOLLOW_UP, json!({"event": "meeting_completed"}), json!({}));
    client.kill();
    assert_eq!(names(&home.start().ok("list_procedures", json!({}))), [FOLLOW_UP]);
}

#[test]
fn create_workflow_generates_id_if_missing() {
    let home = Home::new();
    let mut client = home.start();
    let ids: Vec<i64> = ["one", "two"]
        .iter()
        .map(|name| create(&mut client, name, json!({}), json!({}))["procedure_id"].as_i64().unwrap())
        .collect();
    assert!(ids[0] > 0 && ids[1] > ids[0], "{ids:?}");
}

#[test]
fn get_workflow_retrieves_by_id() {
    let home = Home::new();
    let mut client = home.start();
    let id = create(&mut client, "follow_up", json!({"event": "meeting"}), json!({}))["procedure_id"].clone();
    let workflow = client.ok("get_procedure", json!({"procedure_id": id}));
    assert_eq!((&workflow["procedure_id"], text(&workflow, "name")), (&id, "follow_up"));
}

#[test]
fn get_workflow_raises_not_found() {
    let home = Home::new();
    let error = home.start().refused("get_procedure", json!({"procedure_id": "nonexistent"}), "procedure_not_found");
    assert!(error.contains("`nonexistent`"), "{error}");
}

#[test]
fn update_workflow_updates() {
    let home = Home::new();
    let mut client = home.start();
    create(&mut client, FOLLOW_UP, json!({"event": "old_event"}), json!({}));
    let changes = json!({"procedure_id": FOLLOW_UP, "description": "Updated description", "expected_version": 1,
                         "trigger": {"event": "new_event"}, "steps": ["New action"], "is_shared": true});
    assert_eq!(client.ok("update_procedure", changes)["version"], json!(2), "one more than before");
    let workflow = get(&mut client, FOLLOW_UP);
    assert_eq!(workflow["trigger"], json!({"event": "new_event"}));
    assert_eq!(workflow["definition"]["steps"], json!(["New action"]));
}

#[test]
fn update_workflow_raises_not_found() {
    let home = Home::new();
    let changes = json!({"procedure_id": "nonexistent", "description": "Test"});
    home.start().refused("update_procedure", changes, "procedure_not_found");
}

#[test]
fn delete_workflow_removes() {
    let home = Home::new();
    let mut client = home.start();
    create(&mut client, FOLLOW_UP, json!({}), json!({}));
    client.ok("delete_procedure", json!({"procedure_id": FOLLOW_UP}));
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(0));
    client.refused("execute_procedure", json!({"procedure_id": FOLLOW_UP}), "procedure_deleted");
}

#[test]
fn delete_workflow_raises_not_found() {
    let home = Home::new();
    home.start().refused("delete_procedure", json!({"procedure_id": "nonexistent"}), "procedure_not_found");
}

/// Ten successes and two failures, and then what somebody reports who did it by reading.
fn recorded(outcome: &str) -> Value {
    let home = Home::new();
    let mut client = start(&home, "user-1");
    create(&mut client, FOLLOW_UP, json!({"event_type": "follow_up"}), json!({}));
    execute(&mut client, FOLLOW_UP, 10, 2);
    client.ok("record_outcome", json!({"procedure_id": FOLLOW_UP, "outcome": outcome}));
    stats(&mut client, FOLLOW_UP)
}

#[test]
fn record_outcome_increments_success_count() {
    let stats = recorded("success");
    assert_eq!(
        (&stats["execution_stats"]["success"], &stats["reported_stats"]["success"]),
        (&json!(10), &json!(1)),
        "{stats}"
    );
    assert!(stats["success_rate"].as_f64().is_some_and(|rate| (rate - 11.0 / 13.0).abs() < 0.001), "{stats}");
}

#[test]
fn record_outcome_increments_failure_count() {
    let stats = recorded("failure");
    assert_eq!(
        (&stats["execution_stats"]["failure"], &stats["reported_stats"]["failure"]),
        (&json!(2), &json!(1)),
        "{stats}"
    );
    assert!(stats["success_rate"].as_f64().is_some_and(|rate| (rate - 10.0 / 13.0).abs() < 0.001), "{stats}");
}

#[test]
fn record_outcome_raises_not_found() {
    let home = Home::new();
    let mut client = start(&home, "user-1");
    let error = client.call("record_outcome", json!({"procedure_id": "nonexistent", "outcome": "success"}));
    assert_eq!(error["error_code"], json!("procedure_not_found"), "{error}");
}

#[test]
fn find_matching_workflow_returns_best_match() {
    let home = Home::new();
    let mut client = home.start();
    let qualified = json!({"event": "meeting_completed", "lead_stage": "qualified"});
    create(&mut client, "meeting_followup", qualified.clone(), json!({}));
    create(&mut client, "cold_outreach", json!({"event": "new_lead", "source": "conference"}), json!({}));
    execute(&mut client, "meeting_followup", 4, 1);
    execute(&mut client, "cold_outreach", 1, 1);
    assert_eq!(matching(&mut client, qualified), ["meeting_followup"]);
}

#[test]
fn find_matching_workflow_returns_none_when_no_match() {
    let home = Home::new();
    let mut client = home.start();
    create(&mut client, "meeting_followup", json!({"event": "meeting_completed"}), json!({}));
    assert_eq!(matching(&mut client, json!({"event": "unknown_event"})), [""; 0]);
}

#[test]
fn find_matching_workflow_prefers_higher_success_rate() {
    let home = Home::new();
    let mut client = home.start();
    create(&mut client, "workflow_low", json!({"event": "test"}), json!({}));
    create(&mut client, "workflow_high", json!({"event": "test"}), json!({}));
    execute(&mut client, "workflow_low", 1, 9);
    execute(&mut client, "workflow_high", 9, 1);
    assert_eq!(matching(&mut client, json!({"event": "test"})), ["workflow_high", "workflow_low"]);
}

#[test]
fn list_workflows_returns_user_workflows() {
    let home = Home::new();
    let mut client = start(&home, "user-456");
    for name in ["workflow_1", "workflow_2"] {
        create(&mut client, name, json!({}), json!({}));
    }
    create(&mut start(&home, "other-user"), "workflow_3", json!({}), json!({}));
    assert_eq!(names(&client.ok("list_procedures", json!({}))), ["workflow_1", "workflow_2"]);
}

/// One's own, and one that somebody else shares.
fn with_shared(home: &Home) -> RawClient {
    create(&mut start(home, "other-user"), "shared_workflow", json!({}), json!({"is_shared": true}));
    let mut client = start(home, "user-456");
    create(&mut client, "own_workflow", json!({}), json!({}));
    client
}

#[test]
fn list_workflows_includes_shared_workflows() {
    let home = Home::new();
    let listed = with_shared(&home).ok("list_procedures", json!({"include_shared": true}));
    assert_eq!(names(&listed), ["own_workflow", "shared_workflow"]);
}

#[test]
fn list_workflows_excludes_shared_when_disabled() {
    let home = Home::new();
    let listed = with_shared(&home).ok("list_procedures", json!({"include_shared": false}));
    assert_eq!(names(&listed), ["own_workflow"]);
}
