//! A web server of the tests' own on the loopback interface: it echoes, redirects, fails, hangs and never stops sending.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::{Value, json};

use super::loopback::Loopback;

/// The server; it ends with the value.
pub struct WebServer {
    service: Loopback,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl WebServer {
    /// Starts one on a port of its own.
    pub fn start() -> Self {
        let requests = Arc::<Mutex<Vec<Value>>>::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&requests));
        Self { service: Loopback::serve(app), requests }
    }

    /// Where it is, as `host:port` with this host.
    pub fn at(&self, host: &str) -> String {
        format!("{host}:{}", self.service.address().port())
    }

    /// Every request that came: its method, path, query, headers and body.
    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(
    State(requests): State<Arc<Mutex<Vec<Value>>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let shown: Value = headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect();
    let request = json!({
        "method": method.as_str(), "path": uri.path(), "query": uri.query(), "headers": shown,
        "body": String::from_utf8_lossy(&body),
    });
    requests.lock().unwrap().push(request.clone());
    let json_type = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    match uri.path() {
        "/echo" => {
            let mut answer = (json_type, request.to_string()).into_response();
            answer.headers_mut().append("x-twice", "a".parse().unwrap());
            answer.headers_mut().append("x-twice", "b".parse().unwrap());
            answer
        }
        // To what the query says; `/redirect/307?http://…`.
        path if path.starts_with("/redirect/") => {
            let status = path["/redirect/".len()..].parse().unwrap();
            let to = uri.query().unwrap_or_default().to_owned();
            (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, to)]).into_response()
        }
        "/missing" => (StatusCode::NOT_FOUND, "there is no such thing").into_response(),
        "/broken-json" => (json_type, "{").into_response(),
        "/endless" => {
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone()))).into_response()
        }
        "/bomb" => ([(header::CONTENT_ENCODING, "gzip")], bomb()).into_response(),
        "/hang" => std::future::pending().await,
        _ => "plain text".into_response(),
    }
}

/// Some 60 KB that are 10 MB of zeros when they are unpacked.
fn bomb() -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut bits = vec![true, true, false];
    let code = |bits: &mut Vec<bool>, code: u16, length: u32| {
        bits.extend((0..length).rev().map(|bit| code & (1 << bit) != 0));
    };
    // With the fixed codes of DEFLATE: a zero, then 40,000 times "the last byte, 258 times more".
    code(&mut bits, 0b0011_0000, 8);
    for _ in 0..40_000 {
        code(&mut bits, 0b1100_0101, 8);
        code(&mut bits, 0, 5);
    }
    code(&mut bits, 0, 7);
    packed.extend(bits.chunks(8).map(|byte| byte.iter().rev().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit))));
    packed
}
