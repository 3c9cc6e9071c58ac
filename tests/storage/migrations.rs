//! The tables of the database: brought up from every older version and taken back down, beside other processes and
//! programs that know more.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, functions::FunctionFlags};
use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, Protocol, RawClient, text},
    lifecycle,
};

/// The SQL of every migration, in order.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage/migrations");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.retain(|file| !file.to_str().unwrap().ends_with(".down.sql"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// The newest version.
fn newest() -> u32 {
    migrations().len().try_into().unwrap()
}

fn file(home: &Home) -> PathBuf {
    home.path().join("repertoire.db")
}

fn database(home: &Home) -> Connection {
    Connection::open(file(home)).unwrap()
}

fn version(path: &Path) -> u32 {
    Connection::open(path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

fn backups(home: &Home) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.path().join("backups")).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

const CODE: &str = "from repertoire import notify\n\ndef greet(whom: str) -> str:\n    \"\"\"Greet.\"\"\"\n    \
                    notify('greeted')\n    return whom\n";

/// A server for one user, because who owns what is part of the data.
fn start(home: &Home, user: &str) -> RawClient {
    home.start_with(&["--user", user], Protocol::V2025)
}

/// A home with data in every table, and nobody who has it open.
fn filled() -> Home {
    let home = Home::new();
    let mut client = start(&home, "ada");
    let trigger = json!({"type": "event", "event_type": "came"});
    let greet = json!({"name": "greet", "steps": ["Greet"], "tags": ["polite"], "code": CODE, "trigger": trigger});
    client.ok("remember_procedure", greet);
    let nightly = json!({"type": "time", "cron_expression": "0 3 * * *", "timezone": "UTC"});
    client.ok("remember_procedure", json!({"name": "sweep", "steps": ["Sweep"], "trigger": nightly}));
    client.ok("execute_procedure", json!({"procedure_id": "greet", "parameters": {"whom": "Bob"}}));
    let state = json!({"workflow_id": "w", "run_id": "r", "node_id": "n", "state": {"x": 1}});
    client.ok("save_checkpoint", state);
    assert!(client.close().success());
    home
}

/// What every version keeps.
fn kept(client: &mut RawClient) -> Value {
    let mut run = client.ok("list_runs", json!({}))["runs"].clone();
    assert_eq!(run.as_array().unwrap().len(), 1, "{run}");
    run[0]
        .as_object_mut()
        .unwrap()
        .retain(|field, _| ["run_id", "status", "name", "duration_seconds"].contains(&&**field));
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "greet"}));
    let found = client.ok("recall_procedures", json!({"query": "greet", "tag": "polite"}));
    let shown = client.ok("get_procedure", json!({"procedure_id": "greet"}));
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "greet"}));
    json!([
        run,
        stats["usage_count"],
        stats["success_rate"],
        stats["execution_stats"],
        found["procedures"][0]["name"],
        shown["procedure_id"],
        shown["code"],
        shown["owner"],
        shown["trigger"],
        shown["code_confidence"],
        versions["versions"],
    ])
}

/// Brings the file from version 0 to `version` as the programs of that time did, with the real SQL.
fn make_old(home: &Home, version: usize) {
    fs::create_dir_all(home.path()).unwrap();
    let connection = database(home);
    // The program's own, which no row is given to here.
    for name in ["search_form", "search_words_of", "search_spellings_of"] {
        let unchanged = |context: &rusqlite::functions::Context<'_>| context.get::<String>(0);
        connection.create_scalar_function(name, 1, FunctionFlags::SQLITE_UTF8, unchanged).unwrap();
    }
    migrations()[..version].iter().for_each(|sql| connection.execute_batch(sql).unwrap());
    connection.pragma_update(None, "user_version", version).unwrap();
}

#[test]
fn content_survives_the_way_down_to_each_version_and_up_again() {
    let expected = {
        let home = filled();
        kept(&mut start(&home, "ada")).as_array().unwrap().len()
    };
    for to in 1..newest() {
        let home = filled();
        let mut client = start(&home, "ada");
        let before = kept(&mut client);
        assert_eq!(before.as_array().unwrap().len(), expected);
        client.close();
        let printed = succeed(&home, &["db", "down", "--to", &to.to_string()]);
        assert!(printed.contains(&format!("from schema version {} to {to}", newest())), "{printed}");
        assert_eq!(version(&file(&home)), to);
        let [backup] = &backups(&home)[..] else { panic!("{:?}", backups(&home)) };
        assert!(printed.contains(backup.to_str().unwrap()) && version(backup) == newest(), "{printed}");
        let mut client = start(&home, "ada");
        assert_eq!(kept(&mut client), before, "from version {to}");
        assert_eq!(version(&file(&home)), newest());
        // What a version did not have yet is in the backup only.
        let inbox = client.ok("list_inbox", json!({}))["count"].clone();
        assert_eq!(inbox, json!(u32::from(to >= 4)), "from version {to}");
        let resume = client.ok("get_resume_point", json!({"run_id": "r"}));
        assert_eq!(resume.get("checkpoint").is_some(), to >= 5);
        // What is in git only, or derived from it, is there again: triggers, schedules, owners.
        assert_eq!(client.ok("emit_event", json!({"event_type": "came", "payload": {"whom": "x"}}))["count"], json!(1));
        let schedules = database(&home).query_row("SELECT count(*) FROM schedules", [], |row| row.get::<_, u32>(0));
        assert_eq!(schedules.unwrap(), 1, "from version {to}");
        let mut other = start(&home, "bob");
        other.refused("get_procedure", json!({"procedure_id": "greet"}), "procedure_not_found");
        if to == 1 {
            // The next migration changes rows, and a copy is made before.
            assert_eq!(backups(&home).len(), 2);
        }
    }
}

#[test]
fn a_backup_is_a_whole_database_for_this_user_alone() {
    let home = filled();
    succeed(&home, &["db", "down", "--to", "3"]);
    let [backup] = &backups(&home)[..] else { panic!() };
    #[cfg(unix)]
    for (path, mode) in [(backup.as_path(), 0o600), (backup.parent().unwrap(), 0o700)] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    // Put in place of the database it is what was there before.
    fs::copy(backup, file(&home)).unwrap();
    let mut client = start(&home, "ada");
    assert_eq!(client.ok("list_inbox", json!({}))["count"], json!(1));
    assert!(client.ok("get_resume_point", json!({"run_id": "r"})).get("checkpoint").is_some());
}

#[test]
fn eight_processes_that_find_an_old_database_migrate_it_once() {
    for old in 1..migrations().len() {
        let home = Home::new();
        make_old(&home, old);
        let mut clients: Vec<RawClient> = (0..8).map(|_| home.spawn(&[])).collect();
        clients.iter_mut().for_each(|client| drop(client.open(Protocol::V2025)));
        let asked: Vec<i64> = clients.iter_mut().map(|client| client.send_call("list_runs", json!({}))).collect();
        for (client, id) in clients.iter_mut().zip(asked) {
            assert_eq!(client.call_answer(id)["success"], json!(true));
        }
        assert_eq!(version(&file(&home)), newest());
        let made = backups(&home);
        // Where rows are changed: one, whoever comes first.
        assert!(made.len() == 1 || made.is_empty() && old > 1, "{made:?}");
        let told = clients.iter().filter(|client| client.log().contains("this is how it was before")).count();
        assert_eq!(told, made.len());
        if let [backup] = &made[..] {
            assert_eq!(version(backup) as usize, old);
        }
    }
}

#[test]
fn nobody_goes_down_while_others_have_the_home_open() {
    let home = filled();
    let before = fs::read(file(&home)).unwrap();
    let mut first = start(&home, "ada");
    first.ok("list_runs", json!({}));
    let error = fail(&home, &["db", "down", "--to", "4"]);
    assert!(error.contains("1 other process has the home open"), "{error}");
    let mut second = start(&home, "bob");
    second.ok("list_runs", json!({}));
    let error = fail(&home, &["db", "down", "--to", "4"]);
    assert!(error.contains("2 other processes have the home open\nhint: end them"), "{error}");
    assert_eq!((version(&file(&home)), backups(&home).len()), (newest(), 0));
    // One that was killed is none.
    first.kill();
    second.close();
    assert_eq!(fs::read(file(&home)).unwrap().len(), before.len());
    succeed(&home, &["db", "down", "--to", "4"]);
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let home = Home::new();
    let status = succeed(&home, &["db", "status"]);
    assert!(status.contains("schema version 0") && status.contains("not applied"), "{status}");
    assert!(fail(&home, &["db", "down", "--to", "1"]).contains("there is no database"));
    assert!(!home.path().exists());
    let home = filled();
    for to in [newest(), newest() + 1] {
        let error = fail(&home, &["db", "down", "--to", &to.to_string()]);
        assert!(error.contains(&format!("`--to {to}` is not below")), "{error}");
    }
    assert!(succeed(&home, &["db", "up"]).contains("up to date"));
    // Without a backup nothing is done.
    fs::write(home.path().join("backups"), "in the way").unwrap();
    let error = fail(&home, &["db", "down", "--to", "1"]);
    assert!(error.contains("no backup can be made") && error.contains("nothing was changed"), "{error}");
    assert_eq!(version(&file(&home)), newest());
    let mut client = start(&home, "ada");
    assert_eq!(client.ok("list_inbox", json!({}))["count"], json!(1));
}

#[test]
fn an_empty_database_gets_back_what_git_knows() {
    let home = filled();
    let printed = succeed(&home, &["db", "down", "--to", "0"]);
    assert!(printed.contains("It is empty now") && printed.contains("backups"), "{printed}");
    let mut client = start(&home, "ada");
    let shown = client.ok("get_procedure", json!({"procedure_id": "greet"}));
    assert_eq!((text(&shown, "code"), text(&shown, "owner")), (CODE, "ada"));
    assert_eq!(client.ok("list_runs", json!({}))["count"], json!(0));
}

#[test]
fn status_says_what_is_applied_and_who_can_use_it() {
    let home = filled();
    succeed(&home, &["db", "down", "--to", "3"]);
    let status = succeed(&home, &["db", "status"]);
    let has = |text: &str| assert!(status.contains(text), "{text}: {status}");
    has(file(&home).to_str().unwrap());
    has(&format!("schema version 3; this program knows {}", newest()));
    has("  3  durable_runs\n");
    has("  4  inbox  not applied");
    has("programs that know version 1 or more can use it");
    has(backups(&home)[0].to_str().unwrap());
    let up = succeed(&home, &["db", "up"]);
    assert!(up.contains(&format!("from schema version 3 to {}", newest())), "{up}");
}

/// What a newer program may have done that only adds: a table, and a column more in each that is there.
fn add(connection: &Connection, floor: Option<u32>) {
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'").unwrap();
    let tables: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in tables.iter().filter(|table| !table.starts_with("sqlite_") && !table.starts_with("procedure_search")) {
        connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN of_the_future TEXT DEFAULT 'x'")).unwrap();
    }
    connection.execute_batch("CREATE TABLE future (id INTEGER PRIMARY KEY)").unwrap();
    raise(connection, newest() + 2, floor);
}

fn raise(connection: &Connection, version: u32, floor: Option<u32>) {
    connection.execute("DELETE FROM meta WHERE key = 'min_reader_version'", []).unwrap();
    if let Some(floor) = floor {
        let text = floor.to_string();
        connection.execute("INSERT INTO meta (key, value) VALUES ('min_reader_version', ?1)", [text]).unwrap();
    }
    connection.pragma_update(None, "user_version", version).unwrap();
}

#[test]
fn an_older_program_goes_on_beside_a_newer_one_that_only_added() {
    let home = Home::new();
    let mut open = home.start();
    open.ok("list_procedures", json!({}));
    add(&database(&home), Some(newest()));
    // One that had it open, and one that opens it now.
    let mut story = lifecycle::Story::default();
    let mut opened = home.start();
    for (index, step) in lifecycle::STEPS.iter().enumerate() {
        step(&mut story, if index % 2 == 0 { &mut open } else { &mut opened });
    }
    for client in [&mut open, &mut opened] {
        let state = json!({"workflow_id": "w", "run_id": "r", "node_id": "n", "state": {"x": 1}});
        client.ok("save_checkpoint", state);
    }
    let greet = json!({"name": "greet", "steps": ["Greet"], "tags": ["polite"], "code": CODE,
                       "trigger": {"type": "event", "event_type": "came"}});
    open.ok("remember_procedure", greet);
    opened.ok("execute_procedure", json!({"procedure_id": "greet", "parameters": {"whom": "Bob"}}));
    let nightly = json!({"type": "time", "cron_expression": "0 3 * * *", "timezone": "UTC"});
    open.ok("remember_procedure", json!({"name": "sweep", "steps": ["Sweep"], "trigger": nightly}));
    opened.ok("generate_procedure_code", json!({"procedure_id": "sweep", "use_llm": false}));
    let paused = open.ok("execute_procedure", json!({"procedure_id": "sweep"}));
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    opened.ok("resume_run", json!({"run_id": paused["run_id"]}));
    assert_eq!(open.ok("list_inbox", json!({"kind": "notification"}))["count"], json!(1));
    assert_eq!(version(&file(&home)), newest() + 2);
    let status = succeed(&home, &["db", "status"]);
    assert!(status.contains(&format!("{}  of a newer program", newest() + 2)), "{status}");
    drop((open, opened));
    let error = fail(&home, &["db", "down", "--to", "1"]);
    assert!(error.contains(&format!("schema version {}", newest() + 2)), "{error}");
}

#[test]
fn an_older_program_leaves_alone_what_a_newer_one_has_broken_for_it() {
    for floor in [Some(newest() + 1), None] {
        let home = filled();
        raise(&database(&home), newest() + 2, floor);
        let error = start(&home, "ada").refused("list_procedures", json!({}), "storage_error");
        assert!(error.contains(&format!("schema version {}", newest() + 2)) && error.contains("upgrade"), "{error}");
        assert!(fail(&home, &["list"]).contains("upgrade"));
        assert!(succeed(&home, &["db", "status"]).contains(&format!("schema version {}", newest() + 2)));
    }
}

#[test]
fn a_process_that_has_it_open_writes_nothing_into_tables_that_were_changed() {
    for (changed, floor) in [(newest() + 1, Some(newest() + 1)), (newest() - 1, Some(1))] {
        let home = filled();
        let mut client = start(&home, "ada");
        let before = client.ok("list_runs", json!({}))["count"].clone();
        let version_before = client.ok("get_procedure", json!({"procedure_id": "greet"}))["version"].clone();
        let connection = database(&home);
        raise(&connection, changed, floor);
        let state = json!({"workflow_id": "w", "run_id": "r", "node_id": "n", "state": {"x": 2}});
        for (tool, arguments) in [
            ("save_checkpoint", state.clone()),
            ("execute_procedure", json!({"procedure_id": "greet", "parameters": {"whom": "x"}})),
            ("update_procedure", json!({"procedure_id": "greet", "description": "Changed"})),
        ] {
            let error = client.refused(tool, arguments, "storage_error");
            assert!(error.contains("nothing was written. Restart") && error.contains(&changed.to_string()), "{error}");
        }
        // The history is not ahead of the index either, and all goes on where the tables are what they were.
        assert_eq!(client.ok("get_procedure", json!({"procedure_id": "greet"}))["version"], version_before);
        raise(&connection, newest(), Some(1));
        assert_eq!(client.ok("list_runs", json!({}))["count"], before);
        client.ok("save_checkpoint", state);
    }
}

#[test]
fn each_tenant_has_a_database_of_its_own() {
    let home = filled();
    home.start_with(&["--tenant", "acme"], Protocol::V2025).ok("list_runs", json!({}));
    succeed(&home, &["--tenant", "acme", "db", "down", "--to", "2"]);
    let folder = home.path().join("tenants").join("acme");
    assert_eq!((version(&folder.join("repertoire.db")), version(&file(&home))), (2, newest()));
    assert!(folder.join("backups").is_dir() && backups(&home).is_empty());
}

#[test]
fn what_older_programs_kept_as_a_candidate_is_listed() {
    let home = Home::new();
    let mut client = start(&home, "ada");
    for name in ["first", "second"] {
        client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "status": "candidate"}));
    }
    assert!(client.close().success());
    succeed(&home, &["db", "down", "--to", &(newest() - 1).to_string()]);
    let listed = start(&home, "ada").ok("list_candidates", json!({}));
    assert_eq!(listed["count"], json!(2), "{listed}");
    let names: Vec<&str> = listed["candidates"].as_array().unwrap().iter().map(|one| text(one, "name")).collect();
    assert_eq!(names, ["first", "second"]);
}
