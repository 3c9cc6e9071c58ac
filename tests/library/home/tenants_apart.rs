//! What one tenant has is not there for others, whichever tool they try with whichever name.

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, text};

/// Stands in all that the first tenant has.
const MARKER: &str = "zarquon";
const NAME: &str = "quarterly_close";
const EVENT: &str = "books_closed";
const WORKFLOW: &str = "closing";
const WORKFLOW_RUN: &str = "closing-7";

/// What the first tenant has, as others could have come to know it.
struct Known {
    procedure: i64,
    run: String,
    paused: Vec<String>,
    item: i64,
    checkpoint: String,
    candidate: i64,
}

fn start(home: &Home, tenant: Option<&str>) -> RawClient {
    let arguments: Vec<&str> = tenant.into_iter().flat_map(|tenant| ["--tenant", tenant]).collect();
    // One and the same user, so that it is not the owner who makes the difference.
    home.start_with(&[&["--user", "ada"], &arguments[..]].concat(), Protocol::V2025)
}

fn code(name: &str, body: &str) -> String {
    format!("from repertoire import ask, notify\n\ndef {name}() -> str:\n    \"\"\"{MARKER}.\"\"\"\n{body}")
}

/// Data of every kind, all of it marked.
fn fill(client: &mut RawClient) -> Known {
    // First, so that the number of the other procedure is none that another tenant has given out too.
    let asking = code("asking", &format!("    return ask('{MARKER}?')\n"));
    client.ok("remember_procedure", json!({"name": "asking", "steps": [MARKER], "code": asking}));
    let body = format!("    print('{MARKER}')\n    notify('{MARKER}')\n    return '{MARKER}'\n");
    let procedure = client.ok(
        "remember_procedure",
        json!({
            "name": NAME, "description": format!("Close the books, {MARKER}"), "steps": [format!("Close {MARKER}")],
            "tags": [MARKER], "code": code(NAME, &body), "is_shared": true,
            "trigger": {"type": "event", "event_type": EVENT},
        }),
    );
    client.ok("update_procedure", json!({"procedure_id": NAME, "problem": MARKER}));
    client.ok("generate_procedure_code", json!({"procedure_id": NAME, "code": code(NAME, &format!("{body}    #\n"))}));
    let run = client.ok("execute_procedure", json!({"procedure_id": NAME}));
    let paused = ["first", "second"].map(|_| {
        let answer = client.ok("execute_procedure", json!({"procedure_id": "asking"}));
        assert_eq!(answer["outcome"], json!("paused"), "{answer}");
        text(&answer, "run_id").to_owned()
    });
    let items = client.ok("list_inbox", json!({"kind": "notification"}));
    let checkpoint = json!({"workflow_id": WORKFLOW, "run_id": WORKFLOW_RUN, "node_id": "n", "branch_id": "b",
                            "state": {MARKER: MARKER}, "metadata": {"note": MARKER}});
    let checkpoint = client.ok("save_checkpoint", checkpoint);
    let mut learned = Value::Null;
    for number in 1..=2 {
        let run = format!("failed-{number}");
        client.ok("save_checkpoint", json!({"workflow_id": WORKFLOW, "run_id": run, "node_id": "n", "state": {}}));
        let ended = json!({"workflow_id": WORKFLOW, "run_id": run, "outcome": "failure", "duration_ms": 1, "node_count": 1,
                           "nodes_succeeded": 0, "nodes_failed": 1, "error_message": format!("no {MARKER}")});
        learned = client.ok("complete_workflow", ended);
    }
    Known {
        candidate: learned["candidate_ids"][0].as_i64().unwrap(),
        procedure: procedure["procedure_id"].as_i64().unwrap(),
        run: text(&run, "run_id").to_owned(),
        paused: paused.into(),
        item: items["items"][0]["id"].as_i64().unwrap(),
        checkpoint: text(&checkpoint, "checkpoint_id").to_owned(),
    }
}

/// What somebody who knows all names and numbers could ask of a tool. A tool that is not listed here fails the test.
#[allow(clippy::too_many_lines, reason = "one arm for each tool")]
fn attempts(tool: &str, known: &Known) -> Vec<Value> {
    let Known { procedure, run, paused, item, checkpoint, candidate } = known;
    let of_procedure = || vec![json!({"procedure_id": NAME}), json!({"procedure_id": procedure})];
    let and = |more: Value| -> Vec<Value> {
        let mut all = of_procedure();
        all.iter_mut().for_each(|one| one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone()));
        all
    };
    match tool {
        "get_procedure" => [of_procedure(), vec![json!({"procedure_id": "quarterly_clos"})]].concat(),
        "get_procedure_versions" | "get_procedure_stats" | "execute_procedure" | "delete_procedure" => of_procedure(),
        "record_outcome" => and(json!({"outcome": "failure", "notes": "mine"})),
        "update_procedure" => and(json!({"description": "Mine now"})),
        "rollback_procedure_code" => and(json!({"target_version": 1})),
        "generate_procedure_code" => and(json!({"code": code(NAME, "    return 'mine now'\n")})),
        "validate_procedure_code" => {
            and(json!({"code": code(NAME, "    return 'checked'\n").replace(MARKER, "Check")}))
        }
        "recall_procedures" => vec![
            json!({"query": "close the books", "include_code": true, "limit": 50}),
            json!({"query": MARKER}),
            json!({"query": NAME, "tag": MARKER}),
        ],
        "list_procedures" => vec![json!({}), json!({"tag": MARKER})],
        "search_procedures_by_confidence" => vec![json!({"min_confidence": 0})],
        "match_procedures" => vec![json!({"context": {"event_type": EVENT}})],
        "remember_procedure" => vec![
            json!({"clone_of": NAME, "name": "copy"}),
            json!({"clone_of": procedure, "name": "copy_by_number"}),
            json!({"name": "alike", "description": "Close the books", "steps": ["Close"]}),
        ],
        "emit_event" => vec![json!({"event_type": EVENT})],
        "list_runs" => [of_procedure(), vec![json!({}), json!({"status": "paused"})]].concat(),
        "get_run" => ["output", "result", "parameters"]
            .map(|part| json!({"run_id": run, "read": part}))
            .into_iter()
            .chain([json!({"run_id": run}), json!({"run_id": paused[0]})])
            .collect(),
        "resume_run" => vec![json!({"run_id": paused[0], "value": "mine now"})],
        "cancel_run" => vec![json!({"run_id": run}), json!({"run_id": paused[1]})],
        "list_inbox" => vec![json!({}), json!({"include_resolved": true}), json!({"item_id": item})],
        "resolve_inbox_item" => vec![json!({"item_id": item})],
        "save_checkpoint" => vec![json!({"workflow_id": WORKFLOW, "run_id": WORKFLOW_RUN, "node_id": "n",
                                         "parent_checkpoint_id": checkpoint, "state": {"mine": true}})],
        "get_resume_point" => {
            vec![json!({"run_id": WORKFLOW_RUN}), json!({"run_id": WORKFLOW_RUN, "branch_ids": ["b"]})]
        }
        "list_checkpoints" => vec![json!({"run_id": WORKFLOW_RUN})],
        "merge_states" => vec![json!({"states": [{"x": 1}, {"x": 2}]})],
        "complete_workflow" => vec![json!({"workflow_id": WORKFLOW, "run_id": WORKFLOW_RUN, "outcome": "failure",
                                           "duration_ms": 1, "node_count": 1, "nodes_succeeded": 0, "nodes_failed": 1})],
        "recall_outcomes" => vec![
            json!({}),
            json!({"query": MARKER, "scope": "tenant"}),
            json!({"workflow_id": WORKFLOW}),
            json!({"workflow_id": WORKFLOW, "as_prompt": true}),
        ],
        "link_artifact" => vec![
            json!({"memory_type": "procedure", "memory_id": NAME, "artifact": {"type": "log", "uri": "s3://b/mine"}}),
            json!({"memory_type": "run", "memory_id": run, "artifact": {"type": "log", "uri": "s3://b/mine"}}),
            json!({"memory_type": "checkpoint", "memory_id": checkpoint,
                   "artifact": {"type": "log", "uri": "s3://b/mine"}}),
        ],
        "list_candidates" => vec![json!({})],
        // Told last of all, so that nobody's list has what was told.
        "submit_trace" => {
            vec![json!({"prompt": "Say it", "calls": [{"tool": "Bash", "arguments": {"command": "say it"}}]})]
        }
        "submit_lessons" => vec![json!({"lessons": ["It was a nice day."]})],
        "review_candidate" => vec![json!({"candidate_id": candidate, "decision": "approve"})],
        other => panic!("say here what another tenant could ask of `{other}`"),
    }
}

/// Whether it asks for one thing of the first tenant's, so that there is nothing to answer. Workflows and their runs have
/// the names that their owners give them; an inbox without an item is an empty list.
fn names_theirs(arguments: &Value) -> bool {
    let has = |field: &str| arguments.get(field).is_some();
    has("procedure_id")
        || has("clone_of")
        || has("candidate_id")
        || has("memory_id")
        || (has("run_id") && arguments["run_id"] != json!(WORKFLOW_RUN))
}

/// All that the first tenant sees of its data, without times of answers.
fn view(client: &mut RawClient, known: &Known) -> Vec<Value> {
    let mut calls = vec![
        ("list_procedures", json!({})),
        ("get_procedure", json!({"procedure_id": NAME})),
        ("get_procedure_versions", json!({"procedure_id": NAME})),
        ("get_procedure_stats", json!({"procedure_id": NAME})),
        ("list_runs", json!({})),
        ("list_inbox", json!({"include_resolved": true})),
        ("list_checkpoints", json!({"run_id": WORKFLOW_RUN})),
        ("get_resume_point", json!({"run_id": WORKFLOW_RUN})),
        ("recall_outcomes", json!({"workflow_id": WORKFLOW})),
        ("list_candidates", json!({})),
    ];
    calls.extend(known.paused.iter().chain([&known.run]).map(|run| ("get_run", json!({"run_id": run}))));
    let answers = calls.into_iter().map(|(tool, arguments)| {
        let mut answer = client.ok(tool, arguments);
        answer.as_object_mut().unwrap().remove("timestamp");
        answer
    });
    answers.collect()
}

/// The tools, those that only read first, and what removes a procedure last.
fn tools(client: &mut RawClient) -> Vec<String> {
    let mut tools = client.tools();
    tools.sort_by_key(|tool| {
        // What is handed in gives out the number that another tenant's candidate has.
        let is_last = ["delete_procedure", "submit_lessons", "submit_trace"].contains(&text(tool, "name"));
        (tool["annotations"]["readOnlyHint"] != json!(true), is_last)
    });
    tools.iter().map(|tool| text(tool, "name").to_owned()).collect()
}

#[test]
fn no_tool_shows_or_changes_what_another_tenant_has() {
    let home = Home::new();
    let mut owner = start(&home, Some("a"));
    let known = fill(&mut owner);
    let before = view(&mut owner, &known);
    for tenant in [Some("b"), None] {
        let mut other = start(&home, tenant);
        for tool in tools(&mut other) {
            for asked in attempts(&tool, &known) {
                let id = other.send_call(&tool, asked.clone());
                let answer = other.answer(id);
                let (is_theirs, asked, said) = (names_theirs(&asked), asked.to_string(), answer.to_string());
                assert!(answer["result"].is_object(), "{tool} {asked}: {said}");
                let code = &answer["result"]["structuredContent"]["error_code"];
                assert_ne!(*code, json!("invalid_argument"), "{tool} {asked} asks for nothing: {said}");
                assert!(!said.contains(MARKER) || asked.contains(MARKER), "{tool} {asked}: {said}");
                assert!(!said.contains(NAME) || asked.contains(NAME), "{tool} {asked}: {said}");
                let found = &answer["result"]["structuredContent"];
                assert!(!is_theirs || found["success"] == json!(false), "{tool} {asked}: {said}");
                // A tenant sees what it has made itself.
                let is_own = |row: &Value| row["name"] == json!("alike");
                let has_none = |list: &str| found[list].as_array().is_none_or(|rows| rows.iter().all(is_own));
                assert!(
                    ["procedures", "runs", "items", "outcomes", "candidates"].into_iter().all(has_none),
                    "{tool} {asked}: {said}"
                );
            }
        }
    }
    assert_eq!(view(&mut owner, &known), before);
    // The same attempts succeed where the data is: they fail above for no other reason than the tenant.
    let mut same = start(&home, Some("a"));
    for tool in tools(&mut same) {
        let answers: Vec<Value> =
            attempts(&tool, &known).into_iter().map(|arguments| same.call(&tool, arguments)).collect();
        assert!(answers.iter().any(|answer| answer["success"] == json!(true)), "{tool}: {answers:?}");
    }
}

#[test]
fn no_argument_names_a_tenant() {
    let home = Home::new();
    let known = fill(&mut start(&home, Some("a")));
    let mut other = start(&home, Some("b"));
    for tool in tools(&mut other) {
        for field in ["tenant", "tenant_id"] {
            let mut arguments = attempts(&tool, &known).remove(0);
            arguments[field] = json!("a");
            let error = other.refused(&tool, arguments, "invalid_argument");
            assert!(error.contains(&format!("there is no field `{field}`")), "{tool}: {error}");
        }
    }
}
