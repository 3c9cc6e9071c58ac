//! `ask` under [policy]: calls that wait for a person whatever their code says, and whoever else may decide otherwise.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{
    approvals::{USER, accept, decisions, talk, with_user},
    approvals_later::in_a_terminal,
};
use crate::common::{Home, Protocol, RawClient, eventually, has_program, remember, text, toml_path};

/// Appends a line, once for each time that it is made.
const NOTE: &str = "from repertoire import run_command\n\n\ndef note(folder: str, line: str) -> str:\n    \
    \"\"\"Write a line.\"\"\"\n    try:\n        done = run_command(['tee', '-a', 'lines'], cwd=folder, stdin=line + '\\n')\n    \
    except PermissionError as error:\n        return f'refused: {error}'\n    return done.stdout\n";

/// A home in which commands with `-a` are asked about, and the file that they write. Otherwise whoever calls decides.
struct Setup {
    home: Home,
    folder: PathBuf,
}

impl Setup {
    fn new() -> Self {
        let home = Home::new();
        let setup = Self { folder: home.beside("work"), home };
        setup.configure("ask = ['tee -a', 'sh again']");
        setup
    }

    fn configure(&self, rules: &str) {
        let folder = toml_path(&self.folder);
        let grants = format!("commands = ['tee', 'sh']\nwrite = [{folder}]\napprovals = 'client'");
        self.home.configure(&format!("[policy]\n{grants}\n{rules}\n"));
    }

    fn call(&self, line: &str) -> Value {
        json!({"procedure_id": "note", "parameters": {"folder": self.folder, "line": line}})
    }

    fn lines(&self) -> Vec<String> {
        let written = fs::read_to_string(self.folder.join("lines")).unwrap_or_default();
        written.lines().map(str::to_owned).collect()
    }

    /// A run that waits for a person, left by a server that was killed.
    fn left(&self, line: &str) -> String {
        let mut client = self.home.start_with(&USER, Protocol::V2025);
        client.call("remember_procedure", json!({"name": "note", "steps": ["Write"], "code": NOTE}));
        let paused = client.ok("execute_procedure", self.call(line));
        assert_eq!(paused["outcome"], json!("paused"), "{paused}");
        let run = text(&paused, "run_id").to_owned();
        client.kill();
        run
    }
}

fn status(client: &mut RawClient, run: &str) -> String {
    text(&client.ok("get_run", json!({"run_id": run})), "status").to_owned()
}

#[test]
fn a_person_sees_the_arguments_of_a_call_and_decides_on_that_one_alone() {
    for protocol in Protocol::ALL {
        let setup = Setup::new();
        let mut client = with_user(&setup.home, protocol);
        remember(&mut client, "note", NOTE);
        let yes = accept(json!({"approve": true}));
        let (questions, done) = talk(&mut client, protocol, "execute_procedure", setup.call("one"), &[yes]);
        assert_eq!((&done["outcome"], &done["result"]), (&json!("success"), &json!("one\n")), "{done}");
        assert_eq!(setup.lines(), ["one"]);
        let message = text(&questions[0], "message");
        for part in [
            "Procedure `note` wants to do what the policy asks about: run_command: tee -a lines",
            "The policy asks before `tee -a`.",
            "command = [\"tee\",\"-a\",\"lines\"]",
            "stdin = \"one\\n\"",
            &format!("cwd = \"{}\"", setup.folder.display()),
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        // The next is asked about again.
        let no = accept(json!({"approve": false, "comment": "enough"}));
        let (_, done) = talk(&mut client, protocol, "execute_procedure", setup.call("two"), &[no]);
        assert_eq!(
            done["result"],
            json!("refused: \"run_command: tee -a lines\" was rejected by test's user: enough"),
            "{done}"
        );
        assert_eq!(setup.lines(), ["one"]);
        assert_eq!(decisions(&mut client, &done["run_id"])[0].1, "reject");
    }
}

#[test]
fn without_the_rule_the_call_is_made_at_once() {
    let setup = Setup::new();
    setup.configure("");
    let mut client = setup.home.start();
    remember(&mut client, "note", NOTE);
    assert_eq!(client.ok("execute_procedure", setup.call("one"))["result"], json!("one\n"));
    assert_eq!(setup.lines(), ["one"]);
}

#[test]
fn an_agent_can_not_decide_whatever_the_policy_leaves_to_it() {
    let setup = Setup::new();
    let mut client = setup.home.start();
    remember(&mut client, "note", NOTE);
    let paused = client.ok("execute_procedure", setup.call("one"));
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    assert!(text(&paused, "waiting_for").contains("The policy asks before `tee -a`."), "{paused}");
    let run = paused["run_id"].clone();
    for arguments in [
        json!({"run_id": run, "decision": "approve"}),
        json!({"run_id": run, "decision": "approve", "value": {"stdout": "one\n"}}),
        json!({"run_id": run, "decision": "reject"}),
        json!({"run_id": run, "value": "yes"}),
        json!({"run_id": run}),
    ] {
        let said = client.refused("resume_run", arguments, "approval_needs_human");
        assert!(said.contains("only a person may decide"), "{said}");
    }
    assert_eq!(setup.lines(), [""; 0]);
    let inbox = client.ok("list_inbox", json!({}));
    assert_eq!(inbox["items"][0]["kind"], json!("approval"), "{inbox}");
    // Neither does it by the command line.
    let output = setup.home.run(&["approve", run.as_str().unwrap(), "--yes"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("only a person may decide this (`ask` under [policy]"), "{said}");
    assert_eq!(setup.lines(), [""; 0]);
}

#[test]
fn what_waits_survives_its_server_and_is_approved_at_a_terminal() {
    if !has_program("script") {
        return;
    }
    let setup = Setup::new();
    let run = setup.left("one");
    let shown = in_a_terminal(&setup.home, &run, "y\n");
    assert!(shown.contains("run_command: tee -a lines") && shown.contains("stdin = \"one\\n\""), "{shown}");
    assert_eq!(setup.lines(), ["one"], "{shown}");
    let run = setup.left("two");
    let shown = in_a_terminal(&setup.home, &run, "n not now\n");
    assert!(shown.contains("was rejected by ada: not now"), "{shown}");
    let mut client = setup.home.start_with(&USER, Protocol::V2025);
    assert_eq!(status(&mut client, &run), "succeeded");
    assert_eq!(setup.lines(), ["one"]);
}

#[test]
fn what_waits_survives_its_server_and_is_approved_through_a_client() {
    let setup = Setup::new();
    let run = setup.left("one");
    let mut client = with_user(&setup.home, Protocol::V2025);
    let id = client.send_call("resume_run", json!({"run_id": run}));
    let request = client.server_request();
    client.respond(&request, accept(json!({"approve": true})));
    assert_eq!(client.call_answer(id)["result"], json!("one\n"));
    assert_eq!(setup.lines(), ["one"]);
}

/// Executes a script that a person agrees to, and kills the server while it runs. Gives the run.
fn killed_after_approval(setup: &Setup, more: &str) -> String {
    let code = format!(
        "from repertoire import run_command\n\n\ndef again(folder: str) -> str:\n    script = 'echo x >> lines; while [ -e \
         hold ]; do sleep 0.05; done; echo done'\n    return run_command(['sh', '-c', script, 'again'], cwd=folder{more})\
         .stdout\n"
    );
    fs::write(setup.folder.join("hold"), "").unwrap();
    let mut client = with_user(&setup.home, Protocol::V2025);
    remember(&mut client, "again", &code);
    client.send_call("execute_procedure", json!({"procedure_id": "again", "parameters": {"folder": setup.folder}}));
    let request = client.server_request();
    client.respond(&request, accept(json!({"approve": true})));
    eventually("the command runs", || setup.lines().len() == 1);
    let run = text(&client.ok("list_runs", json!({}))["runs"][0], "run_id").to_owned();
    client.kill();
    fs::remove_file(setup.folder.join("hold")).unwrap();
    run
}

#[test]
fn what_was_agreed_to_is_made_again_after_a_crash_where_that_does_no_harm() {
    let setup = Setup::new();
    let run = killed_after_approval(&setup, ", idempotent=True");
    let mut client = setup.home.start_with(&USER, Protocol::V2025);
    eventually("the run goes on", || status(&mut client, &run) == "succeeded");
    assert_eq!(setup.lines(), ["x", "x"]);
}

#[test]
fn where_it_could_do_harm_a_person_says_what_became_of_it() {
    let setup = Setup::new();
    let run = killed_after_approval(&setup, "");
    let mut client = setup.home.start_with(&USER, Protocol::V2025);
    eventually("the run asks", || status(&mut client, &run) == "paused");
    let view = client.ok("get_run", json!({"run_id": run}));
    assert!(text(&view, "waiting_for").contains("nobody knows whether it took effect"), "{view}");
    for arguments in [json!({"run_id": run}), json!({"run_id": run, "decision": "approve"})] {
        client.refused("resume_run", arguments, "approval_needs_human");
    }
    assert_eq!(setup.lines(), ["x"], "one agreement is for one call");
}

#[test]
fn a_rule_that_comes_later_holds_for_what_is_made_again() {
    let setup = Setup::new();
    setup.configure("");
    fs::write(setup.folder.join("hold"), "").unwrap();
    let code = "from repertoire import run_command\n\n\ndef again(folder: str) -> str:\n    script = 'echo x >> lines; while \
                [ -e hold ]; do sleep 0.05; done; echo done'\n    return run_command(['sh', '-c', script, 'again'], \
                cwd=folder, idempotent=True).stdout\n";
    let mut client = setup.home.start();
    remember(&mut client, "again", code);
    client.send_call("execute_procedure", json!({"procedure_id": "again", "parameters": {"folder": setup.folder}}));
    eventually("the command runs", || setup.lines().len() == 1);
    let run = text(&client.ok("list_runs", json!({}))["runs"][0], "run_id").to_owned();
    client.kill();
    fs::remove_file(setup.folder.join("hold")).unwrap();
    setup.configure("ask = ['sh again']");
    let mut client = setup.home.start();
    eventually("the run asks", || status(&mut client, &run) == "paused");
    client.refused("resume_run", json!({"run_id": run, "decision": "approve"}), "approval_needs_human");
    assert_eq!(setup.lines(), ["x"]);
}

#[test]
fn gathered_calls_are_asked_about_one_after_the_other() {
    let code = "import asyncio\nfrom repertoire import run_command\n\n\nasync def one(folder: str, line: str) -> str:\n    try:\n        \
                return (await run_command(['tee', '-a', 'lines'], cwd=folder, stdin=line + '\\n')).stdout\n    except \
                PermissionError:\n        return 'refused'\n\n\nasync def note(folder: str, line: str) -> list:\n    \
                \"\"\"Write three lines.\"\"\"\n    return await asyncio.gather(one(folder, line + '1'), one(folder, line + '2'), \
                one(folder, line + '3'))\n";
    for protocol in Protocol::ALL {
        let setup = Setup::new();
        let mut client = with_user(&setup.home, protocol);
        remember(&mut client, "note", code);
        let answers = [true, false, true].map(|yes| accept(json!({"approve": yes})));
        let (questions, done) = talk(&mut client, protocol, "execute_procedure", setup.call("a"), &answers);
        assert_eq!(done["result"], json!(["a1\n", "refused", "a3\n"]), "{done}");
        let mut lines = setup.lines();
        lines.sort();
        assert_eq!(lines, ["a1", "a3"]);
        for (question, line) in questions.iter().zip(["a1", "a2", "a3"]) {
            assert!(text(question, "message").contains(&format!("stdin = \"{line}\\n\"")), "{question}");
        }
    }
}

#[test]
fn called_procedures_and_compiled_steps_are_under_the_rules_too() {
    let setup = Setup::new();
    let mut client = with_user(&setup.home, Protocol::V2025);
    remember(&mut client, "note", NOTE);
    let outer = "from repertoire import call_procedure\n\n\ndef outer(folder: str):\n    \
                 return call_procedure('note', {'folder': folder, 'line': 'inner'})\n";
    remember(&mut client, "outer", outer);
    let call = json!({"procedure_id": "outer", "parameters": {"folder": setup.folder}});
    let yes = [accept(json!({"approve": true}))];
    let (questions, done) = talk(&mut client, Protocol::V2025, "execute_procedure", call, &yes);
    assert_eq!(done["result"], json!("inner\n"), "{done}");
    assert!(text(&questions[0], "message").starts_with("Procedure `note` wants"), "{questions:?}");
    let steps = json!([{"command": ["tee", "-a", "steps"]}]);
    client.ok("remember_procedure", json!({"name": "steps", "steps": steps}));
    client.ok("generate_procedure_code", json!({"procedure_id": "steps"}));
    let call = json!({"procedure_id": "steps"});
    let (questions, done) = talk(&mut client, Protocol::V2025, "execute_procedure", call, &yes);
    assert_eq!(done["outcome"], json!("success"), "{done}");
    assert!(text(&questions[0], "message").contains("run_command: tee -a steps"), "{questions:?}");
    assert!(setup.folder.join("steps").exists());
}
