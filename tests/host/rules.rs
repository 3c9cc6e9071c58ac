//! `ask` and `deny` under [policy], for each kind of call.

use std::fs;

use serde_json::{Value, json};

use crate::{
    common::{Home, Protocol, RawClient, downstream, execute_code, remember, text, toml_path, web_server::WebServer},
    server::approvals::{accept, talk, with_user},
};

/// Remembers a procedure and executes it; the person says this to each question.
#[track_caller]
fn decide(client: &mut RawClient, name: &str, code: &str, answers: &[bool]) -> (Vec<String>, Value) {
    remember(client, name, code);
    let answers: Vec<Value> = answers.iter().map(|yes| accept(json!({"approve": yes}))).collect();
    let call = json!({"procedure_id": name});
    let (questions, done) = talk(client, Protocol::V2025, "execute_procedure", call, &answers);
    (questions.iter().map(|question| text(question, "message").to_owned()).collect(), done)
}

#[track_caller]
fn denied(answer: &Value, rule: &str) {
    assert_eq!(answer["error_type"], json!("PermissionError"), "{answer}");
    let said = format!("denied: the user has `{rule}` in `deny` under [policy] in");
    assert!(text(answer, "error").contains(&said), "{answer}");
}

fn fetching(name: &str, url: &str, more: &str) -> String {
    format!(
        "from repertoire import http_request\n\n\ndef {name}() -> str:\n    return http_request('{url}'{more}).text\n"
    )
}

#[test]
fn requests_to_a_host_are_asked_about() {
    let (server, home) = (WebServer::start(), Home::new());
    let at = server.at("localhost");
    home.configure(&format!(
        "[policy]\nnetwork = ['localhost', '127.0.0.1']\nask = ['http:{at}']\ndeny = ['http:localhost:1']\n"
    ));
    let mut client = with_user(&home, Protocol::V2025);
    let code =
        fetching("send", &format!("http://{at}/x"), ", method='POST', body='hello', headers={'X-Token': 'hunter2'}");
    let (asked, done) = decide(&mut client, "send", &code, &[false]);
    assert_eq!(done["error_type"], json!("PermissionError"), "{done}");
    assert!(server.requests().is_empty());
    for part in [format!("http_request: POST http://{at}/x").as_str(), "body = \"hello\"", "{\"X-Token\":\"…\"}"] {
        assert!(asked[0].contains(part), "{part}: {asked:?}");
    }
    let (_, done) = decide(&mut client, "send_again", &code.replace("send", "send_again"), &[true]);
    assert_eq!(done["result"], json!("plain text"), "{done}");
    assert_eq!(server.requests().len(), 1);
    // Another host needs no answer, but does not lead there: nobody has seen that address.
    let other = server.at("127.0.0.1");
    assert_eq!(
        execute_code(&mut client, "other", &fetching("other", &format!("http://{other}/x"), ""))["outcome"],
        json!("success")
    );
    let around = fetching("around", &format!("http://{other}/redirect/302?http://{at}/x"), "");
    let done = execute_code(&mut client, "around", &around);
    assert_eq!(done["error_type"], json!("PermissionError"), "{done}");
    assert!(
        text(&done, "error").contains(&format!("the policy asks before `http:{at}`; call that address itself")),
        "{done}"
    );
    let moved = fetching("moved", &format!("http://{other}/redirect/302?http://localhost:1/"), "");
    denied(&execute_code(&mut client, "moved", &moved), "http:localhost:1");
    assert_eq!(server.requests().len(), 4, "the two that were redirected, and no third");
}

#[test]
fn tools_of_other_servers_are_asked_about_or_denied() {
    let Some(setup) = downstream::Setup::bare() else { return };
    let section = setup.section("test", &[], "");
    setup.home.configure(&format!(
        "[policy]\ntools = ['test']\nask = ['tool:test/echo']\ndeny = ['tool:test/add']\n{section}"
    ));
    let mut client = with_user(&setup.home, Protocol::V2025);
    let code = downstream::code("say", "return call_tool('test/echo', {'text': 'hello'})");
    let (asked, done) = decide(&mut client, "say", &code, &[false]);
    assert_eq!(done["error_type"], json!("PermissionError"), "{done}");
    assert!(asked[0].contains("call_tool: test/echo") && asked[0].contains("{\"text\":\"hello\"}"), "{asked:?}");
    assert!(setup.starts().is_empty(), "the server was not even started");
    let (_, done) = decide(&mut client, "say_it", &code.replace("say", "say_it"), &[true]);
    assert_eq!(done["outcome"], json!("success"), "{done}");
    denied(&downstream::run(&mut client, "sum", "return call_tool('test/add', {'a': 1, 'b': 2})"), "tool:test/add");
}

#[test]
fn what_is_denied_is_refused_whatever_is_granted_and_asked() {
    let home = Home::new();
    let folder = home.beside("work");
    home.configure(&format!(
        "[policy]\ncommands = ['tee']\nwrite = [{}]\nask = ['tee']\ndeny = ['tee -a']\n",
        toml_path(&folder)
    ));
    let mut client = with_user(&home, Protocol::V2025);
    let code =
        "from repertoire import run_command\n\n\ndef note():\n    run_command(['/usr/bin/tee', '-i', '-a', 'x'])\n";
    denied(&execute_code(&mut client, "note", code), "tee -a");
    assert!(!folder.join("x").exists());
    // Without it, that call is one to ask about: by another path it is not granted.
    let code = code.replace("/usr/bin/tee", "tee").replace("note", "note_it");
    denied(&execute_code(&mut client, "note_it", &code), "tee -a");
    home.configure(&format!("[policy]\ncommands = ['tee']\nwrite = [{}]\nask = ['tee']\n", toml_path(&folder)));
    let (asked, done) = decide(&mut client, "note_now", &code.replace("note_it", "note_now"), &[true]);
    assert_eq!((asked.len(), &done["outcome"]), (1, &json!("success")), "{done}");
    assert!(folder.join("x").exists());
}

#[test]
fn about_what_is_not_granted_nobody_is_asked() {
    let home = Home::with_config("[policy]\noffer_grants = false\nask = ['tee']\n");
    let mut client = with_user(&home, Protocol::V2025);
    let code = "from repertoire import run_command\n\n\ndef note():\n    run_command(['tee', 'x'])\n";
    let done = execute_code(&mut client, "note", code);
    assert!(text(&done, "error").contains("the command `tee x` is not granted"), "{done}");
}

#[test]
fn what_can_not_be_understood_is_an_error_that_says_what_to_write() {
    for (rule, said) in
        [("ask = ['read:~/x']", "`policy.ask` has `read:~/x`"), ("deny = ['http:']", "`policy.deny` has `http:`")]
    {
        let output = Home::with_config(&format!("[policy]\n{rule}\n")).run(&["doctor"]);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success() && text.contains(said), "{text}");
    }
    let home = Home::with_config("[policy]\nask = ['git push', 'tool:github/create_issue']\ndeny = ['rm']\n");
    let shown = String::from_utf8(home.run(&["doctor"]).stdout).unwrap();
    assert!(shown.contains("ask: git push, tool:github/create_issue") && shown.contains("deny: rm"), "{shown}");
}

/// A home with two writable folders, of which one is under a rule.
struct Notes {
    home: Home,
    asked: std::path::PathBuf,
    free: std::path::PathBuf,
}

impl Notes {
    fn new(key: &str) -> Self {
        let home = Home::new();
        let (asked, free) = (home.beside("files/asked"), home.beside("files/free"));
        let (all, rule) = (toml_path(&home.beside("files")), asked.display());
        home.configure(&format!("[policy]\nwrite = [{all}]\n{key} = ['write:{rule}']\napprovals = 'client'\n"));
        Self { home, asked, free }
    }

    fn code(&self, name: &str, body: &str) -> String {
        let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
        let (asked, free) = (self.asked.display(), self.free.display());
        format!(
            "import os\nfrom pathlib import Path\n\nASKED = Path('{asked}')\nFREE = Path('{free}')\n\n\ndef {name}():\n{lines}"
        )
    }
}

#[test]
fn writing_in_a_folder_is_asked_about_with_what_is_written() {
    let notes = Notes::new("ask");
    let mut client = with_user(&notes.home, Protocol::V2025);
    let body =
        "(FREE / 'a').write_text('free')\n(ASKED / 'a').write_text('first\\nsecond')\nreturn (ASKED / 'a').read_text()";
    let (asked, done) = decide(&mut client, "note", &notes.code("note", body), &[false]);
    assert_eq!(done["error_type"], json!("PermissionError"), "{done}");
    assert!(text(&done, "error").contains("was rejected by test's user"), "{done}");
    assert!(notes.free.join("a").exists() && !notes.asked.join("a").exists());
    for part in ["Path.write_text: ", "content = \"first\\nsecond\"", "The policy asks before `write:"] {
        assert!(asked[0].contains(part), "{part}: {asked:?}");
    }
    let (_, done) = decide(&mut client, "note_it", &notes.code("note_it", body), &[true]);
    assert_eq!(done["result"], json!("first\nsecond"), "{done}");
}

#[test]
fn every_way_to_change_a_folder_is_asked_about() {
    let notes = Notes::new("ask");
    fs::write(notes.asked.join("old"), "old").unwrap();
    fs::create_dir(notes.asked.join("empty")).unwrap();
    fs::write(notes.free.join("in"), "in").unwrap();
    let mut client = with_user(&notes.home, Protocol::V2025);
    let changes = [
        "open(str(ASKED / 'new'), 'w')",
        "open(str(ASKED / 'old'), 'a').write('x')",
        "(ASKED / 'new').write_bytes(b'x')",
        "(ASKED / 'deep').mkdir()",
        "(ASKED / 'old').unlink()",
        "(ASKED / 'empty').rmdir()",
        "(ASKED / 'old').rename(FREE / 'out')",
        "(FREE / 'in').rename(ASKED / 'in')",
        "ASKED.rename(FREE / 'all')",
        "(FREE / '..' / 'asked' / 'new').write_text('x')",
    ];
    for (number, change) in changes.iter().enumerate() {
        let name = format!("change_{number}");
        let code = notes.code(&name, &format!("{change}\nreturn 'changed'"));
        let (_, done) = decide(&mut client, &name, &code, &[false]);
        assert_eq!(done["error_type"], json!("PermissionError"), "{change}: {done}");
    }
    let left = |folder: &std::path::Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(left(&notes.asked), ["empty", "old"]);
    assert_eq!(left(&notes.free), ["in"]);
    assert_eq!(fs::read_to_string(notes.asked.join("old")).unwrap(), "old");
    // Looking asks nobody.
    let look = notes.code(
        "look",
        "return [open(str(ASKED / 'old')).read(), (ASKED / 'new').exists(), len(os.listdir(str(ASKED)))]",
    );
    assert_eq!(execute_code(&mut client, "look", &look)["result"], json!(["old", false, 2]));
}

#[test]
fn a_write_that_waits_survives_its_server_and_no_agent_lets_it_happen() {
    let notes = Notes::new("ask");
    let mut client = notes.home.start_with(&["--user", "ada"], Protocol::V2025);
    let body = "before = 41\n(ASKED / 'a').write_text('text')\nreturn [before + 1, (ASKED / 'a').read_text()]";
    remember(&mut client, "note", &notes.code("note", body));
    let paused = client.ok("execute_procedure", json!({"procedure_id": "note"}));
    assert_eq!(paused["outcome"], json!("paused"), "{paused}");
    let run = paused["run_id"].clone();
    client.refused("resume_run", json!({"run_id": run, "decision": "approve"}), "approval_needs_human");
    client.kill();
    assert!(!notes.asked.join("a").exists());
    let mut client = with_user(&notes.home, Protocol::V2025);
    let inbox = client.ok("list_inbox", json!({}));
    assert_eq!(inbox["items"][0]["kind"], json!("approval"), "{inbox}");
    let id = client.send_call("resume_run", json!({"run_id": run}));
    let request = client.server_request();
    client.respond(&request, accept(json!({"approve": true})));
    assert_eq!(client.call_answer(id)["result"], json!([42, "text"]));
}

#[test]
fn writing_in_a_denied_folder_is_refused() {
    let notes = Notes::new("deny");
    let mut client = notes.home.start();
    let rule = format!("write:{}", notes.asked.display());
    for (name, body) in [("note", "(ASKED / 'a').write_text('x')"), ("move", "ASKED.rename(FREE / 'b')")] {
        denied(&execute_code(&mut client, name, &notes.code(name, body)), &rule);
    }
    assert!(!notes.asked.join("a").exists() && notes.asked.exists());
    let free = execute_code(&mut client, "free", &notes.code("free", "return (FREE / 'a').write_text('x')"));
    assert_eq!(free["outcome"], json!("success"), "{free}");
}
