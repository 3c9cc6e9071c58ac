//! Typed actions: a skill is called; notifications, tasks and drafts of emails go to the host functions for them.
//!
//! `timeout_seconds` limits the wait for an approval and, by itself, what is called or sent; what is only stored takes no time
//! to speak of.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::DateTime};
use serde_json::Value;

use super::{
    approval,
    details::{Details, plain},
    place::Place,
    procedure, tool, wait,
};
use crate::{
    compiler::{
        scope::{AS_TEXT, Part, Scope},
        text,
        writer::Writer,
    },
    domain::{
        ActionStep, ActionType,
        action::keys::{
            ASSIGNEE, ATTACHMENTS, BCC, BODY, BODY_SKILL, CC, CHANNEL, DESCRIPTION, DUE, HEADING, INPUTS, LEVEL,
            MESSAGE, PRIORITY, SKILL, SUBJECT, TITLE, TO,
        },
        inbox::IN_APP,
        skill::is_tool,
    },
};

const LEVELS: [&str; 4] = ["info", "success", "warning", "error"];
const PRIORITIES: [&str; 4] = ["low", "medium", "high", "urgent"];

/// Writes the statements of a typed action.
pub(super) fn compile(step: &ActionStep, place: &Place<'_, '_>, out: &mut Writer) {
    let action = Action { step, place, scope: place.scope.of_action(step) };
    approval::compile(step, &action.scope, place, out, |out| {
        let mut statements = Vec::new();
        let result = match step.action_type {
            ActionType::RunSkill => action.skill(step.skill().unwrap_or_default(), &[SKILL], out),
            ActionType::SendNotification => action.notify(&mut statements, out),
            ActionType::CreateTask => action.create_task(out),
            ActionType::DraftEmail => action.draft_email(&mut statements, out),
            ActionType::Wait => wait::call(&step.config, &action.scope, place, out),
        };
        statements.push(place.keep(&result));
        place.guard(&step.step_id, &statements, out);
    });
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
        ActionType::Wait => wait::summary(&step.config),
    }
}

/// A typed action whose call is written.
struct Action<'a, 's, 'd> {
    step: &'a ActionStep,
    place: &'a Place<'s, 'd>,
    scope: Scope<'d>,
}

impl Action<'_, '_, '_> {
    /// A call of a procedure or tool with the inputs, and with everything in the configuration that is not `known`.
    fn skill(&self, skill: &str, known: &[&[&str]], out: &mut Writer) -> String {
        let known: Vec<&[&str]> = known.iter().copied().chain([INPUTS]).collect();
        let arguments = self.arguments(&self.step.others(&known));
        if is_tool(skill) {
            tool::call(skill, arguments.as_deref(), self.place, out)
        } else {
            procedure::call(skill, arguments.as_deref(), self.place, out)
        }
    }

    /// The inputs as a dictionary, and what is `configured`, which gives way to them.
    fn arguments(&self, configured: &BTreeMap<String, Value>) -> Option<String> {
        let inputs = self.step.inputs();
        let configured = configured.iter().filter(|(name, _)| !inputs.contains_key(*name));
        let mut entries: Vec<(&String, String)> =
            configured.map(|(name, entry)| (name, text::value(entry, &self.scope))).collect();
        let scope = self.scope.of_inputs();
        entries.extend(inputs.iter().map(|(name, entry)| (name, text::value(entry, &scope))));
        (!entries.is_empty()).then(|| text::pairs(&entries))
    }

    fn notify(&self, before: &mut Vec<String>, out: &mut Writer) -> String {
        let mut message = Details::new(&self.scope);
        message.fill(self.step.text(MESSAGE).unwrap_or_default());
        let mut known = vec![MESSAGE, CHANNEL, HEADING];
        let level = self.word(LEVEL, &LEVELS);
        known.extend(level.as_ref().map(|_| LEVEL));
        message.others(self.step, &known);
        let channel = self.step.text(CHANNEL);
        let mut arguments = message.code();
        add(&mut arguments, "title", self.step.text(HEADING).map(|text| self.text(text)));
        add(&mut arguments, "channel", channel.map(|text| self.text(text)));
        add(&mut arguments, "level", level);
        arguments.push_str(&self.place.limit());
        let call = out.host_call("notify", &arguments);
        if !self.place.is_branch || channel.is_none_or(|channel| channel == IN_APP) {
            return call;
        }
        // What is sent takes time. `Any`, because for the type checker the call gives its result at once.
        let sending = self.scope.own_name("sending");
        before.push(format!("{sending}: Any = {call}"));
        format!("await {sending}")
    }

    fn create_task(&self, out: &mut Writer) -> String {
        let step = self.step;
        let mut known = vec![TITLE, DESCRIPTION, ASSIGNEE];
        let priority = self.word(PRIORITY, &PRIORITIES);
        known.extend(priority.as_ref().map(|_| PRIORITY));
        let due = step.text(DUE).filter(|due| self.may_be_date(due)).map(|due| self.text(due));
        known.extend(due.as_ref().map(|_| DUE));
        let mut description = Details::new(&self.scope);
        description.fill(step.text(DESCRIPTION).unwrap_or_default());
        // What the host function has no argument for, someone who does the task may still need to know.
        description.others(step, &known);
        let mut arguments = self.text(step.text(TITLE).unwrap_or_default());
        add(&mut arguments, "description", (!description.is_empty()).then(|| description.code()));
        let assignee = ASSIGNEE.iter().find_map(|key| step.config.get(*key)).map(|entry| self.text(&plain(entry)));
        add(&mut arguments, "assignee", assignee);
        add(&mut arguments, "due", due);
        add(&mut arguments, "priority", priority);
        out.host_call("create_task", &arguments)
    }

    /// The text is that of the configuration, or what a skill writes; its call is added to `before`. What an email needs
    /// and the configuration lacks is a variable of that name.
    fn draft_email(&self, before: &mut Vec<String>, out: &mut Writer) -> String {
        let step = self.step;
        let people = |keys: &[&str]| {
            let configured = keys.iter().find_map(|key| step.config.get(*key));
            configured.map(|people| text::value(people, &self.scope.of_texts()))
        };
        let to = people(TO).unwrap_or_else(|| {
            let to = text::value(&Value::from("{to}"), &self.scope.of_texts());
            self.scope.describe("to", "Who gets the email: an address, or a list of them.");
            to
        });
        let subject = step
            .text(SUBJECT)
            .map_or_else(|| self.asked("subject", "What stands above the email."), |subject| self.text(subject));
        let body = match step.skill() {
            Some(skill) => {
                let body = self.scope.own_name("body");
                let known = [BODY_SKILL, BODY, TO, SUBJECT, CC, BCC, ATTACHMENTS];
                before.push(format!("{body} = {}", self.skill(skill, &known, out)));
                before.push(format!("if isinstance({body}, dict):"));
                before.push(format!("    {body} = {body}.get(\"body\", {body})"));
                format!("{}({body})", self.scope.own_name(AS_TEXT))
            }
            None => match step.text(BODY) {
                Some(text) => {
                    let mut body = Details::new(&self.scope);
                    body.fill(text);
                    body.code()
                }
                None => self.asked("body", "The text of the email."),
            },
        };
        let mut arguments = format!("{to}, {subject}, {body}");
        add(&mut arguments, "cc", people(CC));
        add(&mut arguments, "bcc", people(BCC));
        add(&mut arguments, "attachments", people(ATTACHMENTS));
        out.host_call("draft_email", &arguments)
    }

    fn text(&self, text: &str) -> String {
        text::expression(text, &self.scope)
    }

    /// A variable for what is not configured.
    fn asked(&self, name: &str, description: &str) -> String {
        let code = self.text(&format!("{{{name}}}"));
        self.scope.describe(name, description);
        code
    }

    /// What is configured under `keys`, if it is one of `words` or a variable.
    fn word(&self, keys: &[&str], words: &[&str]) -> Option<String> {
        let text = self.step.text(keys)?.trim();
        let known = words.iter().find(|word| word.eq_ignore_ascii_case(text));
        let is_variable = matches!(self.scope.parts(text)[..], [Part::Value(_)]);
        known.map(|word| format!("\"{word}\"")).or_else(|| is_variable.then(|| self.text(text)))
    }

    /// Whether a text is a date, or may become one when its variables are filled in.
    fn may_be_date(&self, text: &str) -> bool {
        let parts = self.scope.parts(text.trim());
        let has_variables = parts.iter().any(|part| matches!(part, Part::Value(_)));
        let is_sentence = parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains(' ')));
        text.parse::<DateTime>().is_ok() || text.parse::<Timestamp>().is_ok() || (has_variables && !is_sentence)
    }
}

fn add(arguments: &mut String, name: &str, value: Option<String>) {
    arguments.extend(value.map(|value| format!(", {name}={value}")));
}
