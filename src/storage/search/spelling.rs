//! Words that are nearly those of a question: what somebody meant who mistyped.
//!
//! Beside the index stands each word that was ever indexed, under itself and under what is left of it without one of its letters.
//! Two words that differ by one letter, or by two that are swapped, have one of these in common.

use std::collections::BTreeSet;

use rusqlite::params;

use super::spellings::{can_be_meant, spellings, words_of};
use crate::storage::{Reader, StorageError, Writer};

/// Words that one word can stand for.
const MOST_MEANT: usize = 8;

impl Reader<'_> {
    /// The words of the texts that begin with this one, whatever form of them the index has.
    pub(super) fn longer_than(&self, word: &str) -> Result<Vec<String>, StorageError> {
        if !can_be_meant(word) {
            return Ok(Vec::new());
        }
        let sql = "SELECT word FROM search_words WHERE word > ?1 AND word < ?2 ORDER BY word LIMIT ?3";
        let after = format!("{word}\u{10ffff}");
        let mut statement = self.0.prepare_cached(sql)?;
        let words = statement.query_map(params![word, after, MOST_MEANT], |row| row.get(0))?;
        Ok(words.collect::<Result<_, _>>()?)
    }

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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::storage::search::spellings::register;

    fn slips(word: &str) -> Vec<String> {
        Reader(&indexed()).slips_of(word).unwrap()
    }

    /// Words that texts have.
    fn indexed() -> Connection {
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
        let sql = "INSERT INTO search_words SELECT value FROM json_each(search_words_of(?1))";
        connection.execute(sql, [words]).unwrap();
        connection
    }

    #[test]
    fn words_that_begin_alike_are_longer_than_what_was_typed() {
        let connection = indexed();
        for (typed, longer) in [
            ("arch", &["archive", "archives"][..]),
            ("archive", &["archives"]),
            ("depl", &["deploy"]),
            ("dep", &[]),
            ("zz", &[]),
        ] {
            assert_eq!(Reader(&connection).longer_than(typed).unwrap(), longer, "{typed}");
        }
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
