//! Words that are nearly those of a question: what somebody meant who mistyped.
//!
//! Beside the index stands each word that was ever indexed, under itself and under what is left of it without one of its letters.
//! Two words that differ by one letter, or by two that are swapped, have one of these in common.

use std::collections::BTreeSet;

use rusqlite::{Connection, functions::FunctionFlags, params};

use super::words::{indexed, is_without_spaces, is_word_letter};
use crate::{
    domain::unaccented,
    storage::{Reader, StorageError, Writer},
};

/// Shorter words are too near to too many others.
const SHORTEST: usize = 4;
/// Nobody types longer ones.
const LONGEST: usize = 24;
/// Words of a text that can be meant: those at its beginning.
const MOST_BYTES: usize = 8000;
/// Words that one word can stand for.
const MOST_MEANT: usize = 8;

impl Reader<'_> {
    /// The words of the index that become this one by one slip: a letter too many, too few or another, or two swapped.
    pub(super) fn slips_of(&self, word: &str) -> Result<Vec<String>, StorageError> {
        if !can_be_meant(word) {
            return Ok(Vec::new());
        }
        let mut statement = self.0.prepare_cached("SELECT word FROM search_spellings WHERE spelling = ?1")?;
        let mut meant = BTreeSet::new();
        for spelling in spellings(word) {
            for found in statement.query_map([spelling], |row| row.get::<_, String>(0))? {
                let found = found?;
                if found != word && strsim::osa_distance(&found, word) == 1 {
                    meant.insert(found);
                }
            }
        }
        Ok(meant.into_iter().take(MOST_MEANT).collect())
    }
}

impl Writer<'_> {
    /// Makes the words of this text ones that can be meant.
    pub(super) fn index_spellings(&self, text: &str) -> Result<(), StorageError> {
        let connection = self.0.0;
        let mut word_is_new = connection.prepare_cached("INSERT OR IGNORE INTO search_words (word) VALUES (?1)")?;
        let sql = "INSERT OR IGNORE INTO search_spellings (spelling, word) VALUES (?1, ?2)";
        let mut add = connection.prepare_cached(sql)?;
        for word in words_of(text) {
            if word_is_new.execute([&word])? > 0 {
                for spelling in spellings(&word) {
                    add.execute(params![spelling, word])?;
                }
            }
        }
        Ok(())
    }
}

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

fn words_of(text: &str) -> BTreeSet<String> {
    let text = unaccented(text.get(..text.floor_char_boundary(MOST_BYTES)).unwrap_or_default());
    let words = text.split(|letter: char| !is_word_letter(letter));
    words.filter(|word| can_be_meant(word)).map(str::to_owned).collect()
}

fn can_be_meant(word: &str) -> bool {
    word.len() >= SHORTEST
        && (SHORTEST..=LONGEST).contains(&word.chars().count())
        && word.chars().all(|letter| letter.is_alphabetic() && !is_without_spaces(letter))
}

/// The word, and what is left of it without one of its letters.
fn spellings(word: &str) -> BTreeSet<String> {
    let without = |(at, letter): (usize, char)| {
        let after = word.get(at + letter.len_utf8()..).unwrap_or_default();
        format!("{}{after}", word.get(..at).unwrap_or_default())
    };
    word.char_indices().map(without).chain([word.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slips(word: &str) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let words = "archive archives CRÈME deploy naïve restore 12345 abc x86_64";
        connection
            .execute_batch(
                "CREATE TABLE search_words (word TEXT PRIMARY KEY); \
                 CREATE TABLE search_spellings (spelling TEXT, word TEXT, PRIMARY KEY (spelling, word))",
            )
            .unwrap();
        let sql = "INSERT INTO search_spellings SELECT s.value, w.value \
                   FROM json_each(search_words_of(?1)) AS w, json_each(search_spellings_of(w.value)) AS s";
        connection.execute(sql, [words]).unwrap();
        Reader(&connection).slips_of(word).unwrap()
    }

    #[test]
    fn one_slip_is_seen_through_and_two_are_not() {
        for (typed, meant) in [
            ("arhcive", &["archive"][..]),
            ("archivs", &["archive", "archives"]),
            ("archivess", &["archives"]),
            ("rchive", &["archive"]),
            ("creme", &[]),
            ("crme", &["creme"]),
            ("depkoy", &["deploy"]),
            ("dpeloi", &[]),
            ("12346", &[]),
            ("abcd", &[]),
            ("nave", &["naive"]),
            ("", &[]),
        ] {
            assert_eq!(slips(typed), meant, "{typed}");
        }
    }
}
