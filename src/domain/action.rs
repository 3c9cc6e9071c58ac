//! Typed actions: the steps of workflows, with an identity, a gate and a policy for failures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{seconds, skill, wait};

/// A step of a workflow: a typed action with an identity, a gate and a policy for failures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct ActionStep {
    /// An identifier; texts of later steps refer to what the step gave as `{{<step_id>_output}}`.
    pub step_id: String,
    /// What is done.
    pub action_type: ActionType,
    /// The details, by [`ActionType`]. Other entries are passed on as they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, Value>,
    /// Inputs of the action by name: texts that may refer to parameters and to what earlier steps gave.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub input_mapping: BTreeMap<String, String>,
    /// Whether a person is asked first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub requires_approval: bool,
    /// How long the action may take.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "seconds::optional")]
    pub timeout_seconds: Option<u32>,
    /// What a failure does to the run.
    #[serde(default, skip_serializing_if = "OnFailure::is_stop")]
    pub on_failure: OnFailure,
    /// Steps that run before this one, by `step_id`. Steps that depend on others, and those with a `step_id` among them,
    /// run at the same time as soon as what they depend on is done; without any `depends_on` the list is the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// What the action is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl ActionStep {
    /// The text in `config` under the first of `keys` that has one.
    #[must_use]
    pub fn text(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().filter_map(|key| self.config.get(*key)?.as_str()).find(|text| !text.trim().is_empty())
    }

    /// The inputs of the action: those of the step, and those that its configuration has under the same name.
    #[must_use]
    pub fn inputs(&self) -> BTreeMap<String, Value> {
        let configured = keys::INPUTS.iter().filter_map(|key| self.config.get(*key)?.as_object()).flatten();
        let mut inputs: BTreeMap<String, Value> =
            configured.map(|(name, value)| (name.clone(), value.clone())).collect();
        inputs.extend(self.input_mapping.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))));
        inputs
    }

    /// The entries of `config` that are under none of `known`.
    #[must_use]
    pub fn others(&self, known: &[&[&str]]) -> BTreeMap<String, Value> {
        let is_known = |key: &str| known.iter().copied().flatten().any(|known| *known == key);
        self.config.iter().filter(|(key, _)| !is_known(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The procedure that it calls, or the tool, as `server/tool`.
    #[must_use]
    pub fn skill(&self) -> Option<&str> {
        match self.action_type {
            ActionType::RunSkill => self.text(keys::SKILL),
            ActionType::DraftEmail => self.text(keys::BODY_SKILL),
            ActionType::SendNotification | ActionType::CreateTask | ActionType::Wait => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let one_of: &[&[&str]] = match self.action_type {
            ActionType::Wait => return wait::check(&self.config),
            ActionType::RunSkill => &[keys::SKILL],
            ActionType::SendNotification => &[keys::MESSAGE],
            ActionType::CreateTask => &[keys::TITLE],
            ActionType::DraftEmail => &[keys::SUBJECT, keys::BODY, keys::BODY_SKILL],
        };
        if one_of.iter().all(|keys| self.text(keys).is_none()) {
            let names: Vec<&str> = one_of.iter().filter_map(|keys| keys.first().copied()).collect();
            return Err(format!("`config` needs `{}`", names.join("` or `")));
        }
        self.skill().map_or(Ok(()), skill::check)?;
        // Whatever stood in an e-mail beside these would be lost, or be read by whoever gets it.
        if self.action_type == ActionType::DraftEmail && self.skill().is_none() {
            let known = [
                keys::INPUTS,
                keys::TO,
                keys::SUBJECT,
                keys::BODY,
                keys::BODY_SKILL,
                keys::CC,
                keys::BCC,
                keys::ATTACHMENTS,
            ];
            if let Some(key) = self.others(&known).into_keys().next() {
                return Err(format!(
                    "`config` has `{key}`, which is no part of an email; take it out or use `body_skill`"
                ));
            }
        }
        Ok(())
    }
}

/// Keys of `config`, each with the words that people use for it too.
pub mod keys {
    /// The procedure or tool that is called.
    pub const SKILL: &[&str] = &["skill_id", "skill"];
    /// Where a notification goes.
    pub const CHANNEL: &[&str] = &["channel"];
    /// The text of a notification.
    pub const MESSAGE: &[&str] = &["message_template", "message"];
    /// What stands above the text of a notification.
    pub const HEADING: &[&str] = &["title"];
    /// How much a notification matters.
    pub const LEVEL: &[&str] = &["level"];
    /// The title of a task.
    pub const TITLE: &[&str] = &["task_title", "title"];
    /// What a task is about.
    pub const DESCRIPTION: &[&str] = &["task_description", "description"];
    /// Who does a task.
    pub const ASSIGNEE: &[&str] = &["assignee", "assignees", "assigned_to"];
    /// When a task has to be done.
    pub const DUE: &[&str] = &["due", "due_date"];
    /// How much a task matters.
    pub const PRIORITY: &[&str] = &["priority"];
    /// Who gets an email.
    pub const TO: &[&str] = &["to_mapping", "to"];
    /// Who gets a copy of an email.
    pub const CC: &[&str] = &["cc"];
    /// Who gets a copy of an email without being named in it.
    pub const BCC: &[&str] = &["bcc"];
    /// What is attached to an email.
    pub const ATTACHMENTS: &[&str] = &["attachments"];
    /// The subject of an email.
    pub const SUBJECT: &[&str] = &["subject_template", "subject"];
    /// The text of an email.
    pub const BODY: &[&str] = &["body_template", "body"];
    /// The procedure or tool that writes the text of an email.
    pub const BODY_SKILL: &[&str] = &["body_skill"];
    /// Inputs by name, like the field `input_mapping` of the step.
    pub const INPUTS: &[&str] = &["input_mapping"];
}

/// What an [`ActionStep`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ActionType {
    /// Calls `skill_id`, a procedure or `server/tool`; the rest of the configuration and `input_mapping` are its
    /// arguments.
    RunSkill,
    /// Sends `message_template` over `channel`, or shows it to the user.
    SendNotification,
    /// Creates a task with `task_title` and `task_description`.
    CreateTask,
    /// Drafts an email: `to_mapping`, `subject_template`, and `body_template` or what `body_skill` gives.
    DraftEmail,
    /// Waits for `duration_hours` (`_seconds`, `_minutes`, `_days`), or `until` a time in `timezone`.
    Wait,
}

/// What the failure of an [`ActionStep`] does to the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnFailure {
    /// The run fails.
    #[default]
    Stop,
    /// The run goes on without the step.
    Skip,
    /// The step is tried up to three times, then the run fails.
    Retry,
}

impl OnFailure {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(super) fn is_stop(&self) -> bool {
        *self == Self::Stop
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(action_type: &str, config: &Value) -> Option<String> {
        let step = json!({"step_id": "a", "action_type": action_type, "config": config});
        serde_json::from_value::<ActionStep>(step).unwrap().check().err()
    }

    #[test]
    fn an_action_without_what_it_is_about_is_refused() {
        for (action_type, wanted) in [
            ("run_skill", "skill_id"),
            ("send_notification", "message_template"),
            ("create_task", "task_title"),
            ("draft_email", "body_skill"),
        ] {
            let problem = problem(action_type, &json!({"priority": "high"})).unwrap();
            assert!(problem.contains(wanted), "{problem}");
        }
        assert_eq!(problem("run_skill", &json!({"skill_id": "morning-briefing"})), None);
        assert_eq!(problem("create_task", &json!({"title": "Call back"})), None);
        assert_eq!(problem("draft_email", &json!({"body_skill": "email-composer"})), None);
        assert!(problem("draft_email", &json!({"body_skill": "42"})).unwrap().contains("has no letter"));
        assert_eq!(problem("run_skill", &json!({"skill": "tracker/create_issue"})), None);
        assert!(problem("run_skill", &json!({"skill": "tracker/"})).unwrap().contains("write `server/tool`"));
        let toned = json!({"body": "Hello", "tone": "friendly"});
        assert!(problem("draft_email", &toned).unwrap().contains("`tone`, which is no part of an email"));
    }

    #[test]
    fn inputs_come_from_the_step_and_its_configuration() {
        let step: ActionStep = serde_json::from_value(json!({
            "step_id": "a", "action_type": "run_skill", "input_mapping": {"date": "{{day}}"},
            "config": {"skill_id": "brief", "template": "short", "input_mapping": {"date": "x", "limit": 3}},
        }))
        .unwrap();
        assert_eq!(step.inputs(), BTreeMap::from([("date".into(), json!("{{day}}")), ("limit".into(), json!(3))]));
        assert_eq!(step.others(&[keys::SKILL, keys::INPUTS]), BTreeMap::from([("template".into(), json!("short"))]));
    }
}
