//! Full-text search over procedures.

use super::{
    Reader, StorageError, Writer,
    procedures::{COLUMNS, from_row},
};
use crate::domain::{Definition, Procedure, Step};

/// A found procedure with its text relevance; higher is better.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchHit {
    pub procedure: Procedure,
    /// BM25 of the match, as a positive number.
    pub relevance: f64,
}

/// How many words of a text a procedure must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Every one. Few have, so that ranking them is quick.
    All,
    /// At least one.
    Any,
}

impl Words {
    /// The terms as an FTS5 query.
    pub(super) fn join(self, terms: &[String]) -> String {
        terms.join(match self {
            Self::All => " AND ",
            Self::Any => " OR ",
        })
    }
}

/// Weights of the columns name, description, tags, steps and notes: a word of the name says most.
const BM25: &str = "bm25(procedure_search, 8.0, 4.0, 4.0, 1.5, 1.0)";

/// Words that nearly every text has: they would match everything and say nothing.
const STOP_WORDS: [&str; 40] = [
    "a", "all", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "get", "how",
    "i", "if", "in", "into", "is", "it", "its", "me", "my", "of", "on", "one", "or", "that", "the", "this", "to", "up",
    "use", "what", "when", "which", "with",
];
/// Shorter words are matched whole: as beginnings they match too much.
const SHORTEST_PREFIX: usize = 4;

/// The telling words of free text as terms of an FTS5 query, the longer ones also as the beginning of a word. All words
/// where none is telling.
pub(super) fn terms(text: &str) -> Vec<String> {
    const MAX_WORDS: usize = 32;
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_telling = |word: &&&str| !STOP_WORDS.contains(&word.to_lowercase().as_str());
    let mut telling: Vec<&&str> = words.iter().filter(is_telling).collect();
    if telling.is_empty() {
        telling = words.iter().collect();
    }
    telling
        .into_iter()
        .take(MAX_WORDS)
        .map(|word| format!("\"{word}\"{}", if word.chars().count() < SHORTEST_PREFIX { "" } else { "*" }))
        .collect()
}

impl Reader<'_> {
    /// The `limit` most relevant procedures for free text, removed ones excluded.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn search_procedures(&self, text: &str, words: Words, limit: u32) -> Result<Vec<SearchHit>, StorageError> {
        let terms = terms(text);
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let expression = words.join(&terms);
        let sql = format!(
            "SELECT {COLUMNS}, relevance FROM \
             (SELECT rowid AS found, -{BM25} AS relevance FROM procedure_search WHERE procedure_search MATCH ?1 \
              ORDER BY relevance DESC LIMIT ?2) JOIN procedures ON id = found ORDER BY relevance DESC"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let hits = statement.query_map(rusqlite::params![expression, limit], |row| {
            Ok(SearchHit { procedure: from_row(row)?, relevance: row.get("relevance")? })
        })?;
        Ok(hits.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    pub(super) fn index_for_search(&self, id: i64, definition: &Definition) -> Result<(), StorageError> {
        self.remove_from_search(id)?;
        self.0
            .0
            .prepare_cached(
                "INSERT INTO procedure_search (rowid, name, description, tags, steps, notes) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(rusqlite::params![
                id,
                definition.name.as_str().replace(['_', '-'], " "),
                definition.description,
                format!("{} {}", definition.category, definition.tags.join(" ")),
                steps_text(&definition.steps),
                notes_text(definition),
            ])?;
        Ok(())
    }

    pub(super) fn remove_from_search(&self, id: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("DELETE FROM procedure_search WHERE rowid = ?1")?.execute([id])?;
        Ok(())
    }
}

fn steps_text(steps: &[Step]) -> String {
    let texts: Vec<String> = steps.iter().map(Step::words).collect();
    texts.join("\n")
}

fn notes_text(definition: &Definition) -> String {
    let single = [&definition.problem, &definition.solution, &definition.reasoning, &definition.template];
    let lists = [&definition.applicable_contexts, &definition.preconditions, &definition.postconditions];
    let mut texts: Vec<&str> = single.into_iter().flatten().map(String::as_str).collect();
    texts.extend(lists.into_iter().flatten().map(String::as_str));
    texts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_syntax_in_free_text_is_only_text() {
        assert_eq!(terms("git \"NOT\" NEAR(x)").join(" "), r#""git" "NOT" "NEAR"* "x""#);
        assert!(terms(" -- \" ' () * ").is_empty());
    }

    #[test]
    fn words_that_say_nothing_are_left_out_unless_there_are_no_others() {
        assert_eq!(terms("what is in the changelog"), [r#""changelog"*"#]);
        assert_eq!(terms("how to"), [r#""how""#, r#""to""#]);
    }
}
