//! The history is packed while others read and write it, and nothing is lost wherever that is ended.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use git2::{ObjectType, Repository};
use repertoire::versions::{PackRule, Versions};
use serde_json::json;

use crate::{
    cli::commands::succeed,
    common::{Home, RawClient, clean, eventually, has_program, remember},
};

const CODE: &str = "def change() -> int:\n    return 1\n";

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn loose(home: &Home) -> usize {
    let is_loose = |path: &PathBuf| path.file_name().is_some_and(|name| name.len() == 38);
    files(&home.repository().join("objects")).iter().filter(|path| is_loose(path)).count()
}

fn packs(home: &Home) -> usize {
    let files = files(&home.repository().join("objects/pack"));
    files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "pack")).count()
}

/// Every object of the repository, read from the disk.
fn objects(home: &Home) -> BTreeSet<String> {
    let repo = Repository::open_bare(home.repository()).unwrap();
    let odb = repo.odb().unwrap();
    let mut found = BTreeSet::new();
    odb.foreach(|id| {
        found.insert(id.to_string());
        true
    })
    .unwrap();
    for id in &found {
        odb.read(id.parse().unwrap()).unwrap();
    }
    found
}

/// Commits from `main` back to the first.
fn commits(home: &Home) -> usize {
    let repo = Repository::open_bare(home.repository()).unwrap();
    let mut walk = repo.revwalk().unwrap();
    walk.push_ref("refs/heads/main").unwrap();
    let commits: Vec<_> = walk.map(|id| repo.find_object(id.unwrap(), Some(ObjectType::Commit)).unwrap()).collect();
    commits.len()
}

#[track_caller]
fn fsck(home: &Home) {
    if !has_program("git") {
        return;
    }
    let mut git = clean(Command::new("git"));
    let output = git.arg("-C").arg(home.repository()).args(["fsck", "--full", "--strict"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn change(client: &mut RawClient, name: &str, count: usize) {
    for number in 0..count {
        client.ok("update_procedure", json!({"procedure_id": name, "description": format!("change {number}")}));
    }
}

#[test]
fn a_server_packs_what_many_changes_left_and_goes_on() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "change", CODE);
    change(&mut client, "change", 300);
    eventually("the history is packed", || packs(&home) > 0 && loose(&home) < 1000);
    change(&mut client, "change", 3);
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "change", "limit": 1}));
    assert_eq!(versions["versions"][0]["version"], 304);
    let other = CODE.replace("return 1", "return 2");
    client.ok("generate_procedure_code", json!({"procedure_id": "change", "code": other}));
    let first = client.ok("rollback_procedure_code", json!({"procedure_id": "change", "target_version": 1}));
    assert_eq!(first["version"], 306, "an old version is read out of the pack");
    assert_eq!(commits(&home), 306);
    fsck(&home);
}

#[test]
fn packing_keeps_every_object_and_few_packs() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "change", CODE);
    let versions = Versions::at(home.repository());
    let rule = PackRule { loose: 1, packs: 4, grace: Duration::ZERO };
    for round in 0..12 {
        change(&mut client, "change", 5);
        // Nothing refers to it: as of a commit that another process is about to make.
        let repo = Repository::open_bare(home.repository()).unwrap();
        repo.blob(format!("in flight {round}").as_bytes()).unwrap();
        let known = objects(&home);
        versions.pack(&rule).unwrap();
        assert_eq!(objects(&home), known);
        assert_eq!(loose(&home), 0);
        assert!(packs(&home) <= 5, "{} packs", packs(&home));
    }
    assert_eq!(commits(&home), 61);
    fsck(&home);
    // A handle that knows none of the packs finds what is in them.
    change(&mut client, "change", 1);
    assert_eq!(commits(&home), 62);
}

#[test]
fn a_broken_object_stays_where_it_is_and_the_others_are_packed() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "change", CODE);
    change(&mut client, "change", 5);
    client.close();
    let repo = Repository::open_bare(home.repository()).unwrap();
    let broken = repo.blob(b"to be broken").unwrap().to_string();
    let file = home.repository().join("objects").join(&broken[..2]).join(&broken[2..]);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::remove_file(&file).unwrap();
    fs::write(&file, &bytes).unwrap();
    succeed(&home, &["tidy"]);
    assert_eq!((loose(&home), packs(&home)), (1, 1));
    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert_eq!(commits(&home), 6);
}

#[test]
fn packs_that_a_person_keeps_or_git_indexes_are_left_alone() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "change", CODE);
    let versions = Versions::at(home.repository());
    let rule = PackRule { loose: 1, packs: 1, grace: Duration::ZERO };
    versions.pack(&rule).unwrap();
    let pack = files(&home.repository().join("objects/pack"))
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "pack"))
        .unwrap();
    fs::write(pack.with_extension("keep"), "").unwrap();
    for _ in 0..3 {
        change(&mut client, "change", 2);
        versions.pack(&rule).unwrap();
    }
    assert!(pack.exists());
    fs::write(home.repository().join("objects/pack/multi-pack-index"), "of somebody else").unwrap();
    let before = packs(&home);
    change(&mut client, "change", 2);
    versions.pack(&rule).unwrap();
    assert_eq!(packs(&home), before + 1, "nothing is merged");
}

/// Four servers commit, two processes pack all the time, and somebody clones and checks.
#[test]
fn nothing_is_lost_while_others_commit_clone_and_check() {
    const SERVERS: usize = 4;
    const CHANGES: usize = 60;
    let home = Home::new();
    let mut first = home.start();
    for server in 0..SERVERS {
        remember(&mut first, &format!("change_{server}"), CODE);
    }
    let is_done = AtomicBool::new(false);
    let has_git = has_program("git");
    thread::scope(|scope| {
        for grace in [Duration::ZERO, Duration::from_millis(50)] {
            let (home, is_done) = (&home, &is_done);
            scope.spawn(move || {
                let versions = Versions::at(home.repository());
                while !is_done.load(Ordering::Relaxed) {
                    versions.pack(&PackRule { loose: 10, packs: 3, grace }).unwrap();
                }
            });
        }
        if has_git {
            let (home, is_done) = (&home, &is_done);
            scope.spawn(move || {
                for round in 0.. {
                    let target = home.beside("clones").join(round.to_string());
                    let mut git = clean(Command::new("git"));
                    git.arg("clone").arg("--no-local").arg(home.repository()).arg(&target);
                    let output = git.output().unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                    if is_done.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let servers: Vec<_> = (0..SERVERS)
            .map(|server| {
                let home = &home;
                scope.spawn(move || change(&mut home.start(), &format!("change_{server}"), CHANGES))
            })
            .collect();
        servers.into_iter().for_each(|server| server.join().unwrap());
        is_done.store(true, Ordering::Relaxed);
    });
    assert_eq!(commits(&home), SERVERS * (CHANGES + 1));
    for server in 0..SERVERS {
        let versions = first.ok("get_procedure_versions", json!({"procedure_id": format!("change_{server}")}));
        assert_eq!(versions["versions"][0]["version"], CHANGES + 1);
    }
    fsck(&home);
}

/// `tidy` is killed at moments that lie ever later; each time everything is there, and the next one gets on with it.
#[test]
fn a_kill_while_packing_loses_nothing() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "change", CODE);
    change(&mut client, "change", 150);
    client.close();
    let took = Instant::now();
    succeed(&home, &["doctor"]);
    let start = took.elapsed() / 4;
    let known = objects(&home);
    let mut was_killed = 0;
    for round in 0..40 {
        let mut tidy = home.command(&["tidy"]);
        let mut tidy = tidy.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(start + Duration::from_millis(5) * round);
        was_killed += u32::from(tidy.try_wait().unwrap().is_none());
        tidy.kill().unwrap();
        tidy.wait().unwrap();
        assert_eq!(objects(&home), known, "after the kill in round {round}");
        if loose(&home) == 0 {
            break;
        }
    }
    assert!(was_killed > 0);
    succeed(&home, &["tidy"]);
    assert_eq!((objects(&home), loose(&home)), (known, 0));
    assert_eq!(commits(&home), 151);
    fsck(&home);
}
