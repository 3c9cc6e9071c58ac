//! The main job from end to end: remember, code, validate, version, run, measure, roll back.

use std::{path::Path, process::Command};

use git2::{Repository, Sort};
use repertoire::client::{Client, Opening};
use serde_json::{Value, json};

use crate::common::{Home, PROGRAM, Protocol, RawClient, has_program, text};

/// The procedure of the story.
pub const NAME: &str = "total_price";

const GOOD: &str = r#"def total_price(prices: list[float], rate: float = 0.2) -> float:
    """Add up prices and put the tax on top.

    Args:
        prices: Net prices.
        rate: The tax rate.

    Returns:
        The gross total, to the cent.
    """
    if rate < 0:
        raise ValueError(f"rate must not be negative, got {rate}")
    return round(sum(prices) * (1 + rate), 2)
"#;

const FAILING: &str = r#"def total_price(prices: list[float], rate: float = 0.2) -> float:
    """Add up prices and put the tax on top.

    Args:
        prices: Net prices.
        rate: The tax rate.

    Returns:
        The gross total, to the cent.
    """
    missing = len(prices) - len(prices)
    return round(sum(prices) / missing, 2)
"#;

/// What the story has learned so far.
#[derive(Default)]
pub struct Story {
    /// Ids of the runs that were answered, newest first.
    pub runs: Vec<String>,
}

/// One call of the story, with what its answer must be.
type Step = fn(&mut Story, &mut RawClient);

/// The story, one call each.
pub const STEPS: [Step; 14] = [
    |_, client| {
        let names: Vec<Value> = client.tools().iter().map(|tool| tool["name"].clone()).collect();
        assert!(
            names.contains(&json!("remember_procedure")) && names.contains(&json!("execute_procedure")),
            "{names:?}"
        );
    },
    |_, client| {
        let definition = json!({
            "name": "Total price",
            "description": "Add up prices with tax.",
            "category": "shop",
            "steps": ["Add up the prices", "Put the tax on top"],
            "parameters": [{"name": "prices", "type": "array"}, {"name": "rate", "type": "number", "default": 0.2}],
        });
        let answer = client.ok("remember_procedure", definition);
        assert_eq!((&answer["name"], &answer["version"]), (&json!(NAME), &json!(1)), "{answer}");
        assert_eq!((&answer["procedure_id"], &answer["status"]), (&json!(1), &json!("active")), "{answer}");
    },
    |_, client| {
        let answer = client.ok("generate_procedure_code", json!({"procedure_id": NAME, "code": GOOD}));
        assert_eq!((&answer["version"], &answer["source"]), (&json!(2), &json!("agent")), "{answer}");
        assert_eq!(answer["code"], json!(GOOD));
        let confidence = answer["confidence"].as_f64().unwrap();
        assert!((0.5..=1.0).contains(&confidence), "{answer}");
    },
    |_, client| {
        let answer = client.ok("validate_procedure_code", json!({"procedure_id": 1, "code": GOOD}));
        for check in ["syntax", "security", "docstring", "error_handling", "runnable"] {
            assert_eq!(answer["checks"][check], json!(true), "{check}: {answer}");
        }
        assert_eq!(answer["checks"]["type_hints"], json!(1.0), "{answer}");
        let errors = answer["issues"].as_array().unwrap().iter().filter(|issue| issue["severity"] == "error").count();
        assert_eq!(errors, 0, "{answer}");
    },
    |story, client| succeed(story, client, json!({"prices": [10, 20.5]}), 36.6),
    |story, client| succeed(story, client, json!({"prices": [1], "rate": 0}), 1.0),
    |_, client| stats(client, 2, 1.0),
    |_, client| {
        let answer = client.ok("generate_procedure_code", json!({"procedure_id": 1, "code": FAILING}));
        assert_eq!(answer["version"], json!(3), "{answer}");
    },
    |_, client| {
        let versions = versions(client);
        let kinds: Vec<(i64, &str)> = versions
            .iter()
            .map(|version| (version["version"].as_i64().unwrap(), version["kind"].as_str().unwrap()))
            .collect();
        assert_eq!(kinds, [(3, "code"), (2, "code"), (1, "definition")]);
        let lines = |version: &Value| (version["lines_added"].as_u64(), version["lines_removed"].as_u64());
        assert_eq!(lines(&versions[0]), (Some(2), Some(3)));
        assert_eq!(lines(&versions[1]), (Some(GOOD.lines().count() as u64), Some(0)));
        assert_eq!(lines(&versions[2]).1, Some(0));
        let current: Vec<bool> = versions.iter().map(|version| version["is_current"].as_bool().unwrap()).collect();
        assert_eq!(current, [true, false, false]);
    },
    |story, client| {
        let answer = client.call("execute_procedure", json!({"procedure_id": 1, "parameters": {"prices": [1]}}));
        assert_eq!((&answer["success"], &answer["outcome"]), (&json!(false), &json!("failure")), "{answer}");
        assert_eq!(answer["error_type"], json!("ZeroDivisionError"), "{answer}");
        let traceback = text(&answer, "traceback");
        assert!(traceback.contains("line 12") && traceback.contains("sum(prices) / missing"), "{traceback}");
        story.runs.insert(0, text(&answer, "run_id").to_owned());
    },
    |_, client| stats(client, 3, 2.0 / 3.0),
    |_, client| {
        let back = json!({"procedure_id": NAME, "target_version": 2, "reason": "the new one divides by zero"});
        let answer = client.ok("rollback_procedure_code", back);
        assert_eq!((&answer["target_version"], &answer["version"]), (&json!(2), &json!(4)), "{answer}");
        assert_eq!(answer["procedure"], json!({"name": NAME, "code_version": 4}), "{answer}");
    },
    |story, client| succeed(story, client, json!({"prices": [10, 20.5]}), 36.6),
    |_, client| {
        let versions = versions(client);
        let kinds: Vec<&str> = versions.iter().map(|version| version["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["rollback", "code", "code", "definition"]);
        assert!(text(&versions[0], "message").contains("divides by zero"), "{}", versions[0]);
        stats(client, 4, 0.75);
    },
];

fn succeed(story: &mut Story, client: &mut RawClient, parameters: Value, result: f64) {
    let answer = client.ok("execute_procedure", json!({"procedure_id": 1, "parameters": parameters}));
    assert_eq!((&answer["outcome"], &answer["status"]), (&json!("success"), &json!("succeeded")), "{answer}");
    assert_eq!(answer["result"].as_f64(), Some(result), "{answer}");
    story.runs.insert(0, text(&answer, "run_id").to_owned());
}

fn stats(client: &mut RawClient, uses: u64, rate: f64) {
    let answer = client.ok("get_procedure_stats", json!({"procedure_id": NAME}));
    assert_eq!(answer["usage_count"], json!(uses), "{answer}");
    let success_rate = answer["success_rate"].as_f64().unwrap();
    assert!((success_rate - rate).abs() < 0.001, "{answer}");
    let finished = &answer["execution_stats"];
    assert_eq!(finished["success"].as_u64().unwrap() + finished["failure"].as_u64().unwrap(), uses, "{answer}");
}

fn versions(client: &mut RawClient) -> Vec<Value> {
    let answer = client.ok("get_procedure_versions", json!({"procedure_id": NAME}));
    let versions = answer["versions"].as_array().unwrap().clone();
    assert_eq!(answer["count"], json!(versions.len()));
    versions
}

/// The four commits of the story and the code at each, oldest first.
pub fn check_history(repository: &Path) {
    let repo = Repository::open(repository).unwrap();
    let mut walk = repo.revwalk().unwrap();
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).unwrap();
    walk.push_head().unwrap();
    let path = Path::new("procedures/shop/total_price/procedure.py");
    let code_at = |id: git2::Oid| {
        let entry = repo.find_commit(id).unwrap().tree().unwrap().get_path(path).ok()?;
        Some(String::from_utf8(repo.find_blob(entry.id()).unwrap().content().to_vec()).unwrap())
    };
    let codes: Vec<Option<String>> = walk.map(|id| code_at(id.unwrap())).collect();
    let expected: Vec<Option<String>> =
        [None, Some(GOOD), Some(FAILING), Some(GOOD)].into_iter().map(|code| code.map(str::to_owned)).collect();
    assert_eq!(codes, expected);
}

fn tell(protocol: Protocol) {
    let home = Home::new();
    let mut client = home.start_with(&[], protocol);
    let mut story = Story::default();
    STEPS.iter().for_each(|step| step(&mut story, &mut client));
    assert!(client.close().success());
    check_history(&home.repository());
    if has_program("git") {
        let clone = home.beside("clone").join("procedures");
        let mut git = Command::new("git");
        git.args(["clone", "--quiet"]).arg(home.repository()).arg(&clone);
        assert!(git.status().unwrap().success());
        check_history(&clone);
    }
}

#[test]
fn the_story_on_protocol_2025_11_25() {
    tell(Protocol::V2025);
}

#[test]
fn the_story_on_protocol_2026_07_28() {
    tell(Protocol::V2026);
}

#[tokio::test]
async fn the_story_with_the_official_client_library() {
    for opening in [Opening::Initialize, Opening::Discover] {
        let home = Home::new();
        let client = Client::start(Path::new(PROGRAM), &home.path(), &["--no-starters"], opening).await.unwrap();
        assert!(client.tools().await.unwrap().len() >= 17);
        let call = async |tool: &str, arguments: Value| client.call(tool, arguments).await.unwrap();
        let remembered =
            call("remember_procedure", json!({"name": NAME, "steps": ["Add up"], "category": "shop"})).await;
        assert_eq!(remembered["version"], json!(1), "{remembered}");
        let generated = call("generate_procedure_code", json!({"procedure_id": NAME, "code": GOOD})).await;
        assert_eq!(generated["version"], json!(2), "{generated}");
        let parameters = json!({"prices": [1, 2], "rate": 0.5});
        let executed = call("execute_procedure", json!({"procedure_id": NAME, "parameters": parameters})).await;
        assert_eq!(executed["result"], json!(4.5), "{executed}");
        call("generate_procedure_code", json!({"procedure_id": NAME, "code": FAILING})).await;
        let failed = call("execute_procedure", json!({"procedure_id": NAME, "parameters": parameters})).await;
        assert_eq!(failed["error_type"], json!("ZeroDivisionError"), "{failed}");
        let back = call("rollback_procedure_code", json!({"procedure_id": NAME, "target_version": "v2"})).await;
        assert_eq!(back["version"], json!(4), "{back}");
        let stats = call("get_procedure_stats", json!({"procedure_id": NAME})).await;
        assert_eq!((&stats["usage_count"], &stats["success_rate"]), (&json!(2), &json!(0.5)), "{stats}");
        client.close().await;
        check_history(&home.repository());
    }
}
