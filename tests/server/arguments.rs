//! Arguments as clients and models write them: what can mean only one thing is taken, and what can't is refused in words that
//! they understand.

use serde_json::{Map, Value, json};

use crate::{
    common::{Home, RawClient, remember, text},
    hostile::{check_fine, start},
};

/// Words of the language and the library that this is written in.
const FOREIGN: [&str; 22] = [
    "u8",
    "u16",
    "u32",
    "u64",
    "i32",
    "i64",
    "f64",
    "usize",
    "a map",
    "map,",
    "sequence",
    "struct",
    "variant",
    "tuple",
    "invalid type",
    "invalid value",
    "missing field",
    "unknown field",
    "floating point",
    "untagged",
    "Option",
    "boolean `",
];

fn check_words(shown: &str, error: &str) {
    for word in FOREIGN {
        assert!(!error.contains(word), "{shown}: `{word}` in: {error}");
    }
    assert!(error.len() < 2_000, "{shown}: {error}");
}

/// Arguments for each tool that needs some, of the right types. What they name need not be there.
fn arguments(tool: &str) -> Map<String, Value> {
    let workflow = json!({"workflow_id": "w", "run_id": "r", "node_id": "n"});
    let mut given = match tool {
        "recall_procedures" => json!({"query": "x"}),
        "remember_procedure" => json!({"name": "new one", "steps": ["Do it"]}),
        "rollback_procedure_code" => json!({"procedure_id": "nope", "target_version": 1}),
        "match_procedures" => json!({"context": {"a": 1}}),
        "validate_procedure_code" => json!({"code": "def f() -> int:\n    return 1\n"}),
        "emit_event" => json!({"event_type": "nothing_happened"}),
        "get_run" | "resume_run" | "cancel_run" | "get_resume_point" | "list_checkpoints" => json!({"run_id": "nope"}),
        "record_outcome" => json!({"procedure_id": "nope", "outcome": "success"}),
        "resolve_inbox_item" => json!({"item_id": 99}),
        "save_checkpoint" => workflow,
        "merge_states" => json!({"states": [{"a": 1}]}),
        "complete_workflow" => json!({
            "workflow_id": "w", "run_id": "r", "outcome": "success", "duration_ms": 1, "node_count": 1,
            "nodes_succeeded": 1, "nodes_failed": 0,
        }),
        "link_artifact" => json!({
            "memory_type": "run", "memory_id": "nope", "artifact": {"type": "x", "uri": "https://example.org/x"},
        }),
        "review_candidate" => json!({"candidate_id": 99}),
        "submit_lessons" => json!({"lessons": ["When a build fails, read its first error first."]}),
        "submit_trace" => {
            json!({"prompt": "Tag it", "calls": [{"tool": "Bash", "arguments": {"command": "git tag v1"}}]})
        }
        "list_procedures"
        | "search_procedures_by_confidence"
        | "list_runs"
        | "list_inbox"
        | "recall_outcomes"
        | "list_candidates" => json!({}),
        _ => json!({"procedure_id": "nope"}),
    };
    if tool == "save_checkpoint" {
        given["state"] = json!({"x": 1});
    }
    given.as_object().unwrap().clone()
}

/// Values that something with this schema can't be.
fn wrong(schema: &Value) -> Vec<Value> {
    if let Some(alternatives) = schema["anyOf"].as_array() {
        return match alternatives.len() {
            2 => vec![json!(true), json!([]), json!({}), json!(1.5)],
            _ => Vec::new(),
        };
    }
    match schema["type"].as_str().unwrap() {
        "string" if schema["enum"].is_array() => {
            vec![json!("nonsense"), json!("Approve"), json!(5), json!([]), json!({})]
        }
        "string" => vec![json!(true), json!(["a"]), json!({"a": 1})],
        "integer" => vec![json!("many"), json!("2.5"), json!(2.5), json!(true), json!([]), json!({}), json!(1e300)],
        "number" => vec![json!("high"), json!("NaN"), json!(true), json!([1]), json!({})],
        "boolean" => vec![json!("yes"), json!(1), json!(0), json!([]), json!({})],
        "array" => {
            let mut values = vec![json!(5), json!(true), json!({"a": 1})];
            let is_any = schema["items"]["anyOf"].as_array().is_some_and(|types| types.len() > 2);
            values.extend((!is_any).then(|| json!([[[1]]])));
            values
        }
        "object" => vec![json!(5), json!(true), json!("text"), json!("[1]"), json!([1])],
        other => panic!("`{other}`"),
    }
}

#[test]
fn every_property_is_read_as_it_is_meant_or_refused_in_plain_words() {
    let home = Home::new();
    let mut client = start(&home);
    for tool in client.tools() {
        let name = text(&tool, "name");
        let base = arguments(name);
        let required: Vec<&str> =
            tool["inputSchema"]["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let answer = client.call(name, Value::Object(base.clone()));
        assert_ne!(answer["error_code"], json!("invalid_argument"), "{name}: {answer}");
        for (property, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            let mut call = |value: Value| {
                let mut given = base.clone();
                given.insert(property.clone(), value.clone());
                if name == "remember_procedure" && property != "name" {
                    given.insert("name".to_owned(), json!("fine"));
                }
                let answer = client.call(name, Value::Object(given));
                let shown = format!("{name}.{property} = {value}");
                check_words(&shown, answer["error"].as_str().unwrap_or_default());
                (answer, shown)
            };
            // One of two names that a procedure needs.
            let is_needed = required.contains(&property.as_str()) || base.contains_key(property);
            let (answer, shown) = call(json!(null));
            assert_eq!(answer["error_code"] == json!("invalid_argument"), is_needed, "{shown}: {answer}");
            for value in wrong(schema) {
                let (answer, shown) = call(value);
                assert_eq!(answer["error_code"], json!("invalid_argument"), "{shown}: {answer}");
                assert!(text(&answer, "error").contains(&format!("`{property}")), "{shown}: {answer}");
            }
        }
        for property in required {
            let mut given = base.clone();
            given.remove(property);
            let error = client.refused(name, Value::Object(given), "invalid_argument");
            check_words(name, &error);
            assert!(error.starts_with(&format!("`{property}` is missing")), "{name}: {error}");
        }
    }
    check_fine(&mut client);
}

#[test]
fn the_same_is_taken_however_it_is_written() {
    let home = Home::new();
    let mut client = start(&home);
    client.ok("update_procedure", json!({"procedure_id": "fine", "tags": "one", "expected_version": "1"}));
    let tags = |client: &mut RawClient| {
        client.ok("get_procedure", json!({"procedure_id": "fine"}))["definition"]["tags"].clone()
    };
    assert_eq!(tags(&mut client), json!(["one"]));
    client.ok("update_procedure", json!({"procedure_id": "fine", "tags": r#"["a", "b"]"#, "is_shared": "True"}));
    assert_eq!(tags(&mut client), json!(["a", "b"]));
    for arguments in [
        json!({"limit": "1", "include_shared": "true", "offset": 0.0}),
        json!({"limit": 1.0, "category": "", "tag": "", "status": null}),
        json!({"limit": " 1 ", "tag": null, "offset": "", "category": null}),
    ] {
        let listed = client.ok("list_procedures", arguments.clone());
        assert_eq!(listed["count"], json!(1), "{arguments}: {listed}");
    }
    client.ok("search_procedures_by_confidence", json!({"min_confidence": "0.1", "limit": "5"}));
    for id in [json!(7), json!("7")] {
        let checkpoint = json!({
            "workflow_id": 1, "run_id": id, "node_id": 3, "state": r#"{"n": "1", "none": null}"#, "branch_id": "",
            "parent_checkpoint_id": "", "metadata": null,
        });
        client.ok("save_checkpoint", checkpoint);
    }
    let point = client.ok("get_resume_point", json!({"run_id": 7, "branch_ids": null}));
    assert_eq!(point["checkpoint"]["state"], json!({"n": "1", "none": null}), "{point}");
    let reducers =
        json!({"states": r#"[{"n": 1}, {"n": 2}]"#, "field_reducers": r#"{"n": "sum"}"#, "default_reducer": null});
    assert_eq!(client.ok("merge_states", reducers)["state"], json!({"n": 3}));
    client.ok("recall_outcomes", json!({"workflow_id": "", "as_prompt": "false", "max_tokens": "100"}));
}

#[test]
fn what_is_inside_of_arguments_is_read_as_well() {
    let home = Home::new();
    let mut client = start(&home);
    let definition = json!({
        "name": "inner", "description": null, "icon": null, "clone_of": "", "code": null,
        "steps": [
            "Look",
            r#"{"command": ["ls"], "step_id": null}"#,
            {"tool": "a/b", "arguments": r#"{"n": "1"}"#, "depends_on": null},
            {
                "step_id": "tell", "action_type": "send_notification", "config": r#"{"message": "Done"}"#,
                "requires_approval": "true", "timeout_seconds": "30", "on_failure": null, "depends_on": "step_1",
                "input_mapping": {"n": 5}, "description": null,
            },
        ],
        "parameters": [
            {"name": "n", "type": "int", "required": "false", "description": null, "default": 2},
            r#"{"name": "note", "type": "str", "default": null}"#,
        ],
        "examples": [{"parameters": r#"{"n": 1}"#, "result": null}],
        "permissions": {"commands": "ls", "read": null, "model": "false"},
        "trigger": r#"{"type": "event", "event_type": "x", "event_filter": "{\"a\": 1}"}"#,
    });
    client.ok("remember_procedure", definition);
    let stored = client.ok("get_procedure", json!({"procedure_id": "inner"}));
    let wanted = json!([
        "Look",
        {"command": ["ls"]},
        {"tool": "a/b", "arguments": {"n": "1"}},
        {
            "step_id": "tell", "action_type": "send_notification", "config": {"message": "Done"},
            "input_mapping": {"n": "5"}, "requires_approval": true, "timeout_seconds": 30, "depends_on": ["step_1"],
        },
    ]);
    assert_eq!(stored["definition"]["steps"], wanted, "{stored}");
    let wanted = json!([
        {"name": "n", "type": "integer", "required": false, "default": 2},
        {"name": "note", "type": "string", "default": null},
    ]);
    assert_eq!(stored["definition"]["parameters"], wanted, "{stored}");
    assert_eq!(stored["definition"]["permissions"], json!({"commands": ["ls"]}), "{stored}");
    assert_eq!(stored["definition"]["examples"], json!([{"parameters": {"n": 1}, "result": null}]), "{stored}");
    assert_eq!(stored["trigger"]["event_filter"], json!({"a": 1}), "{stored}");
    for (field, value, said) in [
        (
            "steps",
            json!([{"command": ["a"]}, {"step_id": "b", "config": 5}]),
            "`steps[1].config` must be an object, got `5`",
        ),
        ("steps", json!(["a", 5]), "`steps[1]` must be a text or an object, got `5`"),
        ("steps", json!([{"command": "git status"}]), "`steps[0].command` must be a list of texts"),
        ("steps", json!([{"command": ["a"], "cwd": "/"}]), "there is no field `cwd`"),
        ("steps", json!([{"step_id": "a"}]), "`action_type` is missing"),
        ("steps", json!([{"step_id": "a", "action_type": "dance"}]), "must be one of `run_skill`"),
        (
            "steps",
            json!([{"step_id": "a", "timeout_seconds": "soon"}]),
            "`steps[0].timeout_seconds` must be a whole number",
        ),
        ("parameters", json!([{"name": "a", "required": "maybe"}]), "`parameters[0].required` must be true or false"),
        ("parameters", json!([{"name": "a", "type": "uint"}]), "`parameters[0].type`: it must be one of `string`, "),
        ("parameters", json!([{"type": "string"}]), "`parameters[0].name` is missing"),
        (
            "parameters",
            json!([{"name": "a", "typ": "string"}]),
            "there is no field `parameters[0].typ`; did you mean `type`?",
        ),
        ("permissions", json!({"model": "perhaps"}), "`permissions.model` must be true or false"),
        ("permissions", json!({"comands": []}), "there is no field `permissions.comands`; did you mean `commands`?"),
        ("examples", json!([{"parameters": [1]}]), "`examples[0].parameters` must be an object, got a list"),
        ("tags", json!(["a", {}]), "`tags[1]` must be a text, got an object"),
    ] {
        let error =
            client.refused("update_procedure", json!({"procedure_id": "inner", field: value}), "invalid_argument");
        assert!(error.contains(said), "{field} {value}: {error}");
        check_words(field, &error);
    }
}

#[test]
fn parameters_of_a_procedure_are_read_as_they_are_declared() {
    let home = Home::new();
    let mut client = start(&home);
    let code = "def typed(n: int, share: float = 0.5, flag: bool = False, names: list[str] = [], more: dict = {}, \
                note: str | None = None) -> list:\n    return [n, share, flag, names, more, note]\n";
    remember(&mut client, "typed", code);
    let untyped = json!({
        "name": "untyped", "steps": ["Do it"],
        "parameters": [
            {"name": "n", "type": "int"}, {"name": "more", "type": "dict", "required": false},
            {"name": "note", "type": "str", "default": null},
        ],
        "code": "def untyped(n, more=None, note='own'):\n    return [n, more, note]\n",
    });
    client.ok("remember_procedure", untyped);
    for (procedure, parameters, wanted) in [
        ("typed", json!({"n": "2"}), json!([2, 0.5, false, [], {}, null])),
        ("typed", json!({"n": 2.0, "share": "0.7", "flag": "TRUE"}), json!([2, 0.7, true, [], {}, null])),
        (
            "typed",
            json!({"n": 1, "names": "one", "more": "{\"a\": \"1\"}"}),
            json!([1, 0.5, false, ["one"], {"a": "1"}, null]),
        ),
        ("typed", json!({"n": 1, "names": "[\"a\", \"b\"]", "note": 5}), json!([1, 0.5, false, ["a", "b"], {}, "5"])),
        (
            "typed",
            json!({"n": 1, "share": null, "flag": null, "names": null, "more": null, "note": null}),
            json!([1, 0.5, false, [], {}, null]),
        ),
        (
            "typed",
            json!({"n": 1, "more": {"a": null, "b": "2"}, "note": ""}),
            json!([1, 0.5, false, [], {"a": null, "b": "2"}, ""]),
        ),
        ("untyped", json!({"n": " 3 ", "more": null, "note": null}), json!([3, null, "own"])),
        ("untyped", json!({"n": 3, "more": "{\"a\": 1}"}), json!([3, {"a": 1}, "own"])),
    ] {
        let answer = client.ok("execute_procedure", json!({"procedure_id": procedure, "parameters": parameters}));
        assert_eq!(answer["result"], wanted, "{procedure} {parameters}");
    }
    for (procedure, parameters, named) in [
        ("typed", json!({"n": "2.5"}), "`n`"),
        ("typed", json!({"n": null}), "`n`"),
        ("typed", json!({"n": 1, "flag": "yes"}), "`flag`"),
        ("typed", json!({"n": 1, "flag": 1}), "`flag`"),
        ("typed", json!({"n": 1, "names": 5}), "`names`"),
        ("typed", json!({"n": 1, "more": "text"}), "`more`"),
        ("untyped", json!({"n": "three"}), "`n` must be a whole number"),
        ("untyped", json!({"n": 1, "more": [1]}), "`more` must be an object"),
    ] {
        let arguments = json!({"procedure_id": procedure, "parameters": parameters});
        let error = client.refused("execute_procedure", arguments, "invalid_parameters");
        assert!(error.contains(named), "{procedure} {parameters}: {error}");
        check_words(procedure, &error);
    }
    // The definition says that it may be absent, and the code takes what is there then.
    let strict = json!({
        "name": "strict", "steps": ["Do it"], "parameters": [{"name": "note", "type": "str", "default": null}],
        "code": "def strict(note: str):\n    return note\n",
    });
    client.ok("remember_procedure", strict);
    for parameters in [json!({}), json!({"note": null})] {
        let answer = client.ok("execute_procedure", json!({"procedure_id": "strict", "parameters": parameters}));
        assert_eq!(answer["result"], json!(null), "{answer}");
    }
    // A call from code is a call like any other.
    remember(
        &mut client,
        "outer",
        "from repertoire import call_procedure\n\n\ndef outer() -> list:\n    return call_procedure('typed', {'n': '7', 'names': 'x'})\n",
    );
    let answer = client.ok("execute_procedure", json!({"procedure_id": "outer"}));
    assert_eq!(answer["result"], json!([7, 0.5, false, ["x"], {}, null]), "{answer}");
}

#[test]
fn a_decision_is_taken_only_as_it_is_written() {
    let home = Home::new();
    let mut client = start(&home);
    client.ok("remember_procedure", json!({"name": "asks", "steps": ["Ask somebody"]}));
    client.ok("generate_procedure_code", json!({"procedure_id": "asks", "use_llm": "false"}));
    let run = client.ok("execute_procedure", json!({"procedure_id": "asks"}))["run_id"].clone();
    for decision in [json!("Approve"), json!("approve "), json!("yes"), json!(""), json!(true), json!(["approve"])] {
        let error = client.refused("resume_run", json!({"run_id": run, "decision": decision}), "invalid_argument");
        assert!(error.contains("`decision`") && error.contains("`approve`, `reject`"), "{decision}: {error}");
        check_words("decision", &error);
    }
    let answer = client.ok("resume_run", json!({"run_id": run, "decision": "approve", "value": null}));
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
}
