//! Headers of requests to MCP servers: which may be set, and where secret ones come from.

/// Headers that the protocol sets itself.
const PROTOCOL_HEADERS: [&str; 8] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-session-id",
    "transfer-encoding",
];

/// Where the value of a header is: `TOKEN_VAR`, or `Bearer TOKEN_VAR` when the variable has only the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderSource {
    /// A word that stands before the value.
    pub scheme: Option<String>,
    pub variable: String,
}

/// The field that is wrong, and why.
pub(super) type Complaint = (&'static str, String);

pub(super) fn check_header(name: &str, field: &'static str) -> Result<(), Complaint> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err((field, format!("names `{}`, which is no name of a header", name.escape_debug())));
    }
    let lower = name.to_ascii_lowercase();
    if PROTOCOL_HEADERS.contains(&lower.as_str()) || lower.starts_with("mcp-") {
        return Err((field, format!("names `{name}`, which the protocol sets itself; remove it")));
    }
    Ok(())
}

pub(super) fn header_source(text: &str) -> Option<HeaderSource> {
    let (scheme, variable) = match text.trim().split_once(' ') {
        Some((scheme, variable)) => (Some(scheme.to_owned()), variable.trim()),
        None => (None, text.trim()),
    };
    let is_name = variable.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_')
        && variable.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_');
    let is_scheme = scheme.as_ref().is_none_or(|word| word.chars().all(|letter| letter.is_ascii_alphabetic()));
    (is_name && is_scheme).then(|| HeaderSource { scheme, variable: variable.to_owned() })
}
