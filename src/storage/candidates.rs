//! Candidates: lessons that wait for a person's word, or got it.

use rusqlite::{OptionalExtension, Row, params};

use super::{NewOutcome, Reader, StorageError, Writer, json::Json};
use crate::domain::learning::{Kind, Lesson};

/// Where a candidate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateStatus {
    /// It waits.
    Candidate,
    /// It was approved: there is a procedure.
    Active,
    /// It was rejected.
    Rejected,
}

impl CandidateStatus {
    /// The word used in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Active => "active",
            Self::Rejected => "rejected",
        }
    }

    /// The status that [`Self::as_str`] names; what is none waits.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        [Self::Active, Self::Rejected].into_iter().find(|status| status.as_str() == text).unwrap_or(Self::Candidate)
    }
}

/// Whose words a candidate is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// Ours, made from the evidence.
    Plain,
    /// The same; a model was asked for better ones.
    Asked,
    /// A model's.
    Model,
    /// The reviewer's.
    Edited,
}

impl Wording {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Asked => "asked",
            Self::Model => "model",
            Self::Edited => "edited",
        }
    }
}

/// A candidate as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateRow {
    pub id: i64,
    pub user: String,
    /// What was learned from.
    pub workflow_id: String,
    /// What was learned.
    pub kind: Kind,
    /// What its evidence shares.
    pub pattern: String,
    pub status: CandidateStatus,
    pub lesson: Lesson,
    /// How many outcomes speak for it.
    pub evidence: u64,
    /// What the evidence says, in our words, as JSON.
    pub basis: String,
    /// Whose words the lesson is in.
    pub wording: Wording,
    /// A session that makes a procedure of it.
    pub claimed_by: Option<String>,
    /// Who decided last.
    pub reviewed_by: Option<String>,
    /// Whether an agent did.
    pub reviewed_by_agent: bool,
    /// When, in milliseconds since 1970.
    pub reviewed_at: Option<i64>,
    /// How many outcomes spoke for it then.
    pub reviewed_evidence: Option<u64>,
    /// What was made of it.
    pub procedure_name: Option<String>,
    /// When it was put behind the others, in milliseconds since 1970.
    pub skipped_at: Option<i64>,
}

const COLUMNS: &str = "id, user, workflow_id, kind, pattern, status, lesson, evidence, basis, wording, claimed_by, reviewed_by, \
                       reviewed_by_agent, reviewed_at, reviewed_evidence, procedure_name, skipped_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<CandidateRow> {
    let (kind, status, wording): (String, String, String) = (row.get("kind")?, row.get("status")?, row.get("wording")?);
    Ok(CandidateRow {
        id: row.get("id")?,
        user: row.get("user")?,
        workflow_id: row.get("workflow_id")?,
        kind: Kind::parse(&kind).unwrap_or(Kind::Strategy),
        pattern: row.get("pattern")?,
        status: CandidateStatus::parse(&status),
        lesson: row.get::<_, Json<Lesson>>("lesson")?.0,
        evidence: row.get("evidence")?,
        basis: row.get("basis")?,
        wording: match wording.as_str() {
            "asked" => Wording::Asked,
            "model" => Wording::Model,
            "edited" => Wording::Edited,
            _ => Wording::Plain,
        },
        claimed_by: row.get("claimed_by")?,
        reviewed_by: row.get("reviewed_by")?,
        reviewed_by_agent: row.get("reviewed_by_agent")?,
        reviewed_at: row.get("reviewed_at")?,
        reviewed_evidence: row.get("reviewed_evidence")?,
        procedure_name: row.get("procedure_name")?,
        skipped_at: row.get("skipped_at")?,
    })
}

impl Reader<'_> {
    /// A user's candidate by its number.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn candidate(&self, user: &str, id: i64) -> Result<Option<CandidateRow>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM candidates WHERE id = ?1 AND user = ?2");
        Ok(self.0.prepare_cached(&sql)?.query_row(params![id, user], from_row).optional()?)
    }

    /// The candidate that was made of a pattern.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn candidate_of(&self, user: &str, kind: Kind, pattern: &str) -> Result<Option<CandidateRow>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM candidates WHERE user = ?1 AND kind = ?2 AND pattern = ?3");
        Ok(self.0.prepare_cached(&sql)?.query_row([user, kind.as_str(), pattern], from_row).optional()?)
    }

    /// A user's candidates that wait, oldest first, those that were skipped after the others.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn open_candidates(&self, user: &str, limit: u32) -> Result<Vec<CandidateRow>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM candidates WHERE user = ?1 AND status = 'candidate' \
             ORDER BY skipped_at NULLS FIRST, id LIMIT ?2"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(params![user, limit], from_row)?.collect::<Result<_, _>>()?)
    }

    /// What was learned from a workflow and stands so, newest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn candidates_of_workflow(
        &self,
        user: &str,
        workflow_id: &str,
        status: CandidateStatus,
        limit: u32,
    ) -> Result<Vec<CandidateRow>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM candidates WHERE user = ?1 AND workflow_id = ?2 AND status = ?3 \
             ORDER BY id DESC LIMIT ?4"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(params![user, workflow_id, status.as_str(), limit], from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The patterns of a workflow that a strategy was learned from, with how much evidence there is; most first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn counted_ways(&self, user: &str, workflow_id: &str, limit: u32) -> Result<Vec<(String, u64)>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT pattern, evidence FROM candidates WHERE user = ?1 AND workflow_id = ?2 AND kind = 'strategy' \
             ORDER BY evidence DESC, id LIMIT ?3",
        )?;
        let rows = statement.query_map(params![user, workflow_id, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The user's candidates whose words a model may improve.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn plain_candidates(&self, user: &str, limit: u32) -> Result<Vec<CandidateRow>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM candidates WHERE user = ?1 AND status = 'candidate' AND wording = 'plain' \
             ORDER BY id LIMIT ?2"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(params![user, limit], from_row)?.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Stores a new candidate, of what an outcome shares with others; gives its number.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn add_candidate(
        &self,
        outcome: &NewOutcome,
        (kind, pattern): (Kind, &str),
        lesson: &Lesson,
        evidence: u64,
        at: i64,
    ) -> Result<i64, StorageError> {
        let (user, workflow) = (&outcome.user, &outcome.workflow_id);
        Ok(self
            .0
            .0
            .prepare_cached(
                "INSERT INTO candidates (user, workflow_id, kind, pattern, lesson, basis, evidence, created_at, \
                 updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?7) RETURNING id",
            )?
            .query_row(params![user, workflow, kind.as_str(), pattern, Json(lesson), evidence, at], |row| row.get(0))?)
    }

    /// Counts one more outcome that speaks for a candidate; gives how many do.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_evidence(&self, id: i64) -> Result<u64, StorageError> {
        Ok(self
            .0
            .0
            .prepare_cached("UPDATE candidates SET evidence = evidence + 1 WHERE id = ?1 RETURNING evidence")?
            .query_row([id], |row| row.get(0))?)
    }

    /// Says what the evidence of a candidate teaches now; it waits (again) for a person's word.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn renew_candidate(&self, id: i64, lesson: &Lesson, at: i64) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "UPDATE candidates SET lesson = ?2, basis = ?2, wording = 'plain', status = 'candidate', \
                 skipped_at = NULL, updated_at = ?3 WHERE id = ?1",
            )?
            .execute(params![id, Json(lesson), at])?;
        Ok(())
    }

    /// Has a rejected candidate wait again, as it is.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn reopen_candidate(&self, id: i64, at: i64) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached("UPDATE candidates SET status = 'candidate', updated_at = ?2 WHERE id = ?1")?
            .execute([id, at])?;
        Ok(())
    }

    /// Puts a candidate in other words, if it waits and is still in the words `from`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn reword_candidate(
        &self,
        id: i64,
        from: Wording,
        basis: &str,
        lesson: &Lesson,
        to: Wording,
        at: i64,
    ) -> Result<bool, StorageError> {
        let changed = self
            .0
            .0
            .prepare_cached(
                "UPDATE candidates SET lesson = ?5, wording = ?4, updated_at = ?6 \
                 WHERE id = ?1 AND wording = ?2 AND basis = ?3 AND status = 'candidate'",
            )?
            .execute(params![id, from.as_str(), basis, to.as_str(), Json(lesson), at])?;
        Ok(changed == 1)
    }

    /// Keeps a candidate for this session, which makes a procedure of it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn claim_candidate(&self, id: i64, session: Option<&str>) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached("UPDATE candidates SET claimed_by = ?2 WHERE id = ?1")?
            .execute(params![id, session])?;
        Ok(())
    }

    /// Puts a candidate behind the others.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn skip_candidate(&self, id: i64, at: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("UPDATE candidates SET skipped_at = ?2 WHERE id = ?1")?.execute(params![id, at])?;
        Ok(())
    }

    /// Records a decision: who, when, on how much evidence, and what was made of it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn review_candidate(
        &self,
        id: i64,
        status: CandidateStatus,
        (by, is_agent): (&str, bool),
        at: i64,
        evidence: u64,
        procedure_name: Option<&str>,
    ) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "UPDATE candidates SET status = ?2, reviewed_by = ?3, reviewed_at = ?4, reviewed_evidence = ?5, \
                 procedure_name = ?6, reviewed_by_agent = ?7, claimed_by = NULL WHERE id = ?1",
            )?
            .execute(params![id, status.as_str(), by, at, evidence, procedure_name, is_agent])?;
        Ok(())
    }
}
