//! `repertoire daemon`: the clock runs, and what waits goes on, while no client is there.

use std::{fs, path::Path, time::Duration};

use rusqlite::Connection;
use serde_json::json;

use super::commands::{fail, succeed};
use crate::common::{Home, PATIENCE, RawClient, eventually, processes, remember, text};

const DAY_MS: i64 = 24 * 3600 * 1000;

fn database(stores: &Path) -> Connection {
    let connection = Connection::open(stores.join("repertoire.db")).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

fn number(stores: &Path, sql: &str) -> i64 {
    database(stores).query_row(sql, [], |row| row.get(0)).unwrap()
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A procedure that the clock starts once a year, whose next time is now.
fn scheduled(client: &mut RawClient, stores: &Path, name: &str, code: &str) {
    let trigger = json!({"type": "time", "cron_expression": "0 0 1 1 *"});
    client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "trigger": trigger, "code": code}));
    database(stores).execute("UPDATE schedules SET next_due = ?1", [now_ms() - DAY_MS]).unwrap();
}

fn returning(name: &str, value: &str) -> String {
    format!("def {name}() -> object:\n    \"\"\"Return it.\"\"\"\n    return {value}\n")
}

fn ended_ticks(stores: &Path) -> i64 {
    number(stores, "SELECT count(*) FROM ticks WHERE ended_at > 0")
}

/// Asks a daemon to end; it must do so at once, in good order, and must have said nothing on stdout.
#[track_caller]
fn terminate(mut daemon: RawClient, signal: &str) {
    processes::signal(daemon.process_id(), signal);
    let status = daemon.wait_for_exit(Duration::from_secs(4));
    assert!(status.success(), "{status:?}: {}", daemon.log());
    assert_eq!(daemon.rest_of_stdout(), "");
}

#[test]
fn a_daemon_alone_starts_what_is_due_and_says_so_only_in_its_log() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "plain", &returning("plain", "1"));
    assert!(client.close().success());
    let mut client = home.start_with(&["--read-only"], crate::common::Protocol::V2025);
    let daemon = home.daemon(&[]);
    let mut writer = home.start();
    assert_eq!(text(&writer.ok("get_procedure", json!({"procedure_id": "plain"})), "name"), "plain");
    assert!(writer.close().success());
    // Made due by a server that is gone when the clock strikes.
    let mut writer = home.start();
    scheduled(&mut writer, &home.path(), "briefing", &returning("briefing", "'ready'"));
    writer.kill();
    eventually("the tick is over", || ended_ticks(&home.path()) == 1);
    let shown = client.ok("get_procedure", json!({"procedure_id": "briefing"}));
    assert_eq!(shown["run_count"], json!(1), "{shown}");
    let log = daemon.log();
    assert!(log.contains("keeping") && log.contains("a scheduled run starts"), "{log}");
    terminate(daemon, "TERM");
}

#[test]
fn a_daemon_ends_in_good_order_whichever_way_it_is_asked_and_leaves_its_runs_to_the_next() {
    let home = Home::new();
    let mut client = home.start();
    let slow = "import asyncio\n\nfrom repertoire import log\n\n\nasync def slow() -> str:\n    \"\"\"Take long.\"\"\"\n    \
                log('begun')\n    await asyncio.sleep(0.8)\n    return 'done'\n";
    scheduled(&mut client, &home.path(), "slow", slow);
    client.kill();
    for signal in ["TERM", "INT", "HUP"] {
        let daemon = home.daemon(&[]);
        eventually("the run is under way", || {
            number(&home.path(), "SELECT count(*) FROM runs WHERE status = 'running'") == 1
        });
        terminate(daemon, signal);
        let left = "SELECT count(*) FROM runs WHERE status IN ('running', 'interrupted')";
        assert_eq!(number(&home.path(), left), 1, "after {signal}");
    }
    let _daemon = home.daemon(&[]);
    eventually("the run succeeds", || {
        number(&home.path(), "SELECT count(*) FROM runs WHERE status = 'succeeded'") == 1
    });
    assert_eq!(number(&home.path(), "SELECT count(*) FROM runs"), 1, "one run, however many went on with it");
}

#[test]
fn a_daemon_ends_gates_whose_time_is_up_and_tidies_and_learns() {
    let home = Home::with_config("[retention]\ninbox = { max_age_days = 1 }\n");
    let mut client = home.start();
    let asks = "from repertoire import approve, notify\n\n\ndef asks() -> str:\n    \"\"\"Ask.\"\"\"\n    \
                notify('look')\n    \
                approve('Send it?', timeout=1)\n    return 'sent'\n";
    remember(&mut client, "asks", asks);
    let paused = client.call("execute_procedure", json!({"procedure_id": "asks"}));
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    client.ok("resolve_inbox_item", json!({"item_id": 1}));
    client.kill();
    let stores = home.path();
    database(&stores).execute_batch("UPDATE inbox SET created_at = 1, resolved_at = 2").unwrap();
    let daemon = home.daemon(&[]);
    eventually("what was read long ago is gone", || number(&stores, "SELECT count(*) FROM inbox") == 0);
    let over = "SELECT count(*) FROM runs WHERE status = 'failed' AND error_type = 'PermissionError'";
    eventually("the gate closes refused, and the run goes on", || number(&stores, over) == 1);
    eventually("it is an outcome to learn from", || number(&stores, "SELECT count(*) FROM workflow_outcomes") == 1);
    terminate(daemon, "TERM");
}

#[test]
fn a_tick_fires_once_however_many_daemons_and_servers_there_are() {
    let home = Home::new();
    let mut client = home.start();
    let daemons: Vec<RawClient> = (0..3).map(|_| home.daemon(&[])).collect();
    let mut servers: Vec<RawClient> = (0..2).map(|_| home.start()).collect();
    for round in 0..3 {
        let name = format!("tick_{round}");
        scheduled(&mut client, &home.path(), &name, &returning(&name, "1"));
        let expected = (round + 1) * (round + 2) / 2;
        eventually("all that is due is over", || ended_ticks(&home.path()) >= expected);
        assert_eq!(number(&home.path(), "SELECT count(*) FROM runs"), ended_ticks(&home.path()));
    }
    let doctor = succeed(&home, &["doctor"]);
    assert!(doctor.contains("kept by 3 daemons and 3 servers"), "{doctor}");
    daemons.into_iter().for_each(|daemon| terminate(daemon, "TERM"));
    servers.push(client);
    for server in servers {
        assert!(server.close().success());
    }
}

#[test]
fn a_daemon_keeps_the_home_and_every_tenant_of_it_or_the_one_that_is_named() {
    let home = Home::new();
    let tenant = |name: &str| home.path().join("tenants").join(name);
    for name in ["acme", "zeta"] {
        let mut client = home.start_with(&["--tenant", name], crate::common::Protocol::V2025);
        scheduled(&mut client, &tenant(name), "prep", &returning("prep", "1"));
        client.kill();
    }
    let due_again = |name: &str| {
        database(&tenant(name)).execute("UPDATE schedules SET next_due = ?1", [now_ms() - DAY_MS / 2]).unwrap();
    };
    for name in ["acme", "zeta"] {
        database(&tenant(name)).execute_batch("DELETE FROM ticks").unwrap();
        due_again(name);
    }
    let daemon = home.daemon(&["--tenant", "zeta"]);
    eventually("the tick of the one tenant", || ended_ticks(&tenant("zeta")) == 1);
    terminate(daemon, "TERM");
    assert_eq!(ended_ticks(&tenant("acme")), 0, "it is another tenant's");
    let daemon = home.daemon(&[]);
    eventually("the tick of the other", || ended_ticks(&tenant("acme")) == 1);
    assert!(!home.path().join("repertoire.db").exists(), "nobody works in the home itself");
    // One that comes later.
    let mut client = home.start_with(&["--tenant", "late"], crate::common::Protocol::V2025);
    scheduled(&mut client, &tenant("late"), "prep", &returning("prep", "1"));
    client.kill();
    eventually("the tick of the new one", || ended_ticks(&tenant("late")) == 1);
    terminate(daemon, "TERM");
    home.configure("require_tenant = true\n");
    due_again("acme");
    let daemon = home.daemon(&[]);
    eventually("the tick where all have a tenant", || ended_ticks(&tenant("acme")) == 2);
    terminate(daemon, "TERM");
}

#[test]
fn doctor_says_when_nobody_keeps_the_clock() {
    let home = Home::new();
    let mut client = home.start();
    assert!(!succeed(&home, &["doctor"]).contains("nobody keeps it"));
    client.ok(
        "remember_procedure",
        json!({"name": "prep", "steps": ["Do it"], "trigger": {"type": "time", "cron": "0 6 * * 1-5"}}),
    );
    eventually("the server is known to keep it", || succeed(&home, &["doctor"]).contains("kept by 1 server"));
    client.kill();
    let doctor = succeed(&home, &["doctor"]);
    assert!(doctor.contains("clock: 1 procedure waits for it") && doctor.contains("nobody keeps it"), "{doctor}");
    assert!(doctor.contains("`repertoire daemon install`"), "{doctor}");
    // What only reads keeps nothing.
    let reader = home.start_with(&["--read-only"], crate::common::Protocol::V2025);
    assert!(succeed(&home, &["doctor"]).contains("nobody keeps it"));
    assert!(reader.close().success());
    // Nor does what keeps somebody else's.
    let daemon = home.daemon(&["--user", "somebody-else"]);
    assert!(succeed(&home, &["doctor"]).contains("nobody keeps it"));
    terminate(daemon, "TERM");
    let daemon = home.daemon(&[]);
    eventually("the daemon is known", || succeed(&home, &["doctor"]).contains("kept by 1 daemon"));
    assert!(succeed(&home, &["daemon", "status"]).contains("kept by 1 daemon"));
    terminate(daemon, "TERM");
    let mut client = home.start();
    client.ok("update_procedure", json!({"procedure_id": "prep", "enabled": false}));
    client.kill();
    assert!(!succeed(&home, &["doctor"]).contains("nobody keeps it"), "nothing waits");
}

#[test]
fn a_daemon_that_can_keep_nothing_says_why_and_fails() {
    let home = Home::with_config("[policy]\ncomands = ['git']\n");
    let error = fail(&home, &["daemon"]);
    assert!(error.contains("comands"), "{error}");
    home.configure("");
    fs::create_dir_all(home.path().join("repertoire.db")).unwrap();
    let error = fail(&home, &["daemon"]);
    assert!(error.contains("repertoire.db"), "{error}");
}

#[test]
fn a_tenant_that_can_not_be_kept_is_no_trouble_of_the_others() {
    let home = Home::new();
    let broken = home.path().join("tenants").join("broken");
    fs::create_dir_all(broken.join("repertoire.db")).unwrap();
    let mut client = home.start();
    scheduled(&mut client, &home.path(), "prep", &returning("prep", "1"));
    client.kill();
    let daemon = home.daemon(&[]);
    eventually("the others are kept", || ended_ticks(&home.path()) >= 1);
    eventually("it is said", || daemon.log().contains("not kept at the moment") && daemon.log().contains("broken"));
    // Mended, it is kept.
    fs::remove_dir(broken.join("repertoire.db")).unwrap();
    eventually("the mended one is kept", || daemon.log().matches("keeping").count() == 2);
    terminate(daemon, "TERM");
}
