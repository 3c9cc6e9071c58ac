//! Requests of procedures, through the real program: to granted hosts only, and never without limits.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Home, RawClient, eventually, execute_code, remember, text, web_server::WebServer};

/// Executes a body that may use `http_request`; `URL` in it is the server as `localhost`.
#[track_caller]
fn run(client: &mut RawClient, server: &WebServer, name: &str, body: &str) -> Value {
    execute_code(client, name, &code(server, name, body))
}

fn code(server: &WebServer, name: &str, body: &str) -> String {
    let lines: String = body.lines().map(|line| format!("    {line}\n")).collect();
    let body = lines.replace("URL", &format!("http://{}", server.at("localhost")));
    let body = body.replace("ADDRESS", &format!("http://{}", server.at("127.0.0.1")));
    format!("from repertoire import http_request, HttpResponse\n\ndef {name}():\n{body}")
}

/// A server, and a client of a home whose policy grants it under these names (and whatever is no name of it).
fn setup(network: &[&str]) -> (WebServer, Home, RawClient) {
    let server = WebServer::start();
    let named = |host: &&str| match *host {
        "localhost" | "127.0.0.1" => server.at(host),
        other => other.to_owned(),
    };
    let grants: Vec<String> = network.iter().map(named).collect();
    let home = Home::with_config(&format!("[policy]\nnetwork = {grants:?}\n[limits]\nseconds = 30\n"));
    let client = home.start();
    (server, home, client)
}

#[track_caller]
fn failed(answer: &Value, kind: &str, parts: &[&str]) {
    assert_eq!(answer["error_type"], json!(kind), "{answer}");
    for part in parts {
        assert!(text(answer, "error").contains(part), "`{part}` is not in {answer}");
    }
}

#[test]
fn an_answer_has_its_status_headers_text_and_json() {
    let (server, _home, mut client) = setup(&["localhost"]);
    let body = "import json\n\
                r: HttpResponse = http_request(\n\
                \x20   'URL/echo?a=1#x', params={'b': 'x y', 'c': [1, True]}, headers={'X-One': 'one'}\n\
                )\n\
                return [r.status, r.headers, r.json, r.json == json.loads(r.text), r.url]";
    let answer = run(&mut client, &server, "get", body);
    let result = &answer["result"];
    assert_eq!(result[0], json!(200), "{answer}");
    assert_eq!(result[1]["content-type"], json!("application/json; charset=utf-8"), "{answer}");
    assert_eq!(result[1]["x-twice"], json!("a, b"), "{answer}");
    assert_eq!(result[2]["query"], json!("a=1&b=x+y&c=1&c=true"), "{answer}");
    assert_eq!(result[2]["headers"]["x-one"], json!("one"), "{answer}");
    assert!(text(&result[2]["headers"], "user-agent").starts_with("repertoire/"), "{answer}");
    assert_eq!(result[3], json!(true), "{answer}");

    let body = "return http_request('URL/echo', method='post', json={'größe': [1, None]}).json";
    let answer = run(&mut client, &server, "post", body);
    assert_eq!(answer["result"]["method"], json!("POST"), "{answer}");
    assert_eq!(answer["result"]["headers"]["content-type"], json!("application/json"), "{answer}");
    let sent: Value = serde_json::from_str(text(&answer["result"], "body")).unwrap();
    assert_eq!(sent, json!({"größe": [1, null]}), "{answer}");

    let body = "sent = http_request('URL/echo', method='PUT', body='a=b', headers={'Content-Type': 'x/y'}).json\n\
                return [sent['method'], sent['body'], sent['headers']['content-type']]";
    assert_eq!(run(&mut client, &server, "put", body)["result"], json!(["PUT", "a=b", "x/y"]));
    let body = "r = http_request('URL/plain')\nbroken = http_request('URL/broken-json')\n\
                return [r.text, r.json, broken.text, broken.json]";
    assert_eq!(run(&mut client, &server, "plain", body)["result"], json!(["plain text", null, "{", null]));
}

#[test]
fn a_status_of_failure_raises_unless_it_is_wanted() {
    let (server, _home, mut client) = setup(&["localhost"]);
    let answer = run(&mut client, &server, "checked", "http_request('URL/missing?token=hunter2')");
    failed(&answer, "RuntimeError", &["`GET http://localhost:", "/missing`", "status 404", "there is no such thing"]);
    assert!(!text(&answer, "error").contains("hunter2"), "{answer}");
    let body = "r = http_request('URL/missing', check=False)\nreturn [r.status, r.text]";
    let answer = run(&mut client, &server, "unchecked", body);
    assert_eq!(answer["result"], json!([404, "there is no such thing"]), "{answer}");
    for (name, call) in [
        ("no_scheme", "'localhost/'"),
        ("file", "'file:///etc/passwd'"),
        ("with_password", "'http://me:hunter2@localhost/'"),
        ("negative", "'URL/', timeout=-1"),
        ("two_bodies", "'URL/', json=1, body='x'"),
        ("host_header", "'URL/', headers={'Host': 'other'}"),
    ] {
        let answer = run(&mut client, &server, name, &format!("http_request({call})"));
        failed(&answer, "ValueError", &["http_request(): "]);
        assert!(!text(&answer, "error").contains("hunter2"), "{answer}");
    }
    failed(&run(&mut client, &server, "mistyped", "http_request('URL/', json_body=1)"), "TypeError", &["json_body"]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn only_granted_hosts_are_reached() {
    let (server, home, mut client) = setup(&["*.example.org", "api.example.com"]);
    for (name, url, shown) in [
        ("name", "URL/", server.at("localhost")),
        ("address", "ADDRESS/", server.at("127.0.0.1")),
        ("number", "http://2130706433/", "127.0.0.1".to_owned()),
        ("mapped", "http://[::ffff:127.0.0.1]/", "127.0.0.1".to_owned()),
        ("ipv6", "http://[::1]:8080/", "[::1]:8080".to_owned()),
        ("cloud", "http://169.254.169.254/latest/meta-data/", "169.254.169.254".to_owned()),
        ("parent", "https://example.org/", "example.org".to_owned()),
        ("lookalike", "https://api.example.com.evil.org/", "api.example.com.evil.org".to_owned()),
    ] {
        let answer = run(&mut client, &server, name, &format!("http_request('{url}')"));
        let host = format!("the host `{shown}` is not granted");
        failed(&answer, "PermissionError", &[&host, "`network`", "[policy]", "config.toml"]);
    }
    assert_eq!(server.requests(), [] as [Value; 0]);

    // A grant counts at once; a procedure's own permissions narrow it.
    home.configure(&format!("[policy]\nnetwork = ['localhost', '{}']\n", server.at("127.0.0.1")));
    assert_eq!(run(&mut client, &server, "by_name", "return http_request('URL/').status")["result"], json!(200));
    assert_eq!(run(&mut client, &server, "by_address", "return http_request('ADDRESS/').status")["result"], json!(200));
    let answer = run(&mut client, &server, "other_port", "http_request('http://127.0.0.1:1/')");
    failed(&answer, "PermissionError", &["`127.0.0.1:1`"]);
    let permissions = json!({"network": ["api.example.com"]});
    let narrow = code(&server, "narrow", "http_request('URL/')");
    client.ok(
        "remember_procedure",
        json!({"name": "narrow", "steps": ["x"], "permissions": permissions, "code": narrow}),
    );
    let answer = client.call("execute_procedure", json!({"procedure_id": "narrow"}));
    failed(&answer, "PermissionError", &["own `permissions`", "update_procedure"]);
}

#[test]
fn redirects_are_followed_to_granted_hosts_without_secrets() {
    let (server, _home, mut client) = setup(&["localhost", "127.0.0.1"]);
    let secrets = "headers={'Authorization': 's', 'Cookie': 's', 'X-Api-Key': 's', 'X-Other': 'o'}";
    let body = format!(
        "r = http_request('URL/redirect/302?/redirect/303?/echo', method='POST', json=[1], {secrets})\n\
         return [r.json['method'], r.json['body'], r.json['headers'], r.url]"
    );
    let answer = run(&mut client, &server, "within", &body);
    let result = &answer["result"];
    assert_eq!((&result[0], &result[1]), (&json!("GET"), &json!("")), "{answer}");
    assert_eq!((&result[2]["authorization"], &result[2]["x-api-key"]), (&json!("s"), &json!("s")), "{answer}");
    assert_eq!(result[2]["content-type"], Value::Null, "{answer}");
    assert_eq!(result[3], json!(format!("http://{}/echo", server.at("localhost"))), "{answer}");
    let journal = client.ok("get_run", json!({"run_id": answer["run_id"]}));
    let kept = &journal["calls"][0]["arguments"]["headers"];
    assert_eq!(*kept, json!({"Authorization": "…", "Cookie": "…", "X-Api-Key": "…", "X-Other": "o"}), "{journal}");

    let body = format!(
        "r = http_request('URL/redirect/307?ADDRESS/echo', method='POST', json=[1], {secrets})\n\
         return [r.json['method'], r.json['body'], r.json['headers'], r.url]"
    );
    let answer = run(&mut client, &server, "across", &body);
    let result = &answer["result"];
    assert_eq!((&result[0], &result[1]), (&json!("POST"), &json!("[1]")), "{answer}");
    for secret in ["authorization", "cookie", "x-api-key"] {
        assert_eq!(result[2][secret], Value::Null, "{answer}");
    }
    assert_eq!(result[2]["x-other"], json!("o"), "{answer}");
    assert_eq!(result[3], json!(format!("http://{}/echo", server.at("127.0.0.1"))), "{answer}");

    let before = server.requests().len();
    let answer = run(&mut client, &server, "circle", "http_request('URL/redirect/302?')");
    failed(&answer, "RuntimeError", &["more than 5 times"]);
    assert_eq!(server.requests().len() - before, 6);
}

#[test]
fn redirects_lead_nowhere_else() {
    let (server, _home, mut client) = setup(&["localhost"]);
    let origin = format!("`GET http://{}/redirect/302` is redirected there", server.at("localhost"));
    for (name, to, kind, shown) in [
        ("private", "ADDRESS/echo", "PermissionError", server.at("127.0.0.1")),
        ("port", "http://localhost:1/", "PermissionError", "localhost:1".to_owned()),
        ("relative", "//127.0.0.1/", "PermissionError", "127.0.0.1".to_owned()),
        ("cloud", "http://169.254.169.254/", "PermissionError", "169.254.169.254".to_owned()),
        ("scheme", "file:///etc/passwd", "ValueError", "file:".to_owned()),
        ("user", "http://me:hunter2@localhost/", "ValueError", "password".to_owned()),
    ] {
        let answer = run(&mut client, &server, name, &format!("http_request('URL/redirect/302?{to}')"));
        failed(&answer, kind, &[&shown, &origin]);
        assert!(!text(&answer, "error").contains("hunter2"), "{answer}");
    }
    assert!(server.requests().iter().all(|request| request["path"] == json!("/redirect/302")));
}

#[test]
fn answers_are_limited_also_when_they_are_packed() {
    let (server, _home, mut client) = setup(&["localhost"]);
    for path in ["/endless", "/bomb"] {
        let answer = run(&mut client, &server, &path[1..], &format!("http_request('URL{path}')"));
        failed(&answer, "RuntimeError", &[path, "longer than 8 MiB"]);
    }
    let answer = run(&mut client, &server, "afterwards", "return http_request('URL/').text");
    assert_eq!(answer["result"], json!("plain text"), "{answer}");
}

#[test]
fn a_request_that_hangs_ends_at_its_limit_and_at_the_runs() {
    let (server, home, mut client) = setup(&["localhost"]);
    let started = Instant::now();
    let body = "try:\n    http_request('URL/hang', timeout=0.3)\nexcept TimeoutError as error:\n    return str(error)";
    let answer = run(&mut client, &server, "own_limit", body);
    assert!(text(&answer, "result").contains("/hang` had no complete answer after 0."), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    home.configure(&format!("[policy]\nnetwork = ['{}']\n[limits]\nseconds = 1\n", server.at("localhost")));
    let started = Instant::now();
    let answer = run(&mut client, &server, "run_limit", "http_request('URL/hang', timeout=1e9)");
    assert_eq!(answer["error_type"], json!("TimeoutError"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_cancelled_run_waits_for_no_answer() {
    let (server, _home, mut client) = setup(&["localhost"]);
    remember(&mut client, "wait", &code(&server, "wait", "http_request('URL/hang')"));
    let id = client.send_call("execute_procedure", json!({"procedure_id": "wait"}));
    eventually("the request is made", || !server.requests().is_empty());
    let started = Instant::now();
    let runs = client.ok("list_runs", json!({"status": "running"}));
    client.ok("cancel_run", json!({"run_id": runs["runs"][0]["run_id"]}));
    assert_eq!(client.call_answer(id)["error_code"], json!("run_cancelled"));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn nobody_at_home_is_an_error_that_says_so() {
    let (server, home, mut client) = setup(&["localhost"]);
    home.configure("[policy]\nnetwork = ['127.0.0.1:1', 'no-such-host.invalid']\n");
    let answer = run(&mut client, &server, "refused", "http_request('http://127.0.0.1:1/x')");
    failed(&answer, "RuntimeError", &["`GET http://127.0.0.1:1/x` could not connect"]);
    let answer = run(&mut client, &server, "nowhere", "http_request('http://no-such-host.invalid/')");
    failed(&answer, "RuntimeError", &["`GET http://no-such-host.invalid/` could not connect"]);
}
