//! Another program holds a lock: that is said as such, soon, and reading goes on.

use std::{
    fs::{self, File},
    path::PathBuf,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use serde_json::json;

use crate::{
    common::{Home, remember},
    survival::commit_outside,
};

fn database(home: &Home) -> PathBuf {
    home.path().join("repertoire.db")
}

#[test]
fn who_holds_the_write_lock_is_named_and_reading_goes_on() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "first", "def first() -> int:\n    return 1\n");
    let other = Connection::open(database(&home)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let started = Instant::now();
    let error = client.refused("remember_procedure", json!({"name": "second", "steps": ["Do it"]}), "storage_error");
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
    assert!(error.contains("another program") && error.contains("repertoire.db"), "{error}");
    assert!(error.contains("wait until it is done, or end it"), "{error}");
    #[cfg(target_os = "linux")]
    assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(1));
    // What somebody pushes meanwhile can't be indexed, and what is known is read without much waiting.
    let definition = json!({"name": "first", "category": "general", "description": "Pushed.", "steps": ["Do it"]});
    let path = "procedures/general/first/procedure.json";
    commit_outside(&home.repository(), "Push", &[(path, Some(&definition.to_string()))]);
    let started = Instant::now();
    client.ok("get_procedure", json!({"procedure_id": "first"}));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    let shown = client.ok("get_procedure", json!({"procedure_id": "first"}));
    assert_eq!(shown["definition"]["description"], json!("Pushed."), "{shown}");
    client.ok("remember_procedure", json!({"name": "second", "steps": ["Do it"]}));
}

#[test]
fn who_has_the_database_for_itself_is_named_to_readers_soon() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "first", "def first() -> int:\n    return 1\n");
    assert!(client.close().success());
    let other = Connection::open(database(&home)).unwrap();
    other.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    other.execute_batch("BEGIN EXCLUSIVE; UPDATE meta SET value = value; COMMIT").unwrap();
    let mut client = home.start();
    let started = Instant::now();
    let error = client.refused("list_procedures", json!({}), "storage_error");
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
    assert!(error.contains("another program") && error.contains("repertoire.db"), "{error}");
    drop(other);
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(1));
}

#[test]
fn a_lock_of_git_that_somebody_holds_is_named() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "first", "def first() -> int:\n    return 1\n");
    let lock = home.repository().join("refs/heads/main.lock");
    let done = std::sync::atomic::AtomicBool::new(false);
    let error = std::thread::scope(|scope| {
        // A program that is at work: its lock is always a new one.
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                drop(File::create(&lock).unwrap());
                std::thread::park_timeout(Duration::from_millis(50));
            }
        });
        while !lock.exists() {
            std::thread::yield_now();
        }
        let error =
            client.refused("remember_procedure", json!({"name": "second", "steps": ["Do it"]}), "history_error");
        assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(1));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        error
    });
    assert!(error.contains("another program") && error.contains("main.lock"), "{error}");
    let _ = fs::remove_file(&lock);
    client.ok("remember_procedure", json!({"name": "second", "steps": ["Do it"]}));
}
