//! Servers around which their user wants walls.
#![cfg(target_os = "linux")]

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::common::{
    downstream::{Setup, raised, result},
    eventually, text, toml_path,
    walls::has_walls,
    web_server::WebServer,
};

/// A home with the same server twice: as it is, and within bounds.
fn setup(bounds: &str) -> Option<Setup> {
    under_rules("", bounds)
}

/// The same, with more in the policy.
fn under_rules(rules: &str, bounds: &str) -> Option<Setup> {
    let setup = Setup::bare()?;
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = setup.home.beside("files");
    let within = format!("read = [{}]\nwrite = [{}]\n{bounds}", toml_path(&script), toml_path(&files));
    let policy = format!("[policy]\ntools = ['free', 'held']\n{rules}\n");
    let config = [policy, setup.section("free", &[], ""), setup.section("held", &[], &within)];
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
    setup.home.configure(&format!("{}network = ['https://example.org/']\n", config.concat()));
    let doctor = setup.home.run(&["doctor"]);
    let said = [&doctor.stdout[..], &doctor.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("`mcp_servers.held.network` names `https://example.org/`, which is no host"), "{said}");
}

/// What a web server was asked for.
fn asked(web: &WebServer) -> Vec<String> {
    web.requests().iter().map(|request| text(request, "path").to_owned()).collect()
}

#[test]
fn hosts_are_reached_by_their_names_and_no_others() {
    let web = WebServer::start();
    let (by_name, by_address) = (web.at("localhost"), web.at("127.0.0.1"));
    let port = by_name.rsplit(':').next().unwrap();
    let bounds = format!("network = ['{by_name}', '*.example.org']");
    let Some(setup) = setup(&bounds).filter(|_| has_walls()) else { return };
    let mut client = setup.home.start();
    let mut calls = 0;
    let mut connect = |server: &str, arguments: &str| {
        calls += 1;
        result(&mut client, &format!("connect_{calls}"), &format!("call_tool('{server}/connect', {arguments})"))
    };
    let url = |host: &str| format!("{{'url': 'http://{host}/plain'}}");
    // As often as it likes, for as long as it lives.
    for _ in 0..3 {
        assert_eq!(connect("held", &url(&by_name)), json!("made"));
    }
    assert_eq!(asked(&web).len(), 3);
    for host in [by_address.as_str(), "example.net:80", "10.0.0.1:80", "169.254.169.254:80", "localhost:1"] {
        let said = connect("held", &url(host));
        let said = said.as_str().unwrap();
        let wanted = format!("403: the host `{host}` is not granted to the MCP server `held`; the user can add it");
        assert!(said.starts_with(&wanted) && said.contains("`network` of [mcp_servers.held] in "), "{said}");
    }
    assert_ne!(connect("held", &format!("{{'port': {port}}}")), json!("made"), "past the proxy");
    assert_eq!(asked(&web).len(), 3);
    // Without walls it gets to each.
    assert_eq!(connect("free", &url(&by_address)), json!("made"));
    assert_eq!(connect("free", &format!("{{'port': {port}}}")), json!("made"));
    assert_eq!(asked(&web)[3..], ["/plain", "/direct"]);
    // The proxy is judged anew where the settings are others.
    let section = |hosts: &str| {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let files = setup.home.beside("files");
        let within = format!("read = [{}]\nwrite = [{}]\nnetwork = [{hosts}]", toml_path(&script), toml_path(&files));
        setup.home.configure(&format!("[policy]\ntools = ['held']\n{}", setup.section("held", &[], &within)));
    };
    section(&format!("'{by_address}'"));
    let call = |host: &str| format!("call_tool('held/connect', {})", url(host));
    assert_eq!(result(&mut client, "named_itself", &call(&by_address)), json!("made"));
    let refused: Value = result(&mut client, "no_more", &call(&by_name));
    assert!(refused.as_str().unwrap().starts_with("403: "), "{refused}");
}

#[test]
fn rules_of_the_user_hold_for_servers_too() {
    let web = WebServer::start();
    let (asked_about, denied) = (web.at("localhost"), web.at("127.0.0.1"));
    let rules = format!("ask = ['http:{asked_about}']\ndeny = ['http:{denied}']");
    let bounds = format!("network = ['{asked_about}', '{denied}']");
    let Some(setup) = under_rules(&rules, &bounds).filter(|_| has_walls()) else { return };
    let mut client = setup.home.start();
    let mut said = |name: &str, host: &str| {
        let call = format!("call_tool('held/connect', {{'url': 'http://{host}/plain'}})");
        result(&mut client, name, &call).as_str().unwrap().to_owned()
    };
    let answer = said("ask", &asked_about);
    assert!(answer.starts_with(&format!("403: the policy asks before `http:{asked_about}`")), "{answer}");
    let answer = said("deny", &denied);
    assert!(answer.starts_with("403: ") && answer.contains("denied: the user has"), "{answer}");
    assert_eq!(asked(&web), [""; 0]);
}
