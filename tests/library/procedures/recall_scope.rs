//! Procedures recalled within a workflow, a run, a node: only what has to do with it.

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, eventually, remember, text};

fn complete(client: &mut RawClient, workflow: &str, run: &str, nodes: &[&str], error: Option<&str>) -> Value {
    for node in nodes {
        let state = json!({"at": node});
        let checkpoint = json!({"workflow_id": workflow, "run_id": run, "node_id": node, "state": state});
        client.ok("save_checkpoint", checkpoint);
    }
    let failed = usize::from(error.is_some());
    let mut draft = json!({
        "workflow_id": workflow, "run_id": run, "outcome": if error.is_some() { "failure" } else { "success" },
        "duration_ms": 10, "node_count": nodes.len(), "nodes_succeeded": nodes.len() - failed, "nodes_failed": failed,
    });
    if let Some(error) = error {
        draft["error_message"] = json!(error);
    }
    client.ok("complete_workflow", draft)
}

fn approve(client: &mut RawClient, candidate: &Value, name: &str) {
    let arguments = json!({"candidate_id": candidate, "decision": "approve", "edits": {"name": name}});
    client.ok("review_candidate", arguments);
}

fn names(client: &mut RawClient, arguments: Value) -> String {
    let answer = client.ok("recall_procedures", arguments);
    let procedures = answer["procedures"].as_array().unwrap();
    assert_eq!(answer["count"], json!(procedures.len()));
    let mut names: Vec<&str> = procedures.iter().map(|procedure| text(procedure, "name")).collect();
    names.sort_unstable();
    names.join(" ")
}

#[test]
fn a_workflow_has_only_what_was_learned_from_it() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "bystander", "def bystander():\n    return 'deploy'\n");
    for (workflow, nodes) in [("deploy", ["build", "ship"]), ("report", ["fetch", "print"])] {
        for run in 1..=3 {
            let run = format!("{workflow}-{run}");
            let answer = complete(&mut client, workflow, &run, &nodes, None);
            if answer["learnings_extracted"] == json!(1) {
                approve(&mut client, &answer["candidate_ids"][0], &format!("learned_{workflow}"));
            }
        }
    }
    for run in ["deploy-4", "deploy-5"] {
        let answer = complete(&mut client, "deploy", run, &["build"], Some("disk full"));
        if answer["learnings_extracted"] == json!(1) {
            approve(&mut client, &answer["candidate_ids"][0], "deploy_disk");
        }
    }
    let workflow = json!({"query": "", "scope": "workflow", "workflow_id": "deploy"});
    assert_eq!(names(&mut client, workflow), "deploy_disk learned_deploy");
    let report = json!({"query": "", "workflow_id": "report"});
    assert_eq!(names(&mut client, report), "learned_report");
    let words = json!({"query": "run end well", "workflow_id": "report", "limit": 50});
    assert_eq!(names(&mut client, words), "learned_report", "words find nothing beyond the scope");
    assert_eq!(names(&mut client, json!({"query": "", "workflow_id": "nowhere"})), "");
    let run = json!({"query": "", "scope": "run", "workflow_id": "deploy", "run_id": "deploy-1"});
    assert_eq!(names(&mut client, run), "learned_deploy");
    let failed = json!({"query": "", "workflow_id": "deploy", "run_id": "deploy-5"});
    assert_eq!(names(&mut client, failed), "deploy_disk");
    let foreign = json!({"query": "", "workflow_id": "report", "run_id": "deploy-5"});
    assert_eq!(names(&mut client, foreign), "", "a run of another workflow");
    let node = |node: &str| json!({"query": "", "workflow_id": "deploy", "run_id": "deploy-1", "node_id": node});
    assert_eq!(names(&mut client, node("ship")), "learned_deploy");
    assert_eq!(names(&mut client, node("fetch")), "");
    let category = json!({"query": "", "workflow_id": "deploy", "category": "other"});
    assert_eq!(names(&mut client, category), "", "filters count within a scope too");
}

#[test]
fn a_procedure_is_a_workflow_with_those_that_its_runs_called() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "deepest", "def deepest():\n    return 3\n");
    let call = |name: &str| {
        format!("from repertoire import call_procedure\n\ndef main():\n    return call_procedure('{name}')\n")
    };
    remember(&mut client, "middle", &call("deepest"));
    remember(&mut client, "outer", &call("middle"));
    remember(&mut client, "bystander", "def bystander():\n    return 1\n");
    client.ok("execute_procedure", json!({"procedure_id": "bystander"}));
    let run = client.ok("execute_procedure", json!({"procedure_id": "outer"}))["run_id"].clone();
    let workflow = |name: &str| json!({"query": "", "scope": "workflow", "workflow_id": name});
    assert_eq!(names(&mut client, workflow("outer")), "deepest middle outer");
    assert_eq!(names(&mut client, workflow("deepest")), "deepest");
    let of_run = json!({"query": "", "scope": "run", "workflow_id": "outer", "run_id": run});
    assert_eq!(names(&mut client, of_run), "deepest middle outer");
    let of_other = json!({"query": "", "scope": "run", "workflow_id": "bystander", "run_id": run});
    assert_eq!(names(&mut client, of_other), "");
    let node = json!({
        "query": "", "scope": "node", "workflow_id": "outer", "run_id": run, "node_id": "call_procedure middle",
    });
    assert_eq!(names(&mut client, node), "middle");
}

#[test]
fn user_and_tenant_differ_by_what_is_shared() {
    let home = Home::new();
    let [mut ada, mut bob] = ["ada", "bob"].map(|user| home.start_with(&["--user", user], Protocol::V2025));
    let shared = |name: &str, is_shared: bool| {
        let code = format!("def {name}(fail: bool = False):\n    assert not fail, 'it broke'\n    return 1\n");
        json!({"name": name, "description": "Tidy up.", "steps": ["Do it"], "code": code, "is_shared": is_shared})
    };
    ada.ok("remember_procedure", shared("common", true));
    ada.ok("remember_procedure", shared("private", false));
    bob.ok("remember_procedure", shared("of_bob", false));
    let query = |scope: &str| json!({"query": "tidy", "scope": scope});
    assert_eq!(names(&mut bob, query("user")), "of_bob");
    assert_eq!(names(&mut bob, query("tenant")), "common of_bob");
    assert_eq!(names(&mut bob, json!({"query": "tidy"})), "common of_bob", "as without a scope");
    for (name, fail) in [("common", true), ("private", true)] {
        ada.call("execute_procedure", json!({"procedure_id": name, "parameters": {"fail": fail}}));
    }
    let workflows = |client: &mut RawClient, scope: &str| {
        let answer = client.ok("recall_outcomes", json!({"scope": scope}));
        let outcomes = answer["outcomes"].as_array().unwrap();
        let mut names: Vec<String> = outcomes.iter().map(|outcome| text(outcome, "workflow_id").to_owned()).collect();
        names.sort_unstable();
        names.join(" ")
    };
    eventually("both runs are outcomes of hers", || workflows(&mut ada, "user") == "common private");
    assert_eq!(workflows(&mut bob, "tenant"), "", "a run is of who started it, whatever it executes");
    assert_eq!(workflows(&mut bob, "user"), "");
}

#[test]
fn a_prompt_has_procedures_and_outcomes() {
    let home = Home::new();
    let mut client = home.start();
    for run in ["r1", "r2"] {
        let answer = complete(&mut client, "deploy", run, &["build"], Some("disk full on host 7"));
        if answer["learnings_extracted"] == json!(1) {
            approve(&mut client, &answer["candidate_ids"][0], "mind_the_disk");
        }
    }
    complete(&mut client, "other", "r3", &["build"], Some("disk full elsewhere"));
    let arguments = json!({"query": "disk full", "workflow_id": "deploy", "include_workflow_outcomes": true});
    let answer = client.ok("recall_procedures", arguments.clone());
    assert_eq!(answer["count"], json!(1), "procedures are counted: {answer}");
    let runs: Vec<&str> = answer["outcomes"].as_array().unwrap().iter().map(|found| text(found, "run_id")).collect();
    assert_eq!(runs, ["r2", "r1"]);
    let without = client.ok("recall_procedures", json!({"query": "disk", "workflow_id": "deploy"}));
    assert_eq!(without.get("outcomes"), None);
    let mut as_prompt = arguments;
    as_prompt["as_prompt"] = json!(true);
    let answer = client.ok("recall_procedures", as_prompt.clone());
    assert_eq!((answer.get("procedures"), answer.get("outcomes")), (None, None));
    insta::assert_snapshot!(text(&answer, "prompt"), @r"
    ## Known procedures
    - `mind_the_disk`: Runs of `deploy` fail at `build` with “disk full on host <n>”.
      solution: No run of `deploy` is known to have got past this. Look into the error before you repeat it.
      reasoning: Runs of `deploy` failed at `build` with errors that differ in numbers, names and paths at most. One of them: disk full on host 7 Evidence: 2 runs (r2, r1).
      avoid: Repeating a run of `deploy` that fails at `build` with “disk full on host <n>”

    ## Past runs
    - deploy (run r2): failed, 0/1 nodes, build
      error: disk full on host 7
    - deploy (run r1): failed, 0/1 nodes, build
      error: disk full on host 7
    ");
    as_prompt["max_tokens"] = json!(40);
    let answer = client.ok("recall_procedures", as_prompt);
    assert!(text(&answer, "prompt").len() <= 160, "{answer}");
    assert_eq!(answer["count"].as_i64().unwrap() + answer["left_out"].as_i64().unwrap(), 3, "{answer}");
}
