//! Files and addresses that are linked to what is remembered, and read back as resources.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, eventually, remember, text, toml_path};

/// A home whose policy grants one folder, and that folder.
fn granted() -> (Home, PathBuf) {
    let home = Home::new();
    let folder = home.beside("granted ü");
    home.configure(&format!("[policy]\nread = [{}]\n", toml_path(&folder)));
    (home, folder)
}

fn file(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

fn arguments(memory: (&str, &Value), path: &Path) -> Value {
    let artifact = json!({"type": "report", "path": path});
    json!({"memory_type": memory.0, "memory_id": memory.1, "artifact": artifact})
}

#[track_caller]
fn link(client: &mut RawClient, memory: (&str, &Value), path: &Path) -> Value {
    client.ok("link_artifact", arguments(memory, path))["artifact"].clone()
}

fn checkpoint(client: &mut RawClient, state: &Value) -> Value {
    let arguments = json!({"workflow_id": "deploy", "run_id": "run_7", "node_id": "build", "state": state});
    client.ok("save_checkpoint", arguments)["checkpoint_id"].clone()
}

fn resources(client: &mut RawClient) -> Vec<Value> {
    let answer = client.request("resources/list", json!({}));
    answer["result"]["resources"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

fn read(client: &mut RawClient, uri: &Value) -> Value {
    client.request("resources/read", json!({"uri": uri}))
}

#[track_caller]
fn unreadable(client: &mut RawClient, uri: &Value, code: &str) -> String {
    let answer = read(client, uri);
    assert_eq!(answer["error"]["data"]["error_code"], json!(code), "{answer}");
    text(&answer["error"], "message").to_owned()
}

#[test]
fn what_is_linked_is_shown_with_what_it_belongs_to() {
    let (home, folder) = granted();
    let mut client = home.start();
    let report = file(&folder, "report größe.md", b"# Report\n");
    let id = remember(&mut client, "release", "def release():\n    return 1\n");
    let run = client.ok("execute_procedure", json!({"procedure_id": id}))["run_id"].clone();
    let saved = checkpoint(&mut client, &json!({"n": 1}));
    assert_eq!(client.ok("get_procedure", json!({"procedure_id": id})).get("artifacts"), None);
    let linked = link(&mut client, ("procedure", &json!(id)), &report);
    let hash = format!("blake3:{}", blake3::hash(b"# Report\n").to_hex());
    assert_eq!((&linked["content_hash"], &linked["size_bytes"]), (&json!(hash), &json!(9)));
    assert_eq!(linked["uri"], json!(format!("repertoire://artifacts/{}", linked["artifact_id"])));
    let ended = json!({"workflow_id": "deploy", "run_id": "run_7", "outcome": "success", "duration_ms": 5, "node_count": 1,
                       "nodes_succeeded": 1, "nodes_failed": 0, "cleanup_checkpoints": false});
    let outcome = client.ok("complete_workflow", ended)["outcome_id"].clone();
    for memory in [("run", &run), ("checkpoint", &saved), ("run", &json!("run_7")), ("outcome", &outcome)] {
        link(&mut client, memory, &report);
    }
    let address = json!({
        "memory_type": "checkpoint", "memory_id": saved,
        "artifact": {"type": "log", "uri": "s3://bucket/log", "size_bytes": 5, "metadata": {"by": "ci"}},
    });
    client.ok("link_artifact", address);
    client.kill();
    let mut client = home.start_with(&[], Protocol::V2026);
    let shown = |answer: &Value| -> Vec<(String, String)> {
        let artifacts = answer["artifacts"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
        artifacts.map(|artifact| (text(artifact, "type").to_owned(), text(artifact, "uri").to_owned())).collect()
    };
    let procedure = client.ok("get_procedure", json!({"procedure_id": "release"}));
    assert_eq!(procedure["artifacts"], json!([linked]));
    assert_eq!(shown(&client.ok("get_run", json!({"run_id": run}))).len(), 1);
    let listed = client.ok("list_checkpoints", json!({"run_id": "run_7"}));
    assert_eq!(shown(&listed).len(), 2, "of the run and of its outcome: {listed}");
    let outcomes = client.ok("recall_outcomes", json!({"run_id": "run_7", "workflow_id": "deploy"}));
    assert_eq!(outcomes["outcomes"][0]["linked"][0]["content_hash"], linked["content_hash"], "{outcomes}");
    let of_checkpoint = shown(&listed["checkpoints"][0]);
    assert_eq!(of_checkpoint[1], ("log".to_owned(), "s3://bucket/log".to_owned()));
    let point = client.ok("get_resume_point", json!({"run_id": "run_7"}));
    assert_eq!(shown(&point["checkpoint"]), of_checkpoint);
    assert_eq!(point["checkpoint"]["artifacts"][1]["metadata"], json!({"by": "ci"}));
    // The same place again is known anew, under the same number.
    fs::write(&report, "longer than before").unwrap();
    let procedure = client.ok("get_procedure", json!({"procedure_id": "release"}));
    assert_eq!(procedure["artifacts"][0]["status"], json!("changed"));
    let again = link(&mut client, ("procedure", &json!("release")), &report);
    assert_eq!((&again["artifact_id"], &again["size_bytes"]), (&linked["artifact_id"], &json!(18)));
    fs::remove_file(&report).unwrap();
    let procedure = client.ok("get_procedure", json!({"procedure_id": "release"}));
    assert_eq!(procedure["artifacts"][0]["status"], json!("missing"));
}

#[test]
fn linked_files_are_resources_on_every_protocol() {
    let (home, folder) = granted();
    let mut client = home.start();
    let saved = checkpoint(&mut client, &json!({}));
    let markdown = file(&folder, "notes.md", "größer\n".as_bytes());
    let binary = file(&folder, "picture.png", &[0x89, b'P', 0xff, 0]);
    let uris = [markdown, binary].map(|path| link(&mut client, ("checkpoint", &saved), &path)["uri"].clone());
    for protocol in [Protocol::V2025, Protocol::V2026] {
        let mut client = home.start_with(&["--read-only"], protocol);
        let listed = resources(&mut client);
        let [notes, picture] = &listed[..] else { panic!("{listed:?}") };
        assert_eq!((&notes["uri"], &notes["name"], &notes["size"]), (&uris[0], &json!("notes.md"), &json!(9)));
        assert_eq!((&picture["uri"], &picture["mimeType"]), (&uris[1], &json!("image/png")));
        let contents = read(&mut client, &uris[0])["result"]["contents"][0].clone();
        assert_eq!(contents, json!({"uri": uris[0], "mimeType": "text/markdown", "text": "größer\n"}));
        let contents = read(&mut client, &uris[1])["result"]["contents"][0].clone();
        assert_eq!(contents, json!({"uri": uris[1], "mimeType": "image/png", "blob": "iVD/AA=="}));
        let templates = client.request("resources/templates/list", json!({}));
        let templates = templates["result"]["resourceTemplates"].as_array().unwrap();
        let of_files = |template: &Value| template["uriTemplate"] == json!("repertoire://artifacts/{artifact_id}");
        assert!(templates.iter().any(of_files), "{templates:?}");
        for unknown in
            ["repertoire://artifacts/99", "repertoire://artifacts/01", "repertoire://x", "file:///etc/passwd"]
        {
            let error = read(&mut client, &json!(unknown))["error"].clone();
            let code = if protocol == Protocol::V2026 { -32602 } else { -32002 };
            assert_eq!(error["code"], json!(code), "{unknown}: {error}");
        }
    }
    let wrong = client.request("resources/list", json!({"cursor": "x"}));
    assert_eq!(wrong["error"]["code"], json!(-32602), "{wrong}");
}

#[test]
fn many_resources_come_in_pages() {
    let (home, folder) = granted();
    let mut client = home.start();
    let saved = checkpoint(&mut client, &json!({}));
    for n in 0..130 {
        let path = file(&folder, &format!("{n}.txt"), b"x");
        link(&mut client, ("checkpoint", &saved), &path);
    }
    let first = client.request("resources/list", json!({}))["result"].clone();
    let second = client.request("resources/list", json!({"cursor": first["nextCursor"]}))["result"].clone();
    let count = |page: &Value| page["resources"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second), second.get("nextCursor")), (100, 30, None));
}

#[test]
fn what_was_changed_or_is_gone_is_not_passed_off_as_what_was_linked() {
    let (home, folder) = granted();
    let mut client = home.start();
    let saved = checkpoint(&mut client, &json!({}));
    let path = file(&folder, "a.txt", b"before");
    let uri = link(&mut client, ("checkpoint", &saved), &path)["uri"].clone();
    fs::write(&path, "behind").unwrap();
    let error = unreadable(&mut client, &uri, "artifact_changed");
    assert!(error.contains("has changed since it was linked") && error.contains("link it again"), "{error}");
    fs::remove_file(&path).unwrap();
    assert!(unreadable(&mut client, &uri, "artifact_changed").contains("is missing"));
    let large = file(&folder, "large.bin", &vec![b'x'; 8 * 1024 * 1024 + 1]);
    let uri = link(&mut client, ("checkpoint", &saved), &large)["uri"].clone();
    assert!(unreadable(&mut client, &uri, "invalid_argument").contains("more than 8 MiB"));
    let outside = home.beside("elsewhere");
    home.configure(&format!("[policy]\nread = [{}]\n", toml_path(&outside)));
    let error = unreadable(&mut client, &uri, "permission_denied");
    assert!(error.contains("`read` under [policy]"), "{error}");
    assert_eq!(resources(&mut client), Vec::<Value>::new());
}

#[test]
fn a_folder_in_the_place_of_a_file_is_not_called_missing() {
    let (home, folder) = granted();
    let mut client = home.start();
    let saved = checkpoint(&mut client, &json!({}));
    let path = file(&folder, "a.txt", b"abc");
    let uri = link(&mut client, ("checkpoint", &saved), &path)["uri"].clone();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let error = unreadable(&mut client, &uri, "artifact_changed");
    assert!(error.contains("is no file any more; link it again"), "{error}");
    let rows = client.ok("list_checkpoints", json!({"run_id": "run_7"}));
    assert_eq!(rows["checkpoints"][0]["artifacts"][0]["status"], json!("changed"), "{rows}");
}

#[cfg(unix)]
#[test]
fn a_file_that_can_not_be_read_is_not_called_missing() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let (home, folder) = granted();
    let mut client = home.start();
    let saved = checkpoint(&mut client, &json!({}));
    let path = file(&folder, "a.txt", b"abc");
    let uri = link(&mut client, ("checkpoint", &saved), &path)["uri"].clone();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The root user reads it all the same.
    if fs::read(&path).is_err() {
        let error = unreadable(&mut client, &uri, "artifact_changed");
        assert!(error.contains("can't be read ("), "{error}");
        let again = arguments(("checkpoint", &saved), &path);
        assert!(client.refused("link_artifact", again, "invalid_argument").contains("can't be read"));
    }
    fs::remove_file(&path).unwrap();
    symlink(&path, &path).unwrap();
    let error = unreadable(&mut client, &uri, "artifact_changed");
    assert!(error.contains("can't be read ("), "{error}");
}

#[test]
fn only_granted_files_that_are_what_they_should_be_are_linked() {
    let (home, folder) = granted();
    let outside = home.beside("outside");
    let mut client = home.start();
    let saved = checkpoint(&mut client, &json!({}));
    let inside = file(&folder, "a.txt", b"abc");
    let secret = file(&outside, "secret.txt", b"secret");
    for path in [secret.clone(), outside.join("nothing"), folder.join("../outside/secret.txt"), outside.clone()] {
        let error = client.refused("link_artifact", arguments(("checkpoint", &saved), &path), "permission_denied");
        assert!(error.contains("`read` under [policy]"), "{error}");
    }
    let sha256 = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let with = |field: &str, value: Value| {
        let mut arguments = arguments(("checkpoint", &saved), &inside);
        arguments["artifact"][field] = value;
        arguments
    };
    for (field, value, wanted) in [
        ("size_bytes", json!(4), "has 3 bytes, and `size_bytes` says 4"),
        ("content_hash", json!(sha256.replace("ba", "bb")), "and `content_hash` says sha256:bb"),
        ("content_hash", json!("abc"), "`content_hash` is `abc`"),
        ("path", json!("a.txt"), "give an absolute path"),
        ("path", json!(folder), "is no file"),
        ("path", json!(folder.join("nothing")), "there is no file"),
        ("uri", json!("https://example.org"), "either `path`"),
        ("type", json!(""), "`artifact.type` is empty"),
        ("metadata", json!({"x": "y".repeat(70_000)}), "`artifact.metadata` has 70008 bytes"),
        ("size", json!(3), "size"),
    ] {
        let error = client.refused("link_artifact", with(field, value), "invalid_argument");
        assert!(error.contains(wanted), "{field}: {error}");
    }
    for uri in ["file:///etc/passwd", "report.pdf", "c:\\report.pdf"] {
        let artifact = json!({"type": "report", "uri": uri});
        let arguments = json!({"memory_type": "checkpoint", "memory_id": saved, "artifact": artifact});
        assert!(client.refused("link_artifact", arguments, "invalid_argument").contains("artifact.uri"), "{uri}");
    }
    for (memory_type, memory_id, code) in [
        ("procedure", json!("nowhere"), "procedure_not_found"),
        ("run", json!("nowhere"), "run_not_found"),
        ("checkpoint", json!("cp_run_7_2"), "checkpoint_not_found"),
        ("outcome", json!("nowhere"), "outcome_not_found"),
        ("wish", json!("x"), "invalid_argument"),
    ] {
        client.refused("link_artifact", arguments((memory_type, &memory_id), &inside), code);
    }
    assert_eq!(resources(&mut client), Vec::<Value>::new(), "nothing of that was linked");
    let linked = client.ok("link_artifact", with("content_hash", json!(sha256)))["artifact"].clone();
    assert_eq!(linked["content_hash"], json!(sha256));
    assert_eq!(read(&mut client, &linked["uri"])["result"]["contents"][0]["text"], json!("abc"));
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_leads_nowhere_else() {
    let (home, folder) = granted();
    let mut client = home.start();
    let saved = checkpoint(&mut client, &json!({}));
    let secret = file(&home.beside("outside"), "secret.txt", b"abc");
    let link_out = folder.join("out.txt");
    std::os::unix::fs::symlink(&secret, &link_out).unwrap();
    client.refused("link_artifact", arguments(("checkpoint", &saved), &link_out), "permission_denied");
    // Nor when it takes the place of a file that was linked.
    let path = file(&folder, "a.txt", b"abc");
    let uri = link(&mut client, ("checkpoint", &saved), &path)["uri"].clone();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&secret, &path).unwrap();
    unreadable(&mut client, &uri, "permission_denied");
    assert_eq!(resources(&mut client), Vec::<Value>::new());
}

#[test]
fn what_one_user_links_is_not_there_for_another() {
    let (home, folder) = granted();
    let [mut ada, mut bob] = ["ada", "bob"].map(|user| home.start_with(&["--user", user], Protocol::V2025));
    let path = file(&folder, "a.txt", b"abc");
    let saved = checkpoint(&mut ada, &json!({"of": "ada"}));
    let uri = link(&mut ada, ("checkpoint", &saved), &path)["uri"].clone();
    assert_eq!(resources(&mut bob), Vec::<Value>::new());
    assert_eq!(
        unreadable(&mut bob, &uri, "artifact_not_found"),
        unreadable(&mut ada, &json!("repertoire://artifacts/9"), "artifact_not_found").replace('9', "1")
    );
    bob.refused("link_artifact", arguments(("checkpoint", &saved), &path), "checkpoint_not_found");
    // A run of the same name is another one.
    checkpoint(&mut bob, &json!({"of": "bob"}));
    let rows = bob.ok("list_checkpoints", json!({"run_id": "run_7"}));
    assert_eq!(rows["checkpoints"][0].get("artifacts"), None, "{rows}");
    assert_eq!(resources(&mut ada).len(), 1);
}

#[test]
fn what_is_linked_to_a_checkpoint_goes_with_it() {
    let (home, folder) = granted();
    let mut client = home.start();
    let path = file(&folder, "a.txt", b"abc");
    for n in [1, 2] {
        let saved = checkpoint(&mut client, &json!({"n": n}));
        link(&mut client, ("checkpoint", &saved), &path);
    }
    let database = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    database.execute("UPDATE checkpoints SET created_at = 1 WHERE sequence = 1", []).unwrap();
    let policy = fs::read_to_string(home.path().join("config.toml")).unwrap();
    home.configure(&format!("{policy}[checkpoints]\nmax_age_days = 1\n"));
    client.close();
    let mut client = home.start();
    eventually("only one is left", || resources(&mut client).len() == 1);
}

#[test]
fn what_is_linked_again_keeps_what_was_noted_of_it() {
    let (home, folder) = granted();
    let mut client = home.start();
    let id = json!(remember(&mut client, "release", "def release():\n    return 1\n"));
    let path = file(&folder, "a.txt", b"one");
    let mut link = |artifact: Value| {
        let arguments = json!({"memory_type": "procedure", "memory_id": id, "artifact": artifact});
        client.ok("link_artifact", arguments)["artifact"].clone()
    };
    let noted = json!({"by": "ada", "pages": 3});
    let first = link(json!({"type": "report", "path": path, "metadata": noted}));
    fs::write(&path, b"another").unwrap();
    let again = link(json!({"type": "report", "path": path}));
    assert_eq!((&again["artifact_id"], &again["metadata"]), (&first["artifact_id"], &noted), "{again}");
    assert_eq!(again["size_bytes"], json!(7), "a file is looked at anew");
    assert_eq!(
        link(json!({"type": "report", "path": path, "metadata": {"by": "bob"}}))["metadata"],
        json!({"by": "bob"})
    );
    let gone = link(json!({"type": "report", "path": path, "metadata": {}}));
    assert!(gone.get("metadata").is_none_or(|metadata| *metadata == json!({})), "{gone}");
    // Of what lies elsewhere nothing is known but what was said.
    let (uri, hash) = ("s3://bucket/log", format!("sha256:{}", "ab".repeat(32)));
    let said = json!({"type": "log", "uri": uri, "content_hash": hash, "size_bytes": 12, "metadata": noted});
    link(said);
    let again = link(json!({"type": "trace", "uri": uri}));
    assert_eq!((&again["type"], &again["metadata"]), (&json!("trace"), &noted), "{again}");
    assert_eq!((&again["content_hash"], &again["size_bytes"]), (&json!(hash), &json!(12)), "{again}");
    let other = format!("sha256:{}", "cd".repeat(32));
    let changed = link(json!({"type": "trace", "uri": uri, "content_hash": other}));
    assert_eq!((&changed["content_hash"], changed.get("size_bytes")), (&json!(other), None), "{changed}");
}
