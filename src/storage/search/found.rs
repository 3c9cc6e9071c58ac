//! The procedures that may answer a question, with the texts that they are ranked by.

use std::collections::{BTreeSet, HashMap};

use rusqlite::params;

use super::{
    question::{Question, Role, Sought, quoted},
    terms::Words,
};
use crate::storage::{Reader, StorageError};

/// A word is looked up in so many texts at most: one that more have is common, and how common is told from how close
/// together they are.
const SAMPLE: u32 = 200;
/// Words that are left out one at a time where no text has all of them.
const LEFT_OUT: usize = 8;
/// Texts that are looked at for one common word alone.
const OF_ONE_WORD: u32 = 50;
/// A small store says little about how common a word is: it is taken as one of so many texts at least.
const TEXTS_AT_LEAST: f64 = 1000.0;

/// What was found for a question.
#[derive(Debug, Default)]
pub struct Answering {
    pub words: Vec<Sought>,
    /// The words in the order of the question, by their places above.
    pub order: Vec<usize>,
    /// Whether it asks for a fact of the world.
    pub is_fact: bool,
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
    /// Milliseconds since 1970; 0 where it never ran.
    pub last_run_at: i64,
    /// Name, description, category and tags, steps, notes: as they are indexed.
    pub columns: [String; 5],
}

/// How much a word says that so many of these texts have.
#[must_use]
pub fn weight(texts: f64, having: f64) -> f64 {
    (1.0 + (texts - having + 0.5).max(0.0) / (having + 0.5)).ln()
}

/// The texts found so far, each with how much the words say that it was found by.
#[derive(Default)]
struct Candidates(HashMap<i64, f64>);

impl Candidates {
    fn add(&mut self, ids: &[i64], weight: f64) {
        for id in ids {
            *self.0.entry(*id).or_default() += weight;
        }
    }

    /// At least as much for each of these.
    fn raise(&mut self, ids: &[i64], weight: f64) {
        for id in ids {
            let known = self.0.entry(*id).or_default();
            *known = known.max(weight);
        }
    }

    /// Those that say most, by their ids.
    fn best(self, most: usize) -> BTreeSet<i64> {
        let mut candidates: Vec<(i64, f64)> = self.0.into_iter().collect();
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        candidates.into_iter().take(most).map(|(id, _)| id).collect()
    }
}

/// A word that was looked up: the newest texts that have it, and how much it says.
struct Counted {
    expression: String,
    having: Vec<i64>,
    weight: f64,
}

impl Counted {
    fn is_common(&self) -> bool {
        self.having.len() >= SAMPLE as usize
    }
}

impl Reader<'_> {
    /// Procedures, removed ones excluded, that have all telling words of a text, or else some of them: about `most`, those
    /// that have more words, or rarer ones, and of equals the newest.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn answering(&self, text: &str, words: Words, most: u32) -> Result<Answering, StorageError> {
        let Question { words: mut sought, order, is_fact } = Question::read(text);
        if sought.is_empty() {
            return Ok(Answering::default());
        }
        let newest: i64 = self.0.prepare_cached("SELECT max(id) FROM procedures")?.query_row([], |row| {
            let newest: Option<i64> = row.get(0)?;
            Ok(newest.unwrap_or_default())
        })?;
        #[expect(clippy::cast_precision_loss, reason = "ids are far below 2^53")]
        let texts = (newest as f64).max(TEXTS_AT_LEAST);
        let mut counted = Vec::with_capacity(sought.len());
        for word in sought.iter_mut().filter(|word| word.role == Role::Telling) {
            let (expression, having) = self.meant(word)?;
            word.having = about(&having, newest);
            counted.push(Counted { expression, having, weight: weight(texts, word.having) });
        }
        let mut candidates = Candidates::default();
        let all: Vec<&Counted> = counted.iter().collect();
        self.add_all(&all, most, &mut candidates)?;
        if words == Words::Any {
            self.add_some(&counted, most, &mut candidates)?;
        }
        let found = self.texts_of(&candidates.best(most as usize))?;
        Ok(Answering { words: sought, order, is_fact, texts, found })
    }

    /// What to look for in place of a word, and the newest texts that have it: where none has the word itself, what it can be
    /// the beginning of, and what becomes it by a slip.
    fn meant(&self, word: &mut Sought) -> Result<(String, Vec<i64>), StorageError> {
        let having = self.having(&word.expression, SAMPLE)?;
        if !having.is_empty() {
            return Ok((word.expression.clone(), having));
        }
        let mut instead = Vec::new();
        if let Some(beginning) = word.beginning()
            && !self.having(&beginning, 1)?.is_empty()
        {
            word.is_beginning = true;
            instead.push(beginning);
        } else {
            // The index has `certif` for `certificate`, which nobody can see who typed `certifica`.
            let longer = self.longer_than(&word.word)?;
            word.is_beginning = !longer.is_empty();
            instead.extend(longer.iter().map(|longer| quoted(longer)));
        }
        word.slips = self.slips_of(&word.word)?;
        instead.extend(word.slips.iter().map(|slip| quoted(slip)));
        if instead.is_empty() {
            return Ok((word.expression.clone(), having));
        }
        let expression = format!("({})", instead.join(" OR "));
        let having = self.having(&expression, SAMPLE)?;
        Ok((expression, having))
    }

    /// Adds those that have all of these words.
    fn add_all(&self, words: &[&Counted], most: u32, candidates: &mut Candidates) -> Result<(), StorageError> {
        let expressions: Vec<&str> = words.iter().map(|word| word.expression.as_str()).collect();
        let expression = expressions.join(" AND ");
        let weight = words.iter().map(|word| word.weight).sum();
        let found = self.having(&expression, most)?;
        if found.len() >= most as usize {
            candidates.raise(&self.having(&format!("name : ({expression})"), most)?, weight);
        }
        candidates.raise(&found, weight);
        Ok(())
    }

    /// Adds those that have some of these words.
    fn add_some(&self, counted: &[Counted], most: u32, candidates: &mut Candidates) -> Result<(), StorageError> {
        let mut some = Candidates::default();
        counted.iter().for_each(|word| some.add(&word.having, word.weight));
        let (common, rare): (Vec<&Counted>, Vec<&Counted>) = counted.iter().partition(|word| word.is_common());
        let before = candidates.0.len();
        if !rare.is_empty() && !common.is_empty() {
            self.add_all(&common, most, candidates)?;
        }
        if candidates.0.len() == before && common.len() > 2 {
            for left_out in 0..common.len().min(LEFT_OUT) {
                let others: Vec<&Counted> =
                    common.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, word)| *word).collect();
                self.add_all(&others, most, candidates)?;
            }
        }
        if candidates.0.len() < most as usize {
            for word in common {
                self.add_all(&[word], OF_ONE_WORD, candidates)?;
            }
        }
        for (id, weight) in some.0 {
            candidates.raise(&[id], weight);
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
            "SELECT id, status = 'active', successes, failures, coalesce(last_run_at, 0), \
             s.name, s.description, s.tags, s.steps, s.notes \
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
                            last_run_at: row.get(4)?,
                            columns: [row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?],
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
        let migration = include_str!("../migrations/0021_recall.sql");
        let table = migration.split("CREATE VIRTUAL TABLE procedure_search").nth(1).unwrap().split(';').next().unwrap();
        let procedures = "CREATE TABLE procedures (id INTEGER PRIMARY KEY, status, successes, failures, last_run_at); \
                          CREATE TABLE search_spellings (spelling, word); CREATE TABLE search_words (word)";
        connection.execute_batch(&format!("{procedures}; CREATE VIRTUAL TABLE procedure_search{table}")).unwrap();
        for id in 1..=2000_usize {
            let (verb, thing) = (VERBS[id % 7], THINGS[id / 7 % 7]);
            let once = if id == 777 { "zeppelin" } else { "" };
            let row = (id, format!("{verb} {thing} {id}"), format!("always {once}"), thing, "Then go on");
            let sql = "INSERT INTO procedure_search (rowid, name, description, tags, steps, notes) VALUES (?1, ?2, ?3, ?4, ?5, '')";
            connection.execute(sql, row).unwrap();
            connection.execute("INSERT INTO procedures VALUES (?1, 'active', 0, 0, NULL)", [id]).unwrap();
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
            ("check data", &["check"], &["data"]),
            ("report the invoices", &["report", "reporting"], &["invoice"]),
            // What nothing has is taken as the beginning of a word.
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
        assert_eq!(found.iter().filter(is_meant).count(), 99, "{found:?}");
        // Where no text has all of the common words, those are found that lack one.
        let found = ids(&connection, "deploy report customs", Words::Any, 400);
        assert!(found.iter().filter(is_meant).count() >= 100, "{found:?}");
        assert_eq!(ids(&connection, "always", Words::Any, 100).len(), 100);
    }

    #[test]
    fn how_many_have_a_common_word_is_told_from_a_few_of_them() {
        let connection = filled();
        let answering = Reader(&connection).answering("always zeppelin deploy none", Words::All, 10).unwrap();
        let about: Vec<f64> = answering.words.iter().map(|word| word.having.round()).collect();
        assert_eq!((about[1], about[3], answering.texts), (1.0, 0.0, 2000.0));
        assert!((about[0] - 2000.0).abs() < 100.0 && (about[2] - 571.0).abs() < 60.0, "{about:?}");
    }
}
