//! What one attempt failed with: whether another one makes sense, and what may be told of it.

use std::{error::Error, time::Duration};

use serde_json::Value;

use super::ModelError;
use crate::{config::Secret, domain::Hinted as _};

/// The longest that a provider may make us wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// The most letters of a provider's text that are passed on.
const LONGEST_REASON: usize = 400;

/// Why an attempt gave no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The provider wants fewer requests.
    Limited { reason: String, wait: Option<Duration> },
    /// Nobody answered, or the provider failed.
    Unreachable { reason: String, wait: Option<Duration> },
    /// The time for one request is over.
    TimedOut { seconds: u64 },
    /// Another attempt would fail in the same way.
    Final(ModelError),
}

impl Failure {
    /// How long the provider asked to wait.
    pub(super) const fn wait(&self) -> Option<Duration> {
        match self {
            Self::Limited { wait, .. } | Self::Unreachable { wait, .. } => *wait,
            // The time has been waited already.
            Self::TimedOut { .. } => Some(Duration::ZERO),
            Self::Final(_) => None,
        }
    }

    /// A few words for a progress note.
    pub(super) fn note(&self) -> String {
        match self {
            Self::Limited { .. } => "the model takes no more requests for now".to_owned(),
            Self::Unreachable { reason, .. } => format!("the model can't be reached: {reason}"),
            Self::TimedOut { seconds } => format!("the model gave no answer within {seconds} seconds"),
            Self::Final(error) => error.in_full(),
        }
    }

    /// The end of it, after so many attempts.
    pub(super) fn into_error(self, target: String, attempts: usize) -> ModelError {
        match self {
            Self::Limited { reason, .. } => ModelError::RateLimited { target, attempts, reason },
            Self::Unreachable { reason, .. } => ModelError::Unreachable { target, attempts, reason },
            Self::TimedOut { seconds } => ModelError::TimedOut { target, attempts, seconds },
            Self::Final(error) => error,
        }
    }
}

/// The wait that a `Retry-After` in seconds asks for. A date, which no provider sends, or no wait at all leaves it to
/// our own backoff.
pub(super) fn wait_of(retry_after: &str) -> Option<Duration> {
    let seconds = retry_after.trim().parse().ok().filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}

/// What was at the bottom of an error: those above it say only that a request failed.
pub(super) fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}

/// The message in the body of a refusal, in whichever form the provider has it.
pub(super) fn message_in(body: &str) -> String {
    let body = body.trim();
    if body.is_empty() {
        return "it gave no reason".to_owned();
    }
    if body.starts_with('<') {
        return "it sent a web page, as something else than a model's server does".to_owned();
    }
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let value = value.get(0).unwrap_or(&value);
    let message = ["/error/message", "/message", "/error", "/detail"]
        .into_iter()
        .find_map(|path| value.pointer(path).and_then(Value::as_str));
    message.unwrap_or(body).to_owned()
}

/// A text from outside as one short line without the key.
pub(super) fn clean(text: &str, key: Option<&Secret>) -> String {
    let text = key.map_or_else(|| text.to_owned(), |key| text.replace(key.expose(), "…"));
    // Providers quote a wrong key with its middle blotted out; the ends of it are nobody's business either.
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words = words.filter(|word| !word.is_empty()).map(|word| if word.contains("***") { "…" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST_REASON {
        return line;
    }
    let short: String = line.chars().take(LONGEST_REASON - 1).collect();
    format!("{short}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_in_every_providers_form() {
        for body in [
            r#"{"type":"error","error":{"type":"not_found_error","message":"no such model"}}"#,
            r#"{"error":{"message":"no such model","code":404}}"#,
            r#"{"error":"no such model"}"#,
            r#"[{"error":{"code":404,"message":"no such model"}}]"#,
            r#"{"object":"error","message":"no such model"}"#,
            r#"{"detail":"no such model"}"#,
            " no such model\n",
        ] {
            assert_eq!(message_in(body), "no such model", "{body}");
        }
        assert!(message_in("").contains("no reason"));
        assert!(message_in("<html>").contains("web page"));
        assert_eq!(message_in(r#"{"error":{}}"#), r#"{"error":{}}"#);
    }

    #[test]
    fn text_from_outside_is_one_short_line_without_the_key() {
        let key = Secret::new("sk-hunter2");
        assert_eq!(clean("key\n\tsk-hunter2,\u{7} is \"sk-hunter2\"", key.as_ref()), "key …, is \"…\"");
        assert_eq!(clean("Incorrect key: sk-hu***er2.", key.as_ref()), "Incorrect key: …");
        // The key is taken out before the text is cut, so that no part of it stays.
        let long = format!("{}sk-hunter2", "é".repeat(LONGEST_REASON - 4));
        assert_eq!(clean(&long, key.as_ref()), format!("{}…", "é".repeat(LONGEST_REASON - 4)));
        assert_eq!(clean(&"é".repeat(500), None).chars().count(), LONGEST_REASON);
    }

    #[test]
    fn a_provider_may_ask_for_a_minute_at_most() {
        assert_eq!(wait_of(" 2 "), Some(Duration::from_secs(2)));
        assert_eq!(wait_of("3600"), Some(LONGEST_WAIT));
        for nothing in ["0", "-1", "", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(wait_of(nothing), None, "{nothing}");
        }
    }
}
