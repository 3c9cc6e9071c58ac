//! Grants that a run lacks: a person is asked for them, and what they say is written into the policy where it is to last.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

use super::{
    approvals::{USER, accept, decisions, talk, with_user},
    approvals_later::{command_in_a_terminal, in_a_terminal},
};
use crate::common::{Home, Protocol, RawClient, eventually, has_program, remember, text, toml_path};

const POLICY: &str = "# Mine.\n[policy]\n# Nothing yet.\nmodel = false\n";

const CHANGES: &str = "from repertoire import run_command\n\n\ndef changes(folder: str) -> str:\n    \
    \"\"\"What is new.\"\"\"\n    try:\n        return run_command(['git', 'status', '--short'], cwd=folder).stdout\n    \
    except PermissionError as error:\n        return f'refused: {error}'\n";

/// A home that grants nothing, and a repository with one new file.
struct Setup {
    home: Home,
    folder: PathBuf,
}

impl Setup {
    fn new() -> Self {
        let home = Home::new();
        let folder = home.beside("app");
        let made = Command::new("git").args(["init", "-q"]).current_dir(&folder).status().unwrap();
        assert!(made.success());
        fs::write(folder.join("new.txt"), "").unwrap();
        home.configure(POLICY);
        Self { home, folder }
    }

    fn call(&self) -> Value {
        json!({"procedure_id": "changes", "parameters": {"folder": self.folder}})
    }

    fn policy(&self) -> String {
        fs::read_to_string(self.home.path().join("config.toml")).unwrap()
    }
}

fn grant(extent: &str) -> [Value; 1] {
    [accept(json!({"grant": extent}))]
}

#[test]
fn once_is_for_one_run_and_always_for_all_that_come() {
    for protocol in Protocol::ALL {
        let setup = Setup::new();
        let before = setup.policy();
        let mut client = with_user(&setup.home, protocol);
        remember(&mut client, "changes", CHANGES);
        let (questions, done) = talk(&mut client, protocol, "execute_procedure", setup.call(), &grant("once"));
        assert_eq!(done["result"], json!("?? new.txt\n"), "{done}");
        let message = text(&questions[0], "message");
        for part in [
            &format!("`changes` wants to run `git status` in `{}`, and read that folder", setup.folder.display()),
            "command = [\"git\",\"status\",\"--short\"]",
        ] {
            assert!(message.contains(part), "{message}");
        }
        let answers = json!(["once", "always for this procedure", "always", "no"]);
        assert_eq!(questions[0]["requestedSchema"]["properties"]["grant"]["enum"], answers, "{questions:?}");
        assert_eq!(setup.policy(), before);
        // The next run asks again.
        let (_, done) = talk(&mut client, protocol, "execute_procedure", setup.call(), &grant("always"));
        assert_eq!(done["result"], json!("?? new.txt\n"), "{done}");
        assert!(before.lines().all(|line| setup.policy().contains(line)), "{}", setup.policy());
        assert!(setup.policy().contains("commands = [\"git status\"]\n"), "{}", setup.policy());
        assert_eq!(client.ok("execute_procedure", setup.call())["result"], json!("?? new.txt\n"));
        // So does another procedure.
        remember(&mut client, "others", &CHANGES.replace("changes", "others"));
        let call = json!({"procedure_id": "others", "parameters": {"folder": setup.folder}});
        assert_eq!(client.ok("execute_procedure", call)["result"], json!("?? new.txt\n"));
    }
}

#[test]
fn always_for_a_procedure_is_for_that_one_alone() {
    let setup = Setup::new();
    let mut client = with_user(&setup.home, Protocol::V2025);
    remember(&mut client, "changes", CHANGES);
    remember(&mut client, "others", &CHANGES.replace("changes", "others"));
    let answer = grant("always for this procedure");
    talk(&mut client, Protocol::V2025, "execute_procedure", setup.call(), &answer);
    assert!(setup.policy().contains("[policy.procedures.changes]\n"), "{}", setup.policy());
    assert_eq!(client.ok("execute_procedure", setup.call())["result"], json!("?? new.txt\n"));
    let call = json!({"procedure_id": "others", "parameters": {"folder": setup.folder}});
    let (questions, _) = talk(&mut client, Protocol::V2025, "execute_procedure", call, &grant("no"));
    assert!(text(&questions[0], "message").contains("`others` wants to run"), "{questions:?}");
}

#[test]
fn a_no_and_what_is_no_answer_raise_a_permission_error() {
    for protocol in Protocol::ALL {
        let setup = Setup::new();
        let before = setup.policy();
        let mut client = with_user(&setup.home, protocol);
        remember(&mut client, "changes", CHANGES);
        for answer in
            [accept(json!({"grant": "no"})), accept(json!({"grant": "everything"})), json!({"action": "decline"})]
        {
            let (_, done) = talk(&mut client, protocol, "execute_procedure", setup.call(), &[answer]);
            let result = text(&done, "result");
            assert!(result.starts_with("refused: \"`changes` wants to run `git status`"), "{done}");
            assert!(result.contains("was rejected by test's user"), "{done}");
            assert_eq!(decisions(&mut client, &done["run_id"])[0].1, "reject");
        }
        assert_eq!(setup.policy(), before);
    }
}

#[test]
fn an_agent_can_not_grant_what_waits_and_a_person_at_a_terminal_can() {
    let setup = Setup::new();
    let mut client = with_user(&setup.home, Protocol::V2025);
    remember(&mut client, "changes", CHANGES);
    client.send_call("execute_procedure", setup.call());
    client.server_request();
    let run = text(&client.ok("list_runs", json!({}))["runs"][0], "run_id").to_owned();
    client.kill();
    setup.home.configure(&format!("{POLICY}approvals = 'client'\n"));
    let mut agent = setup.home.start_with(&USER, Protocol::V2025);
    eventually("the run waits", || text(&agent.ok("get_run", json!({"run_id": run})), "status") == "paused");
    for arguments in [
        json!({"run_id": run, "decision": "approve"}),
        json!({"run_id": run, "decision": "approve", "value": "always"}),
        json!({"run_id": run, "decision": "reject"}),
        json!({"run_id": run, "value": "once"}),
        json!({"run_id": run}),
    ] {
        agent.refused("resume_run", arguments, "approval_needs_human");
    }
    let inbox = agent.ok("list_inbox", json!({}));
    assert!(inbox["items"][0].to_string().contains("wants to run `git status`"), "{inbox}");
    let output = setup.home.run(&["--user", "ada", "approve", &run, "--yes"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("only a person may decide this"), "{output:?}");
    drop(agent);
    if has_program("script") {
        let shown = in_a_terminal(&setup.home, &run, "1\n");
        assert!(shown.contains("wants to run `git status`") && shown.contains("?? new.txt"), "{shown}");
    }
    assert!(!setup.policy().contains("git status"), "{}", setup.policy());
}

#[test]
fn with_nobody_to_ask_or_where_it_is_switched_off_the_error_says_what_to_add() {
    let setup = Setup::new();
    let mut client = setup.home.start_with(&USER, Protocol::V2025);
    remember(&mut client, "changes", CHANGES);
    let done = client.ok("execute_procedure", setup.call());
    let result = text(&done, "result");
    assert!(result.contains("the command `git status` is not granted"), "{done}");
    assert!(result.contains("`repertoire grant command \"git status\"`"), "{done}");
    drop(client);
    setup.home.configure(&format!("{POLICY}offer_grants = false\n"));
    let mut client = with_user(&setup.home, Protocol::V2025);
    assert!(text(&client.ok("execute_procedure", setup.call()), "result").contains("is not granted"));
}

#[test]
fn what_is_denied_is_not_offered_and_shells_are_for_one_run() {
    let setup = Setup::new();
    let folder = toml_path(&setup.folder);
    setup.home.configure(&format!("[policy]\nread = [{folder}]\ndeny = ['git status']\n"));
    let mut client = with_user(&setup.home, Protocol::V2025);
    remember(&mut client, "changes", CHANGES);
    let done = client.ok("execute_procedure", setup.call());
    assert!(text(&done, "result").contains("is denied"), "{done}");
    let code = CHANGES.replace("'git', 'status', '--short'", "'sh', 'script.sh'").replace("changes", "script");
    fs::write(setup.folder.join("script.sh"), "echo done\n").unwrap();
    remember(&mut client, "script", &code);
    let call = json!({"procedure_id": "script", "parameters": {"folder": setup.folder}});
    let (questions, done) = talk(&mut client, Protocol::V2025, "execute_procedure", call, &grant("once"));
    assert_eq!(questions[0]["requestedSchema"]["properties"]["grant"]["enum"], json!(["once", "no"]), "{questions:?}");
    assert_eq!(done["result"], json!("done\n"), "{done}");
}

#[test]
fn a_procedure_that_declares_what_it_needs_is_asked_about_all_of_it_at_once() {
    for protocol in Protocol::ALL {
        let setup = Setup::new();
        let mut client = RawClient::spawn(setup.home.command(&["--user", "ada", "serve"]));
        client.declare(json!({"elicitation": {}}));
        client.open(protocol);
        let call = json!({"procedure_id": "summarise_git_changes", "parameters": {"path": setup.folder}});
        let (questions, done) = talk(&mut client, protocol, "execute_procedure", call.clone(), &grant("always"));
        assert_eq!(done["outcome"], json!("success"), "{done}");
        assert_eq!(done["result"]["untracked"][0], json!("new.txt"), "{done}");
        let message = text(&questions[0], "message");
        assert!(message.contains("wants to run `git status` and `git diff` in"), "{message}");
        assert_eq!(client.ok("execute_procedure", call)["outcome"], json!("success"));
    }
}

#[test]
fn a_starter_is_granted_once_always_or_not_at_the_terminal_of_its_run() {
    if !has_program("script") {
        return;
    }
    let setup = Setup::new();
    let before = setup.policy();
    let run = format!("run summarise_git_changes 'path={}'", setup.folder.display());
    let refused = command_in_a_terminal(&setup.home, &run, "perhaps\nn not now\n");
    assert!(refused.contains("PermissionError") && refused.contains("was rejected by ada: not now"), "{refused}");
    for (typed, asks) in [("y\n", true), ("3\n", true), ("", false)] {
        let shown = command_in_a_terminal(&setup.home, &run, typed);
        assert!(shown.contains("\"summary\": \"On branch"), "{shown}");
        assert_eq!(shown.contains("wants to run `git status` and `git diff`"), asks, "{shown}");
        assert_eq!(setup.policy() == before, typed == "y\n");
    }
}

#[test]
fn grants_are_written_listed_and_taken_back_by_command() {
    let setup = Setup::new();
    let before = setup.policy();
    let mut client = setup.home.start();
    remember(&mut client, "changes", CHANGES);
    let folder = setup.folder.to_str().unwrap();
    let said = |arguments: &[&str]| {
        let output = setup.home.run(arguments);
        (
            output.status.success(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    assert!(said(&["grant", "command", "git status", "--for", "changes"]).0);
    assert!(said(&["grant", "read", folder]).0);
    assert_eq!(client.ok("execute_procedure", setup.call())["result"], json!("?? new.txt\n"));
    let (_, listed) = said(&["grant", "--list"]);
    assert!(listed.contains("git status") && listed.contains("changes") && listed.contains(folder), "{listed}");
    assert!(!said(&["grant", "command", "git log", "--for", "nobody"]).0);
    assert!(!said(&["grant", "read", "/no/such/folder"]).0);
    assert!(said(&["grant", "command", "git status", "--for", "changes", "--revoke"]).0);
    assert!(said(&["grant", "read", folder, "--revoke"]).0);
    let (done, refusal) = said(&["grant", "read", folder, "--revoke"]);
    assert!(!done && refusal.contains("is not granted"), "{refusal}");
    assert!(text(&client.ok("execute_procedure", setup.call()), "result").contains("is not granted"));
    assert!(before.lines().all(|line| setup.policy().contains(line)), "{}", setup.policy());
}
