//! The tools as a typed stub: overloads of `call_tool` that the type checker reads.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    ToolInfo,
    types::{ANY, DICT, Property, properties, python_type},
};

/// More arguments than these are described by no class.
const MAX_PROPERTIES: usize = 40;

/// What Python doesn't take as a name.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Overloads of `call_tool`, one per tool, with a `TypedDict` for the arguments where their schema is simple. Empty
/// without tools.
///
/// There is no overload for other tools: it would take every call, also one with wrong arguments. Where some servers
/// could not be asked, use the general signature instead.
#[must_use]
pub fn stub(tools: &[ToolInfo]) -> String {
    if tools.is_empty() {
        return String::new();
    }
    let mut names = BTreeSet::new();
    let (mut classes, mut functions) = (String::new(), String::new());
    // A single overload is an error of its own.
    let overload = if tools.len() > 1 { "@overload\n" } else { "" };
    for tool in tools {
        let properties = properties(&tool.input_schema);
        let arguments = if is_simple(&properties) {
            let name = class_name(tool, &mut names);
            classes.push_str(&class(&name, &properties, tool));
            name
        } else {
            DICT.to_owned()
        };
        let optional = !properties.iter().any(|property| property.is_required);
        let arguments = if optional { format!("{arguments} | None = None") } else { arguments };
        functions.push_str(&format!(
            "{overload}def call_tool(\n    tool: Literal[{}],\n    arguments: {arguments},\n    *,\n    timeout: float | \
             None = None,\n    idempotent: bool = False,\n) -> {}:\n    {}\n",
            quoted(&tool.path()),
            tool.returns(),
            quoted(tool.description.lines().next().unwrap_or_default()),
        ));
    }
    format!("from typing import {ANY}, Literal, NotRequired, TypedDict, overload\n\n{classes}{functions}")
}

fn is_simple(properties: &[Property<'_>]) -> bool {
    !properties.is_empty()
        && properties.len() <= MAX_PROPERTIES
        && properties.iter().all(|property| is_identifier(property.name))
}

fn class(name: &str, properties: &[Property<'_>], tool: &ToolInfo) -> String {
    let fields: String = properties
        .iter()
        .map(|property| {
            let kind = python_type(property.schema, &tool.input_schema);
            let kind = if property.is_required { kind } else { format!("NotRequired[{kind}]") };
            format!("    {}: {kind}\n", property.name)
        })
        .collect();
    format!("class {name}(TypedDict):\n{fields}\n")
}

/// `SearchQuery` for `search/query`, with a number where that is taken.
fn class_name(tool: &ToolInfo, taken: &mut BTreeSet<String>) -> String {
    let mut base = String::from("_");
    for word in tool.path().split(|letter: char| !letter.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        base.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        base.push_str(letters.as_str());
    }
    let mut name = base.clone();
    let mut number = 1;
    while !taken.insert(name.clone()) {
        number += 1;
        name = format!("{base}{number}");
    }
    name
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        // Names that begin so are mangled in a class.
        && !name.starts_with("__")
        && !KEYWORDS.contains(&name)
}

/// A text as Python and JSON write it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::tools::tests::tool, *};

    #[test]
    fn every_tool_becomes_an_overload() {
        let query = json!({"type": "object", "required": ["text"], "properties": {
            "limit": {"type": "integer"}, "text": {"type": "string"},
        }});
        let odd = json!({"type": "object", "properties": {"not-a-name": {"type": "string"}, "class": {}}});
        let tools = [
            tool("search/query", &query, &json!({"type": "object"})),
            tool("search/odd", &odd, &Value::Null),
            tool("a-b/c", &json!({"properties": {"x": {}}}), &json!({"type": "array", "items": {"type": "string"}})),
            tool("a/b.c", &json!({"properties": {"x": {}}}), &Value::Null),
        ];
        let stub = stub(&tools);
        let expected = "class _SearchQuery(TypedDict):\n    text: str\n    limit: NotRequired[int]\n";
        assert!(stub.contains(expected), "{stub}");
        assert!(stub.contains("tool: Literal[\"search/query\"],\n    arguments: _SearchQuery,\n"), "{stub}");
        assert!(stub.contains("arguments: dict[str, Any] | None = None"), "{stub}");
        assert!(stub.contains("class _ABC(TypedDict)") && stub.contains("class _ABC2(TypedDict)"), "{stub}");
        assert!(stub.contains(") -> list[str]:\n    \"What it does.\"\n"), "{stub}");
        assert_eq!(stub.matches("@overload").count(), 4, "{stub}");
    }

    #[test]
    fn one_tool_is_no_overload_and_none_is_nothing() {
        assert!(!stub(&[tool("a/b", &json!({}), &Value::Null)]).contains("@overload"));
        assert_eq!(stub(&[]), "");
    }

    #[test]
    fn it_is_python_whatever_the_names_are() {
        let hostile =
            tool("a/\"\"\"\nimport os\\", &json!({"properties": {"x: int\n": {"const": "\"\n"}}}), &Value::Null);
        let source = stub(&[hostile.clone(), hostile]);
        assert!(ruff_python_parser::parse_module(&source).is_ok(), "{source}");
        assert!(!source.contains("\nimport os"), "{source}");
    }
}
