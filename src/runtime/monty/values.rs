//! Values across the border: JSON to Python and back.
//!
//! What JSON has a form for is kept; what it has none for is refused, with its place. Tuples are lists, dates and paths
//! their texts, instances dictionaries of their attributes; numbers and truth values that are keys are their texts, as
//! `json.dumps` has it.

use monty_types::{
    MontyObject, MontyUuid, ObjectRef,
    unstable::{self, MontyNode},
};
use serde_json::{Map, Number, Value};

use crate::{domain::json, runtime::PythonError};

/// Deepest nesting that goes out: a little less than what JSON readers accept.
const MAX_LEVELS: usize = 100;
/// What is shown of a value that is refused.
const SHOWN_CHARS: usize = 60;

/// A Python value for a JSON value.
pub fn to_python(value: &Value) -> MontyObject {
    match value {
        Value::Null => MontyObject::none(),
        Value::Bool(value) => MontyObject::bool(*value),
        Value::Number(number) => match (number.as_i64(), json::whole(number)) {
            (Some(value), _) => MontyObject::int(value),
            (None, Some(value)) => MontyObject::bigint(value),
            (None, None) => MontyObject::float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(value) => MontyObject::string(value.as_str()),
        Value::Array(items) => MontyObject::list(items.iter().map(to_python)),
        Value::Object(map) => {
            MontyObject::dict(map.iter().map(|(key, value)| (MontyObject::string(key.as_str()), to_python(value))))
        }
    }
}

/// An instance of a host class: its fields are attributes in Python.
pub fn to_instance(class: &str, fields: &Map<String, Value>) -> MontyObject {
    let class_type = MontyObject::class_type(class, class_id(class), true, false, []);
    let attributes = fields.iter().map(|(key, value)| (MontyObject::string(key.as_str()), to_python(value)));
    MontyObject::class_instance(class_type, MontyUuid::from_u128(uuid::Uuid::now_v7().as_u128()), attributes)
}

/// The host class as a value that code can import, for example for annotations.
pub fn to_class(class: &str) -> MontyObject {
    MontyObject::class_type(class, class_id(class), true, false, [])
}

/// The same class has the same id everywhere, so that values survive a move to another worker.
fn class_id(class: &str) -> MontyUuid {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(class.bytes()) {
        *slot = byte;
    }
    MontyUuid::from_u128(u128::from_be_bytes(bytes))
}

/// Why a Python value does not go out.
#[derive(Debug)]
pub enum Refusal {
    /// It is larger than allowed.
    Size(String),
    /// It is deeper than JSON readers accept.
    Depth(String),
    /// It has something that JSON has no form for.
    Value(PythonError),
}

impl Refusal {
    /// As the exception that code gets.
    pub fn into_error(self) -> PythonError {
        match self {
            Self::Size(message) | Self::Depth(message) => PythonError::new("ValueError", message),
            Self::Value(error) => error,
        }
    }
}

/// JSON for a Python value that is called `name`, of at most `limit` bytes of text.
///
/// Bytes are counted while the value is walked: a kilobyte of objects that share parts can stand for a gigabyte of JSON.
pub fn to_json(value: ObjectRef<'_>, name: &str, limit: usize) -> Result<Value, Refusal> {
    let mut left = limit;
    convert(value, &mut left, 0).map_err(|wrong| match wrong.why {
        Why::TooLarge => Refusal::Size(format!("{name} is larger than {} KiB as JSON", limit.div_ceil(1024))),
        Why::TooDeep => Refusal::Depth(format!("{name} is nested more than {MAX_LEVELS} levels deep")),
        Why::Formless { kind, what } => {
            let place: String = wrong.way.into_iter().rev().collect();
            Refusal::Value(PythonError::new(kind, format!("`{name}{place}` {what}")))
        }
    })
}

/// A path or a text as itself; anything else as Python shows it.
pub fn to_text(value: ObjectRef<'_>) -> String {
    match unstable::node(value) {
        MontyNode::Path(path) => path.clone(),
        _ => value.to_string(),
    }
}

/// What can't go out, and the way to it from the inside out.
struct Wrong {
    why: Why,
    way: Vec<String>,
}

enum Why {
    TooLarge,
    TooDeep,
    /// The class of the exception, and what is said of the place.
    Formless {
        kind: &'static str,
        what: String,
    },
}

impl Wrong {
    const fn new(why: Why) -> Self {
        Self { why, way: Vec::new() }
    }

    fn formless(kind: &'static str, what: impl Into<String>) -> Self {
        Self::new(Why::Formless { kind, what: what.into() })
    }

    fn under(mut self, step: impl FnOnce() -> String) -> Self {
        if matches!(self.why, Why::Formless { .. }) {
            self.way.push(step());
        }
        self
    }
}

fn charge(left: &mut usize, bytes: usize) -> Result<(), Wrong> {
    *left = left.checked_sub(bytes).ok_or(Wrong::new(Why::TooLarge))?;
    Ok(())
}

fn text(value: String, left: &mut usize) -> Result<Value, Wrong> {
    charge(left, value.len() + 2)?;
    Ok(Value::String(value))
}

fn convert(value: ObjectRef<'_>, left: &mut usize, depth: usize) -> Result<Value, Wrong> {
    if depth > MAX_LEVELS {
        return Err(Wrong::new(Why::TooDeep));
    }
    charge(left, 2)?;
    match unstable::node(value) {
        MontyNode::None => Ok(Value::Null),
        MontyNode::Bool(value) => Ok(Value::Bool(*value)),
        MontyNode::Int(value) => {
            charge(left, 8)?;
            Ok(Value::from(*value))
        }
        MontyNode::BigInt(value) => {
            let number = json::number(value).map_err(|digits| {
                let most = json::MOST_DIGITS;
                Wrong::formless("ValueError", format!("has about {digits} digits, and at most {most} are kept"))
            })?;
            charge(left, number.as_str().len())?;
            Ok(Value::Number(number))
        }
        MontyNode::Float(value) => {
            charge(left, 8)?;
            let number = Number::from_f64(*value).ok_or_else(|| {
                let shown = value.to_string().to_lowercase();
                Wrong::formless("ValueError", format!("is {shown}, and JSON has finite numbers only"))
            })?;
            Ok(Value::Number(number))
        }
        MontyNode::String(value) => {
            // Before it is copied.
            charge(left, value.len() + 2)?;
            Ok(Value::String(value.clone()))
        }
        MontyNode::Path(path) => text(path.clone(), left),
        MontyNode::Date(date) => text(format!("{:04}-{:02}-{:02}", date.year, date.month, date.day), left),
        MontyNode::DateTime(at) => text(iso_datetime(at), left),
        MontyNode::Dict(_) => object(value, left, depth, true),
        MontyNode::ClassInstance { .. } => object(value, left, depth, false),
        MontyNode::List(_) | MontyNode::Tuple(_) | MontyNode::NamedTuple { .. } => {
            let items = value.items().unwrap_or_default().into_iter().enumerate();
            let item =
                |(index, item)| convert(item, left, depth + 1).map_err(|wrong| wrong.under(|| format!("[{index}]")));
            items.map(item).collect()
        }
        node => Err(no_form(node, value)),
    }
}

/// The refusal of a value that JSON has no form for, with what might be meant.
fn no_form(node: &MontyNode, value: ObjectRef<'_>) -> Wrong {
    let shown: String = match node {
        MontyNode::Repr(shown) => shown.chars().take(SHOWN_CHARS).collect(),
        MontyNode::Cycle(_) => return Wrong::formless("ValueError", "contains itself"),
        _ => value.py_repr().chars().take(SHOWN_CHARS).collect(),
    };
    let instead = match node {
        MontyNode::Set(_) | MontyNode::FrozenSet(_) => "make a list of it: `sorted(…)`",
        MontyNode::Bytes(_) => "make a text of it: `.decode()`",
        MontyNode::Decimal(_) => "make a text or a float of it: `str(…)`, `float(…)`",
        MontyNode::TimeDelta(_) => "make a number of it: `.total_seconds()`",
        MontyNode::Time(_) | MontyNode::TimeZone(_) => "make a text of it: `str(…)`",
        MontyNode::Repr(shown) if shown.starts_with("range(") || shown.starts_with("dict_") => {
            "make a list of it: `list(…)`"
        }
        _ => "give dictionaries, lists, texts, numbers, True, False or None",
    };
    Wrong::formless("TypeError", format!("is `{shown}`, which has no form in JSON; {instead}"))
}

fn object(value: ObjectRef<'_>, left: &mut usize, depth: usize, is_dict: bool) -> Result<Value, Wrong> {
    let mut map = Map::new();
    for (key, value) in value.pairs().unwrap_or_default() {
        let name = name_of(key)?;
        charge(left, name.len() + 4)?;
        let step = || match key.as_str() {
            Some(_) if !is_dict => format!(".{name}"),
            Some(_) => format!("[{}]", Value::from(shortened(&name))),
            None => format!("[{}]", key.py_repr()),
        };
        let value = convert(value, left, depth + 1).map_err(|wrong| wrong.under(step))?;
        if map.contains_key(&name) {
            let what = format!("has two keys that are `\"{}\"` in JSON", shortened(&name));
            return Err(Wrong::formless("ValueError", what));
        }
        map.insert(name, value);
    }
    Ok(Value::Object(map))
}

/// A key as JSON has it.
fn name_of(key: ObjectRef<'_>) -> Result<String, Wrong> {
    let name = match unstable::node(key) {
        MontyNode::String(key) => key.clone(),
        MontyNode::Bool(key) => key.to_string(),
        MontyNode::Int(key) => key.to_string(),
        MontyNode::BigInt(key) => match json::number(key) {
            Ok(number) => number.to_string(),
            Err(digits) => return Err(Wrong::formless("ValueError", format!("has a key of about {digits} digits"))),
        },
        MontyNode::Float(_) => key.py_repr(),
        _ => {
            let shown = shortened(&key.py_repr());
            let what = format!("has the key `{shown}`, which has no form in JSON; use texts as keys: `str(…)`");
            return Err(Wrong::formless("TypeError", what));
        }
    };
    if json::is_reserved(&name) {
        return Err(Wrong::formless(
            "ValueError",
            format!("has the key `{name}`, which can't be kept; give it another"),
        ));
    }
    Ok(name)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn iso_datetime(at: &monty_types::MontyDateTime) -> String {
    use std::fmt::Write as _;
    let mut text =
        format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute, at.second);
    if at.microsecond != 0 {
        let _ = write!(text, ".{:06}", at.microsecond);
    }
    if let Some(offset) = at.offset_seconds {
        let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs() / 60);
        let _ = write!(text, "{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    }
    text
}

#[cfg(test)]
mod tests {
    use monty_types::MontyType;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn number() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "-?[1-9][0-9]{18,60}".prop_map(|digits| json::read(&digits).unwrap()),
            any::<f64>().prop_filter("JSON has no others", |float| float.is_finite()).prop_map(Value::from),
        ]
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            number(),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_comes_back_unchanged(value in json_value()) {
            let back = to_json(to_python(&value).as_ref(), "it", 1 << 20).unwrap();
            prop_assert_eq!(back.to_string(), value.to_string());
        }
    }

    fn refusal(value: &MontyObject) -> String {
        let error = to_json(value.as_ref(), "result", 1 << 20).unwrap_err().into_error();
        format!("{}: {}", error.kind, error.message)
    }

    #[test]
    fn size_and_depth_are_limited() {
        let long = to_python(&json!(vec!["0123456789"; 200]));
        let Err(Refusal::Size(why)) = to_json(long.as_ref(), "it", 1024) else { panic!("it fits") };
        assert_eq!(why, "it is larger than 1 KiB as JSON");
        let deep = (0..200).fold(MontyObject::none(), |inner, _| MontyObject::list([inner]));
        assert!(refusal(&deep).contains("nested"));
    }

    #[test]
    fn what_json_has_no_form_for_is_refused_with_its_place() {
        let rows = |value| {
            let rows = MontyObject::list([MontyObject::int(1), value]);
            MontyObject::dict([(MontyObject::string("rows"), rows)])
        };
        let one = || MontyObject::int(1);
        for (value, wanted) in [
            (
                MontyObject::float(f64::NAN),
                "ValueError: `result[\"rows\"][1]` is nan, and JSON has finite numbers only",
            ),
            (MontyObject::float(f64::NEG_INFINITY), "ValueError: `result[\"rows\"][1]` is -inf"),
            (
                MontyObject::set([one()]),
                "TypeError: `result[\"rows\"][1]` is `{1}`, which has no form in JSON; make a list",
            ),
            (MontyObject::bytes("ab"), "TypeError: `result[\"rows\"][1]` is `b'ab'`, which has no form"),
            (MontyObject::repr("range(0, 5)"), "TypeError: `result[\"rows\"][1]` is `range(0, 5)`, which has no form"),
            (MontyObject::type_object(MontyType::Int), "TypeError: `result[\"rows\"][1]` is `<class 'int'>`"),
            (MontyObject::cycle("[...]"), "ValueError: `result[\"rows\"][1]` contains itself"),
            (
                MontyObject::dict([(MontyObject::none(), one())]),
                "TypeError: `result[\"rows\"][1]` has the key `None`, which has no form in JSON",
            ),
            (
                MontyObject::dict([(MontyObject::tuple([one(), one()]), one())]),
                "TypeError: `result[\"rows\"][1]` has the key `(1, 1)`",
            ),
            (
                MontyObject::dict([(one(), one()), (MontyObject::string("1"), one())]),
                "ValueError: `result[\"rows\"][1]` has two keys that are `\"1\"` in JSON",
            ),
            (
                MontyObject::dict([(MontyObject::bool(true), one()), (MontyObject::string("true"), one())]),
                "ValueError: `result[\"rows\"][1]` has two keys that are `\"true\"`",
            ),
            (
                MontyObject::dict([(MontyObject::string("$serde_json::private::Number"), MontyObject::string("5"))]),
                "ValueError: `result[\"rows\"][1]` has the key `$serde_json::private::Number`, which can't be kept",
            ),
        ] {
            let said = refusal(&rows(value));
            assert!(said.starts_with(wanted), "{said}");
        }
        let long = MontyObject::bigint(json::whole(&"9".repeat(5000).parse().unwrap()).unwrap());
        assert_eq!(refusal(&long), "ValueError: `result` has about 5000 digits, and at most 4300 are kept");
    }

    #[test]
    fn what_has_a_form_has_the_one_of_json_dumps() {
        let key = |key| MontyObject::dict([(key, MontyObject::tuple([MontyObject::none()]))]);
        for (value, wanted) in [
            (key(MontyObject::int(-3)), json!({"-3": [null]})),
            (key(MontyObject::float(1.0)), json!({"1.0": [null]})),
            (key(MontyObject::bool(false)), json!({"false": [null]})),
            (MontyObject::path("/a/b"), json!("/a/b")),
        ] {
            assert_eq!(to_json(value.as_ref(), "it", 100).unwrap(), wanted);
        }
    }
}
