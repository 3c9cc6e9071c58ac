//! The approval of a typed action: somebody reads what will be done, and agrees, before it is.

use super::{
    details::{Details, capitalised},
    place::Place,
    wait,
};
use crate::{
    compiler::{python, scope::Scope, writer::Writer},
    domain::{
        ActionStep, ActionType, OnFailure,
        action::keys::{BODY, BODY_SKILL, CHANNEL, DESCRIPTION, MESSAGE, SKILL, SUBJECT, TITLE, TO},
        inbox::IN_APP,
        skill::is_tool,
    },
};

/// Writes the approval of `step`, if it needs one, and what is done then.
///
/// It stands before the action and its guard: who refuses stops the run, whatever else happens on a failure. Where nobody
/// decides in time, a step that is skipped when it fails is skipped.
pub(super) fn compile(
    step: &ActionStep,
    scope: &Scope<'_>,
    place: &Place<'_, '_>,
    out: &mut Writer,
    action: impl FnOnce(&mut Writer),
) {
    if !step.requires_approval {
        return action(out);
    }
    let what = question(step, scope, place.number);
    let skipped_after = place.timeout.filter(|_| place.on_failure == OnFailure::Skip);
    let optional = if skipped_after.is_some() { ", optional=True" } else { "" };
    let approve = out.host_call("approve", &format!("{}{}{optional}", what.code(), place.limit()));
    let approved = scope.own_name("approved");
    let approve = if skipped_after.is_some() { format!("{approved} = {approve}") } else { approve };
    if what.can_fail() {
        place.attempt("RuntimeError", &[approve], out, |out| out.line(&place.failure(&step.step_id, "failed")));
    } else {
        out.line(&approve);
    }
    let Some(seconds) = skipped_after else { return action(out) };
    out.block(&format!("if {approved} is None:"), |out| {
        let reason =
            format!("step {} ({}) is skipped: nobody decided on it in {seconds} s", place.number, step.step_id);
        place.skip(&python::string(&reason), out);
    });
    out.block("else:", action);
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
        ActionType::Wait => capitalised(&wait::summary(&step.config)),
    };
    question.fill(&what);
    question.say(&format!(" (step {number}, {})", step.step_id));
    if let Some(description) = &step.description {
        question.say(&format!("\nPurpose: {}", description.trim()));
    }
    let known: &[&[&str]] = match step.action_type {
        ActionType::Wait => &[],
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
