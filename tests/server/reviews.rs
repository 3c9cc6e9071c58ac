//! Candidates before the client's user: by one form, with one decision, on both generations of the protocol.

use serde_json::{Value, json};

use super::approvals::{USER, accept, talk, with_user};
use crate::common::{Home, Protocol, RawClient, text};

const RAG: &str = "Inject RAG context into the user message instead of the system prompt, because models treat system prompts as \
                   behavioural guidelines.";

/// A client that can ask its user, and candidate 1.
fn with_candidate(protocol: Protocol) -> (Home, RawClient) {
    let home = Home::with_config("[policy]\napprovals = 'human'\n");
    let mut client = with_user(&home, protocol);
    client.ok("submit_lessons", json!({"lessons": [RAG], "session_name": "spring"}));
    (home, client)
}

fn count(client: &mut RawClient) -> usize {
    client.ok("list_candidates", json!({}))["candidates"].as_array().unwrap().len()
}

fn ask(client: &mut RawClient, protocol: Protocol, answer: Value) -> (Value, Value) {
    let (mut questions, answer) = talk(client, protocol, "review_candidate", json!({"candidate_id": 1}), &[answer]);
    (questions.remove(0), answer)
}

#[test]
fn one_form_shows_a_candidate_and_its_answer_decides() {
    for protocol in Protocol::ALL {
        let (_home, mut client) = with_candidate(protocol);
        let (question, approved) = ask(&mut client, protocol, accept(json!({"decision": "Approve"})));
        let shown = text(&question, "message");
        for wanted in ["candidate 1 · lesson", "Inject RAG context", "evidence", "(spring)"] {
            assert!(shown.contains(wanted), "no {wanted:?} in {shown}");
        }
        let properties = &question["requestedSchema"]["properties"];
        assert_eq!(properties["decision"]["enum"], json!(["Approve", "Reject", "Later"]), "{question}");
        assert_eq!(question["requestedSchema"]["required"], json!(["decision"]));
        assert_eq!(properties["reason"]["type"], json!("string"));
        assert_eq!((text(&approved, "status"), count(&mut client)), ("active", 0), "{approved}");
        let versions = client.ok("get_procedure_versions", json!({"procedure_id": approved["name"]}));
        assert!(text(&versions["versions"][0], "message").starts_with("Approve"), "{versions}");
        let error = client.refused("review_candidate", json!({"candidate_id": 1}), "already_reviewed");
        assert!(error.contains("approved by") && !error.contains("an agent"), "{error}");
    }
}

#[test]
fn a_user_may_reject_with_a_reason_or_put_it_off() {
    for protocol in Protocol::ALL {
        let (_home, mut client) = with_candidate(protocol);
        let (_, later) = ask(&mut client, protocol, accept(json!({"decision": "Later"})));
        assert_eq!((text(&later, "status"), count(&mut client)), ("candidate", 1));
        let reject = accept(json!({"decision": "Reject", "reason": "our models differ"}));
        let (_, rejected) = ask(&mut client, protocol, reject);
        assert_eq!((text(&rejected, "status"), count(&mut client)), ("rejected", 0), "{rejected}");
        let error = client.refused("review_candidate", json!({"candidate_id": 1}), "already_reviewed");
        assert!(error.contains("our models differ"), "{error}");
    }
}

#[test]
fn merging_is_offered_where_something_is_near() {
    for protocol in Protocol::ALL {
        let home = Home::with_config("[policy]\napprovals = 'human'\n");
        let mut client = with_user(&home, protocol);
        let drain = |name: &str, status: &str| {
            json!({"name": name, "description": "Drain a node with kubectl before it is serviced.", "status": status,
                   "steps": ["Drain the node with kubectl drain"], "tags": [name]})
        };
        client.ok("remember_procedure", drain("drain_node", "active"));
        client.ok("remember_procedure", drain("drain_nodes", "candidate"));
        let merge = accept(json!({"decision": "Merge with the nearest"}));
        let (question, merged) = ask(&mut client, protocol, merge);
        assert!(text(&question, "message").contains("beside `drain_node`"), "{question}");
        assert_eq!((text(&merged, "name"), count(&mut client)), ("drain_node", 0), "{merged}");
        let known = client.ok("get_procedure", json!({"procedure_id": "drain_node"}))["definition"].clone();
        assert_eq!(known["tags"], json!(["drain_node", "drain_nodes"]));
    }
}

#[test]
fn an_answer_that_can_not_be_read_decides_nothing() {
    for protocol in Protocol::ALL {
        let (_home, mut client) = with_candidate(protocol);
        for answer in [
            accept(json!({"decision": "approve"})),
            accept(json!({"decision": true})),
            accept(json!({"decision": "Merge with the nearest"})),
            accept(json!({"approve": true})),
            json!({"action": "accept"}),
            json!({"action": "decline"}),
            json!({"action": "cancel"}),
        ] {
            let (_, refused) = ask(&mut client, protocol, answer.clone());
            assert_eq!(refused["error_code"], json!("declined"), "{answer}: {refused}");
            assert_eq!(count(&mut client), 1);
        }
    }
}

#[test]
fn an_agent_decides_nothing_where_that_is_for_people() {
    for protocol in Protocol::ALL {
        let home = Home::with_config("[policy]\napprovals = 'human'\n");
        let mut client = home.start_with(&USER, protocol);
        client.ok("submit_lessons", json!({"lessons": [RAG]}));
        for arguments in [
            json!({"candidate_id": 1}),
            json!({"candidate_id": 1, "decision": "approve"}),
            json!({"candidate_id": 1, "decision": "reject", "reason": "no"}),
        ] {
            let error = client.refused("review_candidate", arguments, "approval_needs_human");
            assert!(error.contains("`repertoire review 1") && error.contains("in a terminal"), "{error}");
        }
        let merge = json!({"candidate_id": 1, "decision": "merge"});
        client.refused("review_candidate", merge, "nothing_near");
        assert_eq!(count(&mut client), 1);
        // Where nobody is to be asked, nobody is.
        home.configure("[policy]\napprovals = 'human'\n[runs]\nask_seconds = 0\n");
        let mut silent = with_user(&home, protocol);
        silent.refused("review_candidate", json!({"candidate_id": 1}), "approval_needs_human");
    }
}

#[test]
fn an_answer_counts_for_what_was_shown_and_for_nothing_else() {
    let (home, mut client) = with_candidate(Protocol::V2026);
    client.ok("remember_procedure", json!({"name": "other", "steps": ["Do"], "status": "candidate"}));
    let id = client.send_call("review_candidate", json!({"candidate_id": 1}));
    let asked = client.answer(id)["result"].clone();
    let again = |candidate: i64| {
        json!({"name": "review_candidate", "arguments": {"candidate_id": candidate}, "requestState": asked["requestState"],
               "inputResponses": {"decision": accept(json!({"decision": "Approve"}))}})
    };
    let id = client.send_request("tools/call", again(2));
    assert_eq!(client.call_answer(id)["error_code"], json!("not_asked"));
    // What it says has changed: it is asked about again.
    let mut other = home.start_with(&USER, Protocol::V2025);
    let name = other.ok("list_candidates", json!({}))["candidates"][0]["name"].clone();
    other.ok("update_procedure", json!({"procedure_id": name, "solution": "Do the opposite."}));
    let id = client.send_request("tools/call", again(1));
    let asked = client.answer(id)["result"].clone();
    assert!(
        asked["inputRequests"]["decision"]["params"]["message"].to_string().contains("Do the opposite."),
        "{asked}"
    );
    assert_eq!(count(&mut client), 2);
}

#[test]
fn what_goes_with_a_decision_is_not_taken_without_one() {
    let (_home, mut client) = with_candidate(Protocol::V2025);
    for arguments in [
        json!({"candidate_id": 1, "reason": "so"}),
        json!({"candidate_id": 1, "edits": {"tags": []}}),
        json!({"candidate_id": 1, "decision": "approve", "reason": "so"}),
        json!({"candidate_id": 1, "decision": "merge", "edits": {"tags": []}}),
    ] {
        client.refused("review_candidate", arguments, "invalid_argument");
    }
}
