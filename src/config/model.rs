//! The `[model]` section: which language model writes code, how it is reached, and where its key is.
//!
//! The file never has a key. `key_env` names an environment variable, and [`ModelSettings::key`] reads it when a request
//! is made, into a [`Secret`] that nothing prints. Asking the model is the work of [`crate::models`].

use std::{fmt, net::IpAddr, time::Duration};

use serde::Deserialize;
use toml::{Table, Value};

/// Who answers, and in which protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Anthropic's Messages.
    Anthropic,
    /// `OpenAI`'s chat completions, which llama.cpp, vLLM, LM Studio and many others speak as well.
    OpenAi,
    /// Ollama's own protocol.
    Ollama,
    /// Google's Gemini.
    Gemini,
}

impl Provider {
    /// Its name in `config.toml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Ollama => "ollama",
            Self::Gemini => "gemini",
        }
    }

    const fn default_base_url(self) -> &'static str {
        match self {
            Self::Anthropic => "https://api.anthropic.com/v1/",
            Self::OpenAi => "https://api.openai.com/v1/",
            Self::Ollama => "http://localhost:11434/",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta/",
        }
    }

    const fn default_key_env(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::OpenAi => Some("OPENAI_API_KEY"),
            Self::Ollama => None,
            Self::Gemini => Some("GEMINI_API_KEY"),
        }
    }

    /// The version that begins its paths.
    const fn path_version(self) -> Option<&'static str> {
        match self {
            Self::Anthropic | Self::OpenAi => Some("v1"),
            Self::Ollama => None,
            Self::Gemini => Some("v1beta"),
        }
    }

    /// What people paste after the base when they copy the address of a request.
    const fn endpoint(self) -> &'static [&'static str] {
        match self {
            Self::Anthropic => &["messages"],
            Self::OpenAi => &["chat", "completions"],
            Self::Ollama => &["api", "chat"],
            Self::Gemini => &["models"],
        }
    }

    /// The highest temperature that it takes.
    const fn hottest(self) -> f64 {
        if matches!(self, Self::Anthropic) { 1.0 } else { 2.0 }
    }
}

/// The language model that writes code.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSettings {
    /// Who answers.
    pub provider: Provider,
    /// The provider's name of the model.
    pub name: String,
    /// Where paths of requests are appended; ends with a slash.
    pub base_url: String,
    /// The environment variable that must have the key; `None` when no key is sent.
    pub key_env: Option<String>,
    /// Seconds that one request may take.
    pub timeout_seconds: u64,
    /// How often a request that failed is repeated.
    pub retries: usize,
    /// The most that the model may write in one answer.
    pub max_output_tokens: u32,
    /// How often a run, with all that it calls, may ask; 0 sets no limit, as below.
    pub calls_per_run: u64,
    /// Tokens that a run may read and write: past them it asks no more.
    pub tokens_per_run: u64,
    /// The same for all that a home asks on one day, by UTC.
    pub calls_per_day: u64,
    /// Tokens of that day.
    pub tokens_per_day: u64,
    /// How freely it chooses words; the provider's default when `None`.
    pub temperature: Option<f64>,
    /// US dollars for a million tokens that the model reads; given together with the output's, or not at all.
    pub input_cost_per_million: Option<f64>,
    /// US dollars for a million tokens that the model writes.
    pub output_cost_per_million: Option<f64>,
    /// Whether the steps are compiled instead when the model can't be reached.
    pub fallback: bool,
}

impl ModelSettings {
    /// Time that one request may take.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// Whether the model is served by this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let authority = self.base_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = authority.split('/').next().and_then(host_of).unwrap_or_default().to_ascii_lowercase();
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified())
    }

    /// The key as the environment has it now; `None` when no variable is named or the variable has nothing.
    #[must_use]
    pub fn key(&self) -> Option<Secret> {
        let value = std::env::var_os(self.key_env.as_ref()?)?.into_string().ok()?;
        Secret::new(&value)
    }

    /// Reads the section; `None` when it names no model.
    ///
    /// It comes as a table because the parser's own messages quote the line: with a key in the wrong place, they would
    /// print it.
    pub(super) fn parse(section: Table) -> Result<Option<Self>, String> {
        if let Some(field) = section.keys().find(|field| ["api_key", "key", "apikey"].contains(&field.as_str())) {
            return Err(format!(
                "`model.{field}` is not a setting: keys come only from the environment. Remove it, put the key into an \
                 environment variable and name that with `model.key_env`"
            ));
        }
        let section: Section = serde_path_to_error::deserialize(Value::Table(section)).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { "model".to_owned() } else { format!("model.{path}") };
            format!("`{field}`: {}", error.into_inner().message())
        })?;
        section.check()
    }
}

/// The section as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Section {
    provider: Option<Provider>,
    name: Option<String>,
    base_url: Option<String>,
    key_env: Option<String>,
    timeout_seconds: u64,
    retries: usize,
    max_output_tokens: u32,
    calls_per_run: u64,
    tokens_per_run: u64,
    calls_per_day: u64,
    tokens_per_day: u64,
    temperature: Option<f64>,
    input_cost_per_million: Option<f64>,
    output_cost_per_million: Option<f64>,
    fallback: bool,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            provider: None,
            name: None,
            base_url: None,
            key_env: None,
            timeout_seconds: 120,
            retries: 3,
            max_output_tokens: 8192,
            calls_per_run: 100,
            tokens_per_run: 1_000_000,
            calls_per_day: 2000,
            tokens_per_day: 10_000_000,
            temperature: None,
            input_cost_per_million: None,
            output_cost_per_million: None,
            fallback: false,
        }
    }
}

impl Section {
    fn check(self) -> Result<Option<ModelSettings>, String> {
        let Some(name) = self.name else { return Ok(None) };
        let provider = self.provider.ok_or(
            "`model.provider` is missing; it is `anthropic`, `openai` (also for llama.cpp, vLLM and LM Studio), `ollama` \
             or `gemini`",
        )?;
        check_name(&name)?;
        check_number("timeout_seconds", self.timeout_seconds, 1, 3600)?;
        check_number("retries", self.retries as u64, 0, 10)?;
        check_number("max_output_tokens", u64::from(self.max_output_tokens), 1, 1_000_000)?;
        if let Some(temperature) = self.temperature.filter(|value| !(0.0..=provider.hottest()).contains(value)) {
            let (provider, hottest) = (provider.as_str(), provider.hottest());
            return Err(format!("`model.temperature` is {temperature}; with `{provider}` it is from 0 to {hottest}"));
        }
        check_costs(self.input_cost_per_million, self.output_cost_per_million)?;
        let base_url = match &self.base_url {
            None => provider.default_base_url().to_owned(),
            Some(given) => normal_base_url(provider, given)?,
        };
        // A key is for the one who gave it out: `OPENAI_API_KEY` is not sent to whoever else speaks the protocol.
        let is_somebody_else = provider == Provider::OpenAi && base_url != provider.default_base_url();
        let key_env = match self.key_env {
            Some(variable) => Some(check_key_env(variable)?),
            None => provider.default_key_env().filter(|_| !is_somebody_else).map(str::to_owned),
        };
        Ok(Some(ModelSettings {
            provider,
            name,
            base_url,
            key_env,
            timeout_seconds: self.timeout_seconds,
            retries: self.retries,
            max_output_tokens: self.max_output_tokens,
            calls_per_run: self.calls_per_run,
            tokens_per_run: self.tokens_per_run,
            calls_per_day: self.calls_per_day,
            tokens_per_day: self.tokens_per_day,
            temperature: self.temperature,
            input_cost_per_million: self.input_cost_per_million,
            output_cost_per_million: self.output_cost_per_million,
            fallback: self.fallback,
        }))
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(format!("`model.name` is `{}`, which names no model", name.escape_debug()));
    }
    Ok(())
}

fn check_number(field: &str, value: u64, least: u64, most: u64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(format!("`model.{field}` is {value}; it is from {least} to {most}"))
}

fn check_costs(input: Option<f64>, output: Option<f64>) -> Result<(), String> {
    for (field, cost) in [("input_cost_per_million", input), ("output_cost_per_million", output)] {
        if let Some(cost) = cost.filter(|cost| !cost.is_finite() || *cost < 0.0) {
            return Err(format!("`model.{field}` is {cost}; it is an amount of US dollars, 0 or more"));
        }
    }
    if input.is_some() != output.is_some() {
        return Err(
            "`model.input_cost_per_million` and `model.output_cost_per_million` go together; give both or none"
                .to_owned(),
        );
    }
    Ok(())
}

/// Takes names in capital letters only. A key that somebody wrote here would have small ones, and is not repeated.
fn check_key_env(variable: String) -> Result<String, String> {
    let is_name = variable.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_')
        && variable.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_');
    if is_name {
        return Ok(variable);
    }
    Err("`model.key_env` must be the name of an environment variable in capital letters, such as ANTHROPIC_API_KEY; the \
         key itself comes only from the environment"
        .to_owned())
}

/// The address that paths are appended to: with the version that the provider's paths begin with, unless the given path
/// has one, and with a slash at the end.
fn normal_base_url(provider: Provider, given: &str) -> Result<String, String> {
    let (scheme, rest) = given.trim().split_once("://").unwrap_or_default();
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err("`model.base_url` must begin with `http://` or `https://`".to_owned());
    }
    // What it has instead may be a password, so it is not repeated.
    if rest.contains(|letter: char| "@?#\\".contains(letter) || letter.is_whitespace()) {
        return Err(
            "`model.base_url` must be scheme, host, port and path, without user, password or query; keys come \
                    only from the environment"
                .to_owned(),
        );
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host_of(authority).is_none() {
        return Err(format!("`model.base_url` is `{}`, which names no host", given.trim()));
    }
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.ends_with(provider.endpoint()) {
        segments.truncate(segments.len() - provider.endpoint().len());
    }
    match provider.path_version() {
        // Some gateways have other versions, or something after it, as in `/v1beta/openai`.
        Some(version) if !segments.iter().any(|segment| is_version(segment)) => segments.push(version),
        Some(_) => {}
        // Ollama's other protocol is under `/v1`, its own under `/api`, which is appended.
        None => segments.retain(|segment| !["v1", "api"].contains(segment)),
    }
    let path: String = segments.iter().map(|segment| format!("{segment}/")).collect();
    Ok(format!("{scheme}://{authority}/{path}"))
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`; `None` when it is none of them.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port_is_valid = port.is_none_or(|port| port.parse::<u16>().is_ok());
    (!host.is_empty() && port_is_valid).then_some(host)
}

/// A key. Nothing prints it, and only who sends it to the provider may look at it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the white space away that files and shells leave at the ends; `None` when nothing is left.
    #[must_use]
    pub fn new(value: &str) -> Option<Self> {
        let value = value.trim();
        (!value.is_empty()).then(|| Self(value.to_owned()))
    }

    /// The key itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
