//! Running a procedure by hand that something else starts otherwise: it is given what that would give it.

use serde_json::{Value, json};

use crate::{
    cli::commands::{fail, succeed},
    common::{Home, RawClient},
};

/// A procedure that gives back what it was given by its schedule and beside.
fn remember_briefing(client: &mut RawClient) {
    let code = "def briefing(trigger: dict, city: str = 'Wien') -> dict:\n    \"\"\"Brief.\"\"\"\n    \
                return {'trigger': trigger, 'city': city}\n";
    client.ok(
        "remember_procedure",
        json!({"name": "briefing", "steps": ["Brief"], "code": code,
               "trigger": {"type": "time", "cron_expression": "0 6 * * *", "timezone": "Pacific/Auckland"}}),
    );
}

#[test]
fn a_scheduled_procedure_is_run_now_as_its_clock_would() {
    let home = Home::new();
    let mut client = home.start();
    remember_briefing(&mut client);
    let printed = succeed(&home, &["run", "briefing"]);
    let result: Value = serde_json::from_str(&printed).unwrap();
    let trigger = &result["trigger"];
    let auckland = |at: &Value| {
        let at: jiff::Timestamp = at.as_str().unwrap().parse().unwrap();
        at.in_tz("Pacific/Auckland").unwrap()
    };
    let due = auckland(&trigger["scheduled_at"]);
    assert_eq!((&trigger["date"], &trigger["timezone"]), (&json!(due.date().to_string()), &json!("Pacific/Auckland")));
    assert_eq!(trigger["time"], json!(due.strftime("%H:%M").to_string()));
    assert!(jiff::Timestamp::now().as_second() - due.timestamp().as_second() < 60, "{trigger}");
    // What is said beside, over what the clock says; what is passed, over both.
    let context = r#"{"date": "2026-02-28", "city": "Graz", "weather": {"rain": true}}"#;
    let given = |more: &[&str]| -> Value {
        let printed = succeed(&home, &[&["run", "briefing", "--context", context], more].concat());
        serde_json::from_str(&printed).unwrap()
    };
    let result = given(&[]);
    assert_eq!((&result["city"], &result["trigger"]["date"]), (&json!("Graz"), &json!("2026-02-28")), "{result}");
    assert_eq!(result["trigger"]["weather"], json!({"rain": true}));
    assert_eq!(result["trigger"]["timezone"], json!("Pacific/Auckland"));
    assert_eq!(given(&["city=Linz"])["city"], json!("Linz"));
    assert_eq!(given(&["trigger={\"own\": 1}"])["trigger"], json!({"own": 1}));
    // The same for agents.
    let answer = client.ok("execute_procedure", json!({"procedure_id": "briefing", "context": {"mood": "fine"}}));
    assert_eq!(answer["result"]["trigger"]["mood"], json!("fine"), "{answer}");
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "briefing"}))["outcome"], json!("success"));
    assert!(fail(&home, &["run", "briefing", "city=[1]"]).contains("city"));
    assert!(!home.run(&["run", "briefing", "--context", "[1]"]).status.success());
}

#[test]
fn a_context_stands_for_an_event_or_for_nothing_but_itself() {
    let home = Home::new();
    let mut client = home.start();
    let code = "def follow_up(event: dict, version: str, channel: str = '') -> list:\n    \"\"\"Follow.\"\"\"\n    \
                return [event['event_type'], version, channel]\n";
    client.ok(
        "remember_procedure",
        json!({"name": "follow_up", "steps": ["Follow"], "code": code,
               "trigger": {"type": "event", "event_type": "released", "event_filter": {"channel": "stable"}}}),
    );
    let answer = client.ok("execute_procedure", json!({"procedure_id": "follow_up", "context": {"version": "2.1"}}));
    assert_eq!(answer["result"], json!(["released", "2.1", "stable"]), "{answer}");
    // Without one, nothing happened that it could be told of.
    let said = client.refused("execute_procedure", json!({"procedure_id": "follow_up"}), "invalid_parameters");
    assert!(said.contains("event"), "{said}");
    client.ok(
        "remember_procedure",
        json!({"name": "plain", "steps": ["Add"], "code": "def plain(left: int, right: int = 1) -> int:\n    return left + right\n"}),
    );
    let call = json!({"procedure_id": "plain", "context": {"left": 4, "weather": "fine"}});
    assert_eq!(client.ok("execute_procedure", call)["result"], json!(5));
    let nothing = json!({"procedure_id": "plain", "context": {"weather": "fine"}});
    let said = client.refused("execute_procedure", nothing, "invalid_argument");
    assert!(said.contains("`plain` takes nothing of this context"), "{said}");
}
