//! Who decides: what is for people where they can be asked, and how it is marked that an agent decided.

use std::fs;

use serde_json::{Value, json};

use super::approvals::{DEPLOY, USER, with_user};
use crate::{
    cli::commands::{fail, succeed},
    common::{Home, Protocol, RawClient, eventually, remember, text, toml_path},
    library::learning::candidates::{self, candidates},
};

const HUMAN: &str = "[policy]\napprovals = 'human'\n";

fn yes() -> Value {
    json!({"action": "accept", "content": {"approve": true}})
}

fn no() -> Value {
    json!({"action": "accept", "content": {"approve": false}})
}

/// Calls a tool whose one question is answered so; what was asked, and the answer of the call.
#[track_caller]
fn call_and_answer(
    client: &mut RawClient,
    protocol: Protocol,
    (tool, arguments): (&str, &Value),
    answer: &Value,
) -> (String, Value) {
    let id = client.send_call(tool, arguments.clone());
    if protocol == Protocol::V2025 {
        let request = client.server_request();
        client.respond(&request, answer.clone());
        return (text(&request["params"], "message").to_owned(), client.call_answer(id));
    }
    let asked = client.answer(id)["result"].clone();
    assert_eq!(asked["resultType"], json!("input_required"), "{asked}");
    let again = json!({"name": tool, "arguments": arguments, "requestState": asked["requestState"],
                       "inputResponses": {"decision": answer}});
    let id = client.send_request("tools/call", again);
    let message = text(&asked["inputRequests"]["decision"]["params"], "message").to_owned();
    (message, client.call_answer(id))
}

#[test]
fn where_the_client_can_ask_its_user_an_agent_decides_nothing() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = with_user(&home, protocol);
        remember(&mut client, "deploy", DEPLOY);
        home.configure("[runs]\nask_seconds = 0");
        let run = client.ok("execute_procedure", json!({"procedure_id": "deploy"}))["run_id"].clone();
        home.configure("");
        for decision in ["approve", "reject"] {
            let error =
                client.refused("resume_run", json!({"run_id": run, "decision": decision}), "approval_needs_human");
            assert!(error.contains("without `decision`"), "{error}");
        }
        // Nor through another door: the run knows that its user could be asked.
        let mut silent = home.start_with(&USER, protocol);
        silent.refused("resume_run", json!({"run_id": run, "decision": "approve"}), "approval_needs_human");
        let error = fail(&home, &[&USER[..], &["approve", run.as_str().unwrap(), "--yes"]].concat());
        assert!(error.contains("only a person"), "{error}");
        let (_, done) = call_and_answer(&mut client, protocol, ("resume_run", &json!({"run_id": run})), &yes());
        assert_eq!(done["result"], json!({"agreed": {"approved_by": "test's user", "value": null}}), "{done}");
        let view = client.ok("get_run", json!({"run_id": run}));
        assert!(!view.to_string().contains("by_agent"), "{view}");
        // Who wants agents to decide says so.
        home.configure("[policy]\napprovals = 'client'\n[runs]\nask_seconds = 0");
        let run = client.ok("execute_procedure", json!({"procedure_id": "deploy"}))["run_id"].clone();
        client.ok("resume_run", json!({"run_id": run, "decision": "approve"}));
    }
}

#[test]
fn where_nobody_can_be_asked_the_first_run_says_how_to_choose_and_what_an_agent_decides_is_marked() {
    let home = Home::new();
    let mut client = home.start_with(&USER, Protocol::V2025);
    remember(&mut client, "deploy", DEPLOY);
    let call = json!({"procedure_id": "deploy"});
    let first = client.ok("execute_procedure", call.clone());
    let note = text(&first, "note");
    assert!(note.contains("`approvals = \"human\"`") && note.contains("config.toml"), "{note}");
    assert!(client.ok("execute_procedure", call.clone()).get("note").is_none());
    let run = json!({"run_id": first["run_id"]});
    let decided = client.ok("resume_run", json!({"run_id": first["run_id"], "decision": "approve"}));
    assert_eq!(decided["result"]["agreed"], json!({"approved_by": "test", "value": null, "by_agent": true}));
    let view = client.ok("get_run", run);
    assert_eq!((&view["decisions"][0]["by"], &view["decisions"][0]["by_agent"]), (&json!("test"), &json!(true)));
    assert_eq!((&view["calls"][0]["decided_by_agent"], &view["decided_by_agent"]), (&json!(true), &json!(true)));
    let runs = client.ok("list_runs", json!({}));
    assert_eq!(runs["runs"][1]["decided_by_agent"], json!(true), "{runs}");
    assert!(runs["runs"][0].get("decided_by_agent").is_none(), "{runs}");
    // A refusal is a decision too.
    client.ok("resume_run", json!({"run_id": runs["runs"][0]["run_id"], "decision": "reject"}));
    let view = client.ok("get_run", json!({"run_id": runs["runs"][0]["run_id"]}));
    assert_eq!(view["calls"][0]["decided_by_agent"], json!(true), "{view}");
    let notify = "from repertoire import notify\n\ndef tell():\n    \"\"\"Tell.\"\"\"\n    notify('Ready')\n";
    remember(&mut client, "tell", notify);
    client.ok("execute_procedure", json!({"procedure_id": "tell"}));
    client.ok("resolve_inbox_item", json!({"item_id": 1}));
    let items = client.ok("list_inbox", json!({"include_resolved": true}));
    assert_eq!(
        (&items["items"][0]["resolved_by"], &items["items"][0]["resolved_by_agent"]),
        (&json!("ada"), &json!(true))
    );
    let printed = succeed(&home, &[&USER[..], &["inbox", "--all"]].concat());
    assert!(printed.contains("✓ (agent)"), "{printed}");
    // Once chosen, nothing more is said.
    home.configure("[policy]\napprovals = 'client'");
    assert!(home.start_with(&USER, Protocol::V2025).ok("execute_procedure", call).get("note").is_none());
}

#[test]
fn whether_an_interrupted_call_took_effect_is_for_people_to_say() {
    for (content, result) in [
        (
            json!({"what_happened": "It took effect", "result": "{\"exit_code\": 0, \"stdout\": \"by hand\", \"stderr\": \"\"}"}),
            json!("by hand"),
        ),
        (json!({"what_happened": "It did not: execute it again"}), json!("done")),
    ] {
        let home = Home::new();
        let folder = home.beside("work");
        home.configure(&format!(
            "[policy]\napprovals = 'human'\ncommands = ['sh']\nwrite = [{}]\n",
            toml_path(&folder)
        ));
        let mut client = home.start_with(&USER, Protocol::V2025);
        let code = "from repertoire import run_command\n\ndef work(folder: str) -> str:\n    \"\"\"Work.\"\"\"\n    \
                    return run_command(['sh', '-c', 'echo x >> begun; while [ -e hold ]; do sleep 0.05; done; echo done'], \
                    cwd=folder).stdout.strip()\n";
        remember(&mut client, "work", code);
        fs::write(folder.join("hold"), "").unwrap();
        client.send_call("execute_procedure", json!({"procedure_id": "work", "parameters": {"folder": folder}}));
        eventually("the command runs", || folder.join("begun").exists());
        client.kill();
        fs::remove_file(folder.join("hold")).unwrap();
        let mut silent = home.start_with(&USER, Protocol::V2025);
        let mut run = Value::Null;
        eventually("the next server asks", || {
            let paused = silent.ok("list_runs", json!({"status": "paused"}));
            run = paused["runs"][0]["run_id"].clone();
            !run.is_null()
        });
        for arguments in [
            json!({"run_id": run, "decision": "approve"}),
            json!({"run_id": run, "decision": "approve", "value": {"stdout": "forged"}}),
            json!({"run_id": run, "decision": "reject"}),
            json!({"run_id": run, "value": 1}),
            json!({"run_id": run}),
        ] {
            silent.refused("resume_run", arguments, "approval_needs_human");
        }
        let mut client = with_user(&home, Protocol::V2025);
        let answer = json!({"action": "accept", "content": content});
        let call = ("resume_run", &json!({"run_id": run}));
        let (asked, done) = call_and_answer(&mut client, Protocol::V2025, call, &answer);
        assert!(asked.contains("nobody knows whether it took effect"), "{asked}");
        assert_eq!(done["result"], result, "{done}");
    }
}

#[test]
fn what_was_learned_is_for_people_to_decide_on() {
    for protocol in Protocol::ALL {
        let home = Home::with_config(HUMAN);
        let mut client = home.start_with(&USER, protocol);
        for (run, node) in [("a1", "push"), ("a2", "push"), ("b1", "pull"), ("b2", "pull")] {
            candidates::fail(&mut client, run, node, "no space left", json!({}));
        }
        let ids: Vec<i64> = candidates(&mut client).iter().map(|one| one["candidate_id"].as_i64().unwrap()).collect();
        assert_eq!(ids.len(), 2);
        for review in [
            json!({"candidate_id": ids[0], "decision": "approve"}),
            json!({"candidate_id": ids[0], "decision": "reject"}),
            json!({"candidate_id": ids[0], "decision": "edit", "edits": {"problem": "Mine"}}),
        ] {
            let error = client.refused("review_candidate", review, "approval_needs_human");
            assert!(error.contains(&format!("`repertoire review {}", ids[0])), "{error}");
        }
        client.ok("review_candidate", json!({"candidate_id": ids[0], "decision": "skip"}));
        let error = fail(&home, &[&USER[..], &["review", &ids[0].to_string(), "--approve"]].concat());
        assert!(error.contains("only a person"), "{error}");
        assert_eq!(candidates(&mut client).len(), 2);
        let mut asking = with_user(&home, protocol);
        let approve = json!({"candidate_id": ids[0], "decision": "approve", "edits": {"name": "mind_the_disk"}});
        let call = ("review_candidate", &approve);
        let (question, declined) = call_and_answer(&mut asking, protocol, call, &no());
        assert_eq!(declined["error_code"], json!("declined"), "{declined}");
        assert!(question.contains("no space left") && question.contains("mind_the_disk"), "{question}");
        let (_, approved) = call_and_answer(&mut asking, protocol, call, &yes());
        assert_eq!(approved["name"], json!("mind_the_disk"), "{approved}");
        // Where agents may decide, it is said that one did.
        home.configure("[policy]\napprovals = 'client'");
        let reject = json!({"candidate_id": ids[1], "decision": "reject"});
        client.ok("review_candidate", reject.clone());
        let error = client.refused("review_candidate", reject, "already_reviewed");
        assert!(error.contains("an agent"), "{error}");
    }
}

/// Code that asks, and code that asks less surely, for the same procedure.
fn deploy(body: &str) -> String {
    format!(
        "from repertoire import approve, notify\n\ndef deploy(version: str = '1.2') -> str:\n    \"\"\"Deploy.\"\"\"\n{body}    \
         notify(version)\n    return version\n"
    )
}

const ASKS: &str = "    approve(f'Deploy {version}?')\n";
const WEAKER: [&str; 6] = [
    "",
    "    if version == '9':\n        approve(f'Deploy {version}?')\n",
    "    try:\n        approve(f'Deploy {version}?')\n    except PermissionError:\n        pass\n",
    "    def unused():\n        approve(f'Deploy {version}?')\n",
    "    version == '9' and approve(f'Deploy {version}?')\n",
    "    approve = print\n    approve(f'Deploy {version}?')\n",
];

#[test]
fn a_version_that_no_longer_asks_is_for_people_to_agree_to() {
    for protocol in Protocol::ALL {
        let home = Home::with_config(HUMAN);
        let mut client = home.start_with(&USER, protocol);
        remember(&mut client, "deploy", &deploy(""));
        let generate = |body: &str| json!({"procedure_id": "deploy", "code": deploy(body)});
        client.ok("generate_procedure_code", generate(ASKS));
        for body in WEAKER {
            let error = client.refused("generate_procedure_code", generate(body), "approval_needs_human");
            assert!(error.contains("approve(f'Deploy {version}?')") && error.contains("`repertoire code"), "{error}");
        }
        let rollback = json!({"procedure_id": "deploy", "target_version": 1});
        let error = client.refused("rollback_procedure_code", rollback.clone(), "approval_needs_human");
        assert!(error.contains("`repertoire rollback deploy"), "{error}");
        // Asking in other words, or once more, is no less.
        client.ok("generate_procedure_code", generate("    approve('Really?')\n    approve('Sure?')\n"));
        let error = client.refused("generate_procedure_code", generate(ASKS), "approval_needs_human");
        assert!(error.contains("line 6: approve('Sure?')"), "one of two is dropped: {error}");
    }
}

#[test]
fn a_person_may_let_a_version_ask_no_longer() {
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = with_user(&home, protocol);
        remember(&mut client, "deploy", &deploy(ASKS));
        let without = json!({"procedure_id": "deploy", "code": deploy("")});
        let call = ("generate_procedure_code", &without);
        let (question, declined) = call_and_answer(&mut client, protocol, call, &no());
        assert!(
            question.contains("line 5: approve(f'Deploy {version}?')") && question.contains("notify(version)"),
            "{question}"
        );
        assert_eq!(declined["error_code"], json!("declined"), "{declined}");
        let (_, stored) = call_and_answer(&mut client, protocol, call, &yes());
        assert_eq!(stored["version"], json!(2), "{stored}");
        let versions = client.ok("get_procedure_versions", json!({"procedure_id": "deploy"}));
        let message = text(&versions["versions"][0], "message");
        assert!(message.contains("drops an approval; decided by test's user"), "{message}");
        // What was removed and comes back asks as well.
        client.ok("rollback_procedure_code", json!({"procedure_id": "deploy", "target_version": 1}));
        client.ok("delete_procedure", json!({"procedure_id": "deploy"}));
        let again = json!({"name": "deploy", "steps": ["Deploy"], "code": deploy("")});
        let (_, declined) = call_and_answer(&mut client, protocol, ("remember_procedure", &again), &no());
        assert_eq!(declined["error_code"], json!("declined"), "{declined}");
        client.ok("remember_procedure", json!({"name": "deploy", "steps": ["Deploy"], "code": deploy(ASKS)}));
        // Where agents may decide, the history says that one did.
        home.configure("[policy]\napprovals = 'client'");
        client.ok("generate_procedure_code", without.clone());
        let versions = client.ok("get_procedure_versions", json!({"procedure_id": "deploy"}));
        let message = text(&versions["versions"][0], "message");
        assert!(message.contains("drops an approval; decided by test (an agent)"), "{message}");
    }
}

#[test]
fn a_yes_to_one_change_is_none_to_another() {
    let home = Home::new();
    let mut client = with_user(&home, Protocol::V2026);
    remember(&mut client, "deploy", &deploy(ASKS));
    let without = json!({"procedure_id": "deploy", "code": deploy("")});
    let id = client.send_call("generate_procedure_code", without.clone());
    let state = client.answer(id)["result"]["requestState"].clone();
    let other = json!({"procedure_id": "deploy", "code": deploy("    print('something else')\n")});
    let rollback = json!({"procedure_id": "deploy", "target_version": 1});
    for (tool, arguments) in [("generate_procedure_code", &other), ("rollback_procedure_code", &rollback)] {
        let again = json!({"name": tool, "arguments": arguments, "requestState": state,
                           "inputResponses": {"decision": yes()}});
        let id = client.send_request("tools/call", again);
        assert_eq!(client.call_answer(id)["error_code"], json!("not_asked"));
    }
    assert_eq!(client.ok("get_procedure", json!({"procedure_id": "deploy"}))["version"], json!(1));
}

#[test]
fn what_hides_or_turns_text_is_written_out_where_people_decide_by_it() {
    let home = Home::new();
    let hidden = "Pay \u{202e}001$\u{202c} to a\u{200b}b\u{1b}[2K";
    let shown = "Pay ⟨U+202E⟩001$⟨U+202C⟩ to a⟨U+200B⟩b⟨U+001B⟩[2K";
    let code = format!(
        "from repertoire import approve, ask, draft_email, notify\n\ndef pay():\n    \"\"\"Pay.\"\"\"\n    notify('{hidden}', title='{hidden}')\n    \
         draft_email('a@example.org', 'Bill', '{hidden}')\n    approve('{hidden}')\n    ask('{hidden}')\n"
    )
    .replace('\u{1b}', "\\x1b");
    for protocol in Protocol::ALL {
        let mut client = with_user(&home, protocol);
        let name = if protocol == Protocol::V2025 { "pay" } else { "pay_again" };
        remember(&mut client, name, &code.replace("def pay", &format!("def {name}")));
        let call = ("execute_procedure", &json!({"procedure_id": name}));
        let (asked, _) = call_and_answer(&mut client, protocol, call, &no());
        assert!(asked.ends_with(shown), "{asked}");
    }
    let mut silent = home.start_with(&USER, Protocol::V2025);
    let paused = silent.ok("execute_procedure", json!({"procedure_id": "pay"}));
    assert_eq!(paused["waiting_for"], json!(shown));
    let items = silent.ok("list_inbox", json!({})).to_string();
    for hiding in ['\u{202e}', '\u{200b}'] {
        assert!(!items.contains(hiding) && items.contains("⟨U+202E⟩"), "{items}");
    }
    for command in [&["approve"][..], &["inbox"], &["inbox", "show", "1"], &["inbox", "show", "2"], &["show", "pay"]] {
        let printed = succeed(&home, &[&USER[..], command].concat());
        assert!(!printed.contains(['\u{202e}', '\u{200b}', '\u{202c}']), "{command:?}: {printed}");
        assert!(printed.contains("⟨U+202E⟩"), "{command:?}: {printed}");
    }
}

#[test]
fn a_change_that_runs_speak_for_is_agreed_to_once_with_all_that_it_does() {
    let good = "def price(n: int) -> int:\n    \"\"\"Price.\"\"\"\n    return 2 * n\n";
    let bad = "from repertoire import approve\n\n\ndef price(n: int) -> int:\n    \"\"\"Price.\"\"\"\n    if n >= 0:\n        \
               raise KeyError(n)\n    approve('Sell?')\n    return 2 * n\n";
    for protocol in Protocol::ALL {
        let home = Home::new();
        let mut client = with_user(&home, protocol);
        remember(&mut client, "price", good);
        let execute = |client: &mut RawClient, times: u32, outcome: &str| {
            for n in 0..times {
                let call = json!({"procedure_id": "price", "parameters": {"n": n}});
                assert_eq!(client.call("execute_procedure", call)["outcome"], json!(outcome));
            }
        };
        execute(&mut client, 12, "success");
        client.ok("generate_procedure_code", json!({"procedure_id": "price", "code": bad}));
        execute(&mut client, 3, "failure");
        succeed(&home, &[&USER[..], &["learn"]].concat());
        let waiting = candidates(&mut client);
        let back = waiting.iter().find(|one| one["evidence"]["kind"] == json!("roll_back")).unwrap();
        let call = json!({"candidate_id": back["candidate_id"], "decision": "approve"});
        let (asked, refused) = call_and_answer(&mut client, protocol, ("review_candidate", &call), &no());
        assert!(asked.contains("does worse than version 1 did") && asked.contains("return 2 * n"), "{asked}");
        assert_eq!(refused["success"], json!(false), "{refused}");
        // The version before asks nobody, and one word is enough for that, too.
        let (_, done) = call_and_answer(&mut client, protocol, ("review_candidate", &call), &yes());
        assert_eq!(done["status"], json!("active"), "{done}");
        execute(&mut client, 1, "success");
    }
}
