//! A person's clone and the server change the same procedure, and the person merges.

use std::fs;

use git2::{FileMode, Oid, Repository, Signature, Tree, build::TreeUpdateBuilder};
use serde_json::{Value, json};

use crate::common::{Home, RawClient, remember};

const FOLDER: &str = "procedures/general/shared_work";
const CODE: &str =
    "def shared_work() -> int:\n    \"\"\"Return a number.\n\n    Returns:\n        2.\n    \"\"\"\n    return 2\n";

/// Makes a commit whose tree is that of `base` with one file changed.
fn commit(repo: &Repository, base: &Tree<'_>, file: &str, text: &str, parents: &[Oid], subject: &str) -> Oid {
    let mut update = TreeUpdateBuilder::new();
    update.upsert(format!("{FOLDER}/{file}"), repo.blob(text.as_bytes()).unwrap(), FileMode::Blob);
    let tree = repo.find_tree(update.create_updated(repo, base).unwrap()).unwrap();
    let person = Signature::now("A Person", "person@example.com").unwrap();
    let parents: Vec<_> = parents.iter().map(|id| repo.find_commit(*id).unwrap()).collect();
    repo.commit(None, &person, &person, subject, &tree, &parents.iter().collect::<Vec<_>>()).unwrap()
}

/// From the same first version, the server commits code and a person a description; the person merges and pushes.
fn merge_outside(home: &Home) {
    let repo = Repository::open_bare(home.repository()).unwrap();
    let main = repo.refname_to_id("refs/heads/main").unwrap();
    let head = repo.find_commit(main).unwrap();
    let first = head.parent(0).unwrap();
    let definition = json!({
        "name": "shared_work", "category": "general", "description": "Described in a clone.", "steps": ["Do it"],
    })
    .to_string();
    let branch =
        commit(&repo, &first.tree().unwrap(), "procedure.json", &definition, &[first.id()], "Describe it in a clone");
    let merge =
        commit(&repo, &head.tree().unwrap(), "procedure.json", &definition, &[branch, head.id()], "Merge my clone");
    repo.reference_matching("refs/heads/main", merge, true, main, "push").unwrap();
}

fn versions(client: &mut RawClient) -> Vec<Value> {
    let answer = client.ok("get_procedure_versions", json!({"procedure_id": "shared_work"}));
    let fields = ["version", "kind", "message", "author", "is_current"];
    let rows = answer["versions"].as_array().unwrap().iter();
    rows.map(|row| fields.iter().map(|field| row[*field].clone()).collect()).collect()
}

#[test]
fn both_sides_of_a_merge_are_kept_and_numbered_the_same_after_a_rebuild() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "shared work", "steps": ["Do it"]}));
    client.ok("generate_procedure_code", json!({"procedure_id": "shared_work", "code": CODE}));
    merge_outside(&home);
    let merged = versions(&mut client);
    let messages: Vec<&str> = merged.iter().map(|row| row[2].as_str().unwrap()).collect();
    assert_eq!(
        messages,
        ["Merge my clone", "Describe it in a clone", "Change the code of shared_work", "Remember shared_work"],
        "{merged:?}"
    );
    assert_eq!(merged[0][0], json!(4), "the server's own versions keep their numbers: {merged:?}");
    let procedure = client.ok("get_procedure", json!({"procedure_id": "shared_work"}));
    assert_eq!(procedure["definition"]["description"], json!("Described in a clone."), "{procedure}");
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "shared_work"}))["result"], json!(2));
    remember(&mut client, "another", "def another() -> int:\n    return 1\n");
    assert!(client.close().success());
    for file in ["repertoire.db", "repertoire.db-wal", "repertoire.db-shm"] {
        let _ = fs::remove_file(home.path().join(file));
    }
    let mut client = home.start();
    assert_eq!(versions(&mut client), merged);
    let updated = client.ok("update_procedure", json!({"procedure_id": "shared_work", "description": "And on."}));
    assert_eq!(updated["version"], json!(5), "{updated}");
}
