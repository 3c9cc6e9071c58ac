//! JSON from outside, read so that its values are kept as they are or refused.
//!
//! Whole numbers have any size here; `serde_json` keeps them as text. Inside itself it marks such a number as an object
//! with one field of a name of its own, so an object from outside that has this field would become a number: such text is
//! refused. Fractions are floats of 64 bits, and written in one way only, so that equal ones look equal.

use std::cmp::Ordering;

use num_bigint::BigInt;
use serde_json::{Map, Number, Value};

/// The most digits of a whole number: as many as Python reads and writes.
pub const MOST_DIGITS: usize = 4300;

/// The name that marks a number inside of `serde_json`.
const RESERVED_NAME: &str = "$serde_json::private::Number";
/// The part of it that is looked for first.
const RESERVED_PART: &[u8] = b"private::Number";
/// What a name that is written with escapes has, where plain letters are escaped.
const ESCAPED: &[u8] = b"\\u00";

/// What JSON can hold and this program can't keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unkept {
    /// Longer than what programs that read JSON take.
    #[error("{place} is a whole number of {digits} digits; at most {MOST_DIGITS} are kept, send it as a text")]
    TooLong {
        /// Where it is, as `` `rows[3]` ``.
        place: String,
        digits: usize,
    },
    /// Beyond what a float can be.
    #[error("{place} is {number}, which is more than a float can be; send it as a text")]
    TooLarge {
        /// Where it is.
        place: String,
        number: String,
    },
    /// A field that would change the object that it is in.
    #[error("it has a field named `{RESERVED_NAME}`, which can't be kept; give the field another name")]
    ReservedName,
}

/// Why text is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON.
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
    /// It has what can't be kept.
    #[error(transparent)]
    Unkept(#[from] Unkept),
}

/// The value that a text is.
///
/// # Errors
/// [`ReadError`].
pub fn read(text: &str) -> Result<Value, ReadError> {
    let mut value = serde_json::from_str(text)?;
    check_names(text.as_bytes())?;
    settle(&mut value)?;
    Ok(value)
}

/// Refuses JSON text with a field that would make a number of the object that it is in.
///
/// # Errors
/// [`Unkept::ReservedName`].
pub fn check_names(text: &[u8]) -> Result<(), Unkept> {
    let has = |part| memchr::memmem::find(text, part).is_some();
    // Most text has neither.
    if (has(RESERVED_PART) || has(ESCAPED)) && names(text).any(is_reserved_in_quotes) {
        return Err(Unkept::ReservedName);
    }
    Ok(())
}

/// Whether a field may not be called so.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    name == RESERVED_NAME
}

/// Refuses numbers that can't be kept, and gives equal fractions one form.
///
/// # Errors
/// [`Unkept`], with the place.
pub fn settle(value: &mut Value) -> Result<(), Unkept> {
    settle_at(value).map_err(Wrong::with_place)
}

/// The same for the fields of an object.
///
/// # Errors
/// [`Unkept`], with the place.
pub fn settle_fields(fields: &mut Map<String, Value>) -> Result<(), Unkept> {
    fields
        .iter_mut()
        .try_for_each(|(name, value)| settle_at(value).map_err(|wrong| wrong.under(name.clone()).with_place()))
}

/// Whether a number is a whole one, as Python reads it: `1.0` is none.
#[must_use]
pub fn is_whole(number: &Number) -> bool {
    !number.as_str().contains(['.', 'e', 'E'])
}

/// A whole number, whatever its size.
#[must_use]
pub fn whole(number: &Number) -> Option<BigInt> {
    is_whole(number).then(|| number.as_str().parse().ok())?
}

/// A JSON number for a whole number.
///
/// # Errors
/// How many digits it has, about, where those are more than [`MOST_DIGITS`].
pub fn number(whole: &BigInt) -> Result<Number, usize> {
    // Writing the digits takes time that grows with the square of their number.
    let digits = usize::try_from(whole.bits().saturating_mul(1000) / 3322).unwrap_or(usize::MAX);
    if digits > MOST_DIGITS {
        return Err(digits);
    }
    let text = whole.to_string();
    let digits = text.trim_start_matches('-').len();
    if digits > MOST_DIGITS { Err(digits) } else { text.parse().map_err(|_| digits) }
}

/// The order of two numbers, without rounding.
#[must_use]
pub fn compare(one: &Number, other: &Number) -> Ordering {
    if let (Some(one), Some(other)) = (one.as_i64(), other.as_i64()) {
        return one.cmp(&other);
    }
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(one), None) => compare_whole(&one, float(other)),
        (None, Some(other)) => compare_whole(&other, float(one)).reverse(),
        (None, None) => order(float(one), float(other)),
    }
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

fn compare_whole(whole: &BigInt, float: f64) -> Ordering {
    // Without an exponent, a float is written with all its digits.
    let truncated: BigInt = format!("{:.0}", float.trunc()).parse().unwrap_or_default();
    whole.cmp(&truncated).then_with(|| order(0.0, float.fract()))
}

/// JSON has no numbers that can't be compared; both zeros are one number.
fn order(one: f64, other: f64) -> Ordering {
    one.partial_cmp(&other).unwrap_or(Ordering::Equal)
}

/// A number that can't be kept, and the way to it from the inside out.
struct Wrong {
    number: String,
    way: Vec<Step>,
}

enum Step {
    Field(String),
    Item(usize),
}

impl Wrong {
    fn under(mut self, name: String) -> Self {
        self.way.push(Step::Field(name));
        self
    }

    fn with_place(self) -> Unkept {
        let mut place = String::new();
        for step in self.way.iter().rev() {
            match step {
                Step::Field(name) if place.is_empty() => place.push_str(name),
                Step::Field(name) => {
                    place.push('.');
                    place.push_str(name);
                }
                Step::Item(index) => place.push_str(&format!("[{index}]")),
            }
        }
        let place = if place.is_empty() { "it".to_owned() } else { format!("`{place}`") };
        if self.number.contains(['.', 'e', 'E']) {
            return Unkept::TooLarge { place, number: self.number.chars().take(40).collect() };
        }
        Unkept::TooLong { place, digits: self.number.trim_start_matches('-').len() }
    }
}

fn settle_at(value: &mut Value) -> Result<(), Wrong> {
    match value {
        Value::Number(number) => {
            let text = number.as_str();
            let wrong = || Wrong { number: text.to_owned(), way: Vec::new() };
            if is_whole(number) {
                return if text.len() <= MOST_DIGITS || text.trim_start_matches('-').len() <= MOST_DIGITS {
                    Ok(())
                } else {
                    Err(wrong())
                };
            }
            *number = number.as_f64().and_then(Number::from_f64).ok_or_else(wrong)?;
            Ok(())
        }
        Value::Array(items) => items.iter_mut().enumerate().try_for_each(|(index, item)| {
            settle_at(item).map_err(|mut wrong| {
                wrong.way.push(Step::Item(index));
                wrong
            })
        }),
        Value::Object(fields) => {
            fields.iter_mut().try_for_each(|(name, value)| settle_at(value).map_err(|wrong| wrong.under(name.clone())))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// The names of all fields of JSON text, in their quotes.
fn names(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + memchr::memchr(b'"', text.get(at..)?)?;
            let mut end = start + 1;
            loop {
                end += memchr::memchr2(b'"', b'\\', text.get(end..)?)?;
                if text.get(end) == Some(&b'"') {
                    break;
                }
                end += 2;
            }
            at = end + 1;
            let after = text.get(at..)?.iter().find(|byte| !byte.is_ascii_whitespace());
            if after == Some(&b':') {
                return text.get(start..at);
            }
        }
    })
}

fn is_reserved_in_quotes(name: &[u8]) -> bool {
    serde_json::from_slice::<String>(name).is_ok_and(|name| is_reserved(&name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_of_any_size_come_back_as_they_are() {
        let digits = "9".repeat(MOST_DIGITS);
        for text in ["123456789012345678901", "-123456789012345678901", "18446744073709551616", "0", digits.as_str()] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        let value = read(r#"{"a":[{"b":1180591620717411303424}]}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"a":[{"b":1180591620717411303424}]}"#);
        // Through text and through a value, a type with fields of its own in between.
        let again: Value = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(again, value);
    }

    #[test]
    fn fractions_stay_fractions_and_equal_ones_look_equal() {
        for (text, wanted) in [
            ("1.0", "1.0"),
            ("-0.0", "-0.0"),
            ("1e2", "100.0"),
            ("100.00", "100.0"),
            ("0.1", "0.1"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ] {
            let value = read(text).unwrap();
            assert_eq!(value.to_string(), wanted);
            assert_eq!(value.as_f64().unwrap().to_bits(), text.parse::<f64>().unwrap().to_bits());
        }
        assert_eq!(read("1E2").unwrap(), json!(100.0));
    }

    #[test]
    fn what_can_not_be_kept_is_named_with_its_place() {
        let long = "7".repeat(MOST_DIGITS + 1);
        let refusal = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(
            refusal(&format!(r#"{{"rows":[0,{{"n":-{long}}}]}}"#)),
            "`rows[1].n` is a whole number of 4301 digits; at most 4300 are kept, send it as a text"
        );
        assert_eq!(refusal("[1e400]"), "`[0]` is 1e+400, which is more than a float can be; send it as a text");
        assert!(refusal(&long).starts_with("it is a whole number of 4301 digits"));
    }

    #[test]
    fn no_object_becomes_a_number() {
        let name = RESERVED_NAME;
        let escaped: String = name.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        for text in [
            format!(r#"{{"{name}":"5"}}"#),
            format!(r#"{{"{name}" : "5"}}"#),
            format!(r#"{{"a":[{{"{name}":"5"}}]}}"#),
            format!(r#"{{"{escaped}":"5"}}"#),
            format!(r#"{{"\u0024{}":"1e5","b":1}}"#, &name[1..]),
            format!(r#"{{"{}\u004eumber":"5"}}"#, &name[..name.len() - 6]),
            format!(r#"{{"a":"\\","{name}":"5"}}"#),
        ] {
            assert_eq!(check_names(text.as_bytes()), Err(Unkept::ReservedName), "{text}");
            assert!(read(&text).is_err(), "{text}");
        }
        for text in [
            format!(r#"{{"a":"{name}"}}"#),
            format!(r#"["{name}"]"#),
            format!(r#"{{"x{name}":"5","b\u003c":1}}"#),
            r#"{"code":"{\"$serde_json::private::Number\": 1}"}"#.to_owned(),
        ] {
            assert_eq!(check_names(text.as_bytes()), Ok(()), "{text}");
            assert_eq!(read(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        }
    }

    #[test]
    fn numbers_are_compared_without_rounding() {
        let order = |one: &str, other: &str| {
            let [one, other] = [one, other].map(|text| text.parse::<Number>().unwrap());
            assert_eq!(compare(&other, &one), compare(&one, &other).reverse());
            compare(&one, &other)
        };
        assert_eq!(order("123456789012345678901", "123456789012345678902"), Ordering::Less);
        assert_eq!(order("9007199254740993", "9007199254740992.0"), Ordering::Greater);
        assert_eq!(order("1180591620717411303424", "1180591620717411303424.0"), Ordering::Equal);
        assert_eq!(order("1", "1.0"), Ordering::Equal);
        assert_eq!(order("-1", "-1.5"), Ordering::Greater);
        assert_eq!(order("0", "-0.0"), Ordering::Equal);
        assert_eq!(order("1", "1e300"), Ordering::Less);
    }

    #[test]
    fn a_whole_number_is_written_unless_it_is_too_long() {
        let power = |exponent| BigInt::from(10).pow(exponent);
        assert_eq!(number(&power(30)).unwrap().to_string(), format!("1{}", "0".repeat(30)));
        assert!(number(&power(4299)).is_ok());
        assert_eq!(number(&power(4300)), Err(4301));
        assert!(number(&-power(20_000)).is_err());
    }

    proptest! {
        #[test]
        fn names_are_those_that_the_reader_sees(names in proptest::collection::btree_map(any::<String>(), any::<String>(), 0..5)) {
            let text = serde_json::to_string(&names).unwrap();
            let found: Vec<String> =
                super::names(text.as_bytes()).map(|name| serde_json::from_slice(name).unwrap()).collect();
            prop_assert_eq!(found, names.keys().cloned().collect::<Vec<_>>());
        }
    }
}
