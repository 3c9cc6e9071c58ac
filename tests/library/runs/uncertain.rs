//! What somebody says of a call that a crash interrupted: what fits is taken, what does not is told, and kills nothing.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Home, RawClient, eventually, remember, text, toml_path};

/// A run that waits for somebody to say what became of its command, after `tries` was written.
fn interrupted(home: &Home, more: &str) -> (RawClient, String) {
    let folder = home.beside("work");
    home.configure(&format!("[policy]\ncommands = ['sh']\nwrite = [{}]\n", toml_path(&folder)));
    fs::write(folder.join("hold"), "").unwrap();
    let code = format!(
        "from repertoire import run_command\n\ndef look(folder: str) -> str:\n    script = 'echo x >> tries; while [ -e hold \
         ]; do sleep 0.05; done; echo did 1'\n    done = run_command(['sh', '-c', script], cwd=folder{more})\n    return \
         done.stdout.strip().upper() + str(done.exit_code)\n"
    );
    let mut client = home.start();
    remember(&mut client, "look", &code);
    client.send_call("execute_procedure", json!({"procedure_id": "look", "parameters": {"folder": folder}}));
    eventually("the command runs", || folder.join("tries").exists());
    let run = text(&client.ok("list_runs", json!({}))["runs"][0], "run_id").to_owned();
    client.kill();
    fs::remove_file(folder.join("hold")).unwrap();
    let mut client = home.start();
    eventually("the run asks", || status(&mut client, &run) == "paused");
    (client, run)
}

fn status(client: &mut RawClient, run: &str) -> String {
    text(&client.ok("get_run", json!({"run_id": run})), "status").to_owned()
}

fn resume(run: &str, value: Value) -> Value {
    json!({"run_id": run, "decision": "approve", "value": value})
}

#[test]
fn a_plain_text_is_what_the_command_printed() {
    let home = Home::new();
    let (mut client, run) = interrupted(&home, "");
    let view = client.ok("get_run", json!({"run_id": run}));
    let asked = text(&view, "waiting_for");
    assert!(asked.contains("its `stdout` as a text") && asked.contains("\"exit_code\": a whole number"), "{asked}");
    let ended = client.ok("resume_run", resume(&run, json!("did 2")));
    assert_eq!(ended["result"], json!("DID 20"), "{ended}");
}

#[test]
fn what_can_not_be_the_answer_is_refused_and_the_run_still_waits() {
    let home = Home::new();
    let (mut client, run) = interrupted(&home, "");
    for (value, why) in [
        (json!(2), "it is 2, not an object"),
        (json!(true), "it is true"),
        (json!(["did 2"]), "not an object"),
        (json!({"output": "did 2"}), "`output`, which is no field"),
        (json!({"stdout": 2}), "`stdout`: it is 2, not a text"),
        (json!({"stdout": "x", "exit_code": "0"}), "`exit_code`: it is \"0\""),
    ] {
        let refusal = client.refused("resume_run", resume(&run, value), "invalid_argument");
        assert!(refusal.contains(why) && refusal.contains("its `stdout` as a text"), "{refusal}");
        assert_eq!(status(&mut client, &run), "paused");
    }
    let ended = client.ok("resume_run", resume(&run, json!({"stdout": "did 3\n"})));
    assert_eq!(ended["result"], json!("DID 30"), "{ended}");
}

#[test]
fn a_failure_that_is_told_is_raised_where_the_code_checks() {
    let home = Home::new();
    let (mut client, run) = interrupted(&home, "");
    let failed = client.call("resume_run", resume(&run, json!({"exit_code": 3, "stderr": "no disk"})));
    assert!(text(&failed, "error").contains("ended with exit code 3: no disk"), "{failed}");
    let home = Home::new();
    let (mut client, run) = interrupted(&home, ", check=False");
    let ended = client.ok("resume_run", resume(&run, json!({"exit_code": 3, "stdout": "half"})));
    assert_eq!(ended["result"], json!("HALF3"), "{ended}");
}

#[test]
fn a_choice_is_taken_however_it_is_written() {
    let home = Home::new();
    let mut client = home.start();
    let code =
        "from repertoire import ask\n\ndef choose() -> str:\n    return ask('Which?', ['Blue', 'green', 'Green'])\n";
    for (said, chosen) in [(" BLUE", "Blue"), ("green", "green")] {
        let paused = crate::common::execute_code(
            &mut client,
            &format!("choose_{chosen}"),
            &code.replace("choose", &format!("choose_{chosen}")),
        );
        let run = text(&paused, "run_id").to_owned();
        // Two are meant by it.
        client.refused("resume_run", resume(&run, json!("GREEN")), "invalid_argument");
        let ended = client.ok("resume_run", resume(&run, json!(said)));
        assert_eq!(ended["result"], json!(chosen), "{ended}");
    }
}
