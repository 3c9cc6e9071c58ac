//! `repertoire hook`
//!
//! A hook must never be in the way: it has 50 milliseconds, and whatever goes wrong, the client goes on as if there were none.

mod clients;

use std::{
    fmt::Write as _,
    io::Read as _,
    process::ExitCode,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{context::Context, error::CliError};
use crate::{
    config::{Config, Start},
    domain::visible_line,
    library::{Heard, Library, Overheard, RecallFilter, Starters},
};
use clients::{Client, Event, Happening};

/// How long a client waits at most; starting and ending the program takes the rest of 50 milliseconds.
const PATIENCE: Duration = Duration::from_millis(40);
/// Longer inputs are not read.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Procedures that are told of.
const MOST: usize = 3;
/// What is told unasked has to be likelier to be meant than what was asked for; of several that are about equally likely, all are
/// told, where one of them is likely enough.
const LIKELY: f64 = 0.8;
/// A procedure that is less likely than this share of the likeliest is not told of.
const AS_LIKELY: f64 = 0.3;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Whose hook it is.
    client: Client,
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
    let input: Value = serde_json::from_str(&text).ok()?;
    let event = client.read(&input)?;
    let config = Config::load(start).ok()?;
    let overheard = Overheard::at(&config.stores(), &config.user);
    match &event.happening {
        Happening::Prompt(prompt) => {
            let _ = overheard.add(&event.session, Heard::Prompt(prompt.clone()));
            client.takes_context().then_some((event, config))
        }
        Happening::Call(call) => {
            let _ = overheard.add(&event.session, Heard::Call(call.clone()));
            None
        }
        Happening::End => overheard.end(&event.session).ok().map(|()| (event, config)),
    }
}

/// What a client is told; nothing where there is nothing to say, or something is wrong.
fn answer_to(event: &Event, config: Config, starters: Starters) -> Option<Value> {
    let library = Library::open(config, starters).ok()?;
    if let Happening::Prompt(prompt) = &event.happening {
        return known_for(&library, prompt).map(|context| event.answer(&context));
    }
    // What is not done in time is done by the next to come by.
    let _ = library.learn_from_sessions();
    None
}

/// What is known for a prompt, where it is likely to be what is meant.
fn known_for(library: &Library, prompt: &str) -> Option<String> {
    let found = library.recall(prompt, MOST, &RecallFilter::default()).ok()?;
    let likely: f64 = found.iter().map(|found| found.score).sum();
    let best = found.first().map_or(0.0, |found| found.score);
    if likely < LIKELY {
        return None;
    }
    let mut text = String::new();
    for found in found.iter().filter(|found| found.score >= AS_LIKELY * best) {
        let definition = &found.procedure.definition;
        let parameters: Vec<&str> = definition.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let _ = write!(text, "\n- `{}`: {}", definition.name, visible_line(&definition.description));
        if !parameters.is_empty() {
            let _ = write!(text, " Parameters: {}.", parameters.join(", "));
        }
    }
    Some(format!(
        "Repertoire has procedures for this; use execute_procedure, or get_procedure to read one, instead of working it out \
         again:{text}"
    ))
}
