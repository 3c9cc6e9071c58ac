//! Runs, their journals and the totals that they add up to.

use rusqlite::{OptionalExtension, Row, params};

use super::{Reader, StorageError, Writer, users::Users};
use crate::domain::{HostCall, Outcome, Run, RunFilter, RunStatus, VersionNumber};

/// A run that starts.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    pub id: &'a str,
    /// What is executed.
    pub procedure_id: i64,
    pub version: VersionNumber,
    /// The run that called it, and by which of its calls.
    pub caller: Option<(&'a str, u32)>,
    /// The server process that owns it.
    pub session: &'a str,
    /// Whose process that is. A run that is called is whose its caller is.
    pub user: &'a str,
    /// Whether a person can be asked by whoever started it.
    pub can_be_asked: bool,
    /// The parameters as JSON.
    pub parameters: &'a str,
    /// How many steps the procedure has.
    pub steps_total: u32,
    /// Milliseconds since 1970.
    pub started_at: i64,
}

/// How a run ended, or why it waits.
#[derive(Debug, Clone)]
pub struct RunEnd<'a> {
    pub status: RunStatus,
    pub outcome: Option<Outcome>,
    /// The result as JSON.
    pub result: Option<&'a str>,
    /// What it printed and logged.
    pub output: &'a str,
    pub error: Option<&'a str>,
    /// The exception's class.
    pub error_type: Option<&'a str>,
    /// Where it was raised.
    pub traceback: Option<&'a str>,
    /// The instruction that a paused run waits for.
    pub waiting_for: Option<&'a str>,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Time spent executing, in milliseconds.
    pub duration_ms: f64,
    /// The host calls since the run was last written.
    pub calls: &'a [(u32, HostCall)],
    /// When a paused run stops waiting; milliseconds since 1970.
    pub expires_at: Option<i64>,
    /// When the clock goes on with it; milliseconds since 1970.
    pub due_at: Option<i64>,
}

/// How long an interrupted run is left alone, in milliseconds, as SQL: not at all the first time, then a tenth of a second, twice
/// as long for each time that it was taken up and came no further, a minute at most. One that ends its server each time
/// holds up nobody so, and one that is only unlucky, with servers that end one after the other, lives to see the last.
pub(super) const REST: &str = "iif(attempts = 0, 0, min(100 << (attempts - 1), 60000))";

const COLUMNS: &str = "runs.id, procedure_id, procedures.name AS procedure_name, runs.version, parent_run_id, session, \
                       runs.status, outcome, parameters, result, output, error, error_type, traceback, waiting_for, \
                       steps_total, started_at, finished_at, duration_ms, attempts, expires_at, due_at, runs.user, runs.can_be_asked, \
                       is_reported, \
                       EXISTS (WITH RECURSIVE tree (id) AS (SELECT runs.id \
                       UNION SELECT called.id FROM runs AS called JOIN tree ON called.parent_run_id = tree.id) \
                       SELECT 1 FROM decisions JOIN tree ON run_id = tree.id WHERE by_agent) AS decided_by_agent";

/// Whether a run is of `:status`. One that was skipped is kept as one that has succeeded, of that outcome: to whatever cleans
/// up, and to older programs, it is a run that has ended.
const STATUS_IS: &str = "runs.status = iif(:status = 'skipped', 'succeeded', :status) AND \
                         (runs.status <> 'succeeded' OR (outcome = 'skipped') = (:status = 'skipped'))";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    let status: String = row.get("status")?;
    let outcome = row.get::<_, Option<String>>("outcome")?.as_deref().and_then(Outcome::parse);
    Ok(Run {
        id: row.get("id")?,
        procedure_id: row.get("procedure_id")?,
        procedure_name: row.get("procedure_name")?,
        version: row.get("version")?,
        parent_run_id: row.get("parent_run_id")?,
        session: row.get("session")?,
        status: match outcome {
            Some(Outcome::Skipped) => RunStatus::Skipped,
            _ => RunStatus::parse(&status).unwrap_or(RunStatus::Interrupted),
        },
        outcome,
        parameters: row.get("parameters")?,
        result: row.get("result")?,
        output: row.get("output")?,
        error: row.get("error")?,
        error_type: row.get("error_type")?,
        traceback: row.get("traceback")?,
        waiting_for: row.get("waiting_for")?,
        steps_total: row.get("steps_total")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        duration_ms: row.get("duration_ms")?,
        attempts: row.get("attempts")?,
        expires_at: row.get("expires_at")?,
        due_at: row.get("due_at")?,
        user: row.get("user")?,
        can_be_asked: row.get("can_be_asked")?,
        decided_by_agent: row.get("decided_by_agent")?,
        is_reported: row.get("is_reported")?,
    })
}

impl Reader<'_> {
    /// One run.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn run(&self, id: &str) -> Result<Option<Run>, StorageError> {
        let sql =
            format!("SELECT {COLUMNS} FROM runs JOIN procedures ON procedures.id = procedure_id WHERE runs.id = ?1");
        Ok(self.0.prepare_cached(&sql)?.query_row([id], from_row).optional()?)
    }

    /// The newest `limit` runs of `users` that match, newest first, without those that were called by another run.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn list_runs(&self, users: &Users, filter: &RunFilter, limit: u32) -> Result<Vec<Run>, StorageError> {
        let status = filter.status.map(RunStatus::as_str);
        let mut conditions = vec!["parent_run_id IS NULL", Users::RUNS];
        let mut parameters: Vec<(&str, &dyn rusqlite::ToSql)> = vec![(":limit", &limit), (":users", users)];
        if let Some(id) = &filter.procedure_id {
            conditions.push("procedure_id = :procedure");
            parameters.push((":procedure", id));
        }
        if let Some(status) = &status {
            conditions.push(STATUS_IS);
            parameters.push((":status", status));
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM runs JOIN procedures ON procedures.id = procedure_id WHERE {} \
             ORDER BY runs.id DESC LIMIT :limit",
            conditions.join(" AND ")
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map(&parameters[..], from_row)?.collect::<Result<_, _>>()?)
    }

    /// The sessions that own runs which are still open.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn sessions_with_open_runs(&self) -> Result<Vec<String>, StorageError> {
        let mut statement = self.0.prepare_cached("SELECT DISTINCT session FROM runs WHERE status = 'running'")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The journal of a run.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn host_calls(&self, run_id: &str) -> Result<Vec<HostCall>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT function, arguments, result, error, line, step, duration_ms, EXISTS (SELECT 1 FROM decisions \
             WHERE decisions.run_id = host_calls.run_id AND decisions.sequence = host_calls.sequence AND by_agent) \
             FROM host_calls WHERE run_id = ?1 ORDER BY sequence",
        )?;
        let rows = statement.query_map([run_id], |row| {
            let (arguments, result): (String, Option<String>) = (row.get(1)?, row.get(2)?);
            Ok(HostCall {
                function: row.get(0)?,
                arguments: serde_json::from_str(&arguments).unwrap_or_default(),
                result: result.map(|result| serde_json::from_str(&result).unwrap_or_default()),
                error: row.get(3)?,
                line: row.get(4)?,
                step: row.get(5)?,
                duration_ms: row.get(6)?,
                decided_by_agent: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Records that a run starts.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn start_run(&self, run: &NewRun<'_>) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "INSERT INTO runs (id, procedure_id, version, parent_run_id, parent_call, session, status, parameters, \
                 steps_total, started_at, user, can_be_asked) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'running', ?7, ?8, ?9, \
                 coalesce((SELECT user FROM runs WHERE id = ?4), ?10), ?11)",
            )?
            .execute(params![
                run.id,
                run.procedure_id,
                run.version,
                run.caller.map(|(run_id, _)| run_id),
                run.caller.map(|(_, sequence)| sequence),
                run.session,
                run.parameters,
                run.steps_total,
                run.started_at,
                run.user,
                run.can_be_asked,
            ])?;
        self.0
            .0
            .prepare_cached("UPDATE procedures SET uses = uses + 1, last_run_at = ?2 WHERE id = ?1")?
            .execute(params![run.procedure_id, run.started_at])?;
        Ok(())
    }

    /// Records an execution for which there was no code.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn skip_run(&self, run: &NewRun<'_>) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "INSERT INTO runs (id, procedure_id, version, session, status, outcome, parameters, steps_total, \
                 started_at, finished_at, duration_ms, user) \
                 VALUES (?1, ?2, ?3, ?4, 'succeeded', 'skipped', ?5, ?6, ?7, ?7, 0, ?8)",
            )?
            .execute(params![
                run.id,
                run.procedure_id,
                run.version,
                run.session,
                run.parameters,
                run.steps_total,
                run.started_at,
                run.user,
            ])?;
        self.count(run.procedure_id, run.version, Outcome::Skipped, run.started_at, 0.0)
    }

    /// Records how a run ended or that it waits, with its journal, and adds it to the totals. A run that is no longer
    /// open is left as it is: `false`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn end_run(&self, id: &str, end: &RunEnd<'_>) -> Result<bool, StorageError> {
        let finished_at = (!end.status.is_open()).then_some(end.at);
        let Some((procedure_id, version)) = self
            .0
            .0
            .prepare_cached(
                "UPDATE runs SET status = ?2, outcome = ?3, result = ?4, output = ?5, error = ?6, error_type = ?7, \
                 traceback = ?8, waiting_for = ?9, finished_at = ?10, duration_ms = ?11, expires_at = ?12, due_at = ?13 \
                 WHERE id = ?1 AND status IN ('running', 'paused') RETURNING procedure_id, version",
            )?
            .query_row(
                params![
                    id,
                    end.status.as_str(),
                    end.outcome.map(Outcome::as_str),
                    end.result,
                    end.output,
                    end.error,
                    end.error_type,
                    end.traceback,
                    end.waiting_for,
                    finished_at,
                    end.duration_ms,
                    end.expires_at,
                    end.due_at,
                ],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, VersionNumber>(1)?)),
            )
            .optional()?
        else {
            return Ok(false);
        };
        self.add_host_calls(id, end.calls)?;
        if let Some(outcome) = end.outcome {
            self.count(procedure_id, version, outcome, end.at, end.duration_ms)?;
        }
        Ok(true)
    }

    /// Marks what a session left open as interrupted, to rest as [`REST`] says.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn interrupt_runs(&self, session: &str, at: i64) -> Result<usize, StorageError> {
        let changed = self
            .0
            .0
            .prepare_cached(&format!(
                "UPDATE runs SET status = 'interrupted', finished_at = ?2, due_at = ?2 + {REST}, \
                 error = 'the server that executed this run ended before it did' \
                 WHERE session = ?1 AND status = 'running'",
            ))?
            .execute(params![session, at])?;
        Ok(changed)
    }

    /// Adds answered calls to the journal of a run, by their numbers. A call that the code made again after a crash
    /// replaces its earlier entry.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_host_calls(&self, run_id: &str, calls: &[(u32, HostCall)]) -> Result<(), StorageError> {
        let mut insert =
            self.0.0.prepare_cached("INSERT OR REPLACE INTO host_calls (run_id, sequence, function, arguments, result, error, line, step, duration_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
        for (sequence, call) in calls {
            insert.execute(params![
                run_id,
                sequence,
                call.function,
                call.arguments.to_string(),
                call.result.as_ref().map(ToString::to_string),
                call.error,
                call.line,
                call.step,
                call.duration_ms,
            ])?;
        }
        Ok(())
    }

    fn count(
        &self,
        procedure_id: i64,
        version: VersionNumber,
        outcome: Outcome,
        at: i64,
        duration_ms: f64,
    ) -> Result<(), StorageError> {
        let one = |counted: Outcome| u32::from(outcome == counted);
        let (success, failure) = (one(Outcome::Success), one(Outcome::Failure));
        let duration = if success + failure > 0 { duration_ms } else { 0.0 };
        self.0
            .0
            .prepare_cached(
                "INSERT INTO run_totals (procedure_id, version, day, successes, failures, skipped, paused, duration_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                 ON CONFLICT DO UPDATE SET successes = successes + ?4, failures = failures + ?5, \
                 skipped = skipped + ?6, paused = paused + ?7, duration_ms = duration_ms + ?8",
            )?
            .execute(params![
                procedure_id,
                version,
                at.div_euclid(86_400_000),
                success,
                failure,
                one(Outcome::Skipped),
                one(Outcome::Paused),
                duration,
            ])?;
        self.0
            .0
            .prepare_cached("UPDATE procedures SET successes = successes + ?2, failures = failures + ?3 WHERE id = ?1")?
            .execute(params![procedure_id, success, failure])?;
        if success + failure > 0 {
            self.move_confidence(procedure_id)?;
        }
        Ok(())
    }
}
