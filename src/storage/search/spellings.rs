//! How words are written by whoever makes a slip: with one letter less.

use std::collections::BTreeSet;

use rusqlite::{Connection, functions::FunctionFlags};

use super::words::{indexed, is_without_spaces, is_word_letter};
use crate::domain::unaccented;

/// Shorter words are too near to too many others.
const SHORTEST: usize = 4;
/// Nobody types longer ones.
const LONGEST: usize = 24;
/// Words of a text that can be meant: those at its beginning.
const MOST_BYTES: usize = 8000;

/// What migrations make the tables of older homes with.
pub(in crate::storage) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("search_form", 1, flags, |context| Ok(indexed(&context.get::<String>(0)?)))?;
    connection.create_scalar_function("search_words_of", 1, flags, |context| {
        Ok(as_json(words_of(&context.get::<String>(0)?)))
    })?;
    connection.create_scalar_function("search_spellings_of", 1, flags, |context| {
        Ok(as_json(spellings(&context.get::<String>(0)?)))
    })
}

fn as_json(words: BTreeSet<String>) -> String {
    serde_json::Value::from_iter(words).to_string()
}

/// The words of a text that somebody can mean.
pub fn words_of(text: &str) -> BTreeSet<String> {
    let text = unaccented(text.get(..text.floor_char_boundary(MOST_BYTES)).unwrap_or_default());
    let words = text.split(|letter: char| !is_word_letter(letter));
    words.filter(|word| can_be_meant(word)).map(str::to_owned).collect()
}

/// Whether a word is long enough, and one of letters.
pub fn can_be_meant(word: &str) -> bool {
    word.len() >= SHORTEST
        && (SHORTEST..=LONGEST).contains(&word.chars().count())
        && word.chars().all(|letter| letter.is_alphabetic() && !is_without_spaces(letter))
}

/// The word, and what is left of it without one of its letters.
pub fn spellings(word: &str) -> BTreeSet<String> {
    let without = |(at, letter): (usize, char)| {
        let after = word.get(at + letter.len_utf8()..).unwrap_or_default();
        format!("{}{after}", word.get(..at).unwrap_or_default())
    };
    word.char_indices().map(without).chain([word.to_owned()]).collect()
}
