//! The parameters that were found in what was done: what they are called, and what they were.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::{Example, Parameter, ParameterType, host_module, name::slugify};

const MAX_PARAMETERS: usize = 30;

/// The parameters that were found, each with its values.
#[derive(Debug, Default)]
pub(super) struct Names {
    found: Vec<Named>,
}

#[derive(Debug)]
struct Named {
    name: String,
    value: Value,
    /// What it was in the earlier recording.
    before: Option<Value>,
}

impl Names {
    /// The variable for these values: the same values are the same parameter.
    pub(super) fn variable(&mut self, hint: Option<String>, value: &Value, before: Option<&Value>) -> String {
        let as_text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let known = self.found.iter_mut().find(|named| {
            as_text(&named.value) == as_text(value) && named.before.as_ref().map(as_text) == before.map(as_text)
        });
        if let Some(named) = known {
            // A number stays one, also where it is a word of a command.
            if value.is_number() {
                named.value = value.clone();
                named.before = before.cloned();
            }
            return format!("{{{{{}}}}}", named.name);
        }
        if self.found.len() >= MAX_PARAMETERS {
            return as_text(value);
        }
        let name = self.free(&name_of(hint, &as_text(value)));
        self.found.push(Named { name: name.clone(), value: value.clone(), before: before.cloned() });
        format!("{{{{{name}}}}}")
    }

    /// Whether a text is a value of a parameter.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.found.iter().any(|named| named.value.as_str() == Some(text))
    }

    fn free(&self, wanted: &str) -> String {
        let is_taken =
            |name: &str| self.found.iter().any(|named| named.name == name) || host_module::signature(name).is_some();
        let mut name = wanted.to_owned();
        let mut number = 2;
        while is_taken(&name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        name
    }

    pub(super) fn parameters(&self) -> Vec<Parameter> {
        let parameter = |named: &Named| {
            let kind = match &named.value {
                Value::Number(number) if number.is_f64() => ParameterType::Number,
                Value::Number(_) => ParameterType::Integer,
                _ => ParameterType::String,
            };
            // What was the same twice is what it usually is.
            let default = named.before.as_ref().filter(|before| **before == named.value).cloned();
            let shown = named.value.as_str().map_or_else(|| named.value.to_string(), str::to_owned);
            let shown: String = shown.chars().take(100).collect();
            Parameter {
                name: named.name.clone(),
                kind,
                choices: Vec::new(),
                required: None,
                default,
                description: Some(format!("Such as: {shown}")),
            }
        };
        self.found.iter().map(parameter).collect()
    }

    pub(super) fn examples(&self, has_two: bool) -> Vec<Example> {
        if self.found.is_empty() {
            return Vec::new();
        }
        let newest: BTreeMap<String, Value> = self.found.iter().map(|it| (it.name.clone(), it.value.clone())).collect();
        let before = self.found.iter().map(|it| Some((it.name.clone(), it.before.clone()?)));
        let before: Option<BTreeMap<String, Value>> = before.collect();
        let all = before.filter(|_| has_two).into_iter().chain([newest]);
        all.map(|parameters| Example { parameters, result: None, error: None, calls: None }).collect()
    }
}

/// A name that code can have.
fn name_of(hint: Option<String>, value: &str) -> String {
    const KEYWORDS: &str = " and as assert async await break class continue def del elif else except finally for from global if import \
                            in is lambda nonlocal not or pass raise return try while with yield true false none match case type ";
    let by_shape = || {
        let is_version = value.contains('.') && value.chars().all(|c| c.is_ascii_digit() || ".v".contains(c));
        match value {
            _ if value.contains("://") => "url",
            _ if is_version => "version",
            _ if value.contains('/') || value.rsplit_once('.').is_some_and(|(_, end)| (1..5).contains(&end.len())) => {
                "path"
            }
            _ if value.parse::<f64>().is_ok() => "number",
            _ if value.contains(' ') => "text",
            _ => "value",
        }
    };
    // One letter, as in `-m`, says nothing to anybody.
    let hint = hint.filter(|hint| hint.chars().count() > 1).unwrap_or_else(|| by_shape().to_owned());
    let name: String = slugify(&hint).replace('-', "_").chars().filter(char::is_ascii).take(40).collect();
    let is_usable = name.starts_with(|c: char| c.is_ascii_alphabetic());
    match is_usable {
        true if KEYWORDS.contains(&format!(" {name} ")) => format!("{name}_value"),
        true => name,
        false => by_shape().to_owned(),
    }
}
