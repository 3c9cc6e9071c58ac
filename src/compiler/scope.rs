//! What a variable in a text means where the text stands: a parameter, what an earlier step gave, or nothing.

use std::{cell::RefCell, collections::BTreeMap};

use serde_json::Value;

use super::variables::{Braces, Piece, pieces};
use crate::domain::{ActionStep, Definition, Parameter, ParameterType, Step, step};

/// A text with its variables resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// What a variable stands for.
    Value(Expression),
}

/// A Python expression in which strings have single quotes, so that it can stand in an f-string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Its source.
    pub code: String,
    /// Whether its value surely is text.
    pub is_text: bool,
}

/// What the texts of one step may refer to.
#[derive(Debug, Clone)]
pub struct Scope<'d> {
    definition: &'d Definition,
    /// Keys of the results that are there, in the order of the steps.
    done: Vec<String>,
    /// The inputs of the typed action whose configuration is read.
    inputs: BTreeMap<String, Value>,
    braces: Braces,
    /// Variables that nothing gives, as the parameters that they ask for.
    undeclared: &'d RefCell<Vec<Parameter>>,
}

impl<'d> Scope<'d> {
    /// Calls `visit` with every step, its number and its scope, in the order in which they run. Gives the scope after
    /// the last one. What the texts miss is added to `undeclared`.
    pub fn walk(
        definition: &'d Definition,
        undeclared: &'d RefCell<Vec<Parameter>>,
        mut visit: impl FnMut(&Step, usize, &Self),
    ) -> Self {
        let mut scope =
            Self { definition, done: Vec::new(), inputs: BTreeMap::new(), braces: Braces::Double, undeclared };
        for index in step::order(&definition.steps) {
            let Some(step) = definition.steps.get(index) else { continue };
            visit(step, index + 1, &scope);
            scope.done.push(step.key(index + 1));
        }
        scope
    }

    /// The scope of the configuration of `action`: its inputs are variables there, and single braces count.
    pub fn of_action(&self, action: &ActionStep) -> Self {
        Self { inputs: action.inputs(), braces: Braces::Any, ..self.clone() }
    }

    /// The scope in which the inputs themselves are read.
    pub fn of_inputs(&self) -> Self {
        Self { inputs: BTreeMap::new(), ..self.clone() }
    }

    /// A name for something of the compiled function's own: `name`, unless it is taken.
    pub fn own_name(&self, name: &str) -> String {
        let is_taken = |name: &str| {
            self.definition.parameters.iter().any(|parameter| parameter.name == name)
                || self.definition.name.identifier() == name
        };
        let mut own = name.to_owned();
        while is_taken(&own) {
            own.insert_str(0, "step_");
        }
        own
    }

    /// `text` with its variables resolved. What means nothing here stays text.
    pub fn parts(&self, text: &str) -> Vec<Part> {
        let mut parts = Vec::new();
        for piece in pieces(text, self.braces) {
            match piece {
                Piece::Text(text) => push_text(&mut parts, text),
                Piece::Variable { raw, name, fields } => match self.inputs.get(name) {
                    Some(input) => self.push_input(&mut parts, input, raw, &fields),
                    None => match self.resolve(name, &fields) {
                        Some(value) => parts.push(Part::Value(value)),
                        None => push_text(&mut parts, raw),
                    },
                },
            }
        }
        parts
    }

    fn push_input(&self, parts: &mut Vec<Part>, input: &Value, raw: &str, fields: &[&str]) {
        let text = input.as_str().map_or_else(|| input.to_string(), str::to_owned);
        let inner = self.of_inputs().parts(&text);
        match &inner[..] {
            [Part::Value(value)] => parts.push(Part::Value(value.field(fields))),
            _ if fields.is_empty() => {
                for part in inner {
                    match part {
                        Part::Text(text) => push_text(parts, &text),
                        value @ Part::Value(_) => parts.push(value),
                    }
                }
            }
            _ => push_text(parts, raw),
        }
    }

    fn resolve(&self, name: &str, fields: &[&str]) -> Option<Expression> {
        if let Some(parameter) = self.definition.parameters.iter().find(|parameter| parameter.name == name) {
            let has_fields = matches!(parameter.kind, ParameterType::Object | ParameterType::Any);
            let is_text = parameter.kind == ParameterType::String
                && (parameter.is_required() || parameter.default.as_ref().is_some_and(Value::is_string));
            let value = Expression { code: name.to_owned(), is_text };
            return (fields.is_empty() || has_fields).then(|| value.field(fields));
        }
        if let Some(key) = self.result(name) {
            let code = format!("{}['{key}']", self.own_name("results"));
            return Some(Expression { code, is_text: false }.field(fields));
        }
        // Outside typed actions `{{github.ref}}` is more likely a text for another program.
        if !fields.is_empty() && self.braces == Braces::Double {
            return None;
        }
        self.miss(name, !fields.is_empty());
        Some(Expression { code: name.to_owned(), is_text: false }.field(fields))
    }

    /// The key of the result that a variable names: `latest_output`, or a `step_id` and `_output`.
    fn result(&self, name: &str) -> Option<&str> {
        if name == "latest_output" {
            return self.done.last().map(String::as_str);
        }
        let step_id = name.strip_suffix("_output")?;
        self.done.iter().find(|key| *key == step_id).map(String::as_str)
    }

    fn miss(&self, name: &str, has_fields: bool) {
        let kind = if has_fields { ParameterType::Object } else { ParameterType::String };
        let mut undeclared = self.undeclared.borrow_mut();
        match undeclared.iter_mut().find(|known| known.name == name) {
            Some(known) if has_fields => known.kind = kind,
            Some(_) => {}
            None => undeclared.push(Parameter {
                name: name.to_owned(),
                kind,
                required: None,
                default: None,
                description: None,
            }),
        }
    }
}

impl Expression {
    fn field(&self, fields: &[&str]) -> Self {
        if fields.is_empty() {
            return self.clone();
        }
        let path: String = fields.iter().map(|field| format!("['{field}']")).collect();
        Self { code: format!("{}{path}", self.code), is_text: false }
    }
}

/// Adds `text`, to the text before it if there is one.
pub fn push_text(parts: &mut Vec<Part>, text: &str) {
    if let Some(Part::Text(last)) = parts.last_mut() {
        last.push_str(text);
    } else if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}
