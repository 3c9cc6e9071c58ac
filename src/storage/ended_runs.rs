//! Our own runs that ended and were not learned from yet, and whose they are.

use rusqlite::{named_params, params};

use super::{Reader, StorageError, Writer, users::Users};
use crate::domain::learning::Ended;

/// Calls of a run that are looked at.
const MAX_CALLS: u32 = 500;

/// A run that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedRun {
    pub run_id: String,
    /// What was executed.
    pub procedure_id: i64,
    /// Its name today.
    pub procedure_name: String,
    /// The first that it had: runs are alike whatever it was called meanwhile.
    pub first_name: String,
    /// Whose it is; otherwise whose process executed it, or whose procedure it is.
    pub user: Option<String>,
    pub ended: Ended,
    /// The parameters as JSON.
    pub parameters: String,
    pub error: Option<String>,
    /// The exception's class.
    pub error_type: Option<String>,
    /// Milliseconds since 1970.
    pub finished_at: i64,
    /// Time spent executing, in milliseconds.
    pub duration_ms: f64,
}

/// A call of such a run, without what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallName {
    pub function: String,
    /// What tells its calls apart: the program, the tool, the procedure.
    pub subject: Option<String>,
    pub failed: bool,
}

impl Reader<'_> {
    /// The next runs to learn from.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn ended_runs(&self, limit: u32) -> Result<Vec<EndedRun>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT runs.id, runs.procedure_id, procedures.name, \
             coalesce(json_extract(procedures.definition, '$.former_names[0]'), procedures.name), COALESCE(runs.user, session_users.user, procedures.owner), \
             runs.outcome, runs.parameters, runs.error, runs.error_type, COALESCE(runs.finished_at, runs.started_at), \
             COALESCE(runs.duration_ms, 0) \
             FROM ended_runs JOIN runs ON runs.id = ended_runs.run_id JOIN procedures ON procedures.id = procedure_id \
             LEFT JOIN session_users ON session_users.session = runs.session ORDER BY ended_runs.run_id LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], |row| {
            let outcome: String = row.get(5)?;
            Ok(EndedRun {
                run_id: row.get(0)?,
                procedure_id: row.get(1)?,
                procedure_name: row.get(2)?,
                first_name: row.get(3)?,
                user: row.get(4)?,
                ended: Ended::parse(&outcome).unwrap_or(Ended::Failure),
                parameters: row.get(6)?,
                error: row.get(7)?,
                error_type: row.get(8)?,
                finished_at: row.get(9)?,
                duration_ms: row.get(10)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The calls of a run in their order, without those that only note something.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn call_names(&self, run_id: &str) -> Result<Vec<CallName>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT function, error IS NOT NULL, CASE WHEN json_valid(arguments) THEN CASE function \
             WHEN 'run_command' THEN json_extract(arguments, '$.command[0]') \
             WHEN 'call_tool' THEN json_extract(arguments, '$.tool') \
             WHEN 'call_procedure' THEN json_extract(arguments, '$.name') END END \
             FROM host_calls WHERE run_id = ?1 AND function NOT IN ('log', 'checkpoint') ORDER BY sequence LIMIT ?2",
        )?;
        let rows = statement.query_map(params![run_id, MAX_CALLS], |row| {
            Ok(CallName { function: row.get(0)?, failed: row.get(1)?, subject: row.get(2).unwrap_or_default() })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The sessions whose user is known.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn known_sessions(&self) -> Result<Vec<String>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT session FROM session_users")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The handles of the procedures that the newest `limit` runs of one called, directly or not, as far as they are of
    /// `users`.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn procedures_called_by(&self, users: &Users, procedure_id: i64, limit: u32) -> Result<Vec<i64>, StorageError> {
        let sql = format!(
            "WITH RECURSIVE below (id, procedure) AS (\
             SELECT id, procedure_id FROM (SELECT id, procedure_id FROM runs WHERE procedure_id = :procedure AND {} \
             ORDER BY id DESC LIMIT :limit) \
             UNION SELECT runs.id, runs.procedure_id FROM runs JOIN below ON runs.parent_run_id = below.id) \
             SELECT DISTINCT procedure FROM below",
            Users::RUNS
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let parameters = named_params! {":procedure": procedure_id, ":limit": limit, ":users": users};
        Ok(statement.query_map(parameters, |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The handles of the procedures that a run executed: its own, and those that it called, directly or not.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn procedures_of_run(&self, run_id: &str) -> Result<Vec<i64>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "WITH RECURSIVE below (id, procedure) AS (\
             SELECT id, procedure_id FROM runs WHERE id = ?1 \
             UNION SELECT runs.id, runs.procedure_id FROM runs JOIN below ON runs.parent_run_id = below.id) \
             SELECT DISTINCT procedure FROM below",
        )?;
        Ok(statement.query_map([run_id], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Notes whose process a session is, and who uses these stores.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn note_session(&self, session: &str, user: &str) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached("INSERT OR REPLACE INTO session_users (session, user) VALUES (?1, ?2)")?
            .execute([session, user])?;
        self.0.0.prepare_cached("INSERT OR IGNORE INTO users (name) VALUES (?1)")?.execute([user])?;
        Ok(())
    }

    /// Forgets a session that no run belongs to any more.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn forget_session(&self, session: &str) -> Result<(), StorageError> {
        self.0.0.prepare_cached("DELETE FROM session_users WHERE session = ?1")?.execute([session])?;
        Ok(())
    }

    /// Takes a run off the list; `false` when another process has done so.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn take_ended_run(&self, run_id: &str) -> Result<bool, StorageError> {
        Ok(self.0.0.prepare_cached("DELETE FROM ended_runs WHERE run_id = ?1")?.execute([run_id])? == 1)
    }
}
