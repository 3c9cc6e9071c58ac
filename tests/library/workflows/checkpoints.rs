//! States of workflows that others run: saved, listed, found again after a crash.

use std::{collections::BTreeMap, thread, time::Instant};

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, eventually, execute_code, remember, text};

const PROCESSES: i64 = 8;
const EACH: i64 = 500;

fn draft(node: &str, state: &Value) -> Value {
    json!({"workflow_id": "deploy", "run_id": "run-7", "node_id": node, "state": state})
}

fn with(mut arguments: Value, field: &str, value: Value) -> Value {
    arguments[field] = value;
    arguments
}

#[track_caller]
fn save(client: &mut RawClient, arguments: Value) -> (String, i64, bool) {
    let answer = client.ok("save_checkpoint", arguments);
    let sequence = answer["sequence_number"].as_i64().unwrap();
    (text(&answer, "checkpoint_id").to_owned(), sequence, answer["is_new"].as_bool().unwrap())
}

fn listed(client: &mut RawClient, arguments: Value) -> Vec<Value> {
    let answer = client.ok("list_checkpoints", arguments);
    let rows = answer["checkpoints"].as_array().unwrap().clone();
    assert_eq!(answer["count"], json!(rows.len()));
    rows
}

fn sequences(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["sequence_number"].as_i64().unwrap()).collect()
}

#[test]
fn a_run_goes_on_from_its_latest_state_after_the_server_was_killed() {
    let home = Home::new();
    let mut client = home.start_with(&["--toolsets", "checkpoints"], Protocol::V2026);
    assert_eq!(client.ok("get_resume_point", json!({"run_id": "run-7"})).get("checkpoint"), None);
    assert_eq!(listed(&mut client, json!({"run_id": "run-7"})), Vec::<Value>::new());
    let first = client.ok("save_checkpoint", draft("build", &json!({"done": ["build"]})));
    assert_eq!((&first["sequence_number"], &first["is_new"]), (&json!(1), &json!(true)), "{first}");
    let state = json!({"z": 1, "done": ["build", "test"], "a": {"größe": 1.5, "none": null}});
    let second = with(draft("test", &state), "metadata", json!({"attempt": 2}));
    let second = with(second, "parent_checkpoint_id", first["checkpoint_id"].clone());
    let saved = client.ok("save_checkpoint", second);
    client.kill();
    let mut client = home.start();
    let found = client.ok("get_resume_point", json!({"run_id": "run-7"}));
    let checkpoint = &found["checkpoint"];
    text(checkpoint, "created_at").parse::<jiff::Timestamp>().unwrap();
    let wanted = json!({
        "checkpoint_id": saved["checkpoint_id"], "workflow_id": "deploy", "run_id": "run-7", "node_id": "test",
        "parent_checkpoint_id": first["checkpoint_id"], "sequence_number": 2, "state_hash": saved["state_hash"],
        "created_at": checkpoint["created_at"], "metadata": {"attempt": 2}, "state": state,
    });
    assert_eq!(checkpoint, &wanted);
    assert_eq!(checkpoint["state"].to_string(), state.to_string(), "the fields keep their order");
    let rows = listed(&mut client, json!({"run_id": "run-7"}));
    assert_eq!(sequences(&rows), [1, 2]);
    assert!(rows.iter().all(|row| row.get("state").is_none()), "{rows:?}");
    assert_eq!(sequences(&listed(&mut client, json!({"run_id": "run-7", "limit": 1}))), [2]);
    // The server goes on counting, whoever saves.
    assert_eq!(save(&mut client, draft("ship", &json!({}))).1, 3);
}

#[test]
fn an_unchanged_state_is_not_saved_again() {
    let home = Home::new();
    let mut client = home.start();
    let one = save(&mut client, draft("a", &json!({"x": 1, "y": {"b": [1], "a": 2}})));
    let same = save(&mut client, draft("b", &json!({"y": {"a": 2, "b": [1]}, "x": 1})));
    assert_eq!((same.0, same.1, same.2), (one.0, 1, false), "the order of fields is no change");
    let on_branch = with(draft("a", &json!({"x": 1, "y": {"b": [1], "a": 2}})), "branch_id", json!("left"));
    assert_eq!(save(&mut client, on_branch.clone()).1, 2, "another branch has its own latest state");
    assert!(!save(&mut client, on_branch).2);
    assert!(save(&mut client, draft("c", &json!({"x": 2}))).2);
    assert!(save(&mut client, draft("d", &json!({"x": 1, "y": {"b": [1], "a": 2}}))).2, "only the latest counts");
    assert_eq!(sequences(&listed(&mut client, json!({"run_id": "run-7"}))), [1, 2, 3, 4]);
}

#[test]
fn each_branch_goes_on_from_its_own_latest_state() {
    let home = Home::new();
    let mut client = home.start();
    save(&mut client, draft("fork", &json!({"n": 0})));
    for (branch, n) in [("left", 1), ("right", 2), ("left", 3)] {
        save(&mut client, with(draft("work", &json!({"n": n})), "branch_id", json!(branch)));
    }
    let arguments = json!({"run_id": "run-7", "branch_ids": ["left", "right", "nowhere"]});
    let answer = client.ok("get_resume_point", arguments);
    let branches = answer["branches"].as_object().unwrap();
    let found: Vec<_> = branches.iter().map(|(name, found)| (name.as_str(), &found["state"]["n"])).collect();
    assert_eq!(found, [("left", &json!(3)), ("right", &json!(2))]);
    assert_eq!(answer.get("checkpoint"), None);
    let latest = client.ok("get_resume_point", json!({"run_id": "run-7"}));
    assert_eq!(
        (&latest["checkpoint"]["sequence_number"], &latest["checkpoint"]["branch_id"]),
        (&json!(4), &json!("left"))
    );
    let states: Vec<&Value> = branches.values().map(|found| &found["state"]).collect();
    let merged = client.ok("merge_states", json!({"states": states, "default_reducer": "sum"}));
    assert_eq!(merged["state"], json!({"n": 5}));
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_is_saved() {
    let home = Home::new();
    let mut client = home.start();
    save(&mut client, draft("a", &json!({"x": 1})));
    let changed = draft("a", &json!({"x": 2}));
    for (field, value, wanted) in [
        ("workflow_id", json!(""), "`workflow_id` is empty"),
        ("run_id", json!("r".repeat(201)), "`run_id` has 201 bytes"),
        ("node_id", json!("a\nb"), "`node_id` has the control character '\\n'"),
        ("branch_id", json!(" "), "`branch_id` is empty"),
        ("state", json!([1]), "`state`"),
        ("state", json!({"x": "y".repeat(1_000_000)}), "at most 1000000 are allowed; keep large data in a file"),
        ("metadata", json!({"x": "y".repeat(70_000)}), "`metadata` has 70008 bytes"),
        ("workflow_id", json!("other"), "run `run-7` belongs to workflow `deploy`, not to `other`"),
    ] {
        let error = client.refused("save_checkpoint", with(changed.clone(), field, value), "invalid_argument");
        assert!(error.contains(wanted), "{field}: {error}");
    }
    let mut without = changed.clone();
    without.as_object_mut().unwrap().remove("workflow_id");
    assert!(client.refused("save_checkpoint", without, "invalid_argument").contains("`workflow_id`"));
    for parent in ["cp_run-7_2", "cp_run-8_1", "nonsense"] {
        let arguments = with(changed.clone(), "parent_checkpoint_id", json!(parent));
        let error = client.refused("save_checkpoint", arguments, "checkpoint_not_found");
        assert!(error.contains(&format!("`{parent}`")) && error.contains("list_checkpoints"), "{error}");
    }
    let of_a_new_run = with(with(changed, "run_id", json!("new")), "parent_checkpoint_id", json!("cp_run-7_1"));
    client.refused("save_checkpoint", of_a_new_run, "checkpoint_not_found");
    client.refused("get_resume_point", json!({"run_id": "a\u{7f}"}), "invalid_argument");
    client.refused("get_resume_point", json!({"run_id": "r", "branch_ids": vec!["b"; 101]}), "invalid_argument");
    client.refused("list_checkpoints", json!({"run_id": "run-7", "limit": 0}), "invalid_argument");
    assert_eq!(sequences(&listed(&mut client, json!({"run_id": "run-7"}))), [1]);
    assert_eq!(listed(&mut client, json!({"run_id": "new"})), Vec::<Value>::new());
}

#[test]
fn a_large_state_comes_back_whole() {
    let home = Home::new();
    let mut client = home.start();
    let state = json!({"items": (0..100_000).collect::<Vec<u32>>(), "text": "größer ".repeat(40_000)});
    save(&mut client, draft("a", &state));
    let found = client.ok("get_resume_point", json!({"run_id": "run-7"}));
    assert!(found["checkpoint"]["state"] == state, "the state was changed");
}

#[test]
fn what_one_user_saves_is_not_there_for_another() {
    let home = Home::new();
    let [mut ada, mut bob] = ["ada", "bob"].map(|user| home.start_with(&["--user", user], Protocol::V2025));
    save(&mut ada, draft("a", &json!({"secret": 1})));
    assert_eq!(bob.ok("get_resume_point", json!({"run_id": "run-7"})).get("checkpoint"), None);
    assert_eq!(listed(&mut bob, json!({"run_id": "run-7"})), Vec::<Value>::new());
    let by_branch = bob.ok("get_resume_point", json!({"run_id": "run-7", "branch_ids": ["left"]}));
    assert_eq!(by_branch["branches"], json!({}));
    // Nor is the run's name taken for him.
    let of_bob = with(draft("b", &json!({"own": 2})), "workflow_id", json!("of bob"));
    assert_eq!(save(&mut bob, of_bob).1, 1);
    let state = ada.ok("get_resume_point", json!({"run_id": "run-7"}))["checkpoint"]["state"].clone();
    assert_eq!(state, json!({"secret": 1}));
}

/// What a process was told: each of its own numbers, with the number of the checkpoint.
type Acknowledged = BTreeMap<i64, i64>;

/// Saves as one process what it has not saved yet; is killed in the middle of a call when told to.
fn save_all(mut client: RawClient, process: i64, from: i64, killed_at: Option<i64>) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    for n in from..EACH {
        let arguments = json!({
            "workflow_id": "load", "run_id": "shared", "node_id": format!("node-{process}"),
            "branch_id": format!("branch-{process}"), "state": {"process": process, "n": n},
        });
        let call = client.send_call("save_checkpoint", arguments);
        if killed_at == Some(n) {
            client.kill();
            return acknowledged;
        }
        let answer = client.call_answer(call);
        assert_eq!((&answer["success"], &answer["is_new"]), (&json!(true), &json!(true)), "{answer}");
        acknowledged.insert(n, answer["sequence_number"].as_i64().unwrap());
    }
    acknowledged
}

#[test]
fn eight_processes_number_one_run_without_gaps_while_two_are_killed() {
    let home = Home::new();
    let began = Instant::now();
    let clients: Vec<RawClient> = (0..PROCESSES).map(|_| home.start()).collect();
    let acknowledged: Vec<Acknowledged> = thread::scope(|scope| {
        let home = &home;
        let processes = clients.into_iter().zip(0..).map(|(client, process)| {
            scope.spawn(move || {
                let killed_at = (process < 2).then_some(150 + 100 * process);
                let mut acknowledged = save_all(client, process, 0, killed_at);
                if killed_at.is_some() {
                    // Somebody else goes on where this one was, as an orchestrator does.
                    let mut next = home.start();
                    let branch = format!("branch-{process}");
                    let arguments = json!({"run_id": "shared", "branch_ids": [branch]});
                    let found = next.ok("get_resume_point", arguments)["branches"][&branch].clone();
                    let reached = found["state"]["n"].as_i64().unwrap();
                    assert!(acknowledged.keys().all(|n| *n <= reached), "what was acknowledged is lost: {found}");
                    acknowledged.append(&mut save_all(next, process, reached + 1, None));
                }
                acknowledged
            })
        });
        let processes: Vec<_> = processes.collect();
        processes.into_iter().map(|process| process.join().unwrap()).collect()
    });
    eprintln!("{} checkpoints took {:?}", PROCESSES * EACH, began.elapsed());
    let mut client = home.start();
    let rows = listed(&mut client, json!({"run_id": "shared", "limit": 10_000}));
    assert_eq!(sequences(&rows), (1..=PROCESSES * EACH).collect::<Vec<_>>(), "a number is missing or double");
    let stored: BTreeMap<i64, &str> =
        rows.iter().map(|row| (row["sequence_number"].as_i64().unwrap(), text(row, "branch_id"))).collect();
    for (process, numbers) in acknowledged.iter().enumerate() {
        let branch = format!("branch-{process}");
        assert_eq!(
            stored.values().filter(|found| **found == branch).count(),
            usize::try_from(EACH).unwrap(),
            "{branch}"
        );
        for (n, sequence) in numbers {
            assert_eq!(stored.get(sequence), Some(&branch.as_str()), "the answer for {n} of {branch} was wrong");
        }
    }
}

/// Text that can't be compressed.
fn noise(bytes: usize) -> String {
    let digits = (0_u64..).flat_map(|n| *blake3::hash(&n.to_le_bytes()).as_bytes());
    digits.map(|byte| char::from(b'0' + byte % 75)).filter(|letter| *letter != '\\').take(bytes).collect()
}

fn database(home: &Home) -> rusqlite::Connection {
    rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap()
}

#[test]
fn large_states_are_kept_compressed_and_old_ones_can_still_be_read() {
    let home = Home::new();
    let mut client = home.start();
    let state = json!({"text": "größer ".repeat(20_000), "z": 1, "a": [null, 1.5]});
    save(&mut client, draft("a", &state));
    let kept = database(&home);
    let row = "SELECT typeof(state), octet_length(state) FROM checkpoints";
    let (kind, bytes): (String, usize) = kept.query_row(row, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert!(kind == "blob" && bytes < state.to_string().len() / 10, "{bytes} bytes of {kind}");
    assert!(!save(&mut client, draft("a", &state)).2);
    let found = client.ok("get_resume_point", json!({"run_id": "run-7"}));
    assert_eq!(found["checkpoint"]["state"].to_string(), state.to_string(), "the fields keep their order");
    // As a program of before wrote it, and as somebody wrote it by hand.
    for text in [state.to_string(), format!("{state:#}")] {
        kept.execute("UPDATE checkpoints SET state = ?1", [text]).unwrap();
        let found = client.ok("get_resume_point", json!({"run_id": "run-7"}));
        assert_eq!(found["checkpoint"]["state"], state);
    }
    for broken in [&[1, 255, 255, 255, 255, 0][..], &[7], b""] {
        kept.execute("UPDATE checkpoints SET state = ?1", [broken]).unwrap();
        client.refused("get_resume_point", json!({"run_id": "run-7"}), "storage_error");
    }
    kept.execute("UPDATE checkpoints SET state = '{\"a\":'", []).unwrap();
    client.refused("get_resume_point", json!({"run_id": "run-7"}), "internal_error");
    assert_eq!(sequences(&listed(&mut client, json!({"run_id": "run-7"}))), [1], "and the server goes on");
}

#[test]
fn a_text_that_looks_like_json_of_the_server_stays_a_text() {
    let home = Home::new();
    let mut client = home.start();
    let state = json!({"verbatim:00:": "verbatim:0:{}", "n": "\n\r\u{2028}\\"});
    save(&mut client, draft("a", &state));
    assert_eq!(client.ok("get_resume_point", json!({"run_id": "run-7"}))["checkpoint"]["state"], state);
}

#[test]
fn the_largest_state_is_set_in_the_configuration() {
    let home = Home::with_config("[checkpoints]\nstate_bytes = 100\n");
    let mut client = home.start();
    save(&mut client, draft("a", &json!({"x": "y".repeat(90)})));
    let long = draft("a", &json!({"x": "y".repeat(93)}));
    let error = client.refused("save_checkpoint", long.clone(), "invalid_argument");
    for part in ["101 bytes", "at most 100", "link_artifact"] {
        assert!(error.contains(part), "no {part} in {error}");
    }
    home.configure("[checkpoints]\nstate_bytes = 2000000\n");
    assert!(save(&mut client, long).2, "the newest settings count");
    save(&mut client, draft("a", &json!({"x": noise(1_500_000)})));
    home.configure("[checkpoints]\nstate_bytes = 0\n");
    let error = client.refused("save_checkpoint", draft("a", &json!({})), "configuration_error");
    assert!(error.contains("checkpoints.state_bytes"), "{error}");
}

#[test]
fn the_oldest_checkpoints_go_when_all_are_too_large_but_not_where_a_run_goes_on() {
    let home = Home::with_config("[checkpoints]\nmax_mib = 1\n");
    let mut client = home.start();
    let large = |n: i64| json!({"n": n, "text": noise(700_000)});
    for n in 1..=3 {
        save(&mut client, with(draft("a", &large(n)), "branch_id", json!("left")));
    }
    save(&mut client, with(draft("a", &large(4)), "branch_id", json!("right")));
    let of_procedure = "from repertoire import checkpoint\n\n\ndef done():\n    checkpoint({'a': 1})\n";
    let ended = execute_code(&mut client, "done", of_procedure)["run_id"].clone();
    assert_eq!(listed(&mut client, json!({"run_id": ended})).len(), 1);
    client.close();
    let mut client = home.start();
    eventually("only the latest of each branch is left", || {
        sequences(&listed(&mut client, json!({"run_id": "run-7"}))) == [3, 4]
    });
    eventually("a run that has ended goes on nowhere", || listed(&mut client, json!({"run_id": ended})).is_empty());
    assert_eq!(save(&mut client, draft("b", &json!({}))).1, 5, "no number is given out twice");
}

#[test]
fn checkpoints_go_when_they_are_too_old() {
    let home = Home::with_config("[checkpoints]\nmax_age_days = 2\n");
    let mut client = home.start();
    for n in 1..=300 {
        save(&mut client, draft("a", &json!({"n": n})));
    }
    // It would remove them, and what is asked is whether one that only reads does.
    client.close();
    let three_days = 3 * 24 * 60 * 60 * 1000;
    let sql = "UPDATE checkpoints SET created_at = created_at - ?1 WHERE sequence < 300";
    database(&home).execute(sql, [three_days]).unwrap();
    let mut reading = home.start_with(&["--read-only"], Protocol::V2025);
    assert_eq!(listed(&mut reading, json!({"run_id": "run-7", "limit": 1000})).len(), 300, "it changes nothing");
    let mut serving = home.start();
    eventually("only the young one is left", || sequences(&listed(&mut serving, json!({"run_id": "run-7"}))) == [300]);
    database(&home).execute("UPDATE checkpoints SET created_at = created_at - ?1", [three_days]).unwrap();
    serving.close();
    let mut serving = home.start();
    eventually("the latest goes too", || listed(&mut serving, json!({"run_id": "run-7"})).is_empty());
    assert_eq!(save(&mut serving, draft("a", &json!({"n": 300}))).1, 301);
}

#[test]
fn what_a_procedure_notes_is_a_checkpoint_of_its_run() {
    let code = "from repertoire import checkpoint\n\n\ndef noted(large: int):\n    checkpoint({'n': 1}, 'first')\n    \
                checkpoint({'n': 1}, 'again')\n    checkpoint([1, 2])\n    try:\n        checkpoint({'x': 'y' * large})\n    \
                except ValueError as error:\n        return str(error)\n";
    let home = Home::with_config("[checkpoints]\nstate_bytes = 1000\n");
    let mut client = home.start();
    remember(&mut client, "noted", code);
    let run = client.ok("execute_procedure", json!({"procedure_id": "noted", "parameters": {"large": 2000}}));
    assert!(text(&run, "result").contains("at most 1000 are allowed"), "{run}");
    let rows = listed(&mut client, json!({"run_id": run["run_id"]}));
    let shown: Vec<_> = rows.iter().map(|row| (text(row, "node_id"), text(row, "workflow_id"))).collect();
    assert_eq!(shown, [("first", "noted"), ("checkpoint", "noted")], "an equal state is not saved again");
    let found = client.ok("get_resume_point", json!({"run_id": run["run_id"]}));
    assert_eq!(found["checkpoint"]["state"], json!({"value": [1, 2]}));
    let journal = client.ok("get_run", json!({"run_id": run["run_id"]}));
    assert_eq!(journal["calls"].as_array().unwrap().len(), 4);
}
