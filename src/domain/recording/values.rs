//! The values in what was done: where they stand, and which of them a caller would say.

use serde_json::{Map, Value};

use super::deed::{Deed, is_subcommand};

/// A value in a deed.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    pub value: Value,
    /// What it goes by: the name of its argument, or the option in front of it.
    pub name: Option<String>,
    /// Whether it says what is done rather than with what: a program, its command, an option.
    pub is_fixed: bool,
}

impl Leaf {
    #[must_use]
    pub fn text(&self) -> String {
        self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned)
    }
}

/// The values of a deed, in an order that is the same for deeds of one kind.
#[must_use]
pub fn leaves(deed: &Deed) -> Vec<Leaf> {
    match deed {
        Deed::Command(words) => {
            let word = |(at, word): (usize, &String)| {
                let before = at.checked_sub(1).and_then(|before| words.get(before));
                let option = before.filter(|before| before.starts_with('-') && !before.contains('='));
                let is_option = word.starts_with('-') && !word.contains('=');
                Leaf {
                    value: Value::String(word.clone()),
                    name: word.split_once('=').map(|(name, _)| name).or(option.map(String::as_str)).map(bare),
                    is_fixed: at == 0 || (at == 1 && is_subcommand(word)) || is_option,
                }
            };
            words.iter().enumerate().map(word).collect()
        }
        Deed::Tool(_, arguments) | Deed::Procedure(_, arguments) => {
            let mut leaves = Vec::new();
            of_fields(arguments, &mut leaves);
            leaves
        }
        Deed::Manual(text) => vec![Leaf { value: Value::String(text.clone()), name: None, is_fixed: false }],
    }
}

fn of_fields(fields: &Map<String, Value>, leaves: &mut Vec<Leaf>) {
    fields.iter().for_each(|(name, value)| of_value(name, value, leaves));
}

fn of_value(name: &str, value: &Value, leaves: &mut Vec<Leaf>) {
    match value {
        Value::Object(fields) => of_fields(fields, leaves),
        Value::Array(items) => items.iter().for_each(|item| of_value(name, item, leaves)),
        value => leaves.push(Leaf {
            value: value.clone(),
            name: Some(name.to_owned()),
            is_fixed: matches!(value, Value::Bool(_) | Value::Null),
        }),
    }
}

/// The same deed with other values, in the order of [`leaves`].
#[must_use]
pub fn with_values(deed: &Deed, values: &[Value]) -> Deed {
    let mut values = values.iter();
    match deed {
        Deed::Command(words) => {
            let word =
                |word: &String| values.next().and_then(Value::as_str).map_or_else(|| word.clone(), str::to_owned);
            Deed::Command(words.iter().map(word).collect())
        }
        Deed::Tool(path, arguments) => Deed::Tool(path.clone(), put_fields(arguments, &mut values)),
        Deed::Procedure(name, arguments) => Deed::Procedure(name.clone(), put_fields(arguments, &mut values)),
        Deed::Manual(text) => {
            Deed::Manual(values.next().and_then(Value::as_str).map_or_else(|| text.clone(), str::to_owned))
        }
    }
}

fn put_fields<'v>(fields: &Map<String, Value>, values: &mut impl Iterator<Item = &'v Value>) -> Map<String, Value> {
    fields.iter().map(|(name, value)| (name.clone(), put(value, values))).collect()
}

fn put<'v>(value: &Value, values: &mut (impl Iterator<Item = &'v Value> + ?Sized)) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), put(value, values))).collect(),
        Value::Array(items) => items.iter().map(|item| put(item, values)).collect(),
        value => values.next().unwrap_or(value).clone(),
    }
}

/// `dry-run` of `--dry-run`.
fn bare(option: &str) -> String {
    option.trim_start_matches('-').to_owned()
}

/// Whether a text stands in another with no letter or digit against it.
#[must_use]
pub fn stands_in(whole: &str, text: &str) -> bool {
    place_in(whole, text).is_some()
}

/// Where a text stands in another with no letter or digit against it.
#[must_use]
pub fn place_in(whole: &str, text: &str) -> Option<usize> {
    if text.is_empty() {
        return None;
    }
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    whole
        .match_indices(text)
        .map(|(at, _)| at)
        .find(|at| !is_part(whole[..*at].chars().next_back()) && !is_part(whole[*at + text.len()..].chars().next()))
}

/// Whether two names have a word in common: `number` and `issue_number`.
#[must_use]
pub fn share_word(a: &str, b: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(str::to_lowercase).collect()
    };
    words(a).iter().any(|word| words(b).contains(word))
}

/// What of a prompt may be a value: what stands in quotes, and its words.
#[must_use]
pub fn of_prompt(prompt: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for quote in ['"', '`', '\''] {
        let quoted = prompt.split(quote).skip(1).step_by(2).filter(|text| (2..200).contains(&text.len()));
        found.extend(quoted.filter(|text| !text.contains('\n')).map(str::to_owned));
    }
    let words = prompt.split(char::is_whitespace);
    let words = words.map(|word| word.trim_matches(|c: char| "\"'`.,;:!?()[]{}<>“”".contains(c)));
    found.extend(words.filter(|word| word.chars().count() > 1 || word.parse::<u64>().is_ok()).map(str::to_owned));
    // Longer ones first: `v1.2.3` before `1.2.3`.
    found.sort_by_key(|text| std::cmp::Reverse(text.len()));
    found.dedup();
    found
}

/// Whether a word of a prompt is more than a word: it has a digit, a mark or a capital inside, or several words.
#[must_use]
pub fn is_special(text: &str) -> bool {
    text.chars().count() > 1
        && (text.chars().any(|c| c.is_ascii_digit() || "._/@:-".contains(c) || c.is_whitespace())
            || text.chars().skip(1).any(char::is_uppercase))
}

/// The word of a prompt in front of a value, where it says what the value is: `version` of `version 1.4.2`.
#[must_use]
pub fn said_before(prompt: &str, text: &str) -> Option<String> {
    const NO_NAMES: &str = " the a an to of in on at for from with and or by as is it be into this that my our your please then than \
                            called named about using use via not ";
    let at = place_in(prompt, text)?;
    let word =
        prompt[..at].trim_end_matches(|c: char| !c.is_alphanumeric()).rsplit(|c: char| !c.is_alphanumeric()).next()?;
    let word = word.to_lowercase();
    let is_name =
        word.len() > 2 && word.chars().all(|c| c.is_ascii_lowercase()) && !NO_NAMES.contains(&format!(" {word} "));
    is_name.then_some(word)
}
