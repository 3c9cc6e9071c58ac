//! What runs teach: candidates that wait for a person's word, and what becomes of them.

use serde_json::{Value, json};

use crate::common::{Home, RawClient, client::Protocol as Mcp, eventually, remember, text};

struct Run<'r> {
    workflow: &'r str,
    id: &'r str,
    /// Nodes with their branches and states.
    nodes: &'r [(&'r str, Option<&'r str>, Value)],
    error: Option<&'r str>,
}

impl Run<'_> {
    fn draft(&self) -> Value {
        let (count, failed) = (self.nodes.len(), usize::from(self.error.is_some()));
        let mut draft = json!({
            "workflow_id": self.workflow, "run_id": self.id, "duration_ms": 10, "node_count": count.max(1),
            "outcome": if failed == 1 { "failure" } else { "success" },
            "nodes_succeeded": count.saturating_sub(failed), "nodes_failed": failed,
        });
        if let Some(error) = self.error {
            draft["error_message"] = json!(error);
        }
        draft
    }

    fn save(&self, client: &mut RawClient) {
        for (node, branch, state) in self.nodes {
            let mut arguments =
                json!({"workflow_id": self.workflow, "run_id": self.id, "node_id": node, "state": state});
            if let Some(branch) = branch {
                arguments["branch_id"] = json!(branch);
            }
            client.ok("save_checkpoint", arguments);
        }
    }

    fn complete(&self, client: &mut RawClient) -> Value {
        self.save(client);
        client.ok("complete_workflow", self.draft())
    }
}

fn succeed(client: &mut RawClient, id: &str, nodes: &[&str], state: &Value) -> Value {
    let nodes: Vec<_> = nodes.iter().map(|node| (*node, None, state.clone())).collect();
    // Equal states are saved once, so each says where it is.
    let nodes: Vec<_> = nodes
        .into_iter()
        .map(|(node, branch, mut state)| {
            state["at"] = json!(node);
            (node, branch, state)
        })
        .collect();
    Run { workflow: "deploy", id, nodes: &nodes, error: None }.complete(client)
}

pub fn fail(client: &mut RawClient, id: &str, node: &str, error: &str, state: Value) -> Value {
    Run { workflow: "deploy", id, nodes: &[(node, None, state)], error: Some(error) }.complete(client)
}

pub fn candidates(client: &mut RawClient) -> Vec<Value> {
    let answer = client.ok("list_candidates", json!({}));
    let candidates = answer["candidates"].as_array().unwrap().clone();
    assert_eq!(answer["count"], json!(candidates.len()));
    candidates
}

pub fn review(client: &mut RawClient, candidate: i64, decision: &str) -> Value {
    client.ok("review_candidate", json!({"candidate_id": candidate, "decision": decision}))
}

#[test]
fn three_successes_that_are_alike_make_a_strategy() {
    let home = Home::new();
    let mut client = home.start();
    for (run, count) in [("r1", 3), ("r2", 5)] {
        let answer = succeed(&mut client, run, &["build", "ship"], &json!({"region": "eu", "n": count, "who": run}));
        assert_eq!(answer["learnings_extracted"], json!(0));
    }
    succeed(&mut client, "r3", &["ship", "build"], &json!({"region": "eu"}));
    assert_eq!(candidates(&mut client), Vec::<Value>::new(), "another order is another way");
    let state = json!({"region": "eu", "n": 4, "who": "r4", "password": "hunter2"});
    let answer = succeed(&mut client, "r4", &["build", "ship"], &state);
    assert_eq!((&answer["learnings_extracted"], &answer["candidate_ids"]), (&json!(1), &json!([1])), "{answer}");
    let mut found = candidates(&mut client);
    for field in ["first_at", "last_at"] {
        text(&found[0]["evidence"], field).parse::<jiff::Timestamp>().unwrap();
        found[0]["evidence"][field] = json!("[time]");
    }
    let wanted = json!([{
        "candidate_id": 1,
        "problem": "A run of `deploy` has to end well.",
        "solution": "Take these nodes in this order: build → ship. The state at the end has `at` = \"ship\", `n` from 3 to 5, \
            `region` = \"eu\".",
        "reasoning": "Runs of `deploy` that took this way succeeded. What their states had in common is kept here, what \
            differed among them is left out.",
        "anti_patterns": [],
        "tags": ["deploy", "strategy"],
        "evidence": {
            "kind": "strategy", "workflow_id": "deploy", "count": 3, "run_ids": ["r4", "r2", "r1"], "first_at": "[time]",
            "last_at": "[time]", "workflow_successes": 4, "workflow_failures": 0,
        },
        "similar_to": [],
    }]);
    assert_eq!(json!(found), wanted);
    // More of the same is more evidence, not another candidate.
    succeed(&mut client, "r5", &["build", "ship"], &json!({"region": "eu", "n": 9, "who": "r5"}));
    let found = candidates(&mut client);
    assert_eq!((found.len(), &found[0]["evidence"]["count"]), (1, &json!(4)));
    assert_eq!(found[0]["evidence"]["run_ids"], json!(["r5", "r4", "r2", "r1"]));
    assert!(text(&found[0], "solution").contains("`n` from 3 to 9"), "{found:?}");
}

#[test]
fn branches_are_alike_however_they_interleave() {
    let home = Home::new();
    let mut client = home.start();
    let (left, right) = (("left", Some("l"), json!({"ok": true, "n": 1})), ("right", Some("r"), json!({"ok": true})));
    for (id, nodes) in [
        ("r1", [left.clone(), right.clone()]),
        ("r2", [right.clone(), left.clone()]),
        ("r3", [left.clone(), right.clone()]),
    ] {
        Run { workflow: "fork", id, nodes: &nodes, error: None }.complete(&mut client);
    }
    let found = candidates(&mut client);
    let wanted = "Take these nodes in this order: left on branch l; right on branch r. The state at the end has \
                  `l: n` = 1, `l: ok` = true, `r: ok` = true.";
    assert_eq!((found.len(), text(&found[0], "solution")), (1, wanted));
}

#[test]
fn two_failures_that_are_alike_make_an_anti_pattern() {
    let home = Home::new();
    let mut client = home.start();
    fail(&mut client, "r1", "test", "no answer from 10.0.0.7 after 30 s", json!({"region": "us"}));
    fail(&mut client, "r2", "test", "disk full", json!({"region": "us"}));
    fail(&mut client, "r3", "ship", "no answer from 10.0.0.7 after 30 s", json!({"region": "us"}));
    assert_eq!(candidates(&mut client), Vec::<Value>::new(), "another error or node is another failure");
    let state = json!({"region": "us"});
    let answer = fail(&mut client, "r4", "test", "no answer from 10.0.0.9 after 31 s", state);
    assert_eq!(answer["learnings_extracted"], json!(1));
    let found = candidates(&mut client);
    assert_eq!(found.len(), 1);
    assert_eq!(text(&found[0], "problem"), "Runs of `deploy` fail at `test` with “no answer from <n> after <n> s”.");
    assert!(text(&found[0], "solution").starts_with("No run of `deploy` is known to have got past this."));
    assert_eq!(found[0]["evidence"]["run_ids"], json!(["r4", "r1"]));
    assert_eq!(found[0]["evidence"]["workflow_failures"], json!(4));
    // A later success says what worked instead.
    succeed(&mut client, "r5", &["test", "ship"], &json!({"region": "eu"}));
    let found = candidates(&mut client);
    let wanted = "What worked instead: a state with `region` = \"eu\", where the failures had `region` = \"us\".";
    assert_eq!(text(&found[0], "solution"), wanted);
    assert_eq!(found[0]["evidence"]["workflow_successes"], json!(1));
    let avoid = "Repeating a run of `deploy` that fails at `test` with “no answer from <n> after <n> s”, with \
                 `region` = \"us\"";
    assert_eq!(found[0]["anti_patterns"], json!([avoid]));
}

#[test]
fn nothing_is_learned_where_that_is_not_wanted() {
    let home = Home::new();
    let mut client = home.start();
    for id in ["r1", "r2", "r3"] {
        let run = Run { workflow: "deploy", id, nodes: &[("a", None, json!({"x": 1}))], error: Some("broken") };
        run.save(&mut client);
        let mut draft = run.draft();
        draft["extract"] = json!(false);
        assert_eq!(client.ok("complete_workflow", draft)["learnings_extracted"], json!(0));
    }
    assert_eq!(client.ok("recall_outcomes", json!({}))["count"], json!(3));
    assert_eq!(candidates(&mut client), Vec::<Value>::new());
    let answer = fail(&mut client, "r4", "a", "broken", json!({"x": 1}));
    assert_eq!(answer["learnings_extracted"], json!(0), "they are no evidence later either");
}

#[test]
fn an_approved_candidate_is_a_procedure_and_its_evidence_grows() {
    let home = Home::new();
    let mut client = home.start();
    for run in ["r1", "r2", "r3"] {
        succeed(&mut client, run, &["build", "git `status`"], &json!({"region": "eu"}));
    }
    let candidate = candidates(&mut client).remove(0);
    let answer = review(&mut client, 1, "approve");
    assert_eq!((text(&answer, "status"), text(&answer, "name")), ("active", "deploy_strategy"));
    let procedure = client.ok("get_procedure", json!({"procedure_id": answer["procedure_id"]}));
    let definition = procedure.get("definition").unwrap_or(&procedure);
    for field in ["problem", "solution", "anti_patterns"] {
        let wanted = candidate.get(field).filter(|value| **value != json!([]));
        assert_eq!(definition.get(field).filter(|value| **value != json!([])), wanted, "{field}: {definition}");
    }
    assert_eq!(definition["created_by"], json!("learned"));
    assert_eq!(definition["source_session"], json!("deploy: r3, r2, r1"));
    let reasoning = format!("{} Evidence: 3 runs (r3, r2, r1).", text(&candidate, "reasoning"));
    assert_eq!(definition["reasoning"], json!(reasoning));
    assert_eq!(definition["steps"], json!(["Do build", "Do git 'status'"]), "nothing that was read is a command");
    assert_eq!(candidates(&mut client), Vec::<Value>::new());
    let error =
        client.refused("review_candidate", json!({"candidate_id": 1, "decision": "reject"}), "already_reviewed");
    assert!(error.contains("approved by") && error.contains("deploy_strategy"), "{error}");
    // Further evidence belongs to it, and makes no other candidate.
    let answer = succeed(&mut client, "r4", &["build", "git `status`"], &json!({"region": "eu"}));
    assert_eq!(answer["candidate_ids"], json!([1]));
    assert_eq!(candidates(&mut client), Vec::<Value>::new());
    // What is like it says so.
    for run in ["s1", "s2", "s3"] {
        succeed(&mut client, run, &["build", "git `status`", "ship"], &json!({"region": "eu"}));
    }
    assert_eq!(candidates(&mut client)[0]["similar_to"], json!(["deploy_strategy"]));
    let second = review(&mut client, 2, "approve");
    assert_eq!(text(&second, "name"), "deploy_strategy_2", "a name is not taken twice");
    assert_eq!(second["similar_to"], json!(["deploy_strategy"]));
}

#[test]
fn a_rejected_candidate_comes_back_when_its_evidence_doubles() {
    let home = Home::new();
    let mut client = home.start();
    let failure = |client: &mut RawClient, n: u32| fail(client, &format!("r{n}"), "test", "broken", json!({}));
    failure(&mut client, 1);
    failure(&mut client, 2);
    let answer = review(&mut client, 1, "reject");
    assert_eq!((text(&answer, "status"), answer.get("procedure_id")), ("rejected", None));
    let again = json!({"candidate_id": 1, "decision": "approve"});
    let error = client.refused("review_candidate", again, "already_reviewed");
    assert!(error.contains("rejected by") && error.contains("comes back when its evidence doubles"), "{error}");
    assert_eq!(failure(&mut client, 3)["learnings_extracted"], json!(0));
    assert_eq!(candidates(&mut client), Vec::<Value>::new());
    assert_eq!(failure(&mut client, 4)["candidate_ids"], json!([1]));
    assert_eq!(candidates(&mut client)[0]["evidence"]["count"], json!(4));
    // Rejected anew, it takes eight.
    review(&mut client, 1, "reject");
    (5..8).for_each(|n| drop(failure(&mut client, n)));
    assert_eq!(candidates(&mut client), Vec::<Value>::new());
    failure(&mut client, 8);
    assert_eq!(candidates(&mut client).len(), 1);
}

#[test]
fn a_reviewer_may_reword_skip_and_name() {
    let home = Home::new();
    let mut client = home.start();
    for run in ["1", "2"] {
        fail(&mut client, &format!("a{run}"), "test", "broken", json!({}));
        fail(&mut client, &format!("b{run}"), "ship", "broken", json!({}));
    }
    let ids = |client: &mut RawClient| -> Vec<i64> {
        candidates(client).iter().map(|candidate| candidate["candidate_id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&mut client), [1, 2]);
    review(&mut client, 1, "skip");
    assert_eq!(ids(&mut client), [2, 1]);
    let edit = json!({"candidate_id": 1, "decision": "edit", "edits": {"solution": "Mend it.", "tags": ["mine"]}});
    client.ok("review_candidate", edit.clone());
    // The reviewer's words stay when more is learned.
    succeed(&mut client, "s1", &["other"], &json!({"x": 1}));
    let edited = candidates(&mut client).remove(1);
    assert_eq!((text(&edited, "solution"), &edited["tags"]), ("Mend it.", &json!(["mine"])));
    for (arguments, wanted) in [
        (edit, "`edits` changes nothing"),
        (json!({"candidate_id": 1, "decision": "edit"}), "`edit` needs `edits`"),
        (json!({"candidate_id": 1, "decision": "edit", "edits": {"solution": " "}}), "`edits.solution` is empty"),
        (json!({"candidate_id": 1, "decision": "edit", "edits": {"steps": ["x"]}}), "`edits`: "),
        (json!({"candidate_id": 1, "decision": "reject", "edits": {"tags": []}}), "`edits` go with"),
        (json!({"candidate_id": 1, "decision": "approve", "edits": {"name": 7}}), "`7` has no letter"),
        (json!({"candidate_id": 1, "decision": "approve", "edits": {"steps": []}}), "`steps` is empty"),
        (json!({"candidate_id": 1, "decision": "maybe"}), "`decision`"),
    ] {
        let error = client.refused("review_candidate", arguments, "invalid_argument");
        assert!(error.contains(wanted), "{error}");
    }
    let error =
        client.refused("review_candidate", json!({"candidate_id": 9, "decision": "skip"}), "candidate_not_found");
    assert!(error.contains("`9`") && error.contains("list_candidates"), "{error}");
    remember(&mut client, "taken", "def taken():\n    return 1\n");
    let approve = |name: &str| json!({"candidate_id": 1, "decision": "approve", "edits": {"name": name, "category": "ops", "reasoning": "So."}});
    client.refused("review_candidate", approve("taken"), "name_taken");
    assert_eq!(ids(&mut client).len(), 2, "it waits on");
    assert_eq!(client.ok("review_candidate", approve("mend_deploy"))["name"], json!("mend_deploy"));
    let procedure = client.ok("get_procedure", json!({"procedure_id": "mend_deploy"}));
    let definition = procedure.get("definition").unwrap_or(&procedure);
    for (field, value) in [("category", "ops"), ("reasoning", "So."), ("solution", "Mend it.")] {
        assert_eq!(definition[field], json!(value));
    }
    assert_eq!(definition["steps"], json!(["Mend it."]));
}

#[test]
fn two_processes_approve_a_candidate_once() {
    let home = Home::new();
    let mut clients = [home.start(), home.start()];
    for round in 1..=5 {
        for run in ["1", "2"] {
            fail(&mut clients[0], &format!("{round}-{run}"), &format!("node-{round}"), "broken", json!({}));
        }
        let approve = json!({"candidate_id": round, "decision": "approve"});
        let calls = clients.each_mut().map(|client| client.send_call("review_candidate", approve.clone()));
        let answers: Vec<Value> =
            clients.iter_mut().zip(calls).map(|(client, call)| client.call_answer(call)).collect();
        let made = answers.iter().filter(|answer| answer["success"] == json!(true)).count();
        assert_eq!(made, 1, "{answers:?}");
        let listed = clients[0].ok("list_procedures", json!({}));
        assert_eq!(listed["count"], json!(round), "{listed}");
    }
}

#[test]
fn our_own_runs_teach_too_and_once_only() {
    let home = Home::new();
    // Both look for runs that ended.
    let mut clients = [home.start(), home.start()];
    let code = "from repertoire import call_procedure\n\n\
                def outer(mode: str, fail: int = 0):\n    \
                value = call_procedure('inner')\n    \
                if fail:\n        raise ValueError(f'no luck with {fail} of \"{mode}\"')\n    \
                return value\n";
    remember(&mut clients[0], "inner", "def inner():\n    return 1\n");
    remember(&mut clients[0], "outer", code);
    let execute = |client: &mut RawClient, parameters: Value| {
        client.call("execute_procedure", json!({"procedure_id": "outer", "parameters": parameters}));
    };
    for n in 0..3 {
        execute(&mut clients[n % 2], json!({"mode": "fast"}));
    }
    for n in 1..=2 {
        execute(&mut clients[n % 2], json!({"mode": "slow", "fail": n}));
    }
    let [client, _] = &mut clients;
    eventually("all runs are outcomes", || client.ok("recall_outcomes", json!({}))["count"] == json!(5));
    let outcomes = client.ok("recall_outcomes", json!({"query": "luck"}));
    let newest = &outcomes["outcomes"][0];
    assert_eq!((text(newest, "workflow_id"), text(newest, "outcome")), ("outer", "failure"));
    assert_eq!(newest["nodes"], json!(["call_procedure inner"]));
    assert_eq!(newest["error_message"], json!("ValueError: no luck with 2 of \"slow\""));
    assert_eq!((&newest["node_count"], &newest["nodes_failed"]), (&json!(1), &json!(0)));
    let found = candidates(client);
    let mut learned: Vec<(&str, &str, &Value)> = found
        .iter()
        .map(|candidate| {
            let evidence = &candidate["evidence"];
            (text(evidence, "kind"), text(candidate, "solution"), &evidence["count"])
        })
        .collect();
    learned.sort_by_key(|(kind, ..)| *kind);
    let (avoid, take) = (
        "What worked instead: a state with `mode` = \"fast\", where the failures had `mode` = \"slow\".",
        "Take these nodes in this order: call_procedure inner. The state at the end has `mode` = \"fast\".",
    );
    assert_eq!(learned, [("anti_pattern", avoid, &json!(2)), ("strategy", take, &json!(3))]);
    let problem = "Runs of `outer` fail at `call_procedure inner` with “ValueError: no luck with <n> of <value>”.";
    assert!(found.iter().any(|candidate| text(candidate, "problem") == problem), "{found:?}");
}

#[test]
fn runs_that_ended_without_a_server_are_learned_from_later() {
    let home = Home::new();
    let mut client = home.start_with(&["--read-only"], Mcp::V2025);
    let mut writer = home.start();
    remember(&mut writer, "broken", "def broken():\n    raise KeyError('x')\n");
    writer.close();
    for _ in 0..2 {
        assert!(!home.run(&["--no-starters", "run", "broken"]).status.success());
    }
    assert_eq!(client.ok("recall_outcomes", json!({}))["count"], json!(0), "what may change nothing learns nothing");
    let mut writer = home.start();
    eventually("the runs are outcomes", || candidates(&mut writer).len() == 1);
    assert_eq!(client.ok("recall_outcomes", json!({}))["count"], json!(2));
}
