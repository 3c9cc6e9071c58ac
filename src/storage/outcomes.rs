//! Outcomes of whole runs: stored once per run, searched, and counted by what they have in common.

use rusqlite::{OptionalExtension, Params, Row, named_params, params};
use serde_json::Value;

use super::{
    Reader, StorageError, Users, Words, Writer,
    json::Json,
    search::{join, terms},
};
use crate::domain::{
    learning::{Ended, Seen, Trace},
    workflow::{Counts, WorkflowOutcome},
};

/// Matches that are ranked by their text: the newest ones. Ranking ten thousand that all match takes 10 ms.
const RANKED: u32 = 500;

/// Weights of the columns workflow, status, nodes, error and artifacts.
const BM25: &str = "bm25(outcome_search, 4.0, 1.0, 2.0, 2.0, 1.0)";

/// An outcome that is to be kept.
#[derive(Debug, Clone)]
pub struct NewOutcome {
    pub user: String,
    pub workflow_id: String,
    pub run_id: String,
    /// The procedure, where the run was one of ours.
    pub procedure_id: Option<i64>,
    pub ended: Ended,
    /// What those that are alike share.
    pub pattern: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub counts: Counts,
    pub error_message: Option<String>,
    /// What it produced.
    pub artifacts: Vec<Value>,
    /// What is kept of the run.
    pub trace: Trace,
}

/// Which outcomes are wanted.
#[derive(Debug, Clone, Default)]
pub struct OutcomeFilter {
    pub user: String,
    /// Also of runs of procedures that these started.
    pub of_runs_of: Option<Users>,
    /// Of any of these workflows: one may have had several names.
    pub workflows: Option<Vec<String>>,
    pub run_id: Option<String>,
    /// Only of runs that went through this node.
    pub node_id: Option<String>,
    pub ended: Option<Ended>,
}

const COLUMNS: &str = "o.id, o.workflow_id, o.run_id, o.outcome, o.pattern, o.created_at, o.duration_ms, o.node_count, \
                       o.nodes_succeeded, o.nodes_failed, o.error_message, o.artifacts, o.trace";

fn from_row(row: &Row<'_>) -> rusqlite::Result<WorkflowOutcome> {
    let ended: String = row.get("outcome")?;
    let artifacts: Option<Json<Vec<Value>>> = row.get("artifacts")?;
    Ok(WorkflowOutcome {
        id: row.get("id")?,
        workflow_id: row.get("workflow_id")?,
        run_id: row.get("run_id")?,
        ended: Ended::parse(&ended).unwrap_or(Ended::Failure),
        pattern: row.get("pattern")?,
        created_at: row.get("created_at")?,
        counts: Counts {
            duration_ms: row.get("duration_ms")?,
            node_count: row.get("node_count")?,
            nodes_succeeded: row.get("nodes_succeeded")?,
            nodes_failed: row.get("nodes_failed")?,
        },
        error_message: row.get("error_message")?,
        artifacts: artifacts.map(|Json(artifacts)| artifacts).unwrap_or_default(),
        trace: row.get::<_, Json<Trace>>("trace")?.0,
    })
}

impl OutcomeFilter {
    /// What a row must be, over the table `o`, with the fields as named parameters.
    fn condition(&self) -> String {
        // An index serves what is of one user.
        let whose = match self.of_runs_of {
            None => "o.user = :user AND :users IS NULL".to_owned(),
            Some(_) => format!("(o.user = :user OR o.procedure_id IS NOT NULL AND o.user IN ({}))", Users::NAMES),
        };
        // Each is named in every statement, so that all have the same parameters; what is asked for is compared plainly,
        // so that an index can serve it.
        let mut conditions = vec![whose];
        for (name, is_given, condition) in [
            ("workflow", self.workflows.is_some(), "o.workflow_id IN (SELECT value FROM json_each(:workflow))"),
            ("run", self.run_id.is_some(), "o.run_id = :run"),
            ("ended", self.ended.is_some(), "o.outcome = :ended"),
            (
                "node",
                self.node_id.is_some(),
                "EXISTS (SELECT 1 FROM json_tree(o.trace, '$.path') AS n WHERE n.type = 'text' AND n.value = :node)",
            ),
        ] {
            conditions.push(if is_given { condition.to_owned() } else { format!(":{name} IS NULL") });
        }
        conditions.join(" AND ")
    }
}

impl Reader<'_> {
    /// What a user noted of a run.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn outcome_of(&self, user: &str, run_id: &str) -> Result<Option<WorkflowOutcome>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM workflow_outcomes AS o WHERE user = ?1 AND run_id = ?2");
        Ok(self.0.prepare_cached(&sql)?.query_row([user, run_id], from_row).optional()?)
    }

    /// The newest outcomes that match, newest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn newest_outcomes(&self, filter: &OutcomeFilter, limit: u32) -> Result<Vec<WorkflowOutcome>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM workflow_outcomes AS o WHERE {} ORDER BY o.id DESC LIMIT :limit",
            filter.condition()
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(
            named_params! {
                ":user": filter.user, ":users": filter.of_runs_of, ":workflow": filter.workflows.as_ref().map(Json), ":run": filter.run_id,
                ":node": filter.node_id, ":ended": filter.ended.map(Ended::as_str), ":limit": limit,
            },
            from_row,
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The outcomes that match and whose text answers `text` best; of those that do so equally, the newest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn search_outcomes(
        &self,
        filter: &OutcomeFilter,
        text: &str,
        words: Words,
        limit: u32,
    ) -> Result<Vec<(WorkflowOutcome, f64)>, StorageError> {
        let terms = terms(text);
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {COLUMNS}, relevance FROM (\
             SELECT o.id AS found, -{BM25} AS relevance FROM outcome_search \
             JOIN workflow_outcomes AS o ON o.id = outcome_search.rowid \
             WHERE outcome_search MATCH :text AND {} ORDER BY outcome_search.rowid DESC LIMIT {RANKED}) \
             JOIN workflow_outcomes AS o ON o.id = found ORDER BY relevance DESC, found DESC LIMIT :limit",
            filter.condition()
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(
            named_params! {
                ":user": filter.user, ":users": filter.of_runs_of, ":workflow": filter.workflows.as_ref().map(Json), ":run": filter.run_id,
                ":node": filter.node_id, ":ended": filter.ended.map(Ended::as_str), ":limit": limit,
                ":text": join(&terms, words),
            },
            |row| Ok((from_row(row)?, row.get("relevance")?)),
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest `limit` outcomes with a pattern, as far as they teach something.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn seen_with_pattern(&self, user: &str, pattern: &str, limit: u32) -> Result<Vec<Seen>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT trace, error_message FROM workflow_outcomes WHERE user = ?1 AND pattern = ?2 ORDER BY id DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![user, pattern, limit], seen)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest `limit` outcomes of a workflow that ended so and teach something.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn seen_of_workflow(
        &self,
        user: &str,
        workflow_id: &str,
        ended: Ended,
        limit: u32,
    ) -> Result<Vec<Seen>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT trace, error_message FROM workflow_outcomes \
             WHERE user = ?1 AND workflow_id = ?2 AND outcome = ?3 AND pattern IS NOT NULL ORDER BY id DESC LIMIT ?4",
        )?;
        let rows = statement.query_map(params![user, workflow_id, ended.as_str(), limit], seen)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many outcomes have a pattern; no more than `most` are counted.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn count_pattern(&self, user: &str, pattern: &str, most: u64) -> Result<u64, StorageError> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT COUNT(*) FROM \
                 (SELECT 1 FROM workflow_outcomes WHERE user = ?1 AND pattern = ?2 LIMIT ?3)",
            )?
            .query_row(params![user, pattern, most], |row| row.get(0))?)
    }

    /// Whether runs of a workflow have ended in any other way than with this pattern, lately.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn ended_otherwise(&self, user: &str, workflow_id: &str, pattern: &str) -> Result<bool, StorageError> {
        // Each part goes along an index and not far: a procedure may have succeeded a million times.
        Ok(self
            .0
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM workflow_outcomes \
                     WHERE user = ?1 AND workflow_id = ?2 AND outcome = 'failure') \
                 OR EXISTS (SELECT 1 FROM (SELECT pattern FROM workflow_outcomes \
                     WHERE user = ?1 AND workflow_id = ?2 AND outcome = 'success' ORDER BY id DESC LIMIT 100) \
                     WHERE pattern IS NOT ?3)",
            )?
            .query_row([user, workflow_id, pattern], |row| row.get(0))?)
    }

    /// The pattern of the newest run of a workflow that ended so.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn newest_pattern(&self, user: &str, workflow_id: &str, ended: Ended) -> Result<Option<String>, StorageError> {
        let sql = "SELECT pattern FROM workflow_outcomes WHERE user = ?1 AND workflow_id = ?2 AND outcome = ?3 \
                   ORDER BY id DESC LIMIT 1";
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.query_row([user, workflow_id, ended.as_str()], |row| row.get(0)).optional()?.flatten())
    }

    /// When the first and the latest outcome with a pattern were stored; milliseconds since 1970.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn times_of_pattern(&self, user: &str, pattern: &str) -> Result<(i64, i64), StorageError> {
        let at = |order: &str| {
            let sql = format!(
                "SELECT created_at FROM workflow_outcomes WHERE user = ?1 AND pattern = ?2 ORDER BY id {order} LIMIT 1"
            );
            self.0.prepare_cached(&sql)?.query_row([user, pattern], |row| row.get(0)).optional()
        };
        Ok((at("ASC")?.unwrap_or_default(), at("DESC")?.unwrap_or_default()))
    }

    /// The newest `limit` runs with a pattern, newest first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn runs_with_pattern(&self, user: &str, pattern: &str, limit: u32) -> Result<Vec<String>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT run_id FROM workflow_outcomes WHERE user = ?1 AND pattern = ?2 ORDER BY id DESC LIMIT ?3",
        )?;
        Ok(statement.query_map(params![user, pattern, limit], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// How many outcomes of a workflow there are that ended so.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn count_outcomes(&self, user: &str, workflow_id: &str, ended: Ended) -> Result<u64, StorageError> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT COUNT(*) FROM workflow_outcomes WHERE user = ?1 AND workflow_id = ?2 AND outcome = ?3",
            )?
            .query_row([user, workflow_id, ended.as_str()], |row| row.get(0))?)
    }
}

fn seen(row: &Row<'_>) -> rusqlite::Result<Seen> {
    Ok(Seen { trace: row.get::<_, Json<Trace>>(0)?.0, error: row.get(1)? })
}

impl Writer<'_> {
    /// Stores an outcome, unless the run has one already: then `None`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn add_outcome(&self, new: &NewOutcome) -> Result<Option<i64>, StorageError> {
        let connection = self.0.0;
        let artifacts = (!new.artifacts.is_empty()).then_some(Json(&new.artifacts));
        let id: Option<i64> = connection
            .prepare_cached(
                "INSERT INTO workflow_outcomes (user, workflow_id, run_id, procedure_id, outcome, pattern, created_at, \
                 duration_ms, node_count, nodes_succeeded, nodes_failed, error_message, artifacts, trace) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
                 ON CONFLICT (user, run_id) DO NOTHING RETURNING id",
            )?
            .query_row(
                params![
                    new.user,
                    new.workflow_id,
                    new.run_id,
                    new.procedure_id,
                    new.ended.as_str(),
                    new.pattern,
                    new.created_at,
                    new.counts.duration_ms,
                    new.counts.node_count,
                    new.counts.nodes_succeeded,
                    new.counts.nodes_failed,
                    new.error_message,
                    artifacts,
                    Json(&new.trace),
                ],
                |row| row.get(0),
            )
            .optional()?;
        let Some(id) = id else { return Ok(None) };
        self.0
            .0
            .prepare_cached(
                "INSERT INTO outcome_search (rowid, workflow, status, nodes, error, artifacts) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(searched(
                id,
                &new.workflow_id,
                new.ended,
                &new.trace,
                new.error_message.as_deref(),
                &new.artifacts,
            ))?;
        Ok(Some(id))
    }

    /// Removes an outcome and its words from the index for searching.
    ///
    /// # Errors
    /// [`StorageError`].
    pub(super) fn remove_outcome(&self, id: i64) -> Result<(), StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM workflow_outcomes AS o WHERE id = ?1");
        let Some(old) = self.0.0.prepare_cached(&sql)?.query_row([id], from_row).optional()? else { return Ok(()) };
        let error = old.error_message.as_deref();
        // An index without texts of its own forgets what it is told again.
        self.0
            .0
            .prepare_cached(
                "INSERT INTO outcome_search (outcome_search, rowid, workflow, status, nodes, error, artifacts) \
                 VALUES ('delete', ?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(searched(id, &old.workflow_id, old.ended, &old.trace, error, &old.artifacts))?;
        self.0.0.prepare_cached("DELETE FROM workflow_outcomes WHERE id = ?1")?.execute([id])?;
        Ok(())
    }
}

/// The row of an outcome in the index for searching.
fn searched(
    id: i64,
    workflow_id: &str,
    ended: Ended,
    trace: &Trace,
    error: Option<&str>,
    artifacts: &[Value],
) -> impl Params {
    let nodes: Vec<&str> = trace.path.nodes().collect();
    let artifacts: Vec<String> = artifacts.iter().map(ToString::to_string).collect();
    (
        id,
        workflow_id.replace(['_', '-'], " "),
        match ended {
            Ended::Success => "success succeeded",
            Ended::Failure => "failure failed",
        },
        nodes.join(" ").replace(['_', '-'], " "),
        error.map(str::to_owned),
        artifacts.join(" ").replace(['_', '-'], " "),
    )
}
