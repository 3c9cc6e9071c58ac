//! Tenants: stores of their own below one home, whose name comes from whoever starts the process.

use std::fs;

use serde_json::json;

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, PROGRAM, Protocol, RawClient, clean, text, toml_path},
};

fn start(home: &Home, tenant: &str) -> RawClient {
    home.start_with(&["--tenant", tenant], Protocol::V2025)
}

#[test]
fn a_tenant_has_stores_of_its_own_and_shares_the_settings() {
    let home = Home::with_config("[limits]\nhost_calls = 7\n");
    let mut client = start(&home, "acme-corp");
    client.ok("remember_procedure", json!({"name": "close_books", "steps": ["Close them"]}));
    let folder = home.path().join("tenants").join("acme-corp");
    for store in ["procedures.git", "repertoire.db", "state.key", "sessions"] {
        assert!(folder.join(store).exists(), "{store}");
        assert!(!home.path().join(store).exists(), "{store} of the home");
    }
    assert!(!folder.join("config.toml").exists());
    #[cfg(unix)]
    for private in [home.path().join("tenants"), folder.clone()] {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let log = client.log();
    assert!(log.contains("acme-corp") && log.contains(folder.to_str().unwrap()), "{log}");
    let doctor = succeed(&home, &["--tenant", "acme-corp", "doctor"]);
    assert!(doctor.contains(&format!("tenant: acme-corp, {}", folder.display())), "{doctor}");
    assert!(doctor.contains(folder.join("repertoire.db").to_str().unwrap()) && doctor.contains("1 procedure"));
    // The home's own file counts for the tenant too.
    let code = "from repertoire import log\n\ndef chatty():\n    for n in range(9):\n        log(str(n))\n";
    client.ok("remember_procedure", json!({"name": "chatty", "steps": ["Say"], "code": code}));
    let answer = client.call("execute_procedure", json!({"procedure_id": "chatty"}));
    assert!(text(&answer, "error").contains('7'), "{answer}");
}

#[test]
fn every_tenant_starts_with_the_starter_procedures() {
    let home = Home::new();
    let with_starters = |arguments: &[&str]| {
        let mut client = RawClient::spawn(home.command(arguments));
        client.open(Protocol::V2025);
        client.ok("list_procedures", json!({"limit": 1}))["total"].as_u64().unwrap()
    };
    let first = with_starters(&["--tenant", "a", "serve"]);
    assert!(first > 0);
    assert_eq!(with_starters(&["--tenant", "b", "serve"]), first);
    assert_eq!(with_starters(&["--tenant", "c", "--no-starters", "serve"]), 0);
    assert_eq!(with_starters(&["--no-starters", "serve"]), 0);
}

#[test]
fn commands_and_the_environment_name_the_tenant() {
    let home = Home::new();
    start(&home, "acme").ok("remember_procedure", json!({"name": "close_books", "steps": ["Close them"]}));
    assert!(succeed(&home, &["--tenant", "acme", "list"]).contains("close_books"));
    assert!(succeed(&home, &["show", "close_books", "--tenant", "acme"]).contains("close_books"));
    for other in [&["--no-starters", "list"][..], &["--no-starters", "--tenant", "acme2", "list"]] {
        assert!(!succeed(&home, other).contains("close_books"), "{other:?}");
    }
    let from_environment = |value: &str, arguments: &[&str]| {
        let mut command = home.command(arguments);
        let output = command.env("REPERTOIRE_TENANT", value).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    assert!(from_environment("acme", &["list"]).1.contains("close_books"));
    // What the caller says goes before what the environment says, and an empty variable says nothing.
    assert!(!from_environment("acme", &["--no-starters", "--tenant", "acme2", "list"]).1.contains("close_books"));
    assert!(!from_environment("", &["--no-starters", "list"]).1.contains("close_books"));
    let (succeeded, said) = from_environment("../acme", &["list"]);
    assert!(!succeeded && said.contains("REPERTOIRE_TENANT"), "{said}");
}

#[test]
fn a_name_that_is_no_folder_name_is_refused_and_makes_nothing() {
    let home = Home::new();
    for name in ["", "Acme", "a/b", "../up", ".hidden", "nul", "com1.x", "a.", "a b", &"x".repeat(65)] {
        let error = fail(&home, &["--tenant", name, "list"]);
        assert!(error.contains("can't be a tenant's name") && error.contains("--tenant"), "{name}: {error}");
        let mut client = start(&home, name);
        let error = client.refused("list_procedures", json!({}), "configuration_error");
        assert!(error.contains("can't be a tenant's name"), "{name}: {error}");
    }
    assert!(!home.path().exists());
}

#[test]
fn where_a_tenant_is_required_nothing_works_without() {
    let home = Home::with_config("require_tenant = true\n");
    // Not even a server starts.
    for command in [&["serve"][..], &["list"], &["doctor"], &["inbox"], &["tools"], &["stats"]] {
        let error = fail(&home, command);
        assert!(error.contains("--tenant NAME") && error.contains("REPERTOIRE_TENANT"), "{command:?}: {error}");
    }
    let left: Vec<String> =
        fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left, ["config.toml"]);
    start(&home, "acme").ok("list_procedures", json!({}));
    succeed(&home, &["--tenant", "acme", "list"]);
}

#[test]
fn no_tenant_may_read_the_folder_of_all() {
    let home = Home::new();
    let inside = home.path().join("tenants").join("other");
    fs::create_dir_all(&inside).unwrap();
    for granted in [home.beside("."), home.path(), inside] {
        home.configure(&format!("[policy]\nread = [{}]\n", toml_path(&granted)));
        for tenant in [&["--tenant", "acme", "list"][..], &["list"]] {
            let error = fail(&home, tenant);
            assert!(error.contains("read what other tenants have"), "{error}");
        }
    }
    home.configure(&format!("[policy]\nread = [{}]\n", toml_path(&home.beside("apart"))));
    succeed(&home, &["--tenant", "acme", "list"]);
}

#[test]
fn the_demo_does_not_care_for_the_tenant_of_its_caller() {
    let home = Home::new();
    let mut command = clean(std::process::Command::new(PROGRAM));
    command.env("HOME", home.beside("user")).env("REPERTOIRE_TENANT", "acme").arg("demo");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
