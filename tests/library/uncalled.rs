//! What nobody called and fails, fails for somebody: it is a failed run that counts, and an item of the inbox.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    cli::commands::succeed,
    common::{Home, PATIENCE, RawClient, eventually, text},
};

fn database(home: &Home) -> Connection {
    let connection = Connection::open(home.path().join("repertoire.db")).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection
}

fn number(home: &Home, sql: &str) -> i64 {
    database(home).query_row(sql, [], |row| row.get(0)).unwrap()
}

fn yearly() -> Value {
    json!({"type": "time", "cron_expression": "0 0 1 1 *", "timezone": "Europe/Berlin"})
}

fn remember(client: &mut RawClient, name: &str, trigger: Value, code: &str) -> Value {
    client.ok("remember_procedure", json!({"name": name, "steps": ["Do it"], "trigger": trigger, "code": code}))
}

/// Lets the clock strike for everything, and waits until it is over.
fn strike(home: &Home, client: &mut RawClient, round: i64) {
    let before = number(home, "SELECT count(*) FROM ticks WHERE ended_at > 0");
    let scheduled = number(home, "SELECT count(*) FROM schedules");
    database(home).execute("UPDATE schedules SET next_due = ?1", [1_700_000_000_000 + round]).unwrap();
    // A change makes the server look at once.
    client.ok("remember_procedure", json!({"name": format!("note_{round}"), "steps": ["Do it"]}));
    let ended = "SELECT count(*) FROM ticks WHERE ended_at > 0";
    eventually("all ticks are over", || number(home, ended) == before + scheduled);
}

fn items_of(client: &mut RawClient, name: &str) -> Vec<Value> {
    let inbox = client.ok("list_inbox", json!({}));
    let items = inbox["items"].as_array().unwrap().iter();
    items.filter(|item| item["procedure"] == json!(name)).cloned().collect()
}

fn the_run_of(client: &mut RawClient, name: &str) -> Value {
    let runs = client.ok("list_runs", json!({"procedure_id": name}));
    let [run] = &runs["runs"].as_array().unwrap()[..] else { panic!("{runs}") };
    client.ok("get_run", json!({"run_id": run["run_id"]}))
}

#[test]
fn whatever_goes_wrong_at_a_tick_is_a_failed_run_that_counts_and_an_item_of_the_inbox() {
    let home = Home::with_config("[channels.pager]\ncommand = ['true']\n[notifications]\nchannel = 'pager'\n");
    let mut client = home.start();
    let raising = "def raising() -> int:\n    raise ValueError('no money left')\n";
    let hungry = "def hungry(city: str) -> str:\n    \"\"\"Say it.\"\"\"\n    return city\n";
    let wrong = "def wrong(date: int) -> int:\n    \"\"\"Say it.\"\"\"\n    return date\n";
    let grasping = "from repertoire import run_command\n\n\ndef grasping() -> str:\n    \"\"\"Ask.\"\"\"\n    \
                    return run_command(['rm', 'x']).stdout\n";
    for (name, code) in [("raising", raising), ("hungry", hungry), ("wrong", wrong), ("grasping", grasping)] {
        remember(&mut client, name, yearly(), code);
    }
    client.ok(
        "remember_procedure",
        json!({"name": "greedy", "steps": ["Do it"], "trigger": yearly(), "permissions": {"commands": ["rm"]},
               "code": "def greedy() -> int:\n    \"\"\"Take.\"\"\"\n    return 1\n"}),
    );
    strike(&home, &mut client, 0);
    let expected = [
        ("raising", "ValueError", "no money left"),
        ("hungry", "TypeError", "missing parameter `city`"),
        ("wrong", "TypeError", "date"),
        ("grasping", "PermissionError", "rm"),
        ("greedy", "PermissionError", "rm"),
    ];
    for (name, class, message) in expected {
        let run = the_run_of(&mut client, name);
        assert_eq!(run["status"], json!("failed"), "{run}");
        assert!(text(&run, "error").contains(message), "{run}");
        let shown = client.ok("get_procedure", json!({"procedure_id": name}));
        assert_eq!((&shown["run_count"], &shown["success_rate"]), (&json!(1), &json!(0.0)), "{shown}");
        let items = items_of(&mut client, name);
        let [item] = &items[..] else { panic!("{items:?}") };
        assert_eq!((&item["run_id"], &item["kind"]), (&run["run_id"], &json!("notification")), "{item}");
        assert_eq!(item["title"], json!(format!("`{name}` failed")));
        let body = text(item, "body");
        assert!(body.starts_with(&format!("{class}: ")) && body.contains(message), "{body}");
    }
    let inbox = succeed(&home, &["inbox"]);
    assert!(inbox.contains("`raising` failed") && inbox.contains("`greedy` failed"), "{inbox}");
    strike(&home, &mut client, 1);
    assert_eq!(items_of(&mut client, "hungry").len(), 2, "each failure is one");
    let stats = client.ok("get_procedure_stats", json!({"procedure_id": "hungry"}));
    assert_eq!(stats["execution_stats"]["failure"], json!(2), "{stats}");
}

#[test]
fn a_tick_that_finds_no_code_or_no_settings_is_told_too() {
    let home = Home::new();
    let mut client = home.start();
    client.ok("remember_procedure", json!({"name": "empty", "steps": ["Do it"], "trigger": yearly()}));
    for round in 0..3 {
        strike(&home, &mut client, round);
    }
    let items = items_of(&mut client, "empty");
    assert_eq!(items.len(), 1, "one is enough until somebody is done with it: {items:?}");
    assert_eq!(items[0]["title"], json!("`empty` did nothing"));
    client.ok("resolve_inbox_item", json!({"item_id": items[0]["id"]}));
    strike(&home, &mut client, 3);
    assert_eq!(items_of(&mut client, "empty").len(), 1);
    remember(&mut client, "fine", yearly(), "def fine() -> int:\n    \"\"\"Return 1.\"\"\"\n    return 1\n");
    home.configure("[limits]\nseconds = 'many'\n");
    database(&home).execute("UPDATE schedules SET next_due = 1700000009999", []).unwrap();
    let failed = "SELECT count(*) FROM inbox WHERE title = '`fine` failed' AND body LIKE '%config.toml%'";
    eventually("what is wrong with the settings is told", || number(&home, failed) == 1);
}

#[test]
fn what_succeeds_or_was_called_by_somebody_leaves_nothing_in_the_inbox() {
    let home = Home::new();
    let mut client = home.start();
    let code = "def sometimes(fail: bool = False) -> int:\n    \"\"\"Fail on demand.\"\"\"\n    if fail:\n        \
                raise ValueError('no')\n    return 1\n";
    remember(&mut client, "sometimes", yearly(), code);
    strike(&home, &mut client, 0);
    client.call("execute_procedure", json!({"procedure_id": "sometimes", "parameters": {"fail": true}}));
    client.call("execute_procedure", json!({"procedure_id": "sometimes", "parameters": {"nonsense": 1}}));
    let failed = home.run(&["run", "sometimes", "fail=true"]);
    assert!(!failed.status.success());
    assert!(items_of(&mut client, "sometimes").is_empty());
    let shown = client.ok("get_procedure", json!({"procedure_id": "sometimes"}));
    assert_eq!(shown["run_count"], json!(3), "what a caller is told at once is no run: {shown}");
}

#[test]
fn what_an_event_started_and_what_was_gone_on_with_is_told_as_well() {
    let home = Home::new();
    let mut client = home.start();
    let event = json!({"type": "event", "event_type": "ended"});
    remember(
        &mut client,
        "picky",
        event.clone(),
        "def picky(room: str) -> str:\n    \"\"\"Say it.\"\"\"\n    return room\n",
    );
    remember(
        &mut client,
        "broken",
        event,
        "def broken() -> str:\n    \"\"\"Fail.\"\"\"\n    raise KeyError('sales')\n",
    );
    let answer = client.ok("emit_event", json!({"event_type": "ended"}));
    for run in answer["runs"].as_array().unwrap() {
        let items = items_of(&mut client, text(run, "name"));
        assert_eq!((items.len(), &items[0]["run_id"]), (1, &run["run_id"]), "{run}");
    }
    // A gate closes while nobody is there, and what was asked for is not done.
    let asks = "from repertoire import approve\n\n\ndef asks() -> str:\n    \"\"\"Ask.\"\"\"\n    \
                approve('Send it?', timeout=1)\n    return 'sent'\n";
    remember(&mut client, "asks", yearly(), asks);
    strike(&home, &mut client, 0);
    assert_eq!(items_of(&mut client, "asks").iter().filter(|item| item["kind"] == json!("notification")).count(), 0);
    eventually("the gate closes", || {
        items_of(&mut client, "asks").iter().any(|item| item["title"] == json!("`asks` failed"))
    });
    let run = the_run_of(&mut client, "asks");
    assert_eq!(run["status"], json!("failed"), "{run}");
    assert_eq!(items_of(&mut client, "asks").len(), 1);
}

#[test]
fn a_trigger_whose_parameters_can_not_be_filled_is_warned_of_where_it_is_made() {
    let home = Home::new();
    let mut client = home.start();
    let hungry = "def hungry(city: str, date: str) -> str:\n    \"\"\"Say it.\"\"\"\n    return city + date\n";
    let warning = |answer: &Value| answer["trigger_warning"].as_str().unwrap_or_default().to_owned();
    let remembered = remember(&mut client, "hungry", yearly(), hungry);
    let said = warning(&remembered);
    assert!(said.contains("missing parameter `city`") && said.contains("`scheduled_at`"), "{remembered}");
    // What a tick brings, defaults and everything that takes a situation as it is are fine.
    let fed = "def fed(date: str, time: str, timezone: str, scheduled_at: str, trigger: dict, event: dict, n: int = 3) \
               -> str:\n    \"\"\"Say it.\"\"\"\n    return date\n";
    assert_eq!(warning(&remember(&mut client, "fed", yearly(), fed)), "");
    let event = json!({"type": "event", "event_type": "ended"});
    assert_eq!(warning(&remember(&mut client, "eventful", event, &hungry.replace("hungry", "eventful"))), "");
    let typed = "def typed(date: int) -> int:\n    \"\"\"Say it.\"\"\"\n    return date\n";
    assert!(warning(&remember(&mut client, "typed", yearly(), typed)).contains("date"));
    // Before there is code, the definition says it.
    let declared = json!({"name": "declared", "steps": ["Do it"], "trigger": yearly(),
        "parameters": [{"name": "city", "type": "string"}, {"name": "date", "type": "string"},
                       {"name": "n", "type": "integer", "default": 3}]});
    let said = warning(&client.ok("remember_procedure", declared));
    assert!(said.contains("nothing gives it `city`") && !said.contains("`n`"), "{said}");
    // A trigger that comes later, code that comes later, and a copy.
    remember(&mut client, "later", json!({}), &hungry.replace("hungry", "later"));
    let updated = client.ok("update_procedure", json!({"procedure_id": "later", "trigger": yearly()}));
    assert!(warning(&updated).contains("`city`"), "{updated}");
    let generated = client.ok(
        "generate_procedure_code",
        json!({"procedure_id": "fed", "code": hungry.replace("hungry", "fed"), "use_llm": false}),
    );
    assert!(warning(&generated).contains("`city`"), "{generated}");
    let cloned = succeed(&home, &["clone", "hungry", "copy"]);
    assert!(cloned.contains("But the clock could not start it") && cloned.contains("`city`"), "{cloned}");
}
