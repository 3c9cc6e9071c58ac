//! The proxy, asked by an HTTP client and by hand.

use std::{net::SocketAddr, path::PathBuf};

use axum::{Router, http::HeaderMap, routing::any};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::{domain::HostGrant, host::reach::Holder};

/// A proxy that is served, and a web server behind it that answers with the headers it got. Both end with the value.
struct Setup {
    proxy: Arc<Proxy>,
    address: SocketAddr,
    web: u16,
    stop: CancellationToken,
}

impl Setup {
    /// `PORT` in a grant is the port of the web server.
    async fn with(grants: &[&str]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let echo = |headers: HeaderMap, body: String| async move { format!("{headers:?} {body}") };
        let serving = axum::serve(listener, Router::new().fallback(any(echo)));
        let stopped = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                served = serving => served.unwrap(),
            }
        });
        let hosts =
            grants.iter().map(|grant| HostGrant::parse(&grant.replace("PORT", &web.to_string())).unwrap()).collect();
        let policy_file = PathBuf::from("config.toml");
        let rules = Arc::default();
        let holder = Holder::Command("git fetch".to_owned());
        let reach = Reach::Program { holder, hosts, rules, policy_file };
        let proxy = Arc::new(Proxy::new("git fetch".to_owned(), reach));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (serving, cancel) = (Arc::clone(&proxy), stop.clone());
        tokio::spawn(async move { serving.serve(listener, cancel).await.unwrap() });
        Self { proxy, address, web, stop }
    }

    fn client(&self) -> reqwest::Client {
        let proxy = reqwest::Proxy::all(format!("http://{}", self.address)).unwrap();
        reqwest::Client::builder().proxy(proxy).build().unwrap()
    }

    /// What is answered to a request that is written by hand, up to the end of the connection.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.replace("PORT", &self.web.to_string()).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn a_granted_host_is_reached_by_its_name() {
    let setup = Setup::with(&["localhost:PORT"]).await;
    let url = format!("http://localhost:{}/x", setup.web);
    let answer = setup.client().post(url).header("host", "other.example.org").body("hello").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    assert!(text.ends_with(" hello"), "{text}");
    assert!(
        text.contains(&format!("\"host\": \"localhost:{}\"", setup.web)),
        "what was judged is what is asked: {text}"
    );
    assert_eq!(setup.proxy.refused(), [""; 0]);
}

#[tokio::test]
async fn a_tunnel_carries_whatever_is_said_in_it() {
    let setup = Setup::with(&["localhost:PORT"]).await;
    let inner = "GET /x HTTP/1.1\r\nhost: inner\r\nconnection: close\r\n\r\n";
    let answer = setup.raw(&format!("CONNECT localhost:PORT HTTP/1.1\r\nhost: x\r\n\r\n{inner}")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"host\": \"inner\""), "{answer}");
}

#[tokio::test]
async fn other_hosts_are_refused_with_what_would_have_to_be_granted() {
    let setup = Setup::with(&["localhost:PORT", "*.example.org"]).await;
    for host in
        ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "example.org", "evil.example", "2130706433"]
    {
        let answer = setup.raw(&format!("CONNECT {host}:PORT HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        // What ends in a number is no name.
        let status = if host == "2130706433" { "400 Bad Request" } else { "403 Forbidden" };
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{host}: {answer}");
    }
    let answer = setup.client().get("http://localhost:1/secret?token=hunter2").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let said = answer.text().await.unwrap();
    assert!(said.contains("the host `localhost:1` is not granted to `git fetch`"), "{said}");
    let refused = setup.proxy.refused();
    assert_eq!(refused.len(), 7 - 1, "each host once, in one way of writing it: {refused:#?}");
    assert!(refused.contains(&said.trim().to_owned()) && !refused.concat().contains("hunter2"), "{refused:#?}");
}

#[tokio::test]
async fn what_is_no_request_to_a_proxy_is_told_so() {
    let setup = Setup::with(&["localhost"]).await;
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: localhost:PORT\r\nconnection: close\r\n\r\n");
    for (request, said) in [
        (get("/x"), "this is a proxy"),
        (get("https://localhost/"), "use CONNECT"),
        (get("ftp://localhost/"), "not `ftp`"),
        (get("http://me:secret@localhost/"), "user name or a password"),
        (get("http://:80/"), "400"),
        ("CONNECT localhost HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "no host with a port"),
        ("CONNECT localhost:0 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(), "no host with a port"),
        ("\u{16}\u{3}\u{1}".to_owned() + "\r\n\r\n", "400"),
    ] {
        let answer = setup.raw(&request).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{request}: {answer}");
        assert!(answer.contains(said), "{request}: {answer}");
    }
    assert_eq!(setup.proxy.refused(), [""; 0], "nothing of that was judged");
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_said_to_be_unreachable() {
    let setup = Setup::with(&["localhost:1", "nobody.invalid"]).await;
    for host in ["localhost:1", "nobody.invalid:80"] {
        let answer = setup.client().get(format!("http://{host}/")).send().await.unwrap();
        assert_eq!(answer.status(), 502, "{host}");
        assert!(answer.text().await.unwrap().contains(&format!("`{host}` can't be reached")), "{host}");
    }
}

#[tokio::test]
async fn everything_ends_with_the_proxy() {
    let setup = Setup::with(&["localhost:PORT"]).await;
    let mut tunnel = TcpStream::connect(setup.address).await.unwrap();
    let connect = format!("CONNECT localhost:{} HTTP/1.1\r\nhost: x\r\n\r\n", setup.web);
    tunnel.write_all(connect.as_bytes()).await.unwrap();
    let mut begun = [0; 12];
    tunnel.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    setup.stop.cancel();
    let mut rest = Vec::new();
    // However the connection ends, it does.
    let _ = tunnel.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn a_program_that_opens_too_many_connections_waits_for_its_own() {
    let setup = Setup::with(&["localhost:PORT"]).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(TcpStream::connect(setup.address).await.unwrap());
    }
    let request = setup.raw("GET http://localhost:PORT/ HTTP/1.1\r\nconnection: close\r\n\r\n");
    tokio::pin!(request);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut request).await;
    assert!(early.is_err(), "it was served beside {CONNECTIONS} others");
    drop(held.pop());
    assert!(request.await.starts_with("HTTP/1.1 200 OK"));
}
