//! A server that is somewhere else: streamable HTTP.

use std::{collections::HashMap, error::Error};

use reqwest::{
    Client,
    header::{HeaderName, HeaderValue},
};
use rmcp::{
    ServiceError,
    service::ClientInitializeError,
    transport::{
        DynamicTransportError, StreamableHttpClientTransport,
        streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError},
    },
};

use super::lines::MAX_ANSWER_BYTES;
use crate::config::HttpSettings;

/// A transport to the address, with the secrets that the environment has now. Redirects are followed within the same
/// origin only, so that no other server sees them.
pub(super) fn transport(settings: &HttpSettings) -> Result<StreamableHttpClientTransport<Client>, String> {
    let mut headers = HashMap::new();
    for (name, value) in &settings.headers {
        headers.insert(header_name(name)?, header_value(name, value)?);
    }
    for (name, secret) in settings.secret_headers()? {
        let mut value = header_value(name, secret.expose())?;
        value.set_sensitive(true);
        headers.insert(header_name(name)?, value);
    }
    let config = StreamableHttpClientTransportConfig::with_uri(settings.url.as_str())
        .custom_headers(headers)
        .max_sse_event_size(MAX_ANSWER_BYTES);
    Ok(StreamableHttpClientTransport::from_config(config))
}

/// Why a handshake failed.
pub(super) fn why_not_shaken(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => explain(error),
        ClientInitializeError::JsonRpcError(error) => format!("it refused the handshake: {}", error.message),
        error => chain(error),
    }
}

/// Why a request was not answered.
pub(super) fn why_not_answered(error: &ServiceError) -> String {
    match error {
        ServiceError::TransportSend(error) => explain(error),
        ServiceError::TransportClosed => "the connection was closed".to_owned(),
        error => chain(error),
    }
}

fn explain(error: &DynamicTransportError) -> String {
    let error: &(dyn Error + 'static) = error.error.as_ref();
    match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::Client(cause)) => chain(cause),
        Some(StreamableHttpError::AuthRequired(_)) => {
            "it wants authorization (HTTP 401); `headers_env` names the variable that has the token".to_owned()
        }
        _ => chain(error),
    }
}

/// An error with all its causes, because the outermost alone seldom says why, and without addresses: a query may have a
/// secret.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        next = cause.source();
        let text = cause.to_string();
        let text = text.split(" for url (").next().unwrap_or_default();
        if !texts.iter().any(|known| known.contains(text)) {
            texts.push(text.to_owned());
        }
    }
    texts.join(": ")
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no name of a header"))
}

/// The value is not repeated in the error.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value).map_err(|_| format!("the value for `{name}` has letters that no header can have"))
}
