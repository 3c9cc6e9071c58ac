//! Whose procedures are: what others may read, run and change.

use serde_json::{Value, json};

use crate::{
    common::{Home, Protocol, RawClient, remember, text},
    survival::commit_outside,
};

fn start(home: &Home, user: &str) -> RawClient {
    home.start_with(&["--user", user], Protocol::V2025)
}

fn share(client: &mut RawClient, name: &str) {
    client.ok("update_procedure", json!({"procedure_id": name, "is_shared": true}));
}

fn returning(name: &str) -> String {
    format!("def {name}() -> str:\n    \"\"\"Return its name.\"\"\"\n    return '{name}'\n")
}

fn names(answer: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        answer["procedures"].as_array().unwrap().iter().map(|row| text(row, "name").to_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_others_do_not_share_is_not_there() {
    let home = Home::new();
    let (mut ada, mut bob) = (start(&home, "ada"), start(&home, "bob"));
    let trigger = json!({"situation": "secret"});
    let code = returning("secret_recipe");
    ada.ok("remember_procedure", json!({"name": "secret_recipe", "steps": ["Stir"], "trigger": trigger, "code": code}));
    let ran = ada.ok("execute_procedure", json!({"procedure_id": "secret_recipe"}));
    let id = ada.ok("get_procedure", json!({"procedure_id": "secret_recipe"}))["procedure_id"].clone();
    for wanted in [json!("secret_recipe"), id] {
        for tool in [
            "get_procedure",
            "execute_procedure",
            "get_procedure_versions",
            "get_procedure_stats",
            "update_procedure",
            "delete_procedure",
            "generate_procedure_code",
            "list_runs",
        ] {
            let error = bob.refused(tool, json!({"procedure_id": wanted}), "procedure_not_found");
            assert!(!error.contains("closest"), "{tool}: {error}");
        }
        let rollback = json!({"procedure_id": wanted, "target_version": 1});
        bob.refused("rollback_procedure_code", rollback, "procedure_not_found");
        let validate = json!({"procedure_id": wanted, "code": code});
        bob.refused("validate_procedure_code", validate, "procedure_not_found");
    }
    // Nor does a similar name give it away.
    assert!(
        !bob.refused("get_procedure", json!({"procedure_id": "secret_recipes"}), "procedure_not_found")
            .contains("_recipe`; the")
    );
    let none: [&str; 0] = [];
    assert_eq!(names(&bob.ok("list_procedures", json!({}))), none);
    assert_eq!(bob.ok("list_procedures", json!({}))["total"], json!(0));
    assert_eq!(names(&bob.ok("recall_procedures", json!({"query": "secret recipe"}))), none);
    assert_eq!(names(&bob.ok("search_procedures_by_confidence", json!({"min_confidence": 0}))), none);
    assert_eq!(names(&bob.ok("match_procedures", json!({"context": trigger}))), none);
    assert_eq!(bob.ok("list_runs", json!({}))["count"], json!(0));
    bob.refused("get_run", json!({"run_id": ran["run_id"]}), "run_not_found");
    let error = bob.refused("remember_procedure", json!({"name": "secret_recipe", "steps": ["Do"]}), "name_taken");
    assert!(error.contains("another user"), "{error}");
    let similar = json!({"name": "secret_recipe_2", "description": "secret recipe", "steps": ["Stir"]});
    assert!(bob.ok("remember_procedure", similar).get("similar").is_none());
    let caller =
        "from repertoire import call_procedure\n\ndef caller() -> str:\n    return call_procedure('secret_recipe')\n";
    remember(&mut bob, "caller", caller);
    let answer = bob.call("execute_procedure", json!({"procedure_id": "caller"}));
    assert_eq!(answer["error_type"], json!("LookupError"), "{answer}");
    // Deleted, it is still hers.
    ada.ok("delete_procedure", json!({"procedure_id": "secret_recipe"}));
    bob.refused("remember_procedure", json!({"name": "secret_recipe", "steps": ["Do"]}), "name_taken");
    bob.refused("get_procedure_stats", json!({"procedure_id": "secret_recipe"}), "procedure_not_found");
    ada.ok("remember_procedure", json!({"name": "secret_recipe", "steps": ["Stir"]}));
}

#[test]
fn what_is_shared_is_read_and_run_by_all_and_changed_by_its_owner() {
    let home = Home::new();
    let (mut ada, mut bob) = (start(&home, "ada"), start(&home, "bob"));
    let (mine, hers) = (json!({"name": "mine", "steps": ["Do it"], "trigger": {"situation": "shared"}}), "hers");
    bob.ok("remember_procedure", mine);
    ada.ok(
        "remember_procedure",
        json!({"name": hers, "steps": ["Do it"], "code": returning(hers), "is_shared": true,
                                        "trigger": {"situation": "shared"}}),
    );
    let shown = bob.ok("get_procedure", json!({"procedure_id": hers}));
    assert_eq!((&shown["owner"], &shown["is_shared"]), (&json!("ada"), &json!(true)), "{shown}");
    let own = bob.ok("get_procedure", json!({"procedure_id": "mine"}));
    assert_eq!((&own["owner"], &own["is_shared"]), (&json!("bob"), &json!(false)), "{own}");
    let answer = bob.ok("execute_procedure", json!({"procedure_id": hers}));
    assert_eq!(answer["result"], json!(hers), "{answer}");
    assert_eq!(names(&bob.ok("match_procedures", json!({"context": {"situation": "shared"}}))), ["hers", "mine"]);

    let changes = [
        ("update_procedure", json!({"procedure_id": hers, "description": "Bob was here"})),
        ("delete_procedure", json!({"procedure_id": hers})),
        ("generate_procedure_code", json!({"procedure_id": hers})),
        ("generate_procedure_code", json!({"procedure_id": hers, "code": "def hers() -> int:\n    return 2\n"})),
        ("rollback_procedure_code", json!({"procedure_id": hers, "target_version": 1})),
    ];
    for (tool, arguments) in changes {
        let error = bob.refused(tool, arguments, "not_owner");
        assert!(error.contains("`hers`") && error.contains("`ada`"), "{tool}: {error}");
    }
    assert_eq!(ada.ok("get_procedure", json!({"procedure_id": hers}))["version"], shown["version"]);

    for (tool, arguments) in [("list_procedures", json!({})), ("recall_procedures", json!({"query": "do it"}))] {
        assert_eq!(names(&bob.ok(tool, arguments.clone())), ["hers", "mine"], "{tool}");
        let mut own = arguments;
        own["include_shared"] = json!(false);
        assert_eq!(names(&bob.ok(tool, own)), ["mine"], "{tool}");
    }
    let confident = json!({"min_confidence": 0});
    assert_eq!(names(&bob.ok("search_procedures_by_confidence", confident)), ["hers"]);
    let confident = json!({"min_confidence": 0, "include_shared": false});
    assert_eq!(bob.ok("search_procedures_by_confidence", confident)["count"], json!(0));

    ada.ok("update_procedure", json!({"procedure_id": hers, "is_shared": false}));
    bob.refused("get_procedure", json!({"procedure_id": hers}), "procedure_not_found");
    share(&mut ada, hers);
    ada.ok("delete_procedure", json!({"procedure_id": hers}));
    bob.refused("remember_procedure", json!({"name": hers, "steps": ["Do it"]}), "not_owner");
}

#[test]
fn many_procedures_of_others_do_not_crowd_out_ones_own() {
    let home = Home::new();
    let (mut ada, mut bob) = (start(&home, "ada"), start(&home, "bob"));
    for index in 0..60 {
        let steps =
            json!({"name": format!("deploy_{index}"), "description": "deploy deploy deploy", "steps": ["deploy"]});
        ada.ok("remember_procedure", steps);
    }
    bob.ok("remember_procedure", json!({"name": "mine", "description": "How to deploy", "steps": ["Do it"]}));
    assert_eq!(names(&bob.ok("recall_procedures", json!({"query": "deploy"}))), ["mine"]);
}

#[test]
fn the_user_comes_from_the_process_and_never_from_an_argument() {
    let home = Home::new();
    let mut command = home.command(&["--no-starters", "serve"]);
    command.env("REPERTOIRE_USER", "carol");
    let mut carol = RawClient::spawn(command);
    carol.open(Protocol::V2025);
    remember(&mut carol, "hers", &returning("hers"));
    assert_eq!(carol.ok("get_procedure", json!({"procedure_id": "hers"}))["owner"], json!("carol"));
    let refused = json!({"name": "other", "steps": ["Do it"], "owner": "bob"});
    carol.refused("remember_procedure", refused, "invalid_argument");
    let mut same = home.start();
    remember(&mut same, "of_the_system", &returning("of_the_system"));
    let owner = same.ok("get_procedure", json!({"procedure_id": "of_the_system"}))["owner"].clone();
    assert!(owner.as_str().is_some_and(|name| !name.is_empty()), "{owner}");
    let listed = home.run(&["--user", "carol", "list"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("hers") && !listed.contains("of_the_system"), "{listed}");
}

#[test]
fn what_nobody_owns_belongs_to_everybody() {
    let home = Home::new();
    let (mut ada, mut bob) = (start(&home, "ada"), start(&home, "bob"));
    remember(&mut ada, "seed", &returning("seed"));
    let definition = json!({"name": "found", "category": "general", "description": "", "steps": ["Do it"],
                            "trigger": {"type": "event", "event_type": "pushed"}});
    let path = "procedures/general/found/procedure.json";
    commit_outside(&home.repository(), "By hand", &[(path, Some(&definition.to_string()))]);
    for (client, text) in [(&mut ada, "of ada"), (&mut bob, "of bob")] {
        let shown = client.ok("get_procedure", json!({"procedure_id": "found"}));
        assert!(shown.get("owner").is_none(), "{shown}");
        client.ok("update_procedure", json!({"procedure_id": "found", "description": text}));
        let own = client.ok("list_procedures", json!({"include_shared": false}));
        assert!(names(&own).contains(&"found".to_owned()), "{own}");
        assert_eq!(client.ok("emit_event", json!({"event_type": "pushed"}))["count"], json!(1));
    }
}

#[test]
fn starters_are_shared() {
    let home = Home::new();
    let mut ada = RawClient::spawn(home.command(&["--user", "ada", "serve"]));
    ada.open(Protocol::V2025);
    let shown = ada.ok("get_procedure", json!({"procedure_id": "clean_text"}));
    assert_eq!(shown["is_shared"], json!(true), "{shown}");
    assert_eq!(ada.ok("list_procedures", json!({"include_shared": false}))["total"], json!(0));
    ada.ok("update_procedure", json!({"procedure_id": "clean_text", "description": "As we like it"}));
}
