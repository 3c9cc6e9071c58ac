//! What runs say of the code that they executed: how each code did, how it failed, what its steps were answered, what it gave.

use rusqlite::params;

use crate::{
    domain::VersionNumber,
    storage::{Reader, StorageError},
};

/// How the runs of one code of a procedure ended, in whichever versions it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeTally {
    pub code_blob: String,
    /// The newest version that has it.
    pub version: VersionNumber,
    pub successes: u64,
    pub failures: u64,
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRun {
    pub run_id: String,
    pub code_blob: String,
    /// Who started it, where that is known.
    pub user: Option<String>,
    /// The parameters as JSON.
    pub parameters: String,
    pub error: String,
    /// The exception's class.
    pub error_type: Option<String>,
    pub traceback: Option<String>,
    /// Whether a procedure that it called failed, too.
    pub is_from_below: bool,
}

/// What a person or an agent was asked in a run, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredStep {
    pub run_id: String,
    /// `manual_step` or `ask`.
    pub function: String,
    /// Line of the call, from 1.
    pub line: u32,
    /// Step of the procedure, from 1.
    pub step: Option<u32>,
    /// What was asked, as JSON.
    pub arguments: String,
    /// The answer as JSON; none where it was refused.
    pub answer: Option<String>,
}

impl Reader<'_> {
    /// How each code of a procedure did, the newest first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn code_tallies(&self, procedure_id: i64, limit: u32) -> Result<Vec<CodeTally>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT code_blob, max(version), coalesce(max(successes), 0), coalesce(max(failures), 0) FROM versions \
             LEFT JOIN code_totals USING (procedure_id, code_blob) WHERE procedure_id = ?1 AND code_blob IS NOT NULL \
             GROUP BY code_blob ORDER BY max(version) DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![procedure_id, limit], |row| {
            Ok(CodeTally {
                code_blob: row.get(0)?,
                version: row.get(1)?,
                successes: row.get(2)?,
                failures: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The failures among the newest `window` runs of a procedure, newest first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn failed_runs(&self, procedure_id: i64, window: u32) -> Result<Vec<FailedRun>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT newest.id, code_blob, user, parameters, coalesce(error, ''), error_type, traceback, \
             EXISTS (SELECT 1 FROM runs AS below WHERE below.parent_run_id = newest.id AND below.outcome = 'failure') \
             FROM (SELECT * FROM runs WHERE procedure_id = ?1 ORDER BY id DESC LIMIT ?2) AS newest \
             JOIN versions USING (procedure_id, version) \
             WHERE outcome = 'failure' AND NOT is_reported AND code_blob IS NOT NULL ORDER BY newest.id DESC",
        )?;
        let rows = statement.query_map(params![procedure_id, window], |row| {
            Ok(FailedRun {
                run_id: row.get(0)?,
                code_blob: row.get(1)?,
                user: row.get(2)?,
                parameters: row.get(3)?,
                error: row.get(4)?,
                error_type: row.get(5)?,
                traceback: row.get(6)?,
                is_from_below: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was asked in the newest `window` runs of a procedure by `user` that executed this code and ended,
    /// newest first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn answered_steps(
        &self,
        user: &str,
        procedure_id: i64,
        code_blob: &str,
        window: u32,
    ) -> Result<Vec<AnsweredStep>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT newest.id, function, line, step, arguments, host_calls.result \
             FROM (SELECT id, version, procedure_id FROM runs WHERE procedure_id = ?2 AND finished_at IS NOT NULL \
             AND NOT is_reported AND (user IS NULL OR user = ?1) ORDER BY id DESC LIMIT ?4) AS newest \
             JOIN versions USING (procedure_id, version) JOIN host_calls ON run_id = newest.id \
             WHERE code_blob = ?3 AND function IN ('manual_step', 'ask') AND line IS NOT NULL ORDER BY newest.id DESC",
        )?;
        let rows = statement.query_map(params![user, procedure_id, code_blob, window], |row| {
            Ok(AnsweredStep {
                run_id: row.get(0)?,
                function: row.get(1)?,
                line: row.get(2)?,
                step: row.get(3)?,
                arguments: row.get(4)?,
                answer: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Parameters and results, as JSON, of the newest `limit` runs of a procedure by `user` that succeeded.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn results(&self, user: &str, procedure_id: i64, limit: u32) -> Result<Vec<(String, String)>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT parameters, coalesce(result, 'null') FROM runs WHERE procedure_id = ?2 AND outcome = 'success' \
             AND NOT is_reported AND (user IS NULL OR user = ?1) ORDER BY id DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![user, procedure_id, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
