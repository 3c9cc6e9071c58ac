//! Absent is not empty: what one store of a home has lost comes back from the others, and nobody is told that there is
//! nothing where there was something.

use std::{
    fs,
    path::{Path, PathBuf},
};

use git2::Repository;
use serde_json::{Value, json};

use crate::{
    cli::commands::succeed,
    common::{Home, Protocol, RawClient, text},
};

/// What is done to a file, and how that is called.
type Break = (&'static str, fn(&Path));

fn code(name: &str, number: u32) -> String {
    format!("def {name}() -> int:\n    \"\"\"Return {number}.\"\"\"\n    return {number}\n")
}

/// A home with two procedures, of which one has three versions, and one that was deleted. Nobody has it open.
fn filled() -> Home {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "kept", "steps": ["Keep it"], "code": code("kept", 1)}));
    client.ok("update_procedure", json!({"procedure_id": "kept", "description": "Kept well.", "tags": ["a"]}));
    client.ok("generate_procedure_code", json!({"procedure_id": "kept", "code": code("kept", 2)}));
    client.ok("remember_procedure", json!({"name": "other", "category": "misc", "steps": ["Be there"]}));
    client.ok("remember_procedure", json!({"name": "gone", "steps": ["Go away"]}));
    client.ok("delete_procedure", json!({"procedure_id": "gone"}));
    client.ok("execute_procedure", json!({"procedure_id": "kept"}));
    assert!(client.close().success());
    home
}

/// What is remembered of `kept`, and which procedures there are.
fn read(client: &mut RawClient) -> Value {
    let mut kept = client.ok("get_procedure", json!({"procedure_id": "kept"}));
    let fields = ["version", "definition", "code", "procedure_id", "usage_count"];
    let listed = client.ok("list_procedures", json!({}));
    let mut names: Vec<&str> = listed["procedures"].as_array().unwrap().iter().map(|row| text(row, "name")).collect();
    names.sort_unstable();
    json!([fields.map(|field| kept[field].take()), names, listed["total"]])
}

fn versions(client: &mut RawClient) -> Vec<u64> {
    let answer = client.ok("get_procedure_versions", json!({"procedure_id": "kept"}));
    answer["versions"].as_array().unwrap().iter().map(|row| row["version"].as_u64().unwrap()).collect()
}

fn main_ref(home: &Home) -> PathBuf {
    home.repository().join("refs/heads/main")
}

fn remove_database(home: &Home) {
    for file in ["repertoire.db", "repertoire.db-wal", "repertoire.db-shm"] {
        let _ = fs::remove_file(home.path().join(file));
    }
}

/// The file of a loose object.
fn object(home: &Home, id: git2::Oid) -> PathBuf {
    let id = id.to_string();
    home.repository().join("objects").join(&id[..2]).join(&id[2..])
}

fn overwrite(path: &Path, content: &[u8]) {
    use std::io::Write as _;
    // git keeps objects read-only.
    let mut rights = fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of a test")]
    rights.set_readonly(false);
    fs::set_permissions(path, rights).unwrap();
    fs::File::create(path).unwrap().write_all(content).unwrap();
}

/// The newest commit, and the blob of a file in it.
fn head_and_blob(home: &Home, path: &str) -> (git2::Oid, git2::Oid) {
    let repo = Repository::open_bare(home.repository()).unwrap();
    let head = repo.find_reference("refs/heads/main").unwrap().peel_to_commit().unwrap();
    (head.id(), head.tree().unwrap().get_path(Path::new(path)).unwrap().id())
}

fn doctor(home: &Home, arguments: &[&str]) -> (bool, String) {
    let output = home.run(&[&["doctor"], arguments].concat());
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A server with starters, as users have it: none may be installed over what is there.
fn start(home: &Home) -> RawClient {
    let mut client = RawClient::spawn(home.command(&["serve"]));
    client.open(Protocol::V2025);
    client
}

#[test]
fn a_main_that_is_lost_is_written_back_from_the_index_or_its_log_or_the_objects() {
    let breaks: [Break; 6] = [
        ("removed", |main| fs::remove_file(main).unwrap()),
        ("emptied", |main| fs::write(main, "").unwrap()),
        ("zero digits", |main| fs::write(main, format!("{}\n", "0".repeat(40))).unwrap()),
        ("zero bytes", |main| fs::write(main, [0; 41]).unwrap()),
        ("truncated", |main| fs::write(main, &fs::read(main).unwrap()[..17]).unwrap()),
        ("another id", |main| fs::write(main, format!("{}\n", "12345678".repeat(5))).unwrap()),
    ];
    for (how, break_it) in breaks {
        for without in [&[][..], &["logs"], &["database"], &["logs", "database"]] {
            if how == "another id" && without == ["logs", "database"] {
                // A commit that is nowhere known: see below.
                continue;
            }
            let home = filled();
            let (expected, head) = (read(&mut home.start()), fs::read_to_string(main_ref(&home)).unwrap());
            break_it(&main_ref(&home));
            if without.contains(&"logs") {
                fs::remove_dir_all(home.repository().join("logs")).unwrap();
            }
            let mut expected = expected;
            if without.contains(&"database") {
                remove_database(&home);
                // Runs are nowhere else.
                expected[0][4] = json!(0);
            }
            let mut client = start(&home);
            assert_eq!(read(&mut client), expected, "{how}, without {without:?}");
            assert_eq!(versions(&mut client), [3, 2, 1], "{how}, without {without:?}");
            assert_eq!(fs::read_to_string(main_ref(&home)).unwrap(), head, "{how}, without {without:?}");
            let next = client.ok("update_procedure", json!({"procedure_id": "kept", "description": "On it goes."}));
            assert_eq!(next["version"], json!(4));
            assert!(client.close().success());
            let (is_healthy, said) = doctor(&home, &[]);
            assert!(is_healthy && said.contains("main") && said.contains("mended"), "{how}, {without:?}: {said}");
        }
    }
}

#[test]
fn a_main_that_is_lost_under_a_running_server_comes_back() {
    let home = filled();
    let mut client = start(&home);
    let expected = read(&mut client);
    fs::remove_file(main_ref(&home)).unwrap();
    assert_eq!(read(&mut client), expected);
    fs::write(main_ref(&home), "").unwrap();
    client.ok("update_procedure", json!({"procedure_id": "kept", "description": "On it goes."}));
    assert_eq!(versions(&mut client), [4, 3, 2, 1]);
    fs::remove_dir_all(home.repository()).unwrap();
    client.ok("update_procedure", json!({"procedure_id": "kept", "description": "And on."}));
    assert_eq!(versions(&mut client), [5, 4, 3, 2, 1]);
    assert_eq!(read(&mut client)[1], expected[1]);
}

#[test]
fn an_older_main_in_packed_refs_is_not_taken_for_the_newest() {
    let home = filled();
    let expected = read(&mut home.start());
    let repo = Repository::open_bare(home.repository()).unwrap();
    let older = repo.revparse_single("refs/heads/main~3").unwrap().id();
    fs::write(home.repository().join("packed-refs"), format!("{older} refs/heads/main\n")).unwrap();
    fs::remove_file(main_ref(&home)).unwrap();
    let mut client = start(&home);
    assert_eq!(read(&mut client), expected);
    assert_eq!(versions(&mut client), [3, 2, 1]);
}

#[test]
fn a_history_that_is_gone_is_made_anew_of_the_index_and_what_is_lost_is_said() {
    for how in ["removed", "emptied", "without objects and refs"] {
        let home = filled();
        let expected = read(&mut home.start());
        match how {
            "removed" => fs::remove_dir_all(home.repository()).unwrap(),
            "emptied" => {
                fs::remove_dir_all(home.repository()).unwrap();
                fs::create_dir(home.repository()).unwrap();
            }
            _ => ["objects", "refs", "logs"]
                .iter()
                .for_each(|folder| fs::remove_dir_all(home.repository().join(folder)).unwrap()),
        }
        let mut client = start(&home);
        assert_eq!(read(&mut client), expected, "{how}");
        assert_eq!(versions(&mut client), [3, 2, 1], "{how}");
        // The current one is there, older ones are known and lost.
        let error = client.refused(
            "rollback_procedure_code",
            json!({"procedure_id": "kept", "target_version": 1}),
            "history_error",
        );
        assert!(error.contains("can't be read"), "{error}");
        let next = client.ok("update_procedure", json!({"procedure_id": "kept", "description": "On it goes."}));
        assert_eq!(next["version"], json!(4), "{how}");
        assert!(client.close().success());
        let (is_healthy, said) = doctor(&home, &[]);
        assert!(is_healthy, "{how}: {said}");
        assert!(said.contains("`kept`: what it was in version 1, 2 is in no store"), "{how}: {said}");
        succeed(&home, &["doctor", "--rebuild"]);
        assert_eq!(versions(&mut start(&home)), [4, 3, 2, 1], "{how}");
    }
}

#[test]
fn a_database_that_is_removed_under_a_running_server_comes_back_with_all_that_happened() {
    let home = filled();
    let (mut client, mut other) = (start(&home), home.start());
    let expected = read(&mut client);
    assert_eq!(read(&mut other), expected);
    for both in [false, true] {
        fs::remove_file(home.path().join("repertoire.db")).unwrap();
        if both {
            let _ = fs::remove_file(home.path().join("repertoire.db-wal"));
            let _ = fs::remove_file(home.path().join("repertoire.db-shm"));
        }
        assert_eq!(read(&mut client), expected);
        client.ok("remember_procedure", json!({"name": format!("later_{both}"), "steps": ["Come"]}));
        other.ok("get_procedure", json!({"procedure_id": format!("later_{both}")}));
        other.ok("delete_procedure", json!({"procedure_id": format!("later_{both}")}));
        assert_eq!(read(&mut client), expected);
    }
    assert!(client.close().success() && other.close().success());
    assert_eq!(read(&mut start(&home)), expected);
}

#[test]
fn damaged_objects_of_the_newest_commit_are_named_and_made_anew_by_the_doctor() {
    let definition = "procedures/general/kept/procedure.json";
    let breaks: [Break; 4] = [
        ("emptied", |file| overwrite(file, b"")),
        ("flipped", |file| {
            let mut bytes = fs::read(file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            overwrite(file, &bytes);
        }),
        ("truncated", |file| overwrite(file, &fs::read(file).unwrap()[..5])),
        ("removed", |file| fs::remove_file(file).unwrap()),
    ];
    for (how, break_it) in breaks {
        for what in ["commit", "blob", "tree"] {
            let home = filled();
            let expected = read(&mut home.start());
            let (head, blob) = head_and_blob(&home, definition);
            let (_, tree) = head_and_blob(&home, "procedures/general");
            let broken = match what {
                "commit" => head,
                "tree" => tree,
                _ => blob,
            };
            break_it(&object(&home, broken));
            let mut client = start(&home);
            assert_eq!(read(&mut client), expected, "{what} {how}");
            assert!(client.close().success());
            let (is_healthy, said) = doctor(&home, &[]);
            assert!(!is_healthy, "{what} {how}: {said}");
            assert!(said.contains("bad   history") && said.contains("doctor --rebuild"), "{what} {how}: {said}");
            let said = succeed(&home, &["doctor", "--rebuild"]);
            assert!(said.contains("2 procedures") && said.contains("broken-"), "{what} {how}: {said}");
            assert!(doctor(&home, &[]).0, "{what} {how}: {}", doctor(&home, &[]).1);
            let mut client = start(&home);
            assert_eq!(read(&mut client), expected, "{what} {how}");
            assert_eq!(versions(&mut client), [3, 2, 1], "{what} {how}");
            client.ok("update_procedure", json!({"procedure_id": "kept", "description": "On it goes."}));
            client.ok("rollback_procedure_code", json!({"procedure_id": "kept", "target_version": 1}));
            assert_eq!(versions(&mut client), [5, 4, 3, 2, 1], "{what} {how}");
        }
    }
}

#[test]
fn one_bad_old_blob_does_not_stop_a_rebuild_and_costs_its_version_alone() {
    let home = filled();
    let mut client = home.start();
    let expected = read(&mut client);
    assert!(client.close().success());
    let repo = Repository::open_bare(home.repository()).unwrap();
    // The code of the first version, which is in no later one.
    let first = repo.revparse_single("refs/heads/main~5:procedures/general/kept/procedure.py").unwrap().id();
    overwrite(&object(&home, first), b"");
    let said = succeed(&home, &["doctor", "--rebuild"]);
    assert!(said.contains("`kept`: what it was in version 1, 2 is in no store"), "{said}");
    // What is lost is said, and there is nothing more to be done about it.
    let said = succeed(&home, &["doctor"]);
    assert!(said.contains("lost") && !said.contains("--rebuild"), "{said}");
    let mut client = start(&home);
    assert_eq!(read(&mut client), expected);
    assert_eq!(versions(&mut client), [3, 2, 1]);
    assert!(client.close().success());
    // Without the index, too: its version is not there any more, and the numbers of the others are as they were.
    remove_database(&home);
    let mut client = start(&home);
    assert_eq!(versions(&mut client), [3]);
    assert_eq!(read(&mut client)[1], expected[1]);
}

#[test]
fn a_damaged_commit_in_the_middle_costs_a_new_index_what_it_said_and_no_more() {
    let home = filled();
    let expected = read(&mut home.start());
    let repo = Repository::open_bare(home.repository()).unwrap();
    let middle = repo.revparse_single("refs/heads/main~3").unwrap().id();
    overwrite(&object(&home, middle), b"");
    remove_database(&home);
    let mut client = start(&home);
    let found = read(&mut client);
    assert_eq!((&found[0][1], &found[0][2], &found[1]), (&expected[0][1], &expected[0][2], &expected[1]), "{found}");
    assert!(client.close().success());
    let (is_healthy, said) = doctor(&home, &[]);
    assert!(!is_healthy && said.contains(&middle.to_string()[..10]), "{said}");
}

#[test]
fn what_no_store_knows_is_an_error_and_never_an_empty_list() {
    let home = filled();
    remove_database(&home);
    let (head, _) = head_and_blob(&home, "procedures");
    overwrite(&object(&home, head), b"");
    let mut client = start(&home);
    let error = client.refused("list_procedures", json!({}), "history_error");
    assert!(error.contains(&head.to_string()) && error.contains("doctor --rebuild"), "{error}");
    client.refused("remember_procedure", json!({"name": "x", "steps": ["Do"]}), "history_error");
    assert!(client.close().success());
    // What came before that commit is found: the deletion is what is lost.
    let said = succeed(&home, &["doctor", "--rebuild"]);
    assert!(said.contains("3 procedures"), "{said}");
    assert_eq!(versions(&mut start(&home)), [3, 2, 1]);

    let home = filled();
    remove_database(&home);
    fs::remove_dir_all(home.repository().join("objects")).unwrap();
    let mut client = start(&home);
    let error = client.refused("list_procedures", json!({}), "history_error");
    assert!(error.contains("procedures.git"), "{error}");
    assert!(client.close().success());
    let (is_healthy, said) = doctor(&home, &[]);
    assert!(!is_healthy && said.contains("Next"), "{said}");
}

#[test]
fn a_repository_without_its_frame_is_put_right() {
    for (what, content) in
        [("HEAD", None), ("HEAD", Some("")), ("config", None), ("config", Some("[core\nno")), ("refs", None)]
    {
        let home = filled();
        let expected = read(&mut home.start());
        let path = home.repository().join(what);
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None if path.is_dir() => fs::remove_dir_all(&path).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let mut client = start(&home);
        assert_eq!(read(&mut client), expected, "{what} {content:?}");
        client.ok("update_procedure", json!({"procedure_id": "kept", "description": "On it goes."}));
        assert!(client.close().success());
        let (is_healthy, said) = doctor(&home, &[]);
        assert!(is_healthy, "{what} {content:?}: {said}");
    }
}

#[test]
fn a_damaged_key_is_replaced_and_that_is_said() {
    let home = filled();
    let key = home.path().join("state.key");
    for content in [&b"short"[..], &[0; 32], &[7; 32]] {
        fs::write(&key, content).unwrap();
        read(&mut start(&home));
        let (is_healthy, said) = doctor(&home, &[]);
        assert!(is_healthy && said.contains("key of saved states"), "{said}");
    }
}
