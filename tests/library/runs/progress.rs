//! How far a run is: what is completed, what failed, and what was left out.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, eventually, remember, text};

fn step(step_id: &str, action_type: &str, config: Value, more: Value) -> Value {
    let mut step = json!({"step_id": step_id, "action_type": action_type, "config": config});
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    step
}

fn tell(step_id: &str, more: Value) -> Value {
    step(step_id, "send_notification", json!({"message": "Hello"}), more)
}

#[track_caller]
fn define(client: &mut RawClient, name: &str, steps: Value) {
    client.ok("remember_procedure", json!({"name": name, "steps": steps}));
    client.ok("generate_procedure_code", json!({"procedure_id": name, "use_llm": false}));
}

/// Executes, and says how far it came: completed, failed, skipped, of how many, and the share.
#[track_caller]
fn progress(client: &mut RawClient, name: &str) -> Value {
    let answer = client.call("execute_procedure", json!({"procedure_id": name}));
    progress_of(client, text(&answer, "run_id"))
}

fn progress_of(client: &mut RawClient, run: &str) -> Value {
    let view = client.ok("get_run", json!({"run_id": run}));
    let fields = ["steps_completed", "steps_failed", "steps_skipped", "steps_total", "progress"];
    fields.iter().map(|field| view[*field].clone()).collect()
}

#[test]
fn a_step_that_failed_or_was_skipped_is_not_completed() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "failing", "def failing() -> None:\n    raise RuntimeError('no')\n");
    let call =
        |on_failure: &str| step("call", "run_skill", json!({"skill_id": "failing"}), json!({"on_failure": on_failure}));
    for (on_failure, expected) in
        [("skip", json!([1, 0, 1, 2, 0.5])), ("stop", json!([0, 1, 0, 2, 0.0])), ("retry", json!([0, 1, 0, 2, 0.0]))]
    {
        define(&mut client, on_failure, json!([call(on_failure), tell("tell", json!({}))]));
        assert_eq!(progress(&mut client, on_failure), expected, "{on_failure}");
    }
    // What is missing before anything is called fails a step as well.
    let missing = step("missing", "create_task", json!({"title": "{call_output.x}"}), json!({"on_failure": "skip"}));
    define(&mut client, "both", json!([call("skip"), missing, tell("tell", json!({}))]));
    assert_eq!(progress(&mut client, "both"), json!([1, 0, 2, 3, 0.33]));
}

#[test]
fn branches_are_counted_each_for_itself() {
    let home = Home::new();
    let mut client = home.start();
    let skip = json!({"on_failure": "skip"});
    let lost = step("lost", "run_skill", json!({"skill_id": "nowhere"}), skip);
    let steps = json!([tell("good", json!({})), lost, tell("join", json!({"depends_on": ["good", "lost"]}))]);
    define(&mut client, "branches", steps);
    assert_eq!(progress(&mut client, "branches"), json!([2, 0, 1, 3, 0.67]));
}

#[test]
fn a_gate_that_nobody_answers_leaves_its_step_out() {
    let home = Home::new();
    let mut client = home.start();
    let gate = json!({"requires_approval": true, "timeout_seconds": 1, "on_failure": "skip"});
    define(&mut client, "gate", json!([tell("ask", gate), tell("tell", json!({}))]));
    let answer = client.call("execute_procedure", json!({"procedure_id": "gate"}));
    let run = text(&answer, "run_id").to_owned();
    eventually("it goes on", || client.ok("get_run", json!({"run_id": run}))["status"] == json!("succeeded"));
    assert_eq!(progress_of(&mut client, &run), json!([1, 0, 1, 2, 0.5]));
    define(&mut client, "refused", json!([tell("first", json!({})), tell("ask", json!({"requires_approval": true}))]));
    let answer = client.call("execute_procedure", json!({"procedure_id": "refused"}));
    let run = text(&answer, "run_id").to_owned();
    assert_eq!(progress_of(&mut client, &run), json!([1, 0, 0, 2, 0.5]));
    client.call("resume_run", json!({"run_id": run, "decision": "reject"}));
    assert_eq!(progress_of(&mut client, &run), json!([1, 1, 0, 2, 0.5]));
}

#[test]
fn code_that_marks_its_steps_is_counted_as_well() {
    let home = Home::new();
    let mut client = home.start();
    let steps = json!(["Try the tool", "Fetch", "Report"]);
    let code = r#"
from repertoire import call_procedure, log, notify, skip_step


def by_hand(fails: bool = False) -> str:
    """Do it by hand."""
    # Step 1: try
    try:
        call_procedure("nowhere")
    except LookupError as error:
        log(str(error))
    # Step 2: fetch
    skip_step("there is nothing to fetch")
    # Step 3: report
    notify("done")
    if fails:
        raise ValueError("no")
    return "done"
"#;
    client.ok("remember_procedure", json!({"name": "by_hand", "steps": steps, "code": code}));
    assert_eq!(progress(&mut client, "by_hand"), json!([1, 1, 1, 3, 0.33]));
    let failed = client.call("execute_procedure", json!({"procedure_id": "by_hand", "parameters": {"fails": true}}));
    assert_eq!(progress_of(&mut client, text(&failed, "run_id")), json!([0, 2, 1, 3, 0.0]));
}
