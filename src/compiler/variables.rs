//! `{{variables}}` in texts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::python::is_identifier;
use crate::domain::{Definition, Step};

/// A text cut at its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Plain text.
    Text(&'t str),
    /// The name of a variable.
    Variable(&'t str),
}

/// Cuts `text` at its `{{variables}}`. Double braces around anything but an identifier are plain text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain_from = 0;
    let mut search_from = 0;
    while let Some(open) = text[search_from..].find("{{").map(|at| at + search_from) {
        let Some(close) = text[open..].find("}}").map(|at| at + open) else { break };
        let name = text[open + 2..close].trim();
        if is_identifier(name) {
            if plain_from < open {
                pieces.push(Piece::Text(&text[plain_from..open]));
            }
            pieces.push(Piece::Variable(name));
            plain_from = close + 2;
            search_from = plain_from;
        } else {
            search_from = open + 1;
        }
    }
    if plain_from < text.len() {
        pieces.push(Piece::Text(&text[plain_from..]));
    }
    pieces
}

/// The variables of a definition's steps and template, in the order in which they are first used.
#[must_use]
pub fn variables(definition: &Definition) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut collect = |text: &str| {
        for piece in pieces(text) {
            if let Piece::Variable(name) = piece
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
    };
    for step in &definition.steps {
        match step {
            Step::Sentence(sentence) => collect(sentence),
            Step::Command(step) => step.command.iter().for_each(|word| collect(word)),
            Step::Procedure(step) => in_values(&step.arguments, &mut collect),
        }
    }
    if let Some(template) = &definition.template {
        collect(template);
    }
    names
}

fn in_values(values: &BTreeMap<String, Value>, collect: &mut impl FnMut(&str)) {
    fn walk(value: &Value, collect: &mut impl FnMut(&str)) {
        match value {
            Value::String(text) => collect(text),
            Value::Array(items) => items.iter().for_each(|item| walk(item, collect)),
            Value::Object(map) => map.values().for_each(|item| walk(item, collect)),
            _ => {}
        }
    }
    values.values().for_each(|value| walk(value, collect));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn variables_are_found_among_other_braces() {
        assert_eq!(
            pieces("a {{ b }} {{not this}} {c} {{d}}"),
            [Piece::Text("a "), Piece::Variable("b"), Piece::Text(" {{not this}} {c} "), Piece::Variable("d"),]
        );
        assert_eq!(pieces("{{{{x}}"), [Piece::Text("{{"), Piece::Variable("x")]);
        assert_eq!(pieces("{{open"), [Piece::Text("{{open")]);
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in "[a-z{} \\n]{0,60}") {
            let rebuilt: usize = pieces(&text).iter().map(|piece| match piece {
                Piece::Text(text) => text.len(),
                Piece::Variable(name) => name.len(),
            }).sum();
            prop_assert!(rebuilt <= text.len());
            let plain: String = pieces(&text).iter().filter_map(|piece| match piece {
                Piece::Text(text) => Some(*text),
                Piece::Variable(_) => None,
            }).collect();
            prop_assert!(!text.contains("{{") || plain.len() <= text.len());
        }
    }
}
