//! JSON schemas that every client accepts.
//!
//! Some clients refuse references, unsigned formats, type lists or combinators; all pay for every byte. So schemas are
//! inlined and reduced to what says something.

use rmcp::model::JsonObject;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::answer::ALWAYS_TOLD;
use crate::domain::reading::{self, Shape};

/// Everything that is to be said of the arguments or the answer of a tool.
#[must_use]
pub fn full<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// What is listed of the arguments of a tool. What it does not name is refused with a hint; saying so in every schema would
/// cost more than it tells.
#[must_use]
pub fn input(full: Value) -> JsonObject {
    let mut schema = reduced(full);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(make_portable);
    }
    schema
}

/// The schema of a tool's answer: the fields of `T` with their types, all of which may be absent. What is in them shows
/// in the answer; the `success` and the `timestamp` that every answer carries are said once, in the instructions.
#[must_use]
pub fn output<T: JsonSchema>() -> JsonObject {
    let mut schema = reduced(full::<T>());
    schema.remove("required");
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties.iter_mut() {
            keep_type(property);
            if ALWAYS_TOLD.contains(&name.as_str()) {
                admit_null(property);
            }
        }
    }
    schema
}

fn reduced(full: Value) -> JsonObject {
    let mut value = full;
    reduce(&mut value, true);
    if let Some(Value::Object(properties)) = value.get_mut("properties") {
        // What a field is for is said at the field; the names of the parts below speak for themselves.
        properties.values_mut().for_each(|property| forget_descriptions(property, false));
    }
    match value {
        Value::Object(mut object) => {
            object.remove("description");
            object.entry("properties").or_insert_with(|| json!({}));
            object
        }
        _ => Map::new(),
    }
}

/// Drops what says nothing and rewrites what some clients can't read. `is_schema` is false for the map of properties,
/// whose keys are names.
fn reduce(value: &mut Value, is_schema: bool) {
    let Value::Object(object) = value else {
        if let Value::Array(items) = value {
            items.iter_mut().for_each(|item| reduce(item, true));
        }
        return;
    };
    if !is_schema {
        object.values_mut().for_each(|property| reduce(property, true));
        return;
    }
    for noise in ["title", "$schema", "default", "minimum", "maximum", reading::LIST_ONLY] {
        object.remove(noise);
    }
    let is_width = |format: &Value| {
        format.as_str().is_some_and(|name| name.starts_with("uint") || name.starts_with("int") || name == "double")
    };
    if object.get("format").is_some_and(is_width) {
        object.remove("format");
    }
    // A field that may be absent is not required; that it may also be null says no more.
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [single] = &types[..] {
            let single = single.clone();
            object.insert("type".into(), single);
        }
    }
    if let Some(Value::Array(constants)) = object.get_mut("enum") {
        constants.retain(|constant| !constant.is_null());
    }
    if let Some(Value::String(description)) = object.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    drop_null_alternative(object);
    merge_constants(object);
    // What has other fields inside is refused by whoever reads it. Gemini knows no such word.
    object.remove("additionalProperties");
    for (key, child) in object.iter_mut() {
        match key.as_str() {
            "properties" => reduce(child, false),
            "enum" | "required" | "examples" | "const" => {}
            _ => reduce(child, true),
        }
    }
}

fn forget_descriptions(value: &mut Value, and_own: bool) {
    match value {
        Value::Object(object) => {
            if and_own && object.get("description").is_some_and(Value::is_string) {
                object.remove("description");
            }
            for (key, child) in object.iter_mut() {
                match (key.as_str(), child) {
                    ("properties", Value::Object(properties)) => {
                        properties.values_mut().for_each(|property| forget_descriptions(property, true));
                    }
                    (_, child) => forget_descriptions(child, true),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget_descriptions(item, true)),
        _ => {}
    }
}

/// Writes what some clients can't read in the way that all can. The functions that a model is told of are made of these
/// schemas, mostly as they are, and one that its provider can't read makes it refuse all tools:
///
/// - Gemini takes one `type`, no list of them, no `true` and no `{}`, and beside `anyOf` nothing, not even a description;
/// - `OpenAI` and Gemini want `items` with a type for every array; Anthropic takes whatever is JSON Schema.
///
/// So any JSON value is an `anyOf` of types, which every provider takes below the root, and the description of a choice stands
/// in its first alternative. Null is left out: what may be null may be absent, too.
fn make_portable(schema: &mut Value) {
    let Value::Object(object) = schema else {
        *schema = any_value(2);
        return;
    };
    let has_type = ["type", "anyOf", "enum"].iter().any(|key| object.contains_key(*key));
    if !has_type && let Value::Object(any) = any_value(2) {
        object.extend(any);
    }
    if object.get("type").and_then(Value::as_str) == Some("array") {
        let items = object.entry("items").or_insert(Value::Bool(true));
        // They stand in a list already, so it is one level less.
        if items.is_boolean() { *items = any_value(1) } else { make_portable(items) }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(make_portable);
    }
    if let Some(Value::Array(alternatives)) = object.get_mut("anyOf") {
        alternatives.iter_mut().for_each(make_portable);
    }
    let description = object.contains_key("anyOf").then(|| object.remove("description")).flatten();
    let first = object.get_mut("anyOf").and_then(|alternatives| alternatives.get_mut(0)).and_then(Value::as_object_mut);
    if let (Some(first), Some(description)) = (first, description) {
        first.insert("description".to_owned(), description);
    }
}

/// Any JSON value, with lists in lists down to `levels`.
fn any_value(levels: u32) -> Value {
    let mut types = vec![
        json!({"type": "string"}),
        json!({"type": "number"}),
        json!({"type": "boolean"}),
        json!({"type": "object"}),
    ];
    if levels > 1 {
        types.push(json!({"type": "array", "items": any_value(levels - 1)}));
    }
    json!({"anyOf": types})
}

/// Clients hold answers to these schemas, so they must be true of every one, and nobody makes functions of them. So what may
/// be any JSON value has a list of all types, which no `anyOf` of finite size could say of lists in lists.
fn keep_type(property: &mut Value) {
    let any = || json!({"type": ["string", "number", "boolean", "object", "array", "null"]});
    let kind = property.get("type").cloned();
    let items = property.get("items").and_then(|items| items.get("type")).cloned();
    *property = match kind {
        None => any(),
        Some(kind) if kind == "array" => {
            json!({"type": kind, "items": items.map_or_else(any, |kind| json!({"type": kind}))})
        }
        Some(kind) => json!({"type": kind}),
    };
}

/// In an answer only, where a program checks what it gets.
fn admit_null(property: &mut Value) {
    if let Some(kind) = property.get_mut("type")
        && !kind.is_array()
    {
        *kind = json!([kind, "null"]);
    }
}

fn drop_null_alternative(object: &mut Map<String, Value>) {
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(alternatives)) = object.get_mut(key) else { continue };
        alternatives.retain(|alternative| alternative.get("type") != Some(&json!("null")));
        if let [Value::Object(only)] = &mut alternatives[..] {
            let mut only = std::mem::take(only);
            // That of the type says what it is in the program, not what it is for here.
            only.remove("description");
            object.remove(key);
            for (name, value) in only {
                object.entry(name).or_insert(value);
            }
        }
    }
}

/// A choice of constants is an `enum`.
fn merge_constants(object: &mut Map<String, Value>) {
    let Some(Value::Array(alternatives)) = object.get("oneOf") else { return };
    let mut constants = Vec::new();
    for alternative in alternatives {
        match (alternative.get("const"), alternative.get("enum")) {
            (Some(constant), _) => constants.push(constant.clone()),
            (None, Some(Value::Array(values))) => constants.extend(values.iter().cloned()),
            _ => return,
        }
    }
    object.remove("oneOf");
    object.insert("type".into(), json!("string"));
    object.insert("enum".into(), Value::Array(constants));
}

/// The schema of an argument of this shape, in the way that all clients can read.
#[must_use]
pub fn of_argument(shape: &Shape, description: Option<String>) -> Value {
    let mut schema = of_shape(shape);
    if let (Value::Object(fields), Some(description)) = (&mut schema, description) {
        fields.insert("description".to_owned(), description.into());
    }
    make_portable(&mut schema);
    schema
}

/// The schema of a part of an answer that has this shape, or is null.
#[must_use]
pub fn of_answer(shape: &Shape) -> Value {
    let mut schema = of_shape(shape);
    keep_type(&mut schema);
    admit_null(&mut schema);
    schema
}

/// Only the kinds of values: whoever reads them says what else is wanted.
fn of_shape(shape: &Shape) -> Value {
    match shape {
        Shape::Literal(values) if values.iter().all(Value::is_string) => json!({"type": "string", "enum": values}),
        Shape::Anything | Shape::Null | Shape::Literal(_) => json!({}),
        Shape::Text | Shape::Formatted(_) => json!({"type": "string"}),
        Shape::Word(words) => json!({"type": "string", "enum": words}),
        Shape::Whole { .. } => json!({"type": "integer"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Truth => json!({"type": "boolean"}),
        Shape::List { item, .. } => match of_shape(item) {
            Value::Object(item) if item.is_empty() => json!({"type": "array"}),
            item => json!({"type": "array", "items": item}),
        },
        Shape::Tuple(_) => json!({"type": "array"}),
        Shape::Map(_) | Shape::Record { .. } => json!({"type": "object"}),
        Shape::OneOf(shapes) => {
            let some: Vec<&Shape> = shapes.iter().filter(|shape| **shape != Shape::Null).collect();
            match &some[..] {
                [only] => of_shape(only),
                _ if some.iter().any(|shape| matches!(shape, Shape::Anything | Shape::Literal(_))) => json!({}),
                _ => json!({"anyOf": some.iter().map(|shape| of_shape(shape)).collect::<Vec<_>>()}),
            }
        }
    }
}
