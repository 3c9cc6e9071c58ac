//! Notifications that are sent on: to a webhook, a program, a tool of another server.

use std::{
    fs,
    net::TcpListener,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::StatusCode, response::Redirect, routing::post};
use serde_json::{Value, json};

use crate::{
    common::{
        Home, Protocol, RawClient,
        downstream::{Setup, python},
        execute_code,
        loopback::Loopback,
        text, toml_path,
        walls::has_walls,
        web_server::WebServer,
    },
    library::inbox::{inbox, raised, result},
};

/// A webhook of the tests' own on the loopback interface; it ends with the value.
struct Webhook {
    service: Loopback,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Webhook {
    fn start() -> Self {
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let take = |State(bodies): State<Arc<Mutex<Vec<String>>>>, body: String| async move {
            bodies.lock().unwrap().push(body);
        };
        let app = Router::new()
            .route("/hook/s3cr3t", post(take))
            .route("/moved/s3cr3t", post(|| async { Redirect::temporary("/hook/s3cr3t") }))
            .route("/fails/s3cr3t", post(|| async { (StatusCode::NOT_FOUND, "no_such_team\n") }))
            .route("/hangs/s3cr3t", post(std::future::pending::<StatusCode>))
            .with_state(Arc::clone(&bodies));
        Self { service: Loopback::serve(app), bodies }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}/s3cr3t", self.service.address())
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

#[test]
fn a_webhook_gets_what_slack_gets() {
    let webhook = Webhook::start();
    let home = Home::with_config(&format!(
        "[channels.slack]\nwebhook = '{}'\n[notifications]\nchannel = 'slack'\n",
        webhook.url("hook")
    ));
    let mut client = home.start();
    let sent = result(&mut client, "named", "notify('5 > 3 <!channel>', title='Sums', channel='slack')");
    assert_eq!((&sent["channel"], &sent["sent"]), (&json!("slack"), &json!(true)));
    assert_eq!(result(&mut client, "default", "notify('Ready', level='error')['channel']"), json!("slack"));
    assert_eq!(result(&mut client, "here", "notify('Only here', channel='in_app')['channel']"), json!("in_app"));
    let bodies: Vec<Value> = webhook.bodies().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let expected = [json!({"text": "*Sums*\n5 &gt; 3 &lt;!channel&gt;"}), json!({"text": "[error] Ready"})];
    assert_eq!(bodies, expected);
    let items = inbox(&mut client, json!({}));
    assert_eq!((items.len(), &items[1]["channel"], items[1].get("undelivered")), (3, &json!("slack"), None));
}

#[test]
fn what_a_channel_does_not_take_stays_in_the_inbox_with_the_reason() {
    let webhook = Webhook::start();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let home = Home::with_config(&format!(
        "[channels.fails]\nwebhook = '{}'\n[channels.moved]\nwebhook = '{}'\n[channels.gone]\nwebhook = \
         'http://{free}/s3cr3t'\n[channels.unset]\nwebhook_env = 'NO_SUCH_WEBHOOK'\n",
        webhook.url("fails"),
        webhook.url("moved"),
    ));
    let mut client = home.start();
    for (at, (channel, wanted)) in [
        ("fails", "status 404 Not Found: no_such_team"),
        ("moved", "status 307"),
        ("gone", "can't be reached"),
        ("unset", "NO_SUCH_WEBHOOK is not set"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = at + 1;
        let error = raised(&mut client, channel, &format!("notify('Ready', channel='{channel}')"), "RuntimeError");
        let says_all = error.contains(wanted) && error.contains(&format!("item {id}"));
        assert!(says_all && !error.contains("s3cr3t"), "{error}");
        let item = inbox(&mut client, json!({})).remove(0);
        assert_eq!((&item["id"], &item["channel"]), (&json!(id), &json!(channel)));
        assert!(text(&item, "undelivered").contains(wanted), "{item}");
    }
    assert_eq!(webhook.bodies(), Vec::<String>::new(), "nobody is sent to another address");
    let answer = client.call("execute_procedure", json!({"procedure_id": "gone"}));
    let view = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    assert!(text(&view["calls"][0], "error").contains("can't be reached"), "{view}");
}

#[test]
fn a_webhook_that_does_not_answer_takes_no_more_time_than_the_run_has() {
    let webhook = Webhook::start();
    let home =
        Home::with_config(&format!("[limits]\nseconds = 2\n[channels.slow]\nwebhook = '{}'\n", webhook.url("hangs")));
    let mut client = home.start();
    raised(&mut client, "slow", "notify('Ready', channel='slow')", "TimeoutError");
    let item = inbox(&mut client, json!({})).remove(0);
    assert!(text(&item, "undelivered").starts_with("no answer within "), "{item}");
}

#[test]
fn the_address_of_a_webhook_comes_from_the_environment() {
    let webhook = Webhook::start();
    let home = Home::with_config("[channels.slack]\nwebhook_env = 'TEST_WEBHOOK'\n");
    let mut command = home.command(&["--no-starters", "serve"]);
    command.env("TEST_WEBHOOK", webhook.url("hook"));
    let mut client = RawClient::spawn(command);
    client.open(Protocol::V2025);
    result(&mut client, "told", "notify('Ready', channel='slack')");
    assert_eq!(webhook.bodies(), [r#"{"text":"Ready"}"#]);
}

#[test]
fn a_program_gets_the_message_on_its_stdin() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let seen = home.beside("files").join("seen");
    let write = format!(
        "import os, pathlib, sys; pathlib.Path({:?}).write_text(sys.stdin.read() + str('SECRET' in os.environ))",
        seen.to_str().unwrap()
    );
    let fail = "import sys; sys.stderr.write('no display'); sys.exit(3)";
    let section = |name: &str, code: &str| {
        format!("[channels.{name}]\ncommand = [{}, '-c', '''{code}''']\n", toml_path(python.as_ref()))
    };
    home.configure(&format!(
        "{}{}[channels.none]\ncommand = ['no-such-program-1', 'x']\n",
        section("writes", &write),
        section("fails", fail)
    ));
    let mut command = home.command(&["--no-starters", "serve"]);
    command.env("SECRET", "x");
    let mut client = RawClient::spawn(command);
    client.open(Protocol::V2025);
    result(&mut client, "told", "notify('Größer', title='Build', level='warning', channel='writes')");
    let written = fs::read_to_string(seen).unwrap();
    let message = written.strip_suffix("False").unwrap_or_else(|| panic!("the environment is not clean: {written}"));
    let message: Value = serde_json::from_str(message).unwrap();
    assert_eq!(message, json!({"message": "Größer", "title": "Build", "level": "warning"}));
    let error = raised(&mut client, "fails", "notify('x', channel='fails')", "RuntimeError");
    assert!(error.contains("ended with exit code 3: no display") && !error.contains("import sys"), "{error}");
    let error = raised(&mut client, "none", "notify('x', channel='none')", "RuntimeError");
    assert!(error.contains("`no-such-program-1` is not installed"), "{error}");
    assert_eq!(inbox(&mut client, json!({})).len(), 3);
}

/// What a program of a channel tries: to read each file, to ask an address, to connect past the proxy; what came of it is written to
/// the first argument.
const REACH: &str = r#"
import socket, sys, urllib.request
seen, ssh, policy, url, port = sys.argv[1:]
def direct():
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as stream:
        stream.sendall(b"GET /direct HTTP/1.0\r\n\r\n")
        stream.recv(20)
ways = {
    "ssh": lambda: open(ssh).read(),
    "policy": lambda: open(policy).read(),
    "ask": lambda: urllib.request.urlopen(url, timeout=30).read(),
    "direct": direct,
}
with open(seen, "w") as file:
    for name, way in ways.items():
        try:
            way()
            print(name, "reached", file=file)
        except OSError as error:
            print(name, "held", file=file)
print(sys.stdin.read(), file=open(seen + ".message", "w"))
"#;

#[test]
fn a_program_reaches_what_its_section_names_and_without_walls_all() {
    let Some(python) = python().filter(|_| has_walls()) else { return };
    let (home, web) = (Home::new(), WebServer::start());
    let (files, key) = (home.beside("files"), home.beside(".ssh").join("id_ed25519"));
    fs::write(&key, "secret").unwrap();
    let (seen, at) = (files.join("seen"), web.at("localhost"));
    let port = at.rsplit(':').next().unwrap();
    let url = format!("http://{at}/plain");
    let section = |name: &str, bounds: &str| {
        let paths = [&seen, &key, &home.path().join("config.toml")].map(|path| toml_path(path)).join(", ");
        let program = format!("{}, '-c', '''{REACH}'''", toml_path(python.as_ref()));
        format!("[channels.{name}]\ncommand = [{program}, {paths}, '{url}', '{port}']\n{bounds}\n")
    };
    let write = format!("write = [{}]", toml_path(&files));
    let sections = [
        section("free", ""),
        section("shut", &write),
        section("hosts", &format!("{write}\nnetwork = ['{at}']")),
        section("others", &format!("{write}\nnetwork = ['example.org']")),
        section("nowhere", "confined = true"),
    ];
    home.configure(&sections.concat());
    let mut client = home.start();
    let mut reached = |channel: &str| {
        result(&mut client, channel, &format!("notify('Ready', channel='{channel}')"));
        let message: Value = serde_json::from_str(&fs::read_to_string(files.join("seen.message")).unwrap()).unwrap();
        assert_eq!(message["message"], json!("Ready"));
        let seen = fs::read_to_string(&seen).unwrap();
        let reached = seen.lines().filter_map(|line| line.strip_suffix(" reached"));
        (reached.collect::<Vec<_>>().join(" "), seen.lines().count())
    };
    assert_eq!(reached("free"), ("ssh policy ask direct".to_owned(), 4));
    assert_eq!(reached("shut"), (String::new(), 4));
    assert_eq!(reached("hosts"), ("ask".to_owned(), 4));
    assert_eq!(reached("others"), (String::new(), 4));
    assert_eq!(web.requests().len(), 3, "two without walls, and one through the proxy");
    let error = raised(&mut client, "nowhere", "notify('Ready', channel='nowhere')", "RuntimeError");
    assert!(error.contains("FileNotFoundError") && error.contains("seen"), "{error}");
    assert!(client.log().contains("is not granted to the channel `others`"), "it is in the log");
}

#[test]
fn a_tool_of_another_server_is_a_channel_without_another_grant() {
    let Some(setup) = Setup::bare() else { return };
    let channels = "[channels.chat]\ntool = 'test/echo'\narguments = { text = '{level}|{title}|{message}' }\n\
                    [channels.fails]\ntool = 'test/fail'\narguments = { text = 'out of {message}' }\n\
                    [channels.lost]\ntool = 'nowhere/post'\n";
    setup.home.configure(&format!("{}{channels}", setup.section("test", &[], "")));
    let mut client = setup.home.start();
    assert_eq!(result(&mut client, "told", "notify('{title}', title='T', channel='chat')['sent']"), json!(true));
    let error = raised(&mut client, "fails", "notify('paper', channel='fails')", "RuntimeError");
    assert!(error.contains("`test/fail` failed: out of paper") && error.contains("item 2"), "{error}");
    let error = raised(&mut client, "lost", "notify('x', channel='lost')", "RuntimeError");
    assert!(error.contains("no MCP server `nowhere`"), "{error}");
}

#[test]
fn several_notifications_are_sent_at_once_and_each_is_stored_once() {
    let webhook = Webhook::start();
    let home = Home::with_config(&format!("[channels.slack]\nwebhook = '{}'\n", webhook.url("hook")));
    let mut client = home.start();
    let code = "import asyncio\nfrom repertoire import notify\n\nasync def all_at_once():\n    sent = await \
                asyncio.gather(*[notify(f'n{n}', channel='slack') for n in range(5)])\n    return [one['id'] for one in \
                sent]\n";
    let answer = execute_code(&mut client, "all_at_once", code);
    assert_eq!(answer["outcome"], json!("success"), "{answer}");
    assert_eq!(webhook.bodies().len(), 5);
    let mut stored: Vec<String> =
        inbox(&mut client, json!({})).iter().map(|item| text(item, "body").to_owned()).collect();
    stored.sort();
    assert_eq!(stored, ["n0", "n1", "n2", "n3", "n4"]);
}
