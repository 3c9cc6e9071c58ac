//! A home that is used for a long time.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{MEASURE, count_runs, database, length, stats};
use crate::common::{Home, RawClient, eventually, remember};

/// What a home takes on the disk.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    database: u64,
    log: u64,
    history: u64,
    packs: usize,
    loose: usize,
}

fn sizes(home: &Home) -> Sizes {
    let (mut history, mut packs, mut loose) = (0, 0, 0);
    let mut left = vec![home.repository()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
                continue;
            }
            history += entry.metadata().map_or(0, |metadata| metadata.len());
            packs += usize::from(path.extension().is_some_and(|extension| extension == "pack"));
            loose += usize::from(is_loose(&path));
        }
    }
    let (database, log) = (length(home, "repertoire.db"), length(home, "repertoire.db-wal"));
    Sizes { database, log, history, packs, loose }
}

fn is_loose(path: &Path) -> bool {
    let length = |path: &Path| path.file_name().map_or(0, |name| name.len());
    length(path) == 38 && path.parent().is_some_and(|folder| length(folder) == 2)
}

/// Sends calls, some at a time, and sees to it that all succeed.
fn call_all(client: &mut RawClient, tool: &str, arguments: &[Value]) {
    for batch in arguments.chunks(16) {
        let ids: Vec<i64> = batch.iter().map(|arguments| client.send_call(tool, arguments.clone())).collect();
        for id in ids {
            let answer = client.call_answer(id);
            assert_eq!(answer["success"], true, "{tool}: {answer}");
        }
    }
}

/// Executes and changes `measure` so often; gives the sizes from time to time.
fn use_for_long(home: &Home, runs: usize, updates: usize, looks: usize) -> Vec<Sizes> {
    let mut client = home.start();
    remember(&mut client, "measure", MEASURE);
    let mut seen = Vec::new();
    for look in 0..looks {
        let run = |number: usize| json!({"procedure_id": "measure", "parameters": {"text": "some text of a run".repeat(20), "number": number}});
        let change =
            |number: usize| json!({"procedure_id": "measure", "description": format!("{look}: change {number}")});
        call_all(&mut client, "execute_procedure", &(0..runs / looks).map(run).collect::<Vec<_>>());
        call_all(&mut client, "update_procedure", &(0..updates / looks).map(change).collect::<Vec<_>>());
        let sizes = sizes(home);
        eprintln!("{:>7} runs, {:>6} updates: {sizes:?}", runs / looks * (look + 1), updates / looks * (look + 1));
        seen.push(sizes);
    }
    assert!(!client.log().contains("rewritten"), "nobody rewrote the history: {}", client.log());
    let known = stats(&mut client, "measure");
    assert_eq!(known["execution_stats"]["success"], runs / looks * looks);
    eventually("the log is cut back", || sizes(home).log <= 1 << 20);
    eventually("the history is packed", || {
        let sizes = sizes(home);
        sizes.packs > 0 && sizes.loose < 1100
    });
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "measure", "limit": 5}));
    assert_eq!(versions["versions"][0]["version"], updates / looks * looks + 1, "{versions}");
    assert!(count_runs(&mut client) > 0);
    let sound: String = database(home).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    seen
}

#[test]
fn a_home_that_is_used_for_a_while_comes_to_a_size_and_stays_there() {
    let home = Home::with_config("[retention]\nmax_mib = 1\n");
    let seen = use_for_long(&home, 4000, 400, 8);
    let (middle, last) = (seen[3], seen[7]);
    assert!(last.database < 6 << 20, "{last:?}");
    assert!(last.database <= middle.database + (2 << 20), "{middle:?}, then {last:?}");
    assert!(seen.iter().all(|sizes| sizes.log < 16_000_000), "{seen:?}");
}

/// The figures of a long life: `cargo test --release --test main a_long_life -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes; `cargo test --release --test main a_long_life -- --ignored --nocapture`"]
fn a_long_life_of_100_000_runs_and_20_000_updates() {
    let home = Home::with_config("[retention]\nmax_mib = 16\n");
    let began = Instant::now();
    let seen = use_for_long(&home, 100_000, 20_000, 20);
    eprintln!("{:?}", began.elapsed());
    assert!(began.elapsed() > Duration::ZERO);
    let (half, last) = (seen[9], seen[19]);
    assert!(last.database <= half.database + half.database / 4, "{half:?}, then {last:?}");
    assert!(seen.iter().all(|sizes| sizes.log < 16_000_000), "{seen:?}");
    assert!(last.history < 200 << 20, "{last:?}");
    // As long as changes come, ten thousand are too much, and what comes until that is noticed. After it all is packed.
    assert!(last.loose < 20_000 && last.packs <= 25, "{last:?}");
}
