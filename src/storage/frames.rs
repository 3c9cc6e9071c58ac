//! The saved state of open runs: frames, answers that they have not got yet, decisions.

use rusqlite::{OptionalExtension, Row, params};

use super::{Reader, StorageError, Writer, runs::REST};
use crate::domain::{DecisionRecord, RunStatus};

/// A frame as it is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameRow {
    pub run_id: String,
    /// The run at the root of its tree.
    pub root_run_id: String,
    /// How many callers it has; 0 at the root.
    pub depth: u32,
    /// What the engine knows of it, as JSON.
    pub state: String,
    /// What it printed and logged so far.
    pub output: String,
    /// The interpreter; what is written anew each time of one that has a journal.
    pub snapshot: Vec<u8>,
    /// The keyed hash of all that.
    pub seal: Vec<u8>,
}

/// What a saved interpreter has more than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceRow {
    /// Its place among the pieces of the frame, from 0.
    pub piece: u32,
    pub text: Vec<u8>,
    /// The keyed hash of it and of the seal before it.
    pub seal: Vec<u8>,
}

/// The answer of a host call, until the code has got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// The call.
    pub sequence: u32,
    /// The answer as JSON.
    pub reply: String,
    /// Its keyed hash.
    pub seal: Vec<u8>,
}

const COLUMNS: &str = "run_id, root_run_id, depth, state, output, snapshot, seal";

fn from_row(row: &Row<'_>) -> rusqlite::Result<FrameRow> {
    Ok(FrameRow {
        run_id: row.get(0)?,
        root_run_id: row.get(1)?,
        depth: row.get(2)?,
        state: row.get(3)?,
        output: row.get(4)?,
        snapshot: row.get(5)?,
        seal: row.get(6)?,
    })
}

impl Reader<'_> {
    /// The saved frames of a run and those that it called, callers first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn frames(&self, root_run_id: &str) -> Result<Vec<FrameRow>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM frames WHERE root_run_id = ?1 ORDER BY depth, run_id");
        let mut statement = self.0.prepare_cached(&sql)?;
        Ok(statement.query_map([root_run_id], from_row)?.collect::<Result<_, _>>()?)
    }

    /// The saved frame of a run.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn frame(&self, run_id: &str) -> Result<Option<FrameRow>, StorageError> {
        let sql = format!("SELECT {COLUMNS} FROM frames WHERE run_id = ?1");
        Ok(self.0.prepare_cached(&sql)?.query_row([run_id], from_row).optional()?)
    }

    /// What only grew of the interpreter of a saved frame, in order.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn journal(&self, run_id: &str) -> Result<Vec<PieceRow>, StorageError> {
        let mut statement =
            self.0.prepare_cached("SELECT piece, text, seal FROM journals WHERE run_id = ?1 ORDER BY piece")?;
        let rows = statement
            .query_map([run_id], |row| Ok(PieceRow { piece: row.get(0)?, text: row.get(1)?, seal: row.get(2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The answers that a frame has not got yet.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn answers(&self, run_id: &str) -> Result<Vec<AnswerRow>, StorageError> {
        let mut statement =
            self.0.prepare_cached("SELECT sequence, reply, seal FROM answers WHERE run_id = ?1 ORDER BY sequence")?;
        let rows = statement.query_map([run_id], |row| {
            Ok(AnswerRow { sequence: row.get(0)?, reply: row.get(1)?, seal: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was decided on the questions of a run and of those that it called, in order.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn decisions(&self, run_id: &str) -> Result<Vec<DecisionRecord>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "WITH RECURSIVE tree (id) AS (SELECT ?1 \
             UNION SELECT runs.id FROM runs JOIN tree ON runs.parent_run_id = tree.id) \
             SELECT sequence, question, decision, decided_by, by_agent, decided_at FROM decisions \
             WHERE run_id IN (SELECT id FROM tree) ORDER BY decided_at, sequence",
        )?;
        let rows = statement.query_map([run_id], |row| {
            Ok(DecisionRecord {
                sequence: row.get(0)?,
                question: row.get(1)?,
                decision: row.get(2)?,
                decided_by: row.get(3)?,
                by_agent: row.get(4)?,
                decided_at: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The runs that a run called and that have not ended, with the calls that they answer. They have no saved state
    /// before their first host call.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn open_children(&self, run_id: &str) -> Result<Vec<(String, u32)>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id, parent_call FROM runs WHERE parent_run_id = ?1 AND parent_call IS NOT NULL \
             AND status IN ('running', 'paused', 'interrupted') ORDER BY id",
        )?;
        Ok(statement.query_map([run_id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    }

    /// The runs of `user` that no other called, that were interrupted and that have rested at `now`: those that were tried
    /// least often first, the oldest of them first.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn interrupted_runs(&self, user: &str, now: i64) -> Result<Vec<String>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id FROM runs WHERE status = 'interrupted' AND parent_run_id IS NULL \
             AND (due_at IS NULL OR due_at <= ?2) AND (user IS NULL OR user = ?1) ORDER BY attempts, id",
        )?;
        Ok(statement.query_map(params![user, now], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The runs of `user` that no other called and that the clock goes on with at `now`: what they sleep until is there, or
    /// what they wait for is no longer accepted. Programs of before say only the latter.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn due_runs(&self, user: &str, now: i64) -> Result<Vec<String>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id FROM runs WHERE status = 'paused' AND parent_run_id IS NULL AND (due_at <= ?1 OR expires_at <= ?1) \
             AND (user IS NULL OR user = ?2) ORDER BY id",
        )?;
        Ok(statement.query_map(params![now, user], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    /// Saves where a frame stands, and what its journal has more than before. The answers that it waited for before are
    /// forgotten: it has got them.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn save_frame(&self, frame: &FrameRow, grown: Option<&PieceRow>) -> Result<(), StorageError> {
        let FrameRow { run_id, root_run_id, depth, state, output, snapshot, seal } = frame;
        self.0
            .0
            .prepare_cached("INSERT OR REPLACE INTO frames (run_id, root_run_id, depth, state, output, snapshot, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![run_id, root_run_id, depth, state, output, snapshot, seal])?;
        if let Some(PieceRow { piece, text, seal }) = grown {
            self.0
                .0
                .prepare_cached("INSERT INTO journals (run_id, piece, text, seal) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![run_id, piece, text, seal])?;
        }
        self.0.0.prepare_cached("DELETE FROM answers WHERE run_id = ?1")?.execute([run_id])?;
        // It has come further than before.
        self.0
            .0
            .prepare_cached("UPDATE runs SET attempts = 0 WHERE id = ?1 AND attempts > 0")?
            .execute([root_run_id])?;
        Ok(())
    }

    /// Keeps the answer of a host call until the frame is saved at its next one.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn save_answer(&self, run_id: &str, answer: &AnswerRow) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached("INSERT OR REPLACE INTO answers (run_id, sequence, reply, seal) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![run_id, answer.sequence, answer.reply, answer.seal])?;
        Ok(())
    }

    /// Forgets the saved state of a frame that has ended.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn delete_frame(&self, run_id: &str) -> Result<(), StorageError> {
        self.0.0.prepare_cached("DELETE FROM frames WHERE run_id = ?1")?.execute([run_id])?;
        self.0.0.prepare_cached("DELETE FROM journals WHERE run_id = ?1")?.execute([run_id])?;
        self.0.0.prepare_cached("DELETE FROM answers WHERE run_id = ?1")?.execute([run_id])?;
        Ok(())
    }

    /// Records a decision.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn save_decision(&self, run_id: &str, decision: &DecisionRecord) -> Result<(), StorageError> {
        let DecisionRecord { sequence, question, decision, decided_by, by_agent, decided_at } = decision;
        self.0
            .0
            .prepare_cached(
                "INSERT OR REPLACE INTO decisions (run_id, sequence, question, decision, decided_by, by_agent, decided_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![run_id, sequence, question, decision, decided_by, by_agent, decided_at])?;
        Ok(())
    }

    /// Ends an open run and those that it called without their saved state, which is forgotten.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn end_open_runs(&self, root_run_id: &str, status: RunStatus, why: &str, at: i64) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "WITH RECURSIVE tree (id) AS (SELECT ?1 \
                 UNION SELECT runs.id FROM runs JOIN tree ON runs.parent_run_id = tree.id) \
                 UPDATE runs SET status = ?2, error = ?3, waiting_for = NULL, expires_at = NULL, due_at = NULL, finished_at = ?4 \
                 WHERE id IN (SELECT id FROM tree) AND status IN ('running', 'paused', 'interrupted')",
            )?
            .execute(params![root_run_id, status.as_str(), why, at])?;
        for table in ["answers", "journals"] {
            let sql = format!("DELETE FROM {table} WHERE run_id IN (SELECT run_id FROM frames WHERE root_run_id = ?1)");
            self.0.0.prepare_cached(&sql)?.execute([root_run_id])?;
        }
        self.0.0.prepare_cached("DELETE FROM frames WHERE root_run_id = ?1")?.execute([root_run_id])?;
        Ok(())
    }

    /// Makes `session` the owner of an open run that nobody executes. `false` when somebody was faster or it is over.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn claim_run(&self, root_run_id: &str, session: &str) -> Result<bool, StorageError> {
        let claimed = self
            .0
            .0
            .prepare_cached(
                "UPDATE runs SET attempts = attempts + (status = 'interrupted'), status = 'running', session = ?2, \
                 outcome = NULL, waiting_for = NULL, expires_at = NULL, due_at = NULL, error = NULL, finished_at = NULL \
                 WHERE id = ?1 AND status IN ('paused', 'interrupted')",
            )?
            .execute(params![root_run_id, session])?;
        if claimed == 0 {
            return Ok(false);
        }
        self.0
            .0
            .prepare_cached(
                "WITH RECURSIVE called (id) AS (SELECT id FROM runs WHERE parent_run_id = ?1 \
                 UNION SELECT runs.id FROM runs JOIN called ON runs.parent_run_id = called.id) \
                 UPDATE runs SET status = 'running', session = ?2, outcome = NULL, waiting_for = NULL, \
                 expires_at = NULL, due_at = NULL, error = NULL, finished_at = NULL \
                 WHERE id IN (SELECT id FROM called) AND status IN ('paused', 'interrupted')",
            )?
            .execute(params![root_run_id, session])?;
        Ok(true)
    }

    /// Leaves a run and those that it called, as far as `session` owns and executes them: nobody takes care of them then,
    /// until they have rested as [`REST`] says.
    ///
    /// # Errors
    /// [`StorageError::Sqlite`].
    pub fn release_run(&self, root_run_id: &str, session: &str, why: &str, at: i64) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(&format!(
                "WITH RECURSIVE tree (id) AS (SELECT ?1 \
                 UNION SELECT runs.id FROM runs JOIN tree ON runs.parent_run_id = tree.id) \
                 UPDATE runs SET status = 'interrupted', error = ?3, finished_at = ?4, due_at = ?4 + {REST} \
                 WHERE id IN (SELECT id FROM tree) AND status = 'running' AND session = ?2",
            ))?
            .execute(params![root_run_id, session, why, at])?;
        Ok(())
    }
}
