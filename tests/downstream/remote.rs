//! MCP servers that are somewhere else: streamable HTTP, with a server of our own on the loopback interface.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::common::{
    Home, Protocol, RawClient,
    downstream::{raised, result},
    eventually,
};

const TOKEN: &str = "hunter2-0123456789";

/// A server that wants a token. Ends when dropped.
struct RemoteServer {
    address: SocketAddr,
    seen: Arc<Seen>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    handshakes: AtomicUsize,
    cancelled: AtomicUsize,
    teams: Mutex<Vec<String>>,
}

impl RemoteServer {
    fn start(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stop) = (Arc::<Seen>::default(), CancellationToken::new());
        let router = Router::new().route("/mcp", post(answer)).with_state(Arc::clone(&seen));
        let stopped = stop.clone().cancelled_owned();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = axum::serve(listener, router) => served.unwrap(),
                    () = stopped => {}
                }
            });
        });
        Self { address, seen, stop, thread: Some(thread) }
    }

    fn anywhere() -> Self {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

impl Drop for RemoteServer {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn answer(State(seen): State<Arc<Seen>>, headers: HeaderMap, Json(message): Json<Value>) -> Response {
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != &format!("Bearer {TOKEN}")) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response();
    }
    let method = message["method"].as_str().unwrap_or_default();
    let Some(id) = message.get("id") else {
        if method == "notifications/cancelled" {
            seen.cancelled.fetch_add(1, Ordering::Relaxed);
        }
        return StatusCode::ACCEPTED.into_response();
    };
    let result = match method {
        "initialize" => {
            seen.handshakes.fetch_add(1, Ordering::Relaxed);
            let team = headers.get("x-team").and_then(|team| team.to_str().ok()).unwrap_or_default();
            seen.teams.lock().unwrap().push(team.to_owned());
            json!({"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "remote", "version": "1"}})
        }
        "tools/list" => {
            let tools = ["echo", "slow", "big"].map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
            json!({"tools": tools})
        }
        "tools/call" if message["params"]["name"] == json!("slow") => std::future::pending().await,
        "tools/call" if message["params"]["name"] == json!("big") => {
            json!({"content": [{"type": "text", "text": "x".repeat(9 * 1024 * 1024)}]})
        }
        "tools/call" => {
            let text = &message["params"]["arguments"]["text"];
            json!({"content": [{"type": "text", "text": text}]})
        }
        _ => {
            return Json(json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": method}}))
                .into_response();
        }
    };
    Json(json!({"jsonrpc": "2.0", "id": id, "result": result})).into_response()
}

fn home(address: SocketAddr) -> Home {
    Home::with_config(&format!(
        "[policy]\ntools = ['far']\n[mcp_servers.far]\nurl = 'http://{address}/mcp?key=query-secret'\n\
         headers = {{ X-Team = 'blue' }}\nheaders_env = {{ Authorization = 'Bearer FAR_TOKEN' }}\n"
    ))
}

fn client(home: &Home, token: Option<&str>) -> RawClient {
    let mut command = home.command(&["--no-starters", "serve"]);
    token.map(|token| command.env("FAR_TOKEN", token));
    let mut client = RawClient::spawn(command);
    client.open(Protocol::V2025);
    client
}

#[test]
fn a_remote_server_gets_its_token_from_the_environment() {
    let server = RemoteServer::anywhere();
    let home = home(server.address);
    let mut ours = client(&home, Some(TOKEN));
    assert_eq!(result(&mut ours, "echo", "call_tool('far/echo', {'text': 'hi'})"), json!("hi"));
    assert_eq!(result(&mut ours, "again", "call_tool('far/echo', {'text': 'ho'})"), json!("ho"));
    assert_eq!(server.seen.handshakes.load(Ordering::Relaxed), 1, "the conversation is kept");
    assert_eq!(*server.seen.teams.lock().unwrap(), ["blue"]);
    raised(&mut ours, "slow", "call_tool('far/slow', timeout=0.3)", "TimeoutError", &["`far/slow`"]);
    eventually("the server knows", || server.seen.cancelled.load(Ordering::Relaxed) > 0);
    raised(&mut ours, "big", "call_tool('far/big', timeout=20)", "RuntimeError", &["`far/big`", "8 MiB"]);
    raised(&mut ours, "unknown", "call_tool('far/exho')", "LookupError", &["closest name is `echo`"]);
    let unset = &["`far`", "`FAR_TOKEN`", "is not set"];
    raised(&mut client(&home, None), "unset", "call_tool('far/echo')", "RuntimeError", unset);
    let mut wrong = client(&home, Some("hunter3-wrong"));
    let parts = &["`far` can't be used", "wants authorization", "`headers_env`"];
    let error = raised(&mut wrong, "wrong", "call_tool('far/echo')", "RuntimeError", parts);
    assert!(!error.contains("hunter3") && !error.contains("query-secret"), "{error}");
    assert!(!wrong.log().contains("hunter3"), "{}", wrong.log());
}

#[test]
fn a_remote_server_that_is_away_is_reached_when_it_is_back() {
    let server = RemoteServer::anywhere();
    let address = server.address;
    let home = home(address);
    let mut ours = client(&home, Some(TOKEN));
    assert_eq!(result(&mut ours, "echo", "call_tool('far/echo', {'text': 'hi'})"), json!("hi"));
    drop(server);
    let parts = &["`far/echo`", "refused"];
    let error = raised(&mut ours, "away", "call_tool('far/echo', {'text': 'hi'})", "RuntimeError", parts);
    assert!(!error.contains("query-secret") && !error.contains(TOKEN), "{error}");
    let _server = RemoteServer::start(address);
    eventually("it is reached again", || {
        ours.call("execute_procedure", json!({"procedure_id": "echo"}))["result"] == json!("hi")
    });
}
