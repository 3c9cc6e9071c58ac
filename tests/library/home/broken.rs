//! One bad object that somebody pushed never takes the rest down, and is said where people look.

use git2::{FileMode, Repository, Signature};
use serde_json::{Value, json};

use crate::{
    common::{Home, RawClient, text},
    survival::commit_outside,
};

const FOLDER: &str = "procedures/general/pushed";

fn code(number: u32) -> String {
    format!("def pushed() -> int:\n    \"\"\"Return {number}.\"\"\"\n    return {number}\n")
}

fn filled() -> (Home, RawClient) {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "pushed", "steps": ["Do it"], "code": code(1)}));
    client.ok("remember_procedure", json!({"name": "bystander", "steps": ["Stand by"]}));
    (home, client)
}

/// Commits entries of a tree as somebody who pushes anything.
fn push(home: &Home, entries: &[(&str, FileMode, &[u8])], message: &str) -> String {
    let repo = Repository::open_bare(home.repository()).unwrap();
    let parent = repo.find_reference("refs/heads/main").unwrap().peel_to_commit().unwrap();
    let mut tree = parent.tree().unwrap();
    for (path, mode, content) in entries {
        let id = match mode {
            FileMode::Commit => parent.id(),
            _ => repo.blob(content).unwrap(),
        };
        tree = with_entry(&repo, &tree, &path.split('/').collect::<Vec<_>>(), id, *mode);
    }
    let person = Signature::now("A Person", "person@example.com").unwrap();
    repo.commit(Some("refs/heads/main"), &person, &person, message, &tree, &[&parent]).unwrap().to_string()
}

/// The tree with one entry set, whatever was there.
fn with_entry<'r>(
    repo: &'r Repository,
    tree: &git2::Tree<'_>,
    path: &[&str],
    id: git2::Oid,
    mode: FileMode,
) -> git2::Tree<'r> {
    let mut builder = repo.treebuilder(Some(tree)).unwrap();
    let [name, rest @ ..] = path else { panic!("a path has a name") };
    if rest.is_empty() {
        builder.insert(name, id, mode.into()).unwrap();
    } else {
        let below = tree.get_name(name).and_then(|entry| repo.find_tree(entry.id()).ok());
        let empty = repo.find_tree(repo.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let below = with_entry(repo, &below.unwrap_or(empty), rest, id, mode);
        builder.insert(name, below.id(), FileMode::Tree.into()).unwrap();
    }
    let id = builder.write().unwrap();
    repo.find_tree(id).unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

/// What may be pushed in place of a good file, and a word of the reason that is given.
fn bad_files() -> Vec<(&'static str, FileMode, Vec<u8>, &'static str)> {
    let definition = |text: &str| text.as_bytes().to_vec();
    let good = "{\"name\": \"pushed\", \"category\": \"general\", \"steps\": [\"Do it\"]}";
    let file = FileMode::Blob;
    vec![
        ("procedure.py", file, b"# caf\xe9\n".to_vec(), "not UTF-8"),
        ("procedure.py", file, utf16("def pushed():\n    return 1\n"), "UTF-16"),
        ("procedure.py", file, utf16("def pushed():\n    return 1\n")[2..].to_vec(), "zero byte"),
        ("procedure.py", file, b"<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> b\n".to_vec(), "merge"),
        ("procedure.py", file, vec![b'#'; 5 << 20], "bytes"),
        ("procedure.py", FileMode::Link, b"/etc/passwd".to_vec(), "symbolic link"),
        ("procedure.py", FileMode::Commit, Vec::new(), "submodule"),
        ("procedure.py/file", file, b"x".to_vec(), "directory"),
        ("procedure.json", file, utf16(good), "UTF-16"),
        (
            "procedure.json",
            file,
            definition("{\"name\": \"p\u{fc}shed\"}").iter().map(|b| b & 0xfe | 0x80).collect(),
            "UTF-8",
        ),
        ("procedure.json", file, definition(&good.replace(']', "],")), "trailing comma"),
        ("procedure.json", file, definition("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> b\n"), "merge"),
        ("procedure.json", file, definition(&good.replace("[\"Do it\"]", "7")), "`steps`"),
        ("procedure.json", file, definition("{\"name\": \"pushed\"}"), "category"),
        ("procedure.json", file, definition("[]"), "no definition"),
        ("procedure.json", file, definition(""), "no definition"),
        ("procedure.json", file, definition(&format!("{good} and more")), "no definition"),
        ("procedure.json", file, definition(&"[".repeat(10_000)), "no definition"),
        ("procedure.json", FileMode::Link, b"../bystander/procedure.json".to_vec(), "symbolic link"),
        ("procedure.json", FileMode::Commit, Vec::new(), "submodule"),
        ("procedure.json/file", file, b"x".to_vec(), "directory"),
    ]
}

#[test]
fn a_bad_file_leaves_the_procedure_as_it_was_and_is_named_with_its_commit_and_the_reason() {
    for (file, mode, content, reason) in bad_files() {
        let (home, mut client) = filled();
        let case = format!("{file} {mode:?} {reason}");
        let commit = push(&home, &[(&format!("{FOLDER}/{file}"), mode, &content)], "Push");
        let named = format!("{FOLDER}/{}", file.trim_end_matches("/file"));
        let check = |broken: &Value| {
            assert_eq!(broken["file"], json!(named), "{case}");
            assert_eq!(broken["commit"], json!(commit), "{case}");
            assert!(text(broken, "reason").contains(reason), "{case}: {broken}");
        };
        let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
        assert_eq!((&shown["version"], &shown["code"]), (&json!(1), &json!(code(1))), "{case}");
        check(&shown["broken"]);
        let listed = client.ok("list_procedures", json!({}));
        assert_eq!(listed["total"], json!(2), "{case}");
        check(&listed["broken"]["pushed"]);
        assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "pushed"}))["result"], json!(1), "{case}");
        let bystander =
            client.ok("update_procedure", json!({"procedure_id": "bystander", "description": "Still here."}));
        assert_eq!(bystander["version"], json!(2));
        let said = home.run(&["doctor"]);
        let said = format!("{}{}", said.status.success(), String::from_utf8_lossy(&said.stdout));
        assert!(
            said.starts_with("false") && said.contains(&named) && said.contains(&commit[..10]) && said.contains(reason),
            "{case}: {said}"
        );

        // Until somebody decides.
        for (tool, arguments) in [
            ("update_procedure", json!({"procedure_id": "pushed", "description": "Mine."})),
            ("generate_procedure_code", json!({"procedure_id": "pushed", "code": code(7)})),
        ] {
            let error = client.refused(tool, arguments, "procedure_broken");
            assert!(error.contains(&named) && error.contains("rollback_procedure_code"), "{case}: {error}");
        }
        let back = client.ok("rollback_procedure_code", json!({"procedure_id": "pushed", "target_version": 1}));
        assert_eq!(back["version"], json!(2), "{case}: {back}");
        let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
        assert_eq!((&shown["broken"], &shown["code"]), (&Value::Null, &json!(code(1))), "{case}");
        let updated = client.ok("update_procedure", json!({"procedure_id": "pushed", "description": "Mine."}));
        assert_eq!(updated["version"], json!(3), "{case}");
    }
}

#[test]
fn what_was_pushed_well_afterwards_settles_it() {
    let (home, mut client) = filled();
    let path = format!("{FOLDER}/procedure.py");
    push(&home, &[(&path, FileMode::Blob, b"\xff\xfe")], "Push");
    assert!(client.ok("get_procedure", json!({"procedure_id": "pushed"}))["broken"].is_object());
    // Back to what it was: no version more.
    push(&home, &[(&path, FileMode::Blob, code(1).as_bytes())], "Take it back");
    let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
    assert_eq!((&shown["broken"], &shown["version"]), (&Value::Null, &json!(1)), "{shown}");
    push(&home, &[(&path, FileMode::Blob, b"\xff\xfe")], "Push");
    push(&home, &[(&path, FileMode::Blob, code(2).as_bytes())], "Mend");
    let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
    assert_eq!((&shown["broken"], &shown["version"], &shown["code"]), (&Value::Null, &json!(2), &json!(code(2))));
    client.ok("update_procedure", json!({"procedure_id": "pushed", "description": "Mine."}));
    let before = client.ok("get_procedure_versions", json!({"procedure_id": "pushed"}))["versions"].clone();
    assert!(client.close().success());
    crate::cli::commands::succeed(&home, &["doctor", "--rebuild"]);
    let after = home.start().ok("get_procedure_versions", json!({"procedure_id": "pushed"}))["versions"].clone();
    assert_eq!(after, before);
}

#[test]
fn a_mark_that_an_editor_puts_before_the_text_is_fine() {
    let (home, mut client) = filled();
    let definition =
        json!({"name": "pushed", "category": "general", "description": "From Windows.", "steps": ["Do it"]});
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    push(
        &home,
        &[
            (&format!("{FOLDER}/procedure.json"), FileMode::Blob, &marked(&definition.to_string())),
            (&format!("{FOLDER}/procedure.py"), FileMode::Blob, &marked(&code(3).replace('\n', "\r\n"))),
        ],
        "Push from Windows",
    );
    let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
    assert_eq!((&shown["broken"], &shown["version"]), (&Value::Null, &json!(2)), "{shown}");
    assert_eq!(shown["definition"]["description"], json!("From Windows."));
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "pushed"}))["result"], json!(3));
}

#[test]
fn trailers_that_make_no_sense_change_no_numbers() {
    for trailer in ["4294967295", "4294967294", "1000000000", "2000000", "18446744073709551616", "0", "-5"] {
        let (home, mut client) = filled();
        let path = format!("{FOLDER}/procedure.py");
        let message = format!("Push\n\nVersion: {trailer}\nKind: code\nConfidence: 1e400\n");
        push(&home, &[(&path, FileMode::Blob, code(2).as_bytes())], &message);
        let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
        assert_eq!((&shown["version"], &shown["code"]), (&json!(2), &json!(code(2))), "{trailer}");
        let next = client.ok("update_procedure", json!({"procedure_id": "pushed", "description": "Mine."}));
        assert_eq!(next["version"], json!(3), "{trailer}");
    }
}

#[test]
fn folders_that_can_not_be_procedures_are_named_and_others_go_on() {
    let (home, mut client) = filled();
    let definition = br#"{"name": "any", "category": "general", "steps": ["Do it"]}"#;
    let paths = [
        ("Not A Slug", "procedures/general/Not A Slug"),
        ("nul", "procedures/general/nul"),
        ("12345", "procedures/general/12345"),
        ("fine", "procedures/No Category/fine"),
        ("linked", "procedures/general/linked"),
    ];
    let files: Vec<String> = paths.iter().map(|(_, folder)| format!("{folder}/procedure.json")).collect();
    let mut entries: Vec<(&str, FileMode, &[u8])> =
        files.iter().map(|file| (file.as_str(), FileMode::Blob, &definition[..])).collect();
    entries[4] = (paths[4].1, FileMode::Commit, &[]);
    push(&home, &entries, "Push anything");
    let listed = client.ok("list_procedures", json!({}));
    assert_eq!(listed["total"], json!(2), "{listed}");
    for (name, folder) in paths {
        assert!(text(&listed["broken"][name], "file").starts_with(folder), "{name}: {listed}");
    }
    // A name that was pushed and is none yet is not overwritten unseen.
    let error = client.refused("remember_procedure", json!({"name": "fine", "steps": ["Do it"]}), "procedure_broken");
    assert!(error.contains("No Category"), "{error}");
    client.ok("remember_procedure", json!({"name": "another", "steps": ["Do it"]}));
}

#[test]
fn a_name_with_two_folders_stays_what_it_was_until_one_is_gone() {
    let (home, mut client) = filled();
    let other = "procedures/aside/pushed/procedure.json";
    let definition = json!({"name": "pushed", "category": "aside", "description": "Another.", "steps": ["Do it"]});
    push(&home, &[(other, FileMode::Blob, definition.to_string().as_bytes())], "Push a second");
    let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
    assert_eq!(shown["definition"]["category"], json!("general"), "{shown}");
    assert!(text(&shown["broken"], "reason").contains("one procedure"), "{shown}");
    assert_eq!(shown["broken"]["file"], json!("procedures/aside/pushed"));
    client.ok("rollback_procedure_code", json!({"procedure_id": "pushed", "target_version": 1}));
    let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
    assert_eq!((&shown["broken"], &shown["version"]), (&Value::Null, &json!(2)), "{shown}");
    let repo = Repository::open_bare(home.repository()).unwrap();
    assert!(repo.revparse_single("refs/heads/main:procedures/aside").is_err(), "the second folder is gone");

    push(&home, &[(other, FileMode::Blob, definition.to_string().as_bytes())], "Push a second");
    commit_outside(
        &home.repository(),
        "Move it",
        &[(&format!("{FOLDER}/procedure.json"), None), (&format!("{FOLDER}/procedure.py"), None)],
    );
    let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
    assert_eq!((&shown["broken"], &shown["definition"]["category"]), (&Value::Null, &json!("aside")), "{shown}");
}

#[test]
fn a_folder_that_is_no_folder_any_more_deletes_nothing() {
    for (path, named) in [("procedures/general", "procedures/general"), ("procedures", "procedures"), (FOLDER, FOLDER)]
    {
        let (home, mut client) = filled();
        push(&home, &[(path, FileMode::Blob, b"a file")], "Push a file");
        let shown = client.ok("get_procedure", json!({"procedure_id": "pushed"}));
        assert_eq!(shown["broken"]["file"], json!(named), "{shown}");
        assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(2), "{path}");
    }
}

#[test]
fn a_broken_procedure_can_be_deleted() {
    let (home, mut client) = filled();
    push(&home, &[(&format!("{FOLDER}/procedure.json"), FileMode::Blob, b"{ no")], "Push");
    client.ok("delete_procedure", json!({"procedure_id": "pushed"}));
    let listed = client.ok("list_procedures", json!({}));
    assert_eq!((&listed["total"], &listed["broken"]), (&json!(1), &Value::Null), "{listed}");
    let again = client.ok("remember_procedure", json!({"name": "pushed", "steps": ["Do it"]}));
    assert_eq!(again["version"], json!(2), "{again}");
}
