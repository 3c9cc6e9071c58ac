//! A home is its user's alone, however it came about.
#![cfg(unix)]

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
};

use serde_json::json;

use crate::{
    cli::commands::succeed,
    common::{Home, Protocol, RawClient, remember},
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What in a home others could use.
fn open_to_others(folder: &Path) -> Vec<String> {
    let mut open = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // What is below a folder that nobody else may enter is as private as that.
        if mode(&path) & 0o077 != 0 {
            open.push(format!("{name} {:o}", mode(&path)));
        }
        if path.is_dir() && name != "procedures.git" {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    open
}

/// The program with the mask that most systems have, however the tests are run.
fn with_mask(home: &Home, arguments: &[&str]) -> std::process::Command {
    let plain = home.command(arguments);
    let mut command = crate::common::clean(std::process::Command::new("sh"));
    command.arg0("sh").args(["-c", "umask 022; exec \"$0\" \"$@\""]).arg(plain.get_program()).args(plain.get_args());
    command
}

#[test]
fn whoever_makes_a_home_makes_it_for_its_user_alone() {
    for first in [&["init"][..], &["doctor"], &["list"], &["db", "up"], &["serve"]] {
        let home = Home::new();
        if first == ["serve"] {
            let mut client = RawClient::spawn(with_mask(&home, first));
            client.open(Protocol::V2025);
            client.ok("list_procedures", json!({}));
            assert!(client.close().success());
        } else {
            assert!(with_mask(&home, first).output().unwrap().status.success(), "{first:?}");
        }
        let mut client = RawClient::spawn(with_mask(&home, &["--tenant", "acme", "serve"]));
        client.open(Protocol::V2025);
        remember(&mut client, "first", "def first() -> int:\n    return 1\n");
        // While it runs, too: what SQLite keeps beside the database is there now.
        assert_eq!(open_to_others(&home.path()), Vec::<String>::new(), "{first:?}");
        assert!(client.close().success());
        assert!(with_mask(&home, &["--tenant", "acme", "db", "down", "--to", "8"]).output().unwrap().status.success());
        assert_eq!(open_to_others(&home.path()), Vec::<String>::new(), "{first:?}");
    }
}

#[test]
fn a_home_that_others_could_use_is_narrowed_and_doctor_says_so() {
    let home = Home::new();
    remember(&mut home.start(), "first", "def first() -> int:\n    return 1\n");
    succeed(&home, &["db", "down", "--to", "8"]);
    succeed(&home, &["init"]);
    let widen = || {
        for name in ["", "repertoire.db", "state.key", "config.toml", "procedures.git", "backups", "sessions"] {
            let path = home.path().join(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(if path.is_dir() { 0o755 } else { 0o644 })).unwrap();
        }
        for copy in fs::read_dir(home.path().join("backups")).unwrap() {
            fs::set_permissions(copy.unwrap().path(), fs::Permissions::from_mode(0o664)).unwrap();
        }
    };
    widen();
    assert!(open_to_others(&home.path()).len() > 6);
    let mut client = home.start();
    client.ok("list_procedures", json!({}));
    assert_eq!(open_to_others(&home.path()), Vec::<String>::new());
    assert!(client.close().success());
    widen();
    let said = succeed(&home, &["doctor"]);
    for name in ["state.key", "config.toml", "procedures.git", "backups"] {
        assert!(said.contains(&format!("{name}`")) && said.contains("yours alone now"), "{name}: {said}");
    }
    assert_eq!(open_to_others(&home.path()), Vec::<String>::new());
    assert!(!succeed(&home, &["doctor"]).contains("yours alone now"));
}

#[test]
fn narrowing_gives_nobody_more_than_they_had() {
    let home = Home::new();
    remember(&mut home.start(), "first", "def first() -> int:\n    return 1\n");
    let key = home.path().join("state.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o444)).unwrap();
    home.start().ok("list_procedures", json!({}));
    assert_eq!(mode(&key), 0o400);
}
