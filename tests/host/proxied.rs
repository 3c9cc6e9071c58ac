//! Network by name: what a granted program reaches through the proxy, and that there is no other way.
#![cfg(target_os = "linux")]

use std::{fs, net::UdpSocket, path::Path, process::Command, time::Duration};

use axum::{
    Router,
    http::{StatusCode, Uri},
};
use serde_json::{Value, json};

use crate::common::{
    Home, Protocol, RawClient, clean, downstream::python, has_program, loopback::Loopback, remember, text, toml_path,
    web_server::WebServer,
};

/// Executes a program, as code does that looks at its end itself.
const WORK: &str = "from repertoire import run_command\n\ndef work(command: list, check: bool = False) -> dict:\n    \"\"\"Work.\"\"\"\n    \
                    done = run_command(command, check=check, timeout=100.0)\n    \
                    return {'code': done.exit_code, 'stdout': done.stdout, 'stderr': done.stderr}\n";

/// Asks for an address, over plain HTTP and through a tunnel; what is answered, or how it failed.
const ASK: &str = "
import http.client, os, sys, urllib.request
def plain(address):
    return urllib.request.urlopen('http://' + address + '/echo', timeout=60).read().decode()
def tunnel(address):
    proxy = http.client.HTTPConnection(os.environ['https_proxy'].removeprefix('http://'), timeout=60)
    host, port = address.rsplit(':', 1)
    proxy.set_tunnel(host, int(port))
    proxy.request('GET', '/echo')
    return proxy.getresponse().read().decode()
for way in (plain, tunnel):
    try:
        print(way.__name__, way(sys.argv[1]))
    except OSError as error:
        print(way.__name__, 'failed', error)
";

/// Tries whatever leads out of a machine without a proxy.
const BREAK_OUT: &str = "
import socket, sys
web, datagrams = int(sys.argv[1]), int(sys.argv[2])
def attempt(name, way):
    if sys.argv[3:] and name not in sys.argv[3:]:
        return
    try:
        print(name, 'out', way(), flush=True)
    except OSError as error:
        print(name, 'held', error, flush=True)
def tcp(address):
    with socket.create_connection(address, timeout=5) as stream:
        stream.sendall(b'GET /direct HTTP/1.0\\r\\n\\r\\n')
        return stream.recv(20)
def udp(address):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hello', address)
attempt('tcp', lambda: tcp(('127.0.0.1', web)))
attempt('tcp6', lambda: tcp(('::1', web)))
attempt('udp', lambda: udp(('127.0.0.1', datagrams)))
attempt('far', lambda: udp(('192.0.2.1', 53)))
attempt('metadata', lambda: tcp(('169.254.169.254', 80)))
attempt('names', lambda: socket.getaddrinfo('example.org', 443))
";

/// Whether walls can be had here at all; says so where not.
fn has_walls(client: &mut RawClient, command: &[&str]) -> bool {
    let answer = client.call("execute_procedure", json!({"procedure_id": "work", "parameters": {"command": command}}));
    let is_missing = answer["error"].as_str().is_some_and(|error| error.contains("there can be no wall around it"));
    if is_missing {
        eprintln!("skipped: no walls can be had here: {answer}");
    }
    !is_missing
}

/// A server whose Python reaches these hosts; `PORT` in one is that of the web server.
struct Setup {
    web: WebServer,
    home: Home,
    client: RawClient,
    python: &'static str,
}

impl Setup {
    fn new(hosts: &[&str], more: &str) -> Option<Self> {
        Self::within(hosts, more, |command| command)
    }

    /// The same; the server is started by another command.
    fn within(hosts: &[&str], more: &str, started_by: impl FnOnce(Command) -> Command) -> Option<Self> {
        let (python, web, home) = (python()?, WebServer::start(), Home::new());
        let hosts: Vec<String> = hosts.iter().map(|host| format!("'{}'", host.replace(":PORT", &web.at("")))).collect();
        let (hosts, more) = (hosts.join(", "), more.replace(":PORT", &web.at("")));
        home.configure(&format!(
            "[policy]\ncommands = [{{ run = '{python}', network = [{hosts}] }}, 'true']\n{more}\n"
        ));
        let mut client = RawClient::spawn(started_by(home.command(&["--no-starters", "serve"])));
        client.open(Protocol::V2025);
        remember(&mut client, "work", WORK);
        let mut setup = Self { web, home, client, python };
        has_walls(&mut setup.client, &["true"]).then_some(setup)
    }

    fn call(&mut self, code: &str, arguments: &[&str], check: bool) -> Value {
        let command = [&[self.python, "-c", code], arguments].concat();
        let parameters = json!({"command": command, "check": check});
        self.client.call("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}))
    }

    /// What the program printed, and what it said beside that.
    #[track_caller]
    fn run(&mut self, code: &str, arguments: &[&str]) -> (String, String) {
        let answer = self.call(code, arguments, false);
        let result = &answer["result"];
        assert!(result.is_object(), "{answer}");
        (text(result, "stdout").to_owned(), text(result, "stderr").to_owned())
    }

    fn paths(&self) -> Vec<String> {
        self.web.requests().iter().map(|request| text(request, "path").to_owned()).collect()
    }
}

#[test]
fn a_granted_host_is_reached_by_its_name() {
    let Some(mut setup) = Setup::new(&["localhost:PORT"], "") else { return };
    let at = setup.web.at("localhost");
    let (stdout, stderr) = setup.run(ASK, &[&at]);
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("plain {\"") && lines[1].starts_with("tunnel {\""),
        "{stdout} {stderr}"
    );
    assert_eq!(stderr, "");
    assert_eq!(setup.paths(), ["/echo", "/echo"]);
}

#[test]
fn everyday_clients_find_the_proxy() {
    if !has_program("curl") {
        return;
    }
    let (web, home) = (WebServer::start(), Home::new());
    let at = web.at("localhost");
    home.configure(&format!("[policy]\ncommands = [{{ run = 'curl', network = ['{at}'] }}]\n"));
    let mut client = home.start();
    remember(&mut client, "work", WORK);
    if !has_walls(&mut client, &["curl", "--version"]) {
        return;
    }
    let mut curl = |arguments: &[&str], url: &str| {
        let command = [&["curl", "-sS"], arguments, &[url]].concat();
        let parameters = json!({"command": command, "check": false});
        client.ok("execute_procedure", json!({"procedure_id": "work", "parameters": parameters}))["result"].clone()
    };
    let url = format!("http://{at}/x");
    for arguments in [&[][..], &["--proxytunnel"], &["--data", "hello"]] {
        assert_eq!(curl(arguments, &url)["stdout"], json!("plain text"), "{arguments:?}");
    }
    assert_eq!(web.requests()[2]["body"], json!("hello"));
    // Past the proxy there is nothing.
    assert_ne!(curl(&["--noproxy", "*"], &url)["code"], json!(0));
    let refused = curl(&["--proxytunnel"], "http://example.org/");
    assert_eq!(refused["code"], json!(56), "{refused}");
    assert!(text(&refused, "stderr").contains("the host `example.org:80` is not granted to `curl`"), "{refused}");
}

#[test]
fn git_asks_a_granted_host() {
    if !has_program("git") {
        return;
    }
    let home = Home::new();
    let files = home.beside("files");
    let git = |folder: &Path, arguments: &[&str]| {
        let mut git = clean(Command::new("git"));
        git.current_dir(folder).env("HOME", home.beside("nobody")).args(arguments);
        assert!(git.output().unwrap().status.success(), "{arguments:?}");
    };
    git(&files, &["init", "-q", "--bare", "there.git"]);
    git(&files, &["clone", "-q", "there.git", "here"]);
    let here = files.join("here");
    git(
        &here,
        &["-c", "user.name=Ada", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "One"],
    );
    git(&here, &["push", "-q", "origin", "HEAD:refs/heads/main"]);
    git(&files.join("there.git"), &["update-server-info"]);
    let served = files.clone();
    let app = Router::new().fallback(move |uri: Uri| async move {
        fs::read(served.join(uri.path().trim_start_matches('/'))).map_err(|_| StatusCode::NOT_FOUND)
    });
    let web = Loopback::serve(app);
    let at = format!("localhost:{}", web.address().port());
    home.configure(&format!("[policy]\ncommands = [{{ run = 'git ls-remote', network = ['{at}'] }}]\n"));
    let mut client = home.start();
    remember(&mut client, "work", WORK);
    let mut list = |at: &str| {
        let command = json!(["git", "ls-remote", format!("http://{at}/there.git")]);
        client.call("execute_procedure", json!({"procedure_id": "work", "parameters": {"command": command}}))
    };
    let answer = list(&at);
    if answer["error"].as_str().is_some_and(|error| error.contains("there can be no wall around it")) {
        return;
    }
    assert!(text(&answer["result"], "stdout").contains("refs/heads/main"), "{answer}");
    let answer = list("example.org");
    assert!(
        text(&answer["result"], "stderr").contains("`example.org:80` is not granted to `git ls-remote`"),
        "{answer}"
    );
}

#[test]
fn what_is_not_granted_is_refused_in_words_that_name_the_grant() {
    let Some(mut setup) = Setup::new(&["localhost:PORT", "*.example.org"], "") else { return };
    let by_address = setup.web.at("127.0.0.1");
    for host in [by_address.as_str(), "[::1]:80", "localhost:1", "example.org:443", "169.254.169.254:80", "10.0.0.1:22"]
    {
        let (stdout, stderr) = setup.run(ASK, &[host]);
        assert!(stdout.contains("plain failed HTTP Error 403") && stdout.contains("tunnel failed"), "{host}: {stdout}");
        let said = format!("repertoire refused it the network: the host `{host}` is not granted to `{}`", setup.python);
        assert!(
            stderr.contains(&said) && stderr.contains("`network` of that grant under [policy]"),
            "{host}: {stderr}"
        );
    }
    assert_eq!(setup.paths(), [""; 0]);
    // A program that fails because of it says so to the code.
    let failing = "import sys, urllib.request\nurllib.request.urlopen('http://' + sys.argv[1])";
    let answer = setup.call(failing, &[&by_address], true);
    assert_eq!(answer["error_type"], json!("RuntimeError"), "{answer}");
    assert!(text(&answer, "error").contains(&format!("the host `{by_address}` is not granted")), "{answer}");
    assert!(setup.client.log().contains("refused to a program"), "it is in the log");
}

#[test]
fn there_is_no_other_way_out() {
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    datagrams.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let port = datagrams.local_addr().unwrap().port().to_string();
    let arrived = || datagrams.recv(&mut [0; 8]).is_ok();
    let Some(mut setup) = Setup::new(&["localhost:PORT"], "") else { return };
    let web = setup.web.at("").trim_start_matches(':').to_owned();
    let (stdout, _) = setup.run(BREAK_OUT, &[&web, &port]);
    let ways: Vec<&str> = stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ways, ["tcp", "tcp6", "udp", "far", "metadata", "names"], "{stdout}");
    for way in ["tcp", "tcp6", "far", "metadata", "names"] {
        assert!(stdout.contains(&format!("{way} held")), "{stdout}");
    }
    assert!(!arrived() && setup.paths().is_empty(), "{stdout}");
    // The same without walls: it gets out.
    let python = setup.python;
    setup.home.configure(&format!("[policy]\nconfinement = 'none'\ncommands = ['{python}']\n"));
    let (stdout, _) = setup.run(BREAK_OUT, &[&web, &port, "tcp", "udp"]);
    assert!(stdout.contains("tcp out") && arrived() && setup.paths() == ["/direct"], "{stdout}");
}

#[test]
fn all_hosts_are_all_of_the_network() {
    let Some(mut setup) = Setup::new(&["*"], "") else { return };
    let web = setup.web.at("").trim_start_matches(':').to_owned();
    let (stdout, _) = setup.run(BREAK_OUT, &[&web, "9", "tcp"]);
    assert!(stdout.contains("tcp out") && setup.paths() == ["/direct"], "{stdout}");
}

#[test]
fn rules_of_the_user_hold_for_programs_too() {
    let rules = "ask = ['http:localhost:PORT']\ndeny = ['http:127.0.0.1']";
    let Some(mut setup) = Setup::new(&["localhost:PORT", "127.0.0.1:PORT"], rules) else { return };
    let (asked, denied) = (setup.web.at("localhost"), setup.web.at("127.0.0.1"));
    let (_, stderr) = setup.run(ASK, &[&asked]);
    assert!(stderr.contains(&format!("the policy asks before `http:{asked}`")), "{stderr}");
    let (_, stderr) = setup.run(ASK, &[&denied]);
    assert!(stderr.contains("denied: the user has `http:127.0.0.1` in `deny`"), "{stderr}");
    assert_eq!(setup.paths(), [""; 0]);
}

#[test]
fn a_program_only_reads_where_the_user_wants_to_be_asked_before_changes() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let (files, asked) = (home.beside("files"), home.beside("files/asked"));
    fs::write(asked.join("old"), "old").unwrap();
    let configure = |rule: &str| {
        let files = toml_path(&files);
        home.configure(&format!("[policy]\ncommands = ['{python}', 'true']\nwrite = [{files}]\n{rule}\n"));
    };
    configure(&format!("ask = ['write:{}']", asked.display()));
    let mut client = home.start();
    remember(&mut client, "work", WORK);
    if !has_walls(&mut client, &["true"]) {
        return;
    }
    let script = "import os, sys\nprint(open(sys.argv[1] + '/asked/old').read())\nopen(sys.argv[1] + '/free', 'w').write('x')\nfor \
                  change in (lambda: open(sys.argv[1] + '/asked/new', 'w'), lambda: os.rename(sys.argv[1] + '/asked', sys.argv[1] \
                  + '/moved'), lambda: os.unlink(sys.argv[1] + '/asked/old')):\n    try:\n        change()\n        \
                  print('changed')\n    except OSError as error:\n        print('held', error.errno)\n";
    let mut run = |files: &Path| {
        let command = json!([python, "-c", script, files]);
        let answer =
            client.call("execute_procedure", json!({"procedure_id": "work", "parameters": {"command": command}}));
        text(&answer["result"], "stdout").to_owned()
    };
    let stdout = run(&files);
    assert!(
        stdout.starts_with("old\n") && !stdout.contains("changed") && stdout.matches("held").count() == 3,
        "{stdout}"
    );
    assert!(files.join("free").exists() && asked.join("old").exists() && !asked.join("new").exists());
    // The same without the rule.
    configure("");
    assert!(run(&files).contains("changed"));
}

/// The server sees this file as `/etc/hosts`; `None` where that can't be arranged.
fn with_hosts(hosts: &Path) -> Option<impl FnOnce(Command) -> Command + use<>> {
    let mount = "mount --bind \"$HOSTS\" /etc/hosts && exec \"$0\" \"$@\"";
    let within = move |hosts: &Path| {
        let mut command = clean(Command::new("unshare"));
        command.env("HOSTS", hosts).args(["-rm", "sh", "-c", mount]);
        command
    };
    let tried = within(hosts).args(["true"]).output();
    if !tried.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no names can be made up here: {tried:?}");
        return None;
    }
    let mut command = within(hosts);
    Some(move |server: Command| {
        command.arg(server.get_program()).args(server.get_args());
        for (name, value) in server.get_envs() {
            command.envs(value.map(|value| (name, value)));
        }
        command
    })
}

#[test]
fn a_name_that_changes_its_address_gains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    let lead = |names: &[(&str, &str)]| {
        let lines: String = names.iter().map(|(name, address)| format!("{address} {name}\n")).collect();
        fs::write(&hosts, lines).unwrap();
    };
    lead(&[("named.example.test", "127.0.0.1"), ("one.wild.test", "127.0.0.1")]);
    let Some(started_by) = with_hosts(&hosts) else { return };
    let granted = ["named.example.test:PORT", "*.wild.test:PORT"];
    let Some(mut setup) = Setup::within(&granted, "", started_by) else { return };
    let (named, wild) = (setup.web.at("named.example.test"), setup.web.at("one.wild.test"));
    // One of many names leads to no private address; one that is granted itself does, as long as it is no special one.
    let (stdout, stderr) = setup.run(ASK, &[&wild]);
    assert!(stdout.contains("plain failed HTTP Error 403"), "{stdout} {stderr}");
    assert!(
        stderr.contains("leads to the private address 127.0.0.1, which takes a grant of that very host"),
        "{stderr}"
    );
    let (stdout, stderr) = setup.run(ASK, &[&named]);
    assert!(stdout.contains("plain {") && stdout.contains("tunnel {"), "{stdout} {stderr}");
    assert_eq!(setup.paths().len(), 2);
    lead(&[("named.example.test", "169.254.169.254"), ("one.wild.test", "169.254.169.254")]);
    for (host, said) in [(&named, "which no name may have"), (&wild, "which takes a grant of that very host")] {
        let (stdout, stderr) = setup.run(ASK, &[host]);
        assert!(stdout.contains("plain failed HTTP Error 403") && stdout.contains("tunnel failed"), "{stdout}");
        assert!(stderr.contains("special address 169.254.169.254") && stderr.contains(said), "{stderr}");
    }
}
