//! Reading works where nothing can be written: in a home without the right to, on a file system that is only read, and
//! on a full disk. Linux only: it takes the rights of somebody who is not root.
#![cfg(target_os = "linux")]

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::common::{Home, Protocol, RawClient, has_program, text};

/// Somebody who owns nothing here.
const NOBODY: u32 = 65_534;
/// Procedures belong to the user of a process, whichever the system has it run as.
const ME: [&str; 2] = ["--user", "me"];

fn filled() -> Home {
    let home = Home::new();
    let mut client = home.start_with(&ME, Protocol::V2025);
    for name in ["first", "second"] {
        client.ok("remember_procedure", json!({"name": name, "description": "Greet people.", "steps": ["Do it"]}));
    }
    assert!(client.close().success());
    home
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

fn set_modes(folder: &Path, files: u32, folders: u32) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            set_modes(&entry, files, folders);
        } else {
            fs::set_permissions(&entry, fs::Permissions::from_mode(files)).unwrap();
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(folders)).unwrap();
}

fn own(folder: &Path, user: u32) {
    let status = Command::new("chown").arg("-R").arg(format!("{user}:{user}")).arg(folder).status().unwrap();
    assert!(status.success());
}

/// What reads must answer, and what writes must say.
fn check_reading(client: &mut RawClient, refusal: &[&str]) {
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(2));
    assert_eq!(client.ok("get_procedure", json!({"procedure_id": "first"}))["version"], json!(1));
    let found = client.ok("recall_procedures", json!({"query": "greet"}));
    assert_eq!(found["count"], json!(2), "{found}");
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "first"}));
    assert_eq!(versions["count"], json!(1), "{versions}");
    let answer = client.call("remember_procedure", json!({"name": "third", "steps": ["Do it"]}));
    assert_eq!(answer["success"], json!(false), "{answer}");
    let error = text(&answer, "error");
    assert!(refusal.iter().all(|word| error.contains(word)), "{error}");
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(2));
}

#[test]
fn a_home_without_the_right_to_write_is_read() {
    if !is_root() {
        eprintln!("skipped: only root can be somebody else");
        return;
    }
    for log_left in [false, true] {
        let home = filled();
        let mut holder = None;
        if log_left {
            // Somebody was killed, and what they wrote last is beside the database.
            let mut client = home.start_with(&ME, Protocol::V2025);
            client.ok("update_procedure", json!({"procedure_id": "second", "description": "Greet everybody."}));
            holder = Some(client);
        }
        if let Some(client) = holder {
            client.kill();
        }
        let (reach, path) = (home.beside("."), home.path());
        fs::set_permissions(&reach, fs::Permissions::from_mode(0o755)).unwrap();
        own(&path, NOBODY);
        set_modes(&path, 0o400, 0o500);
        let as_nobody = |arguments: &[&str]| {
            let mut command = home.command(&[&ME, arguments].concat());
            command.uid(NOBODY).gid(NOBODY).env("TMPDIR", "/tmp");
            command
        };
        let mut client = RawClient::spawn(as_nobody(&["serve"]));
        client.open(Protocol::V2025);
        check_reading(&mut client, &["can only be read", "start this program again"]);
        let shown = client.ok("get_procedure", json!({"procedure_id": "second"}));
        let expected = if log_left { "Greet everybody." } else { "Greet people." };
        assert_eq!(shown["definition"]["description"], json!(expected));
        assert!(client.log().contains("nothing can be written in this home"), "{}", client.log());
        assert!(client.close().success());
        let output = as_nobody(&["doctor"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("read only") && said.contains("2 procedures"), "{said}");
        let listed = as_nobody(&["list"]).output().unwrap();
        assert!(String::from_utf8_lossy(&listed.stdout).contains("second"), "{listed:?}");
        set_modes(&path, 0o600, 0o700);
        own(&path, 0);
    }
}

/// A small file system in memory that is gone at the end.
struct Mounted(PathBuf);

impl Mounted {
    fn new(folder: PathBuf, size: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o"]).arg(format!("size={size}")).arg("tmpfs").arg(&folder);
        if !is_root() || !has_program("mount") || !mount.output().unwrap().status.success() {
            eprintln!("skipped: nothing can be mounted here");
            return None;
        }
        Some(Self(folder))
    }

    fn remount_read_only(&self) {
        assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The program on a home below a mounted folder.
fn on(home: &Home, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = home.command(&[]);
    command = {
        let mut plain = crate::common::clean(Command::new(command.get_program()));
        plain.env("HOME", folder).arg("--home").arg(folder.join("home")).arg("--no-starters").args(arguments);
        plain
    };
    command
}

fn start_on(home: &Home, folder: &Path) -> RawClient {
    let mut client = RawClient::spawn(on(home, folder, &["serve"]));
    client.open(Protocol::V2025);
    client
}

fn fill(home: &Home, folder: &Path) {
    let mut client = start_on(home, folder);
    for name in ["first", "second"] {
        client.ok("remember_procedure", json!({"name": name, "description": "Greet people.", "steps": ["Do it"]}));
    }
    assert!(client.close().success());
}

#[test]
fn a_file_system_that_is_only_read_is_read() {
    let home = Home::new();
    let folder = home.beside("mounted");
    let Some(mounted) = Mounted::new(folder.clone(), "32m") else { return };
    fill(&home, &folder);
    mounted.remount_read_only();
    let mut client = start_on(&home, &folder);
    check_reading(&mut client, &["can only be read"]);
    assert!(client.close().success());
    let output = on(&home, &folder, &["doctor"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_full_disk_is_read_by_who_runs_and_by_who_starts() {
    let home = Home::new();
    let folder = home.beside("mounted");
    let Some(_mounted) = Mounted::new(folder.clone(), "32m") else { return };
    fill(&home, &folder);
    let mut running = start_on(&home, &folder);
    running.ok("list_procedures", json!({}));
    // All of it.
    let filler = fs::File::create(folder.join("filler")).unwrap();
    let written = std::io::copy(&mut std::io::repeat(7), &mut &filler);
    assert!(written.is_err());
    check_reading(&mut running, &["make room"]);
    let mut starting = start_on(&home, &folder);
    check_reading(&mut starting, &["home"]);
    assert!(starting.close().success());
    let output = on(&home, &folder, &["doctor"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 procedures"), "{output:?}");
    // Who ran all the time goes on as soon as there is room.
    drop(filler);
    fs::remove_file(folder.join("filler")).unwrap();
    running.ok("remember_procedure", json!({"name": "third", "steps": ["Do it"]}));
    assert!(running.close().success());
}
