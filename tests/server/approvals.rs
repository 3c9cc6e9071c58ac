//! Questions that a client puts before its user while a call goes on: by a request of the server before protocol
//! 2026-07-28, by the answer of the call since.

use std::{thread, time::Duration};

use serde_json::{Value, json};

use crate::common::{Home, Protocol, RawClient, remember, text};

pub const DEPLOY: &str = "from repertoire import approve\n\n\ndef deploy(version: str = '1.2') -> dict:\n    \
    \"\"\"Deploy when somebody agrees.\"\"\"\n    try:\n        agreed = approve(f'Deploy {version}?')\n    \
    except PermissionError as error:\n        return {'refused': str(error)}\n    return {'agreed': agreed}\n";

const PAINT: &str = "from repertoire import approve, ask\n\n\ndef paint() -> list:\n    \
    \"\"\"Ask twice.\"\"\"\n    approve('Paint it?')\n    return [ask('Which colour?', ['red', 'blue']), ask('Why?')]\n";

/// Who uses the home, as arguments.
pub const USER: [&str; 2] = ["--user", "ada"];

/// A client that can ask its user.
pub fn with_user(home: &Home, protocol: Protocol) -> RawClient {
    let mut client = home.spawn(&USER);
    client.declare(json!({"elicitation": {}}));
    client.open(protocol);
    client
}

pub fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

/// Calls a tool and answers its questions one after the other; returns them, and the answer of the call.
#[track_caller]
pub fn talk(
    client: &mut RawClient,
    protocol: Protocol,
    tool: &str,
    arguments: Value,
    answers: &[Value],
) -> (Vec<Value>, Value) {
    let mut questions = Vec::new();
    let mut id = client.send_call(tool, arguments.clone());
    for answer in answers {
        if protocol == Protocol::V2025 {
            let request = client.server_request();
            assert_eq!(request["method"], json!("elicitation/create"), "{request}");
            questions.push(request["params"].clone());
            client.respond(&request, answer.clone());
        } else {
            let asked = asked(client, id);
            questions.push(asked["inputRequests"]["decision"]["params"].clone());
            let again = answered(tool, &arguments, &asked["requestState"], answer);
            id = client.send_request("tools/call", again);
        }
    }
    (questions, client.call_answer(id))
}

/// The question that a call is answered with.
#[track_caller]
fn asked(client: &mut RawClient, id: i64) -> Value {
    let answer = client.answer(id);
    let result = answer["result"].clone();
    assert_eq!(result["resultType"], json!("input_required"), "{answer}");
    assert_eq!(result["inputRequests"]["decision"]["method"], json!("elicitation/create"), "{answer}");
    result
}

/// The call that brings an answer.
fn answered(tool: &str, arguments: &Value, state: &Value, answer: &Value) -> Value {
    json!({"name": tool, "arguments": arguments, "requestState": state, "inputResponses": {"decision": answer}})
}

pub fn decisions(client: &mut RawClient, run: &Value) -> Vec<(String, String, String)> {
    let view = client.ok("get_run", json!({"run_id": run}));
    let decisions = view["decisions"].as_array().cloned().unwrap_or_default();
    let field = |decision: &Value, name: &str| text(decision, name).to_owned();
    let known = decisions.iter().map(|one| (field(one, "question"), field(one, "decision"), field(one, "by")));
    known.collect()
}

#[test]
fn what_the_user_says_decides_and_what_can_not_be_read_refuses() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = with_user(&home, protocol);
        remember(&mut client, "deploy", DEPLOY);
        let refused = |why: &str| json!({"refused": format!("\"Deploy 1.2?\" was rejected by test's user{why}")});
        let unreadable = || refused(": the client's answer could not be read");
        let cases = [
            (
                accept(json!({"approve": true})),
                "approve",
                json!({"agreed": {"approved_by": "test's user", "value": null}}),
            ),
            (
                accept(json!({"approve": true, "comment": "go"})),
                "approve",
                json!({"agreed": {"approved_by": "test's user", "value": "go"}}),
            ),
            (accept(json!({"approve": false})), "reject", refused("")),
            (accept(json!({"approve": false, "comment": "too late"})), "reject", refused(": too late")),
            (json!({"action": "decline"}), "reject", refused("")),
            (json!({"action": "cancel"}), "reject", refused(": the question was closed")),
            (json!({"action": "accept"}), "reject", unreadable()),
            (accept(json!({"approve": "true"})), "reject", unreadable()),
            (accept(json!("yes")), "reject", unreadable()),
            (json!({"action": "perhaps"}), "reject", unreadable()),
            (json!({}), "reject", unreadable()),
            (json!("approve"), "reject", unreadable()),
        ];
        for (answer, decision, result) in cases {
            let call = json!({"procedure_id": "deploy"});
            let (questions, done) =
                talk(&mut client, protocol, "execute_procedure", call, std::slice::from_ref(&answer));
            assert_eq!(done["result"], result, "{protocol:?} {answer}: {done}");
            assert_eq!(questions[0]["mode"], json!("form"), "{questions:?}");
            assert_eq!(questions[0]["message"], json!("Procedure `deploy` asks for approval: Deploy 1.2?"));
            let schema = &questions[0]["requestedSchema"];
            assert_eq!(schema["properties"]["approve"]["type"], json!("boolean"), "{schema}");
            assert_eq!(schema["required"], json!(["approve"]), "{schema}");
            let expected = ("Deploy 1.2?".to_owned(), decision.to_owned(), "test's user".to_owned());
            assert_eq!(decisions(&mut client, &done["run_id"]), [expected], "{protocol:?} {answer}");
        }
        assert_eq!(client.ok("list_runs", json!({}))["count"], json!(12), "one run for each call");
    }
}

#[test]
fn a_refusal_that_the_code_does_not_catch_fails_the_run() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = with_user(&home, protocol);
        remember(&mut client, "paint", PAINT);
        let call = json!({"procedure_id": "paint"});
        let (_, failed) = talk(&mut client, protocol, "execute_procedure", call, &[json!({"action": "decline"})]);
        assert_eq!(
            (&failed["outcome"], &failed["error_type"]),
            (&json!("failure"), &json!("PermissionError")),
            "{failed}"
        );
    }
}

#[test]
fn every_further_question_is_asked_too() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = with_user(&home, protocol);
        remember(&mut client, "paint", PAINT);
        let call = json!({"procedure_id": "paint"});
        let yes = accept(json!({"approve": true}));
        let answers = [yes.clone(), accept(json!({"answer": "blue"})), accept(json!({"answer": "the sky"}))];
        let (questions, done) = talk(&mut client, protocol, "execute_procedure", call.clone(), &answers);
        assert_eq!(done["result"], json!(["blue", "the sky"]), "{done}");
        assert_eq!(questions[1]["message"], json!("Procedure `paint` asks: Which colour?"));
        assert_eq!(questions[1]["requestedSchema"]["properties"]["answer"]["enum"], json!(["red", "blue"]));
        assert_eq!(questions[2]["requestedSchema"]["properties"]["answer"]["type"], json!("string"));
        assert_eq!(decisions(&mut client, &done["run_id"]).len(), 3);
        let (_, failed) =
            talk(&mut client, protocol, "execute_procedure", call, &[yes, accept(json!({"answer": "green"}))]);
        assert_eq!(failed["error_type"], json!("RuntimeError"), "{failed}");
        assert!(text(&failed, "error").contains("choose one of `red`, `blue`"), "{failed}");
    }
}

#[test]
fn gathered_questions_and_those_of_called_procedures_are_asked_one_after_the_other() {
    let code = "import asyncio\nfrom repertoire import approve\n\n\nasync def both() -> list:\n    \"\"\"Ask twice.\"\"\"\n    \
                return await asyncio.gather(approve('One?'), approve('Two?'))\n";
    let outer = "from repertoire import call_procedure\n\n\ndef outer():\n    return call_procedure('both')\n";
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = with_user(&home, protocol);
        remember(&mut client, "both", code);
        remember(&mut client, "outer", outer);
        let answers = ["first", "second"].map(|comment| accept(json!({"approve": true, "comment": comment})));
        let call = json!({"procedure_id": "outer"});
        let (questions, done) = talk(&mut client, protocol, "execute_procedure", call, &answers);
        assert_eq!(
            (&done["result"][0]["value"], &done["result"][1]["value"]),
            (&json!("first"), &json!("second")),
            "{done}"
        );
        assert_eq!(questions[1]["message"], json!("Procedure `both` asks for approval: Two?"));
        let asked: Vec<String> = decisions(&mut client, &done["run_id"]).into_iter().map(|one| one.0).collect();
        assert_eq!(asked, ["One?", "Two?"]);
    }
}

#[test]
fn resume_run_asks_again_where_no_decision_is_given() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut silent = home.start_with(&USER, protocol);
        remember(&mut silent, "paint", PAINT);
        let paused = silent.ok("execute_procedure", json!({"procedure_id": "paint"}));
        assert_eq!((&paused["outcome"], &paused["waiting_for"]), (&json!("paused"), &json!("Paint it?")), "{paused}");
        let run = json!({"run_id": paused["run_id"]});
        let error = silent.refused("resume_run", run.clone(), "invalid_argument");
        assert!(error.contains("Paint it?") && error.contains("`decision`"), "{error}");
        let mut client = with_user(&home, protocol);
        let answers =
            [accept(json!({"approve": true})), accept(json!({"answer": "red"})), accept(json!({"answer": "just so"}))];
        let (_, done) = talk(&mut client, protocol, "resume_run", run, &answers);
        assert_eq!(done["result"], json!(["red", "just so"]), "{done}");
    }
}

#[test]
fn an_event_asks_for_the_procedures_that_it_starts() {
    let home = Home::new();
    let mut client = with_user(&home, Protocol::V2025);
    let trigger = json!({"type": "event", "event_type": "released"});
    client.ok("remember_procedure", json!({"name": "deploy", "steps": ["Do it"], "code": DEPLOY, "trigger": trigger}));
    let call = json!({"event_type": "released", "payload": {"version": "3"}});
    let yes = [accept(json!({"approve": true}))];
    let (questions, done) = talk(&mut client, Protocol::V2025, "emit_event", call, &yes);
    assert_eq!(questions[0]["message"], json!("Procedure `deploy` asks for approval: Deploy 3?"));
    assert_eq!(done["runs"][0]["result"]["agreed"]["approved_by"], json!("test's user"), "{done}");
}

#[test]
fn a_client_that_hangs_leaves_a_paused_run() {
    let home = Home::with_config("[runs]\nask_seconds = 1");
    let mut client = with_user(&home, Protocol::V2025);
    remember(&mut client, "deploy", DEPLOY);
    let id = client.send_call("execute_procedure", json!({"procedure_id": "deploy"}));
    let request = client.server_request();
    let paused = client.call_answer(id);
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    let cancelled = client.notification("notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], request["id"], "the client is told to close its form");
    // What comes too late decides nothing.
    client.respond(&request, accept(json!({"approve": true})));
    let run = paused["run_id"].clone();
    assert_eq!(client.ok("get_run", json!({"run_id": run}))["status"], json!("paused"));
    // Its user could be asked, so that its agent decides nothing.
    client.refused("resume_run", json!({"run_id": run, "decision": "approve", "value": 7}), "approval_needs_human");
    let (_, done) = talk(
        &mut client,
        Protocol::V2025,
        "resume_run",
        json!({"run_id": run}),
        &[accept(json!({"approve": true, "comment": "7"}))],
    );
    assert_eq!(done["result"], json!({"agreed": {"approved_by": "test's user", "value": "7"}}), "{done}");
}

#[test]
fn an_error_of_the_client_pauses_and_a_zero_never_asks() {
    let home = Home::new();
    let mut client = with_user(&home, Protocol::V2025);
    remember(&mut client, "deploy", DEPLOY);
    let id = client.send_call("execute_procedure", json!({"procedure_id": "deploy"}));
    let request = client.server_request();
    let error = json!({"code": -32603, "message": "no window"});
    client.send(&json!({"jsonrpc": "2.0", "id": request["id"], "error": error}));
    assert_eq!(client.call_answer(id)["outcome"], json!("paused"));
    home.configure("[runs]\nask_seconds = 0");
    for protocol in Protocol::ALL {
        let mut client = with_user(&home, protocol);
        assert_eq!(client.ok("execute_procedure", json!({"procedure_id": "deploy"}))["outcome"], json!("paused"));
    }
}

#[test]
fn a_cancelled_call_stops_asking_at_once_and_the_run_waits() {
    let home = Home::new();
    let mut client = with_user(&home, Protocol::V2025);
    remember(&mut client, "deploy", DEPLOY);
    let id = client.send_call("execute_procedure", json!({"procedure_id": "deploy"}));
    let request = client.server_request();
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    let cancelled = client.notification("notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], request["id"]);
    crate::common::eventually("the run is paused", || {
        client.ok("list_runs", json!({"status": "paused"}))["count"] == json!(1)
    });
    // Somebody who wants the run to end ends it also while its user is asked.
    let id = client.send_call("execute_procedure", json!({"procedure_id": "deploy"}));
    client.server_request();
    let run = client.ok("list_runs", json!({"status": "running"}))["runs"][0]["run_id"].clone();
    client.ok("cancel_run", json!({"run_id": run}));
    assert_eq!(client.call_answer(id)["error_code"], json!("run_cancelled"));
}

#[test]
fn thinking_does_not_count_as_time_of_the_run() {
    let home = Home::with_config("[limits]\nseconds = 1");
    let mut client = with_user(&home, Protocol::V2025);
    remember(&mut client, "deploy", DEPLOY);
    let id = client.send_call("execute_procedure", json!({"procedure_id": "deploy"}));
    let request = client.server_request();
    thread::sleep(Duration::from_millis(1500));
    client.respond(&request, accept(json!({"approve": true})));
    let done = client.call_answer(id);
    assert_eq!(done["outcome"], json!("success"), "{done}");
    assert!(done["duration_seconds"].as_f64().unwrap() < 1.0, "{done}");
}

#[test]
fn a_state_that_was_forged_or_used_before_decides_nothing_and_executes_nothing() {
    let home = Home::new();
    let mut client = with_user(&home, Protocol::V2026);
    remember(&mut client, "paint", PAINT);
    let (tool, call) = ("execute_procedure", json!({"procedure_id": "paint"}));
    let yes = accept(json!({"approve": true}));
    let id = client.send_call(tool, call.clone());
    let first = asked(&mut client, id)["requestState"].clone();
    let forged = first.as_str().unwrap().replace(".1.", ".2.");
    assert_ne!(json!(forged), first);
    let refused = |client: &mut RawClient, request: Value, code: &str| {
        let id = client.send_request("tools/call", request);
        let answer = client.call_answer(id);
        assert_eq!(answer["error_code"], json!(code), "{answer}");
    };
    refused(&mut client, answered(tool, &call, &json!(forged), &yes), "not_asked");
    refused(&mut client, answered(tool, &call, &json!("nonsense"), &yes), "not_asked");
    refused(&mut client, json!({"name": tool, "arguments": call, "inputResponses": {"decision": yes}}), "not_asked");
    let run = first.as_str().unwrap().split('.').next().unwrap().to_owned();
    refused(&mut client, answered("resume_run", &json!({"run_id": run}), &first, &yes), "not_asked");
    refused(&mut client, answered("list_runs", &json!({}), &first, &yes), "not_asked");
    let other = Home::new();
    refused(&mut with_user(&other, Protocol::V2026), answered(tool, &call, &first, &yes), "not_asked");
    // Whoever forgets the answer is asked again.
    let id = client.send_request("tools/call", json!({"name": tool, "arguments": call, "requestState": first}));
    assert_eq!(asked(&mut client, id)["requestState"], first);
    let id = client.send_request("tools/call", answered(tool, &call, &first, &yes));
    let second = asked(&mut client, id)["requestState"].clone();
    assert_ne!(second, first);
    refused(&mut client, answered(tool, &call, &first, &yes), "already_decided");
    refused(&mut client, json!({"name": tool, "arguments": call, "requestState": first}), "already_decided");
    let blue = accept(json!({"answer": "blue"}));
    let id = client.send_request("tools/call", answered(tool, &call, &second, &blue));
    let third = asked(&mut client, id)["requestState"].clone();
    let id = client.send_request("tools/call", answered(tool, &call, &third, &accept(json!({"answer": "so"}))));
    assert_eq!(client.call_answer(id)["result"], json!(["blue", "so"]));
    for state in [&first, &second, &third] {
        refused(&mut client, answered(tool, &call, state, &blue), "run_not_paused");
    }
    assert_eq!(client.ok("list_runs", json!({}))["count"], json!(1), "nothing was executed anew");
    assert_eq!(decisions(&mut client, &json!(run)).len(), 3);
}

#[test]
fn the_same_answer_through_two_servers_counts_once() {
    let home = Home::new();
    let mut clients = [with_user(&home, Protocol::V2026), with_user(&home, Protocol::V2026)];
    remember(&mut clients[0], "paint", PAINT);
    let (tool, call) = ("execute_procedure", json!({"procedure_id": "paint"}));
    for _ in 0..10 {
        let id = clients[0].send_call(tool, call.clone());
        let state = asked(&mut clients[0], id)["requestState"].clone();
        let again = answered(tool, &call, &state, &accept(json!({"approve": true})));
        let ids = clients.each_mut().map(|client| client.send_request("tools/call", again.clone()));
        let results: Vec<Value> =
            clients.iter_mut().zip(ids).map(|(client, id)| client.answer(id)["result"].clone()).collect();
        let went_on = results.iter().filter(|result| result["resultType"] == json!("input_required")).count();
        assert_eq!(went_on, 1, "{results:?}");
        let run = json!(state.as_str().unwrap().split('.').next().unwrap());
        let waits = clients[0].ok("get_run", json!({"run_id": run}));
        assert_eq!(waits["waiting_for"], json!("Which colour? (one of: red, blue)"), "{waits}");
        assert_eq!(decisions(&mut clients[0], &run).len(), 1);
    }
}
