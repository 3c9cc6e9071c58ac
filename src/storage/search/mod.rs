//! Full-text search over procedures: the index, and what it finds.
//!
//! `words` says what a word is, `question` what of a question is looked for, `spelling` what somebody meant who mistyped; `terms` is
//! the same for outcomes of runs, in short. Finding is apart from ranking, which [`crate::library`] does: FTS5's own rank reads, for each question, every text that has
//! one of its words. Here no more is read than a question needs, however many procedures there are.

mod found;
mod question;
mod spelling;
mod spellings;
mod terms;
mod words;

use super::{Reader, StorageError, Writer};
use crate::domain::{Definition, Step};
use words::indexed;

pub use found::{Answering, FoundText, weight};
pub use question::{Role, Sought, is_glue};
pub(super) use spellings::register;
pub use terms::Words;
pub(super) use terms::{join, terms};
pub use words::is_word_letter;

/// The pages that one step of condensing the index writes.
const STEP_PAGES: u32 = 64;
/// Parts of the index that are not worth making one of them.
const FEW_PARTS: u32 = 6;

impl Reader<'_> {
    /// Whether the index has come to many parts, each of which every question looks through.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn is_search_scattered(&self) -> Result<bool, StorageError> {
        let sql = "SELECT count(DISTINCT segid) FROM procedure_search_idx";
        Ok(self.0.prepare_cached(sql)?.query_row([], |row| row.get::<_, u32>(0))? > FEW_PARTS)
    }
}

impl Writer<'_> {
    /// The next step of making one part of all parts of the index, after `is_first`; `false` when that is done.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn condense_search(&self, is_first: bool) -> Result<bool, StorageError> {
        let connection = self.0.0;
        let pages = i64::from(STEP_PAGES);
        let before = connection.total_changes();
        connection
            .prepare_cached("INSERT INTO procedure_search (procedure_search, rank) VALUES ('merge', ?1)")?
            .execute([if is_first { -pages } else { pages }])?;
        // What does nothing counts as one change.
        Ok(connection.total_changes() - before > 1)
    }

    pub(super) fn index_for_search(&self, id: i64, definition: &Definition) -> Result<(), StorageError> {
        self.remove_from_search(id)?;
        let name = definition.name.as_str().replace(['_', '-'], " ");
        let tags = format!("{} {}", definition.category, definition.tags.join(" "));
        let steps = steps_text(&definition.steps);
        self.index_spellings(&[&name, &definition.description, &tags, &steps].map(|text| indexed(text)).join("\n"))?;
        self.0
            .0
            .prepare_cached(
                "INSERT INTO procedure_search (rowid, name, description, tags, steps, notes) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(rusqlite::params![
                id,
                indexed(&name),
                indexed(&definition.description),
                indexed(&tags),
                indexed(&steps),
                indexed(&notes_text(definition)),
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
