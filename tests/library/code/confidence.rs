//! Confidence is earned: the checks give a prior, outcomes move it, and a new version starts again.

use serde_json::json;

use crate::common::{Home, RawClient};

const NAME: &str = "fragile";

fn code(condition: &str) -> String {
    format!(
        "def fragile(number: int) -> int:\n    \"\"\"Pass a number on.\n\n    Args:\n        number: The number.\n\n    \
         Returns:\n        The number.\n    \"\"\"\n    if {condition}:\n        raise ValueError('no')\n    return number\n"
    )
}

fn confidence(client: &mut RawClient) -> f64 {
    client.ok("get_procedure_stats", json!({"procedure_id": NAME}))["code_confidence"].as_f64().unwrap()
}

fn execute(client: &mut RawClient, times: usize, number: i64) {
    for _ in 0..times {
        client.call("execute_procedure", json!({"procedure_id": NAME, "parameters": {"number": number}}));
    }
}

#[test]
fn outcomes_move_the_confidence_of_the_version_that_they_belong_to() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": NAME, "steps": ["Pass it on"], "code": code("number < 0")}));
    let prior = confidence(&mut client);
    assert!((0.7..=0.9).contains(&prior), "{prior}");
    execute(&mut client, 10, 1);
    let risen = confidence(&mut client);
    assert!(risen > prior, "{risen} after ten successes, {prior} before");
    client.ok("update_procedure", json!({"procedure_id": NAME, "description": "The code is the same."}));
    assert!((confidence(&mut client) - risen).abs() < 1e-9, "a definition does not change what the code has earned");
    client.ok("generate_procedure_code", json!({"procedure_id": NAME, "code": code("number > 0")}));
    assert!((confidence(&mut client) - prior).abs() < 1e-9, "a new version starts from its own prior");
    execute(&mut client, 5, 1);
    let sunk = confidence(&mut client);
    assert!(sunk < 0.5, "{sunk} after five failures");
    let trusted = client.ok("search_procedures_by_confidence", json!({"min_confidence": 0.5}));
    assert_eq!(trusted["count"], json!(0), "{trusted}");
    assert!(client.close().success());
    let rebuilt = home.run(&["doctor", "--rebuild"]);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    assert!((confidence(&mut home.start()) - sunk).abs() < 1e-9, "a rebuilt index keeps what was earned");
}
