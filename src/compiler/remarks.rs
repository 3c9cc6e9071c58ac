//! What a definition says and its code does not do, told rather than left out in silence.

use serde_json::Value;

use super::{
    scope::Findings,
    steps::{self, Found},
};
use crate::domain::{
    ActionStep, ActionType, Definition, Step,
    action::keys::{BODY, BODY_SKILL, CHANNEL, DESCRIPTION, HEADING},
    inbox::IN_APP,
};

/// Adds what there is to say of `definition` beside what its texts showed.
pub fn of(definition: &Definition, findings: &Findings) {
    for (index, step) in definition.steps.iter().enumerate() {
        let mut remark = |what: String| findings.remark(format!("step {}: {what}", index + 1));
        match step {
            Step::Sentence(sentence) => {
                if let Found::Doubt(why) = steps::command_in(sentence) {
                    remark(format!("its command is not run but handed to the agent or a person: {why}"));
                }
            }
            Step::Action(action) => of_action(action, &mut remark),
            Step::Command(_) | Step::Tool(_) | Step::Procedure(_) | Step::Wait(_) => {}
        }
    }
    for (field, conditions) in
        [("preconditions", &definition.preconditions), ("postconditions", &definition.postconditions)]
    {
        if !conditions.is_empty() {
            findings.remark(format!(
                "`{field}` are for whoever reads the procedure; the code does not check them. A step that does is a \
                 command, a tool or a procedure that fails"
            ));
        }
    }
}

fn of_action(action: &ActionStep, remark: &mut impl FnMut(String)) {
    if let Some(seconds) = action.timeout_seconds
        && !action.requires_approval
        && let Some(why) = needs_no_limit(action)
    {
        remark(format!("there is nothing that `timeout_seconds` ({seconds}) could limit: {why}"));
    }
    if action.skill().is_some() && action.action_type == ActionType::DraftEmail && action.text(BODY).is_some() {
        remark(format!("`{}` is not used, because `{}` writes the text", BODY[0], BODY_SKILL[0]));
    }
    let texts: &[&[&str]] = match action.action_type {
        ActionType::SendNotification => &[CHANNEL, HEADING],
        ActionType::CreateTask => &[DESCRIPTION],
        // What else is no text is told in another place, or asked for.
        ActionType::RunSkill | ActionType::DraftEmail | ActionType::Wait => &[],
    };
    for key in texts.iter().copied().flatten() {
        if let Some(value) = action.config.get(*key)
            && !matches!(value, Value::String(_) | Value::Null)
        {
            let shown: String = value.to_string().chars().take(60).collect();
            remark(format!("`{key}` in `config` is {shown}, which is no text, and is not used"));
        }
    }
}

/// Why an action needs no limit of time, where that is so.
fn needs_no_limit(action: &ActionStep) -> Option<&'static str> {
    let is_at_once = match action.action_type {
        ActionType::Wait => return Some("a wait takes the time that it says"),
        ActionType::RunSkill => false,
        ActionType::SendNotification => action.text(CHANNEL).is_some_and(|channel| channel == IN_APP),
        ActionType::CreateTask => true,
        ActionType::DraftEmail => action.skill().is_none(),
    };
    is_at_once.then_some("it is done at once")
}
