//! What the compiler writes, and that it is always code that may be stored and executed.

use std::{fs, path::Path};

use proptest::prelude::*;
use ruff_python_ast::{
    Expr, FStringPartRef, InterpolatedStringElement,
    visitor::{self, Visitor},
};
use serde_json::{Value, json};

use super::{
    compile, format, undeclared,
    variables::{Braces, Piece, pieces},
};
use crate::{
    domain::{Definition, ProcedureName},
    validation::{self, Context, Severity},
};

/// A definition with everything declared that its texts refer to, as the library stores it.
fn definition(fields: Value) -> Definition {
    let mut whole = json!({"name": "release", "category": "git"});
    if let (Some(whole), Value::Object(fields)) = (whole.as_object_mut(), fields) {
        whole.extend(fields);
    }
    let mut definition: Definition = serde_json::from_value(whole).unwrap();
    let missing = undeclared(&definition);
    definition.parameters.extend(missing);
    definition
}

fn errors(code: &str, definition: &Definition) -> Vec<String> {
    let name = definition.name.identifier();
    let context =
        Context { entry_name: Some(&name), definition: Some(definition), grants: None, runtime: definition.runtime };
    let analysis = validation::analyze(code, &context);
    analysis
        .issues
        .into_iter()
        .filter(|issue| issue.severity == Severity::Error)
        .map(|issue| format!("{:?}: {}", issue.line, issue.message))
        .collect()
}

/// The code of a definition, which is sound and formatted.
fn sound(definition: &Definition) -> String {
    let code = compile(definition);
    assert_eq!(errors(&code, definition), Vec::<String>::new(), "{code}");
    assert_eq!(format(code.clone()), code, "formatting it again changes it");
    code
}

/// The values of all strings in `code`; in f-strings `{{name}}` stands for what is filled in.
fn strings(code: &str) -> Vec<String> {
    struct Strings<'c>(&'c str, Vec<String>);

    impl<'a> Visitor<'a> for Strings<'_> {
        fn visit_expr(&mut self, expression: &'a Expr) {
            match expression {
                Expr::StringLiteral(literal) => self.1.push(literal.value.to_str().to_owned()),
                Expr::FString(literal) => {
                    let mut text = String::new();
                    for part in &literal.value {
                        match part {
                            FStringPartRef::Literal(literal) => text.push_str(&literal.value),
                            FStringPartRef::FString(literal) => {
                                for element in &literal.elements {
                                    match element {
                                        InterpolatedStringElement::Literal(literal) => text.push_str(&literal.value),
                                        InterpolatedStringElement::Interpolation(element) => {
                                            let range = ruff_text_size::Ranged::range(&*element.expression);
                                            let shown = &self.0[range];
                                            let value = shown.strip_prefix("_as_text(");
                                            let value = value.and_then(|value| value.strip_suffix(')'));
                                            text.push_str(&format!("{{{{{}}}}}", value.unwrap_or(shown)));
                                        }
                                    }
                                }
                            }
                        }
                    }
                    self.1.push(text);
                }
                _ => visitor::walk_expr(self, expression),
            }
        }
    }

    let module = ruff_python_parser::parse_module(code).unwrap().into_syntax();
    let mut strings = Strings(code, Vec::new());
    strings.visit_body(&module.body);
    strings.1
}

/// A text as it is found among [`strings`]; `None` when it is only a variable, or has one whose fields are used.
fn kept(text: &str, braces: Braces) -> Option<String> {
    let pieces = pieces(text, braces);
    let kept = pieces.iter().map(|piece| match piece {
        Piece::Text(text) | Piece::Escaped { text, .. } => Some((*text).to_owned()),
        Piece::Variable { name, fields, .. } => fields.is_empty().then(|| format!("{{{{{name}}}}}")),
    });
    kept.collect::<Option<String>>().filter(|_| !matches!(pieces[..], [Piece::Variable { .. }]))
}

#[test]
fn every_kind_of_step_becomes_code() {
    let definition = definition(json!({
        "description": "Cut a release.\nUse it on Fridays.",
        "steps": [
            "Run `git fetch --tags`",
            {"command": ["git", "tag", "v{{version}}", "-m", "{{message}}"], "description": "tag the commit"},
            {"procedure": "draft_changelog", "arguments": {"since": "{{version}}", "options": {"limit": 5, "path": "{{path}}/src"}}},
            {"tool": "tracker/create_issue", "arguments": {"title": "Release {{version}}", "body": "{{latest_output}}", "labels": ["release"]}},
            {"tool": "tracker/list_labels"},
            "Ask {{reviewer}} to approve, who has to look at the changelog, at the list of open issues and at the calendar before they say yes.",
        ],
        "parameters": [
            {"name": "message", "type": "string", "default": "a \"quoted\" text", "description": "What the tag says."},
            {"name": "version", "type": "string"},
            {"name": "path", "type": "string", "required": false},
            {"name": "reviewer", "type": "string"},
        ],
    }));
    insta::assert_snapshot!(sound(&definition));
}

#[test]
fn typed_actions_become_code() {
    let definition = definition(json!({
        "name": "post_meeting",
        "description": "After a meeting: notes, actions, a follow-up.",
        "steps": [
            {"step_id": "notes", "action_type": "run_skill", "requires_approval": true,
                "config": {"skill_id": "meeting-notes-prompt", "template": "post_meeting", "input_mapping": {"date": "{{trigger.date}}"}}},
            {"step_id": "extract", "action_type": "run_skill", "on_failure": "retry",
                "config": {"skill_id": "action-item-extractor"}, "input_mapping": {"notes": "{{notes_output.text}}"}},
            {"step_id": "tell", "action_type": "send_notification", "on_failure": "skip", "timeout_seconds": 120,
                "config": {"channel": "slack", "message_template": "Actions of {meeting_title}:\n\n{latest_output}"}},
            {"step_id": "follow_up", "action_type": "draft_email",
                "config": {"subject_template": "Follow-up: {meeting_title}", "body_skill": "email-composer", "to_mapping": "{{meeting_attendees}}"},
                "input_mapping": {"items": "{{extract_output}}"}},
            {"step_id": "task", "action_type": "create_task", "requires_approval": true,
                "config": {"task_title": "Review {{topic}}", "task_description": "Look at the notes.", "priority": "high", "assignees": ["Ada", "Grace"]},
                "input_mapping": {"topic": "notes of {{meeting_title}}"}},
            {"step_id": "issue", "action_type": "run_skill", "on_failure": "retry", "timeout_seconds": 30,
                "config": {"skill": "tracker/create_issue", "title": "{{task_output.title}}"}},
            {"step_id": "done", "action_type": "send_notification",
                "config": {"channel": "in_app", "title": "{meeting_title}", "level": "success", "message": "Ready: {tell_output}"}},
        ],
    }));
    let names: Vec<&str> = definition.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["trigger", "meeting_title", "meeting_attendees"]);
    insta::assert_snapshot!(sound(&definition));
}

#[test]
fn independent_steps_run_at_the_same_time() {
    let definition = definition(json!({
        "name": "release",
        "steps": [
            "Check that nobody else releases",
            {"step_id": "build", "command": ["make", "build"]},
            {"step_id": "test", "command": ["make", "test"], "depends_on": ["build"]},
            {"step_id": "notes", "procedure": "draft_changelog", "arguments": {"since": "{{since}}"}},
            {"step_id": "issue", "tool": "tracker/create_issue", "arguments": {"body": "{{notes_output}}"}},
            {"step_id": "upload", "action_type": "run_skill", "on_failure": "retry", "requires_approval": true,
                "config": {"skill": "store/upload", "text": "{notes_output}"}, "depends_on": ["test", "notes"]},
            {"step_id": "mail", "action_type": "draft_email", "depends_on": ["upload"],
                "config": {"to": "team@example.org", "subject": "Released", "body": "See {upload_output.url}"}},
            {"step_id": "post", "action_type": "send_notification", "depends_on": ["upload"], "on_failure": "skip",
                "config": {"channel": "slack", "message": "Released: {latest_output}"}},
        ],
    }));
    insta::assert_snapshot!(sound(&definition));
}

#[test]
fn what_has_no_place_in_a_task_is_told_in_its_description() {
    let task = |config: Value| {
        let step = json!({"step_id": "a", "action_type": "create_task", "config": config});
        compile(&definition(json!({"steps": [step]})))
    };
    for (config, expected) in [
        (
            json!({"title": "A", "due": "2026-03-31", "priority": "High"}),
            "create_task(\"A\", due=\"2026-03-31\", priority=\"high\")",
        ),
        (json!({"title": "A", "due": "{day}", "priority": "{how}"}), "create_task(\"A\", due=day, priority=how)"),
        (json!({"title": "A", "due": "Friday"}), "create_task(\"A\", description=\"Due: Friday\")"),
        (
            json!({"title": "A", "due": "in {weeks} weeks"}),
            "create_task(\"A\", description=f\"Due: in {weeks} weeks\")",
        ),
        (json!({"title": "A", "assignees": ["Ada", "{who}"]}), "create_task(\"A\", assignee=f\"Ada, {who}\")"),
        (json!({"title": "A", "description": "B", "priority": "P1"}), "description=\"B\\nPriority: P1\""),
    ] {
        let code = task(config);
        assert!(code.contains(expected), "{expected} is not in\n{code}");
    }
}

#[test]
fn a_template_becomes_text() {
    let definition = definition(json!({
        "template": "Dear {{name}},\n{not a variable} {{amount}} € are due.",
        "parameters": [{"name": "name", "type": "string"}, {"name": "amount", "type": "number", "default": 12.5}],
    }));
    insta::assert_snapshot!(sound(&definition));
}

#[test]
fn names_of_parameters_and_procedures_hide_nothing() {
    let names = ["results", "step_results", "error", "attempt", "time", "asyncio", "body", "sending", "latest_output"];
    let parameters: Vec<Value> = names.iter().map(|name| json!({"name": name, "default": {}})).collect();
    let definition = definition(json!({
        "name": "_look_up",
        "parameters": parameters,
        "steps": [
            {"tool": "a/b", "arguments": {"x": "{{results}}", "y": "{{error.message}}"}},
            {"step_id": "c", "action_type": "draft_email", "on_failure": "retry",
                "config": {"body_skill": "d", "subject": "{latest_output} {c_output} {step_1_output} {attempt}"}},
        ],
    }));
    insta::assert_snapshot!(sound(&definition));
}

#[test]
fn text_for_other_programs_stays_text() {
    let definition = definition(json!({"steps": ["Set {{ github.ref }} and {{.Values.x}} in {file}"]}));
    assert!(definition.parameters.is_empty());
    assert!(strings(&compile(&definition)).contains(&"Set {{ github.ref }} and {{.Values.x}} in {file}".to_owned()));
}

#[test]
fn all_fixtures_are_formatted_once_and_for_all() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/definitions");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for fields in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
            sound(&definition(fields));
            count += 1;
        }
    }
    assert_eq!(count, 101);
}

/// Texts with everything that Python, f-strings and formatters treat in a way of their own.
fn odd_text() -> impl Strategy<Value = String> {
    let odd =
        ["\"", "'", "\"\"\"", "\\", "{", "}", "{{named}}", "{named}", "{{other}}", "{{a.b}}", "`", "\n", "\r", "\t"];
    let more = [
        "\0",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        "é",
        "日本",
        "🎉",
        "# fmt: off",
        "# fmt: skip",
        "%s",
        "\\N{DASH}",
    ];
    let piece = prop_oneof![
        proptest::sample::select([&odd[..], &more[..]].concat()).prop_map(str::to_owned),
        "[a-z ]{1,12}",
        "\\PC{1,6}",
    ];
    proptest::collection::vec(piece, 1..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_the_texts_say_the_code_is_sound_and_says_it_too(
        name in "([[\\p{Latin}\\p{Cyrillic}\\p{Han}]&&\\p{L}]|[0-9²½Ⓐ _-]){1,30}",
        description in odd_text(),
        sentences in proptest::collection::vec(odd_text(), 1..4),
        command in proptest::collection::vec(odd_text(), 1..4),
        template in proptest::option::of(odd_text()),
        text in odd_text(),
        on_failure in proptest::sample::select(vec!["stop", "skip", "retry"]),
        requires_approval: bool,
        is_graph: bool,
    ) {
        let name = ProcedureName::parse(&name).map_or_else(|_| "release".to_owned(), String::from);
        let mut steps: Vec<Value> = sentences.iter().map(|sentence| json!(sentence)).collect();
        steps.push(json!({"command": command, "description": description}));
        steps.push(json!({"procedure": text, "arguments": {"text": text, &*text: [text, {"a": text}]}}));
        steps.push(json!({"tool": format!("server/{text}"), "arguments": {&*text: text}}));
        for (step_id, action_type) in [("a", "send_notification"), ("b", "create_task"), ("c", "draft_email"), ("d", "run_skill")] {
            let config = json!({
                "skill": text, "message": text, "title": text, "description": description, "subject": text, "body": text,
                "to": [text], "channel": text, &*text: description,
            });
            steps.push(json!({
                "step_id": step_id, "action_type": action_type, "config": config, "on_failure": on_failure,
                "requires_approval": requires_approval && step_id != "b", "input_mapping": {"named": text, "other": "{a_output.b}"},
                "depends_on": if is_graph && step_id == "d" { vec!["b"] } else { Vec::new() },
            }));
        }
        let definition = definition(json!({
            "name": name, "description": description, "steps": steps, "template": template,
            "parameters": [{"name": "named", "type": "string", "default": text, "description": description}],
        }));
        let code = compile(&definition);
        prop_assert_eq!(errors(&code, &definition), Vec::<String>::new(), "{}", code);
        prop_assert_eq!(format(code.clone()), code.clone(), "{}", code);
        let found = strings(&code);
        let texts = sentences.iter().map(|sentence| sentence.trim()).filter(|sentence| !sentence.contains('`'));
        let texts = texts.chain(template.as_deref()).map(|text| (text, Braces::Double));
        // What `text` is the default of has it as it is written; arguments have it as it is meant.
        let words = command.iter().map(String::as_str).chain([&*text]).map(|word| (word, Braces::Marked));
        for (text, braces) in texts.chain(words) {
            if let Some(kept) = kept(text, braces) {
                prop_assert!(found.contains(&kept), "{:?} is not in\n{}", kept, code);
            }
        }
    }
}
