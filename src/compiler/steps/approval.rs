//! The approval of a typed action: somebody reads what will be done, and agrees, before it is.

use super::{details::Details, place::Place};
use crate::{
    compiler::{scope::Scope, writer::Writer},
    domain::{
        ActionStep, ActionType,
        action::keys::{BODY, BODY_SKILL, CHANNEL, DESCRIPTION, MESSAGE, SKILL, SUBJECT, TITLE, TO},
        inbox::IN_APP,
        skill::is_tool,
    },
};

/// Writes the approval of `step`, if it needs one.
///
/// It stands before the action and its guard: who refuses stops the run, whatever else happens on a failure.
pub(super) fn compile(step: &ActionStep, scope: &Scope<'_>, place: &Place<'_, '_>, out: &mut Writer) {
    if !step.requires_approval {
        return;
    }
    let what = question(step, scope, place.number);
    let timeout = step.timeout_seconds.map(|seconds| format!(", timeout={seconds}")).unwrap_or_default();
    let approve = out.host_call("approve", &format!("{}{timeout}", what.code()));
    if !what.can_fail() {
        out.line(&approve);
        return;
    }
    place.attempt("RuntimeError", &[approve], out, |out| out.line(&place.failure(&step.step_id, "failed")));
}

/// What is done, with all that goes into it.
fn question<'s, 'd>(step: &ActionStep, scope: &'s Scope<'d>, number: usize) -> Details<'s, 'd> {
    let mut question = Details::new(scope);
    let what = match step.action_type {
        ActionType::RunSkill => called(step.skill().unwrap_or_default()),
        ActionType::SendNotification => match step.text(CHANNEL).filter(|channel| *channel != IN_APP) {
            Some(channel) => format!("Send this notification to {channel}"),
            None => "Show this notification to the user".to_owned(),
        },
        ActionType::CreateTask => "Create this task".to_owned(),
        ActionType::DraftEmail => "Draft this email".to_owned(),
    };
    question.fill(&what);
    question.say(&format!(" (step {number}, {})", step.step_id));
    if let Some(description) = &step.description {
        question.say(&format!("\nPurpose: {}", description.trim()));
    }
    let known: &[&[&str]] = match step.action_type {
        ActionType::RunSkill => &[SKILL],
        ActionType::SendNotification => {
            paragraph(&mut question, step.text(MESSAGE));
            &[CHANNEL, MESSAGE]
        }
        ActionType::CreateTask => {
            question.say("\n");
            question.fill(step.text(TITLE).unwrap_or_default());
            paragraph(&mut question, step.text(DESCRIPTION));
            &[TITLE, DESCRIPTION]
        }
        ActionType::DraftEmail => {
            for (name, keys) in [("to", TO), ("subject", SUBJECT)] {
                question.entry(name, keys.iter().find_map(|key| step.config.get(*key)));
            }
            match step.skill() {
                Some(skill) => question.say(&format!("\n{} for the text", called(skill))),
                None => paragraph(&mut question, step.text(BODY)),
            }
            &[TO, SUBJECT, BODY, BODY_SKILL]
        }
    };
    question.others(step, known);
    for (name, input) in step.inputs().iter().filter(|_| step.skill().is_some()) {
        let inputs = scope.of_inputs();
        question.entry_in(&inputs, name, input);
    }
    question
}

fn called(skill: &str) -> String {
    format!("Call the {} `{skill}`", if is_tool(skill) { "tool" } else { "procedure" })
}

fn paragraph(question: &mut Details<'_, '_>, text: Option<&str>) {
    if let Some(text) = text {
        question.say("\n");
        question.fill(text);
    }
}
