//! What was answered is never lost: kills, several servers on one home, a lost index, commits from outside.

use std::{
    fs::{self, File},
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

use git2::{FileMode, ObjectType, Repository, Signature, build::TreeUpdateBuilder};
use serde_json::{Value, json};

use crate::{
    common::{Home, RawClient, eventually, remember, text},
    lifecycle::{self, NAME, STEPS, Story},
};

const ENDLESS: &str = "def spin() -> None:\n    \"\"\"Never end.\"\"\"\n    while True:\n        pass\n";

fn returning(name: &str, value: usize) -> String {
    format!("def {name}() -> int:\n    \"\"\"Return a number.\"\"\"\n    return {value}\n")
}

/// What a home holds, without what differs from home to home (ids, times).
fn facts(client: &mut RawClient) -> Value {
    let listed = client.ok("list_procedures", json!({}));
    let mut facts = json!({"total": listed["total"]});
    if listed["total"] == json!(0) {
        return facts;
    }
    let one = json!({"procedure_id": NAME});
    let procedure = client.ok("get_procedure", one.clone());
    for field in ["procedure_id", "version", "definition", "code", "code_version", "code_confidence", "usage_count"] {
        facts[field] = procedure[field].clone();
    }
    let versions = client.ok("get_procedure_versions", one.clone());
    let kept = ["version", "kind", "message", "lines_added", "lines_removed", "is_current", "code_confidence"];
    facts["versions"] = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| kept.iter().map(|field| version[*field].clone()).collect::<Value>())
        .collect();
    let stats = client.ok("get_procedure_stats", one);
    facts["rate"] = stats["success_rate"].clone();
    let counts = &stats["execution_stats"];
    facts["counts"] = json!([counts["success"], counts["failure"], counts["last_error"]]);
    facts
}

fn run_ids(client: &mut RawClient) -> Vec<String> {
    let answer = client.ok("list_runs", json!({"limit": 100}));
    answer["runs"].as_array().unwrap().iter().map(|run| text(run, "run_id").to_owned()).collect()
}

/// What the home holds before each step of the story, when nobody interferes; and at its end.
fn expected_facts() -> Vec<Value> {
    let home = Home::new();
    let mut client = home.start();
    let mut story = Story::default();
    let mut expected = vec![facts(&mut client)];
    for step in STEPS {
        step(&mut story, &mut client);
        expected.push(facts(&mut client));
    }
    expected
}

#[test]
fn a_kill_between_any_two_calls_loses_nothing() {
    let expected = expected_facts();
    for cut in 0..=STEPS.len() {
        let home = Home::new();
        let mut story = Story::default();
        let mut client = home.start();
        STEPS[..cut].iter().for_each(|step| step(&mut story, &mut client));
        client.kill();
        let mut client = home.start();
        assert_eq!(facts(&mut client), expected[cut], "after a kill before step {cut}");
        assert_eq!(run_ids(&mut client), story.runs, "after a kill before step {cut}");
        STEPS[cut..].iter().for_each(|step| step(&mut story, &mut client));
        assert_eq!(facts(&mut client), expected[STEPS.len()], "at the end, killed before step {cut}");
        assert_eq!(run_ids(&mut client), story.runs);
        client.kill();
        lifecycle::check_history(&home.repository());
    }
}

#[test]
fn a_kill_after_every_single_call_loses_nothing() {
    let home = Home::new();
    let mut story = Story::default();
    for step in STEPS {
        let mut client = home.start();
        step(&mut story, &mut client);
        client.kill();
    }
    let mut client = home.start();
    assert_eq!(run_ids(&mut client), story.runs);
    lifecycle::check_history(&home.repository());
}

#[test]
fn a_kill_in_the_middle_of_writes_keeps_what_was_answered() {
    let home = Home::new();
    let mut answered: Vec<String> = Vec::new();
    for round in 0..8 {
        let mut client = home.start();
        let name = |index: usize| format!("round_{round}_number_{index}");
        let sent: Vec<i64> = (0..12)
            .map(|index| client.send_call("remember_procedure", json!({"name": name(index), "steps": ["Do it"]})))
            .collect();
        for (index, id) in sent.into_iter().take(round + 1).enumerate() {
            assert_eq!(client.call_answer(id)["success"], json!(true));
            answered.push(name(index));
        }
        client.kill();
    }
    let mut client = home.start();
    for name in &answered {
        let procedure = client.ok("get_procedure", json!({"procedure_id": name}));
        assert_eq!(procedure["version"], json!(1), "{procedure}");
    }
    remember(&mut client, "afterwards", &returning("afterwards", 1));
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "afterwards"}))["result"], json!(1));
}

/// `servers` processes change and execute one procedure, and add their own, all at once.
fn write_together(servers: usize, rounds: usize) {
    let home = Home::new();
    remember(&mut home.start(), "shared", &returning("shared", 0));
    thread::scope(|scope| {
        for server in 0..servers {
            let home = &home;
            scope.spawn(move || {
                let mut client = home.start();
                for round in 0..rounds {
                    let name = format!("own_{server}_{round}");
                    client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"]}));
                    let code = returning("shared", 1 + server * rounds + round);
                    client.ok("generate_procedure_code", json!({"procedure_id": "shared", "code": code}));
                    let executed = client.ok("execute_procedure", json!({"procedure_id": "shared"}));
                    assert_eq!(executed["outcome"], json!("success"), "{executed}");
                }
                assert!(client.close().success());
            });
        }
    });
    let mut client = home.start();
    let total = servers * rounds;
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(total + 1));
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "shared", "limit": 100}));
    let numbers: Vec<usize> = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| usize::try_from(version["version"].as_u64().unwrap()).unwrap())
        .collect();
    assert_eq!(numbers, (1..=total + 1).rev().collect::<Vec<_>>());
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "shared"}));
    assert_eq!((&stats["usage_count"], &stats["success_rate"]), (&json!(total), &json!(1.0)), "{stats}");
}

#[test]
fn two_servers_on_one_home_lose_nothing() {
    write_together(2, 12);
}

#[test]
fn eight_servers_on_one_home_lose_nothing() {
    write_together(8, 5);
}

#[test]
fn servers_that_make_one_new_home_together_agree_on_it() {
    let home = Home::new();
    let mut clients: Vec<RawClient> = (0..4)
        .map(|_| RawClient::spawn(home.command(&["serve"])))
        .map(|mut client| {
            client.open(crate::common::Protocol::V2025);
            client
        })
        .collect();
    let totals: Vec<Value> =
        clients.iter_mut().map(|client| client.ok("list_procedures", json!({}))["total"].clone()).collect();
    assert!(totals[0].as_u64().unwrap() >= 12, "{totals:?}");
    assert!(totals.iter().all(|total| *total == totals[0]), "{totals:?}");
    for client in &mut clients {
        let versions = client.ok("get_procedure_versions", json!({"procedure_id": "clean_text"}));
        assert_eq!(versions["count"], json!(1), "{versions}");
    }
}

#[test]
fn what_one_server_writes_another_sees_at_its_next_call() {
    let home = Home::new();
    let (mut one, mut other) = (home.start(), home.start());
    other.ok("list_procedures", json!({}));
    remember(&mut one, "news", &returning("news", 5));
    assert_eq!(other.ok("execute_procedure", json!({"procedure_id": "news"}))["result"], json!(5));
    one.ok("delete_procedure", json!({"procedure_id": "news"}));
    other.refused("execute_procedure", json!({"procedure_id": "news"}), "procedure_deleted");
}

/// Commits to `main` as a person does who cloned, edited and pushed. A file without content is removed.
pub fn commit_outside(repository: &Path, subject: &str, files: &[(&str, Option<&str>)]) {
    let repo = Repository::open(repository).unwrap();
    let parent = repo.head().unwrap().peel_to_commit().unwrap();
    let mut update = TreeUpdateBuilder::new();
    for (path, content) in files {
        match content {
            Some(content) => update.upsert(*path, repo.blob(content.as_bytes()).unwrap(), FileMode::Blob),
            None => update.remove(*path),
        };
    }
    let tree = update.create_updated(&repo, &parent.tree().unwrap()).unwrap();
    let tree = repo.find_object(tree, Some(ObjectType::Tree)).unwrap().peel_to_tree().unwrap();
    let person = Signature::now("A Person", "person@example.com").unwrap();
    repo.commit(Some("refs/heads/main"), &person, &person, subject, &tree, &[&parent]).unwrap();
}

fn folder(name: &str, file: &str) -> String {
    format!("procedures/general/{name}/{file}")
}

#[test]
fn commits_from_outside_are_noticed_without_a_restart() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "edited", &returning("edited", 1));
    remember(&mut client, "removed", &returning("removed", 1));
    let definition = json!({
        "name": "edited", "category": "general", "description": "Now described by a person.", "steps": ["Do it well"],
    });
    let added = json!({"name": "added", "category": "general", "steps": ["Appear"]});
    commit_outside(
        &home.repository(),
        "Edit by hand",
        &[
            (&folder("edited", "procedure.json"), Some(&definition.to_string())),
            (&folder("edited", "procedure.py"), Some(&returning("edited", 2))),
            (&folder("added", "procedure.json"), Some(&added.to_string())),
            (&folder("added", "procedure.py"), Some(&returning("added", 3))),
            (&folder("removed", "procedure.json"), None),
            (&folder("removed", "procedure.py"), None),
        ],
    );
    let edited = client.ok("get_procedure", json!({"procedure_id": "edited"}));
    assert_eq!((&edited["version"], &edited["code_version"]), (&json!(2), &json!(2)), "{edited}");
    assert_eq!(edited["definition"]["description"], json!("Now described by a person."));
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "edited"}))["result"], json!(2));
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "added"}))["result"], json!(3));
    client.refused("execute_procedure", json!({"procedure_id": "removed"}), "procedure_deleted");
    let found = client.ok("recall_procedures", json!({"query": "described by a person"}));
    assert_eq!(found["procedures"][0]["name"], json!("edited"), "{found}");
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "edited"}));
    assert_eq!(versions["versions"][0]["author"], json!("A Person"), "{versions}");
    let back = client.ok("rollback_procedure_code", json!({"procedure_id": "edited", "target_version": 1}));
    assert_eq!(back["version"], json!(3), "{back}");
}

#[test]
fn a_definition_broken_by_hand_keeps_its_last_good_version() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "fragile", &returning("fragile", 1));
    commit_outside(&home.repository(), "Oops", &[(&folder("fragile", "procedure.json"), Some("{ not json"))]);
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "fragile"}))["result"], json!(1));
    assert!(client.log().contains("fragile"), "{}", client.log());
    let mended = json!({"name": "fragile", "category": "general", "description": "Mended.", "steps": ["Do it"]});
    commit_outside(&home.repository(), "Mend", &[(&folder("fragile", "procedure.json"), Some(&mended.to_string()))]);
    let procedure = client.ok("get_procedure", json!({"procedure_id": "fragile"}));
    assert_eq!(procedure["definition"]["description"], json!("Mended."), "{procedure}");
}

#[test]
fn a_lost_index_is_rebuilt_with_the_same_numbers() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "kept", &returning("kept", 1));
    commit_outside(&home.repository(), "By hand", &[(&folder("kept", "procedure.py"), Some(&returning("kept", 2)))]);
    client.ok("generate_procedure_code", json!({"procedure_id": "kept", "code": returning("kept", 3)}));
    commit_outside(&home.repository(), "Again", &[(&folder("kept", "procedure.py"), Some(&returning("kept", 4)))]);
    client.ok("update_procedure", json!({"procedure_id": "kept", "description": "Kept.", "category": "elsewhere"}));
    client.ok("rollback_procedure_code", json!({"procedure_id": "kept", "target_version": 2}));
    remember(&mut client, "gone", &returning("gone", 1));
    client.ok("delete_procedure", json!({"procedure_id": "gone"}));
    let read = |client: &mut RawClient| {
        let versions = client.ok("get_procedure_versions", json!({"procedure_id": "kept"}))["versions"].clone();
        let procedure = client.ok("get_procedure", json!({"procedure_id": "kept"}));
        (versions, procedure["definition"].clone(), procedure["code"].clone(), procedure["code_confidence"].clone())
    };
    let before = read(&mut client);
    assert_eq!(before.0[0]["version"], json!(6), "{}", before.0);
    assert!(client.close().success());
    for file in ["repertoire.db", "repertoire.db-wal", "repertoire.db-shm"] {
        let _ = fs::remove_file(home.path().join(file));
    }
    let mut client = home.start();
    assert_eq!(read(&mut client), before);
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(1));
    let again = client.ok("remember_procedure", json!({"name": "gone", "steps": ["Return"]}));
    assert_eq!(again["version"], json!(2), "{again}");
}

#[test]
fn a_stale_lock_of_git_heals_itself() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "first", &returning("first", 1));
    let lock = home.repository().join("refs/heads/main.lock");
    let file = File::create(&lock).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    drop(file);
    remember(&mut client, "second", &returning("second", 2));
    assert!(!lock.exists());
}

/// git writes the log of `main` first, then `main`: who dies in between leaves it locked and behind its log.
#[test]
fn a_lock_that_was_left_while_main_moved_is_waited_for_by_writers_alone() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "first", &returning("first", 1));
    let main = home.repository().join("refs/heads/main");
    let before = fs::read(&main).unwrap();
    remember(&mut client, "second", &returning("second", 2));
    client.kill();
    fs::write(&main, before).unwrap();
    let lock = main.with_extension("lock");
    File::create(&lock).unwrap().set_modified(SystemTime::now() - Duration::from_secs(2)).unwrap();
    let mut client = home.start();
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(2));
    assert!(lock.exists(), "who reads waits for nobody");
    remember(&mut client, "third", &returning("third", 3));
    assert!(!lock.exists());
    for name in ["first", "second", "third"] {
        assert_eq!(client.ok("execute_procedure", json!({"procedure_id": name}))["outcome"], json!("success"));
    }
}

fn statuses(client: &mut RawClient, name: &str) -> Vec<String> {
    let answer = client.ok("list_runs", json!({"procedure_id": name}));
    answer["runs"].as_array().unwrap().iter().map(|run| text(run, "status").to_owned()).collect()
}

#[test]
fn a_run_whose_server_was_killed_is_interrupted_and_that_of_a_living_one_is_not() {
    let home = Home::with_config("[limits]\nseconds = 60\n[runs]\nresume = 'manual'\n");
    let (mut killed, mut living) = (home.start(), home.start());
    remember(&mut killed, "spin", ENDLESS);
    remember(&mut killed, "spin_on", &ENDLESS.replace("spin", "spin_on"));
    killed.send_call("execute_procedure", json!({"procedure_id": "spin"}));
    living.send_call("execute_procedure", json!({"procedure_id": "spin_on"}));
    eventually("the first run executes", || statuses(&mut living, "spin") == ["running"]);
    eventually("the second run executes", || statuses(&mut killed, "spin_on") == ["running"]);
    #[cfg(target_os = "linux")]
    let workers = crate::common::processes::workers_of(killed.process_id());
    killed.kill();
    let mut client = home.start();
    assert_eq!(statuses(&mut client, "spin"), ["interrupted"]);
    assert_eq!(statuses(&mut client, "spin_on"), ["running"]);
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "spin"}));
    assert_eq!(stats["execution_stats"]["failure"], json!(0), "an interrupted run says nothing about the code");
    #[cfg(target_os = "linux")]
    eventually("the workers of the killed server are gone", || {
        !workers.iter().any(|worker| crate::common::processes::is_alive(*worker))
    });
    let run = client.ok("list_runs", json!({"procedure_id": "spin_on"}))["runs"][0]["run_id"].clone();
    client.ok("cancel_run", json!({"run_id": run}));
    assert_eq!(statuses(&mut client, "spin_on"), ["cancelled"]);
    living.refused("cancel_run", json!({"run_id": run}), "run_ended");
}

#[test]
fn a_paused_run_goes_on_after_its_server_was_killed() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "ask", "steps": ["Look at the sky"]}));
    client.ok("generate_procedure_code", json!({"procedure_id": "ask"}));
    let paused = client.ok("execute_procedure", json!({"procedure_id": "ask"}));
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    client.kill();
    let mut client = home.start();
    let answer = client.ok("resume_run", json!({"run_id": paused["run_id"], "value": "it is blue"}));
    assert_eq!(answer["result"], json!({"step_1": "it is blue"}), "{answer}");
    client.refused("resume_run", json!({"run_id": paused["run_id"]}), "run_not_paused");
}

#[test]
fn a_run_that_could_not_be_taken_up_is_still_there_to_be_taken_up() {
    let home = Home::new();
    let settings = |policy: &str| format!("[runs]\nresume = 'manual'\n[policy]\n{policy}\n");
    home.configure(&settings("commands = ['git']"));
    let mut client = home.start();
    let id = remember(&mut client, "spin", ENDLESS);
    let permissions = json!({"commands": ["git"]});
    client.ok("update_procedure", json!({"procedure_id": id, "permissions": permissions}));
    client.send_call("execute_procedure", json!({"procedure_id": "spin"}));
    let mut watcher = home.start();
    eventually("the run executes", || statuses(&mut watcher, "spin") == ["running"]);
    client.kill();
    home.configure(&settings("commands = []"));
    let mut client = home.start();
    let run = json!({"run_id": client.ok("list_runs", json!({}))["runs"][0]["run_id"]});
    client.refused("resume_run", run.clone(), "permission_denied");
    assert_eq!(statuses(&mut client, "spin"), ["interrupted"]);
    client.ok("cancel_run", run);
    assert_eq!(statuses(&mut client, "spin"), ["cancelled"]);
}
