//! The command line, as a person uses it.

use std::{fs, path::Path, process::Output};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::common::{Home, Protocol, remember};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Runs a command that must succeed; returns what it prints.
#[track_caller]
pub fn succeed(home: &Home, arguments: &[&str]) -> String {
    let output = home.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
    stdout(&output)
}

/// Runs a command that must fail; returns what it says on stderr.
#[track_caller]
pub fn fail(home: &Home, arguments: &[&str]) -> String {
    let output = home.run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}{}", stdout(&output), stderr(&output));
    stderr(&output)
}

/// Compares with a snapshot, in which what differs from run to run is replaced.
#[track_caller]
pub fn check_snapshot(home: &Home, name: &str, printed: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots/cli");
    let text = printed.replace(home.path().to_str().unwrap(), "[home]");
    // Which walls hold is a matter of the machine.
    let lines = text.lines().filter(|line| !line.contains(" walls: "));
    let lines: Vec<String> = lines.map(without_chance).collect();
    settings.bind(|| insta::assert_snapshot!(name, lines.join("\n")));
}

/// The line without times, durations and commit ids; aligned no more where one was.
fn without_chance(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let replaced: Vec<&str> = words
        .iter()
        .enumerate()
        .map(|(at, word)| match *word {
            _ if words.get(at + 1).is_some_and(|unit| unit.starts_with("ms")) => "[duration]",
            _ if words
                .get(at + 1)
                .is_some_and(|unit| ["bytes", "KiB", "MiB"].iter().any(|size| unit.starts_with(size))) =>
            {
                "[size]"
            }
            _ if words[..at].ends_with(&["schema", "version"]) => "[number]",
            word if word.parse::<Timestamp>().is_ok() => "[time]",
            word if word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) => "[commit]",
            word => word,
        })
        .collect();
    if replaced == words {
        line.to_owned()
    } else {
        replaced.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

const GREET: &str = r#"def greet(whom: str, times: int = 1) -> str:
    """Greet somebody.

    Args:
        whom: Who.
        times: How often.

    Returns:
        The greeting.
    """
    print('thinking')
    return ' '.join(['hello', whom] * times)
"#;

/// A home with one procedure that was executed twice.
fn home_with_greeting() -> Home {
    home_with_greeting_by(&[])
}

/// The same, by the user that the arguments name.
fn home_with_greeting_by(user: &[&str]) -> Home {
    let home = Home::new();
    let mut client = home.start_with(user, Protocol::V2025);
    let definition = json!({
        "name": "greet", "description": "Greet somebody.", "category": "talk", "tags": ["a"], "steps": ["Say hello"],
        "parameters": [{"name": "whom", "type": "string"}, {"name": "times", "type": "integer", "default": 1}],
    });
    client.ok("remember_procedure", definition);
    client.ok("generate_procedure_code", json!({"procedure_id": "greet", "code": GREET}));
    let greet = |whom: &str| json!({"procedure_id": "greet", "parameters": {"whom": whom}});
    client.ok("execute_procedure", greet("ann"));
    client.ok("execute_procedure", greet("bob"));
    assert!(client.close().success());
    home
}

#[test]
fn list_shows_and_finds_procedures() {
    let home = home_with_greeting();
    check_snapshot(&home, "list", &succeed(&home, &["list"]));
    assert!(succeed(&home, &["list", "somebody"]).contains("greet"));
    assert!(!succeed(&home, &["list", "xylophone"]).contains("greet"));
    assert!(!succeed(&home, &["list", "--category", "other"]).contains("greet"));
    assert!(succeed(&home, &["list", "--tag", "a"]).contains("greet"));
}

#[test]
fn show_prints_definition_code_and_versions() {
    const ADA: [&str; 2] = ["--user", "ada"];
    let home = home_with_greeting_by(&ADA);
    let show = |arguments: &[&str]| succeed(&home, &[&ADA[..], &["show"], arguments].concat());
    check_snapshot(&home, "show", &show(&["greet"]));
    assert!(show(&["1", "--code"]).starts_with("def greet("));
    let definition: Value = serde_json::from_str(&show(&["greet", "--json"])).unwrap();
    assert_eq!(definition["description"], json!("Greet somebody."));
}

#[test]
fn run_binds_values_prints_the_result_and_counts() {
    let home = home_with_greeting();
    let printed = succeed(&home, &["run", "greet", "whom=zoë", "times=2"]);
    assert_eq!(printed, "thinking\nhello zoë hello zoë\n");
    let answer: Value = serde_json::from_str(&succeed(&home, &["run", "greet", "whom=\"5\"", "--json"])).unwrap();
    assert_eq!((&answer["result"], &answer["outcome"]), (&json!("hello 5"), &json!("success")), "{answer}");
    let mut client = home.start();
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "greet"}));
    assert_eq!(stats["usage_count"], json!(4), "{stats}");
}

#[test]
fn run_says_what_went_wrong_and_fails() {
    let home = home_with_greeting();
    remember(&mut home.start(), "broken", "def broken():\n    print('before')\n    raise ValueError('no luck')\n");
    let output = home.run(&["run", "broken"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "before\n");
    assert!(stderr(&output).contains("line 3") && stderr(&output).contains("ValueError: no luck"), "{output:?}");
    assert!(fail(&home, &["run", "greet"]).contains("missing parameter `whom`"));
    assert!(fail(&home, &["run", "greet", "whom=[5]"]).contains("must be `str`"));
    let output = home.run(&["run", "greet", "whom"]);
    assert!(!output.status.success() && stderr(&output).contains("NAME=VALUE"), "{output:?}");
}

#[test]
fn a_run_that_needs_a_person_says_so_without_a_terminal() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "ask", "steps": ["Look at the sky"]}));
    client.ok("generate_procedure_code", json!({"procedure_id": "ask"}));
    assert!(client.close().success());
    let error = fail(&home, &["run", "ask"]);
    assert!(error.contains("Look at the sky") && error.contains("terminal"), "{error}");
}

#[test]
fn an_unknown_procedure_is_an_error_with_the_closest_name() {
    let home = home_with_greeting();
    for command in ["show", "run", "stats"] {
        let error = fail(&home, &[command, "gret"]);
        // What to do is on a line of its own.
        assert_eq!(error, "error: there is no procedure `gret`\nhint: the closest name is `greet`\n", "{command}");
    }
}

#[test]
fn stats_tell_of_use() {
    let home = home_with_greeting();
    check_snapshot(&home, "stats", &succeed(&home, &["stats"]));
    check_snapshot(&home, "stats_of_one", &succeed(&home, &["stats", "greet"]));
    assert_eq!(succeed(&Home::new(), &["stats", "--no-starters"]), "Nothing was executed or reported yet.\n");
}

#[test]
fn doctor_finds_a_healthy_home_healthy() {
    let home = home_with_greeting();
    check_snapshot(&home, "doctor", &succeed(&home, &["doctor"]));
}

#[test]
fn doctor_rebuilds_the_index_and_keeps_what_happened() {
    let home = home_with_greeting();
    let read = || {
        let mut client = home.start();
        let of = |tool: &str| {
            let mut answer = client.ok(tool, json!({"procedure_id": "greet"}));
            answer.as_object_mut().unwrap().remove("timestamp");
            answer
        };
        ["get_procedure", "get_procedure_versions", "get_procedure_stats"].map(of)
    };
    let before = read();
    let printed = succeed(&home, &["doctor", "--rebuild"]);
    assert!(printed.contains("1 procedures") || printed.contains("1 procedure"), "{printed}");
    assert_eq!(read(), before);
}

#[test]
fn doctor_finds_a_broken_database_bad() {
    let home = Home::new();
    fs::create_dir_all(home.path()).unwrap();
    fs::write(home.path().join("repertoire.db"), "this is no database at all, whatever its name says").unwrap();
    let output = home.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("not a database") || stdout(&output).contains("bad"), "{output:?}");
}

#[test]
fn doctor_heals_a_broken_database_from_the_history() {
    let home = home_with_greeting();
    for file in ["repertoire.db-wal", "repertoire.db-shm"] {
        let _ = fs::remove_file(home.path().join(file));
    }
    fs::write(home.path().join("repertoire.db"), "this is no database at all, whatever its name says").unwrap();
    assert_eq!(home.run(&["doctor"]).status.code(), Some(1));
    succeed(&home, &["doctor", "--rebuild"]);
    assert_eq!(succeed(&home, &["run", "greet", "whom=ann"]), "thinking\nhello ann\n");
    assert!(succeed(&home, &["show", "greet"]).contains("v2 *"));
}

#[test]
fn doctor_sets_no_database_aside_that_is_only_too_new() {
    let home = home_with_greeting();
    let file = home.path().join("repertoire.db");
    let set = |version: u32, floor: u32| {
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        let sql = "INSERT INTO meta (key, value) VALUES ('min_reader_version', ?1)
                   ON CONFLICT (key) DO UPDATE SET value = ?1";
        connection.execute(sql, [floor]).unwrap();
    };
    set(9999, 9999);
    let refused = home.run(&["doctor", "--rebuild"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(stdout(&refused).contains("schema version 9999"), "{refused:?}");
    let kept = rusqlite::Connection::open(&file).unwrap();
    let version: u32 = kept.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 9999, "the database is the one that was there");
}

#[test]
fn init_writes_a_configuration_once_and_leaves_it_alone() {
    let home = Home::new();
    let file = home.path().join("config.toml");
    assert!(succeed(&home, &["init"]).contains("Wrote"));
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.contains("[policy]"));
    fs::write(&file, "# mine\n").unwrap();
    assert!(succeed(&home, &["init"]).contains("already there"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\n");
    fs::write(&file, "[polcy]\n").unwrap();
    let error = fail(&home, &["list"]);
    assert!(error.contains("polcy") && error.contains("config.toml"), "{error}");
}

#[test]
fn help_names_every_command() {
    let home = Home::new();
    let help = succeed(&home, &["--help"]);
    for command in
        ["serve", "daemon", "demo", "list", "show", "clone", "run", "stats", "validate", "doctor", "init", "bench"]
    {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {help}");
    }
    assert!(succeed(&home, &["--version"]).contains(env!("CARGO_PKG_VERSION")));
    assert!(!home.path().exists(), "looking at the help makes no home");
    let output = home.run(&["nonsense"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn output_to_a_pipe_has_no_colours() {
    let home = home_with_greeting();
    for arguments in [&["list"][..], &["show", "greet"], &["doctor"]] {
        assert!(!succeed(&home, arguments).contains('\u{1b}'), "{arguments:?}");
    }
}

#[test]
fn validate_shows_each_finding_in_its_line() {
    let home = Home::new();
    let folder = home.beside("sources");
    let file = folder.join("tidy.py");
    fs::write(
        &file,
        "import subprocess\n\n\ndef tidy(folder, deep: bool = False) -> None:\n    subprocess.run([\"rm\", folder])\n",
    )
    .unwrap();
    let output = home.run(&["validate", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let printed = stdout(&output).replace(file.to_str().unwrap(), "tidy.py");
    check_snapshot(&home, "validate", &printed);
    fs::write(&file, "def tidy(folder: str) -> str:\n    return folder\n").unwrap();
    assert!(succeed(&home, &["validate", file.to_str().unwrap()]).contains("passes"));
    let strict = home.run(&["validate", "--strict", file.to_str().unwrap()]);
    assert_eq!(strict.status.code(), Some(1), "a missing docstring is a warning: {strict:?}");
    let json = succeed(&home, &["validate", "--json", file.to_str().unwrap()]);
    let findings: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(findings["checks"]["security"], serde_json::json!(true), "{json}");
    let missing = fail(&home, &["validate", folder.join("nothing.py").to_str().unwrap()]);
    assert!(missing.contains("nothing.py"), "{missing}");
    assert!(!home.path().exists(), "checking files makes no home");
}

#[test]
fn every_starter_passes_validate_as_a_file() {
    let home = Home::new();
    let procedures = Path::new(env!("CARGO_MANIFEST_DIR")).join("procedures");
    let mut files = Vec::new();
    for category in fs::read_dir(&procedures).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        for procedure in fs::read_dir(category.path()).unwrap().flatten() {
            files.push(procedure.path().join("procedure.py").to_str().unwrap().to_owned());
        }
    }
    assert!(files.len() >= 12, "{files:?}");
    let arguments: Vec<&str> = std::iter::once("validate").chain(files.iter().map(String::as_str)).collect();
    succeed(&home, &arguments);
}
