//! Making of a value what it means.

use serde_json::{Map, Number, Value};

use super::{
    Misfit,
    shape::{Field, Shape},
};

/// Whole numbers up to here are the same as floats.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// `value` as `shape` has it, where it can mean that.
///
/// # Errors
/// [`Misfit`] says where it can't, and what is wanted there.
pub fn fit(value: Value, shape: &Shape) -> Result<Value, Misfit> {
    match (shape, value) {
        (Shape::Anything, value) => Ok(value),
        (Shape::Text | Shape::Word(_), text @ Value::String(_)) => Ok(text),
        (Shape::Formatted(format), Value::String(text)) if format.accepts(&text) => Ok(Value::String(text)),
        (Shape::Text, Value::Number(number)) => Ok(Value::String(number.to_string())),
        (Shape::Whole { least, most }, value) => fit_whole(&value, *least, *most, shape),
        (Shape::Number, number @ Value::Number(_)) => Ok(number),
        (Shape::Number, Value::String(text)) => match number_in(&text) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(Misfit::wrong(shape.name(), &Value::String(text))),
        },
        (Shape::Truth, truth @ Value::Bool(_)) => Ok(truth),
        (Shape::Truth, Value::String(text)) => match text.trim() {
            word if word.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            word if word.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => Err(Misfit::wrong(shape.name(), &Value::String(text))),
        },
        (Shape::List { item, .. }, Value::Array(items)) => fit_items(items, |_| item),
        (Shape::List { takes_one, .. }, Value::String(text)) => match unpacked(&text) {
            Some(items @ Value::Array(_)) => fit(items, shape),
            _ if *takes_one => Ok(Value::Array(vec![Value::String(text)])),
            _ => Err(Misfit::wrong(shape.name(), &Value::String(text))),
        },
        (Shape::Tuple(shapes), Value::Array(items)) if items.len() == shapes.len() => {
            fit_items(items, |index| &shapes[index])
        }
        (Shape::Map(item), Value::Object(fields)) => fit_map(fields, item),
        (Shape::Record { fields, is_open }, Value::Object(given)) => fit_record(given, fields, *is_open),
        (Shape::Tuple(_), Value::String(text)) => unpack(text, Value::is_array, shape),
        (Shape::Map(_) | Shape::Record { .. }, Value::String(text)) => unpack(text, Value::is_object, shape),
        (Shape::OneOf(shapes), value) => fit_one_of(value, shapes, shape),
        (Shape::Literal(values), value) => fit_literal(value, values, shape),
        (Shape::Null, Value::Null) => Ok(Value::Null),
        (_, value) => Err(Misfit::wrong(shape.name(), &value)),
    }
}

/// Whether `value` is of that shape as it stands.
#[must_use]
pub fn accepts(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Anything, _)
        | (Shape::Null, Value::Null)
        | (Shape::Text, Value::String(_))
        | (Shape::Number, Value::Number(_))
        | (Shape::Truth, Value::Bool(_))
        | (Shape::Record { .. }, Value::Object(_)) => true,
        (Shape::Formatted(format), Value::String(text)) => format.accepts(text),
        (Shape::Word(words), Value::String(text)) => words.contains(text),
        (Shape::Whole { least, most }, Value::Number(number)) => {
            is_written_whole(number) && whole_in(number, *least, *most).is_some()
        }
        (Shape::List { item, .. }, Value::Array(items)) => items.iter().all(|value| accepts(item, value)),
        (Shape::Tuple(shapes), Value::Array(items)) => {
            items.len() == shapes.len() && shapes.iter().zip(items).all(|(shape, value)| accepts(shape, value))
        }
        (Shape::Map(item), Value::Object(fields)) => fields.values().all(|value| accepts(item, value)),
        (Shape::OneOf(shapes), value) => shapes.iter().any(|shape| accepts(shape, value)),
        (Shape::Literal(values), value) => values.contains(value),
        _ => false,
    }
}

/// JSON that a text is, when it is an object or a list.
fn unpacked(text: &str) -> Option<Value> {
    let text = text.trim();
    text.starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten()
}

fn unpack(text: String, is_wanted: fn(&Value) -> bool, shape: &Shape) -> Result<Value, Misfit> {
    match unpacked(&text).filter(is_wanted) {
        Some(value) => fit(value, shape),
        None => Err(Misfit::wrong(shape.name(), &Value::String(text))),
    }
}

fn number_in(text: &str) -> Option<Number> {
    serde_json::from_str(text.trim()).ok()
}

fn is_written_whole(number: &Number) -> bool {
    let written = number.to_string();
    written.strip_prefix('-').unwrap_or(&written).bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number, also where it is written with a fraction of nothing.
fn whole_in(number: &Number, least: i128, most: i128) -> Option<Number> {
    if is_written_whole(number) {
        return match number.to_string().parse::<i128>() {
            Ok(whole) => (least..=most).contains(&whole).then(|| number.clone()),
            // Larger than any bound.
            Err(_) => (least == i128::MIN && most == i128::MAX).then(|| number.clone()),
        };
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= MAX_EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within the bounds")]
    let whole = float as i64;
    (least..=most).contains(&i128::from(whole)).then(|| whole.into())
}

fn fit_whole(value: &Value, least: i128, most: i128, shape: &Shape) -> Result<Value, Misfit> {
    let number = match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => number_in(text),
        _ => None,
    };
    if let Some(whole) = number.as_ref().and_then(|number| whole_in(number, least, most)) {
        return Ok(Value::Number(whole));
    }
    let is_too_large =
        number.as_ref().and_then(Number::as_f64).is_some_and(|number| number.fract() == 0.0 && number > 0.0);
    let wanted =
        if is_too_large && most < i128::MAX { format!("{} to {most}", from_least(shape, least)) } else { shape.name() };
    Err(Misfit::wrong(wanted, value))
}

fn from_least(shape: &Shape, least: i128) -> String {
    let name = shape.name();
    if name.contains(" from ") { name } else { format!("{name} from {least}") }
}

fn fit_items<'s>(items: Vec<Value>, shape: impl Fn(usize) -> &'s Shape) -> Result<Value, Misfit> {
    let fitted = items.into_iter().enumerate();
    fitted.map(|(index, item)| fit(item, shape(index)).map_err(|misfit| misfit.in_item(index))).collect()
}

fn fit_map(fields: Map<String, Value>, item: &Shape) -> Result<Value, Misfit> {
    if *item == Shape::Anything {
        return Ok(Value::Object(fields));
    }
    let fitted = fields.into_iter().map(|(name, value)| match fit(value, item) {
        Ok(value) => Ok((name, value)),
        Err(misfit) => Err(misfit.in_field(&name)),
    });
    Ok(Value::Object(fitted.collect::<Result<_, _>>()?))
}

fn fit_record(given: Map<String, Value>, fields: &[Field], is_open: bool) -> Result<Value, Misfit> {
    let mut fitted = Map::new();
    for (name, value) in given {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            if !is_open {
                return Err(Misfit::unknown(&name, fields.iter().map(|field| field.name.clone()).collect()));
            }
            fitted.insert(name, value);
            continue;
        };
        if field.is_left_out_by(&value) {
            continue;
        }
        let value = fit(value, &field.shape).map_err(|misfit| misfit.in_field(&name))?;
        fitted.insert(name, value);
    }
    match fields.iter().find(|field| field.is_required && !fitted.contains_key(&field.name)) {
        Some(field) => Err(Misfit::missing(&field.name, field.shape.name())),
        None => Ok(Value::Object(fitted)),
    }
}

impl Field {
    /// Whether `value` says that this, which may be absent, is.
    #[must_use]
    pub fn is_left_out_by(&self, value: &Value) -> bool {
        if self.is_required {
            return false;
        }
        match value {
            Value::Null => !self.shape.admits_null(),
            Value::String(text) if self.is_reference && text.is_empty() => true,
            Value::String(text) if text.trim().is_empty() => !self.shape.admits_text(),
            _ => false,
        }
    }
}

fn fit_one_of(value: Value, shapes: &[Shape], all: &Shape) -> Result<Value, Misfit> {
    // An object that came as text, where a text may stand as well: no text that people write is one.
    if let Value::String(text) = &value
        && let Some(object @ Value::Object(_)) = unpacked(text)
        && let Some(record) = shapes.iter().find(|shape| knows_all_fields_of(shape, &object))
    {
        return fit(object, record);
    }
    if let Some(shape) = shapes.iter().find(|shape| accepts(shape, &value)) {
        return fit(value, shape);
    }
    // What is wrong inside is more than that it is none of these.
    let mut of_its_kind = shapes.iter().filter(|shape| is_kind_of(shape, &value));
    if let (Some(shape), None) = (of_its_kind.next(), of_its_kind.next()) {
        return fit(value, shape);
    }
    // A number becomes a text where nothing but a text may be, not where it may be meant for something else.
    let is_only_text = shapes.iter().all(|shape| matches!(shape, Shape::Text | Shape::Null));
    let is_guess = |shape: &&Shape| value.is_number() && !is_only_text && **shape == Shape::Text;
    let mut meant = shapes.iter().filter(|shape| !is_guess(shape));
    meant.find_map(|shape| fit(value.clone(), shape).ok()).ok_or_else(|| Misfit::wrong(all.name(), &value))
}

fn knows_all_fields_of(shape: &Shape, object: &Value) -> bool {
    match (shape, object) {
        (Shape::Record { fields, .. }, Value::Object(given)) => {
            !given.is_empty() && given.keys().all(|name| fields.iter().any(|field| field.name == *name))
        }
        _ => false,
    }
}

fn is_kind_of(shape: &Shape, value: &Value) -> bool {
    match value {
        Value::Array(_) => matches!(shape, Shape::List { .. } | Shape::Tuple(_)),
        Value::Object(_) => matches!(shape, Shape::Map(_) | Shape::Record { .. }),
        _ => false,
    }
}

fn fit_literal(value: Value, values: &[Value], shape: &Shape) -> Result<Value, Misfit> {
    if values.contains(&value) {
        return Ok(value);
    }
    let meant = match &value {
        Value::String(text) => serde_json::from_str::<Value>(&text.trim().to_ascii_lowercase()).ok(),
        Value::Number(number) => whole_in(number, i128::MIN, i128::MAX).map(Value::Number),
        _ => None,
    };
    // A text is never taken for null.
    match meant.filter(|meant| !meant.is_null() && values.contains(meant)) {
        Some(meant) => Ok(meant),
        None => Err(Misfit::wrong(shape.name(), &value)),
    }
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
