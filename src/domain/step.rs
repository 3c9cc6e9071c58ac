//! The steps of a procedure: what each kind looks like, the order in which they run, and what must hold of all together.
//!
//! What a step becomes is the compiler's business. What each kind has is in `step_kinds`, typed actions in `action`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde::{Deserialize, Deserializer, Serialize, de, de::DeserializeOwned};
use serde_json::Value;

use super::{
    ActionStep, CommandStep, OnFailure, ProcedureStep, ToolStep, WaitStep, reading, skill::server_and_tool, wait,
};

/// Longest accepted `step_id`, in characters.
const MAX_ID_CHARS: usize = 60;
/// What a step may look like, for those who wrote something else.
const SHAPES: &str = "a step is a sentence, {\"command\": [program, …]}, {\"tool\": \"server/tool\", \"arguments\": {…}}, \
    {\"procedure\": name, \"arguments\": {…}}, {\"action\": \"wait\", \"duration_hours\": 24} or {\"step_id\", \"action_type\", \"config\": {…}}";

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// Plain words. One `back-ticked` command in them is run; without one the step is handed to the agent or a person.
    Sentence(String),
    /// A command that is run without a shell.
    Command(CommandStep),
    /// A tool of another server that is called.
    Tool(ToolStep),
    /// Another procedure that is called.
    Procedure(ProcedureStep),
    /// A wait.
    Wait(WaitStep),
    /// An action of one of the known types.
    Action(ActionStep),
}

impl<'de> Deserialize<'de> for Step {
    /// One key tells which kind is meant, so that an error names what is wrong with that kind.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let has = |key: &str| value.get(key).is_some();
        let step = match &value {
            Value::String(sentence) => Ok(Self::Sentence(sentence.clone())),
            Value::Object(_) if has("command") => read(value).map(Self::Command),
            Value::Object(_) if has("tool") => read(value).map(Self::Tool),
            Value::Object(_) if has("procedure") => read(value).map(Self::Procedure),
            Value::Object(_) if value.get("action").is_some_and(|action| action == "wait") => {
                read(value).map(Self::Wait)
            }
            Value::Object(_) if has("action_type") || has("step_id") => read(value).map(Self::Action),
            Value::Object(fields) => {
                let fields: Vec<&str> = fields.keys().map(String::as_str).take(10).collect();
                Err(format!("{SHAPES}; this one has `{}`", fields.join("`, `")))
            }
            _ => Err(SHAPES.to_owned()),
        };
        step.map_err(de::Error::custom)
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let why = reading::plain(&error.into_inner().to_string());
        // Errors about missing and unknown fields name them already.
        if path == "." || why.contains(&format!("`{path}`")) { why } else { format!("`{path}`: {why}") }
    })
}

impl Step {
    /// Its `step_id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Sentence(_) => None,
            Self::Command(step) => step.step_id.as_deref(),
            Self::Tool(step) => step.step_id.as_deref(),
            Self::Procedure(step) => step.step_id.as_deref(),
            Self::Wait(step) => step.step_id.as_deref(),
            Self::Action(step) => Some(&step.step_id),
        }
    }

    /// The keys of the steps that it says it depends on.
    #[must_use]
    pub fn depends_on(&self) -> &[String] {
        match self {
            Self::Sentence(_) => &[],
            Self::Command(step) => &step.depends_on,
            Self::Tool(step) => &step.depends_on,
            Self::Procedure(step) => &step.depends_on,
            Self::Wait(step) => &step.depends_on,
            Self::Action(step) => &step.depends_on,
        }
    }

    /// How long it may take, in seconds, where it says so.
    #[must_use]
    pub fn timeout_seconds(&self) -> Option<u32> {
        match self {
            Self::Sentence(_) | Self::Wait(_) => None,
            Self::Command(step) => step.timeout_seconds,
            Self::Tool(step) => step.timeout_seconds,
            Self::Procedure(step) => step.timeout_seconds,
            Self::Action(step) => step.timeout_seconds,
        }
    }

    /// What its failure does to the run.
    #[must_use]
    pub fn on_failure(&self) -> OnFailure {
        match self {
            Self::Sentence(_) | Self::Wait(_) => OnFailure::Stop,
            Self::Command(step) => step.on_failure,
            Self::Tool(step) => step.on_failure,
            Self::Procedure(step) => step.on_failure,
            Self::Action(step) => step.on_failure,
        }
    }

    /// What it calls: a procedure, or a tool as `server/tool`.
    #[must_use]
    pub fn skill(&self) -> Option<&str> {
        match self {
            Self::Sentence(_) | Self::Command(_) | Self::Wait(_) => None,
            Self::Tool(step) => Some(&step.tool),
            Self::Procedure(step) => Some(&step.procedure),
            Self::Action(step) => step.skill(),
        }
    }

    /// The key of what the step gives among the results of its procedure: its `step_id`, or `step_` and `number`.
    /// Always an identifier.
    #[must_use]
    pub fn key(&self, number: usize) -> String {
        self.id().filter(|id| check_id(id).is_ok()).map_or_else(|| format!("step_{number}"), str::to_owned)
    }

    /// Its words, for search and comparison.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Sentence(sentence) => sentence.clone(),
            Self::Command(step) => {
                format!("{} {}", step.command.join(" "), step.description.as_deref().unwrap_or_default())
            }
            Self::Procedure(step) => step.procedure.replace(['_', '-'], " "),
            Self::Wait(step) => format!("wait {}", step.description.as_deref().unwrap_or_default()),
            Self::Tool(step) => {
                let mut words = step.tool.replace(['_', '-', '/'], " ");
                add_words(&mut words, step.description.as_deref(), &step.arguments);
                words
            }
            Self::Action(step) => {
                let mut words = step.step_id.replace('_', " ");
                add_words(&mut words, step.description.as_deref(), &step.config);
                words
            }
        }
    }
}

fn add_words(words: &mut String, description: Option<&str>, values: &BTreeMap<String, Value>) {
    let texts = values.values().filter_map(Value::as_str);
    for text in description.into_iter().chain(texts) {
        let _ = write!(words, " {text}");
    }
}

/// The order in which steps run, as indexes: that of the list, but what a step depends on comes before it.
#[must_use]
pub fn order(steps: &[Step]) -> Vec<usize> {
    let indexes = indexes(steps);
    let mut order = Vec::with_capacity(steps.len());
    // A step that waits for others counts as seen, so a circle in a file that nobody checked ends too.
    let mut seen = vec![false; steps.len()];
    for start in 0..steps.len() {
        let mut waiting = Vec::new();
        if !std::mem::replace(&mut seen[start], true) {
            waiting.push((start, 0));
        }
        while let Some((index, next)) = waiting.last_mut() {
            let Some(needed) = steps[*index].depends_on().get(*next) else {
                order.push(*index);
                waiting.pop();
                continue;
            };
            *next += 1;
            if let Some(before) = indexes.get(needed)
                && !std::mem::replace(&mut seen[*before], true)
            {
                waiting.push((*before, 0));
            }
        }
    }
    order
}

/// Where the step with each key is.
#[must_use]
pub fn indexes(steps: &[Step]) -> BTreeMap<String, usize> {
    steps.iter().enumerate().map(|(index, step)| (step.key(index + 1), index)).collect()
}

/// What is wrong with the typed actions and tool calls among `steps`.
///
/// # Errors
/// A text that says which step, what and what to do.
pub fn check(steps: &[Step]) -> Result<(), String> {
    let mut keys = BTreeSet::new();
    for (index, step) in steps.iter().enumerate() {
        let checked = match step {
            Step::Tool(step) if server_and_tool(&step.tool).is_none() => {
                Err(format!("`tool` is `{}`; write `server/tool`", step.tool))
            }
            Step::Wait(step) => wait::check(&step.config),
            Step::Action(action) => action.check(),
            _ => Ok(()),
        };
        step.id().map_or(Ok(()), check_id).and(checked).map_err(|why| format!("step {}: {why}", index + 1))?;
        let key = step.key(index + 1);
        if !keys.insert(key.clone()) {
            return Err(format!("step {}: `{key}` names another step already; `step_id`s are unique", index + 1));
        }
    }
    let indexes = indexes(steps);
    for (index, step) in steps.iter().enumerate() {
        if let Some(needed) = step.depends_on().iter().find(|needed| !indexes.contains_key(*needed)) {
            return Err(format!("step {}: `depends_on` names `{needed}`, which is no `step_id`", index + 1));
        }
    }
    // In `order` a step comes after all that it depends on, unless they depend on it.
    let mut done = BTreeSet::new();
    for index in order(steps) {
        let waits_for = |needed: &&String| indexes.get(*needed).is_some_and(|at| !done.contains(at));
        if let Some(needed) = steps[index].depends_on().iter().find(waits_for) {
            return Err(format!("step {}: `depends_on` leads in a circle: `{needed}` depends on it", index + 1));
        }
        done.insert(index);
    }
    Ok(())
}

fn check_id(step_id: &str) -> Result<(), String> {
    let shown: String = step_id.chars().take(MAX_ID_CHARS).collect();
    let is_identifier = !step_id.starts_with(|c: char| c.is_ascii_digit())
        && !step_id.is_empty()
        && step_id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_identifier || step_id.len() > MAX_ID_CHARS {
        return Err(format!(
            "`step_id` is `{shown}`; use at most {MAX_ID_CHARS} letters, digits and `_`, and begin with no digit"
        ));
    }
    // The rendered template has this key among the results.
    if step_id == "text" { Err("`step_id` can't be `text`; choose another".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(steps: Value) -> Vec<Step> {
        serde_json::from_value(steps).unwrap()
    }

    /// An action that is done after those in `depends_on`.
    fn action(step_id: &str, depends_on: &[&str]) -> Value {
        let config = json!({"message": "Done"});
        json!({"step_id": step_id, "action_type": "send_notification", "config": config, "depends_on": depends_on})
    }

    #[test]
    fn every_kind_of_step_is_read_and_written_back() {
        let written = json!([
            "Look at the log",
            {"command": ["git", "status"], "step_id": "look"},
            {"tool": "github/create_issue", "arguments": {"title": "Bug"}},
            {"procedure": "tidy", "arguments": {"path": "."}, "depends_on": ["look"]},
            {"action": "wait", "duration_hours": 24},
            {"step_id": "tell", "action_type": "create_task", "config": {"task_title": "Tidy"}, "on_failure": "retry"},
        ]);
        let read = steps(written.clone());
        assert!(matches!(
            read[..],
            [Step::Sentence(_), Step::Command(_), Step::Tool(_), Step::Procedure(_), Step::Wait(_), Step::Action(_)]
        ));
        assert_eq!(serde_json::to_value(read).unwrap(), written);
    }

    #[test]
    fn an_error_names_the_field_of_the_kind_that_was_meant() {
        for (step, expected) in [
            (
                json!({"command": ["git"], "cwd": "."}),
                "there is no field `cwd`; the fields are `command`, `description`",
            ),
            (json!({"command": "git status"}), "`command`: it must be a list, got `\"git status\"`"),
            (json!({"tool": "a/b", "arguments": [1]}), "`arguments`: it must be an object, got a list"),
            (json!({"step_id": "a"}), "`action_type` is missing"),
            (
                json!({"step_id": "a", "action_type": "dance"}),
                "it must be one of `run_skill`, `send_notification`, `create_task`, `draft_email`, `wait`, got `dance`",
            ),
            (
                json!({"step_id": "a", "action_type": "run_skill", "on_failure": "ignore"}),
                "`on_failure`: it must be one of `stop`, `skip`, `retry`, got `ignore`",
            ),
            (json!({"run": "git status"}), "this one has `run`"),
            (json!(7), "a step is a sentence"),
        ] {
            let error = serde_json::from_value::<Step>(step.clone()).unwrap_err().to_string();
            assert!(error.contains(expected), "{step}: {error}");
        }
    }

    #[test]
    fn what_a_step_depends_on_runs_before_it() {
        let listed = steps(json!(["First", action("b", &["d"]), "Third", action("d", &[]), action("e", &["b"])]));
        assert_eq!(order(&listed), [0, 3, 1, 2, 4]);
        assert_eq!(check(&listed), Ok(()));
    }

    #[test]
    fn ids_are_unique_identifiers_and_lead_nowhere_in_a_circle() {
        for (listed, expected) in [
            (json!([action("a", &[]), action("a", &[])]), "step 2: `a` names another step already"),
            (json!(["First", action("step_1", &[])]), "step 2: `step_1` names another step already"),
            (json!([action("1st", &[])]), "step 1: `step_id` is `1st`"),
            (json!([action("a-b", &[])]), "step 1: `step_id` is `a-b`"),
            (json!([action("text", &[])]), "can't be `text`"),
            (json!([action("a", &["b"])]), "step 1: `depends_on` names `b`, which is no `step_id`"),
            (json!([action("a", &["b"]), action("b", &["a"])]), "in a circle"),
            (json!([action("a", &["a"])]), "in a circle"),
            (json!([{"command": ["ls"], "step_id": "a"}, action("a", &[])]), "step 2: `a` names another step already"),
            (json!([{"procedure": "b", "step_id": "x y"}]), "step 1: `step_id` is `x y`"),
            (json!([{"tool": "a/b", "depends_on": ["c"]}]), "step 1: `depends_on` names `c`"),
            (json!([{"tool": "create_issue"}]), "step 1: `tool` is `create_issue`; write `server/tool`"),
        ] {
            let listed = steps(listed);
            assert_eq!(order(&listed).len(), listed.len());
            let problem = check(&listed).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
