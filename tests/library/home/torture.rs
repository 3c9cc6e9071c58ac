//! A torture of the stores: one file of a home, any, is removed, truncated, zeroed, has a bit flipped, or gets the wrong
//! rights or another owner. After the next start everything that any store still holds is there, or `doctor` names what
//! is wrong and says what to do; an empty list is never an answer, and no server dies of it. Linux only: it takes the
//! rights of somebody who is not root.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::Write as _,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, text};

const NOBODY: u32 = 65_534;
const NAMES: [&str; 3] = ["kept", "other", "third"];

/// Small, and the same numbers every time that it is asked to be.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Remove,
    Truncate,
    Zero,
    Flip,
    WrongMode,
    WrongOwner,
}

const DAMAGES: [Damage; 6] =
    [Damage::Remove, Damage::Truncate, Damage::Zero, Damage::Flip, Damage::WrongMode, Damage::WrongOwner];

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn damage(file: &Path, how: Damage, dice: &mut Dice) {
    let rewrite = |bytes: &[u8]| {
        let mode = fs::metadata(file).unwrap().permissions();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::OpenOptions::new().write(true).truncate(true).open(file).unwrap().write_all(bytes).unwrap();
        fs::set_permissions(file, mode).unwrap();
    };
    let mut bytes = fs::read(file).unwrap();
    match how {
        Damage::Remove => fs::remove_file(file).unwrap(),
        Damage::Truncate => rewrite(&bytes[..dice.roll(bytes.len().max(1))]),
        Damage::Zero => rewrite(&vec![0; bytes.len()]),
        Damage::Flip => {
            if !bytes.is_empty() {
                let at = dice.roll(bytes.len());
                bytes[at] ^= 1 << dice.roll(8);
                rewrite(&bytes);
            }
        }
        Damage::WrongMode => fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap(),
        Damage::WrongOwner => {
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
            std::os::unix::fs::chown(file, Some(0), Some(0)).unwrap();
        }
    }
}

/// Takes wrong rights back, as whoever reads what `doctor` says does.
fn mend_rights(file: &Path) {
    if file.exists() {
        std::os::unix::fs::chown(file, Some(NOBODY), Some(NOBODY)).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// The program as somebody who is not root.
fn program(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.command(&[]);
    command.args(arguments);
    command.uid(NOBODY).gid(NOBODY);
    command
}

fn start(home: &Home) -> RawClient {
    let mut client = RawClient::spawn(program(home, &["serve"]));
    client.open(Protocol::V2025);
    client
}

fn doctor(home: &Home, arguments: &[&str]) -> (bool, String) {
    let output = program(home, &[&["doctor"], arguments].concat()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("panicked"), "{said}");
    (output.status.success(), said)
}

fn code(name: &str, number: u32) -> String {
    format!("def {name}() -> int:\n    \"\"\"Return {number}.\"\"\"\n    return {number}\n")
}

/// A home with all kinds of files, and how it was left: by a server that was killed, or in good order.
fn filled(killed: bool) -> Home {
    let home = Home::with_config("[policy]\ncommands = ['git']\n");
    fs::set_permissions(home.beside("."), fs::Permissions::from_mode(0o755)).unwrap();
    own(&home.path());
    let mut client = RawClient::spawn(program(&home, &["--no-starters", "serve"]));
    client.open(Protocol::V2025);
    for name in NAMES {
        client.ok(
            "remember_procedure",
            json!({"name": name, "category": name, "steps": ["Do it"], "code": code(name, 1)}),
        );
        client.ok("generate_procedure_code", json!({"procedure_id": name, "code": code(name, 2)}));
    }
    client.ok("update_procedure", json!({"procedure_id": "kept", "description": "Kept well."}));
    client.ok("remember_procedure", json!({"name": "gone", "steps": ["Go"]}));
    client.ok("delete_procedure", json!({"procedure_id": "gone"}));
    client.ok("execute_procedure", json!({"procedure_id": "kept"}));
    assert!(client.close().success());
    assert!(program(&home, &["db", "down", "--to", "8"]).output().unwrap().status.success());
    let mut client = start(&home);
    client.ok("execute_procedure", json!({"procedure_id": "other"}));
    client.ok("update_procedure", json!({"procedure_id": "third", "description": "Written last."}));
    if killed {
        client.kill();
    } else {
        assert!(client.close().success());
    }
    home
}

fn own(folder: &Path) {
    let owner = format!("{NOBODY}:{NOBODY}");
    assert!(Command::new("chown").arg("-R").arg(owner).arg(folder).status().unwrap().success());
}

/// What is remembered, or the first answer that refuses.
fn read(client: &mut RawClient) -> Result<Value, Value> {
    let mut call = |tool: &str, arguments: Value| {
        let answer = client.call(tool, arguments);
        if answer["success"] == json!(true) { Ok(answer) } else { Err(answer) }
    };
    let listed = call("list_procedures", json!({"limit": 200}))?;
    let mut found = vec![listed["total"].clone()];
    for name in NAMES {
        let shown = call("get_procedure", json!({"procedure_id": name}))?;
        let versions = call("get_procedure_versions", json!({"procedure_id": name}))?;
        let numbers: Vec<&Value> = versions["versions"].as_array().unwrap().iter().map(|row| &row["version"]).collect();
        found.push(json!([shown["definition"], shown["code"], shown["version"], numbers]));
    }
    Ok(Value::Array(found))
}

/// The same without the numbers of the versions: of some, only `doctor` knows.
fn without_versions(found: &Value) -> Value {
    let mut found = found.clone();
    for row in found.as_array_mut().unwrap().iter_mut().skip(1) {
        row.as_array_mut().unwrap().pop();
    }
    found
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

fn torture(rounds: u32, seed: u64) {
    if !is_root() {
        eprintln!("skipped: only root can be somebody else");
        return;
    }
    eprintln!("the seed is {seed}");
    let mut dice = Dice(seed | 1);
    let templates = [filled(false), filled(true)].map(|home| {
        let kept = home.beside("template");
        fs::remove_dir(&kept).unwrap();
        copy(&home.path(), &kept);
        let expected = read(&mut start(&home)).unwrap();
        (home, kept, expected)
    });
    let (mut whole, mut said_so, mut mended) = (0, 0, 0);
    for round in 0..rounds {
        let (home, template, expected) = &templates[dice.roll(2)];
        fs::remove_dir_all(home.path()).unwrap();
        copy(template, &home.path());
        let all = files(&home.path());
        // Most files are objects of git: each of the others gets its turn as well.
        let others: Vec<&PathBuf> = all.iter().filter(|file| !file.to_str().unwrap().contains("/objects/")).collect();
        let file = if dice.roll(2) == 0 { others[dice.roll(others.len())] } else { &all[dice.roll(all.len())] }.clone();
        let how = DAMAGES[dice.roll(DAMAGES.len())];
        damage(&file, how, &mut dice);
        let case = format!("round {round}: {how:?} {}", file.strip_prefix(home.path()).unwrap().display());

        let mut client = start(home);
        let found = read(&mut client);
        let again = client.call("list_procedures", json!({}));
        assert!(!client.log().contains("panicked"), "{case}: {}", client.log());
        if again["success"] == json!(true) {
            assert_ne!(again["total"], json!(0), "{case}: nothing is there, with success");
        }
        assert!(client.close().success(), "{case}");
        if found.as_ref().is_ok_and(|found| found == expected) {
            whole += 1;
            doctor(home, &[]);
            continue;
        }
        let (is_healthy, said) = doctor(home, &[]);
        if let Err(answer) = &found {
            assert!(text(answer, "error").len() > 20, "{case}: {answer}");
            assert!(!is_healthy, "{case}: {answer} but {said}");
        }
        let is_named = !is_healthy || said.contains("lost") || said.contains("mended");
        assert!(is_named && (said.contains("Next") || said.contains("hint")), "{case}: {found:?} but {said}");
        said_so += 1;
        // Doing what it says gets back what any store has.
        mend_rights(&file);
        if file.ends_with("config.toml") {
            let _ = fs::remove_file(&file);
        }
        let (_, rebuilt) = doctor(home, &["--rebuild"]);
        let found = read(&mut start(home)).unwrap_or_else(|answer| panic!("{case}: {answer} after {said}\n{rebuilt}"));
        assert_eq!(without_versions(&found), without_versions(expected), "{case}: {said}\n{rebuilt}");
        if found != *expected {
            let (_, said) = doctor(home, &[]);
            assert!(said.contains("lost"), "{case}: {found} {said}");
        }
        mended += 1;
    }
    eprintln!(
        "{rounds} rounds: {whole} whole at once, {said_so} named by doctor, {mended} got back by doctor --rebuild"
    );
}

#[test]
fn twenty_damaged_homes_lose_nothing_unsaid() {
    torture(20, 0x5eed_0001);
}

#[test]
#[ignore = "takes minutes; `cargo test --test main three_hundred -- --ignored`"]
fn three_hundred_damaged_homes_lose_nothing_unsaid() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    torture(300, u64::from(now.subsec_nanos()));
}
