//! What is known of a tool of a server.

use rmcp::model::Tool;
use serde_json::{Map, Value};

use super::types::{ANY, DICT, properties, python_type, python_value};

/// Names that are less like the wanted one are not worth telling.
const SIMILAR: f64 = 0.7;
const MAX_CLOSE_NAMES: usize = 3;
/// As many names are listed when none is close.
const MAX_LISTED_NAMES: usize = 12;

/// A tool of a downstream server.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolInfo {
    /// The server's name in the configuration.
    pub server: String,
    /// The tool's name at the server.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// JSON schema of its arguments.
    pub input_schema: Map<String, Value>,
    /// JSON schema of its structured result.
    pub output_schema: Option<Map<String, Value>>,
    /// It says that it changes nothing.
    pub read_only: bool,
    /// It says that calling it twice is as good as once.
    pub idempotent: bool,
}

impl ToolInfo {
    pub(super) fn new(server: &str, tool: Tool) -> Self {
        let hints = tool.annotations.unwrap_or_default();
        Self {
            server: server.to_owned(),
            name: tool.name.into_owned(),
            description: tool.description.unwrap_or_default().into_owned(),
            input_schema: tool.input_schema.as_ref().clone(),
            output_schema: tool.output_schema.map(|schema| schema.as_ref().clone()),
            read_only: hints.read_only_hint.unwrap_or(false),
            idempotent: hints.idempotent_hint.unwrap_or(false),
        }
    }

    /// What `call_tool` calls it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// Whether a call that may or may not have happened can be made again.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        self.read_only || self.idempotent
    }

    /// How it would look as a Python function: `search/query(text: str, limit: int = 10) -> dict`.
    #[must_use]
    pub fn signature(&self) -> String {
        let parameters: Vec<String> = properties(&self.input_schema)
            .iter()
            .map(|property| {
                let kind = short(&python_type(property.schema, &self.input_schema));
                let default = property.schema.get("default").map(python_value);
                let name = printable(property.name);
                match default {
                    Some(default) if !property.is_required => format!("{name}: {kind} = {default}"),
                    None if !property.is_required => format!("{name}: {kind} = ..."),
                    _ => format!("{name}: {kind}"),
                }
            })
            .collect();
        format!("{}({}) -> {}", printable(&self.path()), parameters.join(", "), short(&self.returns()))
    }

    /// The Python type of the result.
    pub(super) fn returns(&self) -> String {
        match &self.output_schema {
            Some(schema) => python_type(&Value::Object(schema.clone()), schema),
            None => ANY.to_owned(),
        }
    }
}

/// `dict[str, Any]` is what people call a `dict`.
fn short(kind: &str) -> String {
    kind.replace(DICT, "dict").replace("list[Any]", "list")
}

/// Names come from servers, and are shown in terminals.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// `; the closest names are …`, or all names when none is close.
pub(super) fn closest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<(f64, &str)> = names.map(|name| (likeness(wanted, name), name)).collect();
    if names.is_empty() {
        return "; it has none at all".to_owned();
    }
    names.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let close = names.iter().filter(|(likeness, _)| *likeness >= SIMILAR).count().min(MAX_CLOSE_NAMES);
    let (what, shown) = match close {
        0 => ("there are", MAX_LISTED_NAMES),
        1 => ("the closest name is", 1),
        _ => ("the closest names are", close),
    };
    let quoted: Vec<String> = names.iter().take(shown).map(|(_, name)| format!("`{}`", printable(name))).collect();
    let rest = if close == 0 { names.len().saturating_sub(shown) } else { 0 };
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("; {what} {}{more}", quoted.join(", "))
}

/// Between 0 and 1. A name that has the other in it is close, however long it is.
fn likeness(wanted: &str, name: &str) -> f64 {
    let (wanted, name) = (wanted.to_lowercase(), name.to_lowercase());
    let is_part = wanted.len() > 2 && (name.contains(&wanted) || (name.len() > 2 && wanted.contains(&name)));
    let part = if is_part { 0.9 } else { 0.0 };
    strsim::jaro_winkler(&wanted, &name).max(part)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A tool with this schema.
    pub(in crate::downstream) fn tool(path: &str, input: &Value, output: &Value) -> ToolInfo {
        let (server, name) = path.split_once('/').unwrap();
        ToolInfo {
            server: server.to_owned(),
            name: name.to_owned(),
            description: "What it does.\nIn detail.".to_owned(),
            input_schema: input.as_object().cloned().unwrap_or_default(),
            output_schema: output.as_object().cloned(),
            read_only: false,
            idempotent: false,
        }
    }

    #[test]
    fn a_signature_is_what_python_would_write() {
        let input = json!({"type": "object", "required": ["text"], "properties": {
            "limit": {"type": "integer", "default": 10},
            "text": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "options": {"type": "object"},
        }});
        let shown = tool("search/query", &input, &json!({"type": "object"})).signature();
        assert!(shown.starts_with("search/query(text: str, "), "{shown}");
        assert!(shown.contains("limit: int = 10") && shown.contains("tags: list[str] = ..."), "{shown}");
        assert!(shown.contains("options: dict = ...") && shown.ends_with(") -> dict"), "{shown}");
        assert_eq!(tool("a/b", &json!({}), &Value::Null).signature(), "a/b() -> Any");
    }

    #[test]
    fn close_names_come_first() {
        let names = ["read_file", "write_file", "list_directory"];
        assert_eq!(closest("read_fil", names.into_iter()), "; the closest name is `read_file`");
        assert_eq!(closest("file", names.into_iter()), "; the closest names are `read_file`, `write_file`");
        assert_eq!(closest("directory", names.into_iter()), "; the closest name is `list_directory`");
        assert!(
            closest("zzz", names.into_iter()).starts_with("; there are `"),
            "{}",
            closest("zzz", names.into_iter())
        );
        assert_eq!(closest("zzz", std::iter::empty()), "; it has none at all");
    }
}
