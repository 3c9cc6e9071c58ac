//! The acceptance list of the workflow context, an item each, over stdio.
//!
//! Where an item is a subject of its own, it is shown here once and tested in depth elsewhere: sequence numbers, size
//! limits and retention in `library::workflows::checkpoints`, reducers in `merge_states` beside it and in the source in
//! `domain::reducers`, outcomes and clean-up in `outcomes`, files in `artifacts`; lessons in `library::learning`, scopes in
//! `library::procedures::recall_scope`, tenants in `library::home::tenants` and (every tool) `tenants_apart`, migrations in
//! `storage::migrations`, the orchestrator in `orchestrator`. Times are `repertoire bench`.

use std::{fs, thread};

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, remember, text, toml_path};

fn checkpoint(workflow: &str, run: &str, node: &str, state: Value) -> Value {
    json!({"workflow_id": workflow, "run_id": run, "node_id": node, "state": state})
}

fn outcome(workflow: &str, run: &str) -> Value {
    json!({
        "workflow_id": workflow, "run_id": run, "outcome": "success", "duration_ms": 45000, "node_count": 1,
        "nodes_succeeded": 1, "nodes_failed": 0,
    })
}

/// Runs a workflow so often that a strategy is learned, and approves that.
fn learn(client: &mut RawClient, workflow: &str) {
    for run in 1..=3 {
        let run = format!("{workflow}-{run}");
        client.ok("save_checkpoint", checkpoint(workflow, &run, &format!("{workflow}_node"), json!({"ok": true})));
        let completed = client.ok("complete_workflow", outcome(workflow, &run));
        if let Some(candidate) = completed.get("candidate_ids").and_then(|ids| ids.get(0)) {
            client.ok("review_candidate", json!({"candidate_id": candidate, "decision": "approve"}));
        }
    }
}

#[test]
fn workflow_scoped_retrieval_returns_only_memories_from_the_specified_workflow() {
    let home = Home::new();
    let mut client = home.start();
    let workflows = ["invoicing", "hiring"];
    for workflow in workflows {
        learn(&mut client, workflow);
    }
    for (workflow, other) in [(workflows[0], workflows[1]), (workflows[1], workflows[0])] {
        for scope in [json!({"scope": "workflow"}), json!({"run_id": format!("{workflow}-1")})] {
            for as_prompt in [false, true] {
                let mut arguments =
                    json!({"workflow_id": workflow, "as_prompt": as_prompt, "query": "end well success"});
                arguments.as_object_mut().unwrap().extend(scope.as_object().unwrap().clone());
                let outcomes = client.ok("recall_outcomes", arguments.clone());
                arguments["include_workflow_outcomes"] = json!(true);
                let procedures = client.ok("recall_procedures", arguments);
                for answer in [outcomes, procedures] {
                    let found = answer.to_string();
                    assert!(answer["count"].as_u64() > Some(0), "{scope}: {answer}");
                    assert!(found.contains(workflow) && !found.contains(other), "{scope}: {found}");
                }
            }
        }
    }
    let everything = client.ok("recall_outcomes", json!({"scope": "tenant"}));
    assert_eq!(everything["count"], json!(6));
}

#[test]
fn checkpoints_survive_crashes_and_enable_exact_resumption() {
    // Two branches whose steps alternate, and a server that is killed after every single one of them.
    let steps = [("left", "a"), ("right", "b"), ("left", "c"), ("right", "d"), ("left", "e")];
    let home = Home::new();
    for (count, (branch, node)) in steps.iter().enumerate() {
        let mut client = home.start();
        let asked = json!({"run_id": "r", "branch_ids": ["left", "right"]});
        let found = client.ok("get_resume_point", asked);
        for side in ["left", "right"] {
            let done: Vec<&str> =
                steps[..count].iter().filter(|(branch, _)| *branch == side).map(|(_, node)| *node).collect();
            let position = &found["branches"][side];
            let state = if done.is_empty() { Value::Null } else { json!({"done": done, "größe": 1.5, "none": null}) };
            assert_eq!((&position["state"], position["node_id"].as_str()), (&state, done.last().copied()), "{side}");
        }
        let mut state = found["branches"][*branch]["state"].clone();
        if state.is_null() {
            state = json!({"done": [], "größe": 1.5, "none": null});
        }
        state["done"].as_array_mut().unwrap().push(json!(node));
        let mut arguments = checkpoint("flow", "r", node, state);
        arguments["branch_id"] = json!(branch);
        let saved = client.ok("save_checkpoint", arguments);
        assert_eq!(saved["sequence_number"], json!(count + 1));
        client.kill();
    }
}

#[test]
fn parallel_branch_states_merge_using_the_configured_reducers() {
    let home = Home::new();
    let mut client = home.start();
    let branches = json!([
        {"approved": true, "approver": "manager@example.org"},
        {"legal_ok": true, "legal_notes": ["Compliant"]},
    ]);
    let arguments = json!({"states": branches, "field_reducers": {"legal_notes": "append"}});
    let merged = json!({
        "approved": true, "approver": "manager@example.org", "legal_ok": true, "legal_notes": ["Compliant"],
    });
    assert_eq!(client.ok("merge_states", arguments)["state"], merged);
    let branches = json!([
        {"messages": ["a"], "context": {"x": 1, "y": 1}, "score": 0.5, "cost": 2, "owner": "ada", "first": 1},
        {"messages": "b", "context": {"y": 2}, "score": 0.75, "cost": 3, "owner": null, "first": 2},
        {"messages": ["c", "d"], "score": null},
    ]);
    let reducers =
        json!({"messages": "append", "context": "merge_dict", "score": "max", "cost": "sum", "first": "first_value"});
    let arguments = json!({"states": branches, "field_reducers": reducers, "default_reducer": "last_value"});
    let merged = json!({
        "messages": ["a", "b", "c", "d"], "context": {"x": 1, "y": 2}, "score": 0.75, "cost": 5, "owner": "ada", "first": 1,
    });
    assert_eq!(client.ok("merge_states", arguments)["state"], merged);
}

#[test]
fn tenant_isolation_prevents_access_to_memories_of_others() {
    let home = Home::new();
    let start = |tenant| home.start_with(&["--user", "ada", "--tenant", tenant], Protocol::V2025);
    let mut acme = start("acme");
    learn(&mut acme, "invoicing");
    acme.ok("save_checkpoint", checkpoint("invoicing", "open", "n", json!({"secret": 1})));
    let mut globex = start("globex");
    assert_eq!(globex.ok("get_resume_point", json!({"run_id": "open"})).get("checkpoint"), None);
    for (tool, arguments) in [
        ("list_checkpoints", json!({"run_id": "open"})),
        ("recall_outcomes", json!({"scope": "tenant"})),
        ("recall_procedures", json!({"query": "invoicing", "scope": "tenant"})),
        ("list_candidates", json!({})),
    ] {
        assert_eq!(globex.ok(tool, arguments)["count"], json!(0), "{tool}");
    }
    // The same name is another run there.
    let saved = globex.ok("save_checkpoint", checkpoint("hiring", "open", "n", json!({})));
    assert_eq!(saved["sequence_number"], json!(1));
    assert_eq!(acme.ok("get_resume_point", json!({"run_id": "open"}))["checkpoint"]["state"], json!({"secret": 1}));
}

#[test]
fn artifacts_are_linked_to_memories_and_retrievable() {
    let home = Home::new();
    let folder = home.beside("reports");
    home.configure(&format!("[policy]\nread = [{}]\n", toml_path(&folder)));
    let mut client = home.start();
    remember(&mut client, "review", "def review():\n    return 1\n");
    let run = client.ok("execute_procedure", json!({"procedure_id": "review"}))["run_id"].clone();
    let saved = client.ok("save_checkpoint", checkpoint("flow", "r", "n", json!({"x": 1})));
    client.ok("complete_workflow", outcome("flow", "done"));
    let memories = [
        ("procedure", json!("review")),
        ("run", run),
        ("checkpoint", saved["checkpoint_id"].clone()),
        ("outcome", json!("done")),
    ];
    for (kind, id) in &memories {
        let path = folder.join(format!("{kind}.txt"));
        fs::write(&path, format!("report of a {kind}")).unwrap();
        let artifact = json!({"type": "report", "path": path, "metadata": {"of": kind}});
        client.ok("link_artifact", json!({"memory_type": kind, "memory_id": id, "artifact": artifact}));
    }
    let mut client = home.start();
    let shown = [
        client.ok("get_procedure", json!({"procedure_id": "review"}))["artifacts"].clone(),
        client.ok("get_run", json!({"run_id": memories[1].1}))["artifacts"].clone(),
        client.ok("get_resume_point", json!({"run_id": "r"}))["checkpoint"]["artifacts"].clone(),
        client.ok("list_checkpoints", json!({"run_id": "done"}))["artifacts"].clone(),
    ];
    for ((kind, _), artifacts) in memories.iter().zip(shown) {
        let [artifact] = &artifacts.as_array().unwrap()[..] else { panic!("{kind}: {artifacts}") };
        assert_eq!((&artifact["type"], &artifact["metadata"]), (&json!("report"), &json!({"of": kind})), "{artifact}");
        let wanted = format!("report of a {kind}");
        assert_eq!(text(artifact, "content_hash"), format!("blake3:{}", blake3::hash(wanted.as_bytes()).to_hex()));
        let read = client.request("resources/read", json!({"uri": artifact["uri"]}));
        assert_eq!(read["result"]["contents"][0]["text"], json!(wanted), "{read}");
    }
}

#[test]
fn calls_from_before_the_workflow_context_work_unchanged() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "water_plants", "def water_plants(litres: int = 2):\n    return litres\n");
    for (tool, arguments) in [
        ("recall_procedures", json!({"query": "plants"})),
        ("recall_procedures", json!({"query": "plants", "limit": 3})),
        ("match_procedures", json!({"context": {"task": "plants"}})),
        ("list_procedures", json!({})),
        ("search_procedures_by_confidence", json!({})),
        ("execute_procedure", json!({"procedure_id": "water_plants"})),
        ("get_procedure_stats", json!({"procedure_id": "water_plants"})),
        ("list_runs", json!({})),
    ] {
        client.ok(tool, arguments);
    }
    let found = client.ok("recall_procedures", json!({"query": "water the plants"}));
    assert_eq!((&found["count"], &found["procedures"][0]["name"]), (&json!(1), &json!("water_plants")), "{found}");
    assert_eq!((found.get("prompt"), found.get("outcomes")), (None, None), "nothing new is in it: {found}");
    // What came later may be left out.
    let tools = client.tools();
    let schema = &tools.iter().find(|tool| tool["name"] == "recall_procedures").unwrap()["inputSchema"];
    assert_eq!(schema["required"], json!(["query"]), "{schema}");
    for field in ["scope", "workflow_id", "run_id", "node_id", "include_workflow_outcomes", "as_prompt", "max_tokens"] {
        assert!(schema["properties"].get(field).is_some(), "{field}: {schema}");
    }
}

#[test]
fn every_operation_of_the_workflow_context_is_a_tool() {
    let home = Home::new();
    let mut client = home.start();
    let tools = client.tools();
    let names: Vec<&str> = tools.iter().map(|tool| text(tool, "name")).collect();
    for operation in [
        "save_checkpoint",
        "get_resume_point",
        "list_checkpoints",
        "merge_states",
        "complete_workflow",
        "recall_outcomes",
        "recall_procedures",
        "link_artifact",
        "list_candidates",
        "review_candidate",
    ] {
        assert!(names.contains(&operation), "{operation} is not among {names:?}");
    }
}

#[test]
fn reading_and_cleaning_up_while_others_save_harm_nothing() {
    const STATES: i64 = 300;
    let home = Home::new();
    let (mut writer, mut reader) = (home.start(), home.start());
    let saving = thread::spawn(move || {
        let saved = (1..=STATES).map(|n| {
            let saved = writer.ok("save_checkpoint", checkpoint("flow", "r", "n", json!({"n": n})));
            saved["sequence_number"].as_i64().unwrap()
        });
        let sequences: Vec<i64> = saved.collect();
        (writer, sequences)
    });
    let mut latest = 0;
    let mut deleted = 0;
    while latest < STATES {
        let found = reader.ok("get_resume_point", json!({"run_id": "r"}));
        let Some(checkpoint) = found.get("checkpoint") else { continue };
        let sequence = checkpoint["sequence_number"].as_i64().unwrap();
        assert!(sequence >= latest, "a reader went back from {latest} to {sequence}");
        assert_eq!(checkpoint["state"], json!({"n": sequence}), "the state is the one with that number");
        latest = sequence;
        if deleted == 0 && latest > STATES / 3 {
            deleted = reader.ok("complete_workflow", outcome("flow", "r"))["checkpoints_deleted"].as_i64().unwrap();
            assert!(deleted >= latest, "{deleted} of {latest}");
        }
        // Once it is cleaned up to the last, nothing comes any more.
        if deleted == STATES {
            break;
        }
    }
    let (mut writer, sequences) = saving.join().unwrap();
    assert_eq!(sequences, (1..=STATES).collect::<Vec<_>>(), "no number is given twice, whoever cleans up meanwhile");
    let left = writer.ok("list_checkpoints", json!({"run_id": "r", "limit": 1000}));
    assert_eq!(left["count"], json!(STATES - deleted), "what was saved after the clean-up is there");
}
