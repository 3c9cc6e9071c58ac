//! Remembering, changing, finding and forgetting procedures.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, remember, text};

fn names(answer: &Value) -> Vec<String> {
    let procedures = answer["procedures"].as_array().unwrap();
    assert_eq!(answer["count"], json!(procedures.len()));
    procedures.iter().map(|procedure| text(procedure, "name").to_owned()).collect()
}

fn describe(client: &mut RawClient, name: &str, description: &str, more: Value) {
    let mut definition = json!({"name": name, "description": description, "steps": ["Do it"]});
    definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.ok("remember_procedure", definition);
}

#[test]
fn a_name_is_taken_once() {
    let home = Home::new();
    let mut client = home.start();
    describe(&mut client, "Deploy to PROD", "Ship it.", json!({}));
    for same in ["deploy_to_prod", " Deploy to prod! ", "DEPLOY TO PROD"] {
        let answer = client.call("remember_procedure", json!({"name": same, "steps": ["x"], "category": "other"}));
        assert_eq!(answer["error_code"], json!("name_taken"), "{answer}");
        assert_eq!(answer["procedure_id"], json!(1), "{answer}");
        assert!(text(&answer, "error").contains("update_procedure"), "{answer}");
    }
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(1));
}

#[test]
fn everything_that_was_said_comes_back() {
    let home = Home::new();
    let mut client = home.start();
    let steps =
        json!(["Look at {{place}}", {"command": ["git", "status"]}, {"procedure": "other", "arguments": {"a": 1}}]);
    let definition = json!({
        "name": "complete", "description": "All fields.", "category": "My Things", "tags": ["a", "b"], "steps": steps,
        "parameters": [{"name": "place", "type": "string", "description": "Where.", "default": "here"}],
        "template": "Hello {{whom}}", "examples": [{"parameters": {"place": "there"}, "result": 5}],
        "preconditions": ["p"], "postconditions": ["q"], "applicable_contexts": ["c"],
        "permissions": {"commands": ["git status"], "read": ["*"]}, "status": "candidate", "problem": "P",
        "solution": "S", "reasoning": "R", "anti_patterns": ["A"], "source_session": "one", "source_lesson": "two",
        "icon": "🎵", "color": "#fff",
    });
    let answer = client.ok("remember_procedure", definition.clone());
    assert_eq!((&answer["status"], &answer["has_code"]), (&json!("candidate"), &json!(false)), "{answer}");
    let stored = client.ok("get_procedure", json!({"procedure_id": "complete"}))["definition"].clone();
    for (field, value) in definition.as_object().unwrap() {
        match field.as_str() {
            "name" => {}
            "category" => assert_eq!(stored[field], json!("my_things")),
            // The variable of the template that was not declared joins the parameters.
            "parameters" => {
                assert_eq!(stored[field][0], value[0], "{stored}");
                assert_eq!(stored[field][1]["name"], json!("whom"), "{stored}");
            }
            _ => assert_eq!(stored[field], *value, "{field}"),
        }
    }
}

#[test]
fn an_update_changes_what_it_names_and_leaves_the_rest() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "tidy", "def tidy() -> int:\n    return 1\n");
    let update = json!({"procedure_id": "tidy", "description": "Tidies.", "category": "home", "tags": ["x"]});
    let answer = client.ok("update_procedure", update.clone());
    assert_eq!(answer["version"], json!(2), "{answer}");
    let stored = client.ok("get_procedure", json!({"procedure_id": "tidy"}));
    assert_eq!(stored["definition"]["description"], json!("Tidies."));
    assert_eq!(stored["definition"]["category"], json!("home"));
    assert_eq!(stored["definition"]["steps"], json!(["Do it"]));
    assert_eq!(stored["code_version"], json!(1), "the code is still that of version 1: {stored}");
    let same = client.refused("update_procedure", update, "invalid_argument");
    assert!(same.contains("nothing would change"), "{same}");
    let unknown = json!({"procedure_id": "tidy", "descripton": "x"});
    let error = client.refused("update_procedure", unknown, "invalid_argument");
    assert!(error.contains("descripton"), "{error}");
    let answer = client.ok("update_procedure", json!({"procedure_id": "tidy", "icon": "🧹"}));
    assert_eq!(answer["version"], json!(3), "{answer}");
}

#[test]
fn a_stale_writer_is_refused_and_told_the_current_version() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "shared", "def shared() -> int:\n    return 1\n");
    client.ok("update_procedure", json!({"procedure_id": 1, "expected_version": 1, "description": "Mine."}));
    for (tool, more) in [("update_procedure", json!({"description": "Yours."})), ("delete_procedure", json!({}))] {
        let mut arguments = more;
        arguments["procedure_id"] = json!(1);
        arguments["expected_version"] = json!(1);
        let answer = client.call(tool, arguments);
        assert_eq!(answer["error_code"], json!("stale_version"), "{tool}: {answer}");
        assert_eq!(answer["current_version"], json!(2), "{tool}: {answer}");
    }
    let stored = client.ok("get_procedure", json!({"procedure_id": 1}));
    assert_eq!((&stored["version"], &stored["definition"]["description"]), (&json!(2), &json!("Mine.")));
}

#[test]
fn a_near_duplicate_is_noticed_and_something_else_is_not() {
    let home = Home::new();
    let mut client = home.start();
    let words = "Restart the web server and check its health page";
    describe(&mut client, "restart_web_server", words, json!({}));
    let near = json!({"name": "web_server_restart", "description": words, "steps": ["Do it"]});
    let answer = client.ok("remember_procedure", near);
    assert_eq!(answer["similar"][0]["name"], json!("restart_web_server"), "{answer}");
    assert!(answer["similar"][0]["similarity"].as_f64().unwrap() > 0.6, "{answer}");
    let other = json!({"name": "bake_bread", "description": "Knead dough and wait.", "steps": ["Do it"]});
    let answer = client.ok("remember_procedure", other);
    assert!(answer.get("similar").is_none(), "{answer}");
}

#[test]
fn a_deleted_procedure_leaves_its_record_and_can_come_back() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "brief", "def brief() -> int:\n    return 1\n");
    client.ok("execute_procedure", json!({"procedure_id": "brief"}));
    let answer = client.ok("delete_procedure", json!({"procedure_id": "brief"}));
    assert_eq!(answer["last_version"], json!(1), "{answer}");
    for tool in ["execute_procedure", "get_procedure", "delete_procedure"] {
        client.refused(tool, json!({"procedure_id": "brief"}), "procedure_deleted");
    }
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "brief"}));
    assert_eq!((&stats["usage_count"], &stats["deleted"]), (&json!(1), &json!(true)), "{stats}");
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "brief"}));
    assert_eq!(versions["versions"][0]["is_current"], json!(false), "{versions}");
    assert_eq!(client.ok("list_runs", json!({"procedure_id": "brief"}))["count"], json!(1));
    assert_eq!(names(&client.ok("list_procedures", json!({}))), Vec::<String>::new());
    assert_eq!(names(&client.ok("recall_procedures", json!({"query": "brief"}))), Vec::<String>::new());
    let back = client.ok("remember_procedure", json!({"name": "brief", "steps": ["Again"]}));
    assert_eq!((&back["version"], &back["procedure_id"]), (&json!(2), &json!(1)), "{back}");
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "brief"}));
    assert_eq!(versions["count"], json!(2), "{versions}");
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "brief"}));
    assert_eq!((&stats["usage_count"], stats.get("deleted")), (&json!(1), None), "{stats}");
}

#[test]
fn a_failing_procedure_ranks_lower() {
    let home = Home::new();
    let mut client = home.start();
    for name in ["first_way", "second_way"] {
        let bad = name == "first_way";
        let body = if bad { "raise ValueError('no')" } else { "return 1" };
        let code = format!("def {name}() -> int:\n    {body}\n");
        describe(&mut client, name, "Rotate the database password", json!({"code": code}));
    }
    let query = json!({"query": "rotate database password"});
    assert_eq!(names(&client.ok("recall_procedures", query.clone()))[0], "first_way", "as long as nobody knows better");
    for _ in 0..3 {
        client.call("execute_procedure", json!({"procedure_id": "first_way"}));
        client.ok("execute_procedure", json!({"procedure_id": "second_way"}));
    }
    let found = client.ok("recall_procedures", query);
    assert_eq!(names(&found), ["second_way", "first_way"]);
    let scores: Vec<f64> =
        found["procedures"].as_array().unwrap().iter().map(|found| found["score"].as_f64().unwrap()).collect();
    assert!(scores[0] >= scores[1], "{scores:?}");
    assert_eq!(found["procedures"][1]["success_rate"], json!(0.0), "{found}");
}

#[test]
fn recall_weighs_fields_filters_and_limits() {
    let home = Home::new();
    let mut client = home.start();
    let git = json!({"category": "git", "tags": ["vcs"]});
    describe(&mut client, "squash_commits", "Join several commits into one.", git);
    describe(&mut client, "write_letter", "Mentions commits in passing, and squash the vegetable.", json!({}));
    describe(&mut client, "größe_prüfen", "Prüft die Größe von Dateien.", json!({}));
    describe(&mut client, "old_squash", "Squash commits the old way.", json!({"status": "archived"}));
    describe(&mut client, "maybe_squash", "Squash commits, perhaps.", json!({"status": "candidate"}));
    let mut recall = |arguments: Value| names(&client.ok("recall_procedures", arguments));
    assert_eq!(recall(json!({"query": "squash commits"})), ["squash_commits", "write_letter"]);
    assert_eq!(recall(json!({"query": "how do I squash my commits?"}))[0], "squash_commits");
    assert_eq!(recall(json!({"query": "squash", "limit": 1})).len(), 1);
    assert_eq!(recall(json!({"query": "squash", "category": "git"})), ["squash_commits"]);
    assert_eq!(recall(json!({"query": "squash", "tag": "vcs"})), ["squash_commits"]);
    assert_eq!(recall(json!({"query": "squash", "min_confidence": 0.1})), Vec::<String>::new());
    assert_eq!(recall(json!({"query": "größe"})), ["größe_prüfen"]);
    assert_eq!(recall(json!({"query": "GROSSE Dateien"})), ["größe_prüfen"]);
    assert_eq!(recall(json!({"query": "xylophone"})), Vec::<String>::new());
}

#[test]
fn recall_gives_code_when_asked() {
    let home = Home::new();
    let mut client = home.start();
    let code = "def with_code(count: int, name: str = 'x') -> int:\n    return 1\n";
    let parameters = json!([{"name": "count", "type": "integer"}, {"name": "name", "type": "string", "default": "x"}]);
    describe(&mut client, "with_code", "Has code.", json!({"code": code, "parameters": parameters}));
    let found = client.ok("recall_procedures", json!({"query": "code"}));
    assert!(found["procedures"][0].get("code").is_none(), "{found}");
    assert_eq!(found["procedures"][0]["parameters"], json!(["count: int", "name?: str"]), "{found}");
    let found = client.ok("recall_procedures", json!({"query": "code", "include_code": true}));
    assert_eq!(found["procedures"][0]["code"], json!(code), "{found}");
    let found = client.ok("search_procedures_by_confidence", json!({"min_confidence": 0.0}));
    assert_eq!(names(&found), ["with_code"]);
    let confidence = found["procedures"][0]["code_confidence"].as_f64().unwrap();
    let above = json!({"min_confidence": (confidence + 0.01).min(1.0)});
    let expected = usize::from(confidence >= 1.0);
    assert_eq!(names(&client.ok("search_procedures_by_confidence", above)).len(), expected);
}

#[test]
fn a_list_is_read_in_pages() {
    let home = Home::new();
    let mut client = home.start();
    for index in 0..7 {
        let category = if index % 2 == 0 { "even" } else { "odd" };
        describe(&mut client, &format!("number_{index}"), "x", json!({"category": category, "tags": [category]}));
    }
    let mut offset = json!(0);
    let mut seen = Vec::new();
    loop {
        let page = client.ok("list_procedures", json!({"limit": 3, "offset": offset}));
        assert_eq!(page["total"], json!(7), "{page}");
        seen.extend(names(&page));
        match page.get("next_offset") {
            Some(next) => offset = next.clone(),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(seen, (0..7).map(|index| format!("number_{index}")).collect::<Vec<_>>());
    assert_eq!(client.ok("list_procedures", json!({"category": "odd"}))["total"], json!(3));
    assert_eq!(client.ok("list_procedures", json!({"tag": "even"}))["total"], json!(4));
    assert_eq!(client.ok("list_procedures", json!({"status": "archived"}))["total"], json!(0));
    let beyond = client.ok("list_procedures", json!({"offset": 100}));
    assert_eq!((&beyond["count"], beyond.get("next_offset")), (&json!(0), None), "{beyond}");
}

#[test]
fn a_version_is_named_by_number_text_or_commit() {
    let home = Home::new();
    let mut client = home.start();
    let code = |value: usize| format!("def pick() -> int:\n    return {value}\n");
    remember(&mut client, "pick", &code(1));
    for value in 2..5 {
        client.ok("generate_procedure_code", json!({"procedure_id": "pick", "code": code(value)}));
    }
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "pick"}))["versions"].clone();
    let commit = text(&versions[2], "commit").to_owned();
    for (target, value) in [(json!(1), 1), (json!("v3"), 3), (json!(commit[..10]), 2), (json!("4"), 4)] {
        let back = client.ok("rollback_procedure_code", json!({"procedure_id": "pick", "target_version": target}));
        assert_eq!(back["target_version"], json!(value), "{target}: {back}");
        assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "pick"}))["result"], json!(value));
    }
    let short = json!({"procedure_id": "pick", "target_version": &commit[..6]});
    client.refused("rollback_procedure_code", short, "version_not_found");
    let same = json!({"procedure_id": "pick", "target_version": 4});
    let error = client.refused("rollback_procedure_code", same, "invalid_argument");
    assert!(error.contains("nothing to roll back"), "{error}");
    let limited = client.ok("get_procedure_versions", json!({"procedure_id": "pick", "limit": 2}));
    assert_eq!((&limited["count"], &limited["versions"][0]["version"]), (&json!(2), &json!(8)), "{limited}");
}

#[test]
fn a_version_without_code_is_nothing_to_go_back_to() {
    let home = Home::new();
    let mut client = home.start();
    describe(&mut client, "late", "Gets its code later.", json!({}));
    client.ok("generate_procedure_code", json!({"procedure_id": "late", "code": "def late() -> int:\n    return 1\n"}));
    let back = json!({"procedure_id": "late", "target_version": 1});
    let error = client.refused("rollback_procedure_code", back, "version_without_code");
    assert!(error.contains("version 1"), "{error}");
    let stored = client.ok("get_procedure", json!({"procedure_id": "late"}));
    assert_eq!(stored["version"], json!(2), "{stored}");
}

#[test]
fn long_code_is_read_in_pieces() {
    let home = Home::new();
    let mut client = home.start();
    let lines: String = (0..400).map(|line| format!("    value_{line} = \"größer {line}\"\n")).collect();
    let code = format!("def long_code() -> int:\n{lines}    return 1\n");
    remember(&mut client, "long_code", &code);
    let (mut read, mut offset) = (String::new(), json!(0));
    loop {
        let part = client.ok("get_procedure", json!({"procedure_id": "long_code", "code_offset": offset}));
        read.push_str(text(&part, "code"));
        match part.get("code_next_offset") {
            Some(next) => offset = next.clone(),
            None => break,
        }
    }
    assert_eq!(read, code);
}

#[test]
fn steps_are_compiled_when_no_code_is_given() {
    let home = Home::new();
    let mut client = home.start();
    let steps = json!(["Look at {{place}}", {"command": ["echo", "{{place}}"]}]);
    client.ok("remember_procedure", json!({"name": "compiled", "steps": steps}));
    let answer = client.ok("generate_procedure_code", json!({"procedure_id": "compiled"}));
    assert_eq!((&answer["source"], &answer["version"]), (&json!("heuristic"), &json!(2)), "{answer}");
    let code = text(&answer, "code");
    assert!(code.contains("manual_step(") && code.contains("run_command(") && code.contains("place"), "{code}");
    let issues = answer["issues"].to_string();
    assert!(issues.contains("no model is configured"), "{answer}");
    assert_eq!(answer["validation"]["permissions_needed"]["commands"], json!(["echo"]), "{answer}");
    let answer = client.ok("generate_procedure_code", json!({"procedure_id": "compiled", "use_llm": false}));
    assert!(!answer["issues"].to_string().contains("no model is configured"), "{answer}");
}
