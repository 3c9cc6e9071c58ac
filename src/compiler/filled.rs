//! Filling in a template at once, for whoever wants its text rather than code that makes it.

use serde_json::Value;

use super::variables::{Braces, Piece, pieces};

/// The variables of a template, in the order of use.
#[must_use]
pub fn variables_of(template: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for piece in pieces(template, Braces::Double) {
        if let Piece::Variable { name, .. } = piece
            && names.iter().all(|known| known != name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// The text of a template, with what `value_of` knows of its variables. Others stay as they are written.
#[must_use]
pub fn filled(template: &str, value_of: impl Fn(&str) -> Option<Value>) -> String {
    let mut text = String::with_capacity(template.len());
    for piece in pieces(template, Braces::Double) {
        match piece {
            Piece::Text(plain) | Piece::Escaped { text: plain, .. } => text.push_str(plain),
            Piece::Variable { raw, name, fields } => {
                let value = value_of(name);
                match fields.iter().try_fold(value.as_ref(), |value, field| inner(value?, field).map(Some)).flatten() {
                    Some(Value::String(value)) => text.push_str(value),
                    Some(value) => text.push_str(&value.to_string()),
                    None => text.push_str(raw),
                }
            }
        }
    }
    text
}

fn inner<'v>(value: &'v Value, field: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) => fields.get(field),
        Value::Array(items) => items.get(field.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEMPLATE: &str =
        "Dear {{name}}, {{order.items.0}} of {{order.id}} is ready, {{name}}. \\{{name}} {{unknown}} {plain}";

    #[test]
    fn variables_come_in_the_order_of_use_and_once() {
        assert_eq!(variables_of(TEMPLATE), ["name", "order", "unknown"]);
    }

    #[test]
    fn what_is_not_known_stays_as_it_is_written() {
        let values = json!({"name": "Ada", "order": {"items": ["tea"], "id": 7}});
        let text = filled(TEMPLATE, |name| values.get(name).cloned());
        assert_eq!(text, "Dear Ada, tea of 7 is ready, Ada. {{name}} {{unknown}} {plain}");
        assert_eq!(filled("{{order.nothing}}", |name| values.get(name).cloned()), "{{order.nothing}}");
    }
}
