//! A home in one file and back, and a copy of a database back into its place, while servers run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, Protocol, RawClient, text},
};

const ASKS: &str = "from repertoire import approve\n\n\ndef asks() -> str:\n    \"\"\"Ask.\"\"\"\n    approve('May I?')\n    return 'did'\n";

fn code(number: u32) -> String {
    format!("def kept() -> int:\n    \"\"\"Return {number}.\"\"\"\n    return {number}\n")
}

fn fill(client: &mut RawClient) {
    client.ok("remember_procedure", json!({"name": "kept", "steps": ["Keep it"], "code": code(1)}));
    client.ok("generate_procedure_code", json!({"procedure_id": "kept", "code": code(2)}));
    client.ok("execute_procedure", json!({"procedure_id": "kept"}));
    let state = json!({"workflow_id": "w", "run_id": "r", "node_id": "n", "state": {"x": 1}});
    client.ok("save_checkpoint", state);
}

fn read(client: &mut RawClient) -> Value {
    let kept = client.ok("get_procedure", json!({"procedure_id": "kept"}));
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "kept"}));
    let runs = client.ok("list_runs", json!({}));
    let state = client.ok("get_resume_point", json!({"run_id": "r"}));
    let total = client.ok("list_procedures", json!({}))["total"].clone();
    let runs: Vec<&Value> = runs["runs"].as_array().unwrap().iter().map(|run| &run["run_id"]).collect();
    json!([kept["code"], kept["version"], versions["versions"], runs, state["checkpoint"]["state"], total])
}

/// The paths that an answer says things are kept at.
fn kept(said: &str) -> Vec<PathBuf> {
    said.lines().filter_map(|line| line.strip_prefix("As it was before: ")).map(PathBuf::from).collect()
}

fn as_argument(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_home_comes_back_whole_under_running_servers_and_what_was_there_is_kept() {
    let home = Home::with_config("[limits]\nseconds = 60\n");
    let (mut client, mut tenant) = (home.start(), home.start_with(&[], Protocol::V2025));
    drop(std::mem::replace(
        &mut tenant,
        RawClient::spawn(home.command(&["--tenant", "acme", "--no-starters", "serve"])),
    ));
    tenant.open(Protocol::V2025);
    fill(&mut client);
    client.ok("remember_procedure", json!({"name": "asks", "steps": ["Ask"], "code": ASKS}));
    let paused = client.ok("execute_procedure", json!({"procedure_id": "asks"}));
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    tenant.ok("remember_procedure", json!({"name": "theirs", "steps": ["Do it"]}));
    let expected = read(&mut client);
    let file = home.beside("backups of mine").join("home.repertoire");
    let said = succeed(&home, &["backup", as_argument(&file)]);
    assert!(said.contains("the home, tenant `acme`"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(fail(&home, &["backup", as_argument(&file)]).contains("already"));

    // What happens afterwards is what is to be undone, and must not be lost either.
    client.ok("delete_procedure", json!({"procedure_id": "kept"}));
    client.ok("remember_procedure", json!({"name": "later", "steps": ["Come"]}));
    tenant.ok("delete_procedure", json!({"procedure_id": "theirs"}));
    home.configure("[limits]\nseconds = 5\n");
    fs::write(home.path().join("state.key"), [9; 32]).unwrap();
    let said = succeed(&home, &["restore", as_argument(&file)]);
    assert_eq!(read(&mut client), expected, "{said}");
    assert_eq!(tenant.ok("list_procedures", json!({}))["procedures"][0]["name"], json!("theirs"));
    assert!(fs::read_to_string(home.path().join("config.toml")).unwrap().contains("seconds = 60"));
    // A run that waited goes on with the key that came back.
    let answer = json!({"run_id": paused["run_id"], "decision": "approve"});
    assert_eq!(client.ok("resume_run", answer)["result"], json!("did"));
    client.ok("update_procedure", json!({"procedure_id": "kept", "description": "On it goes."}));

    let kept = kept(&said);
    assert!(kept.len() >= 6 && kept.iter().all(|path| path.exists()), "{said}");
    let replaced = kept.iter().find(|path| path.to_str().unwrap().contains("procedures.git.replaced")).unwrap();
    let repo = git2::Repository::open_bare(replaced).unwrap();
    assert!(repo.revparse_single("refs/heads/main:procedures/general/later").is_ok());

    // Into a home that there is not yet.
    let elsewhere = Home::new();
    succeed(&elsewhere, &["restore", as_argument(&file)]);
    assert_eq!(read(&mut elsewhere.start()), expected);
    let (is_healthy, doctor) = {
        let output = elsewhere.run(&["doctor"]);
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert!(is_healthy, "{doctor}");
}

#[test]
fn what_is_no_backup_or_is_damaged_is_refused_and_changes_nothing() {
    let home = Home::new();
    let mut client = home.start();
    fill(&mut client);
    let folder = home.beside("files");
    let whole = folder.join("whole");
    succeed(&home, &["backup", as_argument(&whole)]);
    client.ok("remember_procedure", json!({"name": "later", "steps": ["Come"]}));
    let expected = read(&mut client);
    let bytes = fs::read(&whole).unwrap();
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x20;
        bytes
    };
    let mut cases = vec![b"not an archive at all".to_vec(), Vec::new(), bytes[..bytes.len() / 2].to_vec()];
    cases.extend((1..8).map(|part| flipped(bytes.len() * part / 8)));
    for (number, case) in cases.into_iter().enumerate() {
        let file = folder.join(number.to_string());
        fs::write(&file, case).unwrap();
        let error = fail(&home, &["restore", as_argument(&file)]);
        assert!(error.contains("nothing was changed"), "{number}: {error}");
        assert_eq!(read(&mut client), expected, "{number}: {error}");
    }
    let error = fail(&home, &["restore", as_argument(&folder.join("absent"))]);
    assert!(error.contains("absent"), "{error}");
    assert_eq!(read(&mut client), expected);
}

#[test]
fn a_copy_of_the_database_comes_back_and_the_history_is_followed() {
    let home = Home::new();
    let mut client = home.start();
    fill(&mut client);
    assert!(client.close().success());
    // Every way down makes a copy.
    succeed(&home, &["db", "down", "--to", "8"]);
    let mut client = home.start();
    let expected = read(&mut client);
    client.ok("execute_procedure", json!({"procedure_id": "kept"}));
    client.ok("generate_procedure_code", json!({"procedure_id": "kept", "code": code(3)}));
    let status = succeed(&home, &["db", "status"]);
    let copy = status.lines().find_map(|line| line.strip_prefix("backup ")).unwrap().to_owned();
    let said = succeed(&home, &["db", "restore", &copy]);
    let found = read(&mut client);
    // Runs as they were, and what procedures are as the history has it.
    assert_eq!(found[3], expected[3], "{said}");
    assert_eq!((&found[0], &found[1]), (&json!(code(3)), &json!(3)), "{found}");
    client.ok("execute_procedure", json!({"procedure_id": "kept"}));
    let kept = kept(&said);
    assert!(kept.len() == 1 && kept[0].exists(), "{said}");
    // And back again: nothing was lost.
    succeed(&home, &["db", "restore", as_argument(&kept[0])]);
    assert_eq!(client.ok("list_runs", json!({}))["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_no_copy_of_a_database_is_refused() {
    let home = Home::new();
    let mut client = home.start();
    fill(&mut client);
    let expected = read(&mut client);
    let folder = home.beside("files");
    let foreign = folder.join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE a (b); PRAGMA user_version = 3").unwrap();
    let newer = folder.join("newer.db");
    let live = rusqlite::Connection::open(home.path().join("repertoire.db")).unwrap();
    live.execute("VACUUM INTO ?1", [as_argument(&newer)]).unwrap();
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let text_file = folder.join("text.db");
    fs::write(&text_file, "no database").unwrap();
    let empty = folder.join("empty.db");
    fs::write(&empty, "").unwrap();
    for (file, why) in [
        (&foreign, "not made by this program"),
        (&newer, "999"),
        (&text_file, "not a database"),
        (&empty, "not made by"),
    ] {
        let error = fail(&home, &["db", "restore", as_argument(file)]);
        assert!(error.contains("nothing was changed") && error.contains(why), "{}: {error}", file.display());
        assert_eq!(read(&mut client), expected);
    }
    assert!(fail(&home, &["db", "restore", as_argument(&folder)]).contains("no such file"));
}

#[test]
fn a_run_that_executed_when_the_backup_was_made_is_not_executed_again() {
    let home = Home::new();
    let mut client = home.start();
    fill(&mut client);
    let database = home.path().join("repertoire.db");
    let copy = home.beside("files").join("copy.db");
    assert!(client.close().success());
    fs::copy(&database, &copy).unwrap();
    let connection = rusqlite::Connection::open(&copy).unwrap();
    connection.execute("UPDATE runs SET status = 'running', outcome = NULL, finished_at = NULL", []).unwrap();
    drop(connection);
    let mut client = home.start();
    client.ok("list_runs", json!({}));
    succeed(&home, &["db", "restore", as_argument(&copy)]);
    let runs = client.ok("list_runs", json!({}))["runs"].clone();
    assert_eq!(text(&runs[0], "status"), "failed", "{runs}");
}
