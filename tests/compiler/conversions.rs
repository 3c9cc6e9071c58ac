//! A hundred and one definitions as people write them: each compiles to code that no check objects to, and runs.

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
    // What is not granted here may be granted elsewhere.
    let is_grant = |issue: &&Value| text(issue, "message").contains("not granted");
    let found: Vec<&Value> =
        issues.iter().filter(|issue| issue["severity"] != json!("info") && !is_grant(issue)).collect();
    assert!(found.is_empty(), "{name}: {found:#?}\n{}", text(&generated, "code"));
    for check in ["syntax", "security", "docstring", "error_handling", "types", "runnable"] {
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
        insta::with_settings!({snapshot_path => "../snapshots/conversions", prepend_module_to_snapshot => false}, {
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
                let is_missing = error.contains("is not granted") || error.contains("there is no channel");
                assert!(is_missing && error.contains("config.toml"), "{name}: {answer}");
                outcomes[2] += 1;
            }
        }
    }
    assert!(outcomes.iter().skip(1).all(|count| *count > 10), "succeeded, paused, refused: {outcomes:?}");
}

#[test]
fn a_step_that_is_not_understood_is_refused_by_name() {
    let home = Home::new();
    let mut client = home.start();
    for (step, expected) in [
        (json!({"command": ["ls"], "cwd": "/"}), "`steps[0]`: there is no field `cwd`"),
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
