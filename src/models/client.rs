//! Requests to the provider, repeated while that makes sense.
//!
//! What requests and answers look like is said in [`super::protocol`]; time limits, sizes, repeating, cancelling and what is
//! told of failures are here.

use std::{fmt, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use reqwest::{
    Response,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
    redirect::Policy,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    Completion, Message, Meter, ModelError, Usage,
    error::name_of,
    failure::{Failure, clean, message_in, root_cause, wait_of},
    protocol::{self, Answer, Request, Stop},
};
use crate::config::{ModelSettings, Secret};

/// Before the second attempt; twice as long before each one after, and up to as much again by chance, so that clients
/// which failed together do not come back together.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that nobody asked for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// How long it may take until there is a connection.
const CONNECT: Duration = Duration::from_secs(30);

/// What an answer may have, unpacked, beside what the model may write.
const ANSWER_BYTES: usize = 1024 * 1024;
/// What a token may take of it: few have more than eight letters, and none takes more than twelve bytes as JSON.
const BYTES_PER_TOKEN: usize = 16;
/// What is read of an answer with a status of failure.
const FAILURE_BYTES: usize = 64 * 1024;

/// A language model that can be asked.
pub struct Model {
    settings: ModelSettings,
    key: Option<Secret>,
    client: reqwest::Client,
    meter: Option<Arc<dyn Meter>>,
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
        let client = client(settings).map_err(|reason| ModelError::Unreachable { target, attempts: 0, reason })?;
        Ok(Self { settings: settings.clone(), key, client, meter: None })
    }

    /// The same, with what counts its requests.
    #[must_use]
    pub fn metered(self, meter: Arc<dyn Meter>) -> Self {
        Self { meter: Some(meter), ..self }
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
        if let Some(meter) = &self.meter {
            meter.begin(&self.settings).await?;
        }
        let request = &protocol::request(&self.settings, self.key.as_ref(), messages);
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
            () = cancel.cancelled() => Err(ModelError::Cancelled),
            result = asking => result.map_err(|failure| failure.into_error(name_of(&self.settings), attempts)),
        };
        if let Some(meter) = &self.meter {
            meter.end(&self.settings, result.as_ref().map_or_else(|_| Usage::default(), |it| it.usage)).await;
        }
        result
    }

    /// The error for answers whose text is of no use to the caller.
    #[must_use]
    pub fn unusable(&self, reason: String) -> ModelError {
        ModelError::Unreadable { target: name_of(&self.settings), reason }
    }

    async fn attempt(&self, request: &Request) -> Result<Completion, Failure> {
        match tokio::time::timeout(self.settings.timeout(), self.ask(request)).await {
            Ok(result) => self.completion(result?),
            Err(_) => Err(Failure::TimedOut { seconds: self.settings.timeout_seconds }),
        }
    }

    async fn ask(&self, request: &Request) -> Result<Answer, Failure> {
        let mut sending = self.client.post(&request.url).json(&request.body);
        for (name, value) in &request.headers {
            sending = sending.header(*name, value);
        }
        let mut response = sending.send().await.map_err(|error| self.not_sent(&error))?;
        let status = response.status();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let content_type = header(CONTENT_TYPE).unwrap_or_default().to_owned();
        if status.is_success() {
            let body = self.body(&mut response, self.most_bytes()).await?;
            return self.answer(&body, &content_type);
        }
        let wait = header(RETRY_AFTER).and_then(wait_of);
        if status.is_redirection() {
            let to = header(LOCATION).unwrap_or("an address that it does not name");
            let reason = format!("it redirects to {to}; if that is right, make it `model.base_url`");
            return Err(self.refused(status.as_u16(), &reason));
        }
        // The status says enough where the rest can't be had.
        let body = self.body(&mut response, FAILURE_BYTES).await.unwrap_or_default();
        Err(self.refusal(status.as_u16(), &String::from_utf8_lossy(&body), wait))
    }

    /// The most bytes that an answer has when the model keeps to its limit.
    const fn most_bytes(&self) -> usize {
        ANSWER_BYTES + BYTES_PER_TOKEN * self.settings.max_output_tokens as usize
    }

    /// The body, which may come packed, if it is no longer than that.
    async fn body(&self, response: &mut Response, most: usize) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.not_sent(&error))? {
            if body.len() + chunk.len() > most {
                return Err(self.unreadable(&format!(
                    "it is longer than {most} bytes, which is more than `model.max_output_tokens` can take; see that \
                     `model.base_url` in config.toml leads to a model"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn answer(&self, body: &[u8], content_type: &str) -> Result<Answer, Failure> {
        let is_right = "see that `model.base_url` in config.toml is right";
        if !content_type.starts_with("application/json") {
            let kind = if body.trim_ascii_start().starts_with(b"<") { "a web page" } else { "something" };
            return Err(self.unreadable(&format!("it is {kind} of type `{content_type}` instead of JSON; {is_right}")));
        }
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| self.unreadable(&format!("it is not valid JSON ({error}); {is_right}")))?;
        protocol::answer(self.settings.provider, &value).ok_or_else(|| {
            let said = value.get("error").map(|_| format!(": {}", message_in(&String::from_utf8_lossy(body))));
            let said = said.unwrap_or_default();
            self.unreadable(&format!("it has not the form that the protocol of the provider has{said}; {is_right}"))
        })
    }

    fn completion(&self, answer: Answer) -> Result<Completion, Failure> {
        let Answer { text, stop, usage } = answer;
        if let Stop::Declined(reason) = &stop {
            return Err(
                self.unreadable(&format!("the model or a filter of its provider declined to answer ({reason})"))
            );
        }
        let truncated = stop == Stop::Cut;
        if text.trim().is_empty() {
            return Err(self.unreadable(if truncated {
                "all of `model.max_output_tokens` in config.toml went into reasoning; raise it"
            } else {
                "it has no text; try again, or choose another model"
            }));
        }
        Ok(Completion { text, truncated, usage })
    }

    /// What it means that a request did not get through, or its answer broke off.
    fn not_sent(&self, error: &reqwest::Error) -> Failure {
        let reason = clean(&root_cause(error), self.key.as_ref());
        if error.is_builder() {
            let target = name_of(&self.settings);
            return Failure::Final(ModelError::Unreachable { target, attempts: 0, reason });
        }
        Failure::Unreachable { reason, wait: None }
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

fn client(settings: &ModelSettings) -> Result<reqwest::Client, String> {
    let version = concat!("repertoire/", env!("CARGO_PKG_VERSION"));
    // A redirect would take the key along, to wherever it leads.
    let mut http = reqwest::Client::builder().user_agent(version).connect_timeout(CONNECT).redirect(Policy::none());
    if settings.is_local() {
        // A proxy from the environment would look for the model on its own machine.
        http = http.no_proxy();
    }
    http.build().map_err(|error| root_cause(&error))
}
