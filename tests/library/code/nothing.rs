//! Code that is none: empty, or with nothing in it that would be done.

use std::fs;

use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, remember, text},
    survival::commit_outside,
};

const NOTHING: [&str; 9] = [
    "",
    "   \n\t\n",
    "\n\n\n",
    "# TODO: write this\n# soon\n",
    "\"\"\"Says what it would do.\"\"\"\n",
    "pass\n",
    "...\n",
    "import json\nfrom repertoire import notify  # later\n",
    "\u{feff}# nothing\n\n'text'\npass; pass\n",
];

#[test]
fn code_that_is_none_is_refused_wherever_it_comes_in() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "kept", "def kept() -> int:\n    \"\"\"Return 1.\"\"\"\n    return 1\n");
    client.ok("remember_procedure", json!({"name": "bare", "steps": ["Think"]}));
    for (number, code) in NOTHING.iter().enumerate() {
        let checked = client.ok("validate_procedure_code", json!({"code": code}));
        assert_eq!(
            (&checked["quality_score"], &checked["checks"]["runnable"]),
            (&json!(0.0), &json!(false)),
            "{code:?}"
        );
        let found = checked["issues"].as_array().unwrap();
        assert!(found.iter().any(|issue| issue["code"] == "RPT408" && issue["severity"] == "error"), "{checked}");
        let new = json!({"name": format!("new_{number}"), "steps": ["Do it"], "code": code});
        let error = client.refused("remember_procedure", new, "code_rejected");
        assert!(error.contains("no code here"), "{error}");
        for name in ["kept", "bare"] {
            client.refused("generate_procedure_code", json!({"procedure_id": name, "code": code}), "code_rejected");
        }
        let file = home.beside("code").join("nothing.py");
        fs::write(&file, code).unwrap();
        let file = file.to_str().unwrap();
        assert!(fail(&home, &["code", "kept", file]).contains("no code here"));
        let output = home.run(&["validate", file]);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(client.ok("list_procedures", json!({}))["total"], json!(2));
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "kept"}))["result"], json!(1));
    assert_eq!(client.ok("get_procedure", json!({"procedure_id": "bare"})).get("code"), None);
}

#[test]
fn a_function_that_does_nothing_is_warned_of() {
    let home = Home::new();
    let mut client = home.start();
    let mut scores = Vec::new();
    for body in ["pass", "...", "return 1"] {
        let code = format!("def f() -> None:\n    \"\"\"Does it.\"\"\"\n    {body}\n");
        let checked = client.ok("validate_procedure_code", json!({"code": code}));
        let found: Vec<&Value> =
            checked["issues"].as_array().unwrap().iter().filter(|issue| issue["code"] == "RPT408").collect();
        let is_nothing = body != "return 1";
        assert_eq!(found.len(), usize::from(is_nothing), "{checked}");
        assert!(found.iter().all(|issue| issue["severity"] == "warning"), "{checked}");
        scores.push(checked["quality_score"].as_f64().unwrap());
    }
    assert!(scores[0] < 1.0 && (scores[0] - scores[1]).abs() < 1e-9, "{scores:?}");
}

#[test]
fn a_file_that_was_pushed_empty_is_no_code() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "sweep", "def sweep() -> int:\n    \"\"\"Return 1.\"\"\"\n    return 1\n");
    commit_outside(&home.repository(), "Begin anew", &[("procedures/general/sweep/procedure.py", Some("# later\n"))]);
    let answer = client.call("execute_procedure", json!({"procedure_id": "sweep"}));
    assert_eq!((&answer["outcome"], &answer["error_code"]), (&json!("skipped"), &json!("no_code")), "{answer}");
    let shown = client.ok("get_procedure", json!({"procedure_id": "sweep"}));
    assert_eq!((shown.get("code"), shown.get("code_confidence")), (None, Some(&Value::Null)), "{shown}");
    client.refused(
        "rollback_procedure_code",
        json!({"procedure_id": "sweep", "target_version": 2}),
        "version_without_code",
    );
    client.ok("rollback_procedure_code", json!({"procedure_id": "sweep", "target_version": 1}));
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "sweep"}))["result"], json!(1));
}

#[test]
fn what_nobody_knows_is_null_and_there() {
    let home = Home::new();
    let mut client = home.start();
    let idea = json!({"name": "idea", "description": "Think it over.", "steps": ["Think"],
                      "trigger": {"situation": "unsure"}});
    let remembered = client.ok("remember_procedure", idea);
    assert_eq!(remembered.get("code_confidence"), Some(&Value::Null), "{remembered}");
    let one = json!({"procedure_id": "idea"});
    for tool in ["get_procedure", "get_procedure_stats"] {
        let answer = client.ok(tool, one.clone());
        for field in ["code_confidence", "success_rate"] {
            assert_eq!(answer.get(field), Some(&Value::Null), "{tool}: {answer}");
        }
    }
    assert_eq!(client.ok("get_procedure_stats", one.clone()).get("avg_completion_time_ms"), Some(&Value::Null));
    for (tool, arguments) in [
        ("list_procedures", json!({})),
        ("recall_procedures", json!({"query": "think"})),
        ("match_procedures", json!({"context": {"situation": "unsure"}})),
    ] {
        let answer = client.ok(tool, arguments);
        for field in ["code_confidence", "success_rate"] {
            assert_eq!(answer["procedures"][0].get(field), Some(&Value::Null), "{tool}: {answer}");
        }
    }
    let versions = client.ok("get_procedure_versions", one);
    assert_eq!(versions["versions"][0].get("code_confidence"), Some(&Value::Null), "{versions}");
    for arguments in [&["list", "--json"][..], &["stats", "idea", "--json"]] {
        let printed: Value = serde_json::from_str(&succeed(&home, arguments)).unwrap();
        let shown = printed.get(0).unwrap_or(&printed);
        assert_eq!(text(shown, "name"), "idea");
        for field in ["code_confidence", "success_rate"] {
            assert_eq!(shown.get(field), Some(&Value::Null), "{arguments:?}: {printed}");
        }
    }
    // A program that checks answers by their schemas is told so.
    for tool in client.tools() {
        for field in ["code_confidence", "success_rate", "avg_completion_time_ms"] {
            if let Some(schema) = tool["outputSchema"]["properties"].get(field) {
                assert_eq!(schema["type"], json!(["number", "null"]), "{}", tool["name"]);
            }
        }
    }
}
