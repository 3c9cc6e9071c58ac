//! Procedures as other programs keep them: fields under the names that are in use for them.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::incoming::{Content, Incoming};
use crate::{
    domain::{
        json,
        reading::{self, Shape},
    },
    library::{DefinitionPatch, LibraryError},
};

/// Other names of fields, with what they are here.
const ALIASES: [(&str, &str); 26] = [
    ("workflow_name", "name"),
    ("procedure_name", "name"),
    ("title", "name"),
    ("summary", "description"),
    ("trigger_conditions", "trigger"),
    ("trigger_condition", "trigger"),
    ("trigger_pattern", "applicable_contexts"),
    ("contexts", "applicable_contexts"),
    ("shared", "is_shared"),
    ("is_enabled", "enabled"),
    ("is_active", "enabled"),
    ("inputs", "parameters"),
    ("params", "parameters"),
    ("generated_code", "code"),
    ("python_code", "code"),
    ("source_code", "code"),
    ("executable_code", "code"),
    ("packages", "dependencies"),
    ("requirements", "dependencies"),
    ("instructions", "steps"),
    ("labels", "tags"),
    ("keywords", "tags"),
    ("antipatterns", "anti_patterns"),
    ("session", "source_session"),
    ("lesson", "source_lesson"),
    ("colour", "color"),
];
/// Where a step that is an object of another program says in words what is to be done, the best first.
const WORDS_OF_STEPS: [&str; 7] = ["description", "instruction", "step", "text", "action", "title", "name"];
/// Says what a value means in the program that it comes from, and nothing to anybody else.
const OF_NO_USE: [&str; 12] = [
    "id",
    "procedure_id",
    "user_id",
    "version",
    "created",
    "created_at",
    "updated_at",
    "last_used",
    "last_used_at",
    "embedding",
    "outcome",
    "code_confidence",
];
/// How many words of a problem make a name.
const NAME_WORDS: usize = 6;

/// The procedure that these fields are.
pub fn incoming(fields: Map<String, Value>) -> Result<Incoming, LibraryError> {
    let mut known = Map::new();
    let mut left_out = Vec::new();
    let shape = &*FIELDS;
    for (column, value) in fields {
        let field = column.trim().to_lowercase();
        let field = ALIASES.iter().find(|(alias, _)| *alias == field).map_or(&*field, |(_, field)| field);
        if value.is_null() || value == "" {
            continue;
        }
        if shape.has(field) {
            known.entry(field.to_owned()).or_insert(value);
        } else if !OF_NO_USE.contains(&field) {
            left_out.push(column);
        }
    }
    let mut text = |field: &str| match known.remove(field) {
        Some(Value::String(text)) => Ok(Some(text)),
        None => Ok(None),
        Some(other) => Err(LibraryError::invalid(format!("`{field}` must be a text, got {other}"))),
    };
    let (name, code) = (text("name")?, text("code")?);
    let dependencies = known.remove("dependencies").map(texts);
    complete(&mut known);
    let name = match name {
        Some(name) => name,
        None => known.get("problem").and_then(Value::as_str).map(first_words).ok_or_else(|| {
            LibraryError::invalid_with_hint(
                "it has no name",
                "a procedure is an object with `name` and `steps`, or with `problem` and `solution`",
            )
        })?,
    };
    for (field, value) in &mut known {
        *value = meant(field, value.take());
    }
    let fitted =
        reading::fit(Value::Object(known), &shape.patch).map_err(|error| LibraryError::invalid_because(&error))?;
    let patch: DefinitionPatch = serde_path_to_error::deserialize(fitted).map_err(|error| {
        let path = error.path().to_string();
        let why = reading::plain(&error.into_inner().to_string());
        LibraryError::invalid(if path == "." { why } else { format!("`{path}`: {why}") })
    })?;
    let content = Content::Fields(Box::new(patch));
    Ok(Incoming {
        name,
        content,
        code,
        lock: None,
        dependencies,
        left_out,
        files: None,
        is_proposed: false,
        is_script: false,
    })
}

/// Says what else follows from what is there: a solution is what to do, a problem what it is for.
fn complete(known: &mut Map<String, Value>) {
    if !known.contains_key("steps") && !known.contains_key("template") {
        let said = ["solution", "description"].iter().find_map(|field| known.get(*field).cloned());
        if let Some(said) = said {
            known.insert("steps".to_owned(), Value::Array(vec![said]));
        }
    }
    if !known.contains_key("description")
        && let Some(problem) = known.get("problem").cloned()
    {
        known.insert("description".to_owned(), problem);
    }
}

/// A value as its field takes it: JSON in a text is what it says, and a list in a text has commas or lines.
fn meant(field: &str, value: Value) -> Value {
    let value = match value {
        Value::String(text) if text.trim_start().starts_with(['[', '{']) && FIELDS.is_structured(field) => {
            json::read(&text).unwrap_or(Value::String(text))
        }
        // SQLite has no other booleans.
        Value::Number(number) if matches!(field, "enabled" | "is_shared") => {
            if number.as_i64() == Some(0) {
                Value::Bool(false)
            } else {
                Value::Bool(true)
            }
        }
        other => other,
    };
    match (field, value) {
        ("tags", value) => Value::Array(texts(value).into_iter().map(Value::String).collect()),
        ("steps", Value::String(text)) => {
            let lines = text.lines().map(numberless).filter(|line| !line.is_empty());
            Value::Array(lines.map(|line| Value::String(line.to_owned())).collect())
        }
        ("steps", Value::Array(steps)) => Value::Array(steps.into_iter().map(step).collect()),
        // A situation in words is one in which it helps.
        ("trigger", Value::Array(_)) => Value::Object(Map::new()),
        (_, other) => other,
    }
}

/// `2. Push` is `Push`.
fn numberless(line: &str) -> &str {
    let line = line.trim();
    let rest = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let rest =
        if rest.len() < line.len() { rest.strip_prefix(['.', ')']) } else { line.strip_prefix(['-', '*', '•']) };
    rest.filter(|rest| rest.starts_with(' ')).map_or(line, str::trim)
}

/// A step of another program in words, unless it is one of ours.
fn step(value: Value) -> Value {
    let Value::Object(fields) = &value else { return value };
    let is_ours =
        ["command", "tool", "procedure", "action_type", "step_id"].iter().any(|key| fields.contains_key(*key))
            || fields.get("action").is_some_and(|action| action == "wait");
    let words = WORDS_OF_STEPS.iter().find_map(|key| fields.get(*key).filter(|words| words.is_string()).cloned());
    match words {
        Some(words) if !is_ours => words,
        _ => value,
    }
}

/// A list of texts, as a list or as one text with commas.
fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(items) => {
            items.into_iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect()
        }
        Value::String(text) => match json::read(&text) {
            Ok(value @ Value::Array(_)) => texts(value),
            _ => text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        },
        _ => Vec::new(),
    }
}

fn first_words(text: &str) -> String {
    text.split_whitespace().take(NAME_WORDS).collect::<Vec<_>>().join(" ")
}

/// What fields a definition has.
static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let schema = settings.into_generator().into_root_schema_for::<DefinitionPatch>().to_value();
    Fields { patch: Shape::of_schema(&schema).closed() }
});

struct Fields {
    patch: Shape,
}

impl Fields {
    fn has(&self, name: &str) -> bool {
        ["name", "code", "dependencies"].contains(&name) || self.shape(name).is_some()
    }

    fn shape(&self, name: &str) -> Option<&Shape> {
        let Shape::Record { fields, .. } = &self.patch else { return None };
        fields.iter().find(|field| field.name == name).map(|field| &field.shape)
    }

    /// Whether its value is no text.
    fn is_structured(&self, name: &str) -> bool {
        self.shape(name).is_some_and(|shape| !shape.admits_text())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Step;

    fn read(value: Value) -> (String, DefinitionPatch, Vec<String>) {
        let Value::Object(fields) = value else { panic!() };
        let Incoming { name, content, left_out, .. } = incoming(fields).unwrap();
        let Content::Fields(patch) = content else { panic!() };
        (name, *patch, left_out)
    }

    #[test]
    fn a_row_of_learned_workflows_is_a_procedure() {
        let (name, patch, left_out) = read(json!({
            "id": "7d0…", "workflow_name": "Follow up", "description": "After a meeting.",
            "trigger_conditions": "{\"entity_type\": \"meeting\"}",
            "steps": "[{\"order\": 1, \"action\": \"Write to {{name}}\"}, \"Wait a day\"]",
            "success_count": 9, "is_shared": 0, "tags": "mail, sales", "version": 3,
        }));
        assert_eq!((name.as_str(), left_out), ("Follow up", vec!["success_count".to_owned()]));
        assert_eq!(patch.is_shared, Some(false));
        assert_eq!(patch.tags.unwrap(), ["mail", "sales"]);
        let wanted = ["Write to {{name}}", "Wait a day"].map(|text| Step::Sentence(text.to_owned()));
        assert_eq!(patch.steps.unwrap(), wanted);
        assert_eq!(patch.trigger.unwrap()["entity_type"], "meeting");
    }

    #[test]
    fn a_problem_with_a_solution_is_a_procedure() {
        let (name, patch, _) = read(json!({
            "id": "proc_016", "status": "candidate", "problem": "Builds fail after the lock file was changed by hand",
            "solution": "Run `cargo update -w`", "anti_patterns": ["Editing it"], "use_count": 0,
        }));
        assert_eq!(name, "Builds fail after the lock file");
        assert_eq!(patch.steps.unwrap(), [Step::Sentence("Run `cargo update -w`".to_owned())]);
        assert_eq!(patch.description.unwrap(), "Builds fail after the lock file was changed by hand");
    }

    #[test]
    fn lines_are_steps() {
        let (_, patch, _) = read(json!({"name": "a", "instructions": "1. Fetch\n2) Build\n- Push\n\n3rd party check"}));
        let wanted = ["Fetch", "Build", "Push", "3rd party check"].map(|text| Step::Sentence(text.to_owned()));
        assert_eq!(patch.steps.unwrap(), wanted);
        let Value::Object(nameless) = json!({"steps": ["a"]}) else { panic!() };
        assert_eq!(incoming(nameless).unwrap_err().to_string(), "it has no name");
    }
}
