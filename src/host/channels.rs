//! Sending notifications over the channels of the configuration.
//!
//! Whatever goes wrong comes back as words for the code and the inbox; the address of a webhook and the arguments of a
//! program are not among them.

use std::time::Duration;

use reqwest::{Client, header, redirect::Policy};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    bounds::{Confines, of_settings},
    context::HostContext,
    program::Program,
    reach::Holder,
};
use crate::config::{Channel, channels::Webhook};

/// A webhook that takes longer is not there.
const WEBHOOK_TIME: Duration = Duration::from_secs(10);
const PROGRAM_TIME: Duration = Duration::from_secs(30);
/// Of what a webhook answers to a message that it does not take.
const ANSWER_CHARS: usize = 200;

/// What is sent.
pub struct Notification<'a> {
    pub message: &'a str,
    pub title: Option<&'a str>,
    pub level: &'a str,
}

/// Sends over the channel of this name, and waits until it is certain that it arrived, until `deadline` at the latest.
pub async fn send(
    name: &str,
    channel: &Channel,
    what: &Notification<'_>,
    deadline: Instant,
    context: &HostContext<'_>,
) -> Result<(), String> {
    match channel {
        Channel::Webhook(webhook) => {
            let since = Instant::now();
            let limit = deadline.min(since + WEBHOOK_TIME);
            tokio::select! {
                sent = post(webhook, what) => sent,
                () = tokio::time::sleep_until(limit) => {
                    Err(format!("no answer within {:.1} s", since.elapsed().as_secs_f64()))
                }
                () = context.budget.cancel.cancelled() => Err("the run was cancelled".to_owned()),
            }
        }
        Channel::Command { command, bounds } => {
            let holder = Holder::Channel(name.to_owned());
            // Without bounds it does what the user may: their own settings name it.
            let confines = bounds.as_ref().map(|wanted| of_settings(holder, wanted));
            run(command, confines, what, deadline, context).await
        }
        Channel::Tool { server, tool, arguments } => {
            let arguments = arguments.as_ref().map_or_else(|| what.fields(), |arguments| what.filled(arguments));
            let (servers, budget) = (&context.config.mcp_servers, context.budget);
            let called = context.downstream.call(servers, server, tool, arguments, deadline, &budget.cancel).await;
            called.map(drop).map_err(|error| error.to_string())
        }
    }
}

/// The user named the address, so private ones are as good as others. It is not followed to another one.
async fn post(webhook: &Webhook, what: &Notification<'_>) -> Result<(), String> {
    let address = webhook.address()?;
    let client = Client::builder()
        .redirect(Policy::none())
        .user_agent(concat!("repertoire/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("requests can't be made: {}", root_cause(&error)))?;
    let body = json!({"text": what.slack_text()}).to_string();
    let request = client.post(address.expose()).header(header::CONTENT_TYPE, "application/json").body(body);
    // Errors of the client name the address.
    let answer = request.send().await;
    let answer = answer.map_err(|error| format!("it can't be reached: {}", root_cause(&error.without_url())))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let said = answer.bytes().await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let said: String = said.trim().chars().filter(|letter| !letter.is_control()).take(ANSWER_CHARS).collect();
    let said = if said.is_empty() { said } else { format!(": {said}") };
    Err(format!("it answered with status {status}{said}"))
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}

async fn run(
    command: &[String],
    confines: Option<Confines>,
    what: &Notification<'_>,
    deadline: Instant,
    context: &HostContext<'_>,
) -> Result<(), String> {
    let input = Value::Object(what.fields()).to_string();
    let program = Program {
        command,
        shown: command.first().map_or("", String::as_str),
        directory: std::env::temp_dir(),
        stdin: Some(&input),
        confines,
    };
    let ended = program.run(deadline.min(Instant::now() + PROGRAM_TIME), &context.budget.cancel).await;
    ended.and_then(|output| output.check(&program)).map_err(|error| error.message)
}

impl Notification<'_> {
    fn fields(&self) -> Map<String, Value> {
        Map::from_iter([
            ("message".to_owned(), json!(self.message)),
            ("title".to_owned(), json!(self.title)),
            ("level".to_owned(), json!(self.level)),
        ])
    }

    /// In Slack's markup three letters have a meaning. What came from outside must not call everybody (`<!channel>`) or
    /// show a link that leads elsewhere.
    fn slack_text(&self) -> String {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let mark = match self.level {
            "info" | "success" => String::new(),
            level => format!("[{level}] "),
        };
        match self.title {
            Some(title) => format!("{mark}*{}*\n{}", escaped(title.trim()), escaped(self.message)),
            None => format!("{mark}{}", escaped(self.message)),
        }
    }

    fn filled(&self, arguments: &Map<String, Value>) -> Map<String, Value> {
        arguments.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect()
    }

    fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill_text(text)),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(fields) => Value::Object(self.filled(fields)),
            other => other.clone(),
        }
    }

    /// In one pass: what is filled in is not looked at again.
    fn fill_text(&self, template: &str) -> String {
        let values =
            [("{message}", self.message), ("{title}", self.title.unwrap_or_default()), ("{level}", self.level)];
        let mut text = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            let (variable, value) = values.into_iter().find(|(name, _)| rest.starts_with(name)).unwrap_or(("{", "{"));
            text.push_str(value);
            rest = &rest[variable.len()..];
        }
        text.push_str(rest);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: Notification<'_> =
        Notification { message: "5 < 6 & {title} <!channel>", title: Some("Sums"), level: "warning" };

    #[test]
    fn slack_gets_no_markup_from_outside() {
        assert_eq!(WHAT.slack_text(), "[warning] *Sums*\n5 &lt; 6 &amp; {title} &lt;!channel&gt;");
        assert_eq!(Notification { title: None, level: "info", message: "Ready" }.slack_text(), "Ready");
    }

    #[test]
    fn variables_are_filled_in_once() {
        let arguments = json!({"channel": "#ops", "n": 1, "parts": ["{level}", {"text": "{title}: {message} {} {x"}]});
        let Value::Object(arguments) = arguments else { panic!("an object") };
        let expected = json!({
            "channel": "#ops", "n": 1,
            "parts": ["warning", {"text": "Sums: 5 < 6 & {title} <!channel> {} {x"}],
        });
        assert_eq!(Value::Object(WHAT.filled(&arguments)), expected);
    }
}
