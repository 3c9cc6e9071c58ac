//! The test lists of the document on workflows that users define (models, engine, prebuilt ones, routes), a test each under
//! the document's name, over stdio.
//!
//! What is called otherwise here: a definition's `actions` are the `steps` of a procedure, its `metadata` are fields beside
//! them, a run that is `completed` is `succeeded`, one that is `paused_for_approval` is `paused` and says what it waits for.
//! Each is tested in depth in `compiler::workflows`, `library::triggers` and `library::procedures::workflow_starters`.

use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use crate::common::fake_clock::FakeClock;
use crate::common::{Home, Protocol, RawClient, eventually, remember, text};

/// A skill that returns where it was called.
const SKILL: &str = "def NAME(template: str = '') -> dict:\n    \"\"\"Return a briefing for `template`.\"\"\"\n    \
                     return {'result': 'output of NAME'}\n";
const FAILING: &str = "def failing_skill() -> None:\n    \"\"\"Fail.\"\"\"\n    raise RuntimeError('Skill failed')\n";

fn action(step_id: &str, kind: &str, config: Value) -> Value {
    json!({"step_id": step_id, "action_type": kind, "config": config})
}

fn skill(client: &mut RawClient, name: &str) {
    remember(client, name, &SKILL.replace("NAME", name));
}

#[track_caller]
fn define(client: &mut RawClient, name: &str, trigger: Value, steps: Value) {
    let definition = json!({"name": name, "description": "A test", "trigger": trigger, "steps": steps});
    client.ok("remember_procedure", definition);
    client.ok("generate_procedure_code", json!({"procedure_id": name, "use_llm": false}));
}

fn get(client: &mut RawClient, name: &str) -> Value {
    client.ok("get_procedure", json!({"procedure_id": name}))
}

fn execute(client: &mut RawClient, name: &str) -> Value {
    client.call("execute_procedure", json!({"procedure_id": name}))
}

/// What is kept of a trigger.
fn kept(trigger: Value) -> Value {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "test", "steps": ["Do it"], "trigger": trigger}));
    get(&mut client, "test")["trigger"].clone()
}

/// What is kept of a step.
fn step(step: Value) -> Value {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "test", "steps": [step]}));
    get(&mut client, "test")["definition"]["steps"][0].clone()
}

fn matches(trigger: Value, context: Value) -> bool {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "test", "steps": ["Do it"], "trigger": trigger}));
    client.ok("match_procedures", json!({"context": context}))["count"] == json!(1)
}

#[test]
fn workflow_trigger_time_valid() {
    let trigger = json!({"type": "time", "cron_expression": "0 6 * * 1-5", "timezone": "America/New_York"});
    assert_eq!(kept(trigger.clone()), trigger);
}

#[test]
fn workflow_trigger_event_valid() {
    let trigger =
        json!({"type": "event", "event_type": "calendar_event_ended", "event_filter": {"source": "calendar"}});
    assert_eq!(kept(trigger.clone()), trigger);
}

#[test]
fn workflow_trigger_condition_valid() {
    let trigger = json!({"type": "condition", "condition_field": "lead_health_score", "condition_operator": "lt",
                         "condition_value": 50, "condition_entity": "lead"});
    assert_eq!(kept(trigger.clone()), trigger);
}

#[test]
fn workflow_trigger_invalid_type() {
    let home = Home::new();
    let wrong = json!({"name": "test", "steps": ["Do it"], "trigger": {"type": "invalid_type"}});
    let error = home.start().refused("remember_procedure", wrong, "invalid_argument");
    assert!(error.contains("`trigger`"), "{error}");
}

#[test]
fn workflow_action_run_skill() {
    let given = action("step_1", "run_skill", json!({"skill_id": "morning-briefing", "template": "daily_summary"}));
    let kept = step(given);
    assert_eq!(kept["action_type"], json!("run_skill"));
    assert!(kept.get("requires_approval").is_none_or(|wanted| *wanted == json!(false)), "{kept}");
}

#[test]
fn workflow_action_send_notification() {
    let config = json!({"channel": "slack", "message_template": "Alert: {signal}"});
    assert_eq!(step(action("step_2", "send_notification", config.clone()))["config"], config);
}

#[test]
fn workflow_action_create_task() {
    let config = json!({"task_title": "Follow up", "task_description": "Review notes"});
    assert_eq!(step(action("step_3", "create_task", config.clone()))["config"], config);
}

#[test]
fn workflow_action_draft_email() {
    let config = json!({"subject_template": "Follow-up: {meeting}", "body_skill": "email-composer"});
    assert_eq!(step(action("step_4", "draft_email", config.clone()))["config"], config);
}

#[test]
fn workflow_action_with_approval() {
    let mut given = action("step_1", "run_skill", json!({"skill_id": "test"}));
    given["requires_approval"] = json!(true);
    assert_eq!(step(given)["requires_approval"], json!(true));
}

#[test]
fn workflow_action_invalid_type() {
    let home = Home::new();
    let wrong = json!({"name": "test", "steps": [action("step_1", "invalid_action", json!({}))]});
    let error = home.start().refused("remember_procedure", wrong, "invalid_argument");
    assert!(error.contains("invalid_action"), "{error}");
}

fn morning_prep() -> Value {
    json!([
        action("step_1", "run_skill", json!({"skill_id": "morning_briefing"})),
        action("step_2", "send_notification", json!({"message_template": "{latest_output}"})),
    ])
}

#[test]
fn user_workflow_definition() {
    let home = Home::new();
    let mut client = home.start();
    let definition = json!({
        "name": "Morning Prep", "description": "Daily morning briefing workflow", "steps": morning_prep(),
        "trigger": {"type": "time", "cron_expression": "0 6 * * 1-5", "timezone": "America/New_York"},
        "category": "productivity", "icon": "sun", "color": "#F59E0B",
    });
    client.ok("remember_procedure", definition);
    let kept = get(&mut client, "Morning Prep");
    assert_eq!((text(&kept, "name"), &kept["definition"]["category"]), ("morning_prep", &json!("productivity")));
    assert_eq!(kept["definition"]["steps"].as_array().unwrap().len(), 2);
    assert_eq!((&kept["definition"]["icon"], &kept["definition"]["color"]), (&json!("sun"), &json!("#F59E0B")));
}

#[test]
fn user_workflow_definition_to_procedural_memory() {
    let home = Home::new();
    let mut client = home.start();
    let trigger = json!({"type": "time", "cron_expression": "0 6 * * *"});
    let steps = json!([action("step_1", "run_skill", json!({"skill_id": "test"}))]);
    client.ok("remember_procedure", json!({"name": "Test Workflow", "steps": steps, "trigger": trigger}));
    let kept = get(&mut client, "test_workflow");
    assert_eq!((&kept["trigger"]["type"], &kept["trigger"]["cron_expression"]), (&json!("time"), &json!("0 6 * * *")));
    assert_eq!(kept["definition"]["steps"][0]["action_type"], json!("run_skill"));
}

/// A workflow of three steps that asks before each of the first two, and waits at the first.
fn asking() -> (Home, RawClient, Value) {
    let home = Home::new();
    let mut client = home.start();
    let mut steps: Vec<Value> = (1..=3)
        .map(|number| action(&format!("step_{number}"), "send_notification", json!({"message_template": "Done"})))
        .collect();
    for step in &mut steps[..2] {
        step["requires_approval"] = json!(true);
    }
    define(&mut client, "test", json!({"type": "event", "event_type": "test"}), steps.into());
    let answer = execute(&mut client, "test");
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    (home, client, run)
}

#[test]
fn workflow_run_status() {
    let (_home, _client, run) = asking();
    assert_eq!((&run["status"], &run["current_step"]), (&json!("paused"), &json!(1)), "{run}");
    assert_eq!((&run["steps_completed"], &run["steps_total"]), (&json!(0), &json!(3)), "{run}");
    assert_eq!(run["progress"].as_f64(), Some(0.0), "{run}");
}

#[test]
fn workflow_run_status_progress() {
    let (_home, mut client, run) = asking();
    client.call("resume_run", json!({"run_id": run["run_id"], "decision": "approve"}));
    let run = client.ok("get_run", json!({"run_id": run["run_id"]}));
    assert_eq!((&run["current_step"], &run["steps_completed"]), (&json!(2), &json!(1)), "{run}");
    assert!(run["progress"].as_f64().is_some_and(|progress| (progress - 1.0 / 3.0).abs() < 0.01), "{run}");
}

#[test]
fn engine_execute_simple_workflow() {
    let home = Home::new();
    let mut client = home.start();
    skill(&mut client, "morning_briefing");
    define(&mut client, "morning", json!({"type": "event", "event_type": "morning"}), morning_prep());
    let answer = execute(&mut client, "morning");
    assert_eq!((&answer["status"], &answer["outcome"]), (&json!("succeeded"), &json!("success")), "{answer}");
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    assert_eq!((&run["steps_completed"], &run["steps_total"]), (&json!(2), &json!(2)), "{run}");
    let called: Vec<&str> = run["calls"].as_array().unwrap().iter().map(|call| text(call, "function")).collect();
    assert_eq!(called.iter().filter(|name| **name == "call_procedure").count(), 1, "{called:?}");
    assert_eq!(called.iter().filter(|name| **name == "notify").count(), 1, "{called:?}");
}

#[test]
fn engine_approval_gate_pauses() {
    let home = Home::new();
    let mut client = home.start();
    skill(&mut client, "note_prompt");
    skill(&mut client, "action_extractor");
    let mut gate = action("step_1", "run_skill", json!({"skill_id": "note_prompt"}));
    gate["requires_approval"] = json!(true);
    let steps = json!([gate, action("step_2", "run_skill", json!({"skill_id": "action_extractor"}))]);
    define(&mut client, "post_meeting", json!({"type": "event", "event_type": "calendar_event_ended"}), steps);
    let answer = execute(&mut client, "post_meeting");
    assert_eq!(answer["status"], json!("paused"), "{answer}");
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    assert_eq!((&run["current_step"], &run["steps_completed"]), (&json!(1), &json!(0)), "{run}");
    let done = client.ok("resume_run", json!({"run_id": answer["run_id"], "decision": "approve"}));
    assert_eq!(done["status"], json!("succeeded"), "{done}");
}

#[test]
fn engine_step_failure_stops() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "failing_skill", FAILING);
    let mut failing = action("step_1", "run_skill", json!({"skill_id": "failing_skill"}));
    failing["on_failure"] = json!("stop");
    let steps = json!([failing, action("step_2", "send_notification", json!({"message_template": "Done"}))]);
    define(&mut client, "test", json!({"type": "event", "event_type": "test"}), steps);
    let answer = execute(&mut client, "test");
    assert_eq!(answer["status"], json!("failed"), "{answer}");
    assert!(text(&answer, "error").contains("Skill failed"), "{answer}");
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    assert_eq!(run["steps_completed"], json!(0), "{run}");
    assert_eq!(client.ok("list_inbox", json!({}))["count"], json!(0), "nobody was told");
}

#[test]
fn engine_step_failure_skip() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "failing_skill", FAILING);
    let mut failing = action("step_1", "run_skill", json!({"skill_id": "failing_skill"}));
    failing["on_failure"] = json!("skip");
    let steps = json!([failing, action("step_2", "send_notification", json!({"message_template": "Done"}))]);
    define(&mut client, "test", json!({"type": "event", "event_type": "test"}), steps);
    let answer = execute(&mut client, "test");
    assert_eq!(answer["status"], json!("succeeded"), "{answer}");
    let run = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    assert_eq!(
        (&run["steps_completed"], &run["steps_total"]),
        (&json!(1), &json!(2)),
        "only the second succeeded: {run}"
    );
    assert_eq!(client.ok("list_inbox", json!({"kind": "notification"}))["count"], json!(1), "the next step was done");
}

#[test]
fn engine_context_chaining() {
    let home = Home::new();
    let mut client = home.start();
    skill(&mut client, "a");
    let steps = json!([
        action("step_1", "run_skill", json!({"skill_id": "a"})),
        action("step_2", "send_notification", json!({"message_template": "{step_1_output} and {initial}"})),
    ]);
    define(&mut client, "chain_test", json!({"type": "event", "event_type": "test"}), steps);
    let call = json!({"procedure_id": "chain_test", "parameters": {"initial": "data"}});
    assert_eq!(client.ok("execute_procedure", call)["status"], json!("succeeded"));
    let told = client.ok("list_inbox", json!({"kind": "notification"}))["items"][0]["body"].clone();
    assert!(told.as_str().is_some_and(|told| told.contains("output of a") && told.ends_with("and data")), "{told}");
}

/// Nobody asks whether a time trigger matches: the clock starts what is due.
#[cfg(target_os = "linux")]
#[test]
fn evaluate_trigger_time() {
    let home = Home::new();
    let Some(clock) = FakeClock::beside(&home) else { return };
    clock.set("2027-01-04T05:58:30Z");
    let mut client = clock.server(&home);
    client.open(Protocol::V2025);
    let trigger = json!({"type": "time", "cron_expression": "* * * * *", "timezone": "UTC"});
    define(
        &mut client,
        "test",
        trigger,
        json!([action("step_1", "send_notification", json!({"message_template": "Done"}))]),
    );
    clock.set("2027-01-04T05:59:02Z");
    eventually("it was started", || client.ok("list_runs", json!({"status": "succeeded"}))["count"] == json!(1));
}

#[test]
fn evaluate_trigger_event() {
    let trigger = json!({"type": "event", "event_type": "calendar_event_ended"});
    assert!(matches(trigger.clone(), json!({"event_type": "calendar_event_ended"})));
    assert!(!matches(trigger, json!({"event_type": "email_received"})));
}

#[test]
fn evaluate_trigger_condition_lt() {
    let trigger = json!({"type": "condition", "condition_field": "lead_health_score", "condition_operator": "lt",
                         "condition_value": 50});
    assert!(matches(trigger.clone(), json!({"lead_health_score": 30})));
    assert!(!matches(trigger, json!({"lead_health_score": 70})));
}

#[test]
fn evaluate_trigger_condition_gt() {
    let trigger = json!({"type": "condition", "condition_field": "relevance_score", "condition_operator": "gt",
                         "condition_value": 0.8});
    assert!(matches(trigger.clone(), json!({"relevance_score": 0.9})));
    assert!(!matches(trigger, json!({"relevance_score": 0.5})));
}

/// A prebuilt workflow, as a new home has it.
fn prebuilt(name: &str) -> Value {
    let home = Home::new();
    let mut client = RawClient::spawn(home.command(&["serve"]));
    client.open(Protocol::V2025);
    get(&mut client, name)
}

fn kinds(workflow: &Value) -> Vec<&str> {
    workflow["definition"]["steps"].as_array().unwrap().iter().map(|step| text(step, "action_type")).collect()
}

#[test]
fn get_morning_prep() {
    let morning = prebuilt("Morning Prep");
    assert_eq!(
        (&morning["trigger"]["type"], &morning["trigger"]["cron_expression"]),
        (&json!("time"), &json!("0 6 * * 1-5"))
    );
    assert_eq!(kinds(&morning), ["run_skill", "send_notification"]);
    assert_eq!(
        (&morning["definition"]["category"], &morning["definition"]["icon"]),
        (&json!("productivity"), &json!("sun"))
    );
}

#[test]
fn get_post_meeting() {
    let post = prebuilt("post_meeting");
    assert_eq!(
        (&post["trigger"]["type"], &post["trigger"]["event_type"]),
        (&json!("event"), &json!("calendar_event_ended"))
    );
    assert_eq!(kinds(&post), ["run_skill", "run_skill", "draft_email"]);
    assert_eq!(post["definition"]["steps"][0]["requires_approval"], json!(true));
    assert_eq!(
        (&post["definition"]["category"], &post["definition"]["icon"]),
        (&json!("follow_up"), &json!("calendar"))
    );
}

#[test]
fn get_signal_alert() {
    let signal = prebuilt("Signal Alert");
    let trigger = json!({"type": "condition", "condition_field": "market_signals.relevance_score",
                         "condition_operator": "gt", "condition_value": 0.8});
    for (field, value) in trigger.as_object().unwrap() {
        assert_eq!(&signal["trigger"][field], value, "{signal}");
    }
    assert_eq!(kinds(&signal).len(), 2);
    assert_eq!(
        (&signal["definition"]["category"], &signal["definition"]["icon"]),
        (&json!("monitoring"), &json!("radar"))
    );
}

#[test]
fn prebuilt_count_and_all_prebuilt_are_shared() {
    let home = Home::new();
    let mut client = RawClient::spawn(home.command(&["serve"]));
    client.open(Protocol::V2025);
    let listed = client.ok("list_procedures", json!({"tag": "workflow"}));
    assert_eq!(listed["total"], json!(3), "{listed}");
    for workflow in listed["procedures"].as_array().unwrap() {
        assert_eq!(get(&mut client, text(workflow, "name"))["is_shared"], json!(true), "{workflow}");
    }
}

#[test]
fn routes_exist() {
    let home = Home::new();
    let tools = home.start().tools();
    let names: Vec<&str> = tools.iter().map(|tool| text(tool, "name")).collect();
    for tool in ["list_procedures", "remember_procedure", "update_procedure", "delete_procedure", "execute_procedure"] {
        assert!(names.contains(&tool), "{tool} is not among {names:?}");
    }
}
