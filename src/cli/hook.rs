//! `repertoire hook`
//!
//! A hook must never be in the way: it has 50 milliseconds, and whatever goes wrong, the client goes on as if there were none.

use std::{
    fmt::Write as _,
    io::Read as _,
    process::ExitCode,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{context::Context, error::CliError};
use crate::{
    config::{Config, Start},
    domain::{Definition, learning::telling::likeness, recording::RecordedCall, visible_line},
    library::{Heard, Library, Overheard, RecallFilter, Starters},
};

/// How long a client waits at most; starting and ending the program takes the rest of 50 milliseconds.
const PATIENCE: Duration = Duration::from_millis(40);
/// Longer inputs are not read.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Procedures that are told of.
const MOST: usize = 3;
/// The share of a procedure's telling words that have to be in the prompt, and how many.
const GOOD_SHARE: f64 = 0.5;
const GOOD_WORDS: usize = 2;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Whose hook it is.
    client: Client,
}

/// Clients that have hooks, and say in the same form what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Client {
    ClaudeCode,
    Codex,
}

/// What a client says. What is not known here is left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    hook_event_name: String,
    session_id: String,
    prompt: String,
    tool_name: String,
    tool_input: Value,
    tool_response: Value,
}

#[expect(clippy::unnecessary_wraps, reason = "every command answers so, and this one never fails")]
pub fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, CliError> {
    let started = Instant::now();
    let Some((event, config)) = hear(arguments.client, &context.start) else { return Ok(ExitCode::SUCCESS) };
    let (sender, answer) = mpsc::channel();
    let starters = context.starters;
    // When its time is up the program ends, and what is under way with it.
    let working = thread::Builder::new().name("hook".to_owned()).spawn(move || {
        let _ = sender.send(answer_to(&event, config, starters));
    });
    if working.is_ok()
        && let Ok(Some(answer)) = answer.recv_timeout(PATIENCE.saturating_sub(started.elapsed()))
    {
        context.output.line(answer);
    }
    Ok(ExitCode::SUCCESS)
}

/// Notes what happened, which takes no time; what is left to do, where there is something.
fn hear(client: Client, start: &Start) -> Option<(Event, Config)> {
    let mut text = String::new();
    std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text).ok()?;
    let event: Event = serde_json::from_str(&text).ok()?;
    let config = Config::load(start).ok()?;
    let overheard = Overheard::at(&config.stores(), &config.user);
    match event.hook_event_name.as_str() {
        "UserPromptSubmit" => {
            let _ = overheard.add(&event.session_id, Heard::Prompt(event.prompt.clone()));
            Some((event, config))
        }
        "PostToolUse" | "PostToolUseFailure" => {
            let _ = overheard.add(&event.session_id, Heard::Call(call(&event)));
            None
        }
        // Codex has no event for the end of a session.
        "SessionEnd" => overheard.end(&event.session_id).ok().map(|()| (event, config)),
        "Stop" if client == Client::Codex => overheard.end(&event.session_id).ok().map(|()| (event, config)),
        _ => None,
    }
}

/// What a client is told; nothing where there is nothing to say, or something is wrong.
fn answer_to(event: &Event, config: Config, starters: Starters) -> Option<Value> {
    let library = Library::open(config, starters).ok()?;
    if event.hook_event_name == "UserPromptSubmit" {
        let context = known_for(&library, &event.prompt)?;
        let name = &event.hook_event_name;
        return Some(json!({"hookSpecificOutput": {"hookEventName": name, "additionalContext": context}}));
    }
    // What is not done in time is done by the next to come by.
    let _ = library.learn_from_sessions();
    None
}

fn call(event: &Event) -> RecordedCall {
    let arguments = event.tool_input.as_object().cloned().unwrap_or_default();
    let is_error = event.hook_event_name == "PostToolUseFailure"
        || event.tool_response.get("is_error") == Some(&Value::Bool(true));
    let result = Some(event.tool_response.clone()).filter(|result| !result.is_null());
    RecordedCall { tool: event.tool_name.clone(), arguments: Map::clone(&arguments), result, is_error }
}

/// What is known for a prompt, where it fits well.
fn known_for(library: &Library, prompt: &str) -> Option<String> {
    let found = library.recall(prompt, MOST, &RecallFilter::default()).ok()?;
    let mut text = String::new();
    for found in found.iter().filter(|found| fits(&found.procedure.definition, prompt)) {
        let definition = &found.procedure.definition;
        let parameters: Vec<&str> = definition.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let _ = write!(text, "\n- `{}`: {}", definition.name, visible_line(&definition.description));
        if !parameters.is_empty() {
            let _ = write!(text, " Parameters: {}.", parameters.join(", "));
        }
    }
    (!text.is_empty()).then(|| {
        format!(
            "Repertoire has procedures for this; use execute_procedure, or get_procedure to read one, instead of working it out \
             again:{text}"
        )
    })
}

fn fits(definition: &Definition, prompt: &str) -> bool {
    let name = definition.name.as_str().replace(['_', '-'], " ");
    let description = definition.description.lines().next().unwrap_or_default();
    let is_good = |text: &str| {
        let (share, count) = likeness::share_in(text, prompt);
        share >= GOOD_SHARE && count >= GOOD_WORDS
    };
    is_good(&name) || is_good(description)
}
