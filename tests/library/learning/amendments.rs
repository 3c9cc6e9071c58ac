//! What runs say of the procedures that they executed: changes that wait for a person's word, each with its evidence.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::candidates::{candidates, review};
use crate::{
    cli::commands::succeed,
    common::{
        Home, RawClient,
        client::Protocol as Mcp,
        eventually,
        model_server::{KEY, ModelServer, Protocol, Reply},
        remember, text,
    },
};

const GOOD: &str = "def price(n: int) -> int:\n    \"\"\"Price.\"\"\"\n    return 2 * n\n";
const BAD: &str =
    "def price(n: int, token: str = '') -> int:\n    \"\"\"Price.\"\"\"\n    raise KeyError(f'rate {n}')\n";

fn execute(client: &mut RawClient, name: &str, parameters: Value) -> Value {
    client.call("execute_procedure", json!({"procedure_id": name, "parameters": parameters}))
}

fn give_code(client: &mut RawClient, name: &str, code: &str) {
    client.ok("generate_procedure_code", json!({"procedure_id": name, "code": code}));
}

/// Candidates of one kind, once everything that happened was learned from.
fn learned(home: &Home, client: &mut RawClient, kind: &str) -> Vec<Value> {
    succeed(home, &["learn"]);
    candidates(client).into_iter().filter(|one| one["evidence"]["kind"] == json!(kind)).collect()
}

fn number(candidate: &Value) -> i64 {
    candidate["candidate_id"].as_i64().unwrap()
}

fn code_of(client: &mut RawClient, name: &str) -> String {
    text(&client.ok("get_procedure", json!({"procedure_id": name})), "code").to_owned()
}

/// A procedure whose second code fails where the first succeeded.
fn regress(client: &mut RawClient, failures: u32) {
    remember(client, "price", GOOD);
    for n in 0..12 {
        assert_eq!(execute(client, "price", json!({"n": n}))["result"], json!(2 * n));
    }
    give_code(client, "price", BAD);
    fail_again(client, failures);
}

fn fail_again(client: &mut RawClient, times: u32) {
    for n in 0..times {
        let answer = execute(client, "price", json!({"n": n, "token": "hunter2-very-secret"}));
        assert_eq!(answer["outcome"], json!("failure"), "{answer}");
    }
}

#[test]
fn a_version_that_does_worse_is_proposed_for_going_back_as_soon_as_that_is_sure() {
    let home = Home::new();
    let mut client = home.start();
    regress(&mut client, 2);
    assert_eq!(learned(&home, &mut client, "roll_back"), Vec::<Value>::new(), "two failures may be bad luck");
    fail_again(&mut client, 1);
    let [candidate] = &learned(&home, &mut client, "roll_back")[..] else { panic!("no candidate") };
    let evidence = &candidate["evidence"];
    assert_eq!(evidence["before"], json!({"version": 1, "successes": 12, "failures": 0}));
    assert_eq!(evidence["now"], json!({"successes": 0, "failures": 3}));
    assert_eq!(evidence["change"], json!({"kind": "roll_back", "to": 1}));
    assert!(evidence["probability_of_worse"].as_f64() >= evidence["threshold"].as_f64(), "{evidence}");
    assert_eq!(evidence["run_ids"].as_array().map(Vec::len), Some(3));
    assert!(text(candidate, "problem").contains("Version 2 of `price` does worse"), "{candidate}");
    assert!(
        text(evidence, "error").starts_with("KeyError") && !candidate.to_string().contains("hunter2"),
        "{candidate}"
    );
    // Nothing is live before somebody says so.
    assert_eq!(code_of(&mut client, "price"), BAD);
    let decided = review(&mut client, number(candidate), "approve");
    assert_eq!((text(&decided, "status"), text(&decided, "name")), ("active", "price"));
    assert_eq!(code_of(&mut client, "price"), GOOD);
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "price"}));
    let newest = &versions["versions"][0];
    assert_eq!(newest["version"], json!(3));
    assert!(text(newest, "message").starts_with("Roll price back to version 1"), "{newest}");
    let again = json!({"candidate_id": candidate["candidate_id"], "decision": "reject"});
    assert!(client.refused("review_candidate", again, "already_reviewed").contains("approved by"));
    assert_eq!(learned(&home, &mut client, "roll_back"), Vec::<Value>::new());
    assert_eq!(execute(&mut client, "price", json!({"n": 4}))["result"], json!(8));
}

#[test]
fn what_was_rejected_comes_back_with_twice_the_evidence_and_a_pinned_procedure_never() {
    let home = Home::new();
    let mut client = home.start();
    regress(&mut client, 3);
    let candidate = number(&learned(&home, &mut client, "roll_back")[0]);
    assert_eq!(text(&review(&mut client, candidate, "reject"), "status"), "rejected");
    fail_again(&mut client, 2);
    assert_eq!(learned(&home, &mut client, "roll_back"), Vec::<Value>::new(), "five failures are not twice three");
    fail_again(&mut client, 1);
    assert_eq!(learned(&home, &mut client, "roll_back").iter().map(number).collect::<Vec<_>>(), [candidate]);
    client.ok("update_procedure", json!({"procedure_id": "price", "pinned": true}));
    client.refused(
        "review_candidate",
        json!({"candidate_id": candidate, "decision": "approve"}),
        "candidate_not_found",
    );
    assert_eq!(learned(&home, &mut client, "roll_back"), Vec::<Value>::new());
    fail_again(&mut client, 6);
    assert_eq!(learned(&home, &mut client, "roll_back"), Vec::<Value>::new());
    assert_eq!(learned(&home, &mut client, "fix"), Vec::<Value>::new());
    // The pin is a part of the definition, so it travels.
    let definition = client.ok("get_procedure", json!({"procedure_id": "price"}))["definition"].clone();
    assert_eq!(definition["pinned"], json!(true));
    client.ok("update_procedure", json!({"procedure_id": "price", "pinned": false}));
    assert_eq!(learned(&home, &mut client, "roll_back").len(), 1);
}

#[test]
fn failures_of_the_environment_count_against_nobody() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "price", GOOD);
    for n in 0..12 {
        execute(&mut client, "price", json!({"n": n}));
    }
    let passing = [
        "raise TimeoutError('too slow')",
        "raise RuntimeError('GET https://a.b answered 429: Too Many Requests')",
        "raise PermissionError('command `git push` is not granted')",
    ];
    for (number, raising) in passing.iter().enumerate() {
        let code = format!("def price(n: int) -> int:\n    \"\"\"Price {number}.\"\"\"\n    {raising}\n");
        give_code(&mut client, "price", &code);
        for n in 0..6 {
            assert_eq!(execute(&mut client, "price", json!({"n": n}))["outcome"], json!("failure"));
        }
        succeed(&home, &["learn"]);
        let about: Vec<Value> =
            candidates(&mut client).into_iter().filter(|one| one["procedure_id"].is_i64()).collect();
        assert_eq!(about, Vec::<Value>::new(), "{raising}");
    }
}

#[test]
fn the_same_error_again_and_again_asks_for_a_fix_with_what_it_failed_with() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "price", BAD);
    client.ok(
        "update_procedure",
        json!({"procedure_id": "price", "examples": [{"parameters": {"n": 3}, "error": "KeyError"}]}),
    );
    fail_again(&mut client, 4);
    assert_eq!(learned(&home, &mut client, "fix"), Vec::<Value>::new(), "the examples want this error");
    client.ok("update_procedure", json!({"procedure_id": "price", "examples": []}));
    fail_again(&mut client, 1);
    let [candidate] = &learned(&home, &mut client, "fix")[..] else { panic!("no candidate") };
    let evidence = &candidate["evidence"];
    assert_eq!(evidence["count"], json!(5));
    assert_eq!(evidence["parameters"], json!({"n": 0, "token": "<secret>"}));
    assert!(text(evidence, "traceback").contains("raise KeyError"), "{evidence}");
    assert!(text(evidence, "error").starts_with("KeyError"), "{evidence}");
    assert!(!candidate.to_string().contains("hunter2"), "{candidate}");
    // Without code there is nothing to approve; with code it is held to the examples.
    let id = number(candidate);
    let error =
        client.refused("review_candidate", json!({"candidate_id": id, "decision": "approve"}), "invalid_argument");
    assert!(error.contains("has no code yet") && error.contains("edits.code"), "{error}");
    let approve = |code: &str| json!({"candidate_id": id, "decision": "approve", "edits": {"code": code}});
    client.refused("review_candidate", approve("def price(:"), "code_rejected");
    assert_eq!(text(&client.ok("review_candidate", approve(GOOD)), "status"), "active");
    assert_eq!(execute(&mut client, "price", json!({"n": 4}))["result"], json!(8));
    assert_eq!(learned(&home, &mut client, "fix"), Vec::<Value>::new());
}

#[test]
fn with_a_model_a_fix_comes_with_code_that_passes_the_examples() {
    let wrong = "def price(n: int) -> int:\n    \"\"\"Price.\"\"\"\n    return 3 * n\n";
    let replies = [wrong, GOOD].map(|code| Reply::Text(format!("```python\n{code}```")));
    let server = ModelServer::start(Protocol::Anthropic, replies);
    let home = Home::with_config(&format!(
        "[model]\nprovider = 'anthropic'\nname = 'the-model'\nbase_url = '{}'\nkey_env = 'MODEL_KEY'\nretries = 0\n",
        server.url()
    ));
    let mut command = home.command(&["--no-starters", "serve"]);
    command.env("MODEL_KEY", KEY);
    let mut client = RawClient::spawn(command);
    client.open(Mcp::V2025);
    let failing = BAD.replace("raise", "if n < 7:\n        raise") + "    return 2 * n\n";
    remember(&mut client, "price", &failing);
    let examples = json!({"procedure_id": "price", "examples": [{"parameters": {"n": 10}, "result": 20}]});
    client.ok("update_procedure", examples);
    fail_again(&mut client, 3);
    let fix =
        |client: &mut RawClient| candidates(client).into_iter().find(|one| one["evidence"]["kind"] == json!("fix"));
    eventually("the model has written a fix", || {
        fix(&mut client).is_some_and(|one| one["evidence"]["change"]["code"].is_string())
    });
    let candidate = fix(&mut client).unwrap();
    assert_eq!(candidate["evidence"]["change"]["code"], json!(GOOD), "the first answer contradicts the example");
    let asked = server.requests()[0].body.to_string();
    assert!(asked.contains("KeyError") && !asked.contains("hunter2"), "{asked}");
    assert_eq!(code_of(&mut client, "price"), failing, "nothing is live yet");
    review(&mut client, number(&candidate), "approve");
    assert_eq!(execute(&mut client, "price", json!({"n": 4}))["result"], json!(8));
}

const ASKS: &str = "from repertoire import log, manual_step\n\n\ndef release(branch: str) -> dict:\n    \"\"\"Release.\"\"\"\n    \
                    log(branch)\n    channel = manual_step(\"Which channel?\")\n    note = manual_step(\"Any note?\")\n    \
                    return {\"channel\": channel, \"note\": note, \"branch\": branch}\n";

fn release(client: &mut RawClient, branch: &str, channel: &str, note: &str) -> Value {
    let paused = execute(client, "release", json!({"branch": branch}));
    let run = text(&paused, "run_id").to_owned();
    client.ok("resume_run", json!({"run_id": run, "value": channel}));
    client.ok("resume_run", json!({"run_id": run, "value": note}))
}

#[test]
fn a_step_that_is_always_answered_alike_becomes_its_answer() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "release", ASKS);
    for n in 0..4 {
        release(&mut client, "main", "stable", &format!("note {n}"));
    }
    assert_eq!(learned(&home, &mut client, "automate"), Vec::<Value>::new());
    release(&mut client, "main", "stable", "note 4");
    let [candidate] = &learned(&home, &mut client, "automate")[..] else { panic!("no candidate") };
    let evidence = &candidate["evidence"];
    assert_eq!((&evidence["asked"], &evidence["answer"]), (&json!("Which channel?"), &json!("stable")));
    assert_eq!((&evidence["count"], &evidence["line"]), (&json!(5), &json!(7)));
    review(&mut client, number(candidate), "approve");
    let paused = execute(&mut client, "release", json!({"branch": "next"}));
    assert!(paused.to_string().contains("Any note?"), "{paused}");
    let ended = client.ok("resume_run", json!({"run_id": paused["run_id"], "value": "x"}));
    assert_eq!(ended["result"], json!({"channel": "stable", "note": "x", "branch": "next"}));
    let versions = client.ok("get_procedure_versions", json!({"procedure_id": "release"}));
    assert_eq!(versions["versions"][0]["version"], json!(2));
}

#[test]
fn an_answer_that_differs_once_or_says_nothing_automates_nothing() {
    let home = Home::new();
    let mut client = home.start();
    remember(&mut client, "release", ASKS);
    for n in 0..6 {
        release(&mut client, "main", if n == 2 { "beta" } else { "stable" }, &format!("note {n}"));
    }
    // Nor does one that was refused once.
    let code = ASKS.replace("release", "publish");
    remember(&mut client, "publish", &code);
    for n in 0..6 {
        let run = text(&execute(&mut client, "publish", json!({"branch": "main"})), "run_id").to_owned();
        if n == 0 {
            let refused = json!({"run_id": run, "decision": "reject"});
            assert_eq!(client.call("resume_run", refused)["outcome"], json!("failure"));
            continue;
        }
        client.ok("resume_run", json!({"run_id": run, "value": "stable"}));
        client.ok("resume_run", json!({"run_id": run, "value": n}));
    }
    let steps = json!({"name": "walk_the_dog", "steps": ["Take the lead", "Walk around the block"]});
    client.ok("remember_procedure", steps);
    client.ok("generate_procedure_code", json!({"procedure_id": "walk_the_dog"}));
    for _ in 0..6 {
        let run = text(&execute(&mut client, "walk_the_dog", json!({})), "run_id").to_owned();
        client.ok("resume_run", json!({"run_id": run}));
        client.ok("resume_run", json!({"run_id": run}));
    }
    assert_eq!(learned(&home, &mut client, "automate"), Vec::<Value>::new());
}

fn say(client: &mut RawClient, name: &str, body: &str) {
    let code = format!("def {name}(text: str) -> int:\n    \"\"\"Count the words of a text.\"\"\"\n    {body}\n");
    let fields = json!({"name": name, "description": "Count the words of a text, however they are spaced.",
                        "steps": ["Split the text at white space", "Count what is left"], "code": code});
    client.ok("remember_procedure", fields);
}

#[test]
fn of_two_procedures_that_do_the_same_the_better_proven_one_stays() {
    let home = Home::new();
    let mut client = home.start();
    say(&mut client, "count_words", "return len(text.split())");
    say(&mut client, "count_words_of", "return sum(1 for _ in text.split())");
    say(&mut client, "count_words_in", "return len(text)");
    for words in ["one", "one two", "a b c", "d e f g"] {
        execute(&mut client, "count_words", json!({"text": words}));
    }
    for words in ["one", "one two", "a b c"] {
        execute(&mut client, "count_words_of", json!({"text": words}));
        execute(&mut client, "count_words_in", json!({"text": words}));
    }
    let [candidate] = &learned(&home, &mut client, "merge")[..] else { panic!("not one candidate") };
    assert_eq!(text(candidate, "name"), "count_words_of");
    assert_eq!(candidate["evidence"]["equal_results"], json!(3));
    assert_eq!(candidate["evidence"]["change"]["name"], json!("count_words"));
    review(&mut client, number(candidate), "approve");
    // Who says the old name means the one that stayed.
    let found = client.ok("get_procedure", json!({"procedure_id": "count_words_of"}));
    assert_eq!(text(&found, "name"), "count_words");
    assert_eq!(found["definition"]["former_names"], json!(["count_words_of"]));
    let gone = client.ok("get_procedure", json!({"procedure_id": "count_words_of_merged"}));
    assert_eq!((&gone["definition"]["status"], gone["definition"].get("former_names")), (&json!("archived"), None));
    assert_eq!(execute(&mut client, "count_words_of", json!({"text": "x y"}))["result"], json!(2));
    assert_eq!(learned(&home, &mut client, "merge"), Vec::<Value>::new());
    // Built anew from the history, names and runs are where they were.
    drop(client);
    succeed(&home, &["doctor", "--rebuild"]);
    let mut client = home.start();
    let found = client.ok("get_procedure_stats", json!({"procedure_id": "count_words_of"}));
    assert_eq!((text(&found, "name"), &found["usage_count"]), ("count_words", &json!(5)), "{found}");
    let gone = client.ok("get_procedure_stats", json!({"procedure_id": "count_words_of_merged"}));
    assert_eq!(gone["usage_count"], json!(3), "{gone}");
}

/// Sets all times back, as if nothing had happened for so many days.
fn set_back(home: &Home, days: i64) {
    let database = Connection::open(home.path().join("repertoire.db")).unwrap();
    database
        .execute_batch(&format!(
            "UPDATE procedures SET created_at = created_at - {days} * 86400, updated_at = updated_at - {days} * 86400, \
             last_run_at = last_run_at - {days} * 86400000"
        ))
        .unwrap();
}

#[test]
fn what_is_unused_for_long_and_never_proven_is_proposed_to_be_put_away() {
    let home = Home::new();
    let mut client = home.start();
    for name in ["forgotten", "pinned_one", "proven", "scheduled"] {
        remember(&mut client, name, &format!("def {name}():\n    \"\"\"Do {name}.\"\"\"\n    return '{name}'\n"));
    }
    client.ok("update_procedure", json!({"procedure_id": "pinned_one", "pinned": true}));
    let trigger = json!({"type": "event", "event_type": "rain"});
    client.ok("update_procedure", json!({"procedure_id": "scheduled", "trigger": trigger}));
    execute(&mut client, "proven", json!({}));
    set_back(&home, 89);
    assert_eq!(learned(&home, &mut client, "retire"), Vec::<Value>::new());
    set_back(&home, 2);
    let [candidate] = &learned(&home, &mut client, "retire")[..] else { panic!("not one candidate") };
    assert_eq!((text(candidate, "name"), &candidate["evidence"]["unused_days"]), ("forgotten", &json!(91)));
    assert_eq!(text(&review(&mut client, number(candidate), "reject"), "status"), "rejected");
    set_back(&home, 60);
    assert_eq!(learned(&home, &mut client, "retire"), Vec::<Value>::new());
    set_back(&home, 40);
    let [candidate] = &learned(&home, &mut client, "retire")[..] else { panic!("it does not come back") };
    review(&mut client, number(candidate), "approve");
    let definition = client.ok("get_procedure", json!({"procedure_id": "forgotten"}))["definition"].clone();
    assert_eq!(definition["status"], json!("archived"));
    assert_eq!(learned(&home, &mut client, "retire"), Vec::<Value>::new());
}

#[test]
fn a_server_learns_by_itself_and_withdraws_what_nothing_speaks_for_any_more() {
    let home = Home::new();
    let mut client = home.start();
    regress(&mut client, 3);
    let waits =
        |client: &mut RawClient| candidates(client).iter().any(|one| one["evidence"]["kind"] == json!("roll_back"));
    eventually("the server has learned from the runs", || waits(&mut client));
    give_code(&mut client, "price", "def price(n: int) -> int:\n    \"\"\"Price.\"\"\"\n    return n + n\n");
    eventually("what is about other code is withdrawn", || !waits(&mut client));
}

#[test]
fn users_and_tenants_see_what_their_own_runs_say() {
    let home = Home::new();
    let mut ann = home.start_with(&["--user", "ann"], Mcp::V2025);
    regress(&mut ann, 3);
    ann.ok("update_procedure", json!({"procedure_id": "price", "is_shared": true}));
    let mut bob = home.start_with(&["--user", "bob"], Mcp::V2025);
    for n in 0..4 {
        let parameters = json!({"procedure_id": "price", "parameters": {"n": 900 + n}});
        assert_eq!(bob.call("execute_procedure", parameters)["outcome"], json!("failure"));
    }
    let mut tenant = home.start_with(&["--tenant", "acme", "--user", "ann"], Mcp::V2025);
    succeed(&home, &["--user", "ann", "learn"]);
    succeed(&home, &["--user", "ann", "--tenant", "acme", "learn"]);
    let of_ann: Vec<Value> =
        candidates(&mut ann).into_iter().filter(|one| one["evidence"]["kind"] == json!("roll_back")).collect();
    let [candidate] = &of_ann[..] else { panic!("not one candidate") };
    assert_eq!(candidate["evidence"]["now"]["failures"], json!(7), "all runs are counted");
    assert_eq!(
        candidate["evidence"]["run_ids"].as_array().map(Vec::len),
        Some(3),
        "and only those of the owner are shown"
    );
    let shown = json!([candidate["evidence"]["parameters"], candidate["evidence"]["error"]]).to_string();
    assert!(!shown.contains("90"), "{candidate}");
    let call = json!({"candidate_id": candidate["candidate_id"], "decision": "approve"});
    for other in [&mut bob, &mut tenant] {
        let about = candidates(other).into_iter().filter(|one| one["procedure_id"].is_i64());
        assert_eq!(about.collect::<Vec<_>>(), Vec::<Value>::new());
        other.refused("review_candidate", call.clone(), "candidate_not_found");
    }
    assert_eq!(code_of(&mut ann, "price"), BAD);
}

#[test]
fn where_people_decide_an_agent_does_not() {
    let home = Home::with_config("[policy]\napprovals = 'human'\n");
    let mut client = home.start();
    regress(&mut client, 3);
    let id = number(&learned(&home, &mut client, "roll_back")[0]);
    for decision in ["approve", "reject"] {
        let call = json!({"candidate_id": id, "decision": decision});
        let error = client.refused("review_candidate", call, "approval_needs_human");
        assert!(error.contains(&format!("repertoire review {id}")), "{error}");
    }
    assert_eq!(code_of(&mut client, "price"), BAD);
}
