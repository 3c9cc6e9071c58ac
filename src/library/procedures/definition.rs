//! From what a caller says to a checked [`Definition`].

use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    compiler,
    domain::{
        CreatedBy, Definition, Example, Hinted as _, Parameter, ParameterType, Permissions, ProcedureName, RuntimeKind,
        Status, Step, StepShape, Trigger, host_module,
        name::{check_segment, slugify},
        nfc, reading, step,
    },
    library::LibraryError,
};

const DEFAULT_CATEGORY: &str = "general";
const MAX_STEPS: usize = 200;
const MAX_ENTRIES: usize = 100;
const MAX_BYTES: usize = 512 * 1024;
const MAX_TEXT_CHARS: usize = 20_000;
/// Fields whose names say enough to agents, who pay for every byte of a schema.
const PLAIN_FIELDS: [&str; 12] = [
    "tags",
    "preconditions",
    "postconditions",
    "status",
    "problem",
    "solution",
    "reasoning",
    "anti_patterns",
    "source_session",
    "source_lesson",
    "icon",
    "color",
];

/// Fields of a definition that a caller may set; what is left out keeps its default or its present value.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = leave_plain_fields)]
pub struct DefinitionPatch {
    /// What it does and when to use it; recall searches it.
    pub description: Option<String>,
    /// Such as `git`.
    pub category: Option<String>,
    /// Labels.
    pub tags: Option<Vec<String>>,
    /// In order: a sentence (one `back-ticked` command in it is run, else it is handed to you), `command` (a list, no shell), `tool` (`server/tool`), `procedure`, or `action_type`, whose `config` has `skill_id`, `message_template`, `task_title`, `body_template` or `duration_hours`. `{{variables}}` are
    /// filled in, also `{{latest_output}}` and `{{<step_id>_output}}`. `depends_on`: `step_id`s to wait for; the others run at once.
    #[schemars(with = "Option<Vec<StepShape>>")]
    pub steps: Option<Vec<Step>>,
    /// What a caller passes; other `{{variables}}` become text parameters.
    pub parameters: Option<Vec<Parameter>>,
    /// Text with `{{variables}}` to render.
    pub template: Option<String>,
    /// Calls that code is held to: `{parameters, result}`, or `error`.
    pub examples: Option<Vec<Example>>,
    /// What must hold before.
    pub preconditions: Option<Vec<String>>,
    /// What holds afterwards.
    pub postconditions: Option<Vec<String>>,
    /// When it helps.
    pub applicable_contexts: Option<Vec<String>>,
    /// What it may touch of the user's policy; default: all. `commands` (prefixes: `git status`),
    /// directories to `read` or `write` (`*`: all granted), `tools`, `network` (hosts), `model` (true).
    pub permissions: Option<Permissions>,
    /// `{type: time, cron_expression, timezone}`, `{type: event, event_type, event_filter}`, `{type: condition,
    /// condition_field, condition_operator: lt|gt|eq|contains, condition_value, condition_entity?, cooldown_seconds?}` or
    /// `{path: value, …}`; `{}`: none.
    pub trigger: Option<Map<String, Value>>,
    /// Others may read and run it.
    pub is_shared: Option<bool>,
    /// `python`: all of Python, if granted.
    #[schemars(with = "Option<String>")]
    pub runtime: Option<RuntimeKind>,
    /// Where it stands in its life.
    pub status: Option<Status>,
    /// False: refuse to execute it.
    pub enabled: Option<bool>,
    /// Learning leaves it alone.
    pub pinned: Option<bool>,
    /// The problem it answers.
    pub problem: Option<String>,
    /// How it answers it.
    pub solution: Option<String>,
    /// Why that works.
    pub reasoning: Option<String>,
    /// What not to try again.
    pub anti_patterns: Option<Vec<String>>,
    /// The session that it was learned in.
    pub source_session: Option<String>,
    /// What it was learned from.
    pub source_lesson: Option<String>,
    /// Emoji or icon for lists.
    pub icon: Option<String>,
    /// Colour for lists.
    pub color: Option<String>,
}

/// A new procedure as a caller describes it.
#[derive(Debug, Clone)]
pub struct DefinitionDraft {
    /// Any text that makes a slug.
    pub name: String,
    /// Everything else.
    pub fields: DefinitionPatch,
}

impl DefinitionDraft {
    /// A complete and valid definition.
    ///
    /// # Errors
    /// [`LibraryError::Argument`] or [`LibraryError::Name`] with the field that is wrong.
    pub(in crate::library) fn build(self) -> Result<Definition, LibraryError> {
        let mut definition = Definition {
            name: ProcedureName::parse(&self.name)?,
            former_names: Vec::new(),
            description: String::new(),
            category: DEFAULT_CATEGORY.to_owned(),
            tags: Vec::new(),
            steps: Vec::new(),
            parameters: Vec::new(),
            template: None,
            examples: Vec::new(),
            preconditions: Vec::new(),
            postconditions: Vec::new(),
            applicable_contexts: Vec::new(),
            trigger: None,
            permissions: None,
            runtime: RuntimeKind::default(),
            status: Status::Active,
            enabled: true,
            pinned: false,
            owner: None,
            is_shared: false,
            created_by: CreatedBy::User,
            problem: None,
            solution: None,
            reasoning: None,
            anti_patterns: Vec::new(),
            source_session: None,
            source_lesson: None,
            icon: None,
            color: None,
            files: None,
        };
        self.fields.apply(&mut definition)?;
        Ok(definition)
    }
}

fn leave_plain_fields(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (_, field) in properties.iter_mut().filter(|(name, _)| PLAIN_FIELDS.contains(&name.as_str())) {
        if let Value::Object(field) = field {
            field.remove("description");
        }
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

/// An empty text takes the field away.
fn set_text(slot: &mut Option<String>, value: Option<String>) {
    if let Some(value) = value {
        *slot = Some(value).filter(|value| !value.is_empty());
    }
}

impl DefinitionPatch {
    /// Sets the given fields of `definition` and checks the whole.
    pub(in crate::library) fn apply(mut self, definition: &mut Definition) -> Result<(), LibraryError> {
        if let Some(category) = self.category.take() {
            let slug = slugify(&category);
            let shown: String = category.chars().take(60).collect();
            if slug.is_empty() || slug.chars().count() > crate::domain::name::MAX_NAME_CHARS {
                return Err(LibraryError::invalid(format!(
                    "`category` must have 1 to 60 letters, digits, `_` or `-`; got `{shown}`"
                )));
            }
            if let Err(error) = check_segment(&slug) {
                return Err(LibraryError::invalid_in("`category`", &error));
            }
            self.category = Some(slug);
        }
        if let Some(tags) = &mut self.tags {
            tags.iter_mut().for_each(|tag| *tag = nfc(tag));
        }
        if let Some(trigger) = self.trigger.take() {
            definition.trigger =
                Some(trigger).filter(|map| !map.is_empty()).map(|map| parse_trigger(&map)).transpose()?;
        }
        self.write(definition);
        check_steps(definition)?;
        let undeclared = compiler::undeclared(definition);
        definition.parameters.extend(undeclared);
        check(definition)
    }

    fn write(self, definition: &mut Definition) {
        set(&mut definition.description, self.description);
        set(&mut definition.category, self.category);
        set(&mut definition.tags, self.tags);
        set(&mut definition.steps, self.steps);
        set(&mut definition.parameters, self.parameters);
        set_text(&mut definition.template, self.template);
        set(&mut definition.examples, self.examples);
        set(&mut definition.preconditions, self.preconditions);
        set(&mut definition.postconditions, self.postconditions);
        set(&mut definition.applicable_contexts, self.applicable_contexts);
        if self.permissions.is_some() {
            definition.permissions = self.permissions;
        }
        set(&mut definition.runtime, self.runtime);
        set(&mut definition.is_shared, self.is_shared);
        set(&mut definition.status, self.status);
        set(&mut definition.enabled, self.enabled);
        set(&mut definition.pinned, self.pinned);
        set_text(&mut definition.problem, self.problem);
        set_text(&mut definition.solution, self.solution);
        set_text(&mut definition.reasoning, self.reasoning);
        set(&mut definition.anti_patterns, self.anti_patterns);
        set_text(&mut definition.source_session, self.source_session);
        set_text(&mut definition.source_lesson, self.source_lesson);
        set_text(&mut definition.icon, self.icon);
        set_text(&mut definition.color, self.color);
    }
}

fn parse_trigger(map: &Map<String, Value>) -> Result<Trigger, LibraryError> {
    Trigger::parse(map).map_err(|error| LibraryError::invalid_in("`trigger`", &error))
}

fn check_steps(definition: &Definition) -> Result<(), LibraryError> {
    if definition.steps.is_empty() && definition.template.is_none() {
        return Err(LibraryError::invalid_with_hint(
            "`steps` is empty",
            "give at least one step (a sentence will do), or a `template`",
        ));
    }
    if definition.steps.len() > MAX_STEPS {
        return Err(LibraryError::invalid(format!(
            "`steps` has {} entries, at most {MAX_STEPS} are possible",
            definition.steps.len()
        )));
    }
    for (index, step) in definition.steps.iter().enumerate() {
        check_step(step).map_err(|why| LibraryError::invalid(format!("step {}: {why}", index + 1)))?;
    }
    step::check(&definition.steps).map_err(LibraryError::invalid)
}

pub(crate) fn check(definition: &Definition) -> Result<(), LibraryError> {
    let lists = [
        ("tags", &definition.tags),
        ("preconditions", &definition.preconditions),
        ("postconditions", &definition.postconditions),
        ("applicable_contexts", &definition.applicable_contexts),
        ("anti_patterns", &definition.anti_patterns),
    ];
    for (field, list) in lists {
        if list.len() > MAX_ENTRIES {
            return Err(LibraryError::invalid(format!(
                "`{field}` has {} entries, at most {MAX_ENTRIES} are possible",
                list.len()
            )));
        }
        list.iter().try_for_each(|text| check_text(field, text))?;
    }
    let size = serde_json::to_string(definition).map_or(0, |text| text.len());
    if size > MAX_BYTES {
        return Err(LibraryError::invalid(format!(
            "the definition is {size} bytes of JSON, at most {MAX_BYTES} are possible"
        )));
    }
    check_text("description", &definition.description)?;
    let texts = [
        ("template", &definition.template),
        ("problem", &definition.problem),
        ("solution", &definition.solution),
        ("reasoning", &definition.reasoning),
        ("source_session", &definition.source_session),
        ("source_lesson", &definition.source_lesson),
        ("icon", &definition.icon),
        ("color", &definition.color),
    ];
    texts
        .iter()
        .filter_map(|(field, text)| Some((field, text.as_ref()?)))
        .try_for_each(|(field, text)| check_text(field, text))?;
    check_parameters(&definition.parameters)
}

fn check_text(field: &str, text: &str) -> Result<(), LibraryError> {
    let length = text.chars().count();
    if length > MAX_TEXT_CHARS {
        return Err(LibraryError::invalid(format!(
            "`{field}` has {length} characters, at most {MAX_TEXT_CHARS} are possible"
        )));
    }
    Ok(())
}

fn check_step(step: &Step) -> Result<(), String> {
    match step {
        Step::Sentence(text) if text.trim().is_empty() => Err("the sentence is empty".to_owned()),
        Step::Sentence(text) if text.chars().count() > MAX_TEXT_CHARS => {
            Err(format!("it is longer than {MAX_TEXT_CHARS} characters"))
        }
        Step::Command(step) if step.command.first().is_none_or(|program| program.trim().is_empty()) => {
            Err("`command` is empty; its first item is the program".to_owned())
        }
        Step::Procedure(step) => ProcedureName::parse(&step.procedure).map(drop).map_err(|error| error.in_full()),
        _ => Ok(()),
    }
}

fn check_parameters(parameters: &[Parameter]) -> Result<(), LibraryError> {
    let mut names = BTreeSet::new();
    if parameters.len() > MAX_ENTRIES {
        return Err(LibraryError::invalid(format!(
            "there are {} parameters, at most {MAX_ENTRIES} are possible",
            parameters.len()
        )));
    }
    for parameter in parameters {
        let name = &parameter.name;
        if !compiler::is_identifier(name) {
            return Err(LibraryError::invalid_with_hint(
                format!("parameter name `{name}` is not a Python identifier"),
                "use letters, digits and `_`, and no Python keyword",
            ));
        }
        if host_module::signature(name).is_some() {
            return Err(LibraryError::invalid_with_hint(
                format!("parameter name `{name}` would hide the host function of that name"),
                "choose another",
            ));
        }
        if !names.insert(name) {
            return Err(LibraryError::invalid(format!("parameter `{name}` is listed twice")));
        }
        if let Some(default) = &parameter.default
            && !default.is_null()
            && !reading::accepts(&parameter.shape(), default)
        {
            let wanted = if parameter.is_narrow() {
                parameter.shape().name()
            } else {
                format!("of type `{}`", parameter.kind.annotation())
            };
            return Err(LibraryError::invalid(format!(
                "the default of parameter `{name}` is {default}, which is not {wanted}"
            )));
        }
        if parameter.kind == ParameterType::Enum && parameter.choices.is_empty() {
            return Err(LibraryError::invalid_with_hint(
                format!("parameter `{name}` is an `enum` of nothing"),
                r#"list its values: `"choices": ["low", "high"]`"#,
            ));
        }
        if let Some(wrong) = parameter.choices.iter().find(|choice| !reading::accepts(&parameter.kind.shape(), choice))
        {
            return Err(LibraryError::invalid(format!(
                "the choice {wrong} of parameter `{name}` is not of type `{}`",
                parameter.kind.annotation()
            )));
        }
    }
    Ok(())
}
