//! Removing runs that are over, with all that is theirs.

use std::{collections::BTreeSet, time::Instant};

use rusqlite::params;

use super::sweep::Sweep;
use crate::storage::{Reader, StorageError, Writer, stats::PERCENTILE_WINDOW};

/// Runs that a lesson is shown with; they stay.
pub const SHOWN_AS_EVIDENCE: u32 = 5;
/// Looked at in one go.
const PAGE: u32 = 64;

/// What a row of `runs` takes, its place in the indexes included.
const RUN_BYTES: &str = "250 + octet_length(parameters) + coalesce(octet_length(result), 0) + coalesce(octet_length(output), 0) \
                         + coalesce(octet_length(error), 0) + coalesce(octet_length(traceback), 0)";
const CALL_BYTES: &str =
    "80 + octet_length(arguments) + coalesce(octet_length(result), 0) + coalesce(octet_length(error), 0)";

/// A run that no other called.
struct Root {
    id: String,
    started_at: i64,
    ended_at: i64,
    /// It is over, and nothing was linked to it.
    may_go: bool,
    /// What it teaches was learned.
    is_learned: bool,
}

impl Reader<'_> {
    pub(super) fn bytes_of_runs(&self) -> Result<i64, StorageError> {
        let sql = format!(
            "SELECT (SELECT coalesce(sum({RUN_BYTES}), 0) FROM runs) + \
             (SELECT coalesce(sum({CALL_BYTES}), 0) FROM host_calls) + \
             (SELECT coalesce(sum(octet_length(snapshot) + octet_length(state) + octet_length(output)), 0) FROM frames) + \
             (SELECT coalesce(sum(octet_length(text)), 0) FROM journals) + \
             (SELECT coalesce(sum(octet_length(reply)), 0) FROM answers)"
        );
        Ok(self.0.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
    }

    fn roots_after(&self, after: &str) -> Result<Vec<Root>, StorageError> {
        let mut statement = self.0.prepare_cached(
            "SELECT id, started_at, coalesce(finished_at, started_at), status IN ('succeeded', 'failed', 'cancelled') \
             AND NOT EXISTS (SELECT 1 FROM artifacts WHERE memory_type IN ('run', 'outcome') AND memory_id = runs.id) \
             AND NOT EXISTS (SELECT 1 FROM artifacts WHERE memory_type = 'checkpoint' \
                             AND memory_id >= 'cp_' || runs.id || '_' AND memory_id < 'cp_' || runs.id || '_:'), \
             NOT EXISTS (SELECT 1 FROM ended_runs WHERE run_id = runs.id) FROM runs WHERE id > ?1 AND parent_run_id IS NULL ORDER BY id LIMIT ?2",
        )?;
        let rows = statement.query_map(params![after, PAGE], |row| {
            Ok(Root {
                id: row.get(0)?,
                started_at: row.get(1)?,
                ended_at: row.get(2)?,
                may_go: row.get(3)?,
                is_learned: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Writer<'_> {
    pub(super) fn sweep_runs(&self, sweep: &mut Sweep, until: Instant) -> Result<bool, StorageError> {
        let mut procedures = BTreeSet::new();
        let more = loop {
            let page = self.roots_after(&sweep.after_run)?;
            let is_last = page.is_empty();
            let mut is_done = false;
            for root in page {
                is_done = sweep.is_done_at(root.started_at);
                if is_done || Instant::now() >= until {
                    break;
                }
                if root.may_go && sweep.wants(root.ended_at) && !sweep.evidence.contains(&root.id) {
                    if root.is_learned {
                        let bytes = self.remove_run(&root.id, &mut procedures)?;
                        sweep.count(bytes);
                    } else {
                        sweep.comes_back = true;
                    }
                }
                sweep.after_run = root.id;
            }
            if is_last || is_done {
                break false;
            }
            if Instant::now() >= until {
                break true;
            }
        };
        procedures.into_iter().try_for_each(|procedure| self.trim_durations(procedure))?;
        Ok(more)
    }

    /// Removes a run and those that it called, and keeps what the stats need of them; gives the bytes that they took.
    fn remove_run(&self, root: &str, procedures: &mut BTreeSet<i64>) -> Result<i64, StorageError> {
        let connection = self.0.0;
        let tree: Vec<(String, i64)> = connection
            .prepare_cached(
                "WITH RECURSIVE tree (id) AS (SELECT ?1 \
                 UNION SELECT runs.id FROM runs JOIN tree ON runs.parent_run_id = tree.id) \
                 SELECT runs.id, procedure_id FROM tree JOIN runs ON runs.id = tree.id",
            )?
            .query_map([root], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut bytes = 0;
        for (id, procedure) in tree {
            procedures.insert(procedure);
            connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO past_durations (procedure_id, run_id, duration_ms) \
                     SELECT procedure_id, unhex(id, '-'), duration_ms FROM runs WHERE id = ?1 \
                     AND NOT is_reported AND outcome IN ('success', 'failure') AND duration_ms IS NOT NULL AND unhex(id, '-') IS NOT NULL",
                )?
                .execute([&id])?;
            connection
                .prepare_cached(
                    "INSERT INTO past_runs (procedure_id, user, last_run_at, last_error, failed_at) \
                     SELECT procedure_id, coalesce(user, ''), started_at, error, iif(error IS NULL, NULL, started_at) \
                     FROM runs WHERE id = ?1 AND NOT is_reported \
                     ON CONFLICT (procedure_id, user) DO UPDATE SET last_run_at = max(last_run_at, excluded.last_run_at), \
                     last_error = iif(excluded.failed_at >= coalesce(failed_at, 0), excluded.last_error, last_error), \
                     failed_at = max(coalesce(failed_at, excluded.failed_at), coalesce(excluded.failed_at, failed_at))",
                )?
                .execute([&id])?;
            let calls = format!("DELETE FROM host_calls WHERE run_id = ?1 RETURNING {CALL_BYTES}");
            let mut calls = connection.prepare_cached(&calls)?;
            for call in calls.query_map([&id], |row| row.get::<_, i64>(0))? {
                bytes += call?;
            }
            self.delete_frame(&id)?;
            connection.prepare_cached("DELETE FROM decisions WHERE run_id = ?1")?.execute([&id])?;
            connection
                .prepare_cached(
                    "DELETE FROM checkpoints WHERE workflow_run IN (SELECT id FROM workflow_runs WHERE run_id = ?1)",
                )?
                .execute([&id])?;
            connection.prepare_cached("DELETE FROM workflow_runs WHERE run_id = ?1")?.execute([&id])?;
            connection.prepare_cached("DELETE FROM model_runs WHERE root_run_id = ?1")?.execute([&id])?;
            let run = format!("DELETE FROM runs WHERE id = ?1 RETURNING {RUN_BYTES}");
            bytes += connection.prepare_cached(&run)?.query_row([&id], |row| row.get::<_, i64>(0))?;
        }
        Ok(bytes)
    }

    /// Forgets the durations of a procedure that percentiles would not look at any more.
    fn trim_durations(&self, procedure: i64) -> Result<(), StorageError> {
        self.0
            .0
            .prepare_cached(
                "DELETE FROM past_durations WHERE procedure_id = ?1 AND run_id <= (SELECT run_id FROM past_durations \
                 WHERE procedure_id = ?1 ORDER BY run_id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![procedure, PERCENTILE_WINDOW])?;
        Ok(())
    }
}
