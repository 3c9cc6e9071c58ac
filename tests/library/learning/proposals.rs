//! Procedures that are candidates: kept, shown and decided on, and until then used by nobody.

use serde_json::{Value, json};

use super::candidates::{candidates, fail as fail_run, review};
use crate::{
    cli::commands::{fail, succeed},
    common::{Home, Protocol, RawClient, remember, text},
    survival::commit_outside,
};

const CODE: &str = "from repertoire import notify\n\ndef defrost(minutes: int = 5) -> str:\n    \"\"\"Defrost the freezer.\n\n    \
                    Args:\n        minutes: How long.\n\n    Returns:\n        What was done.\n    \"\"\"\n    \
                    notify('defrosted')\n    return 'done'\n";

fn propose(client: &mut RawClient, name: &str, fields: Value) -> Value {
    let mut arguments = json!({
        "name": name, "description": "Defrost the freezer.", "steps": ["Open the door", "Wait"], "status": "candidate",
        "code": CODE.replace("defrost(", &format!("{name}(")),
    });
    arguments.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let answer = client.ok("remember_procedure", arguments);
    assert_eq!(answer["status"], json!("candidate"), "{answer}");
    answer
}

fn ids(client: &mut RawClient) -> Vec<i64> {
    candidates(client).iter().map(|candidate| candidate["candidate_id"].as_i64().unwrap()).collect()
}

#[test]
fn a_candidate_is_used_by_nobody_until_it_is_approved() {
    let home = Home::new();
    let mut client = home.start();
    propose(&mut client, "defrost", json!({"trigger": {"type": "event", "event_type": "ice_seen"}}));
    let calling = "from repertoire import call_procedure\n\ndef caller():\n    \"\"\"Call.\"\"\"\n    \
                   return call_procedure('defrost')\n";
    remember(&mut client, "caller", calling);
    let call = json!({"procedure_id": "defrost"});

    let error = client.refused("execute_procedure", call.clone(), "procedure_is_candidate");
    assert!(error.contains("`defrost` is a candidate") && error.contains("review_candidate"), "{error}");
    let called = client.call("execute_procedure", json!({"procedure_id": "caller"}));
    assert_eq!((&called["outcome"], &called["error_type"]), (&json!("failure"), &json!("RuntimeError")), "{called}");
    assert!(text(&called, "error").contains("is a candidate"), "{called}");
    assert_eq!(client.ok("emit_event", json!({"event_type": "ice_seen"}))["count"], json!(0));
    assert_eq!(client.ok("match_procedures", json!({"context": {"event_type": "ice_seen"}}))["count"], json!(0));
    let sure = json!({"min_confidence": 0});
    let found = client.ok("search_procedures_by_confidence", sure.clone());
    assert_eq!(
        found["procedures"].as_array().unwrap().iter().map(|one| text(one, "name")).collect::<Vec<_>>(),
        ["caller"]
    );
    assert_eq!(client.ok("recall_procedures", json!({"query": "defrost the freezer"}))["count"], json!(0));
    let error = fail(&home, &["run", "defrost"]);
    assert!(error.contains("is a candidate") && error.contains("repertoire review"), "{error}");
    assert_eq!(client.ok("get_procedure_stats", call.clone())["usage_count"], json!(0));

    let listed = candidates(&mut client).remove(0);
    assert_eq!((text(&listed, "name"), text(&listed, "problem")), ("defrost", "Defrost the freezer."));
    assert_eq!(text(&listed, "solution"), "Open the door; Wait");
    assert_eq!((&listed["evidence"]["kind"], &listed["evidence"]["version"]), (&json!("procedure"), &json!(1)));
    let decided = review(&mut client, listed["candidate_id"].as_i64().unwrap(), "approve");
    assert_eq!((text(&decided, "status"), text(&decided, "name")), ("active", "defrost"));
    assert_eq!(decided["procedure_id"], listed["procedure_id"]);

    assert_eq!(candidates(&mut client), Vec::<Value>::new());
    assert_eq!(client.ok("execute_procedure", call.clone())["result"], json!("done"));
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "caller"}))["result"], json!("done"));
    assert_eq!(client.ok("emit_event", json!({"event_type": "ice_seen"}))["count"], json!(1));
    assert_eq!(client.ok("search_procedures_by_confidence", sure)["count"], json!(2));
    assert_eq!(text(&client.ok("recall_procedures", json!({"query": "defrost"}))["procedures"][0], "name"), "defrost");
    let versions = client.ok("get_procedure_versions", call);
    assert_eq!(text(&versions["versions"][0], "message"), "Approve defrost");
    let again = json!({"candidate_id": listed["candidate_id"], "decision": "reject"});
    let error = client.refused("review_candidate", again, "already_reviewed");
    assert!(error.contains("approved by") && error.contains("`defrost`"), "{error}");
}

#[test]
fn a_candidate_that_is_rejected_is_put_away_and_not_executed() {
    let home = Home::new();
    let mut client = home.start();
    propose(&mut client, "defrost", json!({}));
    let decided = review(&mut client, 1, "reject");
    assert_eq!((text(&decided, "status"), text(&decided, "name")), ("rejected", "defrost"));
    client.refused("execute_procedure", json!({"procedure_id": "defrost"}), "procedure_disabled");
    assert_eq!(
        client.ok("get_procedure", json!({"procedure_id": "defrost"}))["definition"]["status"],
        json!("archived")
    );
    assert_eq!(candidates(&mut client), Vec::<Value>::new());
    // Proposed once more, it waits under the number that it has.
    client.ok("update_procedure", json!({"procedure_id": "defrost", "status": "candidate", "enabled": true}));
    assert_eq!(ids(&mut client), [1]);
    client.ok("delete_procedure", json!({"procedure_id": "defrost"}));
    assert_eq!(ids(&mut client), [0_i64; 0]);
    client.refused("review_candidate", json!({"candidate_id": 1, "decision": "approve"}), "candidate_not_found");
}

#[test]
fn a_candidate_that_was_pushed_is_shown_and_decided_on_like_any_other() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "first", "def first():\n    return 1\n");
    let definition = json!({"name": "thaw", "category": "kitchen", "description": "Thaw bread.", "steps": ["Thaw"],
                            "status": "candidate", "problem": "The bread is frozen."});
    let code = CODE.replace("defrost", "thaw");
    let folder = "procedures/kitchen/thaw";
    let files =
        [(format!("{folder}/procedure.json"), definition.to_string()), (format!("{folder}/procedure.py"), code)];
    let files: Vec<(&str, Option<&str>)> =
        files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
    commit_outside(&home.repository(), "Propose thawing", &files);
    client.refused("execute_procedure", json!({"procedure_id": "thaw"}), "procedure_is_candidate");
    let listed = candidates(&mut client).remove(0);
    assert_eq!((text(&listed, "name"), text(&listed, "problem")), ("thaw", "The bread is frozen."));
    let approve = json!({"candidate_id": listed["candidate_id"], "decision": "approve",
                         "edits": {"category": "food", "tags": ["bread"]}});
    client.ok("review_candidate", approve);
    let procedure = client.ok("get_procedure", json!({"procedure_id": "thaw"}))["definition"].clone();
    assert_eq!((&procedure["category"], &procedure["tags"]), (&json!("food"), &json!(["bread"])), "{procedure}");
    assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "thaw"}))["result"], json!("done"));
    // Whoever pushes decides too.
    let path = "procedures/food/thaw/procedure.json";
    commit_outside(&home.repository(), "Take it back", &[(path, Some(&definition.to_string()))]);
    assert_eq!(ids(&mut client), [1]);
    let used = definition.to_string().replace("\"candidate\"", "\"active\"");
    commit_outside(&home.repository(), "Use it", &[(path, Some(&used))]);
    assert_eq!(ids(&mut client), [0_i64; 0]);
    let error = client.refused("review_candidate", json!({"candidate_id": 1, "decision": "skip"}), "already_reviewed");
    assert!(error.contains("approved by `a push`"), "{error}");
}

#[test]
fn lessons_and_procedures_wait_in_one_list() {
    let home = Home::new();
    let mut client = home.start();
    propose(&mut client, "defrost", json!({}));
    for run in ["r1", "r2"] {
        fail_run(&mut client, run, "test", "broken", json!({}));
    }
    propose(&mut client, "descale", json!({"solution": "With vinegar."}));
    assert_eq!(ids(&mut client), [1, 2, 3], "a number is given once");
    let shown: Vec<bool> = candidates(&mut client).iter().map(|one| one.get("procedure_id").is_some()).collect();
    assert_eq!(shown, [true, false, true]);
    review(&mut client, 1, "skip");
    assert_eq!(ids(&mut client), [2, 3, 1]);
    let edit = json!({"candidate_id": 3, "decision": "edit", "edits": {"solution": "With lemon."}});
    let edited = client.ok("review_candidate", edit);
    assert_eq!((text(&edited, "status"), text(&edited, "name")), ("candidate", "descale"));
    let described = client.ok("get_procedure", json!({"procedure_id": "descale"}))["definition"].clone();
    assert_eq!((&described["solution"], described.get("problem")), (&json!("With lemon."), None), "{described}");
    let renamed = json!({"candidate_id": 3, "decision": "approve", "edits": {"name": "clean_kettle"}});
    let error = client.refused("review_candidate", renamed, "invalid_argument");
    assert!(error.contains("`descale`") && error.contains("clone_of"), "{error}");
    review(&mut client, 2, "approve");
    review(&mut client, 3, "approve");
    assert_eq!(ids(&mut client), [1]);
    client.close();
    // What is derived from the history is there again, with its number.
    succeed(&home, &["doctor", "--rebuild"]);
    assert_eq!(ids(&mut home.start()), [1]);
}

#[test]
fn no_call_of_an_agent_decides_on_a_candidate_where_that_is_for_people() {
    let home = Home::with_config("[policy]\napprovals = 'human'\n");
    let mut client = home.start();
    propose(&mut client, "defrost", json!({}));
    for (tool, arguments) in [
        ("review_candidate", json!({"candidate_id": 1, "decision": "approve"})),
        ("review_candidate", json!({"candidate_id": 1, "decision": "reject"})),
        ("update_procedure", json!({"procedure_id": "defrost", "status": "active"})),
        ("update_procedure", json!({"procedure_id": "defrost", "status": "archived"})),
    ] {
        let error = client.refused(tool, arguments, "approval_needs_human");
        assert!(error.contains("`repertoire review 1 --"), "{error}");
    }
    let error = fail(&home, &["review", "1", "--approve"]);
    assert!(error.contains("only a person"), "{error}");
    client.ok("update_procedure", json!({"procedure_id": "defrost", "description": "Still a candidate."}));
    assert_eq!(ids(&mut client), [1]);
    // Who wants agents to decide says so.
    home.configure("[policy]\napprovals = 'client'\n");
    client.ok("update_procedure", json!({"procedure_id": "defrost", "status": "active"}));
    client.ok("execute_procedure", json!({"procedure_id": "defrost"}));
}

#[test]
fn the_command_line_lists_shows_and_decides() {
    let home = Home::with_config("[policy]\napprovals = 'client'\n");
    let mut client = home.start();
    propose(&mut client, "defrost", json!({}));
    propose(&mut client, "descale", json!({}));
    let listed = succeed(&home, &["review"]);
    assert!(listed.contains("procedure") && listed.contains("defrost") && listed.contains("descale"), "{listed}");
    let shown = succeed(&home, &["review", "1"]);
    assert!(shown.contains("candidate 1 · procedure defrost") && shown.contains("Defrost the freezer."), "{shown}");
    assert!(succeed(&home, &["review", "1", "--approve"]).contains("It is procedure `defrost`"));
    assert!(succeed(&home, &["review", "2", "--reject"]).contains("Candidate 2 is rejected."));
    assert_eq!(succeed(&home, &["run", "defrost"]), "done\n");
    assert!(fail(&home, &["run", "descale"]).contains("disabled"));
    assert!(fail(&home, &["review", "1", "--approve"]).contains("approved by"));
}

#[test]
fn the_candidates_of_others_are_theirs() {
    let home = Home::new();
    let start = |user| home.start_with(&["--user", user], Protocol::V2025);
    let (mut ada, mut bob) = (start("ada"), start("bob"));
    propose(&mut ada, "defrost", json!({"is_shared": true}));
    assert_eq!((ids(&mut ada), ids(&mut bob)), (vec![1], vec![]));
    bob.refused("review_candidate", json!({"candidate_id": 1, "decision": "approve"}), "candidate_not_found");
    bob.refused("execute_procedure", json!({"procedure_id": "defrost"}), "procedure_is_candidate");
    let copy = bob.ok("remember_procedure", json!({"clone_of": "defrost", "name": "my_defrost"}));
    assert_eq!(copy["status"], json!("candidate"), "a copy of what nobody has decided on is a candidate too");
    assert_eq!((ids(&mut ada), ids(&mut bob)), (vec![1], vec![2]));
}
