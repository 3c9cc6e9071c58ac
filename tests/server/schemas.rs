//! What clients see of the tools: rules that every schema keeps, and one snapshot per tool.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::common::{Home, Protocol, text};

/// Whole `tools/list` answer, in bytes.
const MAX_BYTES: usize = 30_000;
/// The same for agents: what a server lists that was not told what to show.
const MAX_DEFAULT_BYTES: usize = 20_000;
const MAX_DEFAULT_TOOLS: usize = 24;
/// Some clients refuse server and tool names of together 60 characters or more.
const MAX_NAME_CHARS: usize = 48;

fn tools() -> Vec<Value> {
    Home::new().start().tools()
}

/// Calls `look` with every object inside `value`, and where it is.
fn walk(value: &Value, path: &str, look: &mut impl FnMut(&str, &serde_json::Map<String, Value>)) {
    match value {
        Value::Object(map) => {
            look(path, map);
            map.iter().for_each(|(key, inner)| walk(inner, &format!("{path}/{key}"), look));
        }
        Value::Array(items) => items.iter().for_each(|inner| walk(inner, path, look)),
        _ => {}
    }
}

#[test]
fn every_schema_keeps_to_what_all_clients_accept() {
    for tool in tools() {
        for (kind, schema) in [("input", &tool["inputSchema"]), ("output", &tool["outputSchema"])] {
            let at = format!("{} {kind}", text(&tool, "name"));
            assert_eq!(schema["type"], json!("object"), "{at}: the root is a plain object");
            for combinator in ["anyOf", "oneOf", "allOf", "not", "$ref", "enum"] {
                assert!(schema.get(combinator).is_none(), "{at}: `{combinator}` at the root");
            }
            assert!(schema["properties"].is_object(), "{at}: no properties");
            walk(schema, &at, &mut |path, map| {
                assert!(!map.contains_key("$ref") || path.ends_with("/properties"), "{path}: a $ref");
                assert!(!map.contains_key("$defs") && !map.contains_key("definitions"), "{path}: definitions");
                let format = map.get("format").and_then(Value::as_str).unwrap_or_default();
                assert!(!format.starts_with("uint") && !format.starts_with("int"), "{path}: format `{format}`");
                if let Some(Value::Array(required)) = map.get("required") {
                    for name in required {
                        let is_known = map["properties"].get(name.as_str().unwrap()).is_some();
                        assert!(is_known, "{path}: `{name}` is required and not described");
                    }
                }
            });
        }
    }
}

/// Keywords that every provider of models takes in the parameters of a function.
const PORTABLE: [&str; 7] = ["type", "description", "properties", "required", "items", "enum", "anyOf"];
const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

/// A schema below the root, of arguments: each provider refuses all tools for one that it can't read.
fn check_portable(schema: &Value, at: &str) {
    let map = schema.as_object().unwrap_or_else(|| panic!("{at}: `{schema}` is no object"));
    assert!(map.keys().all(|key| PORTABLE.contains(&key.as_str())), "{at}: {schema}");
    if let Some(alternatives) = map.get("anyOf") {
        assert_eq!(map.len(), 1, "{at}: something beside `anyOf`: {schema}");
        let alternatives = alternatives.as_array().unwrap();
        assert!(alternatives.len() > 1, "{at}: {schema}");
        alternatives.iter().for_each(|alternative| check_portable(alternative, at));
        return;
    }
    let kind = map.get("type").and_then(Value::as_str).unwrap_or_else(|| panic!("{at}: no single type: {schema}"));
    assert!(TYPES.contains(&kind), "{at}: {schema}");
    assert_eq!(map.contains_key("items"), kind == "array", "{at}: {schema}");
    assert!(kind == "object" || !map.contains_key("properties"), "{at}: {schema}");
    if let Some(constants) = map.get("enum") {
        assert!(kind == "string" && constants.as_array().unwrap().iter().all(Value::is_string), "{at}: {schema}");
    }
    map.get("items").into_iter().for_each(|items| check_portable(items, &format!("{at}[]")));
    for (name, property) in map.get("properties").and_then(Value::as_object).into_iter().flatten() {
        check_portable(property, &format!("{at}.{name}"));
    }
}

#[test]
fn no_schema_makes_a_client_drop_all_tools() {
    for tool in tools() {
        let name = text(&tool, "name");
        for (property, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            check_portable(schema, &format!("{name}.{property}"));
        }
        for (property, schema) in tool["outputSchema"]["properties"].as_object().unwrap() {
            let at = format!("{name} answers {property}");
            let check = |schema: &Value| {
                let map = schema.as_object().unwrap_or_else(|| panic!("{at}: `{schema}` is no object"));
                let kind = map.get("type").unwrap_or_else(|| panic!("{at}: no type"));
                let known = |kind: &Value| kind.as_str().is_some_and(|kind| TYPES.contains(&kind) || kind == "null");
                assert!(known(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().all(known)), "{at}: {schema}");
            };
            check(schema);
            if schema["type"] == json!("array") {
                check(&schema["items"]);
            }
        }
    }
}

#[test]
fn every_tool_says_what_it_does_and_what_it_changes() {
    let tools = tools();
    let mut names = BTreeSet::new();
    for tool in &tools {
        let name = text(tool, "name");
        assert!(names.insert(name.to_owned()), "`{name}` is listed twice");
        assert!(name.chars().count() < MAX_NAME_CHARS, "`{name}` is too long");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "`{name}`");
        assert!(text(tool, "description").len() > 20, "{name}");
        for hint in ["readOnlyHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{name}: {hint}");
        }
        // What only reads destroys nothing; of the others MCP assumes that they do, unless they say so.
        let (reads, destroys) = (&tool["annotations"]["readOnlyHint"], &tool["annotations"]["destructiveHint"]);
        assert_eq!(*reads == json!(true), destroys.is_null(), "{name}: destructiveHint");
    }
    let promised = [
        "remember_procedure",
        "recall_procedures",
        "get_procedure",
        "list_procedures",
        "update_procedure",
        "delete_procedure",
        "search_procedures_by_confidence",
        "generate_procedure_code",
        "validate_procedure_code",
        "get_procedure_versions",
        "rollback_procedure_code",
        "execute_procedure",
        "get_procedure_stats",
        "list_runs",
        "get_run",
        "resume_run",
        "cancel_run",
        "list_inbox",
        "resolve_inbox_item",
        "save_checkpoint",
        "get_resume_point",
        "list_checkpoints",
        "merge_states",
        "complete_workflow",
        "recall_outcomes",
        "submit_lessons",
        "submit_trace",
        "list_candidates",
        "review_candidate",
    ];
    let missing: Vec<&&str> = promised.iter().filter(|name| !names.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn arguments_are_described_or_speak_for_themselves() {
    let undescribed: Vec<String> = tools()
        .iter()
        .flat_map(|tool| {
            let properties = tool["inputSchema"]["properties"].as_object().unwrap().clone();
            let name = text(tool, "name").to_owned();
            properties
                .into_iter()
                .filter(|(_, schema)| {
                    // Beside a choice nothing may stand, so that of a choice stands in it.
                    let description = schema.get("description").unwrap_or(&schema["anyOf"][0]["description"]);
                    description.as_str().is_none_or(str::is_empty)
                })
                .map(move |(property, _)| format!("{name}.{property}"))
        })
        .collect();
    let plain = [
        "procedure_id",
        "limit",
        "session_name",
        "session_context",
        "code",
        "category",
        "tag",
        "tags",
        "status",
        "runtime",
        "examples",
        "preconditions",
        "postconditions",
        "accept_failing_examples",
        "problem",
        "solution",
        "reasoning",
        "anti_patterns",
        "source_session",
        "source_lesson",
        "icon",
        "color",
        "kind",
        "offset",
        "include_code",
        "include_resolved",
        "workflow_id",
        "run_id",
        "node_id",
        "branch_id",
        "parent_checkpoint_id",
        "metadata",
        "outcome",
        "duration_ms",
        "node_count",
        "nodes_succeeded",
        "nodes_failed",
    ];
    for property in &undescribed {
        let (tool, name) = property.split_once('.').unwrap();
        // Those of `update_procedure` are described where a procedure is remembered.
        if tool == "update_procedure" && !undescribed.contains(&format!("remember_procedure.{name}")) {
            continue;
        }
        assert!(plain.contains(&name), "`{property}` has no description");
    }
}

#[test]
fn the_whole_list_is_short() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let answer = home.start_with(&[], protocol).request("tools/list", json!({}));
        let bytes = answer.to_string().len();
        assert!(bytes < MAX_BYTES, "tools/list takes {bytes} bytes");
        let tools = home.start_with(&["--toolsets", "default"], protocol).request("tools/list", json!({}));
        let bytes = tools.to_string().len();
        assert!(bytes < MAX_DEFAULT_BYTES, "what agents get takes {bytes} bytes");
        let count = tools["result"]["tools"].as_array().unwrap().len();
        assert!(count <= MAX_DEFAULT_TOOLS, "agents get {count} tools");
    }
}

#[test]
fn what_is_listed_for_few_is_taken_by_all() {
    let home = Home::new();
    let mut client = home.start_with(&["--toolsets", "default"], Protocol::V2025);
    let listed = client.tools();
    let remember = listed.iter().find(|tool| tool["name"] == json!("remember_procedure")).unwrap();
    assert!(remember["inputSchema"]["properties"].get("icon").is_none(), "{remember}");
    client.ok("remember_procedure", json!({"name": "seen", "steps": ["Look"], "icon": "👀"}));
    let stored = client.ok("get_procedure", json!({"procedure_id": "seen"}));
    assert_eq!(stored["definition"]["icon"], json!("👀"));
    assert!(listed.iter().all(|tool| tool["name"] != json!("list_checkpoints")));
    assert_eq!(client.ok("list_checkpoints", json!({"run_id": "none"}))["count"], json!(0));
    // Who names some does not want the others.
    let mut client = home.start_with(&["--toolsets", "procedures"], Protocol::V2025);
    let answer = client.request("tools/call", json!({"name": "list_checkpoints", "arguments": {"run_id": "none"}}));
    assert!(answer["error"]["message"].as_str().unwrap().contains("switched off"), "{answer}");
}

#[test]
fn schemas_are_as_they_were() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("../snapshots/tools");
    settings.bind(|| {
        for tool in tools() {
            insta::assert_json_snapshot!(text(&tool, "name"), tool);
        }
    });
}

/// The end-to-end test takes the names of the tools from there.
#[test]
fn each_snapshot_is_of_a_tool() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/tools");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "snap"));
    let snapshots: BTreeSet<String> =
        files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let names: BTreeSet<String> = tools().iter().map(|tool| text(tool, "name").to_owned()).collect();
    assert_eq!(snapshots, names, "remove the snapshots of tools that are gone, and accept those of new ones");
}

/// What every answer has; the schemas, for which every client pays, leave it out.
const OF_ALL: [&str; 2] = ["success", "timestamp"];
/// What only an answer that tells of a failure has; left out too.
const OF_FAILURES: [&str; 5] = ["error", "error_code", "issues", "current_version", "procedure_id"];

/// As many fields as are told of beforehand.
const MOST_LISTED: usize = 12;

#[test]
fn answers_have_the_shape_that_the_schema_promises() {
    let home = Home::new();
    let mut client = home.start();
    let tools = client.tools();
    let code = "def shape(value: int) -> int:\n    print('seen')\n    return value\n";
    let mut check = |tool: &str, arguments: Value| {
        let answer = client.call(tool, arguments);
        let schema = &tools.iter().find(|listed| listed["name"] == json!(tool)).unwrap()["outputSchema"];
        for (field, value) in answer.as_object().unwrap() {
            if OF_ALL.contains(&field.as_str()) {
                continue;
            }
            let Some(described) = schema["properties"].get(field) else {
                let failed = answer["success"] == json!(false);
                // Of long answers the first fields are told of beforehand.
                let is_long = schema["properties"].as_object().unwrap().len() == MOST_LISTED;
                assert!(
                    is_long || failed && OF_FAILURES.contains(&field.as_str()),
                    "{tool} answers `{field}`: not in its schema"
                );
                continue;
            };
            assert!(fits(value, &described["type"]), "{tool}.{field} is {value}, not {}", described["type"]);
        }
        assert!(answer["success"].is_boolean() && answer["timestamp"].is_string(), "{tool}: {answer}");
        answer
    };
    check("remember_procedure", json!({"name": "shape", "steps": ["Do it"], "description": "Shape."}));
    check("execute_procedure", json!({"procedure_id": "shape"}));
    check("generate_procedure_code", json!({"procedure_id": "shape", "code": code}));
    check("generate_procedure_code", json!({"procedure_id": "shape", "code": "def f(:"}));
    check("validate_procedure_code", json!({"procedure_id": "shape", "code": code}));
    check("update_procedure", json!({"procedure_id": "shape", "tags": ["x"]}));
    let run = check("execute_procedure", json!({"procedure_id": "shape", "parameters": {"value": 1}}));
    check("execute_procedure", json!({"procedure_id": "shape", "parameters": {"value": "x"}}));
    check("get_run", json!({"run_id": run["run_id"]}));
    check("get_run", json!({"run_id": run["run_id"], "read": "output"}));
    check("resume_run", json!({"run_id": run["run_id"]}));
    check("cancel_run", json!({"run_id": run["run_id"]}));
    check("list_runs", json!({}));
    check("list_inbox", json!({}));
    check("resolve_inbox_item", json!({"item_id": 1}));
    check("get_procedure_stats", json!({"procedure_id": "shape"}));
    check("get_procedure_versions", json!({"procedure_id": "shape"}));
    check("rollback_procedure_code", json!({"procedure_id": "shape", "target_version": 1}));
    check("get_procedure", json!({"procedure_id": "shape"}));
    check("recall_procedures", json!({"query": "shape"}));
    check("search_procedures_by_confidence", json!({}));
    check("list_procedures", json!({"limit": 0}));
    check("list_procedures", json!({}));
    let checkpoint = json!({"workflow_id": "w", "run_id": "r", "node_id": "n", "branch_id": "b", "state": {"x": 1}});
    check("save_checkpoint", checkpoint);
    check("save_checkpoint", json!({"workflow_id": "other", "run_id": "r", "node_id": "n", "state": {}}));
    check("get_resume_point", json!({"run_id": "r"}));
    check("get_resume_point", json!({"run_id": "r", "branch_ids": ["b"]}));
    check("list_checkpoints", json!({"run_id": "r"}));
    check("merge_states", json!({"states": [{"x": 1}, {"x": 2}]}));
    let failure = |run: &str, failed: u32| {
        json!({
            "workflow_id": "w", "run_id": run, "outcome": "failure", "duration_ms": 5, "node_count": 1,
            "nodes_succeeded": 0, "nodes_failed": failed, "error_message": "broken", "artifacts": ["a.txt"],
        })
    };
    check("complete_workflow", failure("r", 1));
    check("complete_workflow", failure("r", 1));
    check("complete_workflow", failure("r", 0));
    check("complete_workflow", failure("r2", 1));
    check("recall_outcomes", json!({}));
    check("recall_outcomes", json!({"query": "broken", "as_prompt": true, "max_tokens": 20}));
    check("recall_procedures", json!({"query": "broken", "include_workflow_outcomes": true}));
    check("recall_procedures", json!({"query": "broken", "as_prompt": true}));
    check(
        "submit_lessons",
        json!({"lessons": ["Before a release, run `just ci`.", {"problem": "p", "solution": "Do s."}]}),
    );
    check(
        "submit_trace",
        json!({"prompt": "Push it", "calls": [{"tool": "Bash", "arguments": {"command": "git push"}}]}),
    );
    check("list_candidates", json!({}));
    check("review_candidate", json!({"candidate_id": 2, "decision": "skip"}));
    check("review_candidate", json!({"candidate_id": 1, "decision": "approve"}));
    check("list_candidates", json!({}));
    check("delete_procedure", json!({"procedure_id": "shape", "expected_version": 9}));
    check("delete_procedure", json!({"procedure_id": "shape"}));
}

/// Whether a value is of a JSON Schema type, which may be missing (anything) or a list.
fn fits(value: &Value, kind: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| fits(value, kind)),
        Value::String(kind) => match kind.as_str() {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "null" => value.is_null(),
            other => panic!("`{other}` is no type"),
        },
        _ => true,
    }
}
