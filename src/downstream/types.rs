//! JSON schemas as Python types, as far as they are simple.

use serde_json::{Map, Value};

/// How far references and nested types are followed.
const MAX_LEVELS: usize = 6;
/// More alternatives than these say less than `Any`.
const MAX_ALTERNATIVES: usize = 8;
const MAX_LITERALS: usize = 20;

/// Anything at all.
pub(super) const ANY: &str = "Any";
/// Any object.
pub(super) const DICT: &str = "dict[str, Any]";

/// The Python type of what fits `schema`. `root` is the whole schema, which references point into.
pub(super) fn python_type(schema: &Value, root: &Map<String, Value>) -> String {
    convert(schema, root, MAX_LEVELS)
}

fn convert(schema: &Value, root: &Map<String, Value>, levels: usize) -> String {
    let Some(schema) = schema.as_object().filter(|_| levels > 0) else { return ANY.to_owned() };
    let deeper = |schema: &Value| convert(schema, root, levels - 1);
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return follow(target, root).map_or_else(|| ANY.to_owned(), deeper);
    }
    if let Some(value) = schema.get("const") {
        return literal(std::slice::from_ref(value));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return literal(values);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema.get(key).and_then(Value::as_array) {
            return union(choices.iter().map(deeper));
        }
    }
    if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        return deeper(only);
    }
    match schema.get("type") {
        Some(Value::String(name)) => named(name, schema, deeper),
        Some(Value::Array(names)) => {
            union(names.iter().filter_map(Value::as_str).map(|name| named(name, schema, deeper)))
        }
        _ if schema.contains_key("properties") => DICT.to_owned(),
        _ => ANY.to_owned(),
    }
}

fn named(name: &str, schema: &Map<String, Value>, deeper: impl Fn(&Value) -> String) -> String {
    match name {
        "string" => "str".to_owned(),
        "integer" => "int".to_owned(),
        "number" => "float".to_owned(),
        "boolean" => "bool".to_owned(),
        "null" => "None".to_owned(),
        "array" => format!("list[{}]", schema.get("items").map_or_else(|| ANY.to_owned(), deeper)),
        "object" => {
            let values = schema.get("additionalProperties").filter(|values| values.is_object());
            match values.filter(|_| !schema.contains_key("properties")) {
                Some(values) => format!("dict[str, {}]", deeper(values)),
                None => DICT.to_owned(),
            }
        }
        _ => ANY.to_owned(),
    }
}

fn union(types: impl Iterator<Item = String>) -> String {
    let mut kept: Vec<String> = Vec::new();
    for name in types {
        if name == ANY {
            return name;
        }
        if !kept.contains(&name) {
            kept.push(name);
        }
    }
    // `None` last, as people write it.
    kept.sort_by_key(|name| name == "None");
    if kept.is_empty() || kept.len() > MAX_ALTERNATIVES { ANY.to_owned() } else { kept.join(" | ") }
}

/// `Literal[…]` of texts, whole numbers, truth values and nothing; the common type of anything else.
fn literal(values: &[Value]) -> String {
    let is_literal = |value: &Value| !value.is_object() && !value.is_array() && !value.is_f64();
    if values.is_empty() || values.len() > MAX_LITERALS || !values.iter().all(is_literal) {
        let all_texts = !values.is_empty() && values.iter().all(Value::is_string);
        return if all_texts { "str" } else { ANY }.to_owned();
    }
    format!("Literal[{}]", values.iter().map(python_value).collect::<Vec<_>>().join(", "))
}

fn follow<'a>(target: &str, root: &'a Map<String, Value>) -> Option<&'a Value> {
    let mut parts = target.strip_prefix("#/")?.split('/');
    let first = root.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part.replace("~1", "/").replace("~0", "~")))
}

/// A JSON value as Python writes it.
pub(super) fn python_value(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        // The texts of JSON are texts of Python as well.
        Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(python_value).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pairs =
                map.iter().map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), python_value(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The names and schemas of the properties, those that are required first, each in the order of the schema.
pub(super) fn properties(schema: &Map<String, Value>) -> Vec<Property<'_>> {
    let Some(Value::Object(properties)) = schema.get("properties") else { return Vec::new() };
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut all: Vec<Property<'_>> = properties
        .iter()
        .map(|(name, schema)| Property { name, schema, is_required: required.contains(&name.as_str()) })
        .collect();
    all.sort_by_key(|property| !property.is_required);
    all
}

/// A property of an object's schema.
pub(super) struct Property<'a> {
    pub(super) name: &'a str,
    pub(super) schema: &'a Value,
    pub(super) is_required: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(schema: &Value) -> String {
        let root = json!({"$defs": {"Name": {"type": "string"}, "Loop": {"$ref": "#/$defs/Loop"}}});
        python_type(schema, root.as_object().unwrap())
    }

    #[test]
    fn simple_schemas_become_types() {
        for (schema, expected) in [
            (json!({"type": "string"}), "str"),
            (json!({"type": ["integer", "null"]}), "int | None"),
            (json!({"anyOf": [{"type": "null"}, {"type": "number"}]}), "float | None"),
            (json!({"type": "array", "items": {"type": "boolean"}}), "list[bool]"),
            (json!({"type": "array"}), "list[Any]"),
            (json!({"type": "object"}), DICT),
            (json!({"type": "object", "additionalProperties": {"type": "integer"}}), "dict[str, int]"),
            (json!({"type": "string", "enum": ["a", "b\""]}), "Literal[\"a\", \"b\\\"\"]"),
            (json!({"const": true}), "Literal[True]"),
            (json!({"enum": [1.5]}), ANY),
            (json!({"$ref": "#/$defs/Name"}), "str"),
            (json!({"$ref": "#/$defs/Loop"}), ANY),
            (json!({"$ref": "https://example.com/x"}), ANY),
            (json!({"oneOf": [{"type": "string"}, {}]}), ANY),
            (json!(true), ANY),
        ] {
            assert_eq!(of(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn values_are_written_as_python_does() {
        assert_eq!(python_value(&json!({"a": [null, true, "x"]})), "{\"a\": [None, True, \"x\"]}");
    }
}
