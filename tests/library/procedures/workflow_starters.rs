//! The starter workflows: cloned, started by what starts them, and carried out with services on the loopback interface
//! and a downstream MCP server.

use repertoire::{compiler, domain::Definition, library::starter_procedures};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    cli::commands::succeed,
    common::{
        Home, PATIENCE, Protocol, RawClient, downstream::Setup, eventually, remember, text, web_server::WebServer,
    },
    library::inbox::inbox,
};

const USER: [&str; 2] = ["--user", "ada"];

/// A home with the starters, a Slack on the loopback interface, and a downstream server. None without Python.
struct Office {
    setup: Setup,
    web: WebServer,
}

impl Office {
    fn new() -> Option<Self> {
        let (setup, web) = (Setup::bare()?, WebServer::start());
        setup.home.configure(&format!(
            "[policy]\ntools = ['test/echo', 'test/add']\nnetwork = ['{0}']\n\
             [channels.slack]\nwebhook = 'http://{0}/hook'\n{1}",
            web.at("127.0.0.1"),
            setup.section("test", &[], "")
        ));
        Some(Self { setup, web })
    }

    fn home(&self) -> &Home {
        &self.setup.home
    }

    fn serve(&self) -> RawClient {
        serve_as(self.home(), USER[1])
    }

    /// The texts that Slack got.
    fn slack(&self) -> Vec<String> {
        let to_slack = self.web.requests().into_iter().filter(|request| request["path"] == json!("/hook"));
        to_slack
            .map(|request| {
                let body: Value = serde_json::from_str(text(&request, "body")).unwrap();
                text(&body, "text").to_owned()
            })
            .collect()
    }

    fn number(&self, sql: &str) -> i64 {
        self.database().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn database(&self) -> Connection {
        let connection = Connection::open(self.home().path().join("repertoire.db")).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        connection
    }
}

fn serve_as(home: &Home, user: &str) -> RawClient {
    let mut client = RawClient::spawn(home.command(&["--user", user, "serve"]));
    client.open(Protocol::V2025);
    client
}

fn workflows() -> Vec<(Definition, String)> {
    let of_actions = |definition: &Definition| {
        definition.steps.iter().all(|step| matches!(step, repertoire::domain::Step::Action(_)))
    };
    let found = starter_procedures().unwrap().into_iter().filter(|(definition, _)| of_actions(definition));
    found.map(|(definition, code)| (definition, code.unwrap())).collect()
}

fn emit(client: &mut RawClient, event_type: &str, payload: Value) -> Vec<Value> {
    client.ok("emit_event", json!({"event_type": event_type, "payload": payload}))["runs"].as_array().unwrap().clone()
}

fn of_kind(client: &mut RawClient, kind: &str) -> Vec<Value> {
    inbox(client, json!({"kind": kind}))
}

#[test]
fn their_code_is_what_their_steps_give() {
    let workflows = workflows();
    let names: Vec<&str> = workflows.iter().map(|(definition, _)| definition.name.as_str()).collect();
    assert_eq!(names, ["morning_prep", "post_meeting", "signal_alert"]);
    for (definition, code) in &workflows {
        assert_eq!(compiler::compile(definition), *code, "{}: `just docs` writes it anew", definition.name);
        assert!(definition.is_template(), "{}", definition.name);
    }
}

#[test]
fn they_start_when_they_should_and_do_what_they_should() {
    let shown: Vec<Value> = workflows()
        .iter()
        .map(|(definition, _)| {
            let value = json!(definition);
            let actions = value["steps"].as_array().unwrap().iter().map(|step| {
                let asks = step["requires_approval"].as_bool().unwrap_or(false);
                json!([step["step_id"], step["action_type"], asks])
            });
            json!([value["trigger"], actions.collect::<Vec<_>>(), value["category"], value["icon"], value["color"]])
        })
        .collect();
    let expected = json!([
        [
            {"type": "time", "cron_expression": "0 6 * * 1-5", "timezone": "America/New_York"},
            [["generate_briefing", "run_skill", false], ["send_to_slack", "send_notification", false]],
            "productivity", "sun", "#F59E0B"
        ],
        [
            {"type": "event", "event_type": "calendar_event_ended", "event_filter": {"source": "calendar"}},
            [["prompt_for_notes", "run_skill", true], ["extract_actions", "run_skill", false],
             ["draft_follow_up", "draft_email", false]],
            "follow_up", "calendar", "#3B82F6"
        ],
        [
            {"type": "condition", "condition_field": "market_signals.relevance_score", "condition_operator": "gt",
             "condition_value": 0.8, "condition_entity": "market_signal"},
            [["format_alert", "run_skill", false], ["notify", "send_notification", false]],
            "monitoring", "radar", "#EF4444"
        ]
    ]);
    assert_eq!(json!(shown), expected);
}

#[test]
fn a_template_is_found_and_shown_and_started_by_nothing() {
    let home = Home::new();
    let mut client = serve_as(&home, "ada");
    let meeting = json!({"source": "calendar", "meeting_title": "Budget", "meeting_attendees": []});
    let signal = json!({"market_signals": {"relevance_score": 0.9}, "signal_data": {}});
    assert_eq!(emit(&mut client, "calendar_event_ended", meeting), [json!(null); 0]);
    assert_eq!(emit(&mut client, "signal", signal.clone()), [json!(null); 0]);
    let found = client.ok("match_procedures", json!({"context": signal}));
    assert_eq!(found["procedures"][0]["name"], json!("signal_alert"), "{found}");
    assert_eq!(client.ok("list_runs", json!({}))["count"], json!(0));
    // Shared with all again, a clone is its owner's, and starts.
    client.ok("remember_procedure", json!({"clone_of": "signal_alert", "is_shared": true}));
    assert_eq!(emit(&mut client, "signal", signal).len(), 1);
}

#[test]
fn morning_prep_is_started_by_the_clock_and_tells_slack() {
    let Some(office) = Office::new() else { return };
    let printed = succeed(office.home(), &[&USER, &["clone", "Morning Prep", "my_morning"][..]].concat());
    assert!(printed.contains("`my_morning`") && printed.contains("0 6 * * 1-5` (America/New_York)"), "{printed}");
    let mut client = office.serve();
    let url = format!("http://{}/echo", office.web.at("127.0.0.1"));
    let briefing = format!(
        "from repertoire import call_tool, http_request\n\ndef morning_briefing(template: str, date: str) -> str:\n    \
         agenda = http_request('{url}', params={{'date': date}}).json\n    \
         total = call_tool('test/add', {{'a': 2, 'b': 3}})['sum']\n    \
         return f'{{template}} for {{agenda[\"query\"]}}: {{total}} meetings'\n"
    );
    remember(&mut client, "morning-briefing", &briefing);
    assert!(client.close().success());
    assert_eq!(office.number("SELECT count(*) FROM schedules"), 2, "that of the template is kept, too");
    office.database().execute("UPDATE schedules SET next_due = 1700000000000", []).unwrap();

    let mut client = office.serve();
    eventually("the clock starts it", || office.number("SELECT count(*) FROM ticks WHERE ended_at > 0") == 1);
    let runs = client.ok("list_runs", json!({"procedure_id": "my_morning"}));
    assert_eq!((&runs["count"], &runs["runs"][0]["status"]), (&json!(1), &json!("succeeded")), "{runs}");
    assert_eq!(client.ok("list_runs", json!({"procedure_id": "morning_prep"}))["count"], json!(0));
    let today = jiff::Timestamp::now().in_tz("America/New_York").unwrap().date();
    let message = format!("Good morning! Your day in short:\n\ndaily_summary for date={today}: 5 meetings");
    assert_eq!(office.slack(), std::slice::from_ref(&message));
    let items = of_kind(&mut client, "notification");
    assert_eq!(items.len(), 1, "{items:?}");
    let item = &items[0];
    assert_eq!((&item["body"], &item["channel"]), (&json!(message), &json!("slack")), "{item}");
    let view = client.ok("get_run", json!({"run_id": runs["runs"][0]["run_id"]}));
    assert_eq!((&view["steps_completed"], &view["steps_total"]), (&json!(2), &json!(2)), "{view}");
}

/// Procedures with the names of the skills that Post-Meeting wants.
fn remember_skills_of_meetings(client: &mut RawClient) {
    let notes = "from repertoire import ask\n\ndef meeting_notes_prompt(template: str) -> object:\n    \
                 return ask(f'What was said? ({template})')\n";
    let actions = "from repertoire import create_task\n\ndef action_item_extractor(notes: str) -> list:\n    \
                   items = [line[2:] for line in notes.splitlines() if line.startswith('- ')]\n    \
                   for item in items:\n        create_task(item)\n    return items\n";
    let email = "from repertoire import call_tool\n\ndef email_composer(action_items: list) -> str:\n    \
                 return call_tool('test/echo', {'text': 'We agreed: ' + ', '.join(action_items)})\n";
    for (name, code) in [("meeting-notes-prompt", notes), ("action-item-extractor", actions), ("email-composer", email)]
    {
        remember(client, name, code);
    }
}

#[test]
fn post_meeting_asks_first_and_goes_on_in_another_process() {
    let Some(office) = Office::new() else { return };
    let mut client = office.serve();
    remember_skills_of_meetings(&mut client);
    let clone = client.ok("remember_procedure", json!({"clone_of": "post_meeting"}));
    assert_eq!((&clone["name"], &clone["has_code"]), (&json!("post_meeting_2"), &json!(true)), "{clone}");
    let ended = |source: &str| json!({"source": source, "meeting_title": "Budget", "meeting_attendees": ["bob@example.org", "Carol"]});
    assert_eq!(emit(&mut client, "calendar_event_ended", ended("mail")).len(), 0);
    assert_eq!(emit(&mut client, "calendar_event_began", ended("calendar")).len(), 0);
    let runs = emit(&mut client, "calendar_event_ended", ended("calendar"));
    assert_eq!((runs.len(), &runs[0]["outcome"]), (1, &json!("paused")), "{runs:?}");
    let run = runs[0]["run_id"].clone();
    let waiting = of_kind(&mut client, "approval");
    assert_eq!((waiting.len(), &waiting[0]["run_id"]), (1, &run), "{waiting:?}");
    assert!(text(&waiting[0], "body").contains("meeting-notes-prompt"), "{waiting:?}");
    client.kill();

    let mut client = office.serve();
    let asks = client.ok("resume_run", json!({"run_id": run, "decision": "approve"}));
    assert_eq!(asks["outcome"], json!("paused"), "{asks}");
    let questions = of_kind(&mut client, "question");
    assert_eq!(text(&questions[0], "body"), "What was said? (post_meeting)");
    client.kill();

    let mut client = office.serve();
    let notes = "Went well.\n- Ask Dave for figures\n- Book a room";
    let done = client.ok("resume_run", json!({"run_id": run, "value": notes}));
    assert_eq!(done["outcome"], json!("success"), "{done}");
    let tasks: Vec<Value> = of_kind(&mut client, "task").iter().map(|task| task["title"].clone()).collect();
    assert_eq!(tasks, [json!("Book a room"), json!("Ask Dave for figures")]);
    let drafts = of_kind(&mut client, "email_draft");
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    assert_eq!(drafts[0]["to"], json!(["bob@example.org", "Carol"]), "{drafts:?}");
    assert_eq!(text(&drafts[0], "title"), "Follow-up: Budget");
    assert_eq!(text(&drafts[0], "body"), "We agreed: Ask Dave for figures, Book a room");
    let view = client.ok("get_run", json!({"run_id": run}));
    assert_eq!((&view["status"], &view["steps_completed"]), (&json!("succeeded"), &json!(3)), "{view}");
}

#[test]
fn post_meeting_does_nothing_when_it_is_refused() {
    let Some(office) = Office::new() else { return };
    let mut client = office.serve();
    remember_skills_of_meetings(&mut client);
    client.ok("remember_procedure", json!({"clone_of": "post_meeting", "name": "after"}));
    let payload = json!({"source": "calendar", "meeting_title": "Budget", "meeting_attendees": ["Carol"]});
    let runs = emit(&mut client, "calendar_event_ended", payload);
    let refused = client.call("resume_run", json!({"run_id": runs[0]["run_id"], "decision": "reject"}));
    assert_eq!((&refused["outcome"], &refused["error_type"]), (&json!("failure"), &json!("PermissionError")));
    assert_eq!(inbox(&mut client, json!({"include_resolved": true})), [json!(null); 0]);
    assert_eq!(client.ok("list_runs", json!({}))["count"], json!(1), "no skill was called");
    assert_eq!(office.setup.starts(), [0; 0], "nor was the downstream server started");
    let view = client.ok("get_run", json!({"run_id": runs[0]["run_id"]}));
    assert_eq!((&view["status"], &view["decisions"][0]["decision"]), (&json!("failed"), &json!("reject")), "{view}");
}

#[test]
fn signal_alert_tells_of_what_is_relevant() {
    let Some(office) = Office::new() else { return };
    let mut client = office.serve();
    let formatter = "from repertoire import call_tool\n\ndef signal_formatter(template: str, signal: dict) -> str:\n    \
                     return call_tool('test/echo', {'text': f\"{template}: {signal['headline']}\"})\n";
    remember(&mut client, "signal-formatter", formatter);
    client.ok("remember_procedure", json!({"clone_of": "signal_alert"}));
    let signal = |score: f64| json!({"market_signals": {"relevance_score": score}, "signal_data": {"headline": "A rival merges"}});
    for score in [0.5, 0.8] {
        assert_eq!(emit(&mut client, "market_signal_detected", signal(score)).len(), 0, "{score}");
    }
    assert_eq!(office.slack(), [""; 0]);
    let runs = emit(&mut client, "market_signal_detected", signal(0.9));
    assert_eq!(
        (runs.len(), &runs[0]["name"], &runs[0]["outcome"]),
        (1, &json!("signal_alert_2"), &json!("success")),
        "{runs:?}"
    );
    let message = "🔔 A signal that matters:\n\nalert_summary: A rival merges";
    assert_eq!(office.slack(), [message]);
    let items = of_kind(&mut client, "notification");
    assert_eq!((items.len(), text(&items[0], "body")), (1, message), "{items:?}");
    assert_eq!(office.setup.notes("call "), ["echo"]);
    // The same signal matters no more than before; another one does. What its payload lacks is named.
    assert_eq!(emit(&mut client, "market_signal_detected", signal(0.95)).len(), 0);
    let another = json!({"market_signals": {"id": "s-2", "relevance_score": 1}});
    let runs = emit(&mut client, "market_signal_detected", another);
    assert!(text(&runs[0], "error").contains("`trigger.signal_data` is missing"), "{runs:?}");
    assert_eq!(office.slack().len(), 1);
}

#[test]
fn the_example_of_the_readme_does_what_it_says() {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once("\n## Workflows\n").unwrap();
    let (_, example) = section.split_once("```json\n").unwrap();
    let definition: Value = serde_json::from_str(example.split_once("```").unwrap().0).unwrap();
    let Some(office) = Office::new() else { return };
    let mut client = office.serve();
    client.ok("remember_procedure", definition);
    let code =
        "def release_notes(version: str) -> dict:\n    return {'summary': 'faster', 'text': f'{version} is faster.'}\n";
    remember(&mut client, "release_notes", code);
    let made = client.ok("generate_procedure_code", json!({"procedure_id": "release_follow-up", "use_llm": false}));
    assert_eq!(made["validation"]["checks"]["runnable"], json!(true), "{made}");
    assert_eq!(emit(&mut client, "release_published", json!({"version": "2.0", "channel": "beta"})).len(), 0);
    let runs = emit(&mut client, "release_published", json!({"version": "2.0", "channel": "stable"}));
    assert_eq!(runs[0]["outcome"], json!("paused"), "{runs:?}");
    assert_eq!(office.slack(), ["2.0 is out: faster"]);
    let task = of_kind(&mut client, "task").remove(0);
    assert_eq!((text(&task, "title"), text(&task, "priority")), ("Watch the errors of 2.0", "high"));
    client.ok("resume_run", json!({"run_id": runs[0]["run_id"], "decision": "approve"}));
    let draft = of_kind(&mut client, "email_draft").remove(0);
    assert_eq!((text(&draft, "title"), text(&draft, "body")), ("2.0 is there", "2.0 is faster."));
    assert_eq!(draft["to"], json!(["customers@example.org"]));
}
