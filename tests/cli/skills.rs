//! Agent Skills that come in as procedures, and procedures that go out as skills.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::commands::{fail, succeed};
use crate::common::{Home, remember};

const SKILL: &str = "\u{feff}---\r\nname: count-words\r\ndescription: Counts words: use it when somebody asks how long a text is.\r\n\
    license: MIT\r\nx-own: {a: b}\r\n---\r\n\r\n# Count\r\n\r\n1. Read the `text`\r\n2. Count {{words}}\r\n";
const SCRIPT: &str = "#!/usr/bin/env python3\n\"\"\"Count the words of a text.\"\"\"\nimport argparse\n\n\
    def main():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('text', help='What to count')\n    \
    parser.add_argument('--least', type=int, default=1, help='Shorter words are none')\n    \
    parser.add_argument('--kind', choices=['words', 'letters'])\n    parser.add_argument('--loud', action='store_true')\n    \
    args = parser.parse_args()\n    count = len([word for word in args.text.split() if len(word) >= args.least])\n    \
    print(f'{args.kind} {count}' + ('!' if args.loud else ''))\n\n\nif __name__ == '__main__':\n    main()\n";

/// A folder with one skill in it, beside a home.
fn skills(home: &Home) -> PathBuf {
    let folder = home.beside("skills").join(".claude/skills/count-words");
    fs::create_dir_all(folder.join("scripts/parts")).unwrap();
    fs::write(folder.join("SKILL.md"), SKILL).unwrap();
    fs::write(folder.join("scripts/count.py"), SCRIPT).unwrap();
    fs::write(folder.join("scripts/parts/tables.py"), "LEAST = 1\n").unwrap();
    fs::write(folder.join("scripts/broken.py"), "print 1\n").unwrap();
    fs::write(folder.join("picture.bin"), [0, 159, 146, 150, 13, 10]).unwrap();
    home.beside("skills")
}

fn report(home: &Home, arguments: &[&str]) -> Vec<Value> {
    let output = home.run(&[&["import", "--json"], arguments].concat());
    let Ok(Value::Array(lines)) = serde_json::from_slice(&output.stdout) else {
        panic!("{}", String::from_utf8_lossy(&output.stderr))
    };
    lines
}

fn outcomes(lines: &[Value]) -> BTreeMap<&str, &str> {
    lines.iter().map(|line| (line["name"].as_str().unwrap(), line["outcome"].as_str().unwrap())).collect()
}

/// The files below a folder, with what is in them.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_skill_comes_in_as_candidates_and_goes_out_as_it_was() {
    let home = Home::new();
    home.configure("[policy]\n\n[python]\nenabled = true\n");
    let folder = skills(&home);
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", folder.join(".claude/skills/count-words/link")).unwrap();
    let path = folder.to_str().unwrap();
    let expected = BTreeMap::from([
        ("count-words", "added"),
        ("count-words-broken", "file"),
        ("count-words-count", "added"),
        ("count-words-tables", "file"),
    ]);
    let dry = report(&home, &["--dry-run", path]);
    assert_eq!(outcomes(&dry), expected);
    let lines = report(&home, &[path]);
    assert_eq!(outcomes(&lines), expected);
    let of = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    assert!(of("count-words")["left_out"].to_string().contains("line 3 is no YAML"), "{}", of("count-words"));
    assert!(of("count-words-broken")["error"].to_string().contains("line 1"), "{}", of("count-words-broken"));
    let again = report(&home, &[path]);
    assert_eq!(outcomes(&again)["count-words"], "unchanged");
    assert_eq!(outcomes(&again)["count-words-count"], "unchanged");

    let shown = succeed(&home, &["show", "count-words-count", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let text = shown.to_string();
    assert!(text.contains("\"candidate\"") && text.contains("One of `words`, `letters`."), "{shown}");

    let out = home.beside("out");
    let out_path = out.to_str().unwrap();
    succeed(&home, &["export", "--skills", out_path]);
    let (wanted, found) = (files(&folder.join(".claude/skills")), files(&out));
    let own = |files: &BTreeMap<String, Vec<u8>>| -> BTreeMap<String, Vec<u8>> {
        let own = files.iter().filter(|(path, _)| path.starts_with("count-words/") && !path.ends_with("link"));
        own.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
    };
    assert_eq!(own(&found), own(&wanted));
    assert!(!found.keys().any(|path| path.ends_with("link")), "what a link leads to stays where it is");

    // What is changed becomes a version, also where only a file that travels with it is.
    fs::write(folder.join(".claude/skills/count-words/picture.bin"), "other").unwrap();
    let changed = report(&home, &[path]);
    let line = changed.iter().find(|line| line["name"] == "count-words").unwrap();
    assert_eq!((&line["outcome"], &line["version"]), (&json!("changed"), &json!(2)));

    // Nothing that is there is written over without a word.
    fs::write(out.join("count-words/SKILL.md"), "mine").unwrap();
    let refused = home.run(&["export", "--skills", out_path, "count-words"]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stdout).contains("--replace"));
    assert_eq!(fs::read(out.join("count-words/SKILL.md")).unwrap(), b"mine");
    succeed(&home, &["export", "--skills", out_path, "--replace", "count-words"]);
    assert_eq!(fs::read(out.join("count-words/SKILL.md")).unwrap(), SKILL.as_bytes());
}

#[test]
fn a_script_of_a_skill_is_called_with_parameters() {
    let home = Home::new();
    home.configure("[policy]\n\n[python]\nenabled = true\n");
    let folder = skills(&home);
    report(&home, &["--trust", folder.to_str().unwrap()]);
    let said = succeed(&home, &["run", "count-words-count", "text=--a bb ccc", "least=3", "kind=words", "loud=true"]);
    assert!(said.contains("words 2!"), "{said}");
    let wrong = fail(&home, &["run", "count-words-count", "text=a", "kind=lines"]);
    assert!(wrong.contains("one of `\"words\"`"), "{wrong}");
}

#[test]
fn a_skill_that_cannot_be_read_says_where() {
    let home = Home::new();
    let folder = home.beside("skills").join("odd");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("SKILL.md"), "---\nname: odd\nname: even\n---\n").unwrap();
    let lines = report(&home, &[folder.to_str().unwrap()]);
    assert!(lines[0]["error"].as_str().unwrap().contains("line 3: `name` is there twice"), "{}", lines[0]);
    assert!(lines[0]["origin"].as_str().unwrap().ends_with("SKILL.md"));
}

#[test]
fn a_procedure_goes_out_as_a_skill_whose_script_runs_by_itself() {
    let home = Home::new();
    let mut client = home.start();
    let code = "import repertoire\n\ndef add_up(first: int, second: int = 2) -> int:\n    \"\"\"Add two numbers; returns the sum.\"\"\"\n    \
        repertoire.log('adding')\n    return first + second\n";
    remember(&mut client, "add_up", code);
    let out = home.beside("out");
    succeed(&home, &["export", "--skills", out.to_str().unwrap(), "add_up"]);
    let text = fs::read_to_string(out.join("add-up/SKILL.md")).unwrap();
    assert!(text.starts_with("---\nname: add-up\ndescription: \"") && text.contains("## Run it"), "{text}");
    let run = std::process::Command::new("python3")
        .args([out.join("add-up/scripts/add_up.py").to_str().unwrap(), "first=40"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stdout), "42\n", "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn a_run_finds_the_files_beside_its_script() {
    let home = Home::new();
    home.configure("[policy]\n\n[python]\nenabled = true\n");
    let folder = home.beside("skills").join("greet");
    fs::create_dir_all(folder.join("scripts/parts")).unwrap();
    fs::create_dir_all(folder.join("assets")).unwrap();
    fs::write(folder.join("SKILL.md"), "---\nname: greet\ndescription: Greets.\n---\nGreet.\n").unwrap();
    fs::write(folder.join("assets/words.txt"), "Good morning").unwrap();
    fs::write(folder.join("scripts/parts/__init__.py"), "").unwrap();
    fs::write(folder.join("scripts/parts/ends.py"), "MARK = '!'\n").unwrap();
    let script = "\"\"\"Greet somebody.\"\"\"\nfrom __future__ import annotations\n\nimport sys\nfrom pathlib import Path\n\n\
        from parts.ends import MARK\n\nif __name__ == '__main__':\n    name = sys.argv[1]\n    \
        words = Path(__file__).parent.parent / 'assets' / 'words.txt'\n    print(words.read_text(), name + MARK)\n";
    fs::write(folder.join("scripts/hello.py"), script).unwrap();
    let path = folder.to_str().unwrap();
    let lines = report(&home, &["--trust", path]);
    assert_eq!(outcomes(&lines)["greet-hello"], "added", "{lines:?}");
    assert!(succeed(&home, &["run", "greet-hello", "name=Ada"]).contains("Good morning Ada!"));

    // What travels with it belongs to its version.
    fs::write(folder.join("assets/words.txt"), "Good night").unwrap();
    assert_eq!(outcomes(&report(&home, &[path]))["greet-hello"], "changed");
    assert!(succeed(&home, &["run", "greet-hello", "name=Ada"]).contains("Good night Ada!"));
    succeed(&home, &["rollback", "greet-hello", "1"]);
    assert!(succeed(&home, &["run", "greet-hello", "name=Ada"]).contains("Good morning Ada!"));
}
