//! What is sent: checked arguments, and what becomes of them at a redirect.

use std::collections::BTreeMap;

use reqwest::{
    Client, Method, RequestBuilder, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{domain::Host, runtime::PythonError};

/// The most that a body may have.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;
/// The most of an address that messages show.
const SHOWN_CHARS: usize = 200;

/// Headers that belong to the connection. With `host`, code could talk to a host that shares its address with a granted one.
const OWN_HEADERS: [&str; 9] =
    ["host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "keep-alive", "expect"];
/// Parts of names of headers that have secrets, which stay with the host that they were written for.
const SECRET_PARTS: [&str; 8] = ["auth", "cookie", "key", "token", "secret", "session", "credential", "signature"];

/// What the code passes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    url: String,
    #[serde(default = "get")]
    method: String,
    headers: Option<BTreeMap<String, String>>,
    params: Option<Map<String, Value>>,
    json: Option<Value>,
    body: Option<String>,
    pub timeout: Option<f64>,
    #[serde(default = "yes")]
    pub check: bool,
    /// Read by [`super::is_repeatable`].
    #[serde(rename = "idempotent")]
    _idempotent: Option<bool>,
}

fn get() -> String {
    "GET".to_owned()
}

const fn yes() -> bool {
    true
}

/// A request that may be sent, if its host is granted.
pub struct Request {
    method: Method,
    url: Url,
    pub host: Host,
    pub port: u16,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// The first address, when this one comes from a redirect.
    origin: Option<String>,
}

impl Request {
    pub fn new(arguments: Arguments) -> Result<Self, PythonError> {
        let Arguments { url, method, headers, params, json, body, .. } = arguments;
        let mut url = Url::parse(&url).map_err(|error| {
            invalid(format!("`{}` is no address ({error}); write it whole, as `https://…`", shortened(&url)))
        })?;
        let (host, port) = target(&url)?;
        if let Some(params) = params {
            add_params(&mut url, params)?;
        }
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
            .ok()
            .filter(|method| !matches!(*method, Method::CONNECT | Method::TRACE))
            .ok_or_else(|| invalid(format!("`{}` is no method for a request", shortened(&method))))?;
        let mut checked = HeaderMap::new();
        for (name, value) in headers.unwrap_or_default() {
            let (name, value) = header(&name, &value)?;
            checked.insert(name, value);
        }
        let body = match (json, body) {
            (Some(_), Some(_)) => return Err(invalid("give either `json` or `body`")),
            (Some(json), None) => {
                let json_type = HeaderValue::from_static("application/json");
                checked.entry(CONTENT_TYPE).or_insert(json_type);
                Some(json.to_string().into_bytes())
            }
            (None, body) => body.map(String::into_bytes),
        };
        if let Some(length) = body.as_ref().map(Vec::len).filter(|length| *length > MAX_BODY_BYTES) {
            let most = MAX_BODY_BYTES / (1024 * 1024);
            return Err(invalid(format!(
                "the body has {length} bytes, at most {most} MiB can be sent; send it in parts"
            )));
        }
        Ok(Self { method, url, host, port, headers: checked, body, origin: None })
    }

    /// The request for a client to send.
    pub fn builder(&self, client: &Client) -> RequestBuilder {
        let builder = client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        match &self.body {
            Some(body) => builder.body(body.clone()),
            None => builder,
        }
    }

    /// Turns it into the request that a redirect with this status asks for, as browsers and RFC 9110 have it.
    pub fn follow(&mut self, status: u16, location: &str) -> Result<(), PythonError> {
        let origin = self.origin.take().unwrap_or_else(|| self.shown());
        let moved = |error: PythonError| redirected(error, &origin);
        let mut url = self.url.join(location).map_err(|error| {
            moved(PythonError::new("RuntimeError", format!("`{}` is no address: {error}", shortened(location))))
        })?;
        url.set_fragment(None);
        let (host, port) = target(&url).map_err(moved)?;
        if url.origin() != self.url.origin() {
            for name in self.headers.keys().filter(|name| has_secret(name)).cloned().collect::<Vec<_>>() {
                self.headers.remove(name);
            }
        }
        let becomes_get = (status == 303 && self.method != Method::HEAD)
            || (matches!(status, 301 | 302) && self.method == Method::POST);
        if becomes_get {
            self.method = Method::GET;
            self.body = None;
            for name in
                self.headers.keys().filter(|name| name.as_str().starts_with("content-")).cloned().collect::<Vec<_>>()
            {
                self.headers.remove(name);
            }
        }
        (self.url, self.host, self.port, self.origin) = (url, host, port, Some(origin));
        Ok(())
    }

    /// The address, as it is now.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The host as a grant names it.
    pub fn grant(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.to_string(),
        }
    }

    /// The request in messages: without the query, which may have secrets.
    pub fn shown(&self) -> String {
        shortened(&format!("{} {}://{}{}", self.method, self.url.scheme(), self.grant(), self.url.path()))
    }

    /// An error, with what led to this address where that is not the one in the code.
    pub fn after_redirect(&self, error: PythonError) -> PythonError {
        match &self.origin {
            Some(origin) => redirected(error, origin),
            None => error,
        }
    }
}

fn redirected(error: PythonError, origin: &str) -> PythonError {
    let PythonError { kind, message, .. } = error;
    PythonError::new(&kind, message + &format!(" (`{origin}` is redirected there)"))
}

/// Host and port of an address that may be asked at all.
fn target(url: &Url) -> Result<(Host, u16), PythonError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid(format!("`{}:` is no scheme for a request; only http and https are", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let message = "the address has a user name or a password in it; send them in the header `Authorization`";
        return Err(invalid(message));
    }
    let host = url.host_str().and_then(Host::parse);
    let port = url.port_or_known_default();
    host.zip(port).ok_or_else(|| invalid(format!("`{}` is no host", shortened(url.host_str().unwrap_or_default()))))
}

/// Host and port of an address, where it can be asked at all.
pub fn target_of(url: &str) -> Option<(Host, u16)> {
    target(&Url::parse(url).ok()?).ok()
}

fn add_params(url: &mut Url, params: Map<String, Value>) -> Result<(), PythonError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in params {
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            match value {
                Value::Null => {}
                Value::String(text) => pairs.push((name.clone(), text)),
                Value::Bool(_) | Value::Number(_) => pairs.push((name.clone(), value.to_string())),
                Value::Array(_) | Value::Object(_) => {
                    let message =
                        format!("`params` has a list or dict in `{name}`; give a text, a number or a list of them");
                    return Err(invalid(message));
                }
            }
        }
    }
    // Even an empty list of pairs would leave a question mark.
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Ok(())
}

/// The value is not repeated in errors: it may be a secret.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), PythonError> {
    let shown = shortened(name);
    let name =
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(format!("`{shown}` is no name of a header")))?;
    if OWN_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("proxy-") {
        return Err(invalid(format!("the header `{shown}` is set by the connection; leave it out")));
    }
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| invalid(format!("the value of the header `{shown}` has characters that no header can have")))?;
    value.set_sensitive(has_secret(&name));
    Ok((name, value))
}

fn has_secret(name: &HeaderName) -> bool {
    is_secret(name.as_str())
}

/// Whether a header of this name has something that nobody but its host is to read.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
}

fn invalid(message: impl std::fmt::Display) -> PythonError {
    PythonError::new("ValueError", format!("http_request(): {message}"))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(arguments: Value) -> Result<Request, String> {
        let arguments = serde_json::from_value(arguments).unwrap();
        Request::new(arguments).map_err(|error| format!("{}: {}", error.kind, error.message))
    }

    #[test]
    fn hosts_and_ports_are_told_however_they_are_written() {
        for (url, grant, port) in [
            ("https://API.Example.ORG./x?token=1", "api.example.org", 443),
            ("http://example.org:80/", "example.org", 80),
            ("http://example.org:8080/", "example.org:8080", 8080),
            ("http://2130706433/", "127.0.0.1", 80),
            ("http://0x7f.1/", "127.0.0.1", 80),
            ("http://127。0。0。1/", "127.0.0.1", 80),
            ("http://[::ffff:7f00:1]:81/", "127.0.0.1:81", 81),
            ("https://größe.de/", "xn--gre-6ka8i.de", 443),
        ] {
            let request = request(json!({"url": url})).unwrap();
            assert_eq!((request.grant().as_str(), request.port), (grant, port), "{url}");
            assert!(!request.shown().contains("token"), "{}", request.shown());
        }
    }

    #[test]
    fn what_can_not_be_sent_is_refused_without_its_secrets() {
        for (arguments, part) in [
            (json!({"url": "example.org"}), "write it whole"),
            (json!({"url": "file:///etc/passwd"}), "only http and https"),
            (json!({"url": "https://me:hunter2@example.org/"}), "password in it"),
            (json!({"url": "http://a", "method": "CONNECT"}), "no method"),
            (json!({"url": "http://a", "method": "GET /"}), "no method"),
            (json!({"url": "http://a", "headers": {"Host": "b"}}), "set by the connection"),
            (json!({"url": "http://a", "headers": {"Proxy-Authorization": "b"}}), "set by the connection"),
            (json!({"url": "http://a", "headers": {"a b": "b"}}), "no name of a header"),
            (json!({"url": "http://a", "headers": {"X-Key": "hunter2\r\nX: y"}}), "no header can have"),
            (json!({"url": "http://a", "json": {}, "body": ""}), "either `json` or `body`"),
            (json!({"url": "http://a", "params": {"x": {"y": 1}}}), "list or dict in `x`"),
            (json!({"url": "http://a", "body": "x".repeat(MAX_BODY_BYTES + 1)}), "at most 4 MiB"),
        ] {
            let error = request(arguments).err().unwrap();
            assert!(error.starts_with("ValueError: http_request(): ") && error.contains(part), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn params_become_the_query() {
        let params = json!({"a": "x y", "b": [1, true, null], "c": null});
        let with = request(json!({"url": "http://a/?q=1", "params": params})).unwrap();
        assert_eq!(with.url(), "http://a/?q=1&a=x+y&b=1&b=true");
        assert_eq!(request(json!({"url": "http://a/", "params": {}})).unwrap().url(), "http://a/");
    }

    #[test]
    fn secrets_stay_with_their_host_and_bodies_with_their_method() {
        let headers = json!({"Authorization": "x", "X-Api-Key": "x", "Cookie": "x", "Accept": "x"});
        let arguments = json!({"url": "https://a.org/x", "method": "POST", "headers": headers, "json": {"a": 1}});
        let follow = |status: u16, location: &str| {
            let mut request = request(arguments.clone()).unwrap();
            request.follow(status, location).unwrap();
            let names: Vec<String> = request.headers.keys().map(ToString::to_string).collect();
            (request.method.to_string(), request.url().to_owned(), request.body.is_some(), names.len())
        };
        assert_eq!(follow(307, "/y"), ("POST".into(), "https://a.org/y".into(), true, 5));
        assert_eq!(follow(302, "y?z=1"), ("GET".into(), "https://a.org/y?z=1".into(), false, 4));
        for location in ["https://b.org/", "http://a.org/", "https://a.org:8443/"] {
            assert_eq!(follow(308, location).3, 2, "{location}");
        }
        let mut request = request(arguments).unwrap();
        assert!(
            request.follow(302, "ftp://a.org/").unwrap_err().message.contains("`POST https://a.org/x` is redirected")
        );
        assert!(request.follow(302, "https://u:p@a.org/").is_err());
    }
}
