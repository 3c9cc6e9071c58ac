//! What has to work within walls: everyday programs under the grants that docs/policy.md gives them, with namespaces and with
//! Landlock alone.

use std::{fs, path::Path, process::Command, time::Instant};

use repertoire::confinement::Bounds;
use serde_json::{Value, json};

use super::yard::PYTHON;
use crate::common::{
    Home, PROGRAM, RawClient, clean, has_program, remember, text, toml_path,
    walls::{self, has_walls, refusing_namespaces},
};

const CODE: &str = "from repertoire import run_command\n\ndef work(command: list, folder: str, stdin: str = '') -> dict:\n    \
                    \"\"\"Work.\"\"\"\n    done = run_command(command, cwd=folder, stdin=stdin, check=False, timeout=110.0)\n    \
                    return {'code': done.exit_code, 'stdout': done.stdout, 'stderr': done.stderr}\n";

/// What walls are made of.
#[derive(Debug, Clone, Copy)]
enum Walls {
    WithNamespaces,
    OfLandlockAlone,
}

/// A server that grants `commands` (of TOML) and one folder to write; `None` where such walls can't be had.
fn server(
    walls: Walls,
    commands: &str,
    prepare: impl FnOnce(&mut Command),
) -> Option<(Home, RawClient, std::path::PathBuf)> {
    let home = Home::new();
    let folder = home.beside("work");
    home.configure(&format!("[policy]\ncommands = [{commands}]\nwrite = [{}]\n", toml_path(&folder)));
    let mut command = home.command(&["--no-starters", "serve"]);
    prepare(&mut command);
    let command = match walls {
        Walls::WithNamespaces => has_walls().then_some(command),
        Walls::OfLandlockAlone => refusing_namespaces(&command),
    };
    let mut client = RawClient::spawn(command?);
    client.open(crate::common::Protocol::V2025);
    remember(&mut client, "work", CODE);
    Some((home, client, folder))
}

#[track_caller]
fn work(client: &mut RawClient, folder: &Path, command: &[&str]) -> Value {
    let parameters = json!({"command": command, "folder": folder, "stdin": "in"});
    let answer = client.call("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}));
    assert!(answer["result"].is_object(), "{command:?}: {answer}");
    answer["result"].clone()
}

#[track_caller]
fn ok(client: &mut RawClient, folder: &Path, command: &[&str]) -> String {
    let done = work(client, folder, command);
    assert_eq!(done["code"], json!(0), "{command:?}: {done}");
    text(&done, "stdout").to_owned()
}

#[test]
fn git_shows_and_commits() {
    git_shows_and_commits_within(Walls::WithNamespaces);
}

#[test]
fn git_shows_and_commits_without_namespaces() {
    git_shows_and_commits_within(Walls::OfLandlockAlone);
}

fn git_shows_and_commits_within(walls: Walls) {
    let Some((home, mut client, folder)) = server(walls, "'git'", |_| {}) else { return };
    let git = |arguments: &[&str]| {
        let mut git = clean(Command::new("git"));
        git.current_dir(&folder).env("HOME", home.beside("nobody")).args(arguments);
        assert!(git.output().unwrap().status.success(), "{arguments:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["config", "user.name", "Ada"]);
    git(&["config", "user.email", "ada@example.org"]);
    fs::write(folder.join("a.txt"), "one\n").unwrap();
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "One"]);
    fs::write(folder.join("a.txt"), "two\n").unwrap();
    assert!(ok(&mut client, &folder, &["git", "status", "--short"]).contains(" M a.txt"));
    ok(&mut client, &folder, &["git", "add", "-A"]);
    ok(&mut client, &folder, &["git", "commit", "-m", "Two"]);
    assert_eq!(ok(&mut client, &folder, &["git", "log", "--format=%an %s"]), "Ada Two\nAda One\n");
    ok(&mut client, &folder, &["git", "switch", "-q", "-c", "other"]);
    ok(&mut client, &folder, &["git", "commit", "-q", "--amend", "-m", "Three"]);
    ok(&mut client, &folder, &["git", "merge", "-q", "--no-edit", "main"]);
    ok(&mut client, &folder, &["git", "stash", "list"]);
    ok(&mut client, &folder, &["git", "gc", "-q"]);
    assert!(ok(&mut client, &folder, &["git", "fsck"]).is_empty());
    assert!(fs::read_to_string(folder.join(".git/config")).unwrap().contains("ada@example.org"));
}

#[test]
fn scripts_have_what_they_need() {
    let Some((_home, mut client, folder)) = server(Walls::WithNamespaces, &format!("'sh', '{PYTHON}'"), |_| {}) else {
        return;
    };
    let script = "cat - /etc/hostname 2>/dev/null | tr a-z A-Z | head -c 2; echo; for i in 1 2 3; do echo $i; done | sort -r | \
                  paste -sd,; echo \"$(cd / && pwd)\" > out; (exit 3); echo $?; sleep 0.01 & wait; test -w \"$TMPDIR\" && echo temp; \
                  echo x > \"$TMPDIR/x\"; cat \"$TMPDIR/x\"; echo err >&2; : > /dev/null; head -c 4 /dev/urandom | wc -c; ls -d /usr";
    let done = work(&mut client, &folder, &["sh", "-c", script]);
    assert_eq!(text(&done, "stdout"), "IN\n3,2,1\n3\ntemp\nx\n4\n/usr\n", "{done}");
    assert_eq!(text(&done, "stderr"), "err\n");
    assert_eq!(fs::read_to_string(folder.join("out")).unwrap(), "/\n");
    let script = "
import json, multiprocessing, os, socket, sqlite3, subprocess, sys, tempfile, threading
print(subprocess.run(['echo', 'sub'], capture_output=True, text=True, check=True).stdout, end='')
with tempfile.NamedTemporaryFile() as file:
    file.write(b'x')
with multiprocessing.Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
thread = threading.Thread(target=print, args=('thread',))
thread.start()
thread.join()
sqlite3.connect('data.db').execute('create table t (a)')
a, b = socket.socketpair()
a.send(b'pair')
print(b.recv(4).decode())
os.symlink('data.db', 'link')
os.rename('data.db', 'moved.db')
os.link('moved.db', 'hard.db')
os.open('/dev/tty', os.O_RDWR) if os.path.exists('/dev/tty') else None
os.kill(os.getpid(), 0)
print(sorted(os.listdir('.')), os.getpid() > 1, os.path.exists('/proc/self/status'))
";
    let out = ok(&mut client, &folder, &[PYTHON, "-c", script]);
    assert_eq!(out, "sub\n[1, 2]\nthread\npair\n['hard.db', 'link', 'moved.db', 'out'] True True\n");
    // Programs end as they do elsewhere.
    for (script, code) in [("exit 7", 7), ("exit 125", 125), ("kill -s TERM $$", -15), ("kill -s KILL $$", -9)] {
        assert_eq!(work(&mut client, &folder, &["sh", "-c", script])["code"], json!(code), "{script}");
    }
}

#[test]
fn tests_of_a_crate_run() {
    tests_of_a_crate_run_within(Walls::WithNamespaces);
}

#[test]
fn tests_of_a_crate_run_without_namespaces() {
    tests_of_a_crate_run_within(Walls::OfLandlockAlone);
}

fn tests_of_a_crate_run_within(walls: Walls) {
    if !has_program("cargo") {
        return;
    }
    // Where the toolchain is, for this user: the home of tests has none.
    let of_rust = |name: &str, default: &str| {
        let home = std::env::var_os(name).map(std::path::PathBuf::from);
        home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(default))).filter(|path| path.is_dir())
    };
    let (cargo, rustup) = (of_rust("CARGO_HOME", ".cargo"), of_rust("RUSTUP_HOME", ".rustup"));
    let server = server(walls, "'cargo test'", |command| {
        cargo.map(|cargo| command.env("CARGO_HOME", cargo));
        rustup.map(|rustup| command.env("RUSTUP_HOME", rustup));
    });
    let Some((_home, mut client, folder)) = server else { return };
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
        .unwrap();
    let source = "#[test]\nfn adds() {\n    assert_eq!(1 + 1, 2);\n    std::fs::write(\"made\", \"x\").unwrap();\n}\n";
    fs::write(folder.join("src/lib.rs"), source).unwrap();
    let out = ok(&mut client, &folder, &["cargo", "test", "--offline"]);
    assert!(out.contains("1 passed"), "{out}");
    assert!(folder.join("made").exists());
}

#[test]
fn tests_of_a_package_of_node_run() {
    tests_of_a_package_of_node_run_within(Walls::WithNamespaces);
}

#[test]
fn tests_of_a_package_of_node_run_without_namespaces() {
    tests_of_a_package_of_node_run_within(Walls::OfLandlockAlone);
}

fn tests_of_a_package_of_node_run_within(walls: Walls) {
    if !has_program("npm") {
        return;
    }
    let Some((_home, mut client, folder)) = server(walls, "'npm test'", |_| {}) else { return };
    let package = "{\"name\": \"tiny\", \"version\": \"1.0.0\", \"scripts\": {\"test\": \"node --test\"}}";
    fs::write(folder.join("package.json"), package).unwrap();
    let test = "const test = require('node:test');\nconst assert = require('node:assert');\n\
                test('adds', () => assert.strictEqual(1 + 1, 2));\n";
    fs::write(folder.join("tiny.test.js"), test).unwrap();
    let out = ok(&mut client, &folder, &["npm", "test"]);
    assert!(out.contains("pass 1"), "{out}");
}

#[test]
fn tests_in_python_run() {
    tests_in_python_run_within(Walls::WithNamespaces);
}

#[test]
fn tests_in_python_run_without_namespaces() {
    tests_in_python_run_within(Walls::OfLandlockAlone);
}

fn tests_in_python_run_within(walls: Walls) {
    if !has_program("pytest") {
        return;
    }
    let Some((_home, mut client, folder)) = server(walls, "'pytest'", |_| {}) else { return };
    fs::write(folder.join("test_tiny.py"), "def test_adds():\n    assert 1 + 1 == 2\n").unwrap();
    let out = ok(&mut client, &folder, &["pytest", "-q"]);
    assert!(out.contains("1 passed"), "{out}");
}

/// Not a check: what walls cost, as the median of many.
#[test]
#[ignore = "measures, for whoever asks"]
fn what_walls_cost() {
    let mut plain = Vec::new();
    let mut walled = Vec::new();
    let owner = std::process::id().to_string();
    for _ in 0..200 {
        let started = Instant::now();
        let output = clean(Command::new(PROGRAM)).args(["launch", &owner, "true"]).output().unwrap();
        plain.push(started.elapsed());
        assert!(output.status.success());
        let started = Instant::now();
        let output = walls::run(&Bounds::default(), &[], &["true"], |_| {});
        walled.push(started.elapsed());
        assert!(output.status.success(), "{output:?}");
    }
    plain.sort();
    walled.sort();
    eprintln!("`true`: {:?} plain, {:?} within walls (median of {})", plain[100], walled[100], plain.len());
}
