//! The procedures that may answer a question, with the texts that they are ranked by.

use std::collections::BTreeSet;

use rusqlite::params;

use super::terms::{Term, Words, join, terms};
use crate::storage::{Reader, StorageError};

/// A word is looked up in so many texts at most: one that more have is common, and how common is told from how close
/// together they are.
const SAMPLE: u32 = 200;
/// Words that are left out one at a time where no text has all of them.
const LEFT_OUT: usize = 8;
/// Texts that are looked at for one common word alone.
const OF_ONE_WORD: u32 = 50;

/// What was found for a question.
#[derive(Debug, Default)]
pub struct Answering {
    /// Its words, each with how many texts have it, or about how many.
    pub terms: Vec<(Term, f64)>,
    /// How many texts there are, or about.
    pub texts: f64,
    pub found: Vec<FoundText>,
}

/// A procedure that was found by its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundText {
    pub id: i64,
    pub is_active: bool,
    /// Executions that succeeded.
    pub successes: u64,
    /// Executions that failed.
    pub failures: u64,
    /// Name, description, category and tags, steps, notes: as they are indexed.
    pub columns: [String; 5],
}

impl Reader<'_> {
    /// Procedures, removed ones excluded, that have all words of a text, or else some of them: those that have more, or
    /// rarer ones, first. About `most` of each kind are looked at; of more, those that have the words in their names, and
    /// the newest.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn answering(&self, text: &str, words: Words, most: u32) -> Result<Answering, StorageError> {
        let terms = terms(text);
        if terms.is_empty() {
            return Ok(Answering::default());
        }
        let newest: i64 = self.0.prepare_cached("SELECT max(id) FROM procedures")?.query_row([], |row| {
            let newest: Option<i64> = row.get(0)?;
            Ok(newest.unwrap_or_default())
        })?;
        let mut ids = BTreeSet::new();
        let mut counted = Vec::with_capacity(terms.len());
        for term in terms {
            let having = self.having(&term.expression, SAMPLE)?;
            counted.push((term, having));
        }
        let all: Vec<&Term> = counted.iter().map(|(term, _)| term).collect();
        self.add_all(&all, most, &mut ids)?;
        if words == Words::Any {
            self.add_some(&counted, most, &mut ids)?;
        }
        let terms = counted.into_iter().map(|(term, having)| (term, about(&having, newest))).collect();
        #[expect(clippy::cast_precision_loss, reason = "ids are far below 2^53")]
        let texts = newest as f64;
        Ok(Answering { terms, texts, found: self.texts_of(&ids)? })
    }

    /// Adds those that have all of these words.
    fn add_all(&self, terms: &[&Term], most: u32, ids: &mut BTreeSet<i64>) -> Result<(), StorageError> {
        let expression = join(terms.iter().copied(), Words::All);
        let found = self.having(&expression, most)?;
        if found.len() >= most as usize {
            ids.extend(self.having(&format!("name : ({expression})"), most)?);
        }
        ids.extend(found);
        Ok(())
    }

    /// Adds those that have some of these words.
    fn add_some(&self, counted: &[(Term, Vec<i64>)], most: u32, ids: &mut BTreeSet<i64>) -> Result<(), StorageError> {
        let (rare, common): (Vec<_>, Vec<_>) = counted.iter().partition(|(_, having)| having.len() < SAMPLE as usize);
        ids.extend(rare.into_iter().flat_map(|(_, having)| having));
        let common: Vec<&Term> = common.into_iter().map(|(term, _)| term).collect();
        let before = ids.len();
        if common.len() < counted.len() && !common.is_empty() {
            self.add_all(&common, most, ids)?;
        }
        if ids.len() == before && common.len() > 2 {
            for left_out in 0..common.len().min(LEFT_OUT) {
                let others: Vec<&Term> =
                    common.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, term)| *term).collect();
                self.add_all(&others, most, ids)?;
            }
        }
        if ids.len() < most as usize {
            for term in common {
                self.add_all(&[term], OF_ONE_WORD, ids)?;
            }
        }
        Ok(())
    }

    /// The newest that match.
    fn having(&self, expression: &str, most: u32) -> Result<Vec<i64>, StorageError> {
        let sql = "SELECT rowid FROM procedure_search WHERE procedure_search MATCH ?1 ORDER BY rowid DESC LIMIT ?2";
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.query_map(params![expression, most], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    fn texts_of(&self, ids: &BTreeSet<i64>) -> Result<Vec<FoundText>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id, status = 'active', successes, failures, s.name, s.description, s.tags, s.steps, s.notes \
             FROM procedures JOIN procedure_search AS s ON s.rowid = id WHERE id = ?1",
        )?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(
                statement
                    .query_map([id], |row| {
                        Ok(FoundText {
                            id: row.get(0)?,
                            is_active: row.get(1)?,
                            successes: row.get(2)?,
                            failures: row.get(3)?,
                            columns: [row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?],
                        })
                    })?
                    .collect::<Result<Vec<_>, _>>()?,
            );
        }
        Ok(found)
    }
}

/// How many texts have a word, when these, the newest, do.
#[expect(clippy::cast_precision_loss, reason = "ids are far below 2^53")]
fn about(having: &[i64], newest: i64) -> f64 {
    let seen = having.len() as f64;
    match having.last() {
        Some(oldest) if having.len() >= SAMPLE as usize => seen * newest as f64 / (newest - oldest + 1).max(1) as f64,
        _ => seen,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    const VERBS: [&str; 7] = ["deploy", "deploying", "check", "checkpoint", "report", "reporting", "update"];
    const THINGS: [&str; 7] = ["customer", "customers", "customs", "database", "data", "invoice", "branches"];
    const MANY: u32 = 5000;

    /// Words in several forms, beginnings in common, some words everywhere and some once.
    fn filled() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let migration = include_str!("../migrations/0011_retention.sql");
        let table = migration.split("CREATE VIRTUAL TABLE procedure_search").nth(1).unwrap().split(';').next().unwrap();
        let procedures = "CREATE TABLE procedures (id INTEGER PRIMARY KEY, status, successes, failures)";
        connection.execute_batch(&format!("{procedures}; CREATE VIRTUAL TABLE procedure_search{table}")).unwrap();
        for id in 1..=2000_usize {
            let (verb, thing) = (VERBS[id % 7], THINGS[id / 7 % 7]);
            let once = if id == 777 { "zeppelin" } else { "" };
            let row = (id, format!("{verb} {thing} {id}"), format!("always {once}"), thing, "Then go on");
            let sql = "INSERT INTO procedure_search (rowid, name, description, tags, steps, notes) VALUES (?1, ?2, ?3, ?4, ?5, '')";
            connection.execute(sql, row).unwrap();
            connection.execute("INSERT INTO procedures VALUES (?1, 'active', 0, 0)", [id]).unwrap();
        }
        connection
    }

    fn ids(connection: &Connection, text: &str, words: Words, most: u32) -> Vec<i64> {
        let answering = Reader(connection).answering(text, words, most).unwrap();
        answering.found.into_iter().map(|found| found.id).collect()
    }

    #[test]
    fn all_that_have_all_words_are_found_in_any_form() {
        let connection = filled();
        for (question, verbs, things) in [
            ("deploy customer", &["deploy", "deploying"][..], &["customer", "customers", "customs"][..]),
            ("Deploying CUSTOMS", &["deploy", "deploying"], &["customer", "customers", "customs"]),
            ("check data", &["check", "checkpoint"], &["database", "data"]),
            ("report the invoices", &["report", "reporting"], &["invoice"]),
            ("upda bran", &["update"], &["branches"]),
        ] {
            let expected: Vec<i64> = (1..=2000_usize)
                .filter(|id| verbs.contains(&VERBS[id % 7]) && things.contains(&THINGS[id / 7 % 7]))
                .map(|id| i64::try_from(id).unwrap())
                .collect();
            assert_eq!(ids(&connection, question, Words::All, MANY), expected, "{question}");
        }
        assert_eq!(ids(&connection, "always 1234", Words::All, MANY), [1234]);
        assert!(ids(&connection, "update zeppelin", Words::All, MANY).is_empty());
        assert!(ids(&connection, " -- ", Words::Any, MANY).is_empty());
    }

    #[test]
    fn those_with_a_rare_word_or_with_all_common_ones_are_found_among_any() {
        let connection = filled();
        let found = ids(&connection, "always zeppelin deploy customs", Words::Any, 100);
        assert!(found.contains(&777), "{found:?}");
        let is_meant = |id: &&i64| {
            let id = usize::try_from(**id).unwrap();
            VERBS[id % 7].starts_with("deploy") && THINGS[id / 7 % 7].starts_with("custom")
        };
        assert!(found.iter().filter(is_meant).count() >= 100, "{found:?}");
        // Where no text has all of the common words, those are found that lack one.
        let found = ids(&connection, "deploy report customs", Words::Any, 100);
        assert!(found.iter().filter(is_meant).count() >= 100, "{found:?}");
        // No more than is asked for, but of each kind.
        assert!(ids(&connection, "always", Words::Any, 100).len() <= 250);
    }

    #[test]
    fn how_many_have_a_common_word_is_told_from_a_few_of_them() {
        let connection = filled();
        let answering = Reader(&connection).answering("always zeppelin deploy none", Words::All, 10).unwrap();
        let about: Vec<f64> = answering.terms.iter().map(|(_, having)| having.round()).collect();
        assert_eq!((about[1], about[3], answering.texts), (1.0, 0.0, 2000.0));
        assert!((about[0] - 2000.0).abs() < 100.0 && (about[2] - 571.0).abs() < 60.0, "{about:?}");
    }
}
