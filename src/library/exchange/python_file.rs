//! A file of Python as a procedure: its docstring and its signature are the definition.

use serde_json::Value;

use super::incoming::{Content, Incoming};
use crate::{
    domain::{Parameter, ParameterType, ProcedureName, reading, reading::Shape, step::Step},
    library::{DefinitionPatch, LibraryError},
    validation::{self, Fallback, Outlined},
};

/// What stands for the steps where the code says nothing of itself.
const NOTHING_SAID: &str = "Execute the code";

/// The procedure that a file with this code is, whose name without its ending is `stem`.
pub fn incoming(stem: &str, code: &str) -> Result<Incoming, LibraryError> {
    let wanted = ProcedureName::parse(stem).ok().map(|name| name.identifier());
    let outline = validation::outline(code, wanted.as_deref()).map_err(|issue| {
        let line = issue.line.map_or_else(String::new, |line| format!("line {line}: "));
        LibraryError::invalid(format!("{line}{}", issue.message))
    })?;
    let docstring = outline.docstring.as_deref().map(dedented);
    let summary = docstring.as_deref().and_then(|text| text.split("\n\n").next()).map(one_line);
    let steps = vec![Step::Sentence(summary.filter(|summary| !summary.is_empty()).unwrap_or(NOTHING_SAID.to_owned()))];
    let parameters = outline.parameters.into_iter().map(parameter).collect();
    let fields = DefinitionPatch {
        description: docstring,
        steps: Some(steps),
        parameters: Some(parameters),
        ..DefinitionPatch::default()
    };
    Ok(Incoming {
        // A file of tests or scripts is rarely called like what it does.
        name: if wanted.is_some() { stem.to_owned() } else { outline.function.unwrap_or_else(|| stem.to_owned()) },
        content: Content::Fields(Box::new(fields)),
        code: Some(code.to_owned()),
        lock: None,
        dependencies: None,
        left_out: Vec::new(),
        files: None,
        is_proposed: false,
        is_script: false,
    })
}

fn parameter(outlined: Outlined) -> Parameter {
    let Outlined { name, annotation, default } = outlined;
    let kind = annotation.map_or(ParameterType::Any, |annotation| kind(annotation.shape()));
    let (required, default) = match default {
        Fallback::None => (None, None),
        Fallback::Value(Value::Null) => (None, Some(Value::Null)),
        // What its signature says of it is the default also where the declared type would not have it.
        Fallback::Value(value) if reading::accepts(&kind.shape(), &value) => (None, Some(value)),
        Fallback::Value(_) | Fallback::Computed => (Some(false), None),
    };
    Parameter { name, kind, required, choices: Vec::new(), default, description: None }
}

fn kind(shape: &Shape) -> ParameterType {
    match shape {
        Shape::Text => ParameterType::String,
        Shape::Whole { .. } => ParameterType::Integer,
        Shape::Number => ParameterType::Number,
        Shape::Truth => ParameterType::Boolean,
        Shape::List { .. } | Shape::Tuple(_) => ParameterType::Array,
        Shape::Map(_) | Shape::Record { .. } => ParameterType::Object,
        Shape::OneOf(shapes) => match &shapes.iter().filter(|shape| **shape != Shape::Null).collect::<Vec<_>>()[..] {
            [only] => kind(only),
            _ => ParameterType::Any,
        },
        Shape::Literal(values) if values.iter().all(Value::is_string) => ParameterType::String,
        _ => ParameterType::Any,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A docstring without the indentation that the code gives it.
fn dedented(text: &str) -> String {
    let lines = text.trim().lines().skip(1).filter(|line| !line.trim().is_empty());
    let margin = lines.map(|line| line.len() - line.trim_start().len()).min().unwrap_or_default();
    let mut dedented: Vec<&str> = Vec::new();
    for (number, line) in text.trim().lines().enumerate() {
        dedented.push(if number == 0 { line } else { line.get(margin..).unwrap_or_default() }.trim_end());
    }
    dedented.join("\n")
}
