//! Why the model gave no answer that can be used.

use std::borrow::Cow;

use crate::{config::ModelSettings, domain::Hinted};

/// What went wrong with a request, and what to do about it. [`Self::code`] is stable; the text may change. No text has
/// the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The environment has no key.
    #[error("{target} needs a key and the environment variable `{variable}` has none")]
    MissingKey {
        /// Which model, of which provider, where.
        target: String,
        variable: String,
    },
    /// The provider does not accept the key, or wants one and got none.
    #[error("{target} did not accept {}: {reason}", variable.as_ref().map_or_else(
        || "a request without a key (name the variable that has one with `model.key_env` in config.toml)".to_owned(),
        |variable| format!("the key in `{variable}` (put a valid one there and start the server again)")))]
    WrongKey {
        /// Which model, of which provider, where.
        target: String,
        /// The variable that the key came from; `None` when none was sent.
        variable: Option<String>,
        /// What the provider said.
        reason: String,
    },
    /// Too many requests or tokens for the account.
    #[error("{target} takes no more requests for now ({}): {reason}", tried(*attempts))]
    RateLimited {
        /// Which model, of which provider, where.
        target: String,
        /// Requests that were made.
        attempts: usize,
        /// What the provider said.
        reason: String,
    },
    /// Nobody answers, or only with failures of its own.
    #[error("{target} can't be reached ({}): {reason}", tried(*attempts))]
    Unreachable {
        /// Which model, of which provider, where.
        target: String,
        /// Requests that were made.
        attempts: usize,
        /// What the provider or the network said.
        reason: String,
    },
    /// No answer in time.
    #[error("{target} gave no answer within {seconds} seconds ({})", tried(*attempts))]
    TimedOut {
        /// Which model, of which provider, where.
        target: String,
        /// Requests that were made.
        attempts: usize,
        /// Time that each of them had.
        seconds: u64,
    },
    /// The provider does not want this request.
    #[error("{target} refused the request with status {status}: {reason}")]
    Refused {
        /// Which model, of which provider, where.
        target: String,
        /// The HTTP status.
        status: u16,
        /// What the provider said.
        reason: String,
    },
    /// There is an answer, but no text in it that can be used.
    #[error("the answer of {target} can't be used: {reason}")]
    Unreadable {
        /// Which model, of which provider, where.
        target: String,
        /// What is wrong with it, and what may help.
        reason: String,
    },
    /// The user wants no more of it.
    #[error("the model is not asked any more: {used} {what}, and `model.{setting}` in config.toml is {most}")]
    LimitReached {
        setting: &'static str,
        most: u64,
        used: u64,
        /// Of what, and since when.
        what: &'static str,
    },
    /// What it is used for can't be counted, so it is not used.
    #[error("the model is not asked, because what it is used for can't be counted: {reason}")]
    Uncounted { reason: String },
    /// Nobody waits for the answer any more.
    #[error("the request to the model was cancelled")]
    Cancelled,
}

impl ModelError {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingKey { .. } => "model_key_missing",
            Self::WrongKey { .. } => "model_key_wrong",
            Self::RateLimited { .. } => "model_rate_limited",
            Self::Unreachable { .. } => "model_unreachable",
            Self::TimedOut { .. } => "model_timed_out",
            Self::Refused { .. } => "model_refused",
            Self::Unreadable { .. } => "model_answer_unreadable",
            Self::LimitReached { .. } => "model_limit_reached",
            Self::Uncounted { .. } => "model_uncounted",
            Self::Cancelled => "model_cancelled",
        }
    }
}

impl Hinted for ModelError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::MissingKey { .. } => {
                "set it where the server is started, or name another variable with `model.key_env` in config.toml"
            }
            Self::RateLimited { .. } => "try again later",
            Self::Unreachable { .. } => {
                "see that it runs and that `model.base_url` in config.toml is right, and try again"
            }
            Self::TimedOut { .. } => "raise `model.timeout_seconds` in config.toml, or choose a faster model",
            Self::LimitReached { .. } => "the user can raise it, or 0 takes it away",
            Self::Uncounted { .. } => "try again",
            Self::Refused { .. } => {
                "see that `model.name` and the other settings of `[model]` in config.toml are right"
            }
            // What to do about a key stands beside the word that needs it, and what was wrong with the answer comes with
            // what may help.
            Self::WrongKey { .. } | Self::Unreadable { .. } | Self::Cancelled => return None,
        };
        Some(hint.into())
    }
}

/// The model in the words of an error.
pub(super) fn name_of(settings: &ModelSettings) -> String {
    let ModelSettings { provider, name, base_url, .. } = settings;
    format!("model `{name}` of `{}` at `{base_url}`", provider.as_str())
}

fn tried(attempts: usize) -> String {
    match attempts {
        0 => "nothing was sent".to_owned(),
        1 => "tried once".to_owned(),
        attempts => format!("tried {attempts} times"),
    }
}
