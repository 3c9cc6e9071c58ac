//! How the states of branches that ran side by side become one state: a reducer per field.
//!
//! A field that a branch lacks, and one that is null there, is nothing to every reducer. What a reducer can't take is an
//! error that says where it is; nothing is dropped in silence. Start at [`merge`].

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{BTreeMap, HashMap, HashSet},
};

use num_bigint::BigInt;
use serde_json::{Map, Number, Value};

use super::{Hinted, canonical::canonical_value, json};

/// What makes one value of those that the branches have in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reducer {
    /// All items, in the order of the branches; what is no list is one item.
    Append,
    /// All fields of all objects; the later branch wins.
    MergeDict,
    /// What the last branch has.
    LastValue,
    /// What the first branch has.
    FirstValue,
    /// The sum of numbers.
    Sum,
    /// The greatest number, or the last text by code points.
    Max,
    /// The smallest number, or the first text by code points.
    Min,
    /// Like [`Self::Append`], with equal items once, where they came first.
    Union,
    /// One text after the other.
    ConcatText,
    /// Objects inside of objects are merged too; of anything else the later branch's is taken.
    DeepMerge,
}

/// Why states can't be merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// A branch has what the reducer can't take.
    #[error(
        "the states were not merged: `{reducer}` can't merge field `{field}`, because branch {branch} (from 0) has \
         {found} there{}",
        wanted.describe()
    )]
    TypeClash {
        /// The field; dots lead into objects.
        field: String,
        reducer: &'static str,
        branch: usize,
        /// The type that it has there.
        found: &'static str,
        wanted: Wanted,
    },
    /// The sum can't be written as a JSON number.
    #[error("the states were not merged: the sum of field `{field}` is too large for a JSON number")]
    SumTooLarge { field: String },
}

impl Hinted for MergeError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::TypeClash { .. } => "change that state, or give the field another reducer in `field_reducers`",
            Self::SumTooLarge { .. } => "give the field another reducer in `field_reducers`",
        };
        Some(hint.into())
    }
}

/// What a reducer expected instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// This type, always.
    Type(&'static str),
    /// This type, because an earlier branch has it.
    LikeBranch(usize, &'static str),
}

impl Wanted {
    fn describe(self) -> String {
        match self {
            Self::Type(kind) => format!(" and not {kind}"),
            Self::LikeBranch(branch, kind) => format!(" and branch {branch} has {kind}"),
        }
    }
}

impl Reducer {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Append,
        Self::MergeDict,
        Self::LastValue,
        Self::FirstValue,
        Self::Sum,
        Self::Max,
        Self::Min,
        Self::Union,
        Self::ConcatText,
        Self::DeepMerge,
    ];

    /// The name that callers use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::MergeDict => "merge_dict",
            Self::LastValue => "last_value",
            Self::FirstValue => "first_value",
            Self::Sum => "sum",
            Self::Max => "max",
            Self::Min => "min",
            Self::Union => "union",
            Self::ConcatText => "concat_text",
            Self::DeepMerge => "deep_merge",
        }
    }

    /// The reducer that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reducer| reducer.as_str() == name)
    }

    fn reduce(self, field: &str, values: &[(usize, &Value)]) -> Result<Value, MergeError> {
        let field = Field { path: field.to_owned(), reducer: self };
        match self {
            Self::Append => Ok(Value::Array(items(values).cloned().collect())),
            Self::Union => {
                let mut seen = HashSet::new();
                Ok(Value::Array(items(values).filter(|item| seen.insert(canonical_value(item))).cloned().collect()))
            }
            Self::LastValue => Ok(values.last().map_or(Value::Null, |(_, value)| (*value).clone())),
            Self::FirstValue => Ok(values.first().map_or(Value::Null, |(_, value)| (*value).clone())),
            Self::MergeDict => {
                let mut merged = Map::new();
                for (branch, value) in values {
                    let fields = value.as_object().ok_or_else(|| field.clash(*branch, value, AN_OBJECT))?;
                    merged.extend(fields.clone());
                }
                Ok(Value::Object(merged))
            }
            Self::ConcatText => {
                let mut text = String::new();
                for (branch, value) in values {
                    text.push_str(value.as_str().ok_or_else(|| field.clash(*branch, value, A_TEXT))?);
                }
                Ok(Value::String(text))
            }
            Self::Sum => field.sum(values),
            Self::Max => field.extreme(values, Ordering::Greater),
            Self::Min => field.extreme(values, Ordering::Less),
            Self::DeepMerge => field.deep_merge(values),
        }
    }
}

const AN_OBJECT: Wanted = Wanted::Type("an object");
const A_TEXT: Wanted = Wanted::Type("a text");
const A_NUMBER: Wanted = Wanted::Type("a number");

/// Merges the states of branches, in their order. A single state stays as it is.
///
/// # Errors
/// [`MergeError`] when a branch has what the reducer of a field can't take.
pub fn merge(
    states: &[Map<String, Value>],
    field_reducers: &BTreeMap<String, Reducer>,
    default: Reducer,
) -> Result<Map<String, Value>, MergeError> {
    if let [only] = states {
        return Ok(only.clone());
    }
    let fields = merge_fields(states, |field| Some(field_reducers.get(field).copied().unwrap_or(default)))?;
    let values = fields.into_iter().filter_map(|(name, merged)| match merged {
        Merged::Value(value) => Some((name.to_owned(), value)),
        Merged::Left(_) => None,
    });
    Ok(values.collect())
}

/// What became of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Merged<'s> {
    /// This.
    Value(Value),
    /// Nothing, because its reducer is none of ours: what the branches have there that is not null, in their order.
    Left(Vec<&'s Value>),
}

/// Merges the fields for which `reducer_of` knows a reducer, in the order in which they first appear.
///
/// # Errors
/// [`MergeError`] when a branch has what the reducer of a field can't take.
pub fn merge_fields(
    states: &[Map<String, Value>],
    reducer_of: impl Fn(&str) -> Option<Reducer>,
) -> Result<Vec<(&str, Merged<'_>)>, MergeError> {
    let states: Vec<(usize, &Map<String, Value>)> = states.iter().enumerate().collect();
    let fields = by_field(&states).into_iter().map(|(name, values)| {
        let merged = match reducer_of(name) {
            Some(reducer) => Merged::Value(reducer.reduce(name, &values)?),
            None => Merged::Left(values.into_iter().map(|(_, value)| value).collect()),
        };
        Ok((name, merged))
    });
    fields.collect()
}

/// The fields in the order in which they first appear, each with what the branches have there that is not null.
fn by_field<'s>(states: &[(usize, &'s Map<String, Value>)]) -> Vec<(&'s str, Vec<(usize, &'s Value)>)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut fields: Vec<(&str, Vec<(usize, &Value)>)> = Vec::new();
    for (branch, state) in states {
        for (name, value) in *state {
            let place = *places.entry(name).or_insert_with(|| {
                fields.push((name, Vec::new()));
                fields.len() - 1
            });
            if !value.is_null() {
                fields[place].1.push((*branch, value));
            }
        }
    }
    fields
}

/// The items of lists, and what is no list as one item.
fn items<'v>(values: &[(usize, &'v Value)]) -> impl Iterator<Item = &'v Value> {
    values.iter().flat_map(|(_, value)| value.as_array().map_or_else(|| std::slice::from_ref(*value), Vec::as_slice))
}

/// A field that is being merged.
struct Field {
    path: String,
    reducer: Reducer,
}

impl Field {
    fn clash(&self, branch: usize, value: &Value, wanted: Wanted) -> MergeError {
        let (field, reducer) = (self.path.clone(), self.reducer.as_str());
        MergeError::TypeClash { field, reducer, branch, found: type_of(value), wanted }
    }

    /// Exact for whole numbers; one fraction makes it all floating point.
    fn sum(&self, values: &[(usize, &Value)]) -> Result<Value, MergeError> {
        let (mut whole, mut fractions, mut has_fractions) = (BigInt::ZERO, 0.0_f64, false);
        for (branch, value) in values {
            let Value::Number(number) = value else { return Err(self.clash(*branch, value, A_NUMBER)) };
            if let Some(number) = json::whole(number) {
                whole += number;
            } else {
                has_fractions = true;
                fractions += number.as_f64().unwrap_or(f64::NAN);
            }
        }
        let whole = json::number(&whole).ok();
        let sum = match whole {
            Some(whole) if has_fractions => Number::from_f64(whole.as_f64().unwrap_or(f64::INFINITY) + fractions),
            whole => whole,
        };
        sum.map(Value::Number).ok_or_else(|| MergeError::SumTooLarge { field: self.path.clone() })
    }

    /// Of equal values the first.
    fn extreme(&self, values: &[(usize, &Value)], wanted: Ordering) -> Result<Value, MergeError> {
        let Some((first_branch, mut best)) = values.first().copied() else { return Ok(Value::Null) };
        if !best.is_number() && !best.is_string() {
            return Err(self.clash(first_branch, best, Wanted::Type("a number or a text")));
        }
        for (branch, value) in &values[1..] {
            let order = match (value, best) {
                (Value::Number(value), Value::Number(best)) => json::compare(value, best),
                (Value::String(value), Value::String(best)) => value.cmp(best),
                _ => return Err(self.clash(*branch, value, Wanted::LikeBranch(first_branch, type_of(best)))),
            };
            if order == wanted {
                best = value;
            }
        }
        Ok(best.clone())
    }

    fn deep_merge(&self, values: &[(usize, &Value)]) -> Result<Value, MergeError> {
        let objects: Vec<(usize, &Map<String, Value>)> =
            values.iter().filter_map(|(branch, value)| Some((*branch, value.as_object()?))).collect();
        let Some(&(with_object, _)) = objects.first() else {
            return Ok(values.last().map_or(Value::Null, |(_, value)| (*value).clone()));
        };
        if let Some((branch, value)) = values.iter().find(|(_, value)| !value.is_object()) {
            return Err(self.clash(*branch, value, Wanted::LikeBranch(with_object, "an object")));
        }
        let mut merged = Map::new();
        for (name, values) in by_field(&objects) {
            let inner = Self { path: format!("{}.{name}", self.path), reducer: self.reducer };
            merged.insert(name.to_owned(), inner.deep_merge(&values)?);
        }
        Ok(Value::Object(merged))
    }
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
#[path = "reducers_tests.rs"]
mod tests;
