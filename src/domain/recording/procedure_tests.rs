use serde_json::json;

use super::*;
use crate::domain::recording::RecordedCall;

fn call(tool: &str, arguments: &Value, result: &Value) -> RecordedCall {
    let arguments = arguments.as_object().cloned().unwrap();
    RecordedCall { tool: tool.to_owned(), arguments, result: Some(result.clone()), is_error: false }
}

fn bash(line: &str, result: &str) -> RecordedCall {
    call("Bash", &json!({"command": line}), &json!(result))
}

/// A release as an agent finds out how it goes: with a look around, a failure, and an id that one call gives and another takes.
fn release(version: &str, service: &str, id: u32) -> Recording {
    let failed = RecordedCall { is_error: true, ..bash(&format!("deploy {service}"), "no such option") };
    let calls = vec![
        bash("ls -la", "Makefile src"),
        bash("git status", "clean"),
        failed,
        bash(&format!("git tag v{version}"), ""),
        bash(&format!("./deploy.sh --env=production {service}"), "started"),
        bash(&format!("./deploy.sh --env=production {service}"), "started"),
        call(
            "mcp__tracker__create_ticket",
            &json!({"title": format!("Release {service} {version}"), "labels": ["release"]}),
            &json!([{"type": "text", "text": format!("{{\"ticket\": {{\"id\": {id}}}}}")}]),
        ),
        call("mcp__tracker__close_ticket", &json!({"ticket_id": id}), &json!("ok")),
    ];
    Recording { prompt: format!("Release version {version} of {service} to production"), calls }
}

#[test]
fn a_recording_becomes_steps_with_what_the_prompt_says_as_parameters() {
    let made = make(&release("1.4.2", "billing", 4711), None).unwrap();
    assert_eq!(
        serde_json::to_value(&made.steps).unwrap(),
        json!([
            {"command": ["git", "tag", "v{{version}}"]},
            {"command": ["./deploy.sh", "--env={{env}}", "{{value}}"]},
            {"tool": "tracker/create_ticket", "arguments": {"title": "Release {{value}} {{version}}", "labels": ["release"]}},
            {"tool": "tracker/close_ticket", "arguments": {"ticket_id": "{{step_3_output.ticket.id}}"}},
        ])
    );
    assert_eq!(made.examples[0].parameters["version"], json!("1.4.2"));
    let permissions = made.permissions.unwrap();
    assert_eq!(permissions.commands, ["./deploy.sh", "git tag"]);
    assert_eq!(permissions.tools, ["tracker/close_ticket", "tracker/create_ticket"]);
    assert!(made.is_worth_it);
}

#[test]
fn two_recordings_of_a_task_say_what_its_parameters_are() {
    let made = make(&release("1.5.0", "search", 4800), Some(&release("1.4.2", "billing", 4711))).unwrap();
    let steps = serde_json::to_value(&made.steps).unwrap();
    assert_eq!(steps[0]["command"], json!(["git", "tag", "{{version}}"]));
    // What was the same in both is said in the prompt, and has that as its default.
    assert_eq!(steps[1]["command"][1], json!("--env={{env}}"));
    assert_eq!(steps[3]["arguments"]["ticket_id"], json!("{{step_3_output.ticket.id}}"));
    let env = made.parameters.iter().find(|parameter| parameter.name == "env").unwrap();
    assert_eq!(env.default, Some(json!("production")));
    assert_eq!(made.examples.len(), 2);
    assert_eq!(kind(&release("1.5.0", "search", 1)), kind(&release("1.4.2", "billing", 2)));
}

#[test]
fn what_looks_is_kept_where_something_of_it_is_used() {
    let recording = Recording {
        prompt: "Publish the site".to_owned(),
        calls: vec![
            bash("git rev-parse HEAD", "0ea3c29a6a1f\n"),
            bash("git log -1", "nothing of use"),
            bash("publish --commit 0ea3c29a6a1f", "ok"),
        ],
    };
    let made = make(&recording, None).unwrap();
    assert_eq!(
        serde_json::to_value(&made.steps).unwrap(),
        json!([{"command": ["git", "rev-parse", "HEAD"]}, {"command": ["publish", "--commit", "{{step_1_output.trimmed}}"]}])
    );
    assert!(made.parameters.is_empty() && made.examples.is_empty());
    let only_looked = Recording { prompt: String::new(), calls: vec![bash("ls", "a"), bash("git status", "clean")] };
    assert_eq!(
        serde_json::to_value(make(&only_looked, None).unwrap().steps).unwrap(),
        json!([{"command": ["git", "status"]}])
    );
    assert_eq!(make(&Recording::default(), None), None);
}

#[test]
fn what_nothing_automates_is_a_step_by_hand_and_braces_are_no_variables() {
    let recording = Recording {
        prompt: "Rename the field in src/user.rs".to_owned(),
        calls: vec![
            call("Edit", &json!({"file_path": "src/user.rs", "old_string": "a {b}", "new_string": "c"}), &json!("ok")),
            bash("docker inspect -f {{.Name}} web", "x"),
            bash("jq-like --filter {name} out", "x"),
        ],
    };
    let steps = serde_json::to_value(make(&recording, None).unwrap().steps).unwrap();
    assert_eq!(steps[0], json!("Edit the file \"{{path}}\"\nold string: a (b)\nnew string: c"));
    assert_eq!(steps[1]["command"][2], json!("\\{name}"));
}
