//! A hundred and one definitions as people write them: each compiles to code without an error, and runs. And one workflow
//! that is followed to its end.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};

use crate::common::{Home, RawClient, text};

/// Every definition, by category.
fn definitions() -> Vec<(String, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/definitions");
    let mut categories: Vec<(String, Vec<Value>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let category = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (category, serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap())
        })
        .collect();
    categories.sort_by(|(a, _), (b, _)| a.cmp(b));
    categories
}

fn compile(client: &mut RawClient, definition: &Value) -> String {
    let name = text(definition, "name");
    let arguments = json!({"procedure_id": name, "use_llm": false});
    let generated = client.ok("generate_procedure_code", arguments);
    let issues = generated["issues"].as_array().unwrap();
    let errors: Vec<&Value> = issues.iter().filter(|issue| issue["severity"] == json!("error")).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{}", text(&generated, "code"));
    for check in ["syntax", "security", "docstring", "error_handling", "runnable"] {
        assert_eq!(generated["validation"]["checks"][check], json!(true), "{name}: {check}: {issues:#?}");
    }
    assert_eq!(generated["validation"]["checks"]["type_hints"], json!(1.0), "{name}");
    text(&generated, "code").to_owned()
}

/// A value for every parameter that has no default.
fn some_parameters(procedure: &Value) -> Value {
    let declared = procedure["definition"]["parameters"].as_array().into_iter().flatten();
    let needed = declared
        .filter(|parameter| parameter.get("default").is_none() && parameter.get("required") != Some(&json!(false)));
    let values = needed.map(|parameter| {
        let value = match parameter["type"].as_str().unwrap_or("any") {
            "integer" => json!(3),
            "number" => json!(1.5),
            "boolean" => json!(true),
            "array" => json!(["one", "two"]),
            "object" => json!({"key": "value"}),
            _ => json!("something"),
        };
        (text(parameter, "name").to_owned(), value)
    });
    Value::Object(values.collect::<Map<_, _>>())
}

#[test]
fn all_hundred_and_one_definitions_convert_and_run() {
    let home = Home::new();
    let mut client = home.start();
    let categories = definitions();
    assert_eq!(categories.iter().map(|(_, definitions)| definitions.len()).sum::<usize>(), 101);
    for definition in categories.iter().flat_map(|(_, definitions)| definitions) {
        client.ok("remember_procedure", definition.clone());
    }
    for (category, definitions) in &categories {
        let codes: Vec<String> = definitions.iter().map(|definition| compile(&mut client, definition)).collect();
        insta::with_settings!({snapshot_path => "snapshots/conversions", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(category.as_str(), codes.join("\n\n"));
        });
    }
    let mut outcomes = [0; 3];
    for definition in categories.iter().flat_map(|(_, definitions)| definitions) {
        let name = text(definition, "name");
        let procedure = client.ok("get_procedure", json!({"procedure_id": name}));
        let arguments = json!({"procedure_id": name, "parameters": some_parameters(&procedure)});
        let answer = client.call("execute_procedure", arguments);
        match answer["outcome"].as_str() {
            Some("success") => outcomes[0] += 1,
            Some("paused") => outcomes[1] += 1,
            _ => {
                let error = text(&answer, "error");
                assert!(error.contains("is not granted") && error.contains("config.toml"), "{name}: {answer}");
                outcomes[2] += 1;
            }
        }
    }
    assert!(outcomes.iter().skip(1).all(|count| *count > 10), "succeeded, paused, refused: {outcomes:?}");
}

#[test]
fn the_outputs_of_typed_actions_reach_the_steps_after_them() {
    let home = Home::new();
    let mut client = home.start();
    let brief = "def brief(day: str, template: str) -> dict:\n    return {\"text\": f\"{template} brief of {day}\"}\n";
    client.ok("remember_procedure", json!({"name": "brief", "steps": ["Write it"], "code": brief}));
    client.ok(
        "remember_procedure",
        json!({"name": "morning", "steps": [
            {"step_id": "generate", "action_type": "run_skill", "requires_approval": true,
                "config": {"skill_id": "brief", "template": "short", "input_mapping": {"day": "{{trigger.date}}"}}},
            {"step_id": "tell", "action_type": "send_notification", "on_failure": "skip",
                "config": {"channel": "slack", "message_template": "Good morning!\n\n{generate_output.text}"}},
            {"tool": "tracker/create_issue", "arguments": {"title": "Say \"hi\", {{generate_output}}", "told": "{{tell_output}}"}},
            {"step_id": "task", "action_type": "create_task", "on_failure": "retry", "config": {"task_title": "Read {latest_output}"}},
        ]}),
    );
    client.ok("generate_procedure_code", json!({"procedure_id": "morning", "use_llm": false}));
    let parameters = json!({"trigger": {"date": "2026-08-03"}});
    let mut answer = client.ok("execute_procedure", json!({"procedure_id": "morning", "parameters": parameters}));
    let run_id = answer["run_id"].clone();
    for (expected, decision, value) in [
        ("Approve that the procedure `brief` is called now", "approve", json!(null)),
        ("Send this notification to slack:\nGood morning!\n\nshort brief of 2026-08-03", "reject", json!("no network")),
        ("\"told\": null", "approve", json!("ISSUE-7")),
        ("Create this task: Read ISSUE-7", "reject", json!("not now")),
        ("Create this task: Read ISSUE-7", "approve", json!({"id": 12})),
    ] {
        let waiting_for = text(&answer, "waiting_for");
        assert!(waiting_for.contains(expected), "{expected}: {waiting_for}");
        answer = client.ok("resume_run", json!({"run_id": run_id, "decision": decision, "value": value}));
    }
    let result = json!({"generate": {"text": "short brief of 2026-08-03"}, "tell": null, "step_3": "ISSUE-7", "task": {"id": 12}});
    assert_eq!((&answer["outcome"], &answer["result"]), (&json!("success"), &result), "{answer}");
    let output = text(&answer, "output");
    assert!(output.contains("step 2 (tell) failed and is skipped") && output.contains("no network"), "{output}");
}

#[test]
fn a_step_that_is_not_understood_is_refused_by_name() {
    let home = Home::new();
    let mut client = home.start();
    for (step, expected) in [
        (json!({"command": ["ls"], "cwd": "/"}), "`steps[0]`: unknown field `cwd`"),
        (json!({"step_id": "a", "action_type": "run_skill"}), "step 1: `config` needs `skill_id`"),
        (
            json!({"step_id": "a b", "action_type": "run_skill", "config": {"skill_id": "x"}}),
            "step 1: `step_id` is `a b`",
        ),
    ] {
        let error = client.refused("remember_procedure", json!({"name": "odd", "steps": [step]}), "invalid_argument");
        assert!(error.contains(expected), "{error}");
    }
}
