//! How runs of workflows ended: stored once, searched, the user's own.

use std::thread;

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, text};

fn outcome(workflow: &str, run: &str, ended: &str) -> Value {
    let failed = u32::from(ended == "failure");
    json!({
        "workflow_id": workflow, "run_id": run, "outcome": ended, "duration_ms": 1500, "node_count": 3,
        "nodes_succeeded": 3 - failed, "nodes_failed": failed,
    })
}

fn with(mut arguments: Value, field: &str, value: Value) -> Value {
    arguments[field] = value;
    arguments
}

fn save(client: &mut RawClient, run: &str, node: &str) -> i64 {
    let arguments = json!({"workflow_id": "deploy", "run_id": run, "node_id": node, "state": {"at": node}});
    client.ok("save_checkpoint", arguments)["sequence_number"].as_i64().unwrap()
}

fn found(client: &mut RawClient, arguments: Value) -> Vec<Value> {
    let answer = client.ok("recall_outcomes", arguments);
    let outcomes = answer["outcomes"].as_array().unwrap().clone();
    assert_eq!(answer["count"], json!(outcomes.len()));
    outcomes
}

fn runs(outcomes: &[Value]) -> Vec<&str> {
    outcomes.iter().map(|outcome| text(outcome, "run_id")).collect()
}

#[test]
fn an_outcome_is_stored_once_and_survives_the_server() {
    let home = Home::new();
    let mut client = home.start_with(&["--toolsets", "checkpoints"], Protocol::V2026);
    assert_eq!((save(&mut client, "r1", "build"), save(&mut client, "r1", "test")), (1, 2));
    let draft = with(outcome("deploy", "r1", "failure"), "error_message", json!("timeout after 30 s"));
    let draft = with(draft, "artifacts", json!(["report.pdf", {"type": "log", "path": "run.log"}]));
    let stored = client.ok("complete_workflow", draft.clone());
    assert_eq!((&stored["outcome_id"], &stored["is_new"]), (&json!("wo_r1"), &json!(true)), "{stored}");
    assert_eq!((&stored["learnings_extracted"], &stored["checkpoints_deleted"]), (&json!(0), &json!(2)), "{stored}");
    client.kill();
    let mut client = home.start();
    let again = client.ok("complete_workflow", draft.clone());
    assert_eq!((&again["is_new"], &again["checkpoints_deleted"]), (&json!(false), &json!(0)), "{again}");
    let outcomes = found(&mut client, json!({}));
    let wanted = json!([{
        "outcome_id": "wo_r1", "workflow_id": "deploy", "run_id": "r1", "outcome": "failure", "duration_ms": 1500,
        "node_count": 3, "nodes_succeeded": 2, "nodes_failed": 1, "nodes": ["build", "test"],
        "error_message": "timeout after 30 s", "artifacts": ["report.pdf", {"type": "log", "path": "run.log"}],
        "completed_at": outcomes[0]["completed_at"],
    }]);
    assert_eq!(json!(outcomes), wanted);
    text(&outcomes[0], "completed_at").parse::<jiff::Timestamp>().unwrap();
    for (field, value) in [
        ("outcome", json!("success")),
        ("duration_ms", json!(1501)),
        ("node_count", json!(4)),
        ("nodes_succeeded", json!(1)),
        ("nodes_failed", json!(0)),
        ("error_message", json!("other")),
        ("artifacts", json!([])),
    ] {
        let error = client.refused("complete_workflow", with(draft.clone(), field, value), "already_completed");
        assert!(error.contains("`r1`") && error.contains(&format!("differs from that in `{field}`")), "{error}");
    }
    assert_eq!(json!(found(&mut client, json!({}))), wanted, "what is stored stays");
    // Its checkpoints are gone, but no number comes again.
    assert_eq!(client.ok("get_resume_point", json!({"run_id": "r1"})).get("checkpoint"), None);
    assert_eq!(save(&mut client, "r1", "build"), 3);
}

#[test]
fn checkpoints_may_be_kept() {
    let home = Home::new();
    let mut client = home.start();
    save(&mut client, "r1", "build");
    let kept = with(outcome("deploy", "r1", "success"), "cleanup_checkpoints", json!(false));
    assert_eq!(client.ok("complete_workflow", kept)["checkpoints_deleted"], json!(0));
    assert_eq!(client.ok("list_checkpoints", json!({"run_id": "r1"}))["count"], json!(1));
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_is_stored() {
    let home = Home::new();
    let mut client = home.start();
    save(&mut client, "r1", "build");
    let draft = outcome("deploy", "r1", "success");
    for (field, value, wanted) in [
        ("workflow_id", json!(""), "`workflow_id` is empty"),
        ("run_id", json!("a\nb"), "control character"),
        ("outcome", json!("paused"), "`outcome`"),
        ("duration_ms", json!(-1), "`duration_ms` is -1"),
        ("node_count", json!(-3), "`node_count` is -3"),
        ("nodes_succeeded", json!(-3), "`nodes_succeeded` is -3"),
        ("nodes_failed", json!(1), "`nodes_succeeded` 3 and `nodes_failed` 1 are more than `node_count` 3"),
        ("nodes_failed", json!(i64::MAX), "are more than"),
        ("node_count", json!(1.5), "`node_count`"),
        ("error_message", json!("x".repeat(20_001)), "20001 characters"),
        ("artifacts", json!([" "]), "give a name or an object"),
        ("artifacts", json!([7]), "`artifacts` has 7"),
        ("artifacts", json!(vec!["a"; 101]), "101 entries"),
        ("artifacts", json!(["a".repeat(70_000)]), "70002 bytes"),
        ("workflow_id", json!("other"), "belongs to workflow `deploy`"),
    ] {
        let error = client.refused("complete_workflow", with(draft.clone(), field, value), "invalid_argument");
        assert!(error.contains(wanted), "{field}: {error}");
    }
    for field in ["workflow_id", "run_id", "outcome", "duration_ms", "node_count", "nodes_succeeded", "nodes_failed"] {
        let mut without = draft.clone();
        without.as_object_mut().unwrap().remove(field);
        assert!(client.refused("complete_workflow", without, "invalid_argument").contains(field), "{field}");
    }
    assert_eq!(found(&mut client, json!({})), Vec::<Value>::new());
    assert_eq!(client.ok("list_checkpoints", json!({"run_id": "r1"}))["count"], json!(1));
    // A run that was never saved has an outcome too, and then belongs to its workflow.
    client.ok("complete_workflow", outcome("deploy", "unsaved", "success"));
    let of_other = json!({"workflow_id": "other", "run_id": "unsaved", "node_id": "n", "state": {}});
    client.refused("save_checkpoint", of_other, "invalid_argument");
}

#[test]
fn two_processes_that_complete_one_run_store_one_outcome() {
    let home = Home::new();
    let mut clients = [home.start(), home.start()];
    for round in 0..10 {
        let run = format!("run-{round}");
        save(&mut clients[0], &run, "build");
        let calls: Vec<Value> = thread::scope(|scope| {
            let calls = clients.iter_mut().map(|client| {
                let draft = outcome("deploy", &run, "success");
                scope.spawn(move || client.ok("complete_workflow", draft))
            });
            let calls: Vec<_> = calls.collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let new = calls.iter().filter(|answer| answer["is_new"] == json!(true));
        assert_eq!(new.count(), 1, "{calls:?}");
        let deleted: i64 = calls.iter().map(|answer| answer["checkpoints_deleted"].as_i64().unwrap()).sum();
        assert_eq!(deleted, 1, "{calls:?}");
    }
    assert_eq!(found(&mut clients[1], json!({"limit": 100})).len(), 10);
    // Each counts once as evidence, too.
    let candidates = clients[0].ok("list_candidates", json!({}));
    assert_eq!(candidates["candidates"][0]["evidence"]["count"], json!(10), "{candidates}");
    // With other content, one of them wins and the other is told.
    let ids: Vec<i64> = clients
        .iter_mut()
        .zip(["success", "failure"])
        .map(|(client, ended)| client.send_call("complete_workflow", outcome("deploy", "contested", ended)))
        .collect();
    let answers: Vec<Value> = clients.iter_mut().zip(ids).map(|(client, id)| client.call_answer(id)).collect();
    let refused: Vec<&Value> = answers.iter().filter(|answer| answer["success"] == json!(false)).collect();
    assert_eq!(refused.len(), 1, "{answers:?}");
    assert_eq!(refused[0]["error_code"], json!("already_completed"));
}

#[test]
fn outcomes_are_ranked_by_their_text_and_then_by_their_age() {
    let home = Home::new();
    let mut client = home.start();
    for (run, message) in [
        ("r1", "connection refused by the database"),
        ("r2", "disk full"),
        ("r3", "connection refused"),
        ("r4", "connection refused"),
    ] {
        let draft = with(outcome("nightly-build", run, "failure"), "error_message", json!(message));
        client.ok("complete_workflow", draft);
    }
    save(&mut client, "r5", "migrate_schema");
    client.ok("complete_workflow", outcome("deploy", "r5", "success"));
    let mut runs_of = |arguments: Value| runs(&found(&mut client, arguments)).join(" ");
    assert_eq!(runs_of(json!({})), "r5 r4 r3 r2 r1", "the newest first without words");
    assert_eq!(runs_of(json!({"limit": 2})), "r5 r4");
    assert_eq!(runs_of(json!({"query": "connection refused", "limit": 3})), "r4 r3 r1");
    assert_eq!(runs_of(json!({"query": "database", "limit": 1})), "r1");
    assert_eq!(runs_of(json!({"query": "disk"})), "r2");
    assert_eq!(runs_of(json!({"query": "database disk"})).len(), 5, "any word, when none has all");
    assert_eq!(runs_of(json!({"query": "schema"})), "r5", "nodes are words");
    assert_eq!(runs_of(json!({"query": "nightly", "limit": 100})), "r4 r3 r2 r1");
    assert_eq!(runs_of(json!({"query": "failed"})), "r4 r3 r2 r1");
    assert_eq!(runs_of(json!({"query": "nowhere"})), "");
    assert_eq!(runs_of(json!({"query": "\"(*) NEAR -"})), "", "query syntax is only text");
    assert_eq!(runs_of(json!({"outcome": "success"})), "r5");
    assert_eq!(runs_of(json!({"query": "connection", "outcome": "success"})), "");
    let scores = found(&mut client, json!({"query": "connection refused database"}));
    assert_eq!(scores[0]["score"], json!(1.0), "{scores:?}");
}

#[test]
fn a_scope_returns_what_is_in_it_and_needs_its_names() {
    let home = Home::new();
    let mut client = home.start();
    for run in ["r1", "r2"] {
        save(&mut client, run, "build");
        client.ok("complete_workflow", outcome("deploy", run, "success"));
    }
    client.ok("complete_workflow", outcome("other", "r3", "failure"));
    let mut runs_of = |arguments: Value| runs(&found(&mut client, arguments)).join(" ");
    assert_eq!(runs_of(json!({"scope": "workflow", "workflow_id": "deploy"})), "r2 r1");
    assert_eq!(runs_of(json!({"workflow_id": "deploy"})), "r2 r1", "the innermost name says the scope");
    assert_eq!(runs_of(json!({"scope": "workflow", "workflow_id": "deploy", "query": "success other"})), "r2 r1");
    assert_eq!(runs_of(json!({"scope": "run", "workflow_id": "deploy", "run_id": "r1"})), "r1");
    assert_eq!(runs_of(json!({"scope": "run", "workflow_id": "other", "run_id": "r1"})), "");
    let node = json!({"scope": "node", "workflow_id": "deploy", "run_id": "r1", "node_id": "build"});
    assert_eq!(runs_of(node.clone()), "r1");
    assert_eq!(runs_of(with(node.clone(), "node_id", json!("test"))), "");
    assert_eq!(runs_of(with(node.clone(), "scope", json!("workflow"))), "r2 r1", "the scope says how far");
    assert_eq!(runs_of(with(node, "scope", json!("user"))), "r3 r2 r1");
    assert_eq!(runs_of(json!({"scope": "tenant"})), "r3 r2 r1");
    for (arguments, wanted) in [
        (json!({"scope": "workflow"}), "scope `workflow` needs `workflow_id`"),
        (json!({"scope": "run", "workflow_id": "w"}), "scope `run` needs `run_id`"),
        (json!({"scope": "node", "workflow_id": "w", "run_id": "r"}), "scope `node` needs `node_id`"),
        (json!({"run_id": "r"}), "`run_id` needs `workflow_id`"),
        (json!({"workflow_id": "w", "node_id": "n"}), "`node_id` needs `run_id`"),
        (json!({"workflow_id": " "}), "`workflow_id` is empty"),
        (json!({"scope": "agent"}), "`scope`"),
        (json!({"limit": 0}), "`limit`"),
        (json!({"max_tokens": 0}), "`max_tokens`"),
        (json!({"tenant_id": "acme"}), "tenant_id"),
    ] {
        for tool in ["recall_outcomes", "recall_procedures"] {
            let arguments = if tool == "recall_procedures" {
                with(arguments.clone(), "query", json!("x"))
            } else {
                arguments.clone()
            };
            let error = client.refused(tool, arguments, "invalid_argument");
            assert!(error.contains(wanted), "{tool}: {error}");
        }
    }
}

#[test]
fn what_one_user_completes_is_not_there_for_another() {
    let home = Home::new();
    let [mut ada, mut bob] = ["ada", "bob"].map(|user| home.start_with(&["--user", user], Protocol::V2025));
    for run in ["r1", "r2"] {
        let secret = with(outcome("deploy", run, "failure"), "error_message", json!("secret plan failed"));
        ada.ok("complete_workflow", secret);
    }
    for arguments in [
        json!({}),
        json!({"query": "secret"}),
        json!({"scope": "tenant", "query": "secret"}),
        json!({"workflow_id": "deploy"}),
        json!({"workflow_id": "deploy", "run_id": "r1"}),
    ] {
        assert_eq!(found(&mut bob, arguments), Vec::<Value>::new());
    }
    assert_eq!(ada.ok("list_candidates", json!({}))["count"], json!(1));
    assert_eq!(bob.ok("list_candidates", json!({}))["count"], json!(0));
    bob.refused("review_candidate", json!({"candidate_id": 1, "decision": "approve"}), "candidate_not_found");
    bob.refused("review_candidate", json!({"candidate_id": 1, "decision": "reject"}), "candidate_not_found");
    // The run's name is his to use, and what he makes of it is his alone.
    assert_eq!(bob.ok("complete_workflow", outcome("of bob", "r1", "success"))["is_new"], json!(true));
    assert_eq!(runs(&found(&mut bob, json!({}))), ["r1"]);
    assert_eq!(runs(&found(&mut ada, json!({"scope": "tenant"}))), ["r2", "r1"]);
}

#[test]
fn a_prompt_has_whole_items_within_its_tokens() {
    let home = Home::new();
    let mut client = home.start();
    for (run, message) in
        [("r1", "short"), ("r2", "a message that is a good deal longer than the other one\nwith lines")]
    {
        let draft = with(outcome("deploy", run, "failure"), "error_message", json!(message));
        client.ok("complete_workflow", draft);
    }
    let whole = client.ok("recall_outcomes", json!({"as_prompt": true}));
    assert_eq!((&whole["count"], whole.get("left_out"), whole.get("outcomes")), (&json!(2), None, None), "{whole}");
    let wanted = "## Past runs\n- deploy (run r2): failed, 2/3 nodes\n  error: a message that is a good deal longer than the \
                  other one\n  with lines\n- deploy (run r1): failed, 2/3 nodes\n  error: short\n";
    assert_eq!(text(&whole, "prompt"), wanted);
    for most in 1..60 {
        let answer = client.ok("recall_outcomes", json!({"as_prompt": true, "max_tokens": most}));
        let prompt = text(&answer, "prompt");
        assert!(prompt.len().div_ceil(4) <= most, "{most}: {prompt}");
        assert!(prompt.is_empty() || prompt.ends_with("short\n") || prompt.ends_with("with lines\n"), "{prompt}");
        let left_out = answer.get("left_out").map_or(0, |count| count.as_i64().unwrap());
        assert_eq!(answer["count"].as_i64().unwrap() + left_out, 2, "{answer}");
    }
}
