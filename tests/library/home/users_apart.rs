//! What one user of a home runs is not there for the others, whichever tool or command they try with whichever name.

use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, Protocol, RawClient, eventually, remember, text},
};

/// Stands in all that the first user passed to procedures and got from them, and in nothing that is shared.
const MARKER: &str = "zarquon";
/// Shared procedures of the first user.
const NAME: &str = "close_books";
const ASKING: &str = "sign_off";
const FAILING: &str = "reconcile";
const EVENT: &str = "books_closed";

fn start(home: &Home, user: &str) -> RawClient {
    home.start_with(&["--user", user], Protocol::V2025)
}

/// What the first user has, as others could have come to know it.
struct Known {
    run: String,
    failed: String,
    paused: Vec<String>,
    item: i64,
    checkpoint: String,
}

fn share(client: &mut RawClient, name: &str, body: &str) {
    let code = format!(
        "from repertoire import approve, checkpoint, notify\n\ndef {name}(text: str) -> str:\n    \"\"\"Do it.\"\"\"\n{body}"
    );
    client.ok(
        "remember_procedure",
        json!({"name": name, "steps": ["Do it"], "code": code, "is_shared": true,
               "trigger": {"type": "event", "event_type": EVENT}}),
    );
}

fn fill(client: &mut RawClient) -> Known {
    share(client, NAME, "    print(text)\n    notify(text)\n    checkpoint({'x': text}, 'n')\n    return text\n");
    share(client, ASKING, "    approve(text)\n    notify(text)\n    return text\n");
    share(client, FAILING, "    raise ValueError(text)\n");
    let mut run = |name: &str| {
        let call = json!({"procedure_id": name, "parameters": {"text": MARKER}});
        text(&client.call("execute_procedure", call), "run_id").to_owned()
    };
    let (first, failed, paused) = (run(NAME), run(FAILING), vec![run(ASKING), run(ASKING)]);
    let items = client.ok("list_inbox", json!({"kind": "notification"}));
    Known {
        checkpoint: format!("cp_{first}_1"),
        run: first,
        failed,
        paused,
        item: items["items"][0]["id"].as_i64().unwrap(),
    }
}

/// What somebody who knows all names and numbers could ask of a tool about the other's runs. A tool that is not listed
/// here fails the test.
fn attempts(tool: &str, known: &Known) -> Vec<Value> {
    let Known { run, failed, paused, item, checkpoint } = known;
    let of_procedures = || [NAME, ASKING, FAILING].map(|name| json!({"procedure_id": name})).to_vec();
    match tool {
        "get_procedure" | "get_procedure_versions" | "get_procedure_stats" => of_procedures(),
        "list_runs" => {
            [of_procedures(), vec![json!({}), json!({"status": "paused"}), json!({"status": "failed"})]].concat()
        }
        "get_run" => [run, failed, &paused[0]]
            .into_iter()
            .flat_map(|run| {
                let parts = ["output", "result", "parameters", "traceback"];
                parts.map(|part| json!({"run_id": run, "read": part})).into_iter().chain([json!({"run_id": run})])
            })
            .collect(),
        "resume_run" => vec![
            json!({"run_id": paused[0], "decision": "approve"}),
            json!({"run_id": paused[0], "decision": "reject"}),
            json!({"run_id": paused[0]}),
        ],
        "cancel_run" => vec![json!({"run_id": paused[0]}), json!({"run_id": run})],
        "list_inbox" => vec![json!({}), json!({"include_resolved": true}), json!({"item_id": item})],
        "resolve_inbox_item" => vec![json!({"item_id": item})],
        "link_artifact" => vec![
            json!({"memory_type": "run", "memory_id": run, "artifact": {"type": "log", "uri": "s3://b/mine"}}),
            json!({"memory_type": "outcome", "memory_id": run, "artifact": {"type": "log", "uri": "s3://b/mine"}}),
            json!({"memory_type": "checkpoint", "memory_id": checkpoint,
                   "artifact": {"type": "log", "uri": "s3://b/mine"}}),
        ],
        "get_resume_point" | "list_checkpoints" => vec![json!({"run_id": run})],
        "recall_outcomes" => vec![
            json!({}),
            json!({"scope": "tenant"}),
            json!({"query": MARKER, "scope": "tenant"}),
            json!({"workflow_id": FAILING}),
            json!({"workflow_id": FAILING, "as_prompt": true}),
        ],
        "recall_procedures" => vec![
            json!({"query": MARKER}),
            json!({"query": "", "workflow_id": NAME, "run_id": run}),
            json!({"query": "close", "as_prompt": true}),
        ],
        "list_procedures" | "list_candidates" => vec![json!({})],
        "search_procedures_by_confidence" => vec![json!({"min_confidence": 0})],
        "match_procedures" => vec![json!({"context": {"event_type": EVENT}})],
        "emit_event" => vec![json!({"event_type": EVENT, "payload": {"text": "mine"}})],
        "execute_procedure" => vec![json!({"procedure_id": NAME, "parameters": {"text": "mine"}})],
        "record_outcome" => vec![json!({"procedure_id": NAME, "outcome": "skipped", "notes": "mine"})],
        "validate_procedure_code" => vec![json!({"code": "def f():\n    return 1\n", "procedure_id": NAME})],
        "merge_states" => vec![json!({"states": [{"x": 1}]})],
        "save_checkpoint" => vec![json!({"workflow_id": NAME, "run_id": run, "node_id": "n", "state": {},
                                         "parent_checkpoint_id": checkpoint})],
        "complete_workflow" => vec![json!({"workflow_id": NAME, "run_id": run, "outcome": "failure", "duration_ms": 1,
                                           "node_count": 1, "nodes_succeeded": 0, "nodes_failed": 1})],
        "review_candidate" => vec![json!({"candidate_id": 1, "decision": "approve"})],
        // As the first user's procedures are not there for them, nothing of these is a twin's.
        "submit_trace" => {
            vec![json!({"prompt": "Say it", "calls": [{"tool": "Bash", "arguments": {"command": "say it"}}]})]
        }
        "submit_lessons" => vec![json!({"lessons": ["Before you close the books, run `close`."]})],
        // What they make is theirs, and what they may not change is tried in `ownership.rs`.
        "remember_procedure" => vec![json!({"name": "mine", "steps": ["Do it"], "clone_of": NAME})],
        "generate_procedure_code" | "update_procedure" | "rollback_procedure_code" | "delete_procedure" => Vec::new(),
        other => panic!("say here what another user could ask of `{other}`"),
    }
}

/// All that the first user sees of what it ran.
fn view(client: &mut RawClient, known: &Known) -> Vec<Value> {
    let mut calls = vec![
        ("list_runs", json!({})),
        ("list_inbox", json!({"include_resolved": true})),
        ("get_resume_point", json!({"run_id": known.run})),
        ("list_checkpoints", json!({"run_id": known.run})),
    ];
    let runs = known.paused.iter().chain([&known.run, &known.failed]);
    calls.extend(runs.map(|run| ("get_run", json!({"run_id": run}))));
    let answers = calls.into_iter().map(|(tool, arguments)| {
        let mut answer = client.ok(tool, arguments);
        answer.as_object_mut().unwrap().remove("timestamp");
        answer
    });
    answers.collect()
}

#[test]
fn no_tool_shows_or_decides_what_another_user_runs() {
    let home = Home::new();
    let mut ada = start(&home, "ada");
    let known = fill(&mut ada);
    let outcomes = json!({"workflow_id": FAILING});
    eventually("the failure is learned from", || ada.ok("recall_outcomes", outcomes.clone())["count"] == json!(1));
    let before = view(&mut ada, &known);
    assert!(json!(before).to_string().contains(MARKER));
    let mut bob = start(&home, "bob");
    let tools: Vec<String> = bob.tools().iter().map(|tool| text(tool, "name").to_owned()).collect();
    for tool in &tools {
        for asked in attempts(tool, &known) {
            let id = bob.send_call(tool, asked.clone());
            let (said, asked) = (bob.answer(id).to_string(), asked.to_string());
            assert!(!said.contains("invalid_argument"), "{tool} {asked} asks for nothing: {said}");
            assert!(!said.contains(MARKER) || asked.contains(MARKER), "{tool} {asked}: {said}");
        }
    }
    assert_eq!(view(&mut ada, &known), before);
    let runs = [&known.run, &known.failed, &known.paused[0]];
    for run in runs {
        bob.refused("get_run", json!({"run_id": run}), "run_not_found");
        bob.refused("cancel_run", json!({"run_id": run}), "run_not_found");
    }
    bob.refused("resume_run", json!({"run_id": known.paused[0], "decision": "approve"}), "run_not_found");
    bob.refused("resolve_inbox_item", json!({"item_id": known.item}), "item_not_found");
    let stats = json!({"procedure_id": FAILING});
    assert_eq!(ada.ok("get_procedure_stats", stats.clone())["execution_stats"]["last_error"], json!(MARKER));
    assert!(bob.ok("get_procedure_stats", stats)["execution_stats"].get("last_error").is_none());
    // Neither does who owns the procedure see what others run with it.
    let shared = |client: &mut RawClient| client.ok("list_runs", json!({"procedure_id": NAME}));
    // One that ada executed, one that bob executed, and what bob reported.
    assert_eq!((shared(&mut ada)["count"].clone(), shared(&mut bob)["count"].clone()), (json!(1), json!(2)));
}

#[test]
fn no_command_shows_or_decides_what_another_user_runs() {
    let home = Home::new();
    let known = fill(&mut start(&home, "ada"));
    let (paused, item) = (known.paused[0].as_str(), known.item.to_string());
    let user = |name: &'static str, rest: &[&str]| [&["--user", name], rest].concat().join("\u{1f}");
    for command in
        [&["inbox", "--all"][..], &["inbox", "--json"], &["approve"], &["stats"], &["stats", FAILING], &["list"]]
    {
        let all = user("bob", command);
        let shown = succeed(&home, &all.split('\u{1f}').collect::<Vec<_>>());
        assert!(!shown.contains(MARKER) && !shown.contains(paused), "{command:?}: {shown}");
    }
    for command in [
        &["approve", paused, "--yes"][..],
        &["approve", paused, "--reject"],
        &["inbox", "show", &item],
        &["inbox", "resolve", &item],
    ] {
        let all = user("bob", command);
        let said = fail(&home, &all.split('\u{1f}').collect::<Vec<_>>());
        assert!(said.contains("there is no run") || said.contains("no item"), "{command:?}: {said}");
    }
    let shown = succeed(&home, &["--user", "ada", "approve"]);
    assert!(shown.contains(paused) && shown.contains(MARKER), "{shown}");
}

#[test]
fn an_event_starts_nothing_of_others() {
    let home = Home::new();
    let (mut ada, mut bob) = (start(&home, "ada"), start(&home, "bob"));
    share(&mut ada, NAME, "    notify(text)\n    return text\n");
    let event = json!({"event_type": EVENT, "payload": {"text": MARKER}});
    assert_eq!(bob.ok("emit_event", event.clone())["count"], json!(0));
    assert_eq!(ada.ok("list_inbox", json!({}))["count"], json!(0));
    // It is found, for whoever wants to start it.
    let found = bob.ok("match_procedures", json!({"context": {"event_type": EVENT}}));
    assert_eq!(found["procedures"][0]["name"], json!(NAME));
    assert_eq!(ada.ok("emit_event", event)["count"], json!(1));
    assert_eq!(ada.ok("list_inbox", json!({}))["count"], json!(1));
    assert_eq!(bob.ok("list_inbox", json!({}))["count"], json!(0));
}

#[test]
fn a_run_goes_on_in_a_process_of_its_own_user() {
    let home = Home::new();
    let mut ada = start(&home, "ada");
    let code = "import asyncio\nfrom repertoire import log\n\nasync def long_one() -> str:\n    \"\"\"Take long.\"\"\"\n    \
                log('begun')\n    await asyncio.sleep(30)\n    log('done')\n    return 'done'\n";
    remember(&mut ada, "long_one", code);
    ada.ok("update_procedure", json!({"procedure_id": "long_one", "is_shared": true}));
    ada.send_call("execute_procedure", json!({"procedure_id": "long_one"}));
    let mut run = String::new();
    let mut watching = start(&home, "ada");
    eventually("the run has begun", || {
        let runs = watching.ok("list_runs", json!({}));
        run = runs["runs"][0]["run_id"].as_str().unwrap_or_default().to_owned();
        !run.is_empty() && watching.ok("get_run", json!({"run_id": run}))["calls"][0]["function"] == json!("log")
    });
    watching.close();
    ada.kill();
    // His server looks after open runs as soon as it has started; the next of hers finds the run where it was left.
    let mut bob = start(&home, "bob");
    remember(&mut bob, "other", "def other() -> int:\n    \"\"\"Return 1.\"\"\"\n    return 1\n");
    bob.ok("execute_procedure", json!({"procedure_id": "other"}));
    let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    let status = || -> (String, i64) {
        let sql = "SELECT status, attempts FROM runs WHERE id = ?1";
        database.query_row(sql, [&run], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    eventually("the run is known to be interrupted", || status().0 == "interrupted");
    assert_eq!(status().1, 0);
    let _ada = start(&home, "ada");
    eventually("her own server takes it up", || status() == ("running".to_owned(), 1));
}

#[test]
fn who_says_so_shows_all_of_the_home_what_they_run() {
    let home = Home::with_config("[runs]\nshared_by = ['ada']\n");
    let (mut ada, mut bob) = (start(&home, "ada"), start(&home, "bob"));
    let known = fill(&mut ada);
    assert_eq!(bob.ok("list_runs", json!({}))["count"], json!(4));
    assert_eq!(bob.ok("list_inbox", json!({"kind": "approval"}))["count"], json!(2));
    let decided = json!({"run_id": known.paused[0], "decision": "approve"});
    assert_eq!(bob.ok("resume_run", decided)["result"], json!(MARKER));
    let run = ada.ok("get_run", json!({"run_id": known.paused[0]}));
    assert_eq!((&run["status"], &run["decisions"][0]["by"]), (&json!("succeeded"), &json!("test")), "{run}");
    // It is hers, whoever's process went on with it.
    let items = ada.ok("list_inbox", json!({"kind": "notification"}));
    assert_eq!(items["count"], json!(2), "{items}");
    // His are his alone: only she said so.
    bob.ok("execute_procedure", json!({"procedure_id": NAME, "parameters": {"text": "mine"}}));
    assert_eq!(ada.ok("list_runs", json!({"procedure_id": NAME}))["count"], json!(1));
    home.configure("");
    assert_eq!(bob.ok("list_runs", json!({}))["count"], json!(1));
}

#[test]
fn what_nobody_owns_is_changed_through_a_copy_where_there_are_others() {
    let home = Home::new();
    let with_starters = |user: &str| {
        let mut client = RawClient::spawn(home.command(&["--user", user, "serve"]));
        client.open(Protocol::V2025);
        client
    };
    let mut ada = with_starters("ada");
    ada.ok("update_procedure", json!({"procedure_id": "clean_text", "description": "While she is alone"}));
    let mut bob = with_starters("bob");
    bob.ok("list_runs", json!({}));
    let code = "def clean_text(text: str) -> str:\n    \"\"\"Clean.\"\"\"\n    return text\n";
    for client in [&mut ada, &mut bob] {
        for (tool, arguments) in [
            ("update_procedure", json!({"procedure_id": "clean_text", "description": "Mine"})),
            ("delete_procedure", json!({"procedure_id": "clean_text"})),
            ("generate_procedure_code", json!({"procedure_id": "clean_text", "code": code})),
            ("rollback_procedure_code", json!({"procedure_id": "clean_text", "target_version": 1})),
        ] {
            let error = client.refused(tool, arguments, "not_owner");
            assert!(error.contains("nobody owns") && error.contains("clone_of"), "{tool}: {error}");
        }
    }
    let copy = bob.ok("remember_procedure", json!({"clone_of": "clean_text", "name": "my_text"}));
    bob.ok("update_procedure", json!({"procedure_id": copy["procedure_id"], "description": "Mine"}));
    let shown = ada.ok("get_procedure", json!({"procedure_id": "clean_text"}));
    assert_eq!(shown["definition"]["description"], json!("While she is alone"), "{shown}");
}
