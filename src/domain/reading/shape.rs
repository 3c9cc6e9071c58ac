//! What a value should be like.

use serde_json::{Map, Value};

use super::format::Format;

/// The type of a value, in JSON's terms.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Data whose type nobody declared.
    Anything,
    Null,
    Text,
    /// A text of this form.
    Formatted(Format),
    /// One of these texts, written exactly so. Whoever reads it may know others, which are older or another language's.
    Word(Vec<String>),
    Whole {
        least: i128,
        most: i128,
    },
    Number,
    Truth,
    List {
        item: Box<Shape>,
        /// Whether one text stands for a list with that text.
        takes_one: bool,
    },
    /// A list with these values.
    Tuple(Vec<Shape>),
    /// An object with fields of any name.
    Map(Box<Shape>),
    /// An object with these fields.
    Record {
        fields: Vec<Field>,
        /// Whether it may have others, which somebody else looks at.
        is_open: bool,
    },
    OneOf(Vec<Shape>),
    /// One of these values.
    Literal(Vec<Value>),
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: String,
    pub shape: Shape,
    pub is_required: bool,
    /// Whether it names something that is elsewhere. Nothing is named by an empty text.
    pub is_reference: bool,
}

impl Field {
    /// A field that names nothing.
    #[must_use]
    pub const fn plain(name: String, shape: Shape, is_required: bool) -> Self {
        Self { name, shape, is_required, is_reference: false }
    }
}

/// Arguments of tools that name something, beside those that end with `_id`.
const REFERENCES: [&str; 5] = ["clone_of", "category", "tag", "path", "uri"];
/// In a schema: one text is not taken for the whole list.
pub const LIST_ONLY: &str = "x-list-only";

impl Shape {
    /// A whole number of any size.
    pub const WHOLE: Self = Self::Whole { least: i128::MIN, most: i128::MAX };

    /// A list of values of one type.
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self::List { takes_one: item == Self::Text, item: Box::new(item) }
    }

    /// The shape that a JSON Schema without references describes. That something may be null is left out: whether it may be
    /// absent says that.
    #[must_use]
    pub fn of_schema(schema: &Value) -> Self {
        let Value::Object(schema) = schema else { return Self::Anything };
        if let Some(alternatives) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array()) {
            return Self::one_of(alternatives.iter().map(Self::of_schema));
        }
        if let Some(constant) = schema.get("const").and_then(Value::as_str) {
            return Self::Word(vec![constant.to_owned()]);
        }
        if let Some(constants) = schema.get("enum").and_then(Value::as_array) {
            return Self::Word(constants.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
        match schema.get("type") {
            Some(Value::String(kind)) => Self::of_type(kind, schema),
            Some(Value::Array(kinds)) => {
                Self::one_of(kinds.iter().filter_map(Value::as_str).map(|kind| Self::of_type(kind, schema)))
            }
            _ => Self::Anything,
        }
    }

    fn one_of(shapes: impl Iterator<Item = Self>) -> Self {
        let mut words = Vec::new();
        let mut others = Vec::new();
        for shape in shapes {
            match shape {
                Self::Null => {}
                Self::Word(more) => words.extend(more),
                other => others.push(other),
            }
        }
        if !words.is_empty() {
            others.push(Self::Word(words));
        }
        match others.len() {
            0 => Self::Anything,
            1 => others.remove(0),
            _ => Self::OneOf(others),
        }
    }

    fn of_type(kind: &str, schema: &Map<String, Value>) -> Self {
        match kind {
            "null" => Self::Null,
            "string" => Self::Text,
            "integer" => whole(schema),
            "number" => Self::Number,
            "boolean" => Self::Truth,
            "array" => match Self::list(schema.get("items").map_or(Self::Anything, Self::of_schema)) {
                Self::List { item, .. } if schema.contains_key(LIST_ONLY) => Self::List { item, takes_one: false },
                list => list,
            },
            "object" => match schema.get("properties").and_then(Value::as_object) {
                Some(properties) => record(properties, schema),
                None => Self::Map(Box::new(schema.get("additionalProperties").map_or(Self::Anything, Self::of_schema))),
            },
            _ => Self::Anything,
        }
    }

    /// The same with no other fields.
    #[must_use]
    pub fn closed(self) -> Self {
        match self {
            Self::Record { fields, .. } => Self::Record { fields, is_open: false },
            other => other,
        }
    }

    /// Whether null is a value of it, and no way to leave it out.
    #[must_use]
    pub fn admits_null(&self) -> bool {
        match self {
            Self::Anything | Self::Null => true,
            Self::OneOf(shapes) => shapes.iter().any(Self::admits_null),
            Self::Literal(values) => values.contains(&Value::Null),
            _ => false,
        }
    }

    /// Whether a text is a value of it, an empty one too.
    #[must_use]
    pub fn admits_text(&self) -> bool {
        match self {
            // A decision that is left out is another one, so an empty word is a mistake.
            Self::Anything | Self::Text | Self::Word(_) | Self::Literal(_) => true,
            Self::OneOf(shapes) => shapes.iter().any(Self::admits_text),
            _ => false,
        }
    }

    /// What it is called in a sentence.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Anything => "any value".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Formatted(format) => format.name().to_owned(),
            Self::Word(words) => format!("one of `{}`", words.join("`, `")),
            Self::Whole { least, .. } if *least <= i128::from(i64::MIN) => "a whole number".to_owned(),
            Self::Whole { least, .. } => format!("a whole number from {least}"),
            Self::Number => "a number".to_owned(),
            Self::Truth => "true or false".to_owned(),
            Self::List { item, .. } if **item == Self::Text => "a list of texts".to_owned(),
            Self::List { .. } => "a list".to_owned(),
            Self::Tuple(items) => format!("a list of {} values", items.len()),
            Self::Map(_) | Self::Record { .. } => "an object".to_owned(),
            Self::OneOf(shapes) => shapes.iter().map(Self::name).collect::<Vec<_>>().join(" or "),
            Self::Literal(values) => {
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                format!("one of `{}`", values.join("`, `"))
            }
        }
    }
}

fn whole(schema: &Map<String, Value>) -> Shape {
    let (least, most) = match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
        "uint8" => (0, i128::from(u8::MAX)),
        "uint16" => (0, i128::from(u16::MAX)),
        "uint32" => (0, i128::from(u32::MAX)),
        "uint" | "uint64" => (0, i128::from(u64::MAX)),
        "int32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let bound = |key: &str| schema.get(key).and_then(Value::as_i64).map(i128::from);
    Shape::Whole { least: bound("minimum").unwrap_or(least), most: bound("maximum").unwrap_or(most) }
}

fn record(properties: &Map<String, Value>, schema: &Map<String, Value>) -> Shape {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|required| required == name));
    let fields = properties.iter().map(|(name, property)| Field {
        name: name.clone(),
        shape: Shape::of_schema(property),
        is_required: is_required(name),
        is_reference: name.ends_with("_id") || REFERENCES.contains(&name.as_str()),
    });
    let is_open = schema.get("additionalProperties") != Some(&Value::Bool(false));
    Shape::Record { fields: fields.collect(), is_open }
}
