//! JSON that is equal has one form: objects keep the order in which their fields came, and that order says nothing.
//!
//! Works on text: the state of a workflow may be a megabyte, and making a value of it takes longer than all the rest.

use std::ops::Range;

use serde::Serialize;
use serde_json::{Number, Value};

use super::json;

/// As deep as `serde_json` reads, too.
const MAX_DEPTH: u32 = 127;

/// Text that can't be read as JSON, or has a number that can't be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no JSON, nested more than {MAX_DEPTH} deep, or has a number that is too long")]
pub struct NotJson;

/// The hash of a JSON text, the same for equal values: 64 hexadecimal digits of BLAKE3.
///
/// # Errors
/// [`NotJson`].
pub fn hash(json: &str) -> Result<String, NotJson> {
    Ok(blake3::hash(&canonical(json)?).to_hex().to_string())
}

/// A value as compact JSON with the fields of every object sorted by name.
#[must_use]
pub fn canonical_value(value: &Value) -> Vec<u8> {
    // What was written from a value can be read.
    canonical(&value.to_string()).unwrap_or_default()
}

/// JSON in its compact form, with the fields of every object sorted by name; the last of those with one name counts.
fn canonical(json: &str) -> Result<Vec<u8>, NotJson> {
    let mut forms = Canonical { json, at: 0, out: Vec::with_capacity(json.len()), sorted: Vec::new(), depth: 0 };
    forms.value()?;
    forms.skip_space();
    if forms.at == json.len() { Ok(forms.out) } else { Err(NotJson) }
}

struct Canonical<'j> {
    json: &'j str,
    at: usize,
    out: Vec<u8>,
    /// Where fields are put in order; kept, because there are many objects.
    sorted: Vec<u8>,
    depth: u32,
}

/// A field in the text: all of it, and its name at the beginning.
struct Field {
    name: Range<usize>,
    end: usize,
}

impl Canonical<'_> {
    fn rest(&self) -> &[u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += self.rest().iter().position(|byte| !is_space(byte)).unwrap_or(self.rest().len());
    }

    /// Takes `byte` if it comes next, after space.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_space();
        let comes = self.rest().first() == Some(&byte);
        self.at += usize::from(comes);
        comes
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.takes(byte) { Ok(()) } else { Err(NotJson) }
    }

    fn value(&mut self) -> Result<(), NotJson> {
        self.skip_space();
        match self.rest().first().ok_or(NotJson)? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.text(),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<(), NotJson>) -> Result<(), NotJson> {
        if self.depth == MAX_DEPTH {
            return Err(NotJson);
        }
        self.at += 1;
        self.depth += 1;
        read(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self) -> Result<(), NotJson> {
        self.out.push(b'{');
        let start = self.out.len();
        let mut fields = Vec::new();
        if !self.takes(b'}') {
            loop {
                self.skip_space();
                let name = self.out.len();
                if self.rest().first() != Some(&b'"') {
                    return Err(NotJson);
                }
                self.text()?;
                let name = name..self.out.len();
                self.expect(b':')?;
                self.out.push(b':');
                self.value()?;
                fields.push(Field { name, end: self.out.len() });
                if !self.takes(b',') {
                    break;
                }
                self.out.push(b',');
            }
            self.expect(b'}')?;
        }
        self.sort(start, fields);
        self.out.push(b'}');
        Ok(())
    }

    /// Puts the fields that were written since `start` in the order of their names.
    fn sort(&mut self, start: usize, mut fields: Vec<Field>) {
        let name = |field: &Field| &self.out[field.name.clone()];
        if fields.is_sorted_by(|a, b| name(a) < name(b)) {
            return;
        }
        // Stable: of those with one name the last stays the last.
        fields.sort_by(|a, b| name(a).cmp(name(b)));
        self.sorted.clear();
        for (index, field) in fields.iter().enumerate() {
            if fields.get(index + 1).is_some_and(|next| name(next) == name(field)) {
                continue;
            }
            if !self.sorted.is_empty() {
                self.sorted.push(b',');
            }
            self.sorted.extend_from_slice(&self.out[field.name.start..field.end]);
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&self.sorted);
    }

    fn array(&mut self) -> Result<(), NotJson> {
        self.out.push(b'[');
        if !self.takes(b']') {
            loop {
                self.value()?;
                if !self.takes(b',') {
                    break;
                }
                self.out.push(b',');
            }
            self.expect(b']')?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// A text at its opening quote.
    fn text(&mut self) -> Result<(), NotJson> {
        let mut end = 1;
        let mut is_plain = true;
        loop {
            let rest = self.rest().get(end..).ok_or(NotJson)?;
            end += memchr::memchr2(b'"', b'\\', rest).ok_or(NotJson)?;
            if self.rest()[end] == b'"' {
                break;
            }
            is_plain = false;
            end += 2;
        }
        let (from, to) = (self.at, self.at + end + 1);
        self.at = to;
        let quoted = &self.json.as_bytes()[from..to];
        // Without stopping at the first, so that many are compared at a time.
        let least = quoted.iter().fold(b' ', |least, byte| least.min(*byte));
        if is_plain && least == b' ' {
            self.out.extend_from_slice(quoted);
            return Ok(());
        }
        let text: String = serde_json::from_slice(quoted).map_err(|_| NotJson)?;
        self.write(&text)
    }

    fn number(&mut self) -> Result<(), NotJson> {
        let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let length = self.rest().iter().position(|byte| !is_part(byte)).unwrap_or(self.rest().len());
        let (from, to) = (self.at, self.at + length);
        self.at = to;
        let written = &self.json.as_bytes()[from..to];
        // Most are whole numbers that stand as they are written.
        let is_plain =
            matches!(written, [b'1'..=b'9', rest @ ..] if rest.len() < 18 && rest.iter().all(u8::is_ascii_digit));
        if is_plain || written == b"0" {
            self.out.extend_from_slice(written);
            return Ok(());
        }
        let number: Number = serde_json::from_slice(written).map_err(|_| NotJson)?;
        if json::is_whole(&number) {
            if written.len() > json::MOST_DIGITS + usize::from(written[0] == b'-') {
                return Err(NotJson);
            }
            self.out.extend_from_slice(if written == b"-0" { b"0" } else { written });
            return Ok(());
        }
        // Equal fractions have one form, which they had before numbers of any size were kept, too.
        let number = number.as_f64().and_then(Number::from_f64).ok_or(NotJson)?;
        self.write(&number)
    }

    fn word(&mut self) -> Result<(), NotJson> {
        let word = ["true", "false", "null"].into_iter().find(|word| self.rest().starts_with(word.as_bytes()));
        let word = word.ok_or(NotJson)?;
        self.at += word.len();
        self.out.extend_from_slice(word.as_bytes());
        Ok(())
    }

    fn write<T: Serialize + ?Sized>(&mut self, plain: &T) -> Result<(), NotJson> {
        serde_json::to_writer(&mut self.out, plain).map_err(|_| NotJson)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> String {
        String::from_utf8(canonical_value(value)).unwrap()
    }

    #[test]
    fn the_order_of_fields_says_nothing_and_that_of_items_does() {
        let (one, other) =
            (json!({"b": [1, {"d": 2, "c": "é\""}], "a": null}), json!({"a": null, "b": [1, {"c": "é\"", "d": 2}]}));
        assert_eq!(of(&one), of(&other));
        assert_eq!(of(&one), r#"{"a":null,"b":[1,{"c":"é\"","d":2}]}"#);
        assert_ne!(of(&json!([1, 2])), of(&json!([2, 1])));
        assert_ne!(of(&json!({"a": "1"})), of(&json!({"a": 1})));
        assert_eq!([of(&json!([])), of(&json!({})), of(&json!([[], {}]))], ["[]", "{}", "[[],{}]"]);
    }

    #[test]
    fn texts_are_read_as_values_are() {
        let text =
            " { \"b\" : 1e2, \"a\": \"\\u00e9\\n\", \"b\": [ true, -0.5,\n18446744073709551615, -0 ], \"B\": null } ";
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(hash(text), hash(&value.to_string()));
        let wanted = r#"{"B":null,"a":"é\n","b":[true,-0.5,18446744073709551615,0]}"#;
        assert_eq!(String::from_utf8(canonical(text).unwrap()).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(1000);
        for broken in [
            "",
            "{",
            "{\"a\":}",
            "{\"a\"}",
            "{a:1}",
            "{1:2}",
            "[1,]",
            "[1 2]",
            "{\"a\":1,}",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\n\"",
            "01",
            "1.",
            "-",
            "+1",
            "1e",
            "tru",
            "nulll",
            "{} {}",
            "NaN",
            &deep,
        ] {
            assert_eq!(canonical(broken), Err(NotJson), "{broken}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-100_i64..100).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[a-z\"\\\\\u{0}-\u{1f}é]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(reversed).collect(),
            Value::Object(fields) => {
                Value::Object(fields.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect())
            }
            plain => plain.clone(),
        }
    }

    /// The same, the slow way.
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(sorted).collect(),
            Value::Object(fields) => {
                let mut fields: Vec<(&String, Value)> =
                    fields.iter().map(|(name, value)| (name, sorted(value))).collect();
                fields.sort_by_key(|(name, _)| serde_json::to_string(name).unwrap());
                Value::Object(fields.into_iter().map(|(name, value)| (name.clone(), value)).collect())
            }
            plain => plain.clone(),
        }
    }

    proptest! {
        #[test]
        fn equal_values_have_one_form(value in json()) {
            let wanted = sorted(&value).to_string();
            prop_assert_eq!(&of(&value), &wanted);
            prop_assert_eq!(&of(&reversed(&value)), &wanted);
            let spaced = canonical(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert_eq!(String::from_utf8(spaced.unwrap()).unwrap(), wanted);
        }

        #[test]
        fn what_serde_refuses_is_refused_and_nothing_panics(text in "[\\[\\]{}:, \"\\\\a0-9.e-]{0,16}") {
            let is_json = serde_json::from_str::<Value>(&text).is_ok();
            prop_assert_eq!(canonical(&text).is_ok(), is_json, "{}", text);
        }
    }
}
