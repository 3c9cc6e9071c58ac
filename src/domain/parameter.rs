//! What a procedure takes: parameters, and their types as people say them.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::reading::{Format, Shape};

/// A value that a caller passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct Parameter {
    /// A Python identifier.
    pub name: String,
    /// The type; `any` when left out.
    #[serde(default, rename = "type")]
    pub kind: ParameterType,
    /// Whether it must be passed. By default: when there is no `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// The only values that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Value>,
    /// The value when it is not passed. Null is one, too.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A value that is there, also where it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Parameter {
    /// Whether a caller must pass it.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(self.default.is_none())
    }

    /// What values it has, in JSON's terms.
    #[must_use]
    pub fn shape(&self) -> Shape {
        if self.choices.is_empty() { self.kind.shape() } else { Shape::Literal(self.choices.clone()) }
    }

    /// Whether it has fewer values than its Python type says.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        !self.choices.is_empty() || matches!(self.kind.shape(), Shape::Formatted(_))
    }
}

/// The type of a parameter, in JSON's words; Python's are read too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ParameterType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// A map with text keys.
    Object,
    /// The path of a file or a directory.
    Path,
    /// The path of a file.
    File,
    /// The path of a directory.
    Directory,
    /// An address with its scheme.
    Url,
    /// A day: `2026-03-31`.
    Date,
    /// One of its choices.
    Enum,
    /// Anything.
    #[default]
    Any,
}

impl<'de> Deserialize<'de> for ParameterType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(match word.as_str() {
            "string" | "str" | "text" => Self::String,
            "integer" | "int" => Self::Integer,
            "number" | "float" => Self::Number,
            "boolean" | "bool" => Self::Boolean,
            "array" | "list" => Self::Array,
            "object" | "dict" | "map" => Self::Object,
            "path" => Self::Path,
            "file" | "file_path" | "filepath" => Self::File,
            "directory" | "folder" | "dir" => Self::Directory,
            "url" | "uri" => Self::Url,
            "date" => Self::Date,
            "enum" | "choice" => Self::Enum,
            "any" => Self::Any,
            _ => {
                let known = [
                    "string",
                    "integer",
                    "number",
                    "boolean",
                    "array",
                    "object",
                    "path",
                    "file",
                    "directory",
                    "url",
                    "date",
                    "enum",
                    "any",
                ];
                let shown: String = word.chars().take(60).collect();
                let message = format!("it must be one of `{}`, got `{shown}`", known.join("`, `"));
                return Err(de::Error::custom(message));
            }
        })
    }
}

impl ParameterType {
    /// The Python annotation for it.
    #[must_use]
    pub const fn annotation(self) -> &'static str {
        match self {
            Self::String | Self::Path | Self::File | Self::Directory | Self::Url | Self::Date => "str",
            Self::Integer => "int",
            Self::Number => "float",
            Self::Boolean => "bool",
            Self::Array => "list",
            Self::Object => "dict",
            Self::Enum | Self::Any => "object",
        }
    }

    /// What values it has, in JSON's terms.
    #[must_use]
    pub fn shape(self) -> Shape {
        match self {
            Self::String => Shape::Text,
            Self::Integer => Shape::WHOLE,
            Self::Number => Shape::Number,
            Self::Boolean => Shape::Truth,
            Self::Array => Shape::list(Shape::Anything),
            Self::Object => Shape::Map(Box::new(Shape::Anything)),
            Self::Path | Self::File | Self::Directory => Shape::Formatted(Format::Path),
            Self::Url => Shape::Formatted(Format::Url),
            Self::Date => Shape::Formatted(Format::Date),
            Self::Enum | Self::Any => Shape::Anything,
        }
    }

    /// Whether its values are texts.
    #[must_use]
    pub fn is_text(self) -> bool {
        self.annotation() == "str"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn python_names_of_types_are_understood() {
        let parameter: Parameter =
            serde_json::from_value(json!({"name": "count", "type": "int", "default": 3})).unwrap();
        assert_eq!(parameter.kind, ParameterType::Integer);
        assert!(!parameter.is_required());
    }

    #[test]
    fn a_default_of_null_makes_a_parameter_optional() {
        let written = json!({"name": "note", "type": "string", "default": null});
        let parameter: Parameter = serde_json::from_value(written.clone()).unwrap();
        assert!(!parameter.is_required());
        assert_eq!(serde_json::to_value(parameter).unwrap(), written);
        let required: Parameter =
            serde_json::from_value(json!({"name": "note", "required": true, "default": null})).unwrap();
        assert!(required.is_required());
    }
}
