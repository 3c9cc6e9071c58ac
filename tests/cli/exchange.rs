//! Procedures from files of other programs, and a file that gives them back as they were.

use std::{fs, path::Path};

use rusqlite::Connection;
use serde_json::{Value, json};

use super::commands::{fail, succeed};
use crate::common::{Home, Protocol, remember};

fn report(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let output = home.run(&[&["import", "--json"], arguments].concat());
    let Ok(Value::Array(lines)) = serde_json::from_slice(&output.stdout) else {
        panic!("{}", String::from_utf8_lossy(&output.stderr))
    };
    lines
}

fn outcomes(home: &Home, arguments: &[&str]) -> Vec<String> {
    report(home, arguments).iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
}

fn file(home: &Home, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = home.beside("files").join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_is_exported_is_imported_as_it_was() {
    let (home, other) = (Home::new(), Home::new());
    let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/definitions");
    let definitions = definitions.to_str().unwrap();
    assert_eq!(outcomes(&home, &["--dry-run", definitions]), vec!["added"; 101]);
    assert_eq!(outcomes(&home, &[definitions]), vec!["added"; 101]);
    assert_eq!(outcomes(&home, &[definitions]), vec!["unchanged"; 101], "importing again changes nothing");

    let mut client = home.start();
    let code = "# Grüße, with its own look\ndef greet(whom: str = \"Ada\") -> str:\n    \"\"\"Greet `whom`; returns it.\"\"\"\n    return whom\n";
    remember(&mut client, "greet", code);
    client.ok(
        "update_procedure",
        json!({"procedure_id": "greet", "tags": ["a"], "icon": "👋", "is_shared": true, "enabled": false,
            "permissions": {"commands": ["git log"]}, "trigger": {"type": "time", "cron_expression": "0 6 * * 1-5"},
            "examples": [{"parameters": {"whom": "Bob"}, "result": "Bob"}], "anti_patterns": ["Shouting"]}),
    );
    let exported = succeed(&home, &["export", "--json"]);
    let path = file(&home, "all.json", &exported);
    let became = outcomes(&other, &[&path]);
    assert_eq!(became.iter().filter(|became| *became == "added").count(), 102, "{became:?}");
    assert_eq!(succeed(&other, &["export", "--json"]), exported);
    assert!(outcomes(&other, &[&path]).iter().all(|became| became == "unchanged"));

    // One of them, and what has changed since.
    assert!(succeed(&home, &["export", "greet", "--output", &path]).contains("1 procedure exported"));
    client.ok("update_procedure", json!({"procedure_id": "greet", "description": "Say hello."}));
    let line = &report(&home, &["--dry-run", &path])[0];
    assert_eq!((&line["outcome"], &line["version"]), (&json!("changed"), &json!(4)));
    assert_eq!(report(&home, &[&path])[0]["version"], json!(4));
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "greet"}));
    assert_eq!(versions["versions"][0]["message"], json!("Import greet"));
    assert!(fail(&home, &["export", "nowhere"]).contains("`nowhere`"));
}

#[test]
fn tables_of_other_programs_are_read_and_left_alone() {
    let home = Home::new();
    let path = home.beside("files").join("memories.db");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE procedural_memories (id TEXT, user_id TEXT, workflow_name TEXT, description TEXT,
                trigger_conditions TEXT, steps TEXT, success_count INT, is_shared BOOLEAN, version INT);
             INSERT INTO procedural_memories VALUES
                ('1', 'u', 'Close the books', 'At the end of a month.', '{\"entity_type\": \"month\"}',
                 '[{\"order\": 1, \"description\": \"Ask {{who}} for receipts\"}, \"Run `true`\"]', 12, 0, 3),
                ('2', 'u', 'Broken', NULL, '{}', '[]', 0, 0, 1);
             CREATE TABLE procedures (id INTEGER, name TEXT, category TEXT, code TEXT, template TEXT, created_at INT);
             INSERT INTO procedures VALUES
                (7, 'double', 'maths', 'def double(n: int) -> int:\n    \"\"\"Return n twice.\"\"\"\n    return 2 * n\n', 'Twice {{n}}', 0);
             CREATE TABLE users (name TEXT, age INT);",
        )
        .unwrap();
    let before = fs::read(&path).unwrap();
    let lines = report(&home, &[path.to_str().unwrap()]);
    let seen: Vec<_> = lines.iter().map(|line| (line["outcome"].as_str().unwrap(), line["name"].as_str())).collect();
    assert_eq!(seen, [("added", Some("close_the_books")), ("refused", Some("Broken")), ("added", Some("double"))]);
    assert_eq!(lines[0]["left_out"], json!(["success_count"]));
    assert!(lines[1]["origin"].as_str().unwrap().ends_with("row 2 of `procedural_memories`"), "{}", lines[1]);
    assert!(lines[1]["error"].as_str().unwrap().contains("`steps` is empty"), "{}", lines[1]);
    assert_eq!(fs::read(&path).unwrap(), before);

    let mut client = home.start();
    assert_eq!(
        client.ok("execute_procedure", json!({"procedure_id": "double", "parameters": {"n": 21}}))["result"],
        json!(42)
    );
    let found = client.ok("match_procedures", json!({"context": {"entity_type": "month"}}));
    assert_eq!(found["procedures"][0]["name"], json!("close_the_books"));
    let closed = client.ok("get_procedure", json!({"procedure_id": "close_the_books"}));
    assert_eq!(closed["definition"]["steps"], json!(["Ask {{who}} for receipts", "Run `true`"]));
}

#[test]
fn a_file_of_python_says_what_it_is() {
    let home = Home::new();
    let code = "\"\"\"Tools of the shop.\"\"\"\n\ndef net_price(gross: float, rate: float = 0.19, *, notes: list[str] | None = None) -> float:\n    \
        \"\"\"Work out the price without tax.\n\n    gross: with it\n    rate: of the tax\n    notes: for nobody\n    Returns the price.\n    \"\"\"\n    \
        return round(gross / (1 + rate), 2)\n";
    let path = file(&home, "net_price.py", format!("\u{feff}{code}"));
    assert!(succeed(&home, &["import", &path]).contains("+ net_price"));
    assert!(succeed(&home, &["import", &path]).contains("0 added, 0 changed, 1 unchanged, 0 refused"));
    let mut client = home.start();
    let procedure = client.ok("get_procedure", json!({"procedure_id": "net_price"}))["definition"].clone();
    assert_eq!(procedure["steps"], json!(["Work out the price without tax."]));
    assert!(procedure["description"].as_str().unwrap().contains("\ngross: with it"), "{procedure}");
    assert_eq!(
        procedure["parameters"],
        json!([{"name": "gross", "type": "number"}, {"name": "rate", "type": "number", "default": 0.19},
            {"name": "notes", "type": "array", "default": null}])
    );
    let call = json!({"procedure_id": "net_price", "parameters": {"gross": 119}});
    assert_eq!(client.ok("execute_procedure", call)["result"], json!(100.0));

    let path = file(&home, "net_price.py", code.replace("0.19", "0.2"));
    assert!(succeed(&home, &["import", &path]).contains("~ net_price  version 2"));
    for (name, code, why) in [
        ("two.py", "def a(): pass\ndef b(): pass\n", "`a`, `b`"),
        ("cut.py", "def a(:\n", "line 1"),
        ("bad.py", "def bad():\n    eval('1')\n", "eval"),
    ] {
        let output = home.run(&["import", &file(&home, name, code)]);
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && printed.contains(why), "{printed}");
    }
}

#[test]
fn lines_of_json_are_procedures_each_by_itself() {
    let home = Home::new();
    let lines = [
        json!({"id": "proc_1", "status": "active", "problem": "The disk is full", "solution": "Run `df -h`", "tags": ["disk"]}),
        json!({"id": "proc_2", "status": "candidate", "problem": "The clock is wrong", "solution": "Ask the time server"}),
        json!({"steps": ["nameless"]}),
        json!("only words"),
    ];
    let mut text: String = lines.iter().map(|line| format!("{line}\n\n")).collect();
    text.push_str("{\"name\": \"cut");
    let path = file(&home, "procedures.jsonl", text);
    let lines = report(&home, &[&path]);
    let seen: Vec<_> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(seen, ["added", "added", "refused", "refused", "refused"]);
    assert!(lines[4]["origin"].as_str().unwrap().ends_with("line 9"), "{}", lines[4]);
    assert_eq!(outcomes(&home, &[&path])[..2], ["unchanged", "unchanged"]);

    let mut client = home.start();
    let waiting = client.ok("list_candidates", json!({}));
    assert_eq!((&waiting["count"], &waiting["candidates"][0]["problem"]), (&json!(1), &json!("The clock is wrong")));
    // Importing is no review.
    let path = file(
        &home,
        "later.json",
        json!({"name": "the_clock_is_wrong", "steps": ["Wait"], "status": "active"}).to_string(),
    );
    assert_eq!(outcomes(&home, &[&path]), ["changed"]);
    assert_eq!(client.ok("list_candidates", json!({}))["count"], json!(1));
}

#[test]
fn lines_of_lessons_become_candidates_once() {
    let home = Home::new();
    let lessons = "\u{feff}\"When the build runs out of memory, run it with one job at a time, because each job takes two gigabytes.\"\n\n\
        {\"problem\": \"A release has no notes\", \"solution\": \"Write them from the merged changes before tagging\", \
        \"reasoning\": \"Nobody remembers them later\"}\n{\"problem\": 7}\nnot json\n";
    let path = file(&home, "lessons.jsonl", lessons);
    let dry = home.run(&["import", "--lessons", &path, "--dry-run"]);
    assert!(String::from_utf8_lossy(&dry.stdout).contains("2 lessons can be taken in, 2 can't be read"), "{dry:?}");
    let taken = home.run(&["import", "--lessons", &path]);
    let (said, errors) = (String::from_utf8_lossy(&taken.stdout), String::from_utf8_lossy(&taken.stderr));
    assert!(said.contains("2 of 2 lessons became candidates"), "{said}{errors}");
    assert!(errors.contains("line 4: `problem`") && errors.contains("line 5:"), "{errors}");
    assert!(!taken.status.success(), "some can't be read");
    let again = home.run(&["import", "--lessons", &path]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("0 of 2 lessons became candidates"), "{again:?}");
}

#[test]
fn what_is_no_file_of_procedures_is_refused_in_a_sentence() {
    let home = Home::new();
    for (name, bytes, why) in [
        ("latin.json", &b"{\"name\": \"caf\xe9\"}"[..], "neither text in UTF-8"),
        ("cut.json", b"{\"name\": ", "it is no JSON"),
        ("number.json", b"12", "it is no procedure"),
        (
            "newer.json",
            b"{\"format\": \"repertoire-procedures\", \"version\": 9, \"procedures\": []}",
            "use a newer one",
        ),
        ("odd.db", b"SQLite format 3\0and then nothing", "can't be opened"),
        ("deep.json", "[".repeat(100_000).as_bytes(), "it is no JSON"),
        ("names.json", b"[{\"name\": [1], \"steps\": [\"a\"]}]", "`name` must be a text"),
        ("steps.json", b"[{\"name\": \"a\", \"steps\": [{\"command\": 4}]}]", "command"),
    ] {
        let path = file(&home, name, bytes);
        let output = home.run(&["import", &path]);
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && printed.contains(why), "{name}: {printed}");
        assert!(printed.contains("0 added, 0 changed, 0 unchanged, 1 refused"), "{name}: {printed}");
    }
    let error = fail(&home, &["import", "/nowhere/at/all"]);
    assert!(error.contains("`/nowhere/at/all` can't be read"), "{error}");
    let empty = home.beside("empty");
    assert!(fail(&home, &["import", empty.to_str().unwrap()]).contains("has no files with procedures"));
    // A name that others have is not taken over.
    let mut theirs = home.start_with(&["--user", "someone"], Protocol::V2025);
    theirs.ok("remember_procedure", json!({"name": "taken", "steps": ["Mine"]}));
    let path = file(&home, "taken.json", json!({"name": "taken", "steps": ["Yours"]}).to_string());
    assert_eq!(outcomes(&home, &[&path]), ["refused"]);
}
