//! The procedures that ship with the program: each passes the checks and does its work on real input.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use repertoire::library::starter_procedures;
use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, clean, has_program, text, toml_path};

/// A server with the starters, on a home whose policy lets `folder` be read and written.
fn start(home: &Home, folder: &Path, commands: &[&str]) -> RawClient {
    home.configure(&format!("[policy]\ncommands = {commands:?}\nwrite = [{}]\n", toml_path(folder)));
    start_here(home)
}

fn start_here(home: &Home) -> RawClient {
    let mut client = RawClient::spawn(home.command(&["serve"]));
    client.open(Protocol::V2025);
    client
}

#[track_caller]
fn result(client: &mut RawClient, name: &str, parameters: Value) -> Value {
    client.ok("execute_procedure", json!({"procedure_id": name, "parameters": parameters}))["result"].clone()
}

fn shown(path: &Path) -> Value {
    json!(path.to_str().unwrap())
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = clean(Command::new("git"));
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").current_dir(folder);
    command.args(["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "init.defaultBranch=main"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_new_home_has_the_starters_with_code_and_they_pass_the_checks() {
    let home = Home::new();
    let mut client = start_here(&home);
    let starters = starter_procedures().unwrap();
    assert!(starters.len() >= 12);
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(starters.len()));
    for (definition, code) in starters {
        let name = definition.name.to_string();
        let code = code.unwrap_or_else(|| panic!("{name} has no code"));
        assert!(!definition.examples.is_empty(), "{name} has no example");
        let answer = client.ok("validate_procedure_code", json!({"procedure_id": name, "code": code}));
        let errors: Vec<&Value> =
            answer["issues"].as_array().unwrap().iter().filter(|issue| issue["severity"] == "error").collect();
        assert!(errors.is_empty() && answer["checks"]["runnable"] == json!(true), "{name}: {errors:?}");
        assert!(answer["quality_score"].as_f64().unwrap() >= 0.7, "{name}: {answer}");
        let stored = client.ok("get_procedure", json!({"procedure_id": name}));
        assert_eq!(stored["version"], json!(1), "{stored}");
        assert!(stored["code_confidence"].as_f64().unwrap() >= 0.7, "{name}: {stored}");
    }
}

#[test]
fn recall_finds_the_starter_for_a_task() {
    let home = Home::new();
    let mut client = start_here(&home);
    for (task, name) in [
        ("what changed in my git working tree", "summarise_git_changes"),
        ("draft a changelog from the commits", "draft_changelog"),
        ("find TODO comments", "find_todos"),
        ("which files are large", "find_large_files"),
        ("run the tests of a project", "run_project_tests"),
        ("explain this cron line", "explain_cron"),
        ("compare two csv files", "diff_csv"),
        ("bump the version", "bump_version"),
    ] {
        let found = client.ok("recall_procedures", json!({"query": task, "limit": 3}));
        let names: Vec<&Value> = found["procedures"].as_array().unwrap().iter().map(|found| &found["name"]).collect();
        assert!(names.contains(&&json!(name)), "{task}: {names:?}");
    }
}

#[test]
fn the_examples_of_pure_starters_give_what_they_say() {
    let home = Home::new();
    let mut client = start_here(&home);
    let mut executed = 0;
    for (definition, _) in starter_procedures().unwrap() {
        for example in &definition.examples {
            // A result in words sums up a call on files that are not here.
            let Some(expected) = example.result.as_ref().filter(|result| !result.is_string()) else { continue };
            let name = definition.name.to_string();
            assert_eq!(result(&mut client, &name, json!(example.parameters)), *expected, "{name}");
            executed += 1;
        }
    }
    assert!(executed >= 6, "only {executed} examples can be executed");
}

#[test]
fn summarise_git_changes_sees_renames_and_odd_names() {
    if !has_program("git") {
        return;
    }
    let home = Home::new();
    let folder = home.beside("project");
    git(&folder, &["init", "--quiet"]);
    fs::write(folder.join("old name"), "1\n2\n3\n4\n5\n").unwrap();
    fs::write(folder.join("edited"), "1\n2\n3\n").unwrap();
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "-m", "First"]);
    git(&folder, &["mv", "old name", "new name"]);
    fs::write(folder.join("edited"), "1\n2\nthree\nfour\n").unwrap();
    fs::write(folder.join("zz é"), "untracked").unwrap();
    let mut client = start(&home, &folder, &["git"]);
    let changes = result(&mut client, "summarise_git_changes", json!({"path": shown(&folder)}));
    assert_eq!(changes["branch"], json!("main"), "{changes}");
    assert_eq!(changes["clean"], json!(false), "{changes}");
    let counts = json!({"staged": 1, "unstaged": 1, "untracked": 1, "conflicts": 0});
    assert_eq!(changes["counts"], counts, "{changes}");
    assert_eq!(changes["staged"][0]["old_path"], json!("old name"), "{changes}");
    assert!(changes["untracked"].to_string().contains("zz é"), "{changes}");
    assert_eq!((&changes["lines_added"], &changes["lines_deleted"]), (&json!(2), &json!(1)), "{changes}");
    let elsewhere = json!({"procedure_id": "summarise_git_changes", "parameters": {"path": "/"}});
    let answer = client.call("execute_procedure", elsewhere);
    assert_eq!(answer["error_type"], json!("PermissionError"), "{answer}");
}

#[test]
fn draft_changelog_reads_conventional_and_plain_commits() {
    if !has_program("git") {
        return;
    }
    let home = Home::new();
    let folder = home.beside("project");
    git(&folder, &["init", "--quiet"]);
    let commit = |message: &str| git(&folder, &["commit", "--quiet", "--allow-empty", "-m", message]);
    commit("First");
    git(&folder, &["tag", "v1.0"]);
    ["feat(api)!: drop the old call", "fix: count again", "topic: say more"].into_iter().for_each(commit);
    let mut client = start(&home, &folder, &["git"]);
    let parameters = json!({"path": shown(&folder), "version": "2.0"});
    let changelog = result(&mut client, "draft_changelog", parameters);
    assert_eq!((&changelog["since"], &changelog["commits"]), (&json!("v1.0"), &json!(3)), "{changelog}");
    assert_eq!(changelog["suggested_bump"], json!("major"), "{changelog}");
    assert_eq!(changelog["authors"], json!(["Ann"]), "{changelog}");
    let markdown = text(&changelog, "markdown");
    assert!(markdown.starts_with("## [2.0]") && markdown.contains("**api:** Drop the old call"), "{markdown}");
    assert!(markdown.contains("Count again"), "{markdown}");
}

#[test]
fn run_project_tests_reports_the_exit_code() {
    if !has_program("make") {
        return;
    }
    let home = Home::new();
    let folder = home.beside("project");
    fs::write(folder.join("Makefile"), "test:\n\t@echo checking; exit 3\n").unwrap();
    let mut client = start(&home, &folder, &["make test"]);
    let report = result(&mut client, "run_project_tests", json!({"path": shown(&folder)}));
    assert_eq!((&report["success"], &report["tool"]), (&json!(false), &json!("make")), "{report}");
    assert!(report["exit_code"].as_i64().unwrap() != 0, "{report}");
    assert!(text(&report, "output_tail").contains("checking"), "{report}");
    fs::write(folder.join("Makefile"), "test:\n\t@echo fine\n").unwrap();
    let report = result(&mut client, "run_project_tests", json!({"path": shown(&folder)}));
    assert_eq!((&report["success"], &report["exit_code"]), (&json!(true), &json!(0)), "{report}");
}

#[test]
fn bump_version_changes_one_line_and_only_when_told() {
    let home = Home::new();
    let folder = home.beside("project");
    let file = folder.join("Cargo.toml");
    let lines =
        ["[package]", "name = \"shop\"", "version = \"1.2.3\" # keep", "[dependencies.x]", "version = \"1.2.3\"", ""];
    let before = lines.join("\r\n");
    fs::write(&file, &before).unwrap();
    let mut client = start(&home, &folder, &[]);
    let plan = result(&mut client, "bump_version", json!({"path": shown(&file), "bump": "minor"}));
    assert_eq!((&plan["new_version"], &plan["written"]), (&json!("1.3.0"), &json!(false)), "{plan}");
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let parameters = json!({"path": shown(&folder), "bump": "minor", "dry_run": false});
    let done = result(&mut client, "bump_version", parameters);
    assert_eq!((&done["written"], &done["line"]), (&json!(true), &json!(3)), "{done}");
    assert_eq!(fs::read_to_string(&file).unwrap(), before.replacen("1.2.3", "1.3.0", 1));
}

#[test]
fn find_todos_finds_tag_owner_and_line() {
    let home = Home::new();
    let folder = home.beside("project");
    fs::create_dir_all(folder.join("target")).unwrap();
    fs::write(folder.join("a.rs"), "fn a() {}\n// TODO(ann): größer machen\n// no todo here\n").unwrap();
    fs::write(folder.join("b.py"), "# FIXME now\n").unwrap();
    fs::write(folder.join("target/c.rs"), "// TODO: generated\n").unwrap();
    fs::write(folder.join("d.bin"), b"TODO \0\xff").unwrap();
    let mut client = start(&home, &folder, &[]);
    let found = result(&mut client, "find_todos", json!({"path": shown(&folder)}));
    assert_eq!(found["total"], json!(2), "{found}");
    let item = found["items"].as_array().unwrap().iter().find(|item| item["tag"] == "TODO").unwrap();
    assert_eq!((&item["line"], &item["owner"]), (&json!(2), &json!("ann")), "{found}");
    assert!(text(item, "text").contains("größer machen"), "{found}");
}

#[test]
fn find_large_files_lists_the_largest_first() {
    let home = Home::new();
    let folder = home.beside("project");
    fs::create_dir_all(folder.join("data")).unwrap();
    fs::write(folder.join("small.txt"), "x").unwrap();
    fs::write(folder.join("medium.log"), vec![b'x'; 1_200_000]).unwrap();
    fs::write(folder.join("data/large.bin"), vec![b'x'; 2_000_000]).unwrap();
    let mut client = start(&home, &folder, &[]);
    let found = result(&mut client, "find_large_files", json!({"path": shown(&folder)}));
    assert_eq!((&found["large_files"], &found["total_files"]), (&json!(2), &json!(3)), "{found}");
    assert!(text(&found["files"][0], "file").ends_with("large.bin"), "{found}");
    assert_eq!(found["files"][0]["bytes"], json!(2_000_000), "{found}");
}

#[test]
fn review_locked_dependencies_reads_this_projects_lock_file() {
    let home = Home::new();
    let folder = home.beside("project");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let mut client = start(&home, &folder, &[]);
    let review = result(&mut client, "review_locked_dependencies", json!({"path": shown(&folder)}));
    assert_eq!(review["workspace"], json!(["repertoire"]), "{review}");
    assert!(review["total"].as_u64().unwrap() > 100, "{review}");
    assert_eq!(review["without_checksum"], json!([]), "{review}");
}

#[test]
fn check_config_files_names_line_and_column() {
    let home = Home::new();
    let folder = home.beside("project");
    fs::write(folder.join("good.json"), "{\"a\": [1, 2]}\n").unwrap();
    fs::write(folder.join("good.toml"), "[a]\nb = 1\n").unwrap();
    fs::write(folder.join("bad.toml"), "[a]\nb = 1\nc = = 2\n").unwrap();
    fs::write(folder.join("bad.json"), "{\n  \"a\": 1,\n}\n").unwrap();
    let mut client = start(&home, &folder, &[]);
    let checked = result(&mut client, "check_config_files", json!({"path": shown(&folder)}));
    assert_eq!((&checked["valid"], &checked["files_checked"]), (&json!(false), &json!(4)), "{checked}");
    let errors = checked["errors"].as_array().unwrap();
    let bad = errors.iter().find(|error| text(error, "file").ends_with("bad.toml")).unwrap();
    assert_eq!((&bad["line"], &bad["column"]), (&json!(3), &json!(5)), "{checked}");
    assert_eq!(errors.len(), 2, "{checked}");
}

#[test]
fn plan_log_rotation_plans_and_touches_nothing() {
    let home = Home::new();
    let folder = home.beside("logs");
    let now: SystemTime = SystemTime::UNIX_EPOCH + Duration::from_hours(490_896);
    let names = ["app.log", "app.log.1", "app.log.2", "app.log.3"];
    for (days, name) in (0u64..).zip(names) {
        let file = File::create(folder.join(name)).unwrap();
        file.set_len(1000).unwrap();
        file.set_modified(now - Duration::from_hours(days * 24)).unwrap();
    }
    let mut client = start(&home, &folder, &[]);
    let parameters = json!({"path": shown(&folder), "now": "2026-01-01T00:00:00Z", "keep": 2});
    let plan = result(&mut client, "plan_log_rotation", parameters);
    assert_eq!(plan["counts"]["delete"], json!(1), "{plan}");
    assert_eq!((&plan["total_bytes"], &plan["bytes_deleted"]), (&json!(4000), &json!(1000)), "{plan}");
    let mut left: Vec<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, names);
}

#[test]
fn csv_files_are_compared_and_summed_up() {
    let home = Home::new();
    let folder = home.beside("data");
    let (before, after) = (folder.join("before.csv"), folder.join("after.csv"));
    fs::write(&before, "id;name\r\n1;Ann\r\n2;Bob\r\n").unwrap();
    fs::write(&after, "id;name\r\n2;Bob\r\n1;Änn\r\n3;Eve\r\n").unwrap();
    let mut client = start(&home, &folder, &[]);
    let parameters = json!({"before": shown(&before), "after": shown(&after), "key": "id"});
    let diff = result(&mut client, "diff_csv", parameters);
    assert_eq!(diff["counts"], json!({"added": 1, "removed": 0, "changed": 1, "unchanged": 1}), "{diff}");
    assert_eq!(diff["changed"][0]["fields"]["name"], json!({"before": "Ann", "after": "Änn"}), "{diff}");
    let summary = result(&mut client, "summarise_csv", json!({"source": shown(&after)}));
    assert_eq!((&summary["rows"], &summary["columns"][0]["type"]), (&json!(3), &json!("integer")), "{summary}");
}
