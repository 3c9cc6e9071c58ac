//! Typed actions. A skill is a procedure and is called; what the host can't do yet is handed to the agent or a person.
//!
//! `timeout_seconds` has no effect on either: a called procedure has the time of its run, and a person is not timed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Place, procedure};
use crate::{
    compiler::{
        scope::{Expression, Part, Scope, push_text},
        text,
        writer::Writer,
    },
    domain::{
        ActionStep, ActionType,
        action::keys::{BODY, BODY_SKILL, CHANNEL, DESCRIPTION, INPUTS, MESSAGE, SKILL, SUBJECT, TITLE, TO},
    },
};

/// Where a notification goes that names no channel: to the user.
const IN_APP: &str = "in_app";

/// Writes the statements of a typed action.
pub(super) fn compile(step: &ActionStep, place: &Place<'_, '_>, out: &mut Writer) {
    let scope = place.scope.of_action(step);
    gate(step, place, out);
    let mut statements = Vec::new();
    let result = match step.action_type {
        ActionType::RunSkill => run_skill(step, &scope, out),
        ActionType::SendNotification => notify(step, &scope, out),
        ActionType::CreateTask => create_task(step, &scope, out),
        ActionType::DraftEmail => draft_email(step, &scope, &mut statements, out),
    };
    statements.push(place.keep(&result));
    place.guard(&step.step_id, step.on_failure, &statements, out);
}

/// What the action is for, where nobody has said it.
pub(super) fn summary(step: &ActionStep) -> String {
    match step.action_type {
        ActionType::RunSkill => format!("call {}", step.skill().unwrap_or_default()),
        ActionType::SendNotification => match step.text(CHANNEL).filter(|channel| *channel != IN_APP) {
            Some(channel) => format!("send a notification to {channel}"),
            None => "notify the user".to_owned(),
        },
        ActionType::CreateTask => format!("create the task \"{}\"", step.text(TITLE).unwrap_or_default()),
        ActionType::DraftEmail => match step.text(SUBJECT) {
            Some(subject) => format!("draft the email \"{subject}\""),
            None => "draft an email".to_owned(),
        },
    }
}

/// A procedure that is called needs its approval before; what a person does says so itself.
///
/// It stands before the guard: who refuses stops the run, whatever else happens on a failure.
fn gate(step: &ActionStep, place: &Place<'_, '_>, out: &mut Writer) {
    if let Some(skill) = step.skill().filter(|_| step.requires_approval) {
        let mut sentence = Vec::new();
        let number = place.number;
        push_text(
            &mut sentence,
            &format!("Approve that the procedure `{skill}` is called now (step {number}), or reject it."),
        );
        let approval = out.host_call("manual_step", &text::lines(&sentence));
        out.line(&approval);
    }
}

/// The skill's procedure, called with the inputs and whatever else is configured.
fn run_skill(step: &ActionStep, scope: &Scope<'_>, out: &mut Writer) -> String {
    let arguments = arguments(step, &step.others(&[SKILL, INPUTS]), scope);
    procedure::call(step.skill().unwrap_or_default(), arguments.as_deref(), out)
}

fn notify(step: &ActionStep, scope: &Scope<'_>, out: &mut Writer) -> String {
    let mut sentence = Sentence::of(step, scope);
    match step.text(CHANNEL).filter(|channel| *channel != IN_APP) {
        Some(channel) => {
            sentence.say("Send this notification to ");
            sentence.fill(channel);
            sentence.say(":\n");
        }
        None => sentence.say("Show this notification to the user:\n"),
    }
    sentence.fill(step.text(MESSAGE).unwrap_or_default());
    sentence.details(step, &[CHANNEL, MESSAGE]);
    out.host_call("manual_step", &sentence.code())
}

fn create_task(step: &ActionStep, scope: &Scope<'_>, out: &mut Writer) -> String {
    let mut sentence = Sentence::of(step, scope);
    sentence.say("Create this task: ");
    sentence.fill(step.text(TITLE).unwrap_or_default());
    if let Some(description) = step.text(DESCRIPTION) {
        sentence.say("\n");
        sentence.fill(description);
    }
    sentence.details(step, &[TITLE, DESCRIPTION]);
    out.host_call("manual_step", &sentence.code())
}

/// The text is that of the configuration, or what a skill writes; its call is added to `before`.
fn draft_email(step: &ActionStep, scope: &Scope<'_>, before: &mut Vec<String>, out: &mut Writer) -> String {
    let mut sentence = Sentence::of(step, scope);
    sentence.say("Draft this email, but do not send it.");
    sentence.entry("To", TO.iter().find_map(|key| step.config.get(*key)));
    sentence.details(step, &[TO, SUBJECT, BODY, BODY_SKILL]);
    sentence.entry("Subject", SUBJECT.iter().find_map(|key| step.config.get(*key)));
    if let Some(skill) = step.skill() {
        let body = scope.own_name("body");
        let call = procedure::call(skill, arguments(step, &BTreeMap::new(), scope).as_deref(), out);
        before.push(format!("{body} = {call}"));
        sentence.say("\n\n");
        sentence.parts.push(Part::Value(Expression { code: body, is_text: false }));
    } else if let Some(body) = step.text(BODY) {
        sentence.say("\n\n");
        sentence.fill(body);
    }
    out.host_call("manual_step", &sentence.code())
}

/// The arguments of a skill as a dictionary: its inputs, and `configured`, which gives way to them.
fn arguments(step: &ActionStep, configured: &BTreeMap<String, Value>, scope: &Scope<'_>) -> Option<String> {
    let inputs = step.inputs();
    let configured = configured.iter().filter(|(name, _)| !inputs.contains_key(*name));
    let mut entries: Vec<(&String, String)> =
        configured.map(|(name, entry)| (name, text::value(entry, scope))).collect();
    let scope = scope.of_inputs();
    entries.extend(inputs.iter().map(|(name, entry)| (name, text::value(entry, &scope))));
    (!entries.is_empty()).then(|| text::pairs(&entries))
}

/// What somebody is asked to do.
struct Sentence<'s, 'd> {
    scope: &'s Scope<'d>,
    parts: Vec<Part>,
}

impl<'s, 'd> Sentence<'s, 'd> {
    /// A sentence that begins with the approval that the step needs, unless it has a gate, and with what it is for.
    fn of(step: &ActionStep, scope: &'s Scope<'d>) -> Self {
        let mut sentence = Self { scope, parts: Vec::new() };
        if step.requires_approval && step.skill().is_none() {
            sentence.say("This needs the user's approval; reject the step if they refuse.\n");
        }
        if let Some(description) = &step.description {
            sentence.say(&format!("Purpose: {}\n", description.trim()));
        }
        sentence
    }

    /// Adds fixed words.
    fn say(&mut self, words: &str) {
        push_text(&mut self.parts, words);
    }

    /// Adds a text of the configuration with its variables filled in.
    fn fill(&mut self, text: &str) {
        for part in self.scope.parts(text) {
            match part {
                Part::Text(text) => self.say(&text),
                value @ Part::Value(_) => self.parts.push(value),
            }
        }
    }

    /// Adds a line with a name and a value.
    fn entry(&mut self, name: &str, value: Option<&Value>) {
        let Some(value) = value else { return };
        self.say(&format!("\n{name}: "));
        self.fill(&plain(value));
    }

    /// Adds a line for everything that is configured and not among `known`.
    fn details(&mut self, step: &ActionStep, known: &[&[&str]]) {
        let known: Vec<&[&str]> = known.iter().copied().chain([INPUTS]).collect();
        for (key, value) in step.others(&known) {
            self.entry(&capitalised(&key.replace('_', " ")), Some(&value));
        }
    }

    fn code(&self) -> String {
        text::lines(&self.parts)
    }
}

/// A value in words: texts as they are, a list with commas.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
