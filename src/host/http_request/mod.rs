//! `http_request`: a request to a granted host, with limits on time and size.
//!
//! Every hop of a redirect is a request to a granted host of its own. [`request`] says what is sent, [`clients`] how
//! hosts are found and kept apart, [`response`] what of the answer is kept.

mod clients;
mod request;
mod response;

pub use request::target_of;

use std::error::Error;

use reqwest::header::{HeaderMap, LOCATION};
use serde_json::{Map, Value};

use self::{
    request::{Arguments, Request},
    response::Received,
};
use super::{
    action::Action,
    context::{HostContext, answer, deadline, parse},
    function::{Fallible, GrantKind, HostFunction, Perform},
    grants::{Grants, Zone, no_name_may_have},
    network::OutOfBounds,
    outcome,
};
use crate::{
    domain::Nature,
    runtime::{PythonError, Reply},
};

const NAME: &str = "http_request";

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// How much of an answer an error quotes.
const ERROR_CHARS: usize = 1000;

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: |arguments, _| if is_repeatable(arguments) { Nature::Repeatable } else { Nature::Once },
    grant: Some(GrantKind::Host),
    // Without a connection it fails whatever `check` says.
    fallible: Fallible::Yes,
    shown,
    said: |arguments, reply| outcome::checked(arguments, reply.clone(), failure(arguments, &reply)),
    perform: Perform::Waiting(|arguments, context| Box::pin(call(arguments, context))),
};

/// The arguments as people may see them: without the secrets of its headers.
fn shown(mut arguments: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(headers)) = arguments.get_mut("headers") {
        for (_, value) in headers.iter_mut().filter(|(name, _)| request::is_secret(name)) {
            *value = Value::from("…");
        }
    }
    arguments
}

/// How a call failed that is said to have given this.
fn failure(arguments: &Map<String, Value>, reply: &Reply) -> Option<String> {
    let Reply::Instance { fields, .. } = reply else { return None };
    let status = fields.get("status")?.as_i64().filter(|status| *status >= 400)?;
    let url = arguments.get("url").and_then(Value::as_str).unwrap_or_default();
    Some(format!("`{url}` was answered with status {status}"))
}

/// Whether the call may be made once more when nobody knows whether it was made: as its `idempotent` says, else as HTTP
/// defines its method (RFC 9110, section 9.2.2): sending the request twice is meant to have the effect of sending it once.
fn is_repeatable(arguments: &Map<String, Value>) -> bool {
    let method = match arguments.get("method") {
        None => "GET",
        Some(method) => method.as_str().unwrap_or_default(),
    };
    let is_idempotent =
        ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"].iter().any(|safe| method.eq_ignore_ascii_case(safe));
    arguments.get("idempotent").and_then(Value::as_bool).unwrap_or(is_idempotent)
}

async fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let arguments: Arguments = parse(NAME, arguments)?;
    let deadline = deadline(arguments.timeout, context.budget);
    let check = arguments.check;
    let request = Request::new(arguments)?;
    let shown = request.shown();
    let started = tokio::time::Instant::now();
    let stopped = |why: &str| {
        let message = format!("`{shown}` {why} after {:.1} s", started.elapsed().as_secs_f64());
        Err(PythonError::new("TimeoutError", message))
    };
    let received = tokio::select! {
        biased;
        () = context.budget.cancel.cancelled() => return stopped("was cancelled"),
        () = tokio::time::sleep_until(deadline) => return stopped("had no complete answer"),
        received = perform(request, context.grants) => received?,
    };
    if check && received.status >= 400 {
        let said: String = received.text.trim().chars().take(ERROR_CHARS).collect();
        let message = format!("`{shown}` was answered with status {}: {said}", received.status);
        return Err(PythonError::new("RuntimeError", message.trim_end_matches([':', ' '])));
    }
    let (fields, note) = received.into_fields();
    if let Some(note) = note {
        context.capture.push(&format!("http_request(): {note}\n"));
    }
    Ok(answer(NAME, fields))
}

/// Sends the request, and follows where it is sent to.
async fn perform(mut request: Request, grants: &Grants) -> Result<Received, PythonError> {
    let asked = (request.host.clone(), request.port);
    for _ in 0..=MAX_REDIRECTS {
        // Whoever agreed to the call has not seen this address.
        if (&request.host, request.port) != (&asked.0, asked.1)
            && let Some(rule) = grants.asked_host(&request.host, request.port)
        {
            let message = format!("the policy asks before `{}`; call that address itself", rule.text);
            return Err(request.after_redirect(PythonError::new("PermissionError", message)));
        }
        let zone = grants
            .check_host(&request.host, request.port, &request.grant())
            .map_err(|error| request.after_redirect(error))?;
        let failed =
            |reason: String| PythonError::new("RuntimeError", format!("`{}` failed: {reason}", request.shown()));
        let client = clients::client(zone).await.map_err(failed)?;
        let sent = request.builder(client).send().await;
        let answer = sent.map_err(|error| request.after_redirect(explain(&error, &request, zone, grants)))?;
        match location(answer.status().as_u16(), answer.headers()) {
            Some(location) => request.follow(answer.status().as_u16(), &location)?,
            None => return Received::read(answer, &request).await,
        }
    }
    let message = format!("`{}` is redirected more than {MAX_REDIRECTS} times", request.shown());
    Err(PythonError::new("RuntimeError", message))
}

fn location(status: u16, headers: &HeaderMap) -> Option<String> {
    let location = headers.get(LOCATION).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))?;
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// Why there is no answer. The error's own text has the whole address, with whatever secret is in its query.
fn explain(error: &reqwest::Error, request: &Request, zone: Zone, grants: &Grants) -> PythonError {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(below) = cause {
        if let Some(refused) = below.downcast_ref::<OutOfBounds>() {
            return out_of_bounds(*refused, request, zone, grants);
        }
        cause = below.source();
    }
    let reason = clients::root_cause(error);
    let what = if error.is_connect() { "could not connect" } else { "got no answer" };
    PythonError::new("RuntimeError", format!("`{}` {what}: {reason}", request.shown()))
}

fn out_of_bounds(refused: OutOfBounds, request: &Request, zone: Zone, grants: &Grants) -> PythonError {
    let (grant, address) = (request.grant(), format!("{} {}", refused.class.describe(), refused.address));
    match zone {
        Zone::Public => grants.missing_itself(&grant, &address),
        Zone::Private => PythonError::new("PermissionError", no_name_may_have(&grant, &address)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::domain::Permissions;

    fn repeatable(arguments: &Value) -> bool {
        is_repeatable(arguments.as_object().unwrap())
    }

    #[test]
    fn requests_are_repeated_as_http_says_unless_the_code_knows_better() {
        assert!(repeatable(&json!({"url": "http://a"})));
        for method in ["get", "HEAD", "OPTIONS", "Put", "DELETE"] {
            assert!(repeatable(&json!({"url": "http://a", "method": method})), "{method}");
        }
        for method in [json!("POST"), json!("PATCH"), json!("REPORT"), json!(null), json!(1)] {
            assert!(!repeatable(&json!({"url": "http://a", "method": method})), "{method}");
        }
        assert!(repeatable(&json!({"method": "POST", "idempotent": true})));
        assert!(!repeatable(&json!({"method": "GET", "idempotent": false})));
        assert!(repeatable(&json!({"method": "GET", "idempotent": null})));
    }

    fn request(url: &str) -> Request {
        Request::new(serde_json::from_value(json!({"url": url})).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_judged_when_it_is_looked_up() {
        let policy = Permissions { network: vec!["*.example.org".to_owned()], ..Permissions::default() };
        let grants = Grants::new(&policy, None, Path::new("config.toml"));
        let request = request("http://localhost:1/x?token=hunter2");
        let client = clients::client(Zone::Public).await.unwrap();
        let error = request.builder(client).send().await.unwrap_err();
        let refusal = explain(&error, &request, Zone::Public, &grants);
        assert_eq!(refusal.kind, "PermissionError");
        for part in ["`localhost:1` leads to the private address", "can add `localhost:1` to `network`"] {
            assert!(refusal.message.contains(part), "{}", refusal.message);
        }
        // Where it is named it may be looked up, and then there is nobody.
        let client = clients::client(Zone::Private).await.unwrap();
        let error = request.builder(client).send().await.unwrap_err();
        let failure = explain(&error, &request, Zone::Private, &grants);
        assert_eq!(failure.kind, "RuntimeError");
        assert!(failure.message.starts_with("`GET http://localhost:1/x` could not connect: "), "{}", failure.message);
    }
}
