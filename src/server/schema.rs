//! JSON schemas that every client accepts.
//!
//! Some clients refuse references, unsigned formats, type lists or combinators; all pay for every byte. So schemas are
//! inlined and reduced to what says something.

use rmcp::model::JsonObject;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The schema of a tool's arguments. What it does not name is refused with a hint, by [`unknown_argument`]; saying so in
/// every schema would cost more than it tells.
#[must_use]
pub fn input<T: JsonSchema>() -> JsonObject {
    reduced::<T>()
}

/// The schema of a tool's answer: the fields of `T` with their types, all of which may be absent. What is in them shows
/// in the answer; the `success` and the `timestamp` that every answer carries are said once, in the instructions.
#[must_use]
pub fn output<T: JsonSchema>() -> JsonObject {
    let mut schema = reduced::<T>();
    schema.remove("required");
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(keep_type);
    }
    schema
}

fn reduced<T: JsonSchema>() -> JsonObject {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
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
    for noise in ["title", "$schema", "default", "minimum", "maximum"] {
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
    // What has other fields inside is refused by whoever reads it.
    if object.get("additionalProperties").is_some_and(Value::is_boolean) {
        object.remove("additionalProperties");
    }
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

/// A property of any type is `true`, which some clients can't read.
fn keep_type(property: &mut Value) {
    match property {
        Value::Object(property) => property.retain(|key, _| key == "type"),
        _ => *property = json!({}),
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

/// The first argument that the schema does not know, and what it might have been meant for.
pub fn unknown_argument(arguments: &Map<String, Value>, schema: &JsonObject) -> Option<(String, String)> {
    const SIMILAR: f64 = 0.8;
    let Some(Value::Object(properties)) = schema.get("properties") else { return None };
    let unknown = arguments.keys().find(|name| !properties.contains_key(*name))?;
    let closest = properties
        .keys()
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let known: Vec<&str> = properties.keys().map(String::as_str).collect();
    let advice = closest.map_or_else(
        || format!("the fields are `{}`", known.join("`, `")),
        |(_, name)| format!("did you mean `{name}`?"),
    );
    let shown: String = unknown.chars().take(60).collect();
    Some((format!("there is no field `{shown}`"), advice))
}

/// Arguments that are JSON text where the schema wants an object or a list: some clients send them so.
pub fn unpack_stringified(arguments: &mut Map<String, Value>, schema: &JsonObject) {
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    for (name, value) in arguments.iter_mut() {
        let wanted = properties.get(name).and_then(|property| property.get("type")).and_then(Value::as_str);
        let Value::String(text) = &*value else { continue };
        let unpacked = match wanted {
            Some("object") => serde_json::from_str(text).ok().filter(Value::is_object),
            Some("array") => serde_json::from_str(text).ok().filter(Value::is_array),
            _ => None,
        };
        if let Some(unpacked) = unpacked {
            *value = unpacked;
        }
    }
}
