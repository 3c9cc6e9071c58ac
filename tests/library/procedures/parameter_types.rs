//! Types of parameters as people say them: accepted, and checked.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, text};

const CODE: &str = "def plan(report: str, day: str, level: str = \"low\", site: str = \"https://example.org\") -> list[str]:\n    \
                    return [report, day, level, site]\n";

fn remember(client: &mut RawClient) {
    let parameters = json!([
        {"name": "report", "type": "file"},
        {"name": "day", "type": "date"},
        {"name": "level", "type": "enum", "choices": ["low", "high"], "default": "low"},
        {"name": "site", "type": "url", "default": "https://example.org"},
    ]);
    client.ok("remember_procedure", json!({"name": "plan", "steps": ["Plan"], "parameters": parameters, "code": CODE}));
}

#[test]
fn they_are_checked_at_the_call() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client);
    let call = |parameters: Value| json!({"procedure_id": "plan", "parameters": parameters});
    let fine = call(json!({"report": "a/b.md", "day": "2026-02-28", "level": "high", "site": "https://example.org/x"}));
    let done = client.ok("execute_procedure", fine);
    assert_eq!(done["result"], json!(["a/b.md", "2026-02-28", "high", "https://example.org/x"]));
    for (wrong, named) in [
        (json!({"report": "", "day": "2026-02-28"}), "a path"),
        (json!({"report": "a", "day": "2026-02-30"}), "a date"),
        (json!({"report": "a", "day": "2026-02-28", "level": "middle"}), "one of `\"low\"`, `\"high\"`"),
        (json!({"report": "a", "day": "2026-02-28", "site": "example.org"}), "a URL"),
    ] {
        let refused = client.call("execute_procedure", call(wrong.clone()));
        assert_eq!(refused["success"], json!(false), "{wrong}: {refused}");
        assert!(text(&refused, "error").contains(named), "{wrong}: {refused}");
    }
    let stored = client.ok("get_procedure", json!({"procedure_id": "plan"}));
    assert_eq!(stored["definition"]["parameters"][2]["choices"], json!(["low", "high"]), "{stored}");
    assert_eq!(stored["definition"]["parameters"][0]["type"], json!("file"));
}

#[test]
fn other_words_for_them_are_understood_and_nonsense_is_not() {
    let home = Home::new();
    let mut client = home.start();
    let mut remember = |parameter: Value| {
        client
            .call("remember_procedure", json!({"name": "one", "steps": ["Look at {{it}}"], "parameters": [parameter]}))
    };
    for (at, parameter) in [
        json!({"name": "it", "type": "path"}),
        json!({"name": "it", "type": "folder", "default": "."}),
        json!({"name": "it", "type": "uri"}),
        json!({"name": "it", "type": "string", "choices": ["a", "b"]}),
        json!({"name": "it", "type": "choice", "choices": [1, 2]}),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = remember(parameter.clone());
        let is_fine = answer["success"] == json!(true) || text(&answer, "error_code") == "name_taken";
        assert!(is_fine, "{at}: {parameter}: {answer}");
    }
    for (parameter, named) in [
        (json!({"name": "it", "type": "enum"}), "choices"),
        (json!({"name": "it", "type": "date", "default": "tomorrow"}), "a date"),
        (json!({"name": "it", "type": "enum", "choices": ["a"], "default": "b"}), "one of `\"a\"`"),
        (json!({"name": "it", "type": "integer", "choices": ["a"]}), "not of type `int`"),
        (json!({"name": "it", "type": "colour"}), "directory"),
    ] {
        let refused = remember(parameter.clone());
        assert!(text(&refused, "error").contains(named), "{parameter}: {refused}");
    }
}
