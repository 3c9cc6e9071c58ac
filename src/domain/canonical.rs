//! JSON that is equal has one form: objects keep the order in which their fields came, and that order says nothing.

use std::{fmt, ops::Range};

use serde::{
    Deserializer, Serialize,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// A value as compact JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hashed {
    /// With its fields in the order in which they came.
    pub text: String,
    /// The same for equal values, in hexadecimal digits.
    pub hash: String,
}

/// The JSON of a value and its hash, made while the value is read: of a large text no value is ever made.
///
/// # Errors
/// When the text that the value is read from is no JSON, or is nested too deeply.
pub fn hashed<'de, D: Deserializer<'de>>(value: D) -> Result<Hashed, D::Error> {
    let mut forms = Forms { text: Some(Vec::new()), ..Forms::default() };
    forms.deserialize(value)?;
    let text = String::from_utf8(forms.text.unwrap_or_default()).map_err(serde::de::Error::custom)?;
    Ok(Hashed { text, hash: blake3::hash(&forms.canonical).to_hex().to_string() })
}

/// The same of a value, which always has JSON.
#[must_use]
pub fn hashed_value(value: &Value) -> Hashed {
    hashed(value).unwrap_or_default()
}

/// The value as compact JSON with the fields of every object sorted by name.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut forms = Forms::default();
    // A value has nothing that can't be written.
    let _ = forms.deserialize(value);
    forms.canonical
}

/// A value in the making.
#[derive(Default)]
struct Forms {
    /// As it comes, where that is wanted.
    text: Option<Vec<u8>>,
    /// With sorted fields; the last of those with one name counts.
    canonical: Vec<u8>,
    /// Where fields are put in order; kept, because there are many objects.
    sorted: Vec<u8>,
}

/// A field in the text: all of it, and its name at the beginning.
struct Field {
    name: Range<usize>,
    end: usize,
}

impl Forms {
    fn plain<T: Serialize + ?Sized, E: serde::de::Error>(&mut self, plain: &T) -> Result<(), E> {
        let before = self.canonical.len();
        serde_json::to_writer(&mut self.canonical, plain).map_err(E::custom)?;
        if let Some(text) = &mut self.text {
            text.extend_from_slice(&self.canonical[before..]);
        }
        Ok(())
    }

    fn mark(&mut self, mark: u8) {
        self.canonical.push(mark);
        if let Some(text) = &mut self.text {
            text.push(mark);
        }
    }

    /// Takes back the last mark.
    fn unmark(&mut self) {
        self.canonical.pop();
        if let Some(text) = &mut self.text {
            text.pop();
        }
    }

    /// Puts the fields that were written since `start` in the order of their names.
    fn sort(&mut self, start: usize, mut fields: Vec<Field>) {
        let name = |field: &Field| &self.canonical[field.name.clone()];
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
            self.sorted.extend_from_slice(&self.canonical[field.name.start..field.end]);
        }
        self.canonical.truncate(start);
        self.canonical.extend_from_slice(&self.sorted);
    }
}

impl<'de> DeserializeSeed<'de> for &mut Forms {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Forms {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.plain(&())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.plain(&value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.plain(&value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.plain(&value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.plain(&value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.mark(b'[');
        let mut is_empty = true;
        while items.next_element_seed(&mut *self)?.is_some() {
            is_empty = false;
            self.mark(b',');
        }
        if !is_empty {
            self.unmark();
        }
        self.mark(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        self.mark(b'{');
        let start = self.canonical.len();
        let mut known = Vec::new();
        loop {
            let name = self.canonical.len();
            if fields.next_key_seed(&mut *self)?.is_none() {
                break;
            }
            let name = name..self.canonical.len();
            self.mark(b':');
            fields.next_value_seed(&mut *self)?;
            known.push(Field { name, end: self.canonical.len() });
            self.mark(b',');
        }
        if !known.is_empty() {
            self.unmark();
        }
        self.sort(start, known);
        self.mark(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Deserializer, json};

    use super::*;

    fn of(value: &Value) -> String {
        String::from_utf8(canonical(value)).unwrap()
    }

    fn of_text(text: &str) -> serde_json::Result<Hashed> {
        hashed(&mut Deserializer::from_str(text))
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
        let text = r#" { "b" : 1e2, "a": "\u00e9\n", "b": [ true, -0.5, 18446744073709551615 ], "B": null } "#;
        let value: Value = serde_json::from_str(text).unwrap();
        let read = of_text(text).unwrap();
        assert_eq!(read.hash, hashed_value(&value).hash);
        assert_eq!(read.text, r#"{"b":100.0,"a":"é\n","b":[true,-0.5,18446744073709551615],"B":null}"#);
        assert_eq!(of(&value), r#"{"B":null,"a":"é\n","b":[true,-0.5,18446744073709551615]}"#);
        for broken in ["", "{", "{\"a\":}", "[1,]", &"[".repeat(1000)] {
            assert!(of_text(broken).is_err(), "{broken}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
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

    proptest! {
        #[test]
        fn the_text_is_the_value_and_equal_values_have_one_hash(value in json()) {
            let Hashed { text, hash } = hashed_value(&value);
            prop_assert_eq!(&text, &serde_json::to_string(&value).unwrap());
            prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
            prop_assert_eq!(&hash, &blake3::hash(of(&value).as_bytes()).to_hex().to_string());
            prop_assert_eq!(&hashed_value(&reversed(&value)).hash, &hash);
            prop_assert_eq!(of_text(&text).unwrap(), Hashed { text, hash });
        }
    }
}
