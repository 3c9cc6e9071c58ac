//! Lessons as they were told: kept before they are judged, so that none is lost, and afterwards as evidence.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Reader, StorageError, Writer, json::Json};
use crate::domain::learning::telling::{Told, Verdict};

/// A lesson that waits to be judged.
#[derive(Debug, Clone, PartialEq)]
pub struct LessonRow {
    pub id: i64,
    pub told: Told,
    /// The session that it was told in.
    pub session: Option<String>,
    /// What that session was about.
    pub context: Option<String>,
    /// Milliseconds since 1970.
    pub told_at: i64,
    /// How often it was begun to judge it.
    pub attempts: u32,
}

/// What became of a lesson.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LessonJudged<'j> {
    pub verdict: Verdict,
    /// `model` or `rules`.
    pub by: &'j str,
    pub confidence: f64,
    /// What was made of it, or what it is a twin of, and how like it is.
    pub procedure: Option<(i64, f64)>,
}

/// The words of a lesson that a procedure was made of, or that are a twin of it.
#[derive(Debug, Clone, PartialEq)]
pub struct LessonWords {
    pub procedure_id: i64,
    pub told: Told,
    pub session: Option<String>,
}

const COLUMNS: &str = "id, told, session, context, told_at, attempts";

fn from_row(row: &Row<'_>) -> rusqlite::Result<LessonRow> {
    Ok(LessonRow {
        id: row.get("id")?,
        told: row.get::<_, Json<Told>>("told")?.0,
        session: row.get("session")?,
        context: row.get("context")?,
        told_at: row.get("told_at")?,
        attempts: row.get("attempts")?,
    })
}

fn words_from_row(row: &Row<'_>) -> rusqlite::Result<LessonWords> {
    Ok(LessonWords {
        procedure_id: row.get("procedure_id")?,
        told: row.get::<_, Json<Told>>("told")?.0,
        session: row.get("session")?,
    })
}

impl Reader<'_> {
    /// The user's lessons that may be judged now, oldest first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn due_lessons(&self, user: &str, now: i64, limit: u32) -> Result<Vec<LessonRow>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM lessons WHERE user = ?1 AND verdict = 'waiting' AND due_at <= ?2 ORDER BY id LIMIT ?3"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(params![user, now, limit], from_row)?.collect::<Result<_, _>>()?)
    }

    /// When the next lesson of the user may be judged, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn next_lesson_at(&self, user: &str) -> Result<Option<i64>, StorageError> {
        let sql = "SELECT due_at FROM lessons WHERE user = ?1 AND verdict = 'waiting' ORDER BY due_at LIMIT 1";
        Ok(self.0.prepare_cached(sql)?.query_row([user], |row| row.get(0)).optional()?)
    }

    /// What the user's lessons that led to procedures say, newest first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn lesson_words(&self, user: &str, limit: u32) -> Result<Vec<LessonWords>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT procedure_id, told, session FROM lessons JOIN procedures ON procedures.id = procedure_id \
             WHERE user = ?1 AND deleted_at IS NULL ORDER BY lessons.id DESC LIMIT ?2",
        )?;
        Ok(statement.query_map(params![user, limit], words_from_row)?.collect::<Result<_, _>>()?)
    }

    /// The lessons of the user that led to a procedure, oldest first, and how many there are.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn lessons_of_procedure(
        &self,
        user: &str,
        procedure_id: i64,
        limit: u32,
    ) -> Result<(u64, Vec<LessonWords>), StorageError> {
        let sql = "SELECT count(*) FROM lessons WHERE user = ?1 AND procedure_id = ?2";
        let count = self.0.prepare_cached(sql)?.query_row(params![user, procedure_id], |row| row.get(0))?;
        let mut statement = self.0.prepare_cached(
            "SELECT procedure_id, told, session FROM lessons WHERE user = ?1 AND procedure_id = ?2 ORDER BY id LIMIT ?3",
        )?;
        let rows = statement.query_map(params![user, procedure_id, limit], words_from_row)?;
        Ok((count, rows.collect::<Result<_, _>>()?))
    }
}

impl Writer<'_> {
    /// Keeps a lesson that its writer begins to judge, until `due_at`; gives its number.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_lesson(
        &self,
        user: &str,
        told: &Told,
        (session, context): (Option<&str>, Option<&str>),
        at: i64,
        due_at: i64,
    ) -> Result<i64, StorageError> {
        Ok(self
            .0
            .0
            .prepare_cached(
                "INSERT INTO lessons (user, told, session, context, told_at, due_at, attempts) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1) RETURNING id",
            )?
            .query_row(params![user, Json(told), session, context, at, due_at], |row| row.get(0))?)
    }

    /// Keeps a lesson that is due for this process until `until`; `false` where another one has it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn take_lesson(&self, id: i64, now: i64, until: i64) -> Result<bool, StorageError> {
        let sql = "UPDATE lessons SET due_at = ?3, attempts = attempts + 1 \
                   WHERE id = ?1 AND verdict = 'waiting' AND due_at <= ?2";
        Ok(self.0.0.prepare_cached(sql)?.execute([id, now, until])? == 1)
    }

    /// Has a lesson wait until then.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn put_lesson_off(&self, id: i64, due_at: i64) -> Result<(), StorageError> {
        let sql = "UPDATE lessons SET due_at = ?2 WHERE id = ?1 AND verdict = 'waiting'";
        self.0.0.prepare_cached(sql)?.execute([id, due_at])?;
        Ok(())
    }

    /// Records what became of a lesson.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn judge_lesson(&self, id: i64, judged: &LessonJudged<'_>) -> Result<(), StorageError> {
        let (procedure, likeness) = judged.procedure.unzip();
        self.0
            .0
            .prepare_cached(
                "UPDATE lessons SET verdict = ?2, judged_by = ?3, confidence = ?4, procedure_id = ?5, likeness = ?6 \
                 WHERE id = ?1",
            )?
            .execute(params![id, judged.verdict.as_str(), judged.by, judged.confidence, procedure, likeness])?;
        Ok(())
    }

    /// Has the lessons of the user that led to one procedure lead to another.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn move_lessons(&self, user: &str, from: i64, to: i64) -> Result<(), StorageError> {
        let sql = "UPDATE lessons SET procedure_id = ?3 WHERE user = ?1 AND procedure_id = ?2";
        self.0.0.prepare_cached(sql)?.execute(params![user, from, to])?;
        Ok(())
    }
}
