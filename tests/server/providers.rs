//! The rules that providers of models have for the functions of a model, written from their documentation: a tool that breaks
//! one makes a client lose all of them.

use serde_json::{Map, Value, json};

use crate::common::{Home, Protocol, text};

/// All tools, in both ways in which they are listed.
fn tools() -> Vec<Value> {
    let home = Home::new();
    let mut tools = home.start().tools();
    tools.extend(home.start_with(&["--toolsets", "default"], Protocol::V2025).tools());
    tools
}

fn each_schema(schema: &Value, depth: usize, look: &mut impl FnMut(&Map<String, Value>, usize)) {
    let Some(map) = schema.as_object() else { panic!("a schema is no object: {schema}") };
    look(map, depth);
    for inner in map.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values) {
        each_schema(inner, depth + 1, look);
    }
    map.get("items").into_iter().for_each(|items| each_schema(items, depth + 1, look));
    for inner in map.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        each_schema(inner, depth, look);
    }
}

/// Anthropic: names of up to 64 letters, digits, `_` and `-`, keys of properties of the same and `.`, an object at the root
/// with no alternatives there, and JSON Schema of 2020-12.
#[test]
fn anthropic_takes_every_tool() {
    for tool in tools() {
        let name = text(&tool, "name");
        let is_plain = |text: &str, more: &str| {
            (1..=64).contains(&text.len())
                && text
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter) || more.contains(letter))
        };
        assert!(is_plain(name, ""), "{name}");
        assert!(text(&tool, "description").len() <= 1024, "{name}");
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], json!("object"), "{name}");
        for root in ["anyOf", "oneOf", "allOf"] {
            assert!(schema.get(root).is_none(), "{name}: `{root}`");
        }
        each_schema(schema, 0, &mut |map, _| {
            for key in map.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
                assert!(is_plain(key, "."), "{name}: `{key}`");
            }
        });
    }
}

/// Gemini: a subset of `OpenAPI` 3.0. One type, formats that it knows, enums of texts only, no references, no `additionalProperties`,
/// an `anyOf` with nothing beside it, lists with the type of their items; names that begin with a letter or `_`.
#[test]
fn gemini_takes_every_tool() {
    const KNOWN: [&str; 12] = [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "items",
        "properties",
        "required",
        "minItems",
        "maxItems",
        "anyOf",
    ];
    for tool in tools() {
        let name = text(&tool, "name");
        let mut letters = name.chars();
        assert!(letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_'), "{name}");
        assert!(name.len() <= 64 && letters.all(|letter| letter.is_ascii_alphanumeric() || "_.-".contains(letter)));
        each_schema(&tool["inputSchema"], 0, &mut |map, _| {
            assert!(map.keys().all(|key| KNOWN.contains(&key.as_str())), "{name}: {map:?}");
            if map.contains_key("anyOf") {
                assert_eq!(map.len(), 1, "{name}: {map:?}");
                return;
            }
            let kind = map.get("type").and_then(Value::as_str).unwrap_or_else(|| panic!("{name}: no type: {map:?}"));
            assert_eq!(kind == "array", map.contains_key("items"), "{name}: {map:?}");
            let has_texts = |values: &Value| {
                values.as_array().unwrap().iter().all(|value| value.as_str().is_some_and(|text| !text.is_empty()))
            };
            assert!(map.get("enum").is_none_or(|values| kind == "string" && has_texts(values)), "{name}: {map:?}");
            let properties = map.get("properties").and_then(Value::as_object);
            for required in map.get("required").and_then(Value::as_array).into_iter().flatten() {
                let is_there = properties.is_some_and(|properties| properties.contains_key(required.as_str().unwrap()));
                assert!(is_there, "{name}: `{required}` is required and not there");
            }
        });
    }
}

/// `OpenAI`, strict: what its libraries do with a schema before they send it (every object closed, every property required) must be
/// possible, and what comes of it within its limits: no keyword that it does not support, at most ten levels, 5,000
/// properties, 1,000 values of enums.
#[test]
fn openai_takes_every_tool_strictly() {
    const UNSUPPORTED: [&str; 12] = [
        "allOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "patternProperties",
        "unevaluatedProperties",
        "propertyNames",
        "default",
    ];
    for tool in tools() {
        let name = text(&tool, "name");
        assert!(name.len() <= 64 && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter)));
        assert!(tool["inputSchema"].get("anyOf").is_none(), "{name}: the root is no choice");
        let (mut properties, mut values) = (0, 0);
        each_schema(&tool["inputSchema"], 0, &mut |map, depth| {
            assert!(depth <= 10, "{name} is too deep");
            for keyword in UNSUPPORTED {
                assert!(!map.contains_key(keyword), "{name}: `{keyword}`");
            }
            // An object that is open on purpose can't be closed.
            assert_ne!(map.get("additionalProperties"), Some(&json!(true)), "{name}: {map:?}");
            assert!(map.contains_key("type") || map.contains_key("anyOf"), "{name}: {map:?}");
            properties += map.get("properties").and_then(Value::as_object).map_or(0, Map::len);
            values += map.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
        });
        assert!(properties <= 5000 && values <= 1000, "{name}: {properties} properties, {values} values");
    }
}
