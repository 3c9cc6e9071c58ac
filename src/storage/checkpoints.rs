//! Checkpoints: states of workflows that others run.

use rusqlite::{OptionalExtension, Row, named_params, params, types::Type};
use serde_json::{Map, Value};

use super::{
    Reader, StorageError, Writer,
    json::Json,
    states::{self, StoredState},
};
use crate::domain::{forms, workflow::Checkpoint};

/// A run of somebody's workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRunRow {
    /// Its key here.
    pub id: i64,
    /// The workflow that it is a run of.
    pub workflow_id: String,
}

/// A checkpoint that is to be kept.
#[derive(Debug)]
pub struct NewCheckpoint<'a> {
    /// The run's key here.
    pub workflow_run: i64,
    /// The node that made the state.
    pub node_id: &'a str,
    /// The branch, where the run has several.
    pub branch_id: Option<&'a str>,
    /// The number of the checkpoint that it came from.
    pub parent_sequence: Option<i64>,
    /// The same for equal states.
    pub state_hash: &'a str,
    pub state: &'a StoredState,
    /// What the caller noted, as JSON.
    pub metadata: Option<&'a str>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// The columns of [`from_row`] but the state.
const COLUMNS: &str = "sequence, node_id, branch_id, parent_sequence, state_hash, created_at, metadata";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    let metadata: Option<Json<Map<String, Value>>> = row.get("metadata")?;
    let column = row.as_ref().column_index("state")?;
    let state = states::state_of(row.get_ref(column)?);
    let state = state.map_err(|why| rusqlite::Error::FromSqlConversionFailure(column, Type::Null, why.into()))?;
    Ok(Checkpoint {
        sequence: row.get("sequence")?,
        node_id: row.get("node_id")?,
        branch_id: row.get("branch_id")?,
        parent_sequence: row.get("parent_sequence")?,
        state_hash: row.get("state_hash")?,
        state,
        metadata: metadata.map(|Json(metadata)| metadata),
        created_at: row.get("created_at")?,
    })
}

impl Reader<'_> {
    /// The run of this name that `user` saved something of.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn workflow_run(&self, user: &str, run_id: &str) -> Result<Option<WorkflowRunRow>, StorageError> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT id, workflow_id FROM workflow_runs \
                 WHERE user = ?1 AND run_id IN (SELECT value FROM json_each(?2)) ORDER BY run_id = ?3 DESC LIMIT 1",
            )?
            .query_row(params![user, Json(forms(run_id)), run_id], |row| {
                Ok(WorkflowRunRow { id: row.get(0)?, workflow_id: row.get(1)? })
            })
            .optional()?)
    }

    /// Number and hash of the latest checkpoint of a branch, or of what has no branch.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn latest_hash(
        &self,
        workflow_run: i64,
        branch_id: Option<&str>,
    ) -> Result<Option<(i64, String)>, StorageError> {
        Ok(self
            .0
            .prepare_cached(
                "SELECT sequence, state_hash FROM checkpoints \
                 WHERE workflow_run = ?1 AND branch_id IS ?2 ORDER BY sequence DESC LIMIT 1",
            )?
            .query_row(params![workflow_run, branch_id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    /// Whether the run has a checkpoint of this number.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn has_checkpoint(&self, workflow_run: i64, sequence: i64) -> Result<bool, StorageError> {
        Ok(self
            .0
            .prepare_cached("SELECT 1 FROM checkpoints WHERE workflow_run = ?1 AND sequence = ?2")?
            .exists([workflow_run, sequence])?)
    }

    /// The latest checkpoint of a run, whatever its branch.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn latest_checkpoint(&self, workflow_run: i64) -> Result<Option<Checkpoint>, StorageError> {
        let sql =
            format!("SELECT {COLUMNS}, state FROM checkpoints WHERE workflow_run = ?1 ORDER BY sequence DESC LIMIT 1");
        Ok(self.0.prepare_cached(&sql)?.query_row([workflow_run], from_row).optional()?)
    }

    /// The latest checkpoint of one branch of a run.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn latest_of_branch(&self, workflow_run: i64, branch_id: &str) -> Result<Option<Checkpoint>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS}, state FROM checkpoints \
             WHERE workflow_run = ?1 AND branch_id = ?2 ORDER BY sequence DESC LIMIT 1"
        );
        Ok(self.0.prepare_cached(&sql)?.query_row(params![workflow_run, branch_id], from_row).optional()?)
    }

    /// The newest `limit` checkpoints of a run without their states, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn list_checkpoints(&self, workflow_run: i64, limit: u32) -> Result<Vec<Checkpoint>, StorageError> {
        let sql = format!(
            "SELECT {COLUMNS}, NULL AS state FROM checkpoints \
             WHERE workflow_run = :run ORDER BY sequence DESC LIMIT :limit"
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        let rows = statement.query_map(named_params! {":run": workflow_run, ":limit": limit}, from_row)?;
        let mut rows: Vec<Checkpoint> = rows.collect::<Result<_, _>>()?;
        rows.reverse();
        Ok(rows)
    }

    /// The nodes of the first `limit` checkpoints of a run with their branches, in their order.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn nodes_of_run(&self, workflow_run: i64, limit: u32) -> Result<Vec<(Option<String>, String)>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT branch_id, node_id FROM checkpoints WHERE workflow_run = ?1 ORDER BY sequence LIMIT ?2",
        )?;
        let rows = statement.query_map([workflow_run, limit.into()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The latest state of a branch, or of what has no branch.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn latest_state(
        &self,
        workflow_run: i64,
        branch_id: Option<&str>,
    ) -> Result<Option<Map<String, Value>>, StorageError> {
        let text: Option<String> = self
            .0
            .prepare_cached(
                "SELECT state FROM checkpoints WHERE workflow_run = ?1 AND branch_id IS ?2 ORDER BY sequence DESC LIMIT 1",
            )?
            .query_row(params![workflow_run, branch_id], |row| Ok(states::state_of(row.get_ref(0)?)?))
            .optional()?
            .flatten();
        let state = text.map(|text| serde_json::from_str(&text)).transpose();
        state.map_err(|error| StorageError::Unreadable(error.to_string()))
    }

    /// The node of the latest checkpoint of a run.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn last_node(&self, workflow_run: i64) -> Result<Option<String>, StorageError> {
        Ok(self
            .0
            .prepare_cached("SELECT node_id FROM checkpoints WHERE workflow_run = ?1 ORDER BY sequence DESC LIMIT 1")?
            .query_row([workflow_run], |row| row.get(0))
            .optional()?)
    }
}

impl Writer<'_> {
    /// Notes a run of a workflow; gives its key.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_workflow_run(
        &self,
        user: &str,
        run_id: &str,
        workflow_id: &str,
        at: i64,
    ) -> Result<WorkflowRunRow, StorageError> {
        let id = self
            .0
            .0
            .prepare_cached(
                "INSERT INTO workflow_runs (user, run_id, workflow_id, created_at) VALUES (?1, ?2, ?3, ?4) RETURNING id",
            )?
            .query_row(params![user, run_id, workflow_id, at], |row| row.get(0))?;
        Ok(WorkflowRunRow { id, workflow_id: workflow_id.to_owned() })
    }

    /// Stores a checkpoint; gives its number, which is the next one of the run. The write lock of the home is what keeps
    /// other processes from taking the same.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn add_checkpoint(&self, new: &NewCheckpoint<'_>) -> Result<i64, StorageError> {
        let connection = self.0.0;
        let sequence: i64 = connection
            .prepare_cached(
                "UPDATE workflow_runs SET last_sequence = last_sequence + 1 WHERE id = ?1 RETURNING last_sequence",
            )?
            .query_row([new.workflow_run], |row| row.get(0))?;
        connection
            .prepare_cached(
                "INSERT INTO checkpoints (workflow_run, sequence, node_id, branch_id, parent_sequence, state_hash, \
                 created_at, metadata, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                new.workflow_run,
                sequence,
                new.node_id,
                new.branch_id,
                new.parent_sequence,
                new.state_hash,
                new.created_at,
                new.metadata,
                new.state
            ])?;
        Ok(sequence)
    }

    /// Removes the checkpoints of a run; gives how many there were. The run stays, so that no number is given out twice.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn delete_checkpoints(&self, workflow_run: i64) -> Result<usize, StorageError> {
        Ok(self.0.0.prepare_cached("DELETE FROM checkpoints WHERE workflow_run = ?1")?.execute([workflow_run])?)
    }
}
