//! Who made a version: the user of the process, the program, or whoever pushed it.

use git2::Repository;
use serde_json::{Value, json};

use crate::{
    cli::commands::succeed,
    common::{Home, Protocol, RawClient, text},
    survival::commit_outside,
};

fn start(home: &Home, user: &str) -> RawClient {
    home.start_with(&["--user", user], Protocol::V2025)
}

/// The authors of all versions, newest first.
fn authors(client: &mut RawClient, name: &str) -> Vec<String> {
    let answer = client.ok("get_procedure_versions", json!({"procedure_id": name}));
    answer["versions"].as_array().unwrap().iter().map(|version| text(version, "author").to_owned()).collect()
}

/// Author, their address, and committer of the newest commit.
fn newest_commit(home: &Home) -> [String; 3] {
    let repo = Repository::open_bare(home.repository()).unwrap();
    let commit = repo.head().unwrap().peel_to_commit().unwrap();
    let (author, committer) = (commit.author(), commit.committer());
    [author.name_bytes(), author.email_bytes(), committer.name_bytes()]
        .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn a_version_is_by_whoever_made_it_also_after_a_rebuild() {
    let home = Home::new();
    let mut ada = start(&home, "ada");
    ada.ok("remember_procedure", json!({"name": "first", "steps": ["Do it"]}));
    let definition = json!({"name": "pushed", "category": "general", "description": "", "steps": ["Do it"]});
    let path = "procedures/general/pushed/procedure.json";
    commit_outside(&home.repository(), "By hand", &[(path, Some(&definition.to_string()))]);
    ada.ok("update_procedure", json!({"procedure_id": "pushed", "description": "As ada has it"}));
    let code = "def pushed() -> int:\n    \"\"\"Return a number.\"\"\"\n    return 1\n";
    start(&home, "bob").ok("generate_procedure_code", json!({"procedure_id": "pushed", "code": code}));
    assert_eq!(newest_commit(&home), ["bob", "bob@repertoire.invalid", "Repertoire"]);
    let expected = ["bob", "ada", "A Person"];
    assert_eq!(authors(&mut ada, "pushed"), expected);
    let shown = succeed(&home, &["--user", "bob", "show", "pushed"]);
    assert!(expected.iter().all(|author| shown.contains(&format!(" {author} "))), "{shown}");
    assert!(ada.close().success());

    succeed(&home, &["doctor", "--rebuild"]);
    assert_eq!(authors(&mut start(&home, "carol"), "pushed"), expected);
    assert_eq!(authors(&mut start(&home, "ada"), "first"), ["ada"]);
}

#[test]
fn what_a_home_begins_with_is_by_the_program() {
    let home = Home::new();
    let mut ada = RawClient::spawn(home.command(&["--user", "ada", "serve"]));
    ada.open(Protocol::V2025);
    assert_eq!(authors(&mut ada, "clean_text"), ["Repertoire"]);
    ada.ok("update_procedure", json!({"procedure_id": "clean_text", "description": "As we like it"}));
    assert_eq!(authors(&mut ada, "clean_text"), ["ada", "Repertoire"]);
}

#[test]
fn a_name_that_git_can_not_have_does_not_stop_anybody() {
    let home = Home::new();
    let users = [
        ("ada <root@example.org>", "ada root@example.org"),
        ("<>", "unknown"),
        ("...", "unknown"),
        ("Zoë \"the bold\"", "Zoë \"the bold"),
    ];
    for (number, (user, author)) in users.into_iter().enumerate() {
        let name = format!("by_number_{number}");
        let mut client = start(&home, user);
        let remembered: Value = client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"]}));
        assert_eq!(remembered["version"], json!(1), "{remembered}");
        assert_eq!(authors(&mut client, &name), [author]);
        // The owner is compared with the user of a process, so it stays as it is.
        let shown = client.ok("get_procedure", json!({"procedure_id": name}));
        assert_eq!(shown["owner"], json!(user), "{shown}");
    }
}

#[test]
fn somebody_without_a_name_makes_nothing() {
    let home = Home::new();
    for user in ["", "  ", "ada\nparent 0000"] {
        let error = start(&home, user).refused("list_procedures", json!({}), "configuration_error");
        assert!(error.contains("can't be a user's name") && error.contains("--user"), "{user:?}: {error}");
    }
    assert!(!home.path().exists());
}
