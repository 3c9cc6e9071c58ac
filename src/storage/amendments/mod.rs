//! Amendments that wait for a person's word, or got it, and which procedures are to be looked at for more.

mod evidence;

use rusqlite::{OptionalExtension, Row, params};

use super::{CandidateStatus, Reader, StorageError, Writer, json::Json};
use crate::domain::learning::{
    amending::{Amendment, AmendmentKind, Change},
    comes_back,
};

pub use evidence::{AnsweredStep, CodeTally, FailedRun};

/// An amendment as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct AmendmentRow {
    /// Its number among the candidates.
    pub id: i64,
    pub user: String,
    /// What it would change.
    pub procedure_id: i64,
    pub status: CandidateStatus,
    pub amendment: Amendment,
    /// When it was put behind the others, in milliseconds since 1970.
    pub skipped_at: Option<i64>,
    /// Who decided last.
    pub decided_by: Option<String>,
    /// Whether an agent did.
    pub decided_by_agent: bool,
    /// When, in milliseconds since 1970.
    pub decided_at: Option<i64>,
    /// How much spoke for it then.
    pub decided_evidence: Option<u64>,
}

const COLUMNS: &str = "id, user, procedure_id, status, amendment, skipped_at, decided_by, decided_by_agent, decided_at, \
                       decided_evidence";

fn from_row(row: &Row<'_>) -> rusqlite::Result<AmendmentRow> {
    let status: String = row.get("status")?;
    Ok(AmendmentRow {
        id: row.get("id")?,
        user: row.get("user")?,
        procedure_id: row.get("procedure_id")?,
        status: CandidateStatus::parse(&status),
        amendment: row.get::<_, Json<Amendment>>("amendment")?.0,
        skipped_at: row.get("skipped_at")?,
        decided_by: row.get("decided_by")?,
        decided_by_agent: row.get("decided_by_agent")?,
        decided_at: row.get("decided_at")?,
        decided_evidence: row.get("decided_evidence")?,
    })
}

impl Reader<'_> {
    /// A user's amendment by its number.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn amendment(&self, user: &str, id: i64) -> Result<Option<AmendmentRow>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM amendments WHERE id = ?1 AND user = ?2");
        Ok(self.0.prepare_cached(&sql)?.query_row(params![id, user], from_row).optional()?)
    }

    /// A user's amendments that wait, oldest first, those that were skipped after the others.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn open_amendments(&self, user: &str, limit: u32) -> Result<Vec<AmendmentRow>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM amendments WHERE user = ?1 AND status = 'candidate' \
             ORDER BY skipped_at NULLS FIRST, id LIMIT ?2"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(params![user, limit], from_row)?.collect::<Result<_, _>>()?)
    }

    /// A user's amendments of a procedure, decided on or not.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn amendments_of(&self, user: &str, procedure_id: i64) -> Result<Vec<AmendmentRow>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM amendments WHERE user = ?1 AND procedure_id = ?2 ORDER BY id");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(params![user, procedure_id], from_row)?.collect::<Result<_, _>>()?)
    }

    /// How many amendments of this kind wait for a user.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn count_open_amendments(&self, user: &str, kind: AmendmentKind) -> Result<u64, StorageError> {
        let sql = "SELECT count(*) FROM amendments WHERE user = ?1 AND status = 'candidate' AND kind = ?2";
        Ok(self.0.prepare_cached(sql)?.query_row([user, kind.as_str()], |row| row.get(0))?)
    }

    /// A fix that waits and has no code, and that no model was asked for.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn fix_to_write(&self, user: &str) -> Result<Option<AmendmentRow>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM amendments WHERE user = ?1 AND status = 'candidate' AND kind = 'fix' AND NOT is_asked \
             ORDER BY id LIMIT 1"
        );
        Ok(self.0.prepare_cached(&sql)?.query_row([user], from_row).optional()?)
    }

    /// The next procedures to look at, each with the user for whom (an empty name is nobody's) and how often something has
    /// happened to it.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn looks(&self, limit: u32) -> Result<Vec<(i64, String, i64)>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT procedure_id, user, marks FROM amendment_looks LIMIT ?1")?;
        let rows = statement.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Has a procedure looked at, for its owner, or for `user` where it has none.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn look_at(&self, procedure_id: i64, user: Option<&str>) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "INSERT INTO amendment_looks (procedure_id, user) \
                 SELECT id, coalesce(owner, ?2, '') FROM procedures WHERE id = ?1 \
                 ON CONFLICT DO UPDATE SET marks = marks + 1",
            )?
            .execute(params![procedure_id, user])?;
        Ok(())
    }

    /// Has procedures looked at that nobody has used since `before` (milliseconds since 1970) and that never succeeded: at most
    /// `limit` of them, whichever.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn look_at_unused(&self, before: i64, limit: u32) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "INSERT OR IGNORE INTO amendment_looks (procedure_id, user) \
                 SELECT id, owner FROM procedures WHERE deleted_at IS NULL AND status = 'active' AND owner IS NOT NULL \
                 AND successes = 0 AND coalesce(last_run_at, 0) < ?1 AND updated_at * 1000 < ?1 ORDER BY random() LIMIT ?2",
            )?
            .execute(params![before, limit])?;
        Ok(())
    }

    /// Takes a procedure off the list, if nothing has happened to it since it was seen there.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn end_look(&self, procedure_id: i64, user: &str, marks: i64) -> Result<(), StorageError> {
        let sql = "DELETE FROM amendment_looks WHERE procedure_id = ?1 AND user = ?2 AND marks = ?3";
        self.0.0.prepare_cached(sql)?.execute(params![procedure_id, user, marks])?;
        Ok(())
    }

    /// Stores what was found out about a procedure: what is new waits, what waits says what is known now, and what was decided
    /// on waits again where much more speaks for it. What waits and was not found any more is withdrawn. Gives how many wait
    /// that did not before.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn put_amendments(&self, user: &str, procedure_id: i64, found: &[Amendment]) -> Result<usize, StorageError> {
        let known = self.amendments_of(user, procedure_id)?;
        let mut is_new = 0;
        for amendment in found {
            let (kind, subject) = (amendment.change.kind(), amendment.subject.as_str());
            let same = |row: &&AmendmentRow| row.amendment.change.kind() == kind && row.amendment.subject == subject;
            match known.iter().find(same) {
                None => {
                    self.add_amendment(user, procedure_id, amendment)?;
                    is_new += 1;
                }
                Some(row) if row.status == CandidateStatus::Candidate => {
                    if row.amendment != *amendment {
                        self.set_amendment(row.id, &kept_code(row, amendment))?;
                    }
                }
                Some(row) => {
                    if comes_back(row.decided_evidence.unwrap_or(amendment.count).max(1), amendment.count) {
                        self.set_amendment(row.id, amendment)?;
                        self.0
                            .0
                            .prepare_cached(
                                "UPDATE amendments SET status = 'candidate', skipped_at = NULL, is_asked = 0 WHERE id = ?1",
                            )?
                            .execute([row.id])?;
                        is_new += 1;
                    }
                }
            }
        }
        for row in known.iter().filter(|row| row.status == CandidateStatus::Candidate) {
            let is_same = |amendment: &Amendment| {
                amendment.change.kind() == row.amendment.change.kind() && amendment.subject == row.amendment.subject
            };
            if !found.iter().any(is_same) {
                self.0.0.prepare_cached("DELETE FROM amendments WHERE id = ?1")?.execute([row.id])?;
            }
        }
        Ok(is_new)
    }

    fn add_amendment(&self, user: &str, procedure_id: i64, amendment: &Amendment) -> Result<(), StorageError> {
        self.0.0.prepare_cached("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'candidates'")?.execute([])?;
        self.0
            .0
            .prepare_cached(
                "INSERT INTO amendments (id, user, procedure_id, kind, subject, amendment, evidence) \
                 SELECT seq, ?1, ?2, ?3, ?4, ?5, ?6 FROM sqlite_sequence WHERE name = 'candidates'",
            )?
            .execute(params![
                user,
                procedure_id,
                amendment.change.kind().as_str(),
                amendment.subject,
                Json(amendment),
                amendment.count
            ])?;
        Ok(())
    }

    /// Says what an amendment would do and what speaks for it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn set_amendment(&self, id: i64, amendment: &Amendment) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached("UPDATE amendments SET amendment = ?2, evidence = ?3 WHERE id = ?1")?
            .execute(params![id, Json(amendment), amendment.count])?;
        Ok(())
    }

    /// Notes that a model is asked for the code of a fix; `false` when another process has done so.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn ask_for_fix(&self, id: i64) -> Result<bool, StorageError> {
        let sql = "UPDATE amendments SET is_asked = 1 WHERE id = ?1 AND NOT is_asked";
        Ok(self.0.0.prepare_cached(sql)?.execute([id])? == 1)
    }

    /// Puts an amendment behind the others.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn skip_amendment(&self, id: i64, at: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("UPDATE amendments SET skipped_at = ?2 WHERE id = ?1")?.execute([id, at])?;
        Ok(())
    }

    /// Records a decision: who, when, and on how much evidence.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn decide_amendment(
        &self,
        id: i64,
        status: CandidateStatus,
        (by, is_agent): (&str, bool),
        at: i64,
    ) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "UPDATE amendments SET status = ?2, decided_by = ?3, decided_by_agent = ?4, decided_at = ?5, \
                 decided_evidence = evidence WHERE id = ?1",
            )?
            .execute(params![id, status.as_str(), by, is_agent, at])?;
        Ok(())
    }
}

/// What is known now, with the code that a model wrote for the same code.
fn kept_code(row: &AmendmentRow, now: &Amendment) -> Amendment {
    let mut kept = now.clone();
    if let (Change::Fix { code: written }, Change::Fix { code }) = (&row.amendment.change, &mut kept.change)
        && row.amendment.code_version == now.code_version
    {
        code.clone_from(written);
    }
    kept
}
