//! `notify`: something for the user to know, kept in the inbox and perhaps sent over a channel.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    action::Action,
    channels::{self, Notification},
    context::{HostContext, deadline, parse},
    function::{Fallible, HostFunction, Perform, as_given, as_said},
    texts::{check_not_empty, check_size, check_word},
};
use crate::{
    config::Channels,
    domain::{ItemKind, Nature, NewItem, inbox::IN_APP},
    runtime::PythonError,
};

const NAME: &str = "notify";
const LEVELS: [&str; 4] = ["info", "success", "warning", "error"];

pub const FUNCTION: HostFunction = HostFunction {
    name: NAME,
    nature: |arguments, config| {
        if stays_here(arguments, &config.channels) { Nature::Repeatable } else { Nature::Once }
    },
    grant: None,
    fallible: Fallible::No,
    shown: as_given,
    said: as_said,
    perform: Perform::Waiting(|arguments, context| Box::pin(call(arguments, context))),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    message: String,
    title: Option<String>,
    channel: Option<String>,
    level: Option<String>,
    timeout: Option<f64>,
}

/// Sends before anything is stored: an item says whether it arrived.
async fn call(arguments: Map<String, Value>, context: &HostContext<'_>) -> Result<Action, PythonError> {
    let Arguments { message, title, channel, level, timeout } = parse(NAME, arguments)?;
    check_not_empty(NAME, "message", &message)?;
    check_size(NAME, [message.as_str(), title.as_deref().unwrap_or_default()])?;
    let level = level.unwrap_or_else(|| "info".to_owned());
    check_word(NAME, "level", &level, &LEVELS)?;
    let channels = &context.config.channels;
    let (channel, undelivered) = match channel.as_deref().or(channels.default_name()).filter(|name| *name != IN_APP) {
        None => (None, None),
        Some(name) => {
            let channel = channels.get(name).ok_or_else(|| unknown_channel(name, channels))?;
            let notification = Notification { message: &message, title: title.as_deref(), level: &level };
            let sent = channels::send(name, channel, &notification, deadline(timeout, context.budget), context).await;
            (Some(name.to_owned()), sent.err())
        }
    };
    let data = Map::from_iter([("level".to_owned(), json!(level))]);
    Ok(Action::File(NewItem { kind: ItemKind::Notification, title, body: message, data, channel, undelivered }))
}

/// Whether a call does nothing but store, so that a crash leaves no doubt whether it took effect.
fn stays_here(arguments: &Map<String, Value>, channels: &Channels) -> bool {
    let channel = arguments.get("channel").and_then(Value::as_str).or(channels.default_name());
    channel.is_none_or(|name| name == IN_APP)
}

fn unknown_channel(name: &str, channels: &Channels) -> PythonError {
    let known: Vec<String> = std::iter::once(IN_APP).chain(channels.names()).map(|name| format!("`{name}`")).collect();
    let name: String = name.chars().take(60).collect();
    let message = format!(
        "notify(): there is no channel `{name}`; there are {}. The user can add one as [channels.{name}] to config.toml",
        known.join(", ")
    );
    PythonError::new("LookupError", message)
}
