//! What the compiler writes, and that it is always code that may be stored and executed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::compile;
use crate::{
    domain::Definition,
    validation::{self, Context, Severity},
};

fn definition(fields: Value) -> Definition {
    let mut whole = json!({"name": "release", "category": "git"});
    if let (Some(whole), Value::Object(fields)) = (whole.as_object_mut(), fields) {
        whole.extend(fields);
    }
    serde_json::from_value(whole).unwrap()
}

fn errors(code: &str, definition: &Definition) -> Vec<String> {
    let name = definition.name.identifier();
    let context = Context { entry_name: Some(&name), definition: Some(definition), grants: None };
    let analysis = validation::analyze(code, &context);
    analysis
        .issues
        .into_iter()
        .filter(|issue| issue.severity == Severity::Error)
        .map(|issue| format!("{:?}: {}", issue.line, issue.message))
        .collect()
}

#[test]
fn every_kind_of_step_becomes_code() {
    let definition = definition(json!({
        "description": "Cut a release.\nUse it on Fridays.",
        "steps": [
            "Run `git fetch --tags`",
            {"command": ["git", "tag", "v{{version}}", "-m", "{{message}}"], "description": "tag the commit"},
            {"procedure": "draft_changelog", "arguments": {"since": "{{version}}", "options": {"limit": 5, "path": "{{path}}/src"}}},
            "Ask {{reviewer}} to approve",
        ],
        "parameters": [
            {"name": "message", "type": "string", "default": "a \"quoted\" text", "description": "What the tag says."},
            {"name": "version", "type": "string"},
            {"name": "path", "type": "string", "required": false},
            {"name": "reviewer", "type": "string"},
        ],
    }));
    let code = compile(&definition);
    assert_eq!(errors(&code, &definition), Vec::<String>::new());
    insta::assert_snapshot!(code);
}

#[test]
fn a_template_becomes_text() {
    let definition = definition(json!({
        "template": "Dear {{name}},\n{not a variable} {{amount}} € are due.",
        "parameters": [{"name": "name", "type": "string"}, {"name": "amount", "type": "number", "default": 12.5}],
    }));
    let code = compile(&definition);
    assert_eq!(errors(&code, &definition), Vec::<String>::new());
    insta::assert_snapshot!(code);
}

proptest! {
    #[test]
    fn whatever_the_texts_say_the_code_is_sound(
        description in "\\PC{0,60}",
        sentences in proptest::collection::vec("[\\PC\"'\\\\`{}\n]{1,40}", 1..5),
        command in proptest::collection::vec("[\\PC\"'\\\\{}\n]{0,20}", 1..4),
        template in proptest::option::of("[\\PC\"'\\\\{}\n]{1,40}"),
        default in "[\\PC\"'\\\\{}\n]{0,20}",
    ) {
        let mut steps: Vec<Value> = sentences.into_iter().map(Value::from).collect();
        steps.push(json!({"command": command}));
        steps.push(json!({"procedure": "other", "arguments": {"text": default}}));
        let mut fields = json!({
            "description": description,
            "steps": steps,
            "parameters": [{"name": "named", "type": "string", "default": default}],
        });
        if let (Some(template), Some(fields)) = (template, fields.as_object_mut()) {
            fields.insert("template".into(), template.into());
        }
        let mut definition = definition(fields);
        for name in super::variables(&definition) {
            definition.parameters.push(serde_json::from_value(json!({"name": name, "type": "string"})).unwrap());
        }
        definition.parameters.dedup_by(|a, b| a.name == b.name);
        let code = compile(&definition);
        prop_assert_eq!(errors(&code, &definition), Vec::<String>::new(), "{}", code);
        prop_assert_eq!(compile(&definition), code);
    }
}
