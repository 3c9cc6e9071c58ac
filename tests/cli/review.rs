//! `repertoire review`: at a terminal one candidate after the other, through a pipe, and as a list.

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _, process::Stdio};

use serde_json::{Value, json};

use super::commands::{fail, succeed};
use crate::{
    common::{Home, RawClient, execute_code, terminal::Terminal, text},
    library::learning::candidates::fail as fail_run,
};

const RAG: &str = "Inject RAG context into the user message instead of the system prompt, because models treat system prompts as \
                   behavioural guidelines.";
const DRAIN: &str = "When a node has to be serviced, drain it with `kubectl drain` first, so that nothing is lost.";

/// What stands before an answer.
pub const PROMPT: &str = "q quit\n› ";

/// A home in which these lessons were told.
fn told(lessons: &[&str]) -> Home {
    let home = Home::new();
    let mut client = home.start();
    client.ok("submit_lessons", json!({"lessons": lessons, "session_name": "spring"}));
    assert!(client.close().success());
    home
}

/// `repertoire review` at a terminal of 80 columns.
pub fn at_terminal(home: &Home, arguments: &[&str]) -> Terminal {
    Terminal::start(home.command(&[&["review"], arguments].concat()), 80)
}

fn waiting(home: &Home) -> Vec<Value> {
    let mut client = home.start();
    client.ok("list_candidates", json!({}))["candidates"].as_array().unwrap().clone()
}

fn definition(home: &Home, name: &str) -> Value {
    home.start().ok("get_procedure", json!({"procedure_id": name}))["definition"].clone()
}

#[test]
fn candidates_come_one_after_the_other_and_are_decided_on() {
    let home = told(&[RAG, DRAIN, "When a certificate expires, renew it with `certbot renew` and reload nginx."]);
    let names: Vec<String> = waiting(&home).iter().map(|one| text(one, "name").to_owned()).collect();
    let mut terminal = at_terminal(&home, &[]);
    let panel = terminal.expect(PROMPT);
    for wanted in ["1 of 3", "candidate 1 · lesson", &names[0], "problem", "solution", "told: Inject RAG", "(spring)"]
    {
        assert!(panel.contains(wanted), "no {wanted:?} in\n{panel}");
    }
    assert!(!panel.contains("drain"), "one at a time: {panel}");
    terminal.enter("what?");
    terminal.expect("Answer with one of these letters.");
    terminal.enter("a");
    terminal.expect(&format!("It is procedure `{}`", names[0]));
    terminal.expect("2 of 3");
    terminal.enter("r");
    terminal.expect("no reason) › ");
    terminal.enter("we have no nodes");
    terminal.expect("Candidate 2 is rejected.");
    terminal.expect("3 of 3");
    terminal.enter("s");
    terminal.expect("waits behind the others");
    let (status, shown) = terminal.end_fitting();
    assert!(status.success() && shown.contains("2 decided, 1 waits."), "{shown}");
    assert_eq!(waiting(&home).len(), 1);
    assert_eq!(definition(&home, &names[0])["status"], json!("active"));
    assert!(fail(&home, &["review", "2"]).contains("we have no nodes"), "why is kept");
    let versions = home.start().ok("get_procedure_versions", json!({"procedure_id": names[0]}));
    assert!(text(&versions["versions"][0], "message").starts_with("Approve"), "{versions}");
}

#[test]
fn the_end_of_the_input_leaves_everything_as_it_is() {
    let home = told(&[RAG, DRAIN]);
    let before = waiting(&home);
    for keys in [&[][..], &["q"], &["nonsense", "v"], &["r"]] {
        let mut terminal = at_terminal(&home, &[]);
        terminal.expect(PROMPT);
        for line in keys {
            terminal.enter(line);
            match *line {
                "q" => {}
                "r" => drop(terminal.expect("no reason) › ")),
                _ => drop(terminal.expect(PROMPT)),
            }
        }
        if !keys.contains(&"q") {
            terminal.end_input();
        }
        let (status, shown) = terminal.end_fitting();
        assert!(status.success() && shown.contains("0 decided, 2 wait."), "{keys:?}: {shown}");
        assert_eq!(waiting(&home), before, "{keys:?}");
    }
}

#[test]
fn colours_are_used_where_they_are_wanted() {
    let home = told(&[RAG]);
    for (arguments, no_color, has_colours) in [
        (&["review"][..], None, true),
        (&["review"], Some("1"), false),
        (&["review", "--color", "never"], None, false),
        (&["review", "--color", "always"], Some("1"), true),
    ] {
        let mut command = home.command(arguments);
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        let mut terminal = Terminal::start(command, 80);
        terminal.expect(PROMPT);
        assert_eq!(terminal.raw().contains("\u{1b}["), has_colours, "{arguments:?} {no_color:?}: {:?}", terminal.raw());
        terminal.end_input();
        assert!(terminal.end_fitting().0.success());
    }
    assert!(!succeed(&home, &["review", "1"]).contains('\u{1b}'), "no terminal");
    assert!(succeed(&home, &["review", "1", "--color", "always"]).contains("\u{1b}["));
}

#[test]
fn lines_fit_the_terminal_whatever_candidates_say() {
    let home = Home::new();
    let mut client = home.start();
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}evil\rover";
    client.ok(
        "remember_procedure",
        json!({
            "name": "wide", "status": "candidate", "problem": format!("{hostile} {}", "日本語の長い文章がここにあります。".repeat(12)),
            "description": "Wide.", "steps": [format!("Look at {hostile}"), "x".repeat(300), "👩\u{200d}👩\u{200d}👧 ❤\u{fe0f} ".repeat(40)],
            "tags": [hostile], "anti_patterns": [hostile],
            "code": format!("def wide():\n\t'''{}'''\n\treturn 1\n", "日本".repeat(90)),
        }),
    );
    let trace = json!({"prompt": format!("Look {hostile}"), "calls": [
        {"tool": "Bash", "arguments": {"command": format!("printf '{}'", "語".repeat(80))}, "result": hostile},
        {"tool": "Bash", "arguments": {"command": "printf done"}, "result": "done"},
    ]});
    client.ok("submit_trace", trace);
    drop(client);
    for columns in [20, 40, 80, 200] {
        for id in ["1", "2"] {
            let mut terminal = Terminal::start(home.command(&["review", id, "--color", "never"]), columns);
            terminal.expect(PROMPT);
            terminal.enter("v");
            terminal.expect(PROMPT);
            let raw = terminal.raw();
            assert!(!raw.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']) && !raw.contains("\rover"), "{raw:?}");
            terminal.end_input();
            let (status, shown) = terminal.end_fitting();
            assert!(status.success() && shown.contains("U+001B"), "{shown}");
        }
        let list = Terminal::start(home.command(&["review", "--list"]), columns.max(60));
        assert!(list.end_fitting().1.contains("wide"));
    }
}

/// A shell script that stands for an editor: it gets the file as its last argument.
fn editor(home: &Home, name: &str, script: &str) -> String {
    let path = home.beside("editors").join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("'{}'", path.display())
}

#[test]
fn words_are_changed_in_the_users_editor() {
    let home = told(&[RAG]);
    let visual = editor(
        &home,
        "visual",
        "[ \"$1\" = -w ] && sed 's/^solution = .*/solution = \"Put it first.\"/' \"$2\" > \"$2.new\" && mv \"$2.new\" \"$2\"",
    );
    let broken = editor(&home, "broken", "echo 'no toml at all' > \"$1\"");
    let nothing = editor(&home, "nothing", ":");
    let failing = editor(&home, "failing", "exit 3");
    let edit = |variables: &[(&str, &str)], expected: &str, rest: &[&str]| {
        let mut command = home.command(&["review"]);
        command.envs(variables.iter().copied());
        let mut terminal = Terminal::start(command, 80);
        terminal.expect(PROMPT);
        terminal.enter("e");
        let shown = terminal.expect(expected);
        for line in rest {
            terminal.enter(line);
            terminal.expect(PROMPT);
        }
        terminal.end_input();
        assert!(terminal.end_fitting().0.success());
        shown
    };
    let before = waiting(&home);
    edit(&[("EDITOR", nothing.as_str())], "Nothing was changed.", &[]);
    edit(&[("EDITOR", failing.as_str())], "so nothing is changed", &[]);
    edit(&[("EDITOR", broken.as_str())], "n to leave it as it is", &["n"]);
    edit(&[("EDITOR", "/nowhere/editor")], "can't be started", &[]);
    assert_eq!(waiting(&home), before);
    // The first of both, with its own arguments.
    let visual = format!("{visual} -w");
    edit(&[("VISUAL", visual.as_str()), ("EDITOR", failing.as_str())], "solution  Put it first.", &[]);
    assert_eq!(text(&waiting(&home)[0], "solution"), "Put it first.");
    assert_eq!(waiting(&home)[0]["problem"], before[0]["problem"], "what was not changed stays");
}

#[test]
fn what_is_known_already_becomes_a_part_of_it() {
    let home = Home::new();
    let mut client = home.start();
    let known = json!({"name": "drain_node", "description": "Drain a node with kubectl before it is serviced.",
                       "steps": ["Drain the node with kubectl drain"], "tags": ["ops"]});
    client.ok("remember_procedure", known);
    let twin = json!({"name": "drain_nodes", "description": "Drain a node with kubectl before a service.", "status": "candidate",
                      "steps": ["Drain the node with kubectl drain"], "tags": ["k8s"], "anti_patterns": ["Deleting the node"]});
    client.ok("remember_procedure", twin);
    drop(client);
    let mut terminal = at_terminal(&home, &[]);
    let panel = terminal.expect(PROMPT);
    assert!(panel.contains("beside `drain_node`, which is nearest"), "{panel}");
    assert!(panel.contains("- tags: ops") && panel.contains("+ tags: k8s"), "{panel}");
    assert!(panel.contains("m merge with drain_node"), "{panel}");
    terminal.enter("m");
    terminal.expect("Candidate 1 is a part of `drain_node` now.");
    assert!(terminal.end_fitting().0.success());
    let merged = definition(&home, "drain_node");
    assert_eq!(merged["tags"], json!(["ops", "k8s"]));
    assert_eq!(merged["anti_patterns"], json!(["Deleting the node"]));
    assert_eq!(merged["applicable_contexts"], json!(["Drain a node with kubectl before a service."]));
    assert_eq!(definition(&home, "drain_nodes")["status"], json!("archived"));
    assert!(waiting(&home).is_empty());
    assert!(fail(&home, &["review", "1"]).contains("a part of `drain_node`"));
}

#[test]
fn what_runs_and_recordings_teach_becomes_a_part_of_what_is_known() {
    let home = Home::with_config("[policy]\napprovals = 'client'\n");
    let mut client = home.start();
    for (run, node) in [("a1", "test"), ("a2", "test"), ("b1", "ship"), ("b2", "ship")] {
        fail_run(&mut client, run, node, "broken", json!({}));
    }
    client.ok("review_candidate", json!({"candidate_id": 1, "decision": "approve"}));
    let merged = client.ok("review_candidate", json!({"candidate_id": 2, "decision": "merge"}));
    assert_eq!((text(&merged, "status"), text(&merged, "name")), ("active", "deploy_pitfall"), "{merged}");
    let known = definition(&home, "deploy_pitfall");
    assert!(known["applicable_contexts"][0].as_str().unwrap().contains("fail at `ship`"), "{known}");
    assert_eq!(known["anti_patterns"].as_array().unwrap().len(), 2, "{known}");
    // Further evidence belongs there, and makes no other candidate.
    assert_eq!(fail_run(&mut client, "b3", "ship", "broken", json!({}))["candidate_ids"], json!([2]));
    client.ok(
        "remember_procedure",
        json!({"name": "publish", "description": "Publish the site to the mirror", "steps": ["Publish site mirror"]}),
    );
    let trace = json!({"prompt": "Publish the site to the mirror", "calls": [
        {"tool": "Bash", "arguments": {"command": "publish site mirror"}, "result": "ok"}]});
    let recorded = client.ok("submit_trace", trace.clone());
    let id = recorded["candidate_id"].as_i64().unwrap().to_string();
    assert!(succeed(&home, &["review", &id, "--merge"]).contains("is a part of `publish` now."));
    let again = client.ok("submit_trace", trace);
    assert_eq!(text(&again["procedure"], "name"), "publish", "it is known now: {again}");
    assert!(waiting(&home).is_empty());
}

#[test]
fn what_comes_back_says_why_it_was_put_away() {
    let home = Home::with_config("[policy]\napprovals = 'client'\n");
    let mut client = home.start();
    for run in ["r1", "r2"] {
        fail_run(&mut client, run, "test", "broken", json!({}));
    }
    succeed(&home, &["review", "1", "--reject", "--reason", "the lab was down"]);
    assert!(fail(&home, &["review", "1"]).contains("the lab was down"));
    for run in ["r3", "r4"] {
        fail_run(&mut client, run, "test", "broken", json!({}));
    }
    let shown = succeed(&home, &["review", "1"]);
    assert!(shown.contains("put away before: the lab was down"), "{shown}");
}

#[test]
fn what_nothing_is_near_can_not_be_merged() {
    let home = told(&[RAG]);
    let mut terminal = at_terminal(&home, &[]);
    assert!(!terminal.expect(PROMPT).contains("m merge"));
    terminal.enter("m");
    terminal.expect("near no procedure");
    terminal.end_input();
    assert!(terminal.end_fitting().0.success());
    assert_eq!(waiting(&home).len(), 1);
}

#[test]
fn a_recording_stands_beside_the_procedure_with_what_it_needs() {
    let home = Home::new();
    let mut client = home.start();
    let trace = json!({"prompt": "Publish version 1.4.2 of the site", "calls": [
        {"tool": "Bash", "arguments": {"command": "publish --release 1.4.2 site"}, "result": "ok"},
        {"tool": "mcp__tracker__close_ticket", "arguments": {"id": "T-17"}, "result": "ok"},
    ]});
    client.ok("submit_trace", trace);
    drop(client);
    let mut terminal = at_terminal(&home, &[]);
    let panel = terminal.expect(PROMPT);
    let beside = panel.lines().find(|line| line.contains("Bash publish --release 1.4.2")).unwrap();
    assert!(beside.contains("│ 1. publish --release {{"), "{panel}");
    assert!(panel.contains("asked: Publish version 1.4.2"), "{panel}");
    assert!(panel.contains("commands = ['publish']") && panel.contains("tools = ['tracker/close_ticket']"), "{panel}");
    terminal.end_input();
    assert!(terminal.end_fitting().0.success());
}

#[test]
fn what_changed_meanwhile_is_shown_again_before_it_is_decided() {
    let home = told(&[RAG]);
    let mut terminal = at_terminal(&home, &[]);
    terminal.expect(PROMPT);
    let name = text(&waiting(&home)[0], "name").to_owned();
    home.start().ok("update_procedure", json!({"procedure_id": name, "solution": "Do the opposite."}));
    terminal.enter("a");
    terminal.expect("has changed since it was shown");
    assert!(terminal.expect(PROMPT).contains("Do the opposite."));
    assert_eq!(definition(&home, &name)["status"], json!("candidate"));
    // Also what the panel has no line for.
    home.start().ok("update_procedure", json!({"procedure_id": name, "icon": "🦊"}));
    terminal.enter("a");
    terminal.expect("has changed since it was shown");
    terminal.expect(PROMPT);
    terminal.enter("a");
    terminal.expect("It is procedure");
    assert!(terminal.end_fitting().0.success());
}

/// What is printed where these answers come through a pipe, and whether that went well.
fn piped(home: &Home, arguments: &[&str], answers: &str) -> (bool, String) {
    let mut command = home.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.success(), shown)
}

#[test]
fn through_a_pipe_it_lists_or_reads_answers_where_that_is_asked() {
    let home = told(&[RAG, DRAIN]);
    let (went_well, shown) = piped(&home, &["review"], "a\na\n");
    assert!(
        went_well && shown.starts_with("ID") && shown.contains("serviced") && !shown.contains("approve"),
        "{shown}"
    );
    assert_eq!(waiting(&home).len(), 2, "answers that nobody asked for decide nothing");
    // No person sits there, so it depends on the policy whether these are decisions.
    home.configure("[policy]\napprovals = 'human'\n");
    let (went_well, shown) = piped(&home, &["review", "--ask"], "s\na\n");
    assert!(!went_well && shown.contains("only a person"), "{shown}");
    home.configure("[policy]\napprovals = 'client'\n");
    let (went_well, shown) = piped(&home, &["review", "--ask"], "x\nr not ours\n");
    assert!(went_well && shown.contains("is rejected.") && shown.contains("1 decided, 1 waits."), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let (went_well, shown) = piped(&home, &["review", "--ask"], "");
    assert!(went_well && shown.contains("0 decided, 1 waits."), "{shown}");
    assert_eq!(waiting(&home).len(), 1);
}

#[test]
fn what_waits_is_counted_where_people_look() {
    let home = Home::new();
    let mut client = home.start();
    assert!(!succeed(&home, &["list"]).contains("wait") && !succeed(&home, &["stats"]).contains("wait"));
    assert!(client.ok("list_procedures", json!({})).get("waiting").is_none());
    client.ok("submit_lessons", json!({"lessons": [RAG, DRAIN]}));
    assert_eq!(client.ok("list_procedures", json!({}))["waiting"], json!({"candidates": 2}));
    tell(&mut client);
    let counts = client.ok("list_procedures", json!({"limit": 1}))["waiting"].clone();
    assert_eq!(counts, json!({"candidates": 2, "inbox": 1}));
    let wanted = "2 candidates wait (`repertoire review`), 1 entry is in the inbox (`repertoire inbox`)";
    for command in ["list", "stats"] {
        let shown = succeed(&home, &[command]);
        assert!(shown.ends_with(&format!("{wanted}\n")), "{command}: {shown}");
    }
    client.ok("resolve_inbox_item", json!({"item_id": 1}));
    for id in [1, 2] {
        client.ok("review_candidate", json!({"candidate_id": id, "decision": "reject"}));
    }
    assert!(client.ok("list_procedures", json!({})).get("waiting").is_none());
    assert!(!succeed(&home, &["list"]).contains("wait"));
}

/// Has a procedure leave something in the inbox.
fn tell(client: &mut RawClient) {
    let code = "from repertoire import notify\n\ndef tell():\n    \"\"\"Tell.\"\"\"\n    notify('Ready')\n";
    execute_code(client, "tell", code);
}
