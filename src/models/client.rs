//! Requests to the provider, repeated while that makes sense.
//!
//! The crate `genai` speaks the protocols; time limits, repeating, cancelling and what is told of failures are ours.

use std::{fmt, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use genai::{
    Client, Headers, ModelIden, ServiceTarget, WebConfig,
    adapter::AdapterKind,
    chat::{ChatMessage, ChatOptions, ChatRequest, ChatResponse, ReasoningEffort, StopReason},
    resolver::{AuthData, Endpoint},
    webc,
};
use reqwest::redirect::Policy;
use tokio_util::sync::CancellationToken;

use super::{
    Completion, Message, ModelError, Role, Usage,
    error::name_of,
    failure::{Failure, clean, message_in, root_cause, wait_of},
};
use crate::config::{ModelSettings, Provider, Secret};

/// Before the second attempt; twice as long before each one after, and up to as much again by chance, so that clients
/// which failed together do not come back together.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that nobody asked for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// A language model that can be asked.
pub struct Model {
    settings: ModelSettings,
    key: Option<Secret>,
    client: Client,
    options: ChatOptions,
}

impl fmt::Debug for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Model").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Model {
    /// The model of the configuration, with the key that the environment has now.
    pub fn new(settings: &ModelSettings) -> Result<Self, ModelError> {
        Self::with_key(settings, settings.key())
    }

    /// The model of the configuration, with this key.
    pub fn with_key(settings: &ModelSettings, key: Option<Secret>) -> Result<Self, ModelError> {
        let target = name_of(settings);
        match (&settings.key_env, &key) {
            (Some(variable), None) => return Err(ModelError::MissingKey { target, variable: variable.clone() }),
            // It goes into a header, and the error for a header that can't be sent would say nothing of the key.
            (_, Some(key)) if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) => {
                let reason = "it has letters that no key has".to_owned();
                return Err(ModelError::WrongKey { target, variable: settings.key_env.clone(), reason });
            }
            _ => {}
        }
        let options = options(settings, key.as_ref());
        let client = client(settings).map_err(|reason| ModelError::Unreachable { target, attempts: 0, reason })?;
        Ok(Self { settings: settings.clone(), key, client, options })
    }

    /// Asks, and asks again after failures that pass: too many requests, failures of the provider, lost connections, and
    /// once after a request that took too long. `on_retry` is told why and how long it waits. Ends at once with
    /// [`ModelError::Cancelled`] when `cancel` does.
    pub async fn complete(
        &self,
        messages: &[Message],
        cancel: &CancellationToken,
        on_retry: impl Fn(&str),
    ) -> Result<Completion, ModelError> {
        let request = &ChatRequest::from_messages(messages.iter().map(chat_message).collect());
        let retries = self.settings.retries;
        let backoff = ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LONGEST_BACKOFF)
            .with_max_times(retries);
        let (mut attempts, mut timeouts, mut repeats) = (0, 0, 0);
        let attempt = || {
            attempts += 1;
            self.attempt(request)
        };
        let asking = attempt
            .retry(backoff)
            .when(|failure| match failure {
                // One more only: whoever waits for a model that hangs waits for two requests, whatever `retries` says.
                Failure::TimedOut { .. } => {
                    timeouts += 1;
                    timeouts == 1
                }
                Failure::Final(_) => false,
                Failure::Limited { .. } | Failure::Unreachable { .. } => true,
            })
            .adjust(|failure, delay| delay.map(|delay| failure.wait().unwrap_or(delay)))
            .notify(|failure, delay| {
                repeats += 1;
                let (why, wait) = (failure.note(), delay.as_secs_f32());
                on_retry(&format!("{why}; trying again in {wait:.1} s ({repeats} of {retries})"));
            });
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(ModelError::Cancelled),
            result = asking => result,
        };
        result.map_err(|failure| failure.into_error(name_of(&self.settings), attempts))
    }

    /// The error for answers whose text is of no use to the caller.
    #[must_use]
    pub fn unusable(&self, reason: String) -> ModelError {
        ModelError::Unreadable { target: name_of(&self.settings), reason }
    }

    async fn attempt(&self, request: &ChatRequest) -> Result<Completion, Failure> {
        let answer = self.client.exec_chat(self.target(), request.clone(), Some(&self.options));
        match tokio::time::timeout(self.settings.timeout(), answer).await {
            Ok(Ok(response)) => self.completion(&response),
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => Err(Failure::TimedOut { seconds: self.settings.timeout_seconds }),
        }
    }

    fn target(&self) -> ServiceTarget {
        let ModelSettings { provider, name, base_url, .. } = &self.settings;
        let adapter = match provider {
            Provider::Anthropic => AdapterKind::Anthropic,
            Provider::OpenAi => AdapterKind::OpenAI,
            Provider::Ollama => AdapterKind::Ollama,
            Provider::Gemini => AdapterKind::Gemini,
        };
        let auth = match &self.key {
            Some(key) => AuthData::from_single(key.expose()),
            // The adapter insists on a key. This replaces its headers, and with them the one for it.
            None if *provider == Provider::OpenAi => {
                AuthData::RequestOverride { url: format!("{base_url}chat/completions"), headers: Headers::default() }
            }
            None => AuthData::None,
        };
        ServiceTarget {
            endpoint: Endpoint::from_owned(base_url.as_str()),
            auth,
            model: ModelIden::new(adapter, name.as_str()),
        }
    }

    fn completion(&self, response: &ChatResponse) -> Result<Completion, Failure> {
        if let Some(StopReason::ContentFilter(reason)) = &response.stop_reason {
            return Err(
                self.unreadable(&format!("the model or a filter of its provider declined to answer ({reason})"))
            );
        }
        let truncated = response.stop_reason.as_ref().is_some_and(StopReason::is_max_tokens);
        let text = response.content.texts().concat();
        if text.trim().is_empty() {
            return Err(self.unreadable(if truncated {
                "all of `model.max_output_tokens` in config.toml went into reasoning; raise it"
            } else {
                "it has no text; try again, or choose another model"
            }));
        }
        let count = |tokens: Option<i32>| tokens.and_then(|tokens| u64::try_from(tokens).ok());
        let reasoning = response.usage.completion_tokens_details.as_ref().and_then(|details| details.reasoning_tokens);
        let usage = Usage {
            input_tokens: count(response.usage.prompt_tokens).unwrap_or_default(),
            // Gemini counts reasoning apart, also when nothing else was written.
            output_tokens: count(response.usage.completion_tokens.or(reasoning)).unwrap_or_default(),
        };
        Ok(Completion { text, truncated, usage })
    }

    /// What an error of the crate means. Its own texts have whole bodies and requests in them, so none is passed on as
    /// it is.
    fn failure(&self, error: &genai::Error) -> Failure {
        let header = |name: &str| error.headers().and_then(|headers| headers.get(name)).and_then(|it| it.to_str().ok());
        let wait = header("retry-after").and_then(wait_of);
        let genai::Error::WebModelCall { webc_error, .. } = error else {
            return self.unreadable(&match error {
                genai::Error::ChatResponseGeneration { cause, .. } => format!("it is not what was expected: {cause}"),
                other => format!("it could not be asked for: {other}"),
            });
        };
        match webc_error {
            webc::Error::ResponseFailedStatus { status, body, .. } => match status.as_u16() {
                status @ 300..=399 => {
                    let to = header("location").unwrap_or("an address that it does not name");
                    self.refused(status, &format!("it redirects to {to}; if that is right, make it `model.base_url`"))
                }
                status => self.refusal(status, body, wait),
            },
            webc::Error::ResponseFailedNotJson { content_type, body } => {
                let kind = if body.trim_start().starts_with('<') { "a web page" } else { "something" };
                self.unreadable(&format!(
                    "it is {kind} of type `{content_type}` instead of JSON; see that `model.base_url` in config.toml is \
                     right"
                ))
            }
            webc::Error::ResponseFailedInvalidJson { cause, .. } => self.unreadable(&format!(
                "it is not valid JSON ({cause}); see that `model.base_url` in config.toml is right"
            )),
            webc::Error::JsonValueExt(cause) => self.unreadable(&format!("it is not what was expected: {cause}")),
            webc::Error::Reqwest(cause) => {
                let reason = clean(&root_cause(cause), self.key.as_ref());
                if cause.is_builder() {
                    let target = name_of(&self.settings);
                    return Failure::Final(ModelError::Unreachable { target, attempts: 0, reason });
                }
                Failure::Unreachable { reason, wait }
            }
        }
    }

    /// What an answer with a status of failure means.
    fn refusal(&self, status: u16, body: &str, wait: Option<Duration>) -> Failure {
        let message = clean(&message_in(body), self.key.as_ref());
        // Gemini calls a wrong key a bad request.
        let is_about_key = matches!(status, 401 | 403) || (status == 400 && body.contains("API_KEY_INVALID"));
        match status {
            _ if is_about_key => Failure::Final(ModelError::WrongKey {
                target: name_of(&self.settings),
                variable: self.key.as_ref().and(self.settings.key_env.clone()),
                reason: format!("status {status}, {message}"),
            }),
            429 => Failure::Limited { reason: message, wait },
            408 | 500.. => Failure::Unreachable { reason: format!("status {status}, {message}"), wait },
            _ => self.refused(status, &message),
        }
    }

    fn refused(&self, status: u16, reason: &str) -> Failure {
        let reason = clean(reason, self.key.as_ref());
        Failure::Final(ModelError::Refused { target: name_of(&self.settings), status, reason })
    }

    fn unreadable(&self, reason: &str) -> Failure {
        let reason = clean(reason, self.key.as_ref());
        Failure::Final(ModelError::Unreadable { target: name_of(&self.settings), reason })
    }
}

fn chat_message(message: &Message) -> ChatMessage {
    let text = message.text.as_str();
    match message.role {
        Role::System => ChatMessage::system(text),
        Role::User => ChatMessage::user(text),
        Role::Assistant => ChatMessage::assistant(text),
    }
}

fn options(settings: &ModelSettings, key: Option<&Secret>) -> ChatOptions {
    let mut options = ChatOptions::default()
        .with_max_tokens(settings.max_output_tokens)
        // Local models often have their reasoning in the text, between `<think>` and `</think>`.
        .with_normalize_reasoning_content(true);
    if let Some(temperature) = settings.temperature {
        options = options.with_temperature(temperature);
    }
    // A name that ends in `-high`, `-max` or the like would be cut there and its end taken for an effort, unless one is
    // given. These are the ones that the adapters make nothing of.
    if ReasoningEffort::from_model_name(&settings.name).0.is_some() {
        let effort = match settings.provider {
            Provider::OpenAi => Some(ReasoningEffort::Budget(0)),
            Provider::Anthropic | Provider::Gemini => Some(ReasoningEffort::Zero),
            Provider::Ollama => None,
        };
        options.reasoning_effort = effort;
    }
    // The adapter of Ollama sends no key, but what stands in front of it may want one.
    if let (Provider::Ollama, Some(key)) = (settings.provider, key) {
        options = options.with_extra_headers(("authorization", format!("Bearer {}", key.expose())));
    }
    options
}

fn client(settings: &ModelSettings) -> Result<Client, String> {
    // A redirect would take the key along, to wherever it leads.
    let mut http = WebConfig::default().apply_to_builder(reqwest::Client::builder()).redirect(Policy::none());
    if settings.is_local() {
        // A proxy from the environment would look for the model on its own machine.
        http = http.no_proxy();
    }
    let http = http.build().map_err(|error| root_cause(&error))?;
    Client::builder().with_reqwest(http).build().map_err(|error| error.to_string())
}
