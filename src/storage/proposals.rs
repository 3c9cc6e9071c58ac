//! Procedures that wait for a person's word, or got it: their numbers among the candidates. That they wait is their status.
//! What is known of a candidate by its number alone, whatever it is, is here as well: why it was put away.

use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{Reader, StorageError, Writer, procedures::OWNED};

/// The number of a procedure that is or was a candidate, and what was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRow {
    /// Its number among the candidates.
    pub id: i64,
    pub procedure_id: i64,
    /// When it was put behind the others, in milliseconds since 1970.
    pub skipped_at: Option<i64>,
    /// Who decided last; nobody where a push changed its status.
    pub decided_by: Option<String>,
    /// Whether an agent did.
    pub decided_by_agent: bool,
    /// When, in milliseconds since 1970.
    pub decided_at: Option<i64>,
}

const COLUMNS: &str = "proposals.id AS number, procedure_id, skipped_at, decided_by, decided_by_agent, decided_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<ProposalRow> {
    Ok(ProposalRow {
        id: row.get("number")?,
        procedure_id: row.get("procedure_id")?,
        skipped_at: row.get("skipped_at")?,
        decided_by: row.get("decided_by")?,
        decided_by_agent: row.get("decided_by_agent")?,
        decided_at: row.get("decided_at")?,
    })
}

impl Reader<'_> {
    /// The candidates among the procedures that `user` may change, oldest first, those that were skipped after the others.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn open_proposals(&self, user: &str, limit: u32) -> Result<Vec<ProposalRow>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM proposals JOIN procedures ON procedures.id = procedure_id \
             WHERE status = 'candidate' AND deleted_at IS NULL AND {OWNED} \
             ORDER BY skipped_at NULLS FIRST, number LIMIT :limit"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(named_params! {":user": user, ":limit": limit}, from_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The procedure with this number among the candidates, whether it waits or not.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn proposal(&self, id: i64) -> Result<Option<ProposalRow>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM proposals WHERE id = ?1");
        Ok(self.0.prepare_cached(&sql)?.query_row([id], from_row).optional()?)
    }

    /// The number of a procedure that is or was a candidate.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn proposal_of(&self, procedure_id: i64) -> Result<Option<i64>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT id FROM proposals WHERE procedure_id = ?1")?;
        Ok(statement.query_row([procedure_id], |row| row.get(0)).optional()?)
    }

    /// How many candidates wait for `user`: lessons, and procedures that they may change.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn count_candidates(&self, user: &str) -> Result<u64, StorageError> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM candidates WHERE user = :user AND status = 'candidate') + \
             (SELECT count(*) FROM amendments WHERE user = :user AND status = 'candidate') + \
             (SELECT count(*) FROM procedures JOIN proposals ON procedures.id = procedure_id \
              WHERE status = 'candidate' AND deleted_at IS NULL AND {OWNED})"
        );
        Ok(self.0.prepare_cached(&sql)?.query_row(named_params! {":user": user}, |row| row.get(0))?)
    }

    /// Why the candidate with this number was put away last, where that was said.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn reason(&self, candidate: i64) -> Result<Option<String>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT reason FROM reasons WHERE candidate_id = ?1")?;
        Ok(statement.query_row([candidate], |row| row.get(0)).optional()?)
    }
}

impl Writer<'_> {
    /// Puts a candidate behind the others.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn skip_proposal(&self, id: i64, at: i64) -> Result<(), StorageError> {
        self.0.0.prepare_cached("UPDATE proposals SET skipped_at = ?2 WHERE id = ?1")?.execute([id, at])?;
        Ok(())
    }

    /// Records who decided, and when.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn decide_proposal(&self, procedure_id: i64, by: &str, is_agent: bool, at: i64) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "UPDATE proposals SET decided_by = ?2, decided_by_agent = ?3, decided_at = ?4 WHERE procedure_id = ?1",
            )?
            .execute(params![procedure_id, by, is_agent, at])?;
        Ok(())
    }

    /// Keeps why a candidate was put away; what was said of it earlier is forgotten.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn give_reason(&self, candidate: i64, reason: Option<&str>, at: i64) -> Result<(), StorageError> {
        let transaction = &self.0.0;
        match reason {
            Some(reason) => transaction
                .prepare_cached("INSERT OR REPLACE INTO reasons (candidate_id, reason, said_at) VALUES (?1, ?2, ?3)")?
                .execute(params![candidate, reason, at])?,
            None => transaction.prepare_cached("DELETE FROM reasons WHERE candidate_id = ?1")?.execute([candidate])?,
        };
        Ok(())
    }
}
