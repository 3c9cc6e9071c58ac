//! The conversation itself: handshakes, what is shown to whom, errors before and between calls.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, remember, text};

fn names(client: &mut RawClient) -> BTreeSet<String> {
    client.tools().iter().map(|tool| text(tool, "name").to_owned()).collect()
}

#[test]
fn both_protocols_show_the_same_tools_and_instructions() {
    let home = Home::new();
    let mut seen = Vec::new();
    for protocol in Protocol::ALL {
        let mut client = home.spawn(&[]);
        let about = client.open(protocol);
        assert!(about["capabilities"]["tools"].is_object(), "{about}");
        assert!(text(&about, "instructions").contains("recall_procedures"), "{about}");
        let server = match protocol {
            Protocol::V2025 => &about["serverInfo"],
            Protocol::V2026 => &about["_meta"]["io.modelcontextprotocol/serverInfo"],
        };
        assert_eq!(server["name"], json!("repertoire"), "{about}");
        assert_eq!(server["version"], json!(env!("CARGO_PKG_VERSION")), "{about}");
        seen.push((names(&mut client), about["instructions"].clone()));
    }
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn older_clients_get_the_version_that_they_ask_for() {
    let home = Home::new();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = home.spawn(&[]);
        let params = json!({
            "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"},
        });
        let answer = client.request("initialize", params);
        assert_eq!(answer["result"]["protocolVersion"], json!(version), "{answer}");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client.ok("list_procedures", json!({}));
    }
}

#[test]
fn an_unknown_version_is_answered_with_one_that_the_server_knows() {
    let home = Home::new();
    let mut client = home.spawn(&[]);
    let params = json!({
        "protocolVersion": "2099-01-01", "capabilities": {}, "clientInfo": {"name": "future", "version": "1"},
    });
    let answer = client.request("initialize", params);
    assert!(answer["result"]["protocolVersion"].is_string() || answer["error"]["message"].is_string(), "{answer}");
}

#[test]
fn ping_is_answered() {
    let home = Home::new();
    let answer = home.start().request("ping", json!({}));
    assert!(answer["result"].is_object(), "{answer}");
}

#[test]
fn stdout_stays_pure_whatever_is_logged_and_printed() {
    let home = Home::new();
    let mut command = home.command(&["serve"]);
    command.env("REPERTOIRE_LOG", "trace").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
    let mut client = RawClient::spawn(command);
    client.open(Protocol::V2025);
    remember(
        &mut client,
        "chatty",
        "def chatty() -> None:\n    print('{\"jsonrpc\": \"1.0\"}')\n    print('\\n\\n')\n",
    );
    let answer = client.ok("execute_procedure", json!({"procedure_id": "chatty"}));
    assert!(text(&answer, "output").contains("jsonrpc"), "{answer}");
    client.ok("list_procedures", json!({}));
    assert!(!client.log().is_empty());
}

#[test]
fn the_log_names_the_home_at_the_start() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("list_procedures", json!({}));
    assert!(client.log().contains(home.path().to_str().unwrap()), "{}", client.log());
}

#[test]
fn a_relative_home_becomes_an_absolute_one() {
    let home = Home::new();
    let mut command = crate::common::clean(std::process::Command::new(crate::common::PROGRAM));
    command.current_dir(home.beside("here")).args(["--home", "data", "--no-starters", "serve"]);
    let mut client = RawClient::spawn(command);
    client.open(Protocol::V2025);
    client.ok("list_procedures", json!({}));
    let log = client.log();
    assert!(log.contains(home.beside("here").join("data").to_str().unwrap()), "{log}");
}

#[test]
fn the_environment_names_the_home_when_no_flag_does() {
    let home = Home::new();
    let wanted = home.beside("from the environment");
    let mut command = crate::common::clean(std::process::Command::new(crate::common::PROGRAM));
    command.env("REPERTOIRE_HOME", &wanted).args(["--no-starters"]);
    let mut client = RawClient::spawn(command);
    client.open(Protocol::V2025);
    client.ok("remember_procedure", json!({"name": "here", "steps": ["Do it"]}));
    assert!(wanted.join("procedures.git").is_dir());
}

#[test]
fn the_handshake_works_although_the_home_does_not() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        fs::write(home.path(), "this is a file").unwrap();
        let mut client = home.start_with(&[], protocol);
        assert!(names(&mut client).contains("execute_procedure"));
        let answer = client.call("list_procedures", json!({}));
        assert_eq!(answer["success"], json!(false), "{answer}");
        assert!(text(&answer, "error").contains(home.path().to_str().unwrap()), "{answer}");
        // Whoever mends the home need not restart.
        fs::remove_file(home.path()).unwrap();
        client.ok("list_procedures", json!({}));
    }
}

#[test]
fn the_handshake_works_although_a_store_is_broken() {
    for broken in ["repertoire.db", "procedures.git"] {
        let home = Home::new();
        fs::create_dir_all(home.path()).unwrap();
        fs::write(home.path().join(broken), "this is neither a database nor a repository").unwrap();
        let mut client = home.start();
        let answer = client.call("list_procedures", json!({}));
        assert_eq!(answer["success"], json!(false), "{broken}: {answer}");
        assert!(text(&answer, "error").contains(broken), "{broken}: {answer}");
    }
}

#[test]
fn a_mistake_in_the_configuration_is_told_to_the_client() {
    let home = Home::with_config("[limits]\nsecnods = 5\n");
    let mut client = home.start();
    let error = client.refused("list_procedures", json!({}), "configuration_error");
    assert!(error.contains("secnods") && error.contains("config.toml"), "{error}");
}

#[test]
fn read_only_shows_only_what_changes_nothing() {
    let home = Home::new();
    remember(&mut home.start(), "fine", "def fine() -> int:\n    return 42\n");
    let mut client = home.start_with(&["--read-only"], Protocol::V2025);
    let tools = client.tools();
    assert!(!tools.is_empty());
    for tool in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], json!(true), "{tool}");
    }
    let shown = names(&mut client);
    assert!(shown.contains("recall_procedures") && shown.contains("get_run"), "{shown:?}");
    for hidden in ["remember_procedure", "execute_procedure", "delete_procedure", "resume_run"] {
        assert!(!shown.contains(hidden));
        let answer = client.request("tools/call", json!({"name": hidden, "arguments": {"procedure_id": "fine"}}));
        assert_eq!(answer["error"]["code"], json!(-32602), "hidden also means refused: {answer}");
    }
    assert_eq!(client.ok("get_procedure", json!({"procedure_id": "fine"}))["version"], json!(1));
}

#[test]
fn toolsets_show_what_they_name() {
    let home = Home::new();
    let of = |sets: &str| names(&mut home.start_with(&["--toolsets", sets], Protocol::V2025));
    let [procedures, code, runs, checkpoints, learning] =
        ["procedures", "code", "runs", "checkpoints", "learning"].map(of);
    assert!(procedures.contains("remember_procedure") && !procedures.contains("execute_procedure"), "{procedures:?}");
    assert!(code.contains("rollback_procedure_code") && !code.contains("remember_procedure"), "{code:?}");
    assert!(runs.contains("execute_procedure") && !runs.contains("validate_procedure_code"), "{runs:?}");
    assert!(checkpoints.contains("save_checkpoint") && !checkpoints.contains("get_run"), "{checkpoints:?}");
    assert!(learning.contains("review_candidate") && !learning.contains("complete_workflow"), "{learning:?}");
    assert_eq!(of("code,runs"), &code | &runs);
    let all = names(&mut home.start());
    let sets = [procedures, code, runs, checkpoints, learning];
    assert_eq!(all.len(), sets.iter().map(BTreeSet::len).sum::<usize>(), "every tool is in one set");
    assert_eq!(all, sets.into_iter().flatten().collect());
    assert_eq!(of("all"), all);
    let default = of("default");
    assert!(default.is_subset(&all) && !default.contains("save_checkpoint") && default.contains("execute_procedure"));
    let wrong = home.run(&["serve", "--toolsets", "nonsense"]);
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("procedures"), "{wrong:?}");
}

#[test]
fn an_object_that_arrives_as_text_is_taken_as_an_object() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "echo", "def echo(value: object) -> object:\n    return value\n");
    let call = |parameters: Value| json!({"procedure_id": "echo", "parameters": parameters});
    assert_eq!(client.ok("execute_procedure", call(json!(r#"{"value": {"a": 1}}"#)))["result"], json!({"a": 1}));
    // What is meant to be text stays text.
    assert_eq!(client.ok("execute_procedure", call(json!({"value": "{\"a\": 1}"})))["result"], json!("{\"a\": 1}"));
    client.refused("execute_procedure", call(json!("{not json")), "invalid_argument");
    let remembered = json!({
        "name": "as text",
        "steps": r#"["Do it", {"command": ["ls"]}]"#,
        "parameters": r#"[{"name": "x"}]"#,
        "tags": r#"["a"]"#,
    });
    client.ok("remember_procedure", remembered);
    let stored = client.ok("get_procedure", json!({"procedure_id": "as_text"}));
    assert_eq!(stored["definition"]["steps"], json!(["Do it", {"command": ["ls"]}]), "{stored}");
    assert_eq!(stored["definition"]["tags"], json!(["a"]), "{stored}");
}

#[test]
fn a_number_is_as_good_as_a_name() {
    let home = Home::new();
    let mut client = home.start();
    let id = remember(&mut client, "Größe prüfen", "def größe_prüfen() -> int:\n    return 1\n");
    for wanted in [json!(id), json!(id.to_string()), json!("größe_prüfen"), json!("Größe prüfen")] {
        let answer = client.ok("get_procedure", json!({"procedure_id": wanted}));
        assert_eq!(answer["name"], json!("größe_prüfen"), "{wanted}: {answer}");
    }
}

#[test]
fn calls_in_flight_together_are_all_answered() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "double", "def double(n: int) -> int:\n    return 2 * n\n");
    let sent: Vec<(i64, i64)> = (0..64)
        .map(|n| {
            let arguments = json!({"procedure_id": "double", "parameters": {"n": n}});
            (n, client.send_call("execute_procedure", arguments))
        })
        .collect();
    for (n, id) in sent {
        assert_eq!(client.call_answer(id)["result"], json!(2 * n));
    }
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "double"}));
    assert_eq!((&stats["usage_count"], &stats["success_rate"]), (&json!(64), &json!(1.0)), "{stats}");
}

#[test]
fn no_answer_is_longer_than_an_agent_can_bear() {
    let home = Home::new();
    let mut client = home.start();
    let description = "word ".repeat(1_000);
    for index in 0..40 {
        let name = format!("long_{index}");
        client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "description": description}));
    }
    remember(&mut client, "wide", "def wide() -> list:\n    return ['x' * 100] * 2000\n");
    for (tool, arguments) in [
        ("list_procedures", json!({"limit": 200})),
        ("recall_procedures", json!({"query": "word", "limit": 50, "include_code": true})),
        ("get_procedure", json!({"procedure_id": "long_1"})),
        ("execute_procedure", json!({"procedure_id": "wide"})),
        ("list_runs", json!({"limit": 100})),
    ] {
        let answer = client.ok(tool, arguments);
        let length = answer.to_string().chars().count();
        assert!(length <= 20_500, "{tool} answers {length} characters");
    }
}
