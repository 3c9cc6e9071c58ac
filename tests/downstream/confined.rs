//! Servers around which their user wants walls.
#![cfg(target_os = "linux")]

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::common::{
    downstream::{Setup, raised, result},
    eventually, toml_path,
    walls::has_walls,
};

/// A home with the same server twice: as it is, and within bounds.
fn setup(bounds: &str) -> Option<Setup> {
    let setup = Setup::bare()?;
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = setup.home.beside("files");
    let within = format!("read = [{}]\nwrite = [{}]\n{bounds}", toml_path(&script), toml_path(&files));
    let config =
        ["[policy]\ntools = ['free', 'held']\n", &setup.section("free", &[], ""), &setup.section("held", &[], &within)];
    setup.home.configure(&config.concat());
    Some(setup)
}

#[test]
fn tools_work_within_walls_and_reach_nothing_else() {
    let Some(setup) = setup("").filter(|_| has_walls()) else { return };
    let (outside, inside) = (setup.home.beside("outside"), setup.home.beside("files"));
    fs::write(outside.join("secret"), "s3cr3t").unwrap();
    let mut client = setup.home.start();
    let mut calls = 0;
    let mut touch = |server: &str, path: PathBuf| {
        calls += 1;
        let call = format!("call_tool('{server}/touch', {{'path': '{}'}})", path.display());
        result(&mut client, &format!("touch_{calls}"), &call)
    };
    assert_eq!(touch("held", inside.join("made")), json!("made"));
    assert!(inside.join("made").exists());
    assert_eq!(touch("held", outside.join("made")), json!("FileNotFoundError"));
    assert!(!outside.join("made").exists());
    assert_eq!(touch("held", setup.home.path().join("config.toml")), json!("FileNotFoundError"));
    assert_eq!(touch("held", inside.join(".envrc")), json!("made"));
    // Without walls it gets there.
    assert_eq!(touch("free", outside.join("made")), json!("made"));
    assert!(outside.join("made").exists());
    let sum = result(&mut client, "add", "call_tool('held/add', {'a': 1, 'b': 2})");
    assert_eq!(sum, json!({"sum": 3}));
    let attempt = "call_tool('held/connect', {})";
    assert_eq!(result(&mut client, "connect", attempt), json!("PermissionError"));
    assert_eq!(result(&mut client, "connect_free", &attempt.replace("held", "free")), json!("made"));
    client.close_stdin();
    client.wait_for_exit(std::time::Duration::from_secs(10));
    eventually("what other programs execute is set aside", || !inside.join(".envrc").exists());
    assert!(inside.join(".envrc.set-aside").exists());
}

#[test]
fn a_server_that_needs_more_says_what_went_wrong() {
    let Some(setup) = Setup::bare().filter(|_| has_walls()) else { return };
    // Its own script is out of its sight.
    let config = ["[policy]\ntools = ['held']\n", &setup.section("held", &[], "confined = true")];
    setup.home.configure(&config.concat());
    let mut client = setup.home.start();
    let parts = &["`held` can't be used", "downstream_server.py", "No such file"];
    raised(&mut client, "blind", "call_tool('held/add', {'a': 1, 'b': 2})", "RuntimeError", parts);
    setup.home.configure(&format!("{}network = ['example.org']\n", config.concat()));
    let doctor = setup.home.run(&["doctor"]);
    let said = [&doctor.stdout[..], &doctor.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("`mcp_servers.held.network` names hosts"), "{said}");
}
