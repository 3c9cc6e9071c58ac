//! A procedure that is renamed stays the same one: with its history, its stats and what refers to it, by its old name too.

use std::fs;

use git2::{FileMode, Oid, Repository, Signature};
use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, Protocol, RawClient, eventually, text},
};

/// Several functions are public, so that which one is called hangs on the name.
const CODE: &str = "def weigh(parcel: str) -> int:\n    \"\"\"Weigh.\"\"\"\n    return helper(parcel)\n\n\n\
                    def helper(parcel: str) -> int:\n    \"\"\"Help.\"\"\"\n    return len(parcel)\n";
const CALLER: &str = "from repertoire import call_procedure\n\n\ndef ship_it(parcel: str) -> int:\n    \"\"\"Ship.\"\"\"\n    \
                      return call_procedure('weigh', {'parcel': parcel})\n";
const NEW: &str = "weigh_parcel";

fn filled(home: &Home) -> RawClient {
    let mut client = home.start();
    client.ok(
        "remember_procedure",
        json!({"name": "weigh", "category": "post", "steps": ["Weigh the parcel"], "code": CODE,
               "trigger": {"type": "event", "event_type": "parcel_came"}}),
    );
    client.ok("remember_procedure", json!({"name": "ship it", "steps": ["Ship it"], "code": CALLER}));
    client.ok(
        "remember_procedure",
        json!({"name": "by steps", "parameters": [{"name": "parcel", "type": "string"}],
               "steps": [{"procedure": "weigh", "arguments": {"parcel": "{{parcel}}"}}]}),
    );
    client.ok("generate_procedure_code", json!({"procedure_id": "by_steps", "use_llm": false}));
    run(&mut client, "weigh");
    client
}

#[track_caller]
fn run(client: &mut RawClient, name: &str) -> Value {
    let answer = client.ok("execute_procedure", json!({"procedure_id": name, "parameters": {"parcel": "books"}}));
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    answer
}

#[track_caller]
fn rename(client: &mut RawClient, name: &str, to: &str) -> Value {
    client.ok("update_procedure", json!({"procedure_id": name, "name": to}))
}

fn asked(client: &mut RawClient, tool: &str, name: &str) -> Value {
    let mut answer = client.ok(tool, json!({"procedure_id": name}));
    answer.as_object_mut().unwrap().remove("timestamp");
    answer
}

/// All that there is to know of a procedure.
fn known(client: &mut RawClient, name: &str) -> [Value; 3] {
    ["get_procedure", "get_procedure_versions", "get_procedure_stats"].map(|tool| asked(client, tool, name))
}

/// As from another machine: nothing is left but the history.
fn forget_all_but_git(home: &Home) {
    for file in ["repertoire.db", "repertoire.db-wal", "repertoire.db-shm"] {
        let _ = fs::remove_file(home.path().join(file));
    }
}

fn push(home: &Home, message: &str, change: impl FnOnce(&Repository, &git2::Tree<'_>) -> Oid) {
    let repo = Repository::open_bare(home.repository()).unwrap();
    let main = repo.refname_to_id("refs/heads/main").unwrap();
    let head = repo.find_commit(main).unwrap();
    let tree = repo.find_tree(change(&repo, &head.tree().unwrap())).unwrap();
    let person = Signature::now("A Person", "person@example.com").unwrap();
    repo.commit(Some("refs/heads/main"), &person, &person, message, &tree, &[&head]).unwrap();
}

/// `git mv`, and nothing else.
fn move_folder(home: &Home, from: &str, to: &str) {
    push(home, "Move a folder", |repo, tree| {
        let entry = tree.get_path(from.as_ref()).unwrap();
        let mut update = git2::build::TreeUpdateBuilder::new();
        for file in &repo.find_tree(entry.id()).unwrap() {
            update.remove(format!("{from}/{}", file.name().unwrap()));
            update.upsert(format!("{to}/{}", file.name().unwrap()), file.id(), FileMode::Blob);
        }
        update.create_updated(repo, tree).unwrap()
    });
}

#[test]
fn history_stats_and_references_go_along_and_the_old_name_is_an_alias() {
    let home = Home::new();
    let mut client = filled(&home);
    let report = json!({"type": "report", "uri": "https://example.org/scales"});
    client.ok("link_artifact", json!({"memory_type": "procedure", "memory_id": "weigh", "artifact": report}));
    let [before, versions, stats] = known(&mut client, "weigh");
    let renamed = rename(&mut client, "weigh", "Weigh parcel");
    assert_eq!((&renamed["name"], &renamed["version"]), (&json!(NEW), &json!(2)), "{renamed}");
    assert_eq!(renamed["procedure_id"], before["procedure_id"]);
    let [after, versions_after, stats_after] = known(&mut client, NEW);
    assert_eq!(after["definition"]["former_names"], json!(["weigh"]), "{after}");
    assert_eq!((&after["code"], &after["artifacts"]), (&before["code"], &before["artifacts"]));
    assert!(after["artifacts"].as_array().is_some_and(|artifacts| artifacts.len() == 1), "{after}");
    assert_eq!(versions_after["versions"][1]["commit"], versions["versions"][0]["commit"], "{versions_after}");
    assert_eq!(text(&versions_after["versions"][0], "message"), "Rename weigh to weigh_parcel");
    assert_eq!(stats_after["execution_stats"], stats["execution_stats"]);
    assert_eq!(stats_after["code_confidence"], stats["code_confidence"]);
    // Whoever says the old name means it: a caller, code, steps, an event, a person.
    for (name, result) in [("weigh", 5), (NEW, 5), ("ship_it", 5)] {
        assert_eq!(run(&mut client, name)["result"], json!(result), "{name}");
    }
    run(&mut client, "by_steps");
    let called = client.ok("emit_event", json!({"event_type": "parcel_came", "payload": {"parcel": "pens"}}));
    assert_eq!((&called["count"], &called["runs"][0]["name"]), (&json!(1), &json!(NEW)), "{called}");
    assert_eq!(known(&mut client, "weigh"), known(&mut client, NEW));
    assert_eq!(client.ok("list_runs", json!({"procedure_id": "weigh"}))["runs"][0]["name"], json!(NEW));
    assert!(succeed(&home, &["show", "weigh"]).starts_with(NEW));
    let found = client.ok("recall_procedures", json!({"query": "weigh the parcel"}));
    let names: Vec<&str> = found["procedures"].as_array().unwrap().iter().map(|row| text(row, "name")).collect();
    assert!(names.contains(&NEW) && !names.contains(&"weigh"), "{names:?}");
    // In git it is one folder, which moved.
    let repo = Repository::open_bare(home.repository()).unwrap();
    let tree = repo.find_reference("refs/heads/main").unwrap().peel_to_tree().unwrap();
    assert!(tree.get_path("procedures/post/weigh_parcel/procedure.py".as_ref()).is_ok());
    assert!(tree.get_path("procedures/post/weigh".as_ref()).is_err());
}

#[test]
fn aliases_come_back_with_a_rebuilt_index_and_in_a_clone() {
    let home = Home::new();
    let mut client = filled(&home);
    rename(&mut client, "weigh", "scale");
    client.ok("update_procedure", json!({"procedure_id": "scale", "name": NEW, "category": "office"}));
    run(&mut client, "weigh");
    // A name that came free and belongs to another procedure now: neither takes the other's history.
    client.ok("update_procedure", json!({"procedure_id": NEW, "former_names": ["weigh"]}));
    client.ok("remember_procedure", json!({"name": "scale", "steps": ["Practise a scale"]}));
    client.ok("record_outcome", json!({"procedure_id": "scale", "outcome": "failure"}));
    let (first, second) = (known(&mut client, NEW), known(&mut client, "scale"));
    assert_eq!(first[1]["versions"][0]["version"], json!(4));
    assert!(client.close().success());
    succeed(&home, &["doctor", "--rebuild"]);
    let mut client = home.start();
    assert_eq!((known(&mut client, "weigh"), known(&mut client, NEW)), (first.clone(), first.clone()));
    assert_eq!(known(&mut client, "scale"), second);
    client.close();
    forget_all_but_git(&home);
    let mut client = home.start();
    for (name, before) in [("weigh", &first), (NEW, &first), ("scale", &second)] {
        let [procedure, versions, _] = known(&mut client, name);
        assert_eq!(procedure["definition"], before[0]["definition"], "{name}");
        // Runs are no part of the history, so the code has earned nothing here.
        let without_runs = |versions: &Value| {
            let mut rows = versions["versions"].as_array().unwrap().clone();
            rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("code_confidence")));
            rows
        };
        assert_eq!(without_runs(&versions), without_runs(&before[1]), "{name}");
    }
    assert_eq!(run(&mut client, "ship_it")["result"], json!(5));
}

#[test]
fn a_name_that_others_mean_a_procedure_by_is_not_given_to_another_by_accident() {
    let home = Home::new();
    let mut client = filled(&home);
    rename(&mut client, "weigh", NEW);
    let other = json!({"name": "weigh", "steps": ["Weigh the options"]});
    let said = client.refused("remember_procedure", other.clone(), "name_taken");
    assert!(said.contains("former name") && said.contains(NEW) && said.contains("former_names"), "{said}");
    client.refused("update_procedure", json!({"procedure_id": "by_steps", "name": "weigh"}), "name_taken");
    client.refused("update_procedure", json!({"procedure_id": "by_steps", "name": NEW}), "name_taken");
    client.refused("update_procedure", json!({"procedure_id": "by_steps", "name": "!?"}), "invalid_argument");
    let unknown = json!({"procedure_id": NEW, "former_names": ["weight"]});
    assert!(client.refused("update_procedure", unknown, "invalid_argument").contains("`weigh`"));
    // Back again: then the name between is the alias.
    rename(&mut client, "weigh", "weigh");
    assert_eq!(asked(&mut client, "get_procedure", NEW)["definition"]["former_names"], json!([NEW]));
    rename(&mut client, NEW, NEW);
    // Given up, it is free; who says it then means the other.
    client.ok("update_procedure", json!({"procedure_id": NEW, "former_names": []}));
    client.refused("get_procedure", json!({"procedure_id": "weigh"}), "procedure_not_found");
    client.ok("remember_procedure", other);
    assert_eq!(asked(&mut client, "get_procedure", "weigh")["definition"]["steps"], json!(["Weigh the options"]));
    // A removed procedure leaves its name, and keeps what it had.
    let removed = asked(&mut client, "get_procedure_versions", "weigh");
    client.ok("delete_procedure", json!({"procedure_id": "weigh"}));
    rename(&mut client, NEW, "weigh");
    assert_eq!(run(&mut client, "weigh")["result"], json!(5));
    let mut kept = asked(&mut client, "get_procedure_versions", &removed["procedure_id"].to_string());
    kept["versions"][0]["is_current"] = json!(true);
    assert_eq!(kept["versions"], removed["versions"]);
    let known_before = known(&mut client, NEW);
    client.close();
    succeed(&home, &["doctor", "--rebuild"]);
    let mut client = home.start();
    assert_eq!(known(&mut client, "weigh"), known_before);
    let kept_after = asked(&mut client, "get_procedure_versions", &removed["procedure_id"].to_string());
    assert_eq!(kept_after["count"], kept["count"], "{kept_after}");
}

#[test]
fn a_folder_that_a_person_moves_is_a_procedure_that_was_renamed() {
    let home = Home::new();
    let mut client = filled(&home);
    let [before, versions, stats] = known(&mut client, "weigh");
    move_folder(&home, "procedures/post/weigh", "procedures/shop/weigh_parcel");
    let [after, versions_after, stats_after] = known(&mut client, NEW);
    assert_eq!(after["procedure_id"], before["procedure_id"], "{after}");
    assert_eq!(after["definition"]["category"], json!("shop"));
    assert_eq!(after["definition"]["former_names"], json!(["weigh"]), "{after}");
    assert_eq!(versions_after["versions"][1]["commit"], versions["versions"][0]["commit"]);
    assert_eq!(stats_after["execution_stats"], stats["execution_stats"]);
    assert_eq!(run(&mut client, "ship_it")["result"], json!(5));
    client.ok("update_procedure", json!({"procedure_id": "weigh", "description": "On the small scales."}));
    move_folder(&home, "procedures/shop/weigh_parcel", "procedures/post/weigh_parcel");
    let all = known(&mut client, NEW);
    assert_eq!(all[0]["definition"]["category"], json!("post"));
    client.close();
    assert!(!succeed(&home, &["doctor"]).contains("is not what the newest commit has"));
    succeed(&home, &["doctor", "--rebuild"]);
    let mut client = home.start();
    assert_eq!(known(&mut client, "weigh"), all);
    // Back, as `git revert` would have it: then the old name is the name again.
    move_folder(&home, "procedures/post/weigh_parcel", "procedures/post/weigh");
    let back = known(&mut client, NEW);
    assert_eq!((&back[0]["name"], &back[0]["procedure_id"]), (&json!("weigh"), &before["procedure_id"]), "{back:?}");
    assert_eq!(back[2]["usage_count"], all[2]["usage_count"]);
}

#[test]
fn schedules_and_runs_that_wait_go_on_under_the_new_name() {
    let home = Home::new();
    let mut client = home.start();
    let code =
        "from repertoire import ask\n\n\ndef nightly() -> str:\n    \"\"\"Ask.\"\"\"\n    return ask('How many?')\n";
    client.ok(
        "remember_procedure",
        json!({"name": "nightly", "steps": ["Ask"], "code": code,
               "trigger": {"type": "time", "cron_expression": "0 3 * * *", "timezone": "Europe/Vienna"}}),
    );
    let due = || {
        let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
        let sql = "SELECT procedure_id, next_due FROM schedules";
        database.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap()
    };
    let before = due();
    let run = client.ok("execute_procedure", json!({"procedure_id": "nightly"}));
    assert_eq!(run["outcome"], json!("paused"));
    rename(&mut client, "nightly", "count_sheep");
    eventually("the schedule is the same", || due() == before);
    client.close();
    let mut client = home.start();
    let done = client.ok("resume_run", json!({"run_id": run["run_id"], "value": "twelve"}));
    assert_eq!((&done["outcome"], &done["result"]), (&json!("success"), &json!("twelve")), "{done}");
    assert_eq!(client.ok("get_run", json!({"run_id": run["run_id"]}))["name"], json!("count_sheep"));
    assert_eq!(asked(&mut client, "get_procedure_stats", "nightly")["execution_stats"]["success"], json!(1));
}

#[test]
fn only_its_owner_renames_a_procedure_and_nobody_takes_a_name_of_anothers() {
    let home = Home::new();
    let start = |user: &str| home.start_with(&["--user", user], Protocol::V2025);
    let (mut ada, mut bob) = (start("ada"), start("bob"));
    ada.ok("remember_procedure", json!({"name": "ours", "steps": ["Share it"], "is_shared": true}));
    ada.ok("remember_procedure", json!({"name": "mine", "steps": ["Keep it"]}));
    bob.refused("update_procedure", json!({"procedure_id": "ours", "name": "stolen"}), "not_owner");
    rename(&mut ada, "mine", "hidden");
    // To bob it is not there, and its names are not free.
    bob.refused("get_procedure", json!({"procedure_id": "mine"}), "procedure_not_found");
    let said = bob.refused("remember_procedure", json!({"name": "mine", "steps": ["Take it"]}), "name_taken");
    assert!(!said.contains("hidden"), "{said}");
    bob.ok("remember_procedure", json!({"name": "theirs", "steps": ["Take it"]}));
    bob.refused("update_procedure", json!({"procedure_id": "theirs", "name": "mine"}), "name_taken");
    bob.refused("update_procedure", json!({"procedure_id": "theirs", "name": "hidden"}), "name_taken");
}

#[test]
fn the_terminal_renames_as_well() {
    let home = Home::new();
    let mut client = filled(&home);
    assert_eq!(
        succeed(&home, &["rename", "weigh", "weigh parcel"]),
        "`weigh` is `weigh_parcel` now (version 2); `weigh` stays an alias.\n"
    );
    assert_eq!(run(&mut client, "ship_it")["result"], json!(5));
    assert!(fail(&home, &["rename", "by_steps", "ship_it"]).contains("there already is a procedure `ship_it`"));
    assert!(fail(&home, &["rename", "weigh", NEW]).contains("nothing would change"));
}

#[test]
fn what_runs_taught_under_the_old_name_counts_with_what_they_teach_under_the_new_one() {
    let home = Home::new();
    let mut client = home.start();
    let code =
        "def deliver(parcel: str) -> int:\n    \"\"\"Deliver.\"\"\"\n    raise ValueError('nobody is at home')\n";
    client.ok("remember_procedure", json!({"name": "deliver", "steps": ["Deliver it"], "code": code}));
    let fail_once = |client: &mut RawClient| {
        client.call("execute_procedure", json!({"procedure_id": "deliver", "parameters": {"parcel": "books"}}));
    };
    let outcomes = |client: &mut RawClient, name: &str| {
        client.ok("recall_outcomes", json!({"workflow_id": name}))["count"].as_u64().unwrap()
    };
    fail_once(&mut client);
    eventually("the first failure is learned from", || outcomes(&mut client, "deliver") == 1);
    rename(&mut client, "deliver", "bring_home");
    fail_once(&mut client);
    eventually("both are known by either name", || {
        outcomes(&mut client, "deliver") == 2 && outcomes(&mut client, "bring_home") == 2
    });
    // Two failures of one kind are a lesson, whatever the procedure was called meanwhile.
    let candidates = client.ok("list_candidates", json!({}));
    assert_eq!(candidates["candidates"][0]["evidence"]["count"], json!(2), "{candidates}");
}
