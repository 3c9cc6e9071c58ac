//! What agents did: handed in, imported or heard by hooks, it becomes a candidate that does it again.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::{Value, json};

use super::candidates::{candidates, review};
use crate::{
    cli::commands::succeed,
    common::{
        Home, eventually,
        model_server::{ModelServer, Protocol, Reply},
        text,
    },
};

fn bash(line: &str, result: &str) -> Value {
    json!({"tool": "Bash", "arguments": {"command": line}, "result": result})
}

/// How somebody is greeted: a look around, a failure, and two commands.
fn greeting(name: &str) -> Value {
    let calls = json!([
        bash("ls", "a b"),
        {"tool": "Bash", "arguments": {"command": "printf nothing"}, "result": "Exit code 1", "is_error": true},
        bash(&format!("printf '%s' --name={name}"), "x"),
        bash("printf done", "done"),
    ]);
    json!({"prompt": format!("Say hello to {name} for me"), "calls": calls, "session_name": "monday"})
}

#[test]
fn a_task_that_was_done_twice_is_done_a_third_time_with_other_values() {
    let home = Home::with_config("[policy]\ncommands = ['printf']\n");
    let mut client = home.start();
    let first = client.ok("submit_trace", greeting("Ada-1"));
    assert_eq!(first["procedure"]["steps"][0]["command"], json!(["printf", "%s", "--name={{name}}"]), "{first}");
    assert_eq!(client.ok("submit_trace", greeting("Ada-1"))["candidate_id"], first["candidate_id"], "it is kept once");
    let second = client.ok("submit_trace", greeting("Bob-2"));
    assert_eq!(second["candidate_id"], first["candidate_id"], "{second}");
    let listed = candidates(&mut client);
    assert_eq!((listed.len(), &listed[0]["evidence"]["kind"]), (1, &json!("recorded")));
    assert_eq!(listed[0]["evidence"]["not_granted"], json!({}));
    assert_eq!(listed[0]["evidence"]["recorded"].as_array().unwrap().len(), 4);
    let name = text(&second["procedure"], "name").to_owned();
    client.refused("execute_procedure", json!({"procedure_id": name}), "procedure_is_candidate");
    let id = first["candidate_id"].as_i64().unwrap();
    let shown = succeed(&home, &["review", &id.to_string()]);
    assert!(shown.contains("what was done") && shown.contains("1. printf %s"), "{shown}");
    assert_eq!(text(&review(&mut client, id, "approve"), "status"), "active");
    let run = client.ok("execute_procedure", json!({"procedure_id": name, "parameters": {"name": "Eve-3"}}));
    assert_eq!(run["result"], json!({"step_1": "--name=Eve-3", "step_2": "done"}), "{run}");
}

/// What a model writes of the greeting.
const WRITTEN: &str = "from repertoire import run_command\n\n\ndef greet(name: str) -> str:\n    \"\"\"Greet somebody.\n\n    Args:\n        \
                       name: Who.\n\n    Returns:\n        What was said.\n    \"\"\"\n    try:\n        return \
                       run_command([\"printf\", \"%s\", f\"--name={name}\"]).stdout\n    except RuntimeError as error:\n        raise \
                       RuntimeError(f\"nothing was said: {error}\") from error\n";

#[test]
fn a_model_writes_the_code_of_what_was_recorded_and_where_it_can_not_the_steps_stay() {
    let named =
        |name: &str| Reply::Text(format!("```python\n{}```", WRITTEN.replace("def greet", &format!("def {name}"))));
    for (reply, is_written) in [(named("main"), true), (Reply::Status(500, "it is down".to_owned(), None), false)] {
        let server = ModelServer::start(Protocol::Ollama, [reply]);
        let home = Home::with_config(&format!(
            "[policy]\ncommands = ['printf']\n[model]\nprovider = 'ollama'\nname = 'gemma'\nbase_url = '{}'\nretries = 0\n",
            server.url()
        ));
        let mut client = home.start();
        let trace = client.ok("submit_trace", greeting("Ada-1"));
        let stored = client.ok("get_procedure", json!({"procedure_id": trace["procedure"]["name"]}));
        assert_eq!(text(&stored["definition"], "status"), "candidate");
        assert_eq!(text(&stored, "code").contains("nothing was said"), is_written, "{stored}");
        assert!(server.requests().len() == 1, "it is asked once");
        let second = client.ok("submit_trace", greeting("Bob-2"));
        assert_eq!((&second["candidate_id"], server.requests().len()), (&trace["candidate_id"], 1), "it is known");
    }
}

#[test]
fn what_would_have_to_be_granted_is_said_and_secrets_are_not_kept() {
    let home = Home::new();
    let mut client = home.start();
    let key = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2");
    let trace = json!({"prompt": format!("Publish with token {key}"), "calls": [
        bash(&format!("publish --token {key} site"), "ok"),
        {"tool": "mcp__tracker__close_ticket", "arguments": {"api_key": "hunter2", "id": "T-17"}, "result": "ok"},
    ]});
    let answer = client.ok("submit_trace", trace);
    assert_eq!(answer["not_granted"], json!({"commands": ["publish"], "tools": ["tracker/close_ticket"]}), "{answer}");
    assert!(answer.to_string().contains("<secret>"), "{answer}");
    assert!(client.close().success());
    let database = fs::read(home.path().join("repertoire.db")).unwrap();
    let has = |word: &str| database.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(has("<secret>") && !has(&key) && !has("hunter2"));
    let mut client = home.start();
    client.refused("submit_trace", json!({"prompt": "x", "calls": []}), "invalid_argument");
}

#[test]
fn sessions_of_clients_are_imported_once() {
    let home = Home::new();
    let lines = [
        json!({"type": "user", "message": {"role": "user", "content": "Tag release 1.4.2"}}),
        json!({"type": "assistant", "message": {"role": "assistant", "content": [
            {"type": "tool_use", "id": "a", "name": "Bash", "input": {"command": "git tag 1.4.2 && git push --tags"}}]}}),
        json!({"type": "user", "message": {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "done"}]}}),
    ];
    let folder = home.beside(".claude/projects/-work");
    let file = folder.join("4f1c.jsonl");
    fs::write(&file, lines.map(|line| format!("{line}\n")).concat()).unwrap();
    let said = succeed(&home, &["import", "--trace", file.to_str().unwrap()]);
    assert!(said.contains("candidate 1") && said.contains("1 of 1 tasks"), "{said}");
    succeed(&home, &["import", "--trace", "claude-code"]);
    let mut client = home.start();
    let listed = candidates(&mut client);
    assert_eq!(
        (listed.len(), &listed[0]["evidence"]["steps"][0]["command"][2]),
        (1, &json!("{{release}}")),
        "{listed:?}"
    );
}

fn hook(home: &Home, event: &Value) -> String {
    hook_of(home, "claude-code", event)
}

fn hook_of(home: &Home, client: &str, event: &Value) -> String {
    let mut command = home.command(&["--no-starters", "hook", client]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(event.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// As the documentation of the client has them.
fn event(name: &str, fields: Value) -> Value {
    let mut event = json!({
        "session_id": "00893aaf-19fa-41d2-8238-13269b9b3ca0", "transcript_path": "/x.jsonl", "cwd": "/work",
        "permission_mode": "default", "hook_event_name": name,
    });
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    event
}

#[test]
fn hooks_hear_what_is_done_and_tell_what_is_known() {
    let home = Home::new();
    let mut client = home.start();
    client.ok(
        "remember_procedure",
        json!({"name": "rotate_logs", "description": "Rotate the server logs.", "steps": ["Rotate"]}),
    );
    let prompt = |text: &str| event("UserPromptSubmit", json!({"prompt": text}));
    // It says nothing where it has no time to; so it is asked until it has.
    eventually("it tells what is known", || {
        let said = hook(&home, &prompt("please rotate the logs of the server"));
        said.contains("rotate_logs") && said.contains("\"additionalContext\"")
    });
    assert_eq!(hook(&home, &prompt("what is the meaning of life")), "");
    hook(&home, &prompt("Tag release 1.4.2"));
    for command in ["git tag 1.4.2", "git push --tags"] {
        let response = json!({"stdout": "ok", "stderr": "", "interrupted": false, "isImage": false});
        let used = json!({"tool_name": "Bash", "tool_input": {"command": command}, "tool_response": response});
        assert_eq!(hook(&home, &event("PostToolUse", used)), "");
    }
    hook(&home, &event("SessionEnd", json!({"reason": "exit"})));
    assert!(client.close().success());
    // What the hook had no time for is done by the next process.
    let mut client = home.start();
    eventually("the session is learned from", || {
        let listed = candidates(&mut client);
        listed.len() == 1 && listed[0]["evidence"]["prompt"] == json!("Tag release 1.4.2")
    });
}

#[test]
fn hooks_of_other_clients_are_heard_in_their_own_form() {
    let home = Home::new();
    let mut client = home.start();
    client.ok(
        "remember_procedure",
        json!({"name": "rotate_logs", "description": "Rotate the server logs.", "steps": ["Rotate"]}),
    );
    let gemini = json!({
        "session_id": "g1", "transcript_path": "/t.json", "cwd": "/w", "hook_event_name": "BeforeAgent",
        "timestamp": "2026-01-01T00:00:00Z", "prompt": "please rotate the logs of the server",
    });
    eventually("it tells what is known", || {
        let said = hook_of(&home, "gemini-cli", &gemini);
        said.contains("rotate_logs") && said.contains("\"hookEventName\":\"BeforeAgent\"")
    });
    let cursor = |name: &str, fields: Value| {
        let mut event = json!({
            "conversation_id": "c1", "generation_id": "g", "model": "m", "hook_event_name": name,
            "cursor_version": "2.0.77", "workspace_roots": ["/w"], "user_email": null, "transcript_path": null,
        });
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        hook_of(&home, "cursor", &event)
    };
    // A prompt of Cursor takes no context.
    assert_eq!(cursor("beforeSubmitPrompt", json!({"prompt": "rotate the server logs", "attachments": []})), "");
    cursor("beforeSubmitPrompt", json!({"prompt": "Tag release 1.4.2", "attachments": []}));
    for command in ["git tag 1.4.2", "git push --tags"] {
        let used = json!({"command": command, "output": "ok", "duration": 12, "cwd": "/w", "sandbox": false});
        assert_eq!(cursor("afterShellExecution", used), "");
    }
    cursor("stop", json!({"status": "completed", "loop_count": 0}));
    assert!(client.close().success());
    let mut client = home.start();
    eventually("the session is learned from", || {
        let listed = candidates(&mut client);
        listed.len() == 1 && listed[0]["evidence"]["prompt"] == json!("Tag release 1.4.2")
    });
}

#[test]
fn a_hook_is_in_nobodys_way_whatever_is_wrong() {
    let home = Home::with_config("[policy\n");
    for event in
        [json!("nonsense"), json!({}), event("UserPromptSubmit", json!({"prompt": "x"})), event("Unheard", json!({}))]
    {
        assert_eq!(hook(&home, &event), "");
    }
}
